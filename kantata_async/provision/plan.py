"""The plan: made by reading what is there, shown, saved, and applied until all is as the sheet says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Self

import attrs

from ..bulk import attach
from ..callables import check_function
from ..errors import KantataError, UsageError
from ..session import KantataSession
from . import plan_file
from .account import Account, is_same, read_account
from .applying import Task, carry_out
from .comparing import Action, Entry, Labels, Rules, compare, drift
from .finding import Missing, read_projects
from .local_files import read_file, write_private
from .plan_file import PlanFile
from .report import Applied, Progress, Report, Watch, report_of
from .sheets import AnySheet, Problem, Roster, Sheet
from .showing import Vocabulary, show_plan
from .subjects import SUBJECTS, Subject
from .wanting import Project, Wanted

_REASONS_TOLD = 5


class PlanOutdatedError(KantataError):
    """What is there, or the projects, changed since the plan was made; `reasons` say how. Nothing was written."""

    def __init__(self, reasons: Sequence[str], way_out: str = "") -> None:
        self.reasons = tuple(reasons)
        more = len(reasons) - _REASONS_TOLD
        first_reasons = "; ".join(reasons[:_REASONS_TOLD]) + (f"; and {more} more" if more > 0 else "")
        super().__init__(f"the plan is out of date: {first_reasons}. Make a new plan{way_out}")


@attrs.frozen(kw_only=True)
class Plan:
    """What a roster, people or groups would change; nothing is written before `apply`.

    ``print(plan)`` shows it: + to add, @ to invite, ~ to change, - to remove (only when asked), = as it should be,
    … invited and not there yet, ! not possible.

    Attributes:
        kind: what it is about: "roster", "people" or "groups".
        account: the account that it was made for.
        entries: what to do about each person on each project, each person, or each group.
        problems: the lines that cannot be done, and why.
        notes: remarks on how the file was read.
        projects: the projects of a roster, by id.
        wanted: who or what should be there, on which terms.
        rules: what becomes of people who are not in the roster.
        labels: what the ids among the values are called, by column.
    """

    kind: str = "roster"
    account: Account
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    projects: Mapping[str, Project]
    wanted: tuple[Wanted, ...]
    rules: Rules
    labels: Labels
    _kantata: KantataSession | None = attrs.field(default=None, alias="kantata", eq=False, repr=False)

    def __str__(self) -> str:
        return show_plan(self.entries, self.problems, self.notes, self._vocabulary)

    @property
    def ok(self) -> bool:
        """Whether every line can be done."""
        return not self.problems and not self.of("blocked")

    @property
    def to_do(self) -> int:
        """How many entries are to be added, invited, changed or removed."""
        counts = Counter(entry.action for entry in self.entries)
        return counts["add"] + counts["invite"] + counts["change"] + counts["remove"]

    def of(self, action: Action) -> list[Entry]:
        """The entries of one action."""
        return [entry for entry in self.entries if entry.action == action]

    @property
    def _subject(self) -> Subject:
        return SUBJECTS[self.kind]

    @property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(kind=self.kind, rates=self._subject.rates, projects=self.projects, labels=self.labels)

    @property
    def _custom_fields(self) -> tuple[str, ...]:
        """The columns that are none of the sheet's own."""
        named = {field for one in self.wanted for field in one.terms.values}
        return tuple(sorted(named - {*self._subject.shape.settable, *self._subject.shape.fixed}))

    def to_json(self) -> str:
        """The plan as JSON; `from_json` reads it."""
        return plan_file.write(
            PlanFile(
                kind=self.kind,
                account=self.account,
                projects=tuple(self.projects.values()),
                labels={field: dict(labels) for field, labels in self.labels.items()},
                wanted=self.wanted,
                rules=self.rules,
                entries=self.entries,
                problems=self.problems,
                notes=self.notes,
                custom_fields=self._custom_fields,
            )
        )

    @classmethod
    def from_json(cls, text: str, *, source: str = "plan") -> Self:
        """A plan from its JSON.

        Raises:
            UsageError: the text is no plan; the message names the place.
        """
        read = plan_file.read(text, source)
        return cls(
            kind=read.kind,
            account=read.account,
            entries=read.entries,
            problems=read.problems,
            notes=read.notes,
            projects={project.id: project for project in read.projects},
            wanted=read.wanted,
            rules=read.rules,
            labels=read.labels,
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write the plan to a file, for its owner alone: it holds names and rates.

        Raises:
            UsageError: it cannot be written.
        """
        write_private(path, self.to_json())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """A plan from a file.

        Raises:
            UsageError: the file is no plan; the message names the file and the place.
        """
        try:
            text = read_file(path).decode()
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not UTF-8") from error
        return cls.from_json(text, source=str(path))

    async def apply(
        self,
        kantata: KantataSession | None = None,
        *,
        replan: bool = False,
        progress: Progress | None = None,
        watch: Watch | None = None,
    ) -> Report:
        """What became of each entry. An apply can be repeated any number of times, with the same end.

        What is there is read again first, so that what is done already is not done twice: a request for 200 people of
        a project, and one for 200 projects. Then what is not there is added: people to projects 100 a request after a
        look whether they are there, invitations 50 a request, groups one by one. What a create cannot set (team lead,
        rates, project role) and changes take an update each, removals a delete each. What got lost on the way is
        looked for and done again. Updates set single values to what the sheet says, so an apply that was interrupted
        anywhere leaves only what is still to do to the next.

        Args:
            kantata: the session; without it the one that the plan was made with.
            replan: do what the sheet needs now, though what is there changed since the plan was made.
            progress: called with each entry that is done, and in the end with each that could not be.
            watch: called after each write with how far the apply is.

        Raises:
            UsageError: the plan was loaded from a file, and no session is given; or it was made for another account;
                or a function cannot be called as it is going to be.
            PlanOutdatedError: what is there changed since, other than by this plan, and `replan` was not given. Or,
                even with it: a project was archived, deleted or renamed.
            KantataError: the API cannot be reached, or refuses everything.

        Every exception, a cancellation too, carries the report of what was done until then: `report_of` gives it.
        """
        try:
            return await self._apply(kantata or self._kantata, replan, progress or _unwatched, watch or _unwatched)
        except BaseException as error:
            if report_of(error) is None:
                attach(error, self._nothing_done())
            raise

    async def _apply(self, kantata: KantataSession | None, replan: bool, progress: Progress, watch: Watch) -> Report:
        if kantata is None:
            raise UsageError("a plan from a file needs a session: await plan.apply(kantata)")
        check_function("apply", "progress", progress, "an entry")
        check_function("apply", "watch", watch, "a tally")
        await self._check_account(kantata)
        if reasons := await self._changed_projects(kantata):
            raise PlanOutdatedError(reasons)
        state = await self._subject.read(kantata, self.wanted)
        fresh = compare(self.wanted, state, self._subject.shape, self.rules)
        if not replan and (reasons := drift(self.entries, fresh)):
            raise PlanOutdatedError(reasons, ", or apply with replan=True")
        task = Task(subject=self._subject, wanted=self.wanted, rules=self.rules, state=state, problems=self.problems)
        return await carry_out(kantata, task, progress, watch)

    def _nothing_done(self) -> Report:
        applied = (Applied(entry, "not_sent", "nothing was written") for entry in self.entries)
        return Report(tuple(applied), self.problems)

    async def _check_account(self, kantata: KantataSession) -> None:
        now = await read_account(kantata)
        if not await is_same(kantata, self.account, now):
            raise UsageError(f"the plan was made for {self.account}, and this is {now}")

    async def _changed_projects(self, kantata: KantataSession) -> list[str]:
        """What happened to the projects of a roster since: an id with another title may not be what was meant."""
        ids = list(dict.fromkeys(one.project for one in self.wanted if one.project is not None))
        now = await read_projects(kantata, ids)
        return [reason for id in ids if (reason := _changed_project(self.projects[id], now[id])) is not None]


def _changed_project(planned: Project, now: Project | Missing) -> str | None:
    if isinstance(now, Missing):
        return now.reason
    if now.title != planned.title:
        return f"project {planned.id} is called {now.title!r} now, not {planned.title!r}"
    return None


def _unwatched(_: object) -> None:
    """The progress of an apply whose caller watches nothing."""


async def plan(kantata: KantataSession, sheet: AnySheet, *, remove_others: bool = False, invite: bool = False) -> Plan:
    """The plan that makes everything as a sheet says; it is made by reading, and writes nothing.

    Args:
        kantata: the session.
        sheet: who should be on which project (`Roster`), how people of the account should be (`People`), or which
            groups there should be (`Groups`).
        remove_others: also remove whoever is on one of a roster's projects and not in it. The token's own user is
            never removed, and nobody is from a project of which a line cannot be done. A removal deletes what the
            person has on the project, and cannot be undone.
        invite: also invite people of a roster or of `People` who are not in the account, which sends them an e-mail
            and may cost a seat. Their lines need a full_name. A later plan puts them on projects, once they
            have joined.

    The requests, beyond those that find what the lines name (see `finding`): one for the token's user, and one for
    each 200 people of each project; of people one for each 100 memberships and each 200 users; of groups one for each
    200.

    Raises:
        UsageError: `remove_others` with anything but a roster, `invite` with groups, or no session or sheet at all.
        KantataError: the API cannot be asked. What is wrong with single lines is among the plan's `problems`.
    """
    if not isinstance(kantata, KantataSession):
        raise UsageError(f"a plan is made through a KantataSession, not {type(kantata).__name__}")
    if not isinstance(sheet, Sheet):
        raise UsageError(
            f"a plan is made from a Roster, People or Groups, not {type(sheet).__name__}: Roster.read(path)"
        )
    if remove_others and not isinstance(sheet, Roster):
        raise UsageError(f"remove_others is for rosters: nobody is removed by {sheet.kind}")
    if invite and sheet.kind == "groups":
        raise UsageError("invite is for rosters and people: groups invite nobody")
    subject = SUBJECTS[sheet.kind]
    account = await read_account(kantata)
    wish = await subject.want(kantata, sheet.lines, invite=invite)
    problems = sorted([*sheet.problems, *wish.problems], key=lambda problem: problem.line)
    state = await subject.read(kantata, wish.wanted)
    held = held_projects(problems, state.places)
    rules = Rules(remove_others=True, caller=account.user, held=held) if remove_others else Rules()
    return Plan(
        kind=sheet.kind,
        account=account,
        entries=tuple(compare(wish.wanted, state, subject.shape, rules)),
        problems=tuple(problems),
        notes=sheet.notes,
        projects=wish.projects,
        wanted=tuple(wish.wanted),
        rules=rules,
        labels={column: {**state.labels.get(column, {}), **names} for column, names in wish.labels.items()},
        kantata=kantata,
    )


def held_projects(problems: Sequence[Problem], projects: Mapping[str | None, object]) -> dict[str, str]:
    """The projects from which nobody is removed: those of lines that cannot be done.

    A line that names no project holds them all.
    """
    held: dict[str, str] = {}
    for problem in problems:
        for project in projects if problem.project is None else [problem.project]:
            held.setdefault(project or "", f"line {problem.line} cannot be done")
    return held
