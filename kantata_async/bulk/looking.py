"""The look whether the objects of rows are there, before any of them is sent a second time."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

import attrs

from ..callables import check_function
from ..calls import Connection, Needed, Operation, in_batches
from ..errors import KantataError, UsageError
from ..model import Entity, NaturalKey
from .comparing import agreement, comparable, comparable_field, says_nothing
from .finding import is_deleted
from .reading import Enough, brought_by, read_whole
from .rows import Row
from .shared_reads import SharedReads

E = TypeVar("E", bound=Entity)

Key = Callable[[Mapping[str, Any]], Hashable]
"""What identifies an object: of a row, and of the plain data of an entity."""

Find = Callable[[Sequence[Any]], Awaitable[Iterable[Entity]]]
"""The caller's own search: given items, the entities that may be theirs."""

Suffices = Callable[[Row, Any], bool]
"""Whether an object says all that is to be known about a row."""

_MANY: Final = 100
"""Values of one filter in one request, whose URL is then well below the longest that servers accept."""

_FEW: Final = 3
"""Rows that are looked for one by one where the list can be narrowed to one: it may have any number of pages."""

_REFERENCE: Final = ("service_name", "service_model", "service_model_ref")


@attrs.define
class Sightings(Generic[E]):
    """What a look saw.

    Attributes:
        objects: those with the key of a row, by that key.
        faults: why there may be others all the same, by the key of a row; it has no entry where these are all.
    """

    objects: Mapping[Hashable, Sequence[E]]
    faults: Mapping[Hashable, str]


class Look(Protocol[E]):
    """Finds the objects that may be those of rows."""

    def key_of(self, fields: Mapping[str, Any]) -> Hashable | None:
        """The key by which a row is looked for; None for a row that says too little.

        Raises:
            UsageError: the caller's `key` fails on it.
        """
        ...

    async def __call__(self, rows: Sequence[Row], suffices: Suffices) -> Sightings[E]:
        """The objects with the keys of rows, as far as they are read until each row has one that suffices.

        Raises:
            KantataError: the look failed.
        """
        ...


def look_for(
    connection: Connection,
    create: Operation[E],
    listing: Operation[E] | None,
    *,
    key: Key | None,
    find: Find | None,
    asked: Mapping[str, Sequence[str]],
) -> Look[E] | None:
    """How to look for the objects of a resource: as the caller says, else by what the catalogue knows; None for no way.

    Args:
        connection: the way to the server.
        create: the operation that makes them.
        listing: the operation that lists them.
        key: the caller's function, if any.
        find: the caller's function, if any.
        asked: what the objects are to carry, as far as the list can bring it.

    Raises:
        UsageError: `key` or `find` cannot be called with what it is for, or `key` is given without `find` where the
            list cannot be read as a whole.
    """
    if key is not None:
        check_function(str(create), "key=", key, "a mapping")
    if find is not None:
        check_function(str(create), "find=", find, "a list of items")
    if find is not None:
        return _ByFields(find) if key is None else _ByKey(_found_by(find), key)
    if key is not None:
        if listing is None or any(isinstance(kind, Needed) for kind in listing.filters.values()):
            raise UsageError(f"{create}: the list cannot be read without filters, so key= needs find= beside it")
        return _ByKey(_listed(connection, listing, asked), key)
    if listing is None:
        return None
    return _Known(connection, create, listing, asked)


# --- the caller's own way ---

_Read = Callable[[Sequence[Row]], Awaitable[tuple[Sequence[Any], str | None]]]
"""Finds the objects that may be those of rows, and the reason why there may be others."""


def _found_by(find: Find) -> _Read:
    async def read(rows: Sequence[Row]) -> tuple[Sequence[Any], str | None]:
        try:
            finding = find([row.item for row in rows])
            if not inspect.isawaitable(finding):
                raise UsageError(f"find= must be an async function; it gave a {type(finding).__name__}")  # noqa: TRY301
            found: list[Any] = list(await finding)
        except KantataError:
            raise
        except Exception as error:
            raise UsageError(f"find= failed with {type(error).__name__}: {error}") from error
        wrong = [type(one).__name__ for one in found if not isinstance(one, Entity)]
        if wrong:
            raise UsageError(f"find= must return entities, not {wrong[0]}")
        return found, None

    return read


def _listed(connection: Connection, listing: Operation[E], asked: Mapping[str, Sequence[str]]) -> _Read:
    async def read(_: Any, rows: Sequence[Row]) -> tuple[Sequence[Any], str | None]:
        reading = await read_whole(connection, listing, brought_by(listing, asked))
        return reading.entities, reading.fault

    reads = SharedReads(read)
    return lambda rows: reads(None, rows)


class _ByKey(Generic[E]):
    """By a function of the caller that gives the same for a row and for its object."""

    def __init__(self, read: _Read, key: Key) -> None:
        self._read = read
        self._key = key

    def key_of(self, fields: Mapping[str, Any]) -> Hashable | None:
        try:
            # Both at once: an object that is gone leaves its place, and so its repr, to the next.
            keys = [self._key(fields), self._key(fields)]
            key, again = map(comparable, keys)
        except Exception as error:
            raise UsageError(f"key= failed with {type(error).__name__}: {error}") from error
        if key != again:
            # Nothing would ever match it, which is not to be taken for "not there".
            raise UsageError("key= gives something else each time: it should give the same for the same fields")
        return None if says_nothing(keys[0]) else key

    async def __call__(self, rows: Sequence[Row], suffices: Suffices) -> Sightings[E]:
        found, fault = await self._read(rows)
        objects: dict[Hashable, list[E]] = defaultdict(list)
        for one in found:
            key = self.key_of(one.to_dict())
            if key is not None:
                objects[key].append(one)
        if found and not objects:
            fault = f"key= gives nothing for any of the {len(found)} objects found"
        return Sightings(objects, {} if fault is None else {row.key: fault for row in rows})


class _ByFields(Generic[E]):
    """By comparing the fields of a row with what the caller found."""

    def __init__(self, find: Find) -> None:
        self._read = _found_by(find)

    def key_of(self, fields: Mapping[str, Any]) -> Hashable | None:
        return comparable(fields)

    async def __call__(self, rows: Sequence[Row], suffices: Suffices) -> Sightings[E]:
        found, _ = await self._read(rows)
        objects: dict[Hashable, list[E]] = {}
        for row in rows:
            compared = [(one, agreement(row.wired, one)) for one in found]
            objects[row.key] = [one for one, fields in compared if fields.agree and not fields.differ]
        return Sightings(objects, {})


# --- by what the catalogue knows ---


@attrs.frozen
class _Search:
    """One question to a list: its filters, and whom it is for."""

    filters: Mapping[str, Any]
    wanted: Sequence[_Wanted]
    implied: Mapping[str, Any] = attrs.field(factory=dict)
    """What the fields of every object are that matches, whether it shows them or not."""


@attrs.frozen(eq=False)
class _Wanted:
    """A row that is looked for."""

    row: Row
    suffices: Suffices


class _Known(Generic[E]):
    """By the external reference of a row where it has one, else by the natural key of the resource."""

    def __init__(
        self,
        connection: Connection,
        create: Operation[E],
        listing: Operation[E],
        asked: Mapping[str, Sequence[str]],
    ) -> None:
        self._connection = connection
        self._listing = listing
        self._asked = asked
        self._natural = create.natural_key
        self._by_reference = "external_reference_service_model_refs" in listing.filters
        self._referred = SharedReads(self._read_referred)
        self._identified = SharedReads(self._read_identified)

    def key_of(self, fields: Mapping[str, Any]) -> Hashable | None:
        reference = self._reference(fields)
        return reference if reference is not None else _natural_key(self._natural, fields)

    async def __call__(self, rows: Sequence[Row], suffices: Suffices) -> Sightings[E]:
        places: dict[tuple[SharedReads[_Wanted, Sightings[E]], Hashable], list[_Wanted]] = defaultdict(list)
        for row in rows:
            wanted = _Wanted(row, suffices)
            if self._reference(row.wired) is not None:
                referred = tuple(row.wired["external_reference"][part] for part in _REFERENCE[:-1])
                places[self._referred, referred].append(wanted)
            elif self._natural is not None:
                scope = tuple(row.wired[field] for field in self._natural.one.values())
                places[self._identified, scope].append(wanted)
        objects: dict[Hashable, Sequence[E]] = {}
        faults: dict[Hashable, str] = {}
        for (reads, place), group in places.items():
            seen = await reads(place, group)
            objects.update(seen.objects)
            faults.update(seen.faults)
        return Sightings(objects, faults)

    # --- by external reference ---

    def _reference(self, fields: Mapping[str, Any]) -> Hashable | None:
        given = fields.get("external_reference") if self._by_reference else None
        if not isinstance(given, dict):
            return None
        parts = [given.get(name) for name in _REFERENCE]
        if not all(isinstance(part, str) and part for part in parts) or "," in str(parts[-1]):
            return None
        return ("external reference", *map(comparable, parts))

    async def _read_referred(self, place: Any, wanted: Sequence[_Wanted]) -> Sightings[E]:
        by_ref: dict[str, list[_Wanted]] = defaultdict(list)
        for one in wanted:
            by_ref[one.row.wired["external_reference"]["service_model_ref"]].append(one)
        searches = [
            _Search(
                {
                    "external_reference_service_name": place[0],
                    "external_reference_service_model": place[1],
                    "external_reference_service_model_refs": list(batch),
                },
                [one for ref in batch for one in by_ref[ref]],
            )
            for batch in in_batches(list(by_ref), _MANY)
        ]
        return await self._searched(searches, lambda entity, _: _reference_keys(entity), ("external_references",))

    # --- by natural key ---

    async def _read_identified(self, place: Any, wanted: Sequence[_Wanted]) -> Sightings[E]:
        natural = self._natural
        if natural is None:
            return Sightings({}, {})
        return await self._searched(
            searches_of(natural, wanted),
            lambda entity, search: [_entity_key(natural, entity, search.implied)],
            natural.include,
        )

    async def _searched(
        self,
        searches: Iterable[_Search],
        keys_of: Callable[[E, _Search], Sequence[Hashable | None]],
        include: Sequence[str],
    ) -> Sightings[E]:
        """What the answers to searches show, by the keys of their objects; None is the key of one that hides it."""
        objects: dict[Hashable, list[E]] = defaultdict(list)
        faults: dict[Hashable, str] = {}
        brought = brought_by(self._listing, self._asked, include)
        for search in searches:
            reading = await read_whole(
                self._connection, self._listing, {**search.filters, **brought}, _counter(search, keys_of)
            )
            fault = reading.fault
            for one in reading.entities:
                for key in keys_of(one, search):
                    if key is None:
                        fault = fault or f"{one!r} does not show the fields that identify its row"
                    elif not is_deleted(one):
                        objects[key].append(one)
            if fault is not None:
                faults |= {wanted.row.key: fault for wanted in search.wanted}
        return Sightings(objects, faults)


def searches_of(natural: NaturalKey, wanted: Sequence[_Wanted]) -> list[_Search]:
    """The searches for rows that agree in the fields of single searches."""
    if natural.each and len(wanted) <= _FEW:
        return [_narrowed(natural, one) for one in wanted]
    row = wanted[0].row.wired
    filters = {name: _filter_value(row[field]) for name, field in natural.one.items()}
    implied = {field: row[field] for field in natural.one.values()}
    if not natural.many:
        return [_Search(filters, wanted, implied)]
    ((name, field),) = natural.many.items()
    by_value: dict[Any, list[_Wanted]] = defaultdict(list)
    for one in wanted:
        by_value[one.row.wired[field]].append(one)
    return [
        _Search({**filters, name: list(batch)}, [one for value in batch for one in by_value[value]], implied)
        for batch in in_batches(list(by_value), _MANY)
    ]


def _narrowed(natural: NaturalKey, wanted: _Wanted) -> _Search:
    row = wanted.row.wired
    filters = {name: _filter_value(row[field]) for name, field in (*natural.one.items(), *natural.each.items())}
    filters |= {name: [row[field]] for name, field in natural.many.items()}
    return _Search(filters, [wanted], {field: row[field] for field in natural.one.values()})


def _filter_value(value: Any) -> Any:
    """A value of a row as a filter takes it: an id as text, which filters for one id take and those for several."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def scope_of(natural: NaturalKey | None) -> Callable[[Any], Hashable] | None:
    """What rows are put side by side for, so that a batch has few places to look: the fields of single searches."""
    if natural is None or not natural.one:
        return None
    fields = list(natural.one.values())
    return lambda wired: tuple([comparable(wired.get(field)) for field in fields])


def _counter(search: _Search, keys_of: Callable[[E, _Search], Sequence[Hashable | None]]) -> Enough:
    """A function that takes pages, and says when every row of a search has an object that suffices."""
    missing: dict[Hashable, list[_Wanted]] = defaultdict(list)
    for wanted in search.wanted:
        missing[wanted.row.key].append(wanted)

    def enough(entities: Iterable[E]) -> bool:
        for one in entities:
            for key in keys_of(one, search):
                waiting = missing.get(key, [])
                served = next((wanted for wanted in waiting if wanted.suffices(wanted.row, one)), None)
                if served is not None and not is_deleted(one):
                    waiting.remove(served)
                    if not waiting:
                        del missing[key]
        return not missing

    return enough


def _natural_key(natural: NaturalKey | None, fields: Mapping[str, Any]) -> Hashable | None:
    if natural is None:
        return None
    values = list(map(fields.get, natural.fields))
    return None if None in values else tuple(map(comparable_field, natural.fields, values))


def _entity_key(natural: NaturalKey, entity: Entity, implied: Mapping[str, Any]) -> Hashable | None:
    """The natural key of an object; None for one that does not show it."""
    try:
        values = [getattr(entity, field) for field in natural.fields]
    except AttributeError:
        values = [getattr(entity, field, implied.get(field)) for field in natural.fields]
        if None in values:
            return None
    return tuple(map(comparable_field, natural.fields, values))


def _reference_keys(entity: Entity) -> list[Hashable]:
    references = getattr(entity, "external_references", ())
    return [
        ("external reference", *(comparable(getattr(one, name, None)) for name in _REFERENCE)) for one in references
    ]
