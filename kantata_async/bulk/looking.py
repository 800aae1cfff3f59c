"""Looking whether the objects of rows are there, before any of them is sent a second time."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from ..calls import MAX_PER_PAGE, Connection, ListQuery, Needed, Operation, in_batches
from ..errors import UsageError
from ..model import Entity, NaturalKey
from .matching import comparable
from .rows import Row

E = TypeVar("E", bound=Entity)

Key = Callable[[Mapping[str, Any]], Hashable]
"""What identifies an object: of a row, and of the plain data of an entity."""

Find = Callable[[Sequence[Any]], Awaitable[Iterable[Entity]]]
"""The caller's own search: given items, the entities that may be theirs."""

_MANY: Final = 100
"""Values of one filter in one request: well below what an address may be long."""

_REFERENCE: Final = ("service_name", "service_model", "service_model_ref")


class Look(Protocol[E]):
    """Finds the entity of each row, None for a row that has none."""

    def covers(self, row: Row) -> bool:
        """Whether this row says enough to be looked for."""
        ...

    async def __call__(self, rows: Sequence[Row]) -> list[E | None]:
        """The entities, in the order of the rows; an entity belongs to one row only."""
        ...


def look_for(
    connection: Connection, create: Operation[E], listing: Operation[E] | None, key: Key | None, find: Find | None
) -> Look[E] | None:
    """How to look for the objects of a resource: as the caller says, else by what the catalogue knows; None for no way.

    Raises UsageError for a `key` of the caller's where the list cannot be read as a whole and there is no `find`.
    """
    if find is not None:
        return _Own(find, key or _content)
    if key is not None:
        if listing is None or any(isinstance(kind, Needed) for kind in listing.filters.values()):
            raise UsageError(f"{create}: the list cannot be read without filters, so key= needs find= beside it")
        return _Own(lambda _: ListQuery(connection, listing, {}).collect(), key)
    if listing is None:
        return None
    return _Known(connection, create, listing)


def assign(keys: Iterable[Hashable | None], entities: Iterable[tuple[Hashable, E]]) -> list[E | None]:
    """Give each key an entity of the same key, no entity twice; a key of None gets none."""
    waiting: dict[Hashable, deque[E]] = defaultdict(deque)
    for key, entity in entities:
        waiting[key].append(entity)
    return [waiting[key].popleft() if key is not None and waiting.get(key) else None for key in keys]


def _content(data: Mapping[str, Any]) -> Hashable:
    return comparable({name: value for name, value in data.items() if name != "id"})


class _Own(Generic[E]):
    """The caller's own way."""

    def __init__(self, find: Find, key: Key) -> None:
        self._find = find
        self._key = key

    def covers(self, row: Row) -> bool:
        return True

    async def __call__(self, rows: Sequence[Row]) -> list[E | None]:
        found: list[Any] = list(await self._find([row.item for row in rows]))
        keys = [comparable(self._key(row.wired)) for row in rows]
        return assign(keys, [(comparable(self._key(entity.to_dict())), entity) for entity in found])


class _Known(Generic[E]):
    """By the external reference of a row where it has one, else by the natural key of the resource."""

    def __init__(self, connection: Connection, create: Operation[E], listing: Operation[E]) -> None:
        self._connection = connection
        self._listing = listing
        self._natural = create.natural_key
        self._by_reference = "external_reference_service_model_refs" in listing.filters

    def covers(self, row: Row) -> bool:
        return self._reference(row) is not None or self._natural_of(row) is not None

    async def __call__(self, rows: Sequence[Row]) -> list[E | None]:
        referring = [row for row in rows if self._reference(row) is not None]
        others = [row for row in rows if self._reference(row) is None]
        found = dict(zip((row.index for row in referring), await self._referred(referring), strict=True))
        found |= dict(zip((row.index for row in others), await self._natural_found(others), strict=True))
        return [found[row.index] for row in rows]

    # --- by external reference ---

    def _reference(self, row: Row) -> tuple[Any, ...] | None:
        told = row.wired.get("external_reference") if self._by_reference else None
        if not isinstance(told, Mapping) or "," in told["service_model_ref"]:
            return None
        return tuple(comparable(told.get(name)) for name in _REFERENCE)

    async def _referred(self, rows: Sequence[Row]) -> list[E | None]:
        groups: dict[tuple[Any, Any], list[str]] = defaultdict(list)
        for row in rows:
            name, model, ref = (row.wired["external_reference"].get(part) for part in _REFERENCE)
            groups[name, model].append(ref)
        found: list[tuple[Hashable, E]] = []
        for (name, model), refs in groups.items():
            for batch in in_batches(list(dict.fromkeys(refs)), _MANY):
                filters = {
                    "external_reference_service_name": name,
                    "external_reference_service_model": model,
                    "external_reference_service_model_refs": list(batch),
                }
                entities: list[Any] = await self._read(filters, ("external_references",), None)
                found += [(_reference_key(one), entity) for entity in entities for one in entity.external_references]
        return assign((self._reference(row) for row in rows), found)

    # --- by natural key ---

    def _natural_of(self, row: Row) -> Hashable | None:
        natural = self._natural
        if natural is None or any(row.wired.get(field) is None for field in natural.fields):
            return None
        return tuple(comparable(row.wired[field]) for field in natural.fields)

    async def _natural_found(self, rows: Sequence[Row]) -> list[E | None]:
        keys = [self._natural_of(row) for row in rows]
        natural = self._natural
        if natural is None:
            return [None] * len(rows)
        known = [row for row, key in zip(rows, keys, strict=True) if key is not None]
        found: list[tuple[Hashable, E]] = []
        for filters, wanted in _searches(natural, known):
            entities = await self._read(filters, natural.include, _counter(natural, wanted))
            found += [(_entity_key(natural, entity), entity) for entity in entities]
        return assign(keys, found)

    async def _read(
        self, filters: Mapping[str, Any], include: Sequence[str], enough: Callable[[Iterable[Entity]], bool] | None
    ) -> list[E]:
        """The entities of a list, read page by page until `enough` says so.

        One page after the other: pages read ahead over a list that grows at its head could leave out what moves
        between them.
        """
        wanted = [name for name in include if name in self._listing.includes]
        query = ListQuery(self._connection, self._listing, {**filters, **({"include": wanted} if wanted else {})})
        entities: list[E] = []
        number, last = 1, 1
        while number <= last:
            page = await query.page(number)
            entities += page.items
            if enough is not None and enough(page.items):
                break
            last = page.meta.page_count or -(-(page.count or 0) // MAX_PER_PAGE)
            number += 1
        return entities


def scope_of(natural: NaturalKey | None) -> Callable[[Any], str] | None:
    """What rows are put side by side for, so that a batch has few places to look: the fields of single searches."""
    if natural is None or not natural.one:
        return None
    fields = list(natural.one.values())
    return lambda wired: str([comparable(wired.get(field)) for field in fields])


def _searches(natural: NaturalKey, rows: Sequence[Row]) -> list[tuple[dict[str, Any], list[Row]]]:
    """The filters of each search for rows, and the rows that it is for."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row.wired[field] for field in natural.one.values())].append(row)
    searches: list[tuple[dict[str, Any], list[Row]]] = []
    for values, group in groups.items():
        filters = dict(zip(natural.one, values, strict=True))
        if not natural.many:
            searches.append((filters, group))
        for name, field in natural.many.items():
            searches += [
                ({**filters, name: list(batch)}, [row for row in group if row.wired[field] in batch])
                for batch in in_batches(list(dict.fromkeys(row.wired[field] for row in group)), _MANY)
            ]
    return searches


def _counter(natural: NaturalKey, rows: Sequence[Row]) -> Callable[[Iterable[Entity]], bool]:
    """Tells, page by page, when every row of a search has been found."""
    missing: dict[Hashable, int] = defaultdict(int)
    for row in rows:
        missing[tuple(comparable(row.wired[field]) for field in natural.fields)] += 1

    def enough(entities: Iterable[Entity]) -> bool:
        for entity in entities:
            key = _entity_key(natural, entity)
            if key in missing:
                missing[key] -= 1
                if not missing[key]:
                    del missing[key]
        return not missing

    return enough


def _entity_key(natural: NaturalKey, entity: Entity) -> Hashable:
    return tuple(comparable(getattr(entity, field, None)) for field in natural.fields)


def _reference_key(reference: Any) -> Hashable:
    return tuple(comparable(getattr(reference, name, None)) for name in _REFERENCE)
