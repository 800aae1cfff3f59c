"""Which object of an answer came from which row: pure, by content.

The answer to a bulk create lists its objects in the endpoint's own order, not in the order sent (API facts, "Writing").
An answer may also lack objects, hold others, or show values that the server withheld or changed: a row gets an object
only where nothing but this row (or one equal to it) explains it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, Protocol, TypeVar

import attrs

from ..model import Entity
from .as_sent import objects_as_sent
from .comparing import ComparableFields, RowFields, agreement_of, comparable_fields, is_empty, shown_of

E = TypeVar("E", bound=Entity)


def match_rows(rows: Sequence[RowFields], entities: Sequence[E], identifying: Iterable[str] = ()) -> list[E | None]:
    """The object of each row, None for a row whose object the answer does not identify.

    Args:
        rows: the fields of each row as they were sent.
        entities: what the answer to them holds.
        identifying: the fields that make an object the same: one with other values in them belongs to another row.
    """
    in_order = sorted(entities, key=order_of_making)
    identity = frozenset(identifying)
    found = objects_as_sent(rows, in_order, identity)
    return list(found) if found is not None else objects_by_exclusion(rows, in_order, identity)


def objects_by_exclusion(
    rows: Sequence[RowFields], entities: Sequence[E], identifying: frozenset[str]
) -> list[E | None]:
    """As `match_rows`, for any answer: an object is a row's where no other row explains it; they come in order."""
    return _Matching(rows, entities, identifying).objects()


class Identified(Protocol):
    """What has an id."""

    @property
    def id(self) -> str:
        """The id."""
        ...


def order_of_making(one: Identified) -> tuple[int, str]:
    """What sorts objects by when they were made, as far as their ids show."""
    return len(one.id), one.id


@attrs.define(eq=False)
class _Kind:
    """Rows of the same content: any of their objects may belong to any of them."""

    values: ComparableFields
    positions: list[int]
    """Those that have no object yet, in order."""


@attrs.frozen(eq=False)
class _Shown:
    """An object of the answer, and what it shows of the fields that were sent."""

    entity: Any
    values: ComparableFields


class _Matching:
    """One answer and the rows that it answers."""

    def __init__(self, rows: Sequence[RowFields], entities: Sequence[Any], identifying: frozenset[str]) -> None:
        names = set(chain.from_iterable(rows))
        self._kinds = _kinds_of(rows)
        self._objects = [_Shown(one, comparable_fields(shown_of(one, names))) for one in entities]
        self._identifying = identifying
        self._found: list[Any] = [None] * len(rows)
        self._kept = frozenset(name for name in names if name in identifying or self._is_kept(name))

    def objects(self) -> list[Any]:
        """See `match_rows`."""
        candidates = [(one, [*kinds, *self._rivals(one, kinds)]) for one, kinds in self._candidates()]
        self._give((one, kinds[0]) for one, kinds in candidates if len(kinds) == 1 and self._shows(one, kinds[0]))
        unexplained = [one for one, kinds in candidates if not kinds]
        if len(self._objects) == len(self._found) and not unexplained:
            self._give_by_elimination([pair for pair in candidates if len(pair[1]) > 1])
        if len(self._objects) <= len(self._found):
            best = ((one, self._best(one)) for one in unexplained)
            self._give((one, kind) for one, kind in best if kind is not None)
        return self._found

    def _give(self, pairs: Iterable[tuple[_Shown, _Kind]]) -> bool:
        """Give the rows of each kind their objects; none where there are more of these than rows."""
        by_kind: dict[_Kind, list[_Shown]] = defaultdict(list)
        for one, kind in pairs:
            by_kind[kind].append(one)
        given = False
        for kind, objects in by_kind.items():
            if len(objects) <= len(kind.positions):
                for one in objects:
                    self._found[kind.positions.pop(0)] = one.entity
                given = True
        return given

    # --- all that an object shows is as it was sent ---

    def _candidates(self) -> Iterator[tuple[_Shown, list[_Kind]]]:
        """Each object with the kinds of rows that it agrees with in all fields that both show."""
        shapes: dict[frozenset[str], list[_Kind]] = defaultdict(list)
        for kind in self._kinds:
            shapes[self._kept & frozenset(kind.values)].append(kind)
        tables: dict[tuple[frozenset[str], frozenset[str]], _Table] = {}
        for one in self._objects:
            kinds: list[_Kind] = []
            for shape, alike in shapes.items():
                common = shape & frozenset(one.values)
                table = tables.get((shape, common))
                if table is None:
                    table = tables[shape, common] = _Table(alike, sorted(common))
                found = table.like(one)
                kinds += found if common else [kind for kind in found if not _contradicts(kind, one)]
            yield one, kinds

    def _shows(self, one: _Shown, kind: _Kind) -> bool:
        """Whether an object shows any field that identifies its row, where rows differ."""
        return len(self._kinds) == 1 or bool(one.values.keys() & kind.values.keys() & self._kept)

    def _agrees(self, one: _Shown, kind: _Kind) -> bool:
        """Whether an object shows the fields that identify its row as they were sent."""
        common = one.values.keys() & kind.values.keys() & self._kept
        return all(one.values[name] == kind.values[name] for name in common)

    def _rivals(self, one: _Shown, kinds: Sequence[_Kind]) -> list[_Kind]:
        """Rows whose object this may be as well, if the server changed what other rows leave out."""
        shown = {name for name, value in one.values.items() if name in self._kept and not is_empty(value)}
        rivals: dict[_Kind, None] = {}
        for kind in kinds:
            left_out = shown - kind.values.keys()
            common = shown & kind.values.keys()
            rivals |= {
                other: None
                for other in (self._kinds if left_out else ())
                if left_out & other.values.keys()
                and all(other.values[name] == one.values[name] for name in common & other.values.keys())
            }
        return [rival for rival in rivals if rival not in kinds]

    def _is_kept(self, name: str) -> bool:
        """Whether the server shows a field as it was sent, but for less than half of the objects.

        That an object of a row that leaves the field out shows nothing in it is no sign against that.
        """
        given = Counter(kind.values[name] for kind in self._kinds if name in kind.values for _ in kind.positions)
        shown = Counter(one.values[name] for one in self._objects if name in one.values)
        kept = (given & shown).total()
        changed = sum(count for value, count in (shown - given).items() if not is_empty(value))
        is_explained = not changed and shown.total() <= kept + len(self._found) - given.total()
        return 2 * kept > min(given.total(), shown.total()) or (is_explained and bool(shown))

    def _give_by_elimination(self, candidates: Sequence[tuple[_Shown, list[_Kind]]]) -> None:
        """In an answer that lacks nothing and holds nothing else, what is left over for one row alone is that row's."""
        waiting = list(candidates)
        progress = True
        while progress:
            left = [(one, [kind for kind in kinds if kind.positions]) for one, kinds in waiting]
            progress = self._give(
                (one, kinds[0])
                for one, kinds in left
                if len(kinds) == 1 and self._shows(one, kinds[0]) and self._agrees(one, kinds[0])
            )
            waiting = [pair for pair in left if len(pair[1]) > 1]

    # --- something of it was changed by the server ---

    def _best(self, one: _Shown) -> _Kind | None:
        """The kind of rows that explains an object better than every other, by the fields of all of them."""
        agreed = {kind: agreement_of(kind.values, one.values) for kind in self._kinds}
        for kind, ours in agreed.items():
            if not ours.differ.isdisjoint(self._distinctive):
                continue
            others = (other for other in self._kinds if other is not kind)
            if all(ours.agree & other.values.keys() > agreed[other].agree for other in others) and ours.agree:
                return kind if kind.positions else None
        return None

    @cached_property
    def _distinctive(self) -> frozenset[str]:
        """The fields in which another value means another object: every row has its own, and the server keeps them."""
        return self._identifying | {name for name in self._kept if self._is_different_in_all(name)}

    def _is_different_in_all(self, name: str) -> bool:
        """Whether every row has its own value in a field."""
        values = [kind.values[name] for kind in self._kinds if name in kind.values]
        return len(values) > 1 and len(set(values)) == len(values)


def _kinds_of(rows: Sequence[RowFields]) -> list[_Kind]:
    kinds: dict[Hashable, _Kind] = {}
    for position, row in enumerate(rows):
        values = comparable_fields(row)
        kind = kinds.setdefault(frozenset(values.items()), _Kind(values, []))
        kind.positions.append(position)
    return list(kinds.values())


class _Table:
    """Kinds of rows by the values of some of their fields."""

    def __init__(self, kinds: Iterable[_Kind], names: Sequence[str]) -> None:
        self._names = names
        self._kinds: dict[Hashable, list[_Kind]] = defaultdict(list)
        for kind in kinds:
            self._kinds[_key(kind.values, names)].append(kind)

    def like(self, one: _Shown) -> list[_Kind]:
        """Those that an object agrees with."""
        return self._kinds.get(_key(one.values, self._names), [])


def _key(values: ComparableFields, names: Sequence[str]) -> Hashable:
    return tuple([values[name] for name in names])


def _contradicts(kind: _Kind, one: _Shown) -> bool:
    """Whether nothing that was sent came back, though some of it is shown."""
    return any(kind.values[name] != one.values[name] for name in kind.values.keys() & one.values.keys())
