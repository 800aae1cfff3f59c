"""Which created object came from which row: pure, by content.

The answer to a bulk create lists its objects in the endpoint's own order, not in the order sent (API facts, "Writing").
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Mapping, Sequence
from itertools import chain
from typing import Any

from ..model import Entity, plain_data

Row = Mapping[str, Any]
Told = Mapping[str, Hashable]
"""The fields of a row or an entity, each in the form in which it can be compared."""


def match_rows(rows: Sequence[Row], entities: Sequence[Entity]) -> list[Entity | None]:
    """The entity of each row, None for a row that has none.

    A row and its entity agree in the fields that the row gives, every entity carries, and that the server kept as they
    were sent (a field whose values differ as a whole was changed by the server, and tells nothing). Rows that give
    more are matched first; among equal ones, earlier rows get the entities that were made earlier. Where nothing tells
    and some row has no entity, none has: nobody knows which.
    """
    names = set(chain.from_iterable(rows))
    given = [_told(row) for row in rows]
    left = sorted(((one, _told(plain_data(one, names))) for one in entities), key=lambda pair: _age(pair[0]))
    fields = _telling_fields(given, [told for _, told in left])
    found: list[Entity | None] = [None] * len(rows)
    if not fields and len(entities) != len(rows) and any(row != rows[0] for row in rows):
        return found
    for shape, positions in _by_shape(given, fields):
        waiting: dict[Hashable, deque[Entity]] = defaultdict(deque)
        for entity, told in left:
            waiting[_key(told, shape)].append(entity)
        for position in positions:
            if same := waiting[_key(given[position], shape)]:
                found[position] = same.popleft()
        remaining = {id(entity) for same in waiting.values() for entity in same}
        left = [pair for pair in left if id(pair[0]) in remaining]
    return found


def _told(row: Row) -> Told:
    return {name: comparable(value) for name, value in row.items()}


def _telling_fields(rows: Sequence[Told], answered: Sequence[Told]) -> list[str]:
    carried = set.intersection(*map(set, answered)) if answered else set[str]()
    return sorted(field for field in carried if _kept(field, rows, answered))


def _kept(field: str, rows: Sequence[Told], answered: Sequence[Told]) -> bool:
    """Whether every value that no row gave can be that of a row that left the field out."""
    given = Counter(row[field] for row in rows if field in row)
    return (Counter(told[field] for told in answered) - given).total() <= len(rows) - given.total()


def _by_shape(rows: Sequence[Told], fields: Sequence[str]) -> list[tuple[tuple[str, ...], list[int]]]:
    """The positions of the rows by which of the fields they give, those that give most first."""
    positions: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for position, row in enumerate(rows):
        positions[tuple(field for field in fields if field in row)].append(position)
    return sorted(positions.items(), key=lambda pair: -len(pair[0]))


def _key(row: Told, fields: Sequence[str]) -> Hashable:
    return tuple([row[field] for field in fields])


def comparable(value: Any) -> Hashable:
    """A value in the one form in which sent and answered ones can be compared: ids are numbers here and text there."""
    match value:
        case str():
            return value.strip()
        case bool() | None:
            return value
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else f"{value:.12g}"
        case Mapping():
            return tuple(sorted((key, comparable(part)) for key, part in value.items()))
        case _:
            return tuple(map(comparable, value))


def _age(entity: Entity) -> tuple[int, str]:
    return (len(entity.id), entity.id)
