"""What a plan is meant to bring about: who or what should be there, on which terms. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, Literal

import attrs

from .sheets import Problem

Value = str | int | bool | None

IfAbsent = Literal["add", "invite", "block"]

_MOST_NAMED: Final = 4


@attrs.frozen
class Project:
    """A project of the roster; so many `subunits` make a unit of its currency; None where that is not shown."""

    id: str
    title: str
    subunits: int | None = 100


@attrs.frozen(kw_only=True)
class Terms:
    """On which terms something should be there; what is not among them is left as it is.

    Attributes:
        values: single values by their columns; rates in subunits of a currency, objects by their ids; None for one
            that should not be there.
        includes: of columns that hold several, those that should be among them.
        excludes: those that should not be.
    """

    values: Mapping[str, Value] = attrs.field(factory=dict)
    includes: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    excludes: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Wanted:
    """Somebody or something that should be there, and the numbers of the lines that say so.

    Attributes:
        project: the id of the project, of a roster.
        subject: the id of the person or group; of one that has none yet, what it is known by.
        name: what it is called.
        lines: the numbers of the lines.
        terms: on which terms.
        if_absent: what is done about it when it is not there.
        note: a remark that is shown whatever is done.
    """

    project: str | None = None
    subject: str
    name: str
    lines: tuple[int, ...]
    terms: Terms
    if_absent: IfAbsent = "add"
    note: str | None = None


def gather(resolved: Iterable[Wanted | Problem]) -> tuple[list[Wanted], list[Problem]]:
    """What is wanted, in the order of the lines, and the lines that cannot be done.

    Equal lines count once. Lines that want the same with different values contradict each other, and none of them is
    done.
    """
    groups: dict[tuple[str | None, str], list[Wanted]] = defaultdict(list)
    problems: list[Problem] = []
    for one in resolved:
        if isinstance(one, Problem):
            problems.append(one)
        else:
            groups[one.project, one.subject].append(one)
    wanted = []
    for group in groups.values():
        if all(one.terms == group[0].terms for one in group):
            numbers = tuple(number for one in group for number in one.lines)
            wanted.append(attrs.evolve(group[0], lines=numbers))
        else:
            problems += _contradictions(group)
    return wanted, problems


def _contradictions(group: list[Wanted]) -> Iterator[Problem]:
    """A problem for each line. Each names few others, so that their length grows with the file, not with its square."""
    numbers = [number for one in group for number in one.lines]
    for one in group:
        for number in one.lines:
            others = [other for other in numbers[: _MOST_NAMED + 1] if other != number][:_MOST_NAMED]
            more = len(numbers) - 1 - len(others)
            named = ", ".join(map(str, others)) + (f" and {more:,} more" if more else "")
            where = "is listed" if one.project is None else "is listed for the same project"
            word = "line" if len(numbers) == 2 else "lines"
            yield Problem(number, f"{one.name} {where} with different values in {word} {named}", one.project)


def in_subunits(rate: Decimal, subunits: int, owner: str = "project") -> int:
    """A rate in subunits of its owner's currency.

    Raises:
        ValueError: the rate has more decimals than the currency.
    """
    amount = rate * subunits
    if amount != amount.to_integral_value():
        raise ValueError(f"the rate {rate} has more decimals than the currency of the {owner}")
    return int(amount)
