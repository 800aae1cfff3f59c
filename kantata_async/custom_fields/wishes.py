"""What was asked for, checked against the fields that there are. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from ..calls import EMPTY
from ..errors import UsageError
from .definitions import DefinedFields, FieldDefinition
from .subjects import FieldSubject
from .values import wire_value

_MOST_SHOWN: Final = 100
"""Mistakes that one message lists."""


@attrs.frozen
class FieldWish:
    """A value that a field of an object is to have; `wired` is how it goes on the wire, None to clear the field."""

    subject: FieldSubject
    field: FieldDefinition
    value: Any
    wired: Any


def check_wishes(
    asked: Iterable[tuple[FieldSubject, Mapping[str, Any]]], fields: Mapping[str, DefinedFields]
) -> list[FieldWish]:
    """The wishes for objects and their named values; an empty cell of a data frame is none.

    Raises:
        UsageError: a name, a kind or a choice is wrong; the message lists every mistake, and for which objects.
    """
    wishes: list[FieldWish] = []
    mistakes: dict[str, list[FieldSubject]] = defaultdict(list)
    for subject, values in asked:
        for name, value in values.items():
            try:
                field = fields[subject.type].named(name)
                wired = wire_value(field, value)
            except UsageError as error:
                mistakes[str(error)].append(subject)
                continue
            if wired is not EMPTY:
                wishes.append(FieldWish(subject, field, value, wired))
    if mistakes:
        raise UsageError(_complaint(mistakes))
    return wishes


def _complaint(mistakes: Mapping[str, list[FieldSubject]]) -> str:
    lines = [f"{mistake} ({_whom(subjects)})" for mistake, subjects in mistakes.items()]
    if len(lines) == 1:
        return f"nothing was sent: {lines[0]}"
    shown = [f"\n  {line}" for line in lines[:_MOST_SHOWN]]
    more = f"\n  and {len(lines) - _MOST_SHOWN:,} more" if len(lines) > _MOST_SHOWN else ""
    return f"nothing was sent, as there are {len(lines):,} mistakes:{''.join(shown)}{more}"


def _whom(subjects: list[FieldSubject]) -> str:
    first, *others = subjects
    return f"{first} and {len(others):,} more" if others else str(first)
