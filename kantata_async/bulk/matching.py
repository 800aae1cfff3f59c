"""Which created object came from which row: pure, by content.

The answer to a bulk create lists its objects in the endpoint's own order, not in the order sent (API facts, "Writing").
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from ..entity import Entity

Row = Mapping[str, Any]


def match_rows(rows: Sequence[Row], entities: Sequence[Entity]) -> list[Entity | None]:
    """The entity of each row, None for a row that has none.

    Rows and entities are compared by the fields that every row gives, every entity carries, and that the server kept
    as they were sent (a field whose values differ as a whole was changed by the server, and tells nothing). Among
    equal ones, earlier rows get the entities that were made earlier.
    """
    plain = [entity.to_dict() for entity in entities]
    fields = _telling_fields(rows, plain)
    waiting: dict[Hashable, deque[Entity]] = defaultdict(deque)
    for entity, data in sorted(zip(entities, plain, strict=True), key=lambda pair: _age(pair[0])):
        waiting[_key(data, fields)].append(entity)
    return [waiting[key].popleft() if waiting[key := _key(row, fields)] else None for row in rows]


def _telling_fields(rows: Sequence[Row], plain: Sequence[Row]) -> list[str]:
    common = set.intersection(*(set(row) for row in (*rows, *plain))) if rows and plain else set[str]()
    return sorted(field for field in common if _values(field, plain) <= _values(field, rows))


def _values(field: str, rows: Sequence[Row]) -> Counter[Hashable]:
    return Counter(comparable(row[field]) for row in rows)


def _key(row: Row, fields: Sequence[str]) -> Hashable:
    return tuple(comparable(row[field]) for field in fields)


def comparable(value: Any) -> Hashable:
    """A value in the one form in which sent and answered ones can be compared: ids are numbers here and text there."""
    match value:
        case bool() | None:
            return value
        case int() | float():
            return f"{value:.12g}"
        case str():
            return value.strip()
        case Mapping():
            return tuple(sorted((key, comparable(part)) for key, part in value.items()))
        case _:
            return tuple(map(comparable, value))


def _age(entity: Entity) -> tuple[int, str]:
    return (len(entity.id), entity.id)
