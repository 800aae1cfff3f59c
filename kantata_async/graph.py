"""Linked objects: those of one answer, or of several.

Pure: no I/O, no event loop. What came in an envelope becomes entities, each one Python object, that hold those they
refer to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, Generic, TypeVar, overload

import attrs

from .association import Association
from .entity import Entity, Note, complete, link, linked, settle
from .envelope import Envelope, Meta
from .errors import UsageError
from .maker import Maker, Rest
from .origin import Answer, Origin, ids_by_collection
from .reading import Ref

E = TypeVar("E", bound=Entity)
E_co = TypeVar("E_co", bound=Entity, covariant=True)


@attrs.frozen
class Unresolved:
    """An object that an included association names and the answer lacks: deleted, or hidden from the caller."""

    entity: Entity
    association: str
    target: Ref


@attrs.frozen
class Page(Generic[E_co]):
    """One answer: the entities that matched, in the API's order, and the graph that links them to the rest.

    A page iterates over its entities, counts them with `len` and is indexed like a list. `count` is the number of
    matches on all pages, None where the answer does not say; `extra` holds top-level values that are no collection.
    """

    items: Sequence[E_co]
    meta: Meta
    graph: Graph
    extra: Mapping[str, Any]

    def __iter__(self) -> Iterator[E_co]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> E_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[E_co]: ...
    def __getitem__(self, index: int | slice) -> E_co | Sequence[E_co]:
        return self.items[index]

    @property
    def count(self) -> int | None:
        """The number of matches on all pages."""
        return self.meta.count


@attrs.define
class _Part:
    """The objects of one collection that an answer carries."""

    maker: Maker
    begun: Collection[Entity]
    new: Collection[Any]
    """What the entities begun are to be, in the same order."""
    known: Sequence[tuple[Entity, Any]]
    """What was in the graph before, and what there is of it now."""


class Graph:
    """The objects of one answer or of several, one Python object each, linked by their associations.

    It grows when associations are fetched after the fact; an object that comes again keeps its identity and takes on
    what the new answer carries. The objects hold each other as far as they are linked, and live on without it.
    """

    def __init__(self) -> None:
        self.origin = Origin()
        """What its objects know of where they came from."""
        self.origin.held_by(self)
        self.notes: list[Note] = []
        """The attributes that could not be read as the catalogue says, kept as they came."""
        self._objects: dict[str, dict[str, Entity]] = {}
        self._unlinked: list[Entity] = []
        self._twins: list[Entity] = []

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.origin.held_by(self)

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
            if self.find(target) is None and self.origin.asked_for(entity, association, target.key)
        ]

    def mark_asked(self, entities: Iterable[Entity], association: str) -> None:
        """Note that an association was fetched for these entities: what is still missing reads as None from now on."""
        asked = [(one.collection, [one.id]) for one in entities]
        self.origin.answers.append(Answer(asked, frozenset({association})))

    def keep(self) -> None:
        """Live on for as long as any of its objects does: what is loaded later is linked to what was loaded before."""
        self.origin.keep(self)

    def adopt(self, entities: Iterable[Entity]) -> None:
        """Take in entities whose own graph is gone, all that they are linked to, and what their answers say of them.

        One that is here already as another Python object, which came in another answer, stays beside it as its twin.
        """
        adopted: dict[Any, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        waiting = list(entities)
        while waiting:
            one = waiting.pop()
            if one._origin is self.origin:
                continue
            adopted[one._origin][one.collection].add(one.id)
            settle(one, self.origin)
            held = self._objects.setdefault(one.collection, {}).setdefault(one.id, one)
            if held is not one:
                complete(held, one)
                complete(one, held)
                self._twins.append(one)
            self._unlinked += [one, held]
            waiting.extend(linked(one))
        for origin, ids in adopted.items():
            told = [answer.about(ids) for answer in origin.answers]
            self.origin.answers += [answer for answer in told if answer is not None]

    def link(self) -> None:
        """Link the objects to those that came after them; what was absorbed last is linked among itself already."""
        for twin in self._twins:
            complete(twin, self._objects[twin.collection][twin.id])
        waiting = {id(one): one for one in (*self._unlinked, *self._twins)}.values()
        self._unlinked = [one for one in waiting if not self._link(one)]

    def _link(self, entity: Entity) -> bool:
        return link(entity, self.find, partial(self.origin.asked_for, entity))

    def absorb(self, envelope: Envelope, includes: Iterable[str] | None = None) -> list[Entity]:
        """Take in the objects of an answer; gives its matches, in order.

        `includes` are the associations that the request asked for, None when that is not known.
        """
        makers = envelope.makers
        rest = Rest()
        parts = [self._begin(key, objects, makers[key], rest) for key, objects in envelope.collections.items()]
        for part in parts:
            part.maker.read(part.begun, part.new, self._objects, rest)
            for entity, one in part.known:
                part.maker.renew(entity, one, rest)
        items = list(chain.from_iterable(map(self._objects[key].__getitem__, ids) for key, ids in envelope.matches))
        self.origin.answers.append(_answer(envelope, includes))
        self.notes += rest.notes
        self._unlinked += rest.unlinked
        if rest.partly:
            self._unlinked += [one for one in rest.partly if not self._link(one)]
        return items

    def _begin(self, key: str, objects: Mapping[str, Any], maker: Maker, rest: Rest) -> _Part:
        """Make room for the objects that the graph does not hold yet, so that others can be linked to them."""
        held = self._objects.get(key)
        if not held:
            begun = self._objects[key] = maker.begin(objects, self.origin, rest)
            return _Part(maker, begun.values(), objects.values(), ())
        known = objects.keys() & held.keys()
        new = {id: one for id, one in objects.items() if id not in known} if known else objects
        begun = maker.begin(new, self.origin, rest)
        held.update(begun)
        return _Part(maker, begun.values(), new.values(), [(held[id], objects[id]) for id in known])


def graphs_of(entities: Iterable[Entity]) -> list[Graph]:
    """The graphs that entities are in; those whose graph is gone are taken in by a new one, which is kept.

    Raises UsageError for an entity that `from_dict` made: it is in none.
    """
    by_origin: dict[Origin, list[Entity]] = defaultdict(list)
    for entity in entities:
        if not isinstance(entity._origin, Origin):
            raise UsageError(f"{entity!r} was made by from_dict: there is no graph to load its associations into")
        by_origin[entity._origin].append(entity)
    return list({id(graph): graph for graph in (_graph_for(*group) for group in by_origin.items())}.values())


def _graph_for(origin: Origin, entities: Iterable[Entity]) -> Graph:
    graph = origin.holder
    if not isinstance(graph, Graph):
        graph = origin.heir if isinstance(origin.heir, Graph) else Graph()
        origin.heir = graph
        graph.keep()
        graph.adopt(entities)
    return graph


def graph_of(entity: Entity) -> Graph:
    """The graph that an entity is in: see `graphs_of`."""
    (graph,) = graphs_of([entity])
    return graph


def _answer(envelope: Envelope, includes: Iterable[str] | None) -> Answer:
    if includes is not None:
        return Answer(envelope.matches, frozenset(includes))
    matched = ids_by_collection(envelope.matches)
    beside = (
        key for key, objects in envelope.collections.items() if key not in matched or len(objects) > len(matched[key])
    )
    return Answer(envelope.matches, None, frozenset(beside))


def _known_targets(entity: Entity, association: Association) -> tuple[Ref, ...]:
    try:
        return association.targets(entity)
    except AttributeError:
        return ()
