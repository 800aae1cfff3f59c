"""Entities as the columns of a table, each of one type, which pandas, polars and pyarrow take as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from difflib import get_close_matches
from itertools import chain, islice
from typing import Any, Final

from ..errors import UsageError
from .entity_class import Entity
from .json_values import brief_repr
from .nesting import plain_copy
from .storing import ABSENT, slot

_SEPARATOR: Final = "."
_INT_BITS: Final = 63


def columns(entities: Iterable[Entity], *paths: str) -> dict[str, list[Any]]:
    """The columns of a table with a row for each entity, by path: ``columns(team, "id", "user.full_name")``.

    A path names an attribute, or leads to one over associations. Without paths, there is a column for every attribute
    that any of the entities was sent with: ``pandas.DataFrame(columns(users))`` shows everything about them.

    The values of a column are of one type: str, bool, int, float, `date`, `datetime` in UTC, or lists of one of these
    (of ids, and of what an association with many leads to). None stands for null, for what was not sent, and where an
    association leads to nothing. An object is JSON text, and so is what comes in types that have nothing in common.

    Raises:
        UsageError: these are no entities, or a path leads to no attribute of theirs; the message offers the nearest
            name.
        NotLoadedError: a path goes over an association that was not included; the message says what to ask for.
    """
    rows = _entities(entities)
    steps = {path: _steps(path) for path in paths} or {name: [name] for name in _sent(rows)}
    return {path: _of_one_type(_values(rows, path, steps[path])) for path in steps}


def _entities(given: object) -> list[Entity]:
    rows: list[Any] = list(given) if isinstance(given, Iterable) else [given]
    for wrong in (row for row in rows if not isinstance(row, Entity)):
        expected = "those of an awaited list, of a page, or the `entities` of a result"
        raise UsageError(f"columns takes entities, such as {expected}, not {brief_repr(wrong)}")
    return rows


def _steps(path: object) -> list[str]:
    if not isinstance(path, str):
        raise UsageError(f"a column is named by a path such as 'user.full_name', not {brief_repr(path)}")
    return path.split(_SEPARATOR)


def _sent(rows: Iterable[Entity]) -> list[str]:
    """The names of the attributes that any of the rows was sent with: the known ones first."""
    known: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for row in rows:
        known |= dict.fromkeys(name for name in row.attributes if slot(row, name) is not ABSENT)
        unknown |= dict.fromkeys(row.extra)
    return [*known, *unknown]


def _values(rows: Sequence[Entity | None], path: str, steps: Sequence[str]) -> list[Any]:
    """What the steps of a path lead to, from each row; None where there is no row."""
    step, *further = steps
    there = [row for row in rows if row is not None]
    if not there:
        return [None for _ in rows]
    if further and any(step in row.associations for row in there):
        return _linked_values(rows, path, step, further)
    if further or not any(step in row.attributes or step in row.extra for row in there):
        raise UsageError(_no_column(there, path, step))
    return [None if row is None else plain_copy(_value(row, step), dates=True) for row in rows]


def _value(row: Entity, name: str) -> Any:
    return slot(row, name, None) if name in row.attributes else row.extra.get(name)


def _linked_values(rows: Sequence[Entity | None], path: str, step: str, further: Sequence[str]) -> list[Any]:
    linked = [getattr(row, step) if row is not None and step in row.associations else None for row in rows]
    if not any(isinstance(one, tuple) for one in linked):
        return _values(linked, path, further)
    values = iter(_values(list(chain.from_iterable(ones or () for ones in linked)), path, further))
    return [None if ones is None else list(islice(values, len(ones))) for ones in linked]


def _no_column(rows: Sequence[Entity], path: str, step: str) -> str:
    known = dict.fromkeys(name for row in rows for name in (*row.attributes, *row.associations, *row.extra))
    if step in known and step not in rows[0].associations:
        return f"{path!r} goes on after {step!r}, which is a value, not an association"
    if step in known:
        return f"{path!r} leads to an object: name one of its attributes, such as '{path}{_SEPARATOR}id'"
    nearest = get_close_matches(step, known, 1)
    return f"{path!r}: these entities have no {step!r}" + (f"; did you mean {nearest[0]!r}?" if nearest else "")


def _of_one_type(values: list[Any]) -> list[Any]:
    """The values as the one type that they can all be, as text where there is none; None stays None."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {list}:
        return _lists_of_one_type(values)
    unified = next((unified for types, unified in _UNIFIED if kinds <= types), _text)
    try:
        return [None if value is None else unified(value) for value in values]
    except OverflowError:
        return [None if value is None else _text(value) for value in values]


def _lists_of_one_type(values: list[Any]) -> list[Any]:
    parts = list(chain.from_iterable(value or () for value in values))
    if any(isinstance(part, list) for part in parts):
        return [None if value is None else _text(value) for value in values]
    unified = iter(_of_one_type(parts))
    return [None if value is None else list(islice(unified, len(value))) for value in values]


def _whole_number(value: int) -> int:
    """A whole number of at most 64 bits; raises OverflowError for a larger one."""
    if value.bit_length() > _INT_BITS:
        raise OverflowError
    return value


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False, default=str)


_UNIFIED: Final[Sequence[tuple[frozenset[type], Callable[[Any], Any]]]] = (
    (frozenset({str}), str),
    (frozenset({bool}), bool),
    (frozenset({int}), _whole_number),
    (frozenset({int, float}), float),
    (frozenset({datetime}), _in_utc),
    (frozenset({date, datetime}), _day),
)
"""What values of these types, and no others, become."""
