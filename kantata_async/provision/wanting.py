"""From the lines of a roster, and what they name, to who should be on which project: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from .cells import Name
from .roster import Line, Problem


@attrs.frozen
class Project:
    """A project of the roster; `subunits` make one unit of its currency."""

    id: str
    title: str
    subunits: int = 100


@attrs.frozen
class Person:
    """A person of the roster."""

    id: str
    name: str


@attrs.frozen
class Missing:
    """Why something that a line names cannot be had."""

    reason: str


@attrs.frozen
class Directory:
    """What the lines of a roster name, as far as it was found."""

    projects: Mapping[Name, Project | Missing]
    people: Mapping[Name, Person | Missing]
    roles: Mapping[str, str | Missing] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Terms:
    """On which terms somebody should be on a project; None leaves what there is.

    The rates are in subunits of the project's currency, an hour; the project role is an id.
    """

    role: str | None = None
    access_level: str | None = None
    permissions: tuple[str, ...] | None = None
    team_lead: bool | None = None
    bill_rate: int | None = None
    cost_rate: int | None = None
    project_role: str | None = None


@attrs.frozen(kw_only=True)
class Wanted:
    """Somebody who should be on a project, and the numbers of the lines that say so."""

    project: str
    person: str
    name: str
    lines: tuple[int, ...]
    terms: Terms


def want(lines: Iterable[Line], directory: Directory) -> tuple[list[Wanted], list[Problem]]:
    """Who should be on which project, in the order of the roster, and the lines that cannot be done.

    Equal lines count once. Lines that put the same person on the same project with different values contradict each
    other, and none of them is done.
    """
    groups: dict[tuple[str, str], list[Wanted]] = defaultdict(list)
    problems: list[Problem] = []
    for line in lines:
        found = _resolve(line, directory)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            groups[found.project, found.person].append(found)
    wanted = []
    for group in groups.values():
        numbers = tuple(number for one in group for number in one.lines)
        if all(one.terms == group[0].terms for one in group):
            wanted.append(attrs.evolve(group[0], lines=numbers))
        else:
            problems += _contradictions(group)
    return wanted, problems


def _contradictions(group: list[Wanted]) -> Iterable[Problem]:
    numbers = [number for one in group for number in one.lines]
    for one in group:
        for number in one.lines:
            others = ", ".join(str(other) for other in numbers if other != number)
            reason = f"{one.name} is listed for the same project with different values in line {others}"
            yield Problem(number, reason, one.project)


def _resolve(line: Line, directory: Directory) -> Wanted | Problem:
    project, person = directory.projects[line.project], directory.people[line.person]
    role: str | Missing | None = None if line.project_role is None else directory.roles[line.project_role]
    missing = [found.reason for found in (project, person, role) if isinstance(found, Missing)]
    known = project.id if isinstance(project, Project) else None
    if isinstance(project, Missing) or isinstance(person, Missing) or isinstance(role, Missing):
        return Problem(line.number, "; ".join(missing), known)
    try:
        rates: dict[str, Any] = {
            "bill_rate": in_subunits(line.bill_rate, project.subunits),
            "cost_rate": in_subunits(line.cost_rate, project.subunits),
        }
    except ValueError as error:
        return Problem(line.number, str(error), known)
    terms = Terms(
        role=line.role,
        access_level=line.access_level,
        permissions=None if line.permissions is None else tuple(sorted(line.permissions)),
        team_lead=line.team_lead,
        project_role=role,
        **rates,
    )
    return Wanted(project=project.id, person=person.id, name=person.name, lines=(line.number,), terms=terms)


def in_subunits(rate: Decimal | None, subunits: int) -> int | None:
    """A rate in subunits of a currency. Raises ValueError when it has more decimals than the currency."""
    if rate is None:
        return None
    amount = rate * subunits
    if amount != amount.to_integral_value():
        raise ValueError(f"the rate {rate} has more decimals than the currency of the project")
    return int(amount)
