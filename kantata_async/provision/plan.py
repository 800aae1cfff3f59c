"""The plan: made by reading the teams, shown, saved, and applied until the teams are as the roster says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs

from ..errors import KantataError, UsageError
from . import plan_file
from .applying import carry_out
from .comparing import Action, Entry, Rules, compare, drift
from .plan_file import PlanFile
from .report import Progress, Report
from .resolving import look_up, read_projects
from .roster import Problem, Roster
from .showing import show_plan
from .teams import read_teams
from .wanting import Directory, Missing, Project, Wanted, want

if TYPE_CHECKING:
    from ..session import KantataSession

_REASONS_TOLD = 5


class PlanOutdatedError(KantataError):
    """The teams or the projects changed since the plan was made; `reasons` say how. Nothing was written."""

    def __init__(self, reasons: Sequence[str], way_out: str = "") -> None:
        self.reasons = tuple(reasons)
        more = len(reasons) - _REASONS_TOLD
        told = "; ".join(reasons[:_REASONS_TOLD]) + (f"; and {more} more" if more > 0 else "")
        super().__init__(f"the plan is out of date: {told}. Plan anew{way_out}")


@attrs.frozen(kw_only=True)
class Plan:
    """What a roster would change; nothing has been written yet.

    ``print(plan)`` shows it: + to add, ~ to change, - to remove (only when asked), = as it should be, ! not possible.

    Attributes:
        entries: what to do about each person on each project.
        problems: the lines of the roster that cannot be done, and why.
        projects: the projects of the roster, by id.
        wanted: who should be on which project, on which terms.
        rules: what becomes of people who are not in the roster.
        roles: the names of project roles, by id.
    """

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    projects: Mapping[str, Project]
    wanted: tuple[Wanted, ...]
    rules: Rules
    roles: Mapping[str, str]
    _kantata: KantataSession | None = attrs.field(default=None, alias="kantata", eq=False, repr=False)

    def __str__(self) -> str:
        return show_plan(self.entries, self.problems, self.projects, self.roles)

    @property
    def ok(self) -> bool:
        """Whether every line of the roster can be done."""
        return not self.problems and not self.of("blocked")

    @property
    def to_do(self) -> int:
        """How many people are to be added, changed or removed."""
        counts = Counter(entry.action for entry in self.entries)
        return counts["add"] + counts["change"] + counts["remove"]

    def of(self, action: Action) -> list[Entry]:
        """The entries of one action."""
        return [entry for entry in self.entries if entry.action == action]

    def to_json(self) -> str:
        """The plan as JSON; `from_json` reads it."""
        return plan_file.write(
            PlanFile(
                projects=tuple(self.projects.values()),
                roles=dict(self.roles),
                wanted=self.wanted,
                rules=self.rules,
                entries=self.entries,
                problems=self.problems,
            )
        )

    @classmethod
    def from_json(cls, text: str, *, source: str = "plan") -> Self:
        """A plan from its JSON. Raises UsageError with the place where it is not one."""
        read = plan_file.read(text, source)
        return cls(
            entries=read.entries,
            problems=read.problems,
            projects={project.id: project for project in read.projects},
            wanted=read.wanted,
            rules=read.rules,
            roles=read.roles,
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write the plan to a file. Raises UsageError when it cannot be written."""
        try:
            Path(path).write_text(self.to_json(), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}") from error

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a plan from a file. Raises UsageError, with the file and the place, for what is no plan."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not UTF-8") from error
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}") from error
        return cls.from_json(text, source=str(path))

    async def apply(
        self, kantata: KantataSession | None = None, *, replan: bool = False, progress: Progress | None = None
    ) -> Report:
        """Do what the plan says; may be called again and again, by any process, with the same end.

        The teams are read again first, so that what is done already is not done twice: a request for 200 people of a
        project, and one for 200 projects. Then people are added, 100 a request after a look whether they are there;
        what a create cannot set (team lead, rates, project role) and changes take an update each, removals a delete
        each. What got lost on the way is looked at and done again. Updates set single values to what the roster says,
        so an apply that was interrupted anywhere leaves only the rest to the next.

        Args:
            kantata: the session; without it the one that the plan was made with.
            replan: do what the roster needs now, though the teams changed since the plan was made.
            progress: called with each entry that is done, and in the end with each that could not be.

        Raises:
            UsageError: the plan was loaded from a file, and no session is given.
            PlanOutdatedError: the teams changed since, other than by this plan, and `replan` was not given. Or, even
                with it: a project is archived, gone, or called otherwise, as an id is on another account.
            KantataError: the API cannot be reached, or refuses everything.
        """
        session = kantata or self._kantata
        if session is None:
            raise UsageError("a plan from a file needs a session: await plan.apply(kantata)")
        if reasons := await self._changed_projects(session):
            raise PlanOutdatedError(reasons)
        fresh = compare(self.wanted, await read_teams(session, self._projects_wanted()), self.rules)
        if not replan and (reasons := drift(self.entries, fresh)):
            raise PlanOutdatedError(reasons, ", or apply with replan=True")
        applied = await carry_out(session, self.wanted, self.rules, fresh, progress or _untold)
        return Report(tuple(applied), self.problems)

    def _projects_wanted(self) -> list[str]:
        return list(dict.fromkeys(one.project for one in self.wanted))

    async def _changed_projects(self, kantata: KantataSession) -> list[str]:
        """What happened to the projects: an id means another project on another account."""
        ids = self._projects_wanted()
        now = await read_projects(kantata, ids)
        return [reason for id in ids if (reason := _changed_project(self.projects[id], now[id])) is not None]


def _changed_project(planned: Project, now: Project | Missing) -> str | None:
    if isinstance(now, Missing):
        return now.reason
    if now.title != planned.title:
        return f"project {planned.id} is called {now.title!r} now, not {planned.title!r}"
    return None


def _untold(_: object) -> None:
    """The progress of an apply that nobody watches."""


async def plan(kantata: KantataSession, roster: Roster, *, remove_others: bool = False) -> Plan:
    """Read the teams of a roster's projects and plan what makes them as it says; writes nothing.

    Args:
        kantata: the session.
        roster: who should be on which project.
        remove_others: also remove whoever is on one of these projects and not in the roster. The token's own user is
            never removed, and nobody is from a project of which a line cannot be done. A removal deletes what the
            person has on the project and cannot be undone.

    The requests, beyond those that find what the lines name (see `resolving`): one for 200 people of each project, and
    one more with `remove_others`. Raises KantataError when the API cannot be asked; what is wrong with single lines is
    told by the plan.
    """
    directory = await look_up(kantata, roster.lines)
    wanted, problems = want(roster.lines, directory)
    problems = sorted([*roster.problems, *problems])
    teams = await read_teams(kantata, dict.fromkeys(one.project for one in wanted))
    rules = await _rules(kantata, problems, teams) if remove_others else Rules()
    return Plan(
        entries=tuple(compare(wanted, teams, rules)),
        problems=tuple(problems),
        projects=_projects(directory),
        wanted=tuple(wanted),
        rules=rules,
        roles={id: name for name, id in directory.roles.items() if isinstance(id, str)},
        kantata=kantata,
    )


async def _rules(kantata: KantataSession, problems: Sequence[Problem], projects: Mapping[str, object]) -> Rules:
    me = await kantata.users.me()
    return Rules(remove_others=True, caller=me.id, held=held_projects(problems, projects))


def held_projects(problems: Sequence[Problem], projects: Mapping[str, object]) -> dict[str, str]:
    """The projects from which nobody is removed: those of lines that cannot be done.

    A line that does not say of which project it is holds them all.
    """
    held: dict[str, str] = {}
    for problem in problems:
        for project in projects if problem.project is None else [problem.project]:
            held.setdefault(project, f"line {problem.line} cannot be done")
    return held


def _projects(directory: Directory) -> dict[str, Project]:
    return {project.id: project for project in directory.projects.values() if isinstance(project, Project)}
