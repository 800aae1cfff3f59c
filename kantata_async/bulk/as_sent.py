"""The objects of an answer that shows the rows as they were sent, found by one look-up a row: pure.

Nothing is decided here that `matching` would decide otherwise; most answers need no more than this.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

import attrs

from ..model import ABSENT, Entity
from .comparing import RowFields, comparable_column, is_empty, shown_column

E = TypeVar("E", bound=Entity)


def objects_as_sent(rows: Sequence[RowFields], entities: Sequence[E], identifying: AbstractSet[str]) -> list[E] | None:
    """The object of each row; None where the answer does not show all rows as they were sent.

    Fields that no object shows, and those that the server changed in most objects, tell nothing.

    Args:
        rows: the fields of each row as they were sent.
        entities: what the answer to them holds, in the order in which equal rows get them.
        identifying: the fields that make an object the same: one with other values in them belongs to another row.
    """
    if not rows or len(rows) != len(entities):
        return None
    everywhere = set(rows[0]).intersection(*rows)
    elsewhere = set().union(*rows) - everywhere
    fields = _fields(rows, entities, sorted(everywhere))
    telling = None if fields is None else _as_sent(fields, identifying)
    if not telling:
        return None
    given = _keys([field.sent for field in telling])
    are_told_apart = len(set(given)) == len(rows)
    if not are_told_apart and (elsewhere or len(telling) < len(everywhere)):
        return None
    found = _looked_up(given, _keys([field.shown for field in telling]), entities)
    if elsewhere and not (_are_filled(telling) and all(_agree(rows, found, name) for name in elsewhere)):
        return None
    return found


@attrs.frozen(eq=False)
class _Compared:
    """A field that all rows give and all objects show: its values, in the form in which they can be compared."""

    name: str
    sent: list[Hashable]
    shown: list[Hashable]

    @property
    def in_common(self) -> int:
        """How many of the values that were sent came back."""
        return (Counter(self.sent) & Counter(self.shown)).total()


def _fields(rows: Sequence[RowFields], entities: Sequence[Entity], names: Sequence[str]) -> list[_Compared] | None:
    """Those fields of all rows that the objects show; None where some objects show one and others do not."""
    fields: list[_Compared] = []
    for name in names:
        shown = shown_column(entities, name)
        hidden = shown.count(ABSENT)
        if not hidden:
            sent = comparable_column(name, [row[name] for row in rows])
            fields.append(_Compared(name, sent, comparable_column(name, shown)))
        elif hidden < len(shown):
            return None
    return fields


def _as_sent(fields: Sequence[_Compared], identifying: AbstractSet[str]) -> Sequence[_Compared] | None:
    """The fields whose values came back together as they were sent; None where one was changed in a few objects."""
    if _are_the_same(fields):
        return fields
    kept = [field for field in fields if field.name in identifying or 2 * field.in_common > len(field.sent)]
    return kept if len(kept) < len(fields) and _are_the_same(kept) else None


def _are_the_same(fields: Sequence[_Compared]) -> bool:
    return Counter(_keys([field.sent for field in fields])) == Counter(_keys([field.shown for field in fields]))


def _keys(columns: Sequence[Sequence[Hashable]]) -> list[Hashable]:
    return list(zip(*columns, strict=True))


def _looked_up(given: Sequence[Hashable], shown: Sequence[Hashable], entities: Sequence[E]) -> list[E]:
    """For each key that was given, the next of the objects that show it."""
    waiting: dict[Hashable, deque[E]] = defaultdict(deque)
    for key, entity in zip(shown, entities, strict=True):
        waiting[key].append(entity)
    return [waiting[key].popleft() for key in given]


# --- fields that some rows leave out ---


def _are_filled(fields: Sequence[_Compared]) -> bool:
    """Whether none of the values is empty: those may as well be what the server made of a field left out."""
    return not any(is_empty(value) for field in fields for value in field.sent)


def _agree(rows: Sequence[RowFields], found: Sequence[Entity], name: str) -> bool:
    """Whether the objects of all rows that give a field show it as it was sent, or no object shows it at all."""
    shown = shown_column(found, name)
    giving = [position for position, row in enumerate(rows) if name in row]
    came = [shown[position] for position in giving]
    if ABSENT in came:
        return shown.count(ABSENT) == len(shown)
    return comparable_column(name, [rows[position][name] for position in giving]) == comparable_column(name, came)
