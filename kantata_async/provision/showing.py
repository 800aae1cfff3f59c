"""Plans and reports as text, for people: pure.

Names come from the sheet and from the API; what a terminal would take for a command is removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from ..plurals import counted
from ..printable import printable
from .comparing import Action, Change, Entry
from .sheets import Problem
from .wanting import Project, Value

MARKS: Final[Mapping[Action, str]] = {
    "add": "+",
    "invite": "@",
    "change": "~",
    "remove": "-",
    "keep": "=",
    "wait": "…",
    "blocked": "!",
}

_TO_DO: Final[Mapping[Action, str]] = {
    "add": "to add",
    "invite": "to invite",
    "change": "to change",
    "remove": "to remove",
    "keep": "as it should be",
    "wait": "invited and not there yet",
    "blocked": "not possible",
}
_TITLES: Final = {"people": "People", "groups": "Groups"}
_NAME_WIDTH: Final = 36


@attrs.frozen(kw_only=True)
class Vocabulary:
    """What the values of a plan are called.

    Attributes:
        kind: what the plan is about.
        rates: the columns that are amounts.
        projects: the projects by their ids.
        labels: what ids are called, by column.
    """

    kind: str = "roster"
    rates: frozenset[str] = frozenset()
    projects: Mapping[str, Project] = attrs.field(factory=dict)
    labels: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)


def show_plan(
    entries: Sequence[Entry], problems: Sequence[Problem], notes: Sequence[str], vocabulary: Vocabulary
) -> str:
    """A plan as a table for each project, the lines that cannot be done, and the numbers of each."""
    width = min(_NAME_WIDTH, max((len(printable(entry.name)) for entry in entries), default=0))
    places: dict[str | None, list[Entry]] = {}
    for entry in entries:
        places.setdefault(entry.project, []).append(entry)
    text = [printable(f"Note: {note}") for note in notes] + ([""] if notes else [])
    for project, own in places.items():
        text.append(_title(project, vocabulary))
        text += [f"  {_row(entry, vocabulary, width)}".rstrip() for entry in own]
        text.append("")
    text += [*show_problems(problems), summary(entries, problems)]
    return "\n".join(text)


def _title(project: str | None, vocabulary: Vocabulary) -> str:
    if project is None:
        return _TITLES[vocabulary.kind]
    return f"{printable(vocabulary.projects[project].title)} (project {project})"


def show_problems(problems: Sequence[Problem]) -> list[str]:
    """The lines that cannot be done, each with the reason, and an empty line after them."""
    if not problems:
        return []
    return ["Lines that cannot be done", *(f"  ! {printable(str(problem))}" for problem in problems), ""]


def summary(entries: Iterable[Entry], problems: Sequence[Problem]) -> str:
    """How much there is to do, in a line."""
    counts = Counter(entry.action for entry in entries)
    numbers = [f"{counts[action]:,} {what}" for action, what in _TO_DO.items() if counts[action] or action == "keep"]
    if problems:
        numbers.append(f"{counted(len(problems), 'line')} cannot be done")
    return ", ".join(numbers)


def _row(entry: Entry, vocabulary: Vocabulary, width: int) -> str:
    changes = ", ".join(_show_change(entry, change, vocabulary) for change in entry.changes)
    note = f"({printable(entry.note)})" if entry.note else ""
    address = printable(entry.subject) if entry.action in {"invite", "wait"} else ""
    parts = " ".join(part for part in (address, changes, note) if part)
    return f"{MARKS[entry.action]} {printable(entry.name):<{width}}  {parts}"


def _show_change(entry: Entry, change: Change, vocabulary: Vocabulary) -> str:
    values = (change.before, change.after)
    before, after = (show_value(change.field, value, vocabulary, entry.project) for value in values)
    if entry.action in {"add", "invite"}:
        return f"{change.field} {after}"
    return f"{change.field} {before} -> {after}"


def show_value(field: str, value: Value, vocabulary: Vocabulary | None = None, project: str | None = None) -> str:
    """A value as the sheet would write it; without a vocabulary, a rate in subunits of its currency."""
    known = vocabulary or Vocabulary()
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case int() if field in known.rates:
            found = known.projects.get(project or "")
            subunits = (found.subunits if found is not None else None) or 100
            return f"{value / subunits:,.{len(str(subunits)) - 1}f}"
        case str() if field in known.labels:
            return printable(_labelled(value, known.labels[field]))
        case _:
            return printable(str(value))


def _labelled(value: str, labels: Mapping[str, str]) -> str:
    """A text with its ids replaced by their names; one that holds anything else is left as it is."""
    without = "without " if value.startswith("without ") else ""
    ids = value.removeprefix(without).split(" ")
    return without + "; ".join(labels[id] for id in ids) if set(ids) <= labels.keys() else value
