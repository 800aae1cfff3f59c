"""The demonstration: people are put on projects of an embedded Kantata, read back, measured and checked."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from ..calls import path, together
from ..plurals import counted
from ..sandbox import Sandbox
from ..session import KantataSession
from .demo_facts import DemoStep, Pulled, Scale, Team
from .demo_view import DemoView

if TYPE_CHECKING:
    from ..api.participations import ParticipationsRow
    from ..bulk import BulkResult
    from ..calls import ListQuery
    from ..entities import Participation, User, Workspace

# The sandbox disables one person in forty and staffs some of the projects; with these, enough are left to choose from.
_SPARE_PEOPLE: Final = 5
_SPARE_PROJECTS: Final = 4

Placement = tuple[str, str]
"""The id of a project, and the id of a person on it."""


def company_of(scale: Scale) -> Sandbox:
    """A sandbox with enough people and projects for a demonstration."""
    people = scale.people + scale.people // 5 + _SPARE_PEOPLE
    projects = 4 * scale.projects + _SPARE_PROJECTS
    return Sandbox(seed=scale.seed, people=people, projects=projects, latency=scale.latency)


async def demonstrate(company: Sandbox, scale: Scale, view: DemoView) -> bool:
    """Whether the sandbox's store holds exactly what it should after the demonstration."""
    async with company as sandbox, KantataSession(token=sandbox.token, base_url=sandbox.url) as kantata:
        people, projects = map(sandbox.store.count, ("users", "workspaces"))
        view.opening(sandbox.url, scale.latency, people=people, projects=projects)
        return await _Demonstration(sandbox, kantata, view, scale).run()


class _Demonstration:
    """One run, step by step; each step shows in the view what it is about to do and what came of it."""

    def __init__(self, sandbox: Sandbox, kantata: KantataSession, view: DemoView, scale: Scale) -> None:
        self._sandbox = sandbox
        self._kantata = kantata
        self._view = view
        self._scale = scale
        self._steps: list[DemoStep] = []

    async def run(self) -> bool:
        await self._who_am_i()
        projects = await self._find_projects()
        people = await self._find_people()
        rows: list[ParticipationsRow] = [
            {"workspace_id": project.id, "user_id": person.id, "role": "maven"}
            for person, project in zip(people, cycle(projects), strict=False)
        ]
        result = await self._put_on_projects(rows)
        teams = await self._read_back(projects)
        await self._pull()
        total, latency = _total(self._steps), self._scale.latency
        self._view.plan(self._steps, total, latency)
        wrong = [*_outcomes_wrong(result), *check(self._sandbox, rows, teams)]
        self._view.summary(total, latency, wrong, created=len(result.created), projects=len(projects))
        return not wrong

    @contextmanager
    def _step(self, title: str, code: str) -> Iterator[DemoStep]:
        self._view.heading(len(self._steps) + 1, title, code)
        step = DemoStep(title)
        logged, started = len(self._sandbox.requests), time.perf_counter()
        yield step
        step.seconds = time.perf_counter() - started
        step.requests = len(self._sandbox.requests) - logged
        self._steps.append(step)

    async def _who_am_i(self) -> None:
        with self._step("Who am I?", "await kantata.users.me()") as step, self._view.working("Asking"):
            me = await self._kantata.users.me()
        self._view.result(step, f"{me.full_name}, {me.headline}")

    async def _find_projects(self) -> list[Workspace]:
        code = 'await kantata.workspaces.list(include=["participations"], order="title")'
        with self._step("Find projects without a team", code) as step, self._view.working("Reading projects"):
            found = await self._kantata.workspaces.list(include=["participations"], order="title")
        free = [project for project in found if not project.participations]
        self._view.result(step, f"{counted(len(found), 'project')}, {len(free):,} of them without a team")
        return free[: self._scale.projects]

    async def _find_people(self) -> list[User]:
        code = 'await kantata.users.list(order="alphabetical")'
        with self._step("Find people to put on them", code) as step, self._view.working("Reading people"):
            found = await self._kantata.users.list(order="alphabetical")
        taken = found[: self._scale.people]
        self._view.result(
            step,
            f"{counted(len(found), 'person', 'people')}; the first {len(taken):,} are taken, "
            f"{taken[0].full_name} to {taken[-1].full_name}",
        )
        return taken

    async def _put_on_projects(self, rows: Sequence[ParticipationsRow]) -> BulkResult[Participation]:
        title = f"Put {counted(len(rows), 'person', 'people')} on {counted(self._scale.projects, 'project')}"
        code = 'await kantata.participations.create_many(rows, include=["user"])'
        with self._step(title, code) as step, self._view.working("Creating participations, 100 a request"):
            result = await self._kantata.participations.create_many(rows, include=["user"])
        step.one_by_one = len(rows)
        self._view.result(step, f"{result.summary()}; an outcome for each row, in the order of the rows")
        return result

    async def _read_back(self, projects: Sequence[Workspace]) -> list[Team]:
        code = (
            'await kantata.participations.list(workspace_id=…, order="user_name",\n'
            '    include=[path("user.account_membership.default_role")])\n'
            "p.user.full_name, p.user.account_membership.default_role.name"
        )
        with self._step("Read the teams back, linked", code) as step, self._view.working("Reading teams"):
            teams = await together(self._read_team(project) for project in projects)
        step.one_by_one = len(projects) + len(_linked(teams))
        self._view.result(step)
        self._view.teams(teams)
        return teams

    async def _read_team(self, project: Workspace) -> Team:
        role = path("user.account_membership.default_role")
        members = await self._kantata.participations.list(workspace_id=project.id, order="user_name", include=[role])
        return Team(project, members)

    async def _pull(self) -> None:
        kantata = self._kantata
        lists: dict[str, ListQuery[Any]] = {
            "users": kantata.users.list(),
            "account_memberships": kantata.account_memberships.list(),
            "skill_memberships": kantata.skill_memberships.list(),
            "skills": kantata.skills.list(),
            "roles": kantata.roles.list(),
            "workspaces": kantata.workspaces.list(),
            "stories": kantata.stories.list(),
            "time_entries": kantata.time_entries.list(),
        }
        code = f"async for page in kantata.users.list().pages(): …    # {len(lists)} of these at once"
        with self._step(f"Pull {len(lists)} collections at once", code) as step, self._view.pulling(lists) as report:
            pulled = await together(_pull_all(name, pages, report) for name, pages in lists.items())
        self._view.result(step)
        self._view.pulled(step, pulled)


async def _pull_all(name: str, query: ListQuery[Any], report: Callable[[str, int, int | None], None]) -> Pulled:
    started = time.perf_counter()
    objects = pages = 0
    async for page in query.pages():
        objects += len(page.items)
        pages += 1
        report(name, objects, page.count)
    return Pulled(name, objects, pages, time.perf_counter() - started)


def _total(steps: Sequence[DemoStep]) -> DemoStep:
    return DemoStep(
        "Total",
        requests=sum(step.requests for step in steps),
        seconds=sum(step.seconds for step in steps),
        one_by_one=sum(step.alone for step in steps),
    )


def _linked(teams: Iterable[Team]) -> set[Any]:
    """The objects that were read through links: people, their memberships, their roles."""
    memberships = {member.user.account_membership for team in teams for member in team.members}
    return memberships | {one.default_role for one in memberships} | {m.user for team in teams for m in team.members}


def _outcomes_wrong(result: BulkResult[Participation]) -> list[str]:
    if len(result.created) == len(result):
        return []
    return [f"{result.summary()}, where all {len(result)} rows were to be created"]


def check(sandbox: Sandbox, rows: Iterable[Mapping[str, object]], teams: Sequence[Team]) -> list[str]:
    """What is not as it should be: the store against the rows, and what was read back against the store."""
    wanted: Counter[Placement] = Counter((str(row["workspace_id"]), str(row["user_id"])) for row in rows)
    staffed = {team.project.id for team in teams}
    stored: Counter[Placement] = Counter(
        (one["workspace_id"], one["user_id"])
        for one in sandbox.store.all("participations")
        if one["workspace_id"] in staffed
    )
    read: Counter[Placement] = Counter((team.project.id, member.user_id) for team in teams for member in team.members)
    counts = {
        "participations are missing from the store": (wanted - stored).total(),
        "participations are in the store that nobody asked for": (stored - wanted).total(),
        "participations were not read back": (stored - read).total(),
        "participations were read back that are not in the store": (read - stored).total(),
        "people were read with a wrong name or role": sum(
            _read_name_and_role(member) != _stored_name_and_role(sandbox, member.user_id)
            for team in teams
            for member in team.members
        ),
    }
    return [f"{count:,} {what}" for what, count in counts.items() if count]


def _read_name_and_role(member: Participation) -> tuple[str, str]:
    return member.user.full_name, member.user.account_membership.default_role.name


def _stored_name_and_role(sandbox: Sandbox, user: str) -> tuple[str, str]:
    """A person's name and role as the store has them, found without any of the SDK's links."""
    store = sandbox.store
    (membership,) = store.referring("account_memberships", "user_id", user)
    role = store.records("account_memberships")[membership]["default_role_id"]
    return store.records("users")[user]["full_name"], store.records("roles")[role]["name"]
