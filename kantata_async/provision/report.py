"""What became of a plan: each of its entries, how far an apply is, and how that reads."""

from __future__ import annotations

import json
from asyncio import Future
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import attrs

from ..bulk import attached
from ..plurals import counted
from ..printable import printable
from .comparing import Entry
from .sheets import Problem
from .showing import MARKS
from .tally import Tally

EntryStatus = Literal[
    "added", "invited", "changed", "removed", "kept", "waiting", "unfinished", "refused", "unknown", "not_sent"
]

DONE_AS: Final[Mapping[str, EntryStatus]] = {
    "add": "added",
    "invite": "invited",
    "change": "changed",
    "remove": "removed",
    "keep": "kept",
    "wait": "waiting",
}
"""The status of an entry that was done, by what was planned."""


@attrs.frozen
class Applied:
    """What became of one entry.

    Attributes:
        entry: the entry.
        status: ``added``, ``invited``, ``changed``, ``removed`` or ``kept``; ``waiting``: they were invited before, and
            have not joined yet; ``unfinished``: it was interrupted when part of it was done; ``refused``: the API does
            not allow it; ``unknown``: it was sent, and could not be looked at afterwards; ``not_sent``: it was not
            carried out.
        reason: why it was not done, or a remark where it was.
    """

    entry: Entry
    status: EntryStatus
    reason: str | None = None

    @property
    def done(self) -> bool:
        """Whether all that can be done of it is done."""
        return self.status in DONE_AS.values()


Progress = Callable[[Applied], None]
"""Called with each entry as soon as it is done, and at the end with each that could not be done."""


Watch = Callable[[Tally], None]
"""Called after each write with how far an apply is."""


@attrs.frozen
class Report:
    """What became of a plan: each of its entries, and the lines that could not be done.

    Attributes:
        applied: what became of each entry.
        problems: the lines that could not be done.
        tally: what was written.
    """

    applied: tuple[Applied, ...]
    problems: tuple[Problem, ...] = ()
    tally: Tally = attrs.field(factory=Tally)

    @property
    def ok(self) -> bool:
        """Whether every line is as it should be, as far as an apply can do that."""
        return not self.problems and all(one.done for one in self.applied)

    def of(self, status: EntryStatus) -> list[Applied]:
        """The entries of one status."""
        return [one for one in self.applied if one.status == status]

    def __str__(self) -> str:
        return show_report(self)

    def to_json(self) -> str:
        """The report as JSON: what became of each entry, with the numbers of its lines."""
        data: dict[str, Any] = {
            "ok": self.ok,
            "applied": [
                {
                    "lines": list(one.entry.lines),
                    "project": one.entry.project,
                    "subject": one.entry.subject,
                    "name": one.entry.name,
                    "status": one.status,
                    "reason": one.reason,
                }
                for one in self.applied
            ],
            "problems": [attrs.asdict(problem) for problem in self.problems],
        }
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def report_of(error: BaseException | Future[Any] | None) -> Report | None:
    """What an apply had done when an exception interrupted it; None when it interrupted none.

    A cancellation or a timeout passes through `Plan.apply` as it is; the report travels with it. A task that was
    cancelled is asked like an exception.
    """
    return attached(error, Report)


def show_report(report: Report) -> str:
    """What became of a plan: the entries that were not done, or about which there is more to say, and the numbers."""
    worth_saying = [one for one in report.applied if one.reason is not None or not one.done]
    counts = Counter(one.status.replace("_", " ") for one in report.applied)
    numbers = [f"{count:,} {status}" for status, count in counts.items()]
    if report.problems:
        numbers.append(f"{counted(len(report.problems), 'line')} cannot be done")
    return "\n".join([*map(show_applied, worth_saying), ", ".join(numbers) or "nothing to do"])


def show_applied(one: Applied) -> str:
    """What became of one entry, in a line."""
    entry = one.entry
    word = "line" if len(entry.lines) == 1 else "lines"
    lines = f" ({word} {', '.join(map(str, entry.lines))})" if entry.lines else ""
    where = "" if entry.project is None else f" on project {entry.project}"
    reason = f": {one.reason}" if one.reason else ""
    mark = MARKS[entry.action] if one.done else "!"
    status = one.status.replace("_", " ")
    return printable(f"{mark} {entry.name}{where}{lines} {status}{reason}")
