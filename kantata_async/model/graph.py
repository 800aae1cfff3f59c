"""Linked objects: those of one answer, or of several.

Pure: no I/O, no event loop. What came in an envelope becomes entities, each one Python object, that hold those they
refer to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import attrs

from ..errors import UsageError
from .association import Association
from .attributes import Note
from .entity_class import Entity
from .json_values import Ref, brief_repr, brief_text
from .provenance import AskedFor, Origin
from .storing import complete, link, linked, set_origin

E = TypeVar("E", bound=Entity)


@attrs.frozen
class Unresolved:
    """An object that an included association names and the answer lacks: deleted, or hidden from the caller."""

    entity: Entity
    association: str
    target: Ref


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
        held = ", ".join(f"{len(objects)} {brief_text(key)}" for key, objects in self._objects.items())
        return f"<Graph {held or 'empty'}>"

    def get(self, kind: type[E], id: str | int) -> E | None:
        """The entity of a class by its id; None when the graph does not hold it.

        Raises:
            UsageError: the class is none of an entity, or the id is neither text nor a number.
        """
        if not isinstance(id, str | int):
            raise UsageError(f"an entity is found by its id, which is text or a number, not {brief_repr(id)}")
        # A number of thousands of digits has no text of its own.
        found = self._of(kind).get(id if isinstance(id, str) else brief_repr(id))
        return found if isinstance(found, kind) else None

    def all(self, kind: type[E]) -> list[E]:
        """Every entity of a class, matches and associated ones, in the order they came."""
        return [one for one in self._of(kind).values() if isinstance(one, kind)]

    def _of(self, kind: object) -> Mapping[str, Entity]:
        """The objects of a class's collection, by id.

        Raises:
            UsageError: it is the class of no entity.
        """
        if not isinstance(kind, type) or not issubclass(kind, Entity):
            raise UsageError(f"entities are found by their class, such as User, not by {brief_repr(kind)}")
        return self._objects.get(kind.collection, {})

    def collection(self, key: str) -> list[Entity]:
        """Every object of a top-level collection, also of one that the catalogue does not know."""
        return list(self._objects.get(key, {}).values())

    def find(self, target: Ref) -> Entity | None:
        """The object that a reference names; None when the graph does not hold it."""
        return self._objects.get(target.key, {}).get(target.id)

    @property
    def by_id(self) -> Mapping[str, Mapping[str, Entity]]:
        """Every object, by its collection and its id there."""
        return self._objects

    def add(self, key: str, entities: dict[str, Entity]) -> None:
        """Take in new objects of a collection, by id; the graph keeps the dict where it held none of these before."""
        held = self._objects.setdefault(key, entities)
        if held is not entities:
            held.update(entities)

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

    def mark_asked(self, entities: Iterable[Entity], association: str) -> None:
        """Note that an association was fetched for these entities: what is still missing reads as None now."""
        asked = [(one.collection, [one.id]) for one in entities]
        self.origin.requests.append(AskedFor(asked, frozenset({association})))

    def asked_for(self, entity: Entity, association: Association, key: str) -> bool:
        """Whether this association of an entity, to objects of the collection `key`, was asked for."""
        return self.origin.asked_for(entity, association, key)

    def note_sent(self, entities: Iterable[Entity]) -> None:
        """Remember that these were sent, although they are not linked, for objects that outlive the graph."""
        self.origin.sent.update(Ref(one.collection, one.id) for one in entities)

    def keep(self) -> None:
        """Keep the graph alive as long as any of its objects, so that later loads are linked to earlier ones."""
        self.origin.keep(self)

    def adopt(self, entities: Iterable[Entity]) -> None:
        """Take in entities that outlived their graph, all that they are linked to, and what was asked for them.

        One that is here already as another Python object, which came in another answer, stays beside it as its twin.
        """
        adopted: dict[Any, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        waiting = list(entities)
        while waiting:
            one = waiting.pop()
            if one._origin is self.origin:
                continue
            adopted[one._origin][one.collection].add(one.id)
            set_origin(one, self.origin)
            held = self._objects.setdefault(one.collection, {}).setdefault(one.id, one)
            if held is not one:
                complete(held, one)
                complete(one, held)
                self._twins.append(one)
            self._unlinked += [one, held]
            waiting.extend(linked(one))
        for origin, ids in adopted.items():
            about_them = [request.about(ids) for request in origin.requests]
            self.origin.requests += [request for request in about_them if request is not None]
            self.origin.sent |= origin.sent

    def link(self) -> None:
        """Link the objects to those that came after them; what was absorbed last is linked among itself already."""
        for twin in self._twins:
            complete(twin, self._objects[twin.collection][twin.id])
        waiting = {id(one): one for one in (*self._unlinked, *self._twins)}.values()
        self._unlinked = [one for one in waiting if not link(one, self)]

    def await_links(self, entities: Iterable[Entity]) -> None:
        """Note entities that refer to objects that are not here yet."""
        self._unlinked += entities

    def link_now(self, entities: Iterable[Entity]) -> None:
        """Link entities to the objects of the graph; those that lack something wait for it."""
        self._unlinked += [one for one in entities if not link(one, self)]


def graphs_of(entities: Iterable[Entity]) -> list[Graph]:
    """The graphs that entities are in; entities that outlived theirs are taken in by a new one, which is kept.

    Raises:
        UsageError: an entity was made by `from_dict` and is in no graph.
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


def _known_targets(entity: Entity, association: Association) -> tuple[Ref, ...]:
    try:
        return association.targets(entity)
    except AttributeError:
        return ()
