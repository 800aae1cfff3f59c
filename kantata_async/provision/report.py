"""What became of a plan: each of its entries, and how that reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Literal

import attrs

from .comparing import Entry
from .roster import Problem
from .showing import MARKS, counted, printable

Status = Literal["added", "changed", "removed", "kept", "refused", "unknown", "not_sent"]

DONE_AS: Final[Mapping[str, Status]] = {"add": "added", "change": "changed", "remove": "removed", "keep": "kept"}
"""The status of an entry that was done, by what was planned."""


@attrs.frozen
class Applied:
    """What became of one entry.

    Attributes:
        entry: the entry.
        status: ``added``, ``changed``, ``removed`` or ``kept``; ``refused``: the API does not allow
            it; ``unknown``: it was sent, and could not be looked at afterwards; ``not_sent``: it was not carried out.
        reason: why it was not done, or what is to be said although it was.
    """

    entry: Entry
    status: Status
    reason: str | None = None

    @property
    def done(self) -> bool:
        """Whether it is as the roster says now."""
        return self.status in DONE_AS.values()


Progress = Callable[[Applied], None]
"""Told of each entry as soon as it is done, and of each that could not be done at the end."""


@attrs.frozen
class Report:
    """What became of a plan: each of its entries, and the lines that were none of them."""

    applied: tuple[Applied, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every line of the roster is as it should be."""
        return not self.problems and all(one.done for one in self.applied)

    def of(self, status: Status) -> list[Applied]:
        """The entries of one status."""
        return [one for one in self.applied if one.status == status]

    def __str__(self) -> str:
        return show_report(self)


def show_report(report: Report) -> str:
    """What became of a plan: the entries that were not done, or of which there is more to say, and the numbers."""
    told = [one for one in report.applied if one.reason is not None or not one.done]
    counts = Counter(one.status.replace("_", " ") for one in report.applied)
    numbers = [f"{count:,} {status}" for status, count in counts.items()]
    if report.problems:
        numbers.append(f"{counted(len(report.problems), 'line')} cannot be done")
    return "\n".join([*map(show_applied, told), ", ".join(numbers) or "nothing to do"])


def show_applied(one: Applied) -> str:
    """What became of one entry, in a line."""
    entry = one.entry
    word = "line" if len(entry.lines) == 1 else "lines"
    lines = f" ({word} {', '.join(map(str, entry.lines))})" if entry.lines else ""
    reason = f": {one.reason}" if one.reason else ""
    mark = MARKS[entry.action] if one.done else "!"
    status = one.status.replace("_", " ")
    return printable(f"{mark} {entry.name} on project {entry.project}{lines} {status}{reason}")
