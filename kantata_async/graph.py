"""Envelopes in, linked entities out: pure, no I/O, no event loop.

An answer is `{"count", "results": [{"key", "id"}], "<collection>": {"<id>": {…}}, "meta"}`. `results` alone says which
objects matched and in which order; a collection mixes matches with associated objects of the same kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Generic, TypeAlias, TypeVar

import attrs
import orjson

from .entity import (
    Association,
    Entity,
    Note,
    Ref,
    UnknownEntity,
    build,
    build_unknown,
    fill,
    not_included,
    read_id,
    told,
)
from .errors import InvalidResponseError, UsageError
from .shape import build_all

E = TypeVar("E", bound=Entity)
E_co = TypeVar("E_co", bound=Entity, covariant=True)

ClassOf = Callable[[str], type[Entity] | None]
"""The entity class of a collection; None for one that the catalogue does not know."""

Matches: TypeAlias = Sequence[tuple[str, Sequence[str]]]
"""What matched, in order: the ids of each run of objects of the same collection."""

_RESERVED: Final = frozenset({"count", "results", "meta"})
_OBJECTS: Final = {dict}
_TEXTS: Final = {str}
_KEY: Final = itemgetter("key")
_ID: Final = itemgetter("id")


@attrs.frozen
class Meta:
    """What the answer says about paging; None where it says nothing."""

    count: int | None = None
    page_count: int | None = None
    page_number: int | None = None
    page_size: int | None = None


@attrs.frozen
class Envelope:
    """An answer taken apart and checked: the matches in order and their ids by collection, all objects, the rest."""

    matches: Matches
    ids: Mapping[str, AbstractSet[str]]
    collections: Mapping[str, Mapping[str, Mapping[str, Any]]]
    meta: Meta
    extra: Mapping[str, Any]


@attrs.frozen
class Unresolved:
    """An object that an included association names and the answer lacks: deleted, or hidden from the caller."""

    entity: Entity
    association: str
    target: Ref


@attrs.frozen
class Page(Generic[E_co]):
    """One answer: the entities that matched, in the API's order, and the graph that links them to the rest.

    `count` is the number of matches on all pages, None where the answer does not say; `extra` holds top-level values
    that are no collection.
    """

    items: Sequence[E_co]
    meta: Meta
    graph: Graph
    extra: Mapping[str, Any]

    @property
    def count(self) -> int | None:
        """The number of matches on all pages."""
        return self.meta.count


def parse(payload: bytes | bytearray | memoryview | str) -> Any:
    """Decode JSON. Raises InvalidResponseError saying where it stops being JSON."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise InvalidResponseError(f"the answer is not JSON: {error}") from None


def open_envelope(payload: Any, class_of: ClassOf) -> Envelope:
    """Check a decoded answer and take it apart. Raises InvalidResponseError saying what is wrong with it."""
    if not isinstance(payload, Mapping):
        raise InvalidResponseError(f"an object with results was expected, not {_kind(payload)}")
    results = payload.get("results")
    if not isinstance(results, list):
        raise InvalidResponseError(f"results should be a list, not {_kind(results)}")
    matches = _matches(results)
    ids = _by_collection(matches)
    collections: dict[str, Mapping[str, Mapping[str, Any]]] = {}
    extra: dict[str, Any] = {}
    for key, value in payload.items():
        if key in _RESERVED:
            continue
        if key in ids or (class_of(key) is not None and not _lists_errors(key, value)) or _looks_like_objects(value):
            collections[key] = _objects(key, value)
        else:
            extra[key] = value
    for key, named in ids.items():
        if not collections.get(key, {}).keys() >= named:
            absent = min(named - collections.get(key, {}).keys())
            raise InvalidResponseError(f"results names {key} {absent}, and the answer has no such object")
    return Envelope(matches, ids, collections, _meta(payload), extra)


def _lists_errors(key: str, value: Any) -> bool:
    """Whether this is what an answer says of errors beside its objects; the definition Error has the same key."""
    return key == "errors" and isinstance(value, list)


def _looks_like_objects(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(one, dict) for one in value.values())


def _matches(results: list[Any]) -> Matches:
    return _plain_matches(results) or [(ref.key, [ref.id]) for ref in map(_match, results)]


def _plain_matches(results: list[Any]) -> Matches | None:
    """The matches where all of them are told in the plainest way; None where they are not."""
    try:
        matches = [(key, list(map(_ID, run))) for key, run in groupby(results, _KEY)]
    except (LookupError, TypeError):
        return None
    told = [text for key, ids in matches for text in (key, *ids)]
    plain = set(map(type, results)) <= _OBJECTS and set(map(type, told)) <= _TEXTS
    return matches if plain else None


def _match(result: Any) -> Ref:
    if not isinstance(result, dict) or not isinstance(result.get("key"), str):
        raise InvalidResponseError(f"a result should be an object with key and id, not {_kind(result)}")
    try:
        return Ref(result["key"], read_id(result.get("id")))
    except TypeError as error:
        raise InvalidResponseError(f"a result of {result['key']}: {error}") from None


def _by_collection(matches: Matches) -> dict[str, set[str]]:
    by_collection: dict[str, set[str]] = defaultdict(set)
    for key, ids in matches:
        by_collection[key].update(ids)
    return dict(by_collection)


def _objects(key: str, value: Any) -> Mapping[str, Mapping[str, Any]]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidResponseError(f"{key} should map ids to objects, not be {_kind(value)}")
    if not _name_themselves(value):
        _check_objects(key, value)
    return value


def _name_themselves(objects: dict[Any, Any]) -> bool:
    """Whether these are objects that say the id under which they are, all of them in the plainest way."""
    if not (set(map(type, objects.values())) <= _OBJECTS and set(map(type, objects)) <= _TEXTS):
        return False
    try:
        return list(map(_ID, objects.values())) == list(objects)
    except LookupError:
        return False


def _check_objects(key: str, value: dict[Any, Any]) -> None:
    for id, one in value.items():
        if not isinstance(id, str):
            raise InvalidResponseError(f"{key} should map ids to objects, and ids are strings, not {_kind(id)}")
        if not isinstance(one, dict):
            raise InvalidResponseError(f"{key} {id} should be an object, not {_kind(one)}")
        own = one.get("id", id)
        if own != id and not _spells(own, id):
            raise InvalidResponseError(f"{key} {id} says that its id is {told(own)}")


def _spells(value: Any, id: str) -> bool:
    try:
        return read_id(value) == id
    except TypeError:
        return False


def _meta(payload: Mapping[str, Any]) -> Meta:
    meta = payload.get("meta")
    if meta is None:
        meta = {}
    if not isinstance(meta, dict):
        raise InvalidResponseError(f"meta should be an object, not {_kind(meta)}")
    count = _number("count", payload.get("count"))
    return Meta(
        count=_number("meta.count", meta.get("count")) if count is None else count,
        page_count=_number("meta.page_count", meta.get("page_count")),
        page_number=_number("meta.page_number", meta.get("page_number")),
        page_size=_number("meta.page_size", meta.get("page_size")),
    )


def _number(name: str, value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise InvalidResponseError(f"{name} should be a whole number, not {_kind(value)}")


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {told(value)}"


@attrs.frozen
class _Answer:
    """What one answer was asked to include, and for whom: reading a missing object depends on it."""

    matches: Mapping[str, AbstractSet[str]]
    includes: frozenset[str] | None
    """None: not known (an answer that somebody else fetched)."""
    supplied: frozenset[str]
    """The collections that carry objects beside the matches."""

    def asked_for(self, entity: Entity, association: Association[Any], key: str) -> bool:
        if entity.id not in self.matches.get(entity.collection, ()):
            return False
        return key in self.supplied if self.includes is None else association.name in self.includes


class Graph:
    """The objects of one answer or of several, one Python object each, linked by their associations.

    It grows when associations are fetched after the fact; an object that comes again keeps its identity and takes on
    what the new answer carries.
    """

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, Entity]] = {}
        self._answers: list[_Answer] = []
        self.notes: list[Note] = []
        """The attributes that could not be read as the catalogue says, kept as they came."""

    def __len__(self) -> int:
        return sum(map(len, self._objects.values()))

    def __iter__(self) -> Iterator[Entity]:
        for objects in self._objects.values():
            yield from objects.values()

    def __repr__(self) -> str:
        held = ", ".join(f"{len(objects)} {key}" for key, objects in self._objects.items())
        return f"<Graph {held or 'empty'}>"

    def get(self, kind: type[E], id: str | int) -> E | None:
        """The entity of a class by its id; None when the graph does not hold it."""
        found = self._objects.get(kind.collection, {}).get(str(id))
        return found if isinstance(found, kind) else None

    def all(self, kind: type[E]) -> list[E]:
        """Every entity of a class, matches and associated ones, in the order they came."""
        return [one for one in self._objects.get(kind.collection, {}).values() if isinstance(one, kind)]

    def collection(self, key: str) -> list[Entity]:
        """Every object of a top-level collection, also of one that the catalogue does not know."""
        return list(self._objects.get(key, {}).values())

    def find(self, target: Ref) -> Entity | None:
        """The object that a reference names; None when the graph does not hold it."""
        return self._objects.get(target.key, {}).get(target.id)

    @property
    def unresolved(self) -> list[Unresolved]:
        """The objects that included associations name and no answer carried; these read as None."""
        return [
            Unresolved(entity, association.name, target)
            for entity in self
            for association in entity.associations.values()
            for target in _known_targets(entity, association)
            if self.find(target) is None and self.asked_for(entity, association, target.key)
        ]

    def resolve(self, entity: Entity, association: Association[Any], target: Ref) -> Entity | None:
        """The object that `target` names, for reading an association of `entity`.

        None when the association was included and the object was not sent all the same. Raises NotLoadedError when the
        association was not asked for.
        """
        found = self._objects.get(target.key, {}).get(target.id)
        if found is None and not self.asked_for(entity, association, target.key):
            raise not_included(entity, association, target)
        return found

    def asked_for(self, entity: Entity, association: Association[Any], key: str) -> bool:
        """Whether any answer was to include this association of this entity."""
        return any(answer.asked_for(entity, association, key) for answer in self._answers)

    def mark_asked(self, entities: Iterable[Entity], association: str) -> None:
        """Note that an association was fetched for these entities: what is still missing reads as None from now on."""
        asked = _by_collection([(entity.collection, [entity.id]) for entity in entities])
        self._answers.append(_Answer(asked, frozenset({association}), frozenset()))

    def absorb(self, envelope: Envelope, class_of: ClassOf, includes: Iterable[str] | None = None) -> list[Entity]:
        """Take in the objects of an answer; gives its matches, in order.

        `includes` are the associations that the request asked for, None when that is not known.
        """
        narrowed = _narrowed(envelope, class_of)
        for key, objects in envelope.collections.items():
            self._absorb_collection(key, objects, class_of(key), narrowed.get(key, {}))
        self._answers.append(_answer(envelope, includes))
        objects = self._objects
        return [objects[key][id] for key, ids in envelope.matches for id in ids]

    def _absorb_collection(
        self,
        key: str,
        objects: Mapping[str, Mapping[str, Any]],
        cls: type[Entity] | None,
        narrowed: Mapping[str, type[Entity]],
    ) -> None:
        held = self._objects.setdefault(key, {})
        known = held.keys() & objects.keys()
        for id in known:
            self.notes += fill(held[id], id, objects[id])
        new = {id: raw for id, raw in objects.items() if id not in known} if known else objects
        if cls is not None and not narrowed:
            self.notes += build_all(cls, new, self, held)
            return
        for id, raw in new.items():
            if cls is None:
                held[id], notes = build_unknown(key, id, raw, self, UnknownEntity)
            else:
                held[id], notes = build(narrowed.get(id, cls), id, raw, self)
            self.notes += notes


def graph_of(entity: Entity) -> Graph:
    """The graph that an entity is in. Raises UsageError for one that `from_dict` made: it is in none."""
    graph = entity._graph
    if not isinstance(graph, Graph):
        raise UsageError(f"{entity!r} was made by from_dict: there is no graph to load its associations into")
    return graph


def _answer(envelope: Envelope, includes: Iterable[str] | None) -> _Answer:
    return _Answer(
        matches=envelope.ids,
        includes=None if includes is None else frozenset(includes),
        supplied=frozenset(
            key
            for key, objects in envelope.collections.items()
            if key not in envelope.ids or len(objects) > len(envelope.ids[key])
        ),
    )


def _known_targets(entity: Entity, association: Association[Any]) -> tuple[Ref, ...]:
    try:
        return association.targets(entity)
    except AttributeError:
        return ()


def _narrowed(envelope: Envelope, class_of: ClassOf) -> dict[str, dict[str, type[Entity]]]:
    """The objects whose class an association tells more closely than their collection, such as an expense's receipt.

    By collection and id.
    """
    narrowed: dict[str, dict[str, type[Entity]]] = {}
    for key, objects in envelope.collections.items():
        cls = class_of(key)
        for association in cls.narrowing if cls is not None else ():
            if association.key is None or association.variant is None or association.key not in envelope.collections:
                continue  # before the class of the other collection is loaded for nothing
            target = class_of(association.key)
            if target is None:
                continue
            variant = target.variants[association.variant]
            ids = narrowed.setdefault(target.collection, {})
            for raw in objects.values():
                for id in _ids_in(raw.get(association.ref)):
                    ids.setdefault(id, variant)
    return narrowed


def _ids_in(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        with suppress(TypeError):
            yield read_id(one)


def read_page(
    payload: Any, class_of: ClassOf, *, includes: Iterable[str] | None = None, graph: Graph | None = None
) -> Page[Entity]:
    """Make the page of a decoded answer, in a graph of its own unless one is given to grow.

    Raises InvalidResponseError saying what is wrong with the envelope.
    """
    envelope = open_envelope(payload, class_of)
    graph = Graph() if graph is None else graph
    return Page(graph.absorb(envelope, class_of, includes), envelope.meta, graph, envelope.extra)
