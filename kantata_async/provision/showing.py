"""Plans and reports as text, for people: pure.

Names come from the roster and from the API; what a terminal would take for a command is taken out of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from .comparing import Action, Change, Entry, Value
from .roster import Problem
from .wanting import Project

MARKS: Final = {"add": "+", "change": "~", "remove": "-", "keep": "=", "blocked": "!"}

_TO_DO: Final[Mapping[Action, str]] = {
    "add": "to add",
    "change": "to change",
    "remove": "to remove",
    "keep": "as it should be",
    "blocked": "not possible",
}
_RATES: Final = frozenset({"bill_rate", "cost_rate"})
_NAME_WIDTH: Final = 36


def printable(text: str) -> str:
    """Text without anything that a terminal would take for a command, in one line."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def counted(count: int, one: str) -> str:
    """A number with its noun."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def show_plan(
    entries: Sequence[Entry],
    problems: Sequence[Problem],
    projects: Mapping[str, Project],
    roles: Mapping[str, str],
) -> str:
    """A plan as a table for each project, the lines that cannot be done, and the numbers of each."""
    width = min(_NAME_WIDTH, max((len(printable(entry.name)) for entry in entries), default=0))
    text: list[str] = []
    for id, project in projects.items():
        own = [entry for entry in entries if entry.project == id]
        if own:
            text.append(f"{printable(project.title)} (project {id})")
            text += [f"  {_row(entry, project, roles, width)}".rstrip() for entry in own]
            text.append("")
    text += [*show_problems(problems), summary(entries, problems)]
    return "\n".join(text)


def show_problems(problems: Sequence[Problem]) -> list[str]:
    """The lines that cannot be done, each with the reason, and an empty line after them."""
    if not problems:
        return []
    return ["Lines that cannot be done", *(f"  ! {printable(str(problem))}" for problem in problems), ""]


def summary(entries: Iterable[Entry], problems: Sequence[Problem]) -> str:
    """How much there is to do, in a line."""
    counts = Counter(entry.action for entry in entries)
    told = [f"{counts[action]:,} {what}" for action, what in _TO_DO.items() if counts[action] or action == "keep"]
    if problems:
        told.append(f"{counted(len(problems), 'line')} cannot be done")
    return ", ".join(told)


def _row(entry: Entry, project: Project, roles: Mapping[str, str], width: int) -> str:
    told = ", ".join(_show_change(entry, change, project, roles) for change in entry.changes)
    note = f"({printable(entry.note)})" if entry.note else ""
    return f"{MARKS[entry.action]} {printable(entry.name):<{width}}  {' '.join(part for part in (told, note) if part)}"


def _show_change(entry: Entry, change: Change, project: Project, roles: Mapping[str, str]) -> str:
    before, after = (show_value(change.field, value, project, roles) for value in (change.before, change.after))
    if entry.action == "add":
        return f"{change.field} {after}"
    return f"{change.field} {before} -> {after}"


def show_value(field: str, value: Value, project: Project | None = None, roles: Mapping[str, str] | None = None) -> str:
    """A value as the roster would write it; without the project, a rate in subunits of its currency."""
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case int() if field in _RATES and project is not None:
            return f"{value / project.subunits:,.{len(str(project.subunits)) - 1}f}"
        case str() if field == "project_role":
            return printable((roles or {}).get(value, value))
        case _:
            return printable(str(value))
