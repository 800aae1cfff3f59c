"""Entities carried elsewhere, by pickle or as a deep copy, together with all that they are linked to.

An entity is carried as its place in a snapshot, and a snapshot holds everything that can be reached from the first
entity asked for, side by side. So a chain of entities may be longer than Python lets calls go deep. What one dump has
carried already is not carried again: pickle and deepcopy keep each snapshot until they are done, and as long as it is
there, what it holds is carried as part of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from operator import getitem
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from weakref import WeakValueDictionary

import attrs

from .association import Links
from .nesting import flattened, restored
from .storing import ABSENT, begin, link_to, linked, links_of, slot, store

if TYPE_CHECKING:
    from .entity_class import Entity


class EntityRecord(NamedTuple):
    """One entity as plain data, but for its class and its origin.

    Attributes:
        collection: None where the class names it.
        values: of its attributes as read, unknown ones too, laid out flat.
        links: to entities, by association: each as the snapshot that holds it (None: the same) and its place there.
    """

    cls: type[Entity]
    collection: str | None
    id: str
    origin: Links
    values: dict[str, Any]
    links: dict[str, Any]


class _Current(threading.local):
    """The snapshots that are there, by the ids of the Python objects that they hold."""

    def __init__(self) -> None:
        self.snapshots: WeakValueDictionary[int, Snapshot] = WeakValueDictionary()


@attrs.define(eq=False, weakref_slot=True)
class Snapshot:
    """Entities side by side; `places` are theirs, by the ids of the Python objects; `number` counts the snapshots."""

    _current: ClassVar[_Current] = _Current()
    _numbers: ClassVar[Iterator[int]] = count()

    entities: list[Entity]
    places: dict[int, int]
    number: int = attrs.field(init=False, factory=lambda: next(Snapshot._numbers))

    @classmethod
    def holding(cls, entity: Entity) -> Snapshot:
        """The snapshot that holds an entity; unless there is one, a new one of all that can be reached from it."""
        there = cls._current.snapshots.get(id(entity))
        if there is not None:
            return there
        snapshot = cls([], {})
        snapshot._take(entity)
        snapshot._take_linked()
        return snapshot

    def _take(self, entity: Entity) -> None:
        self.places[id(entity)] = len(self.entities)
        self.entities.append(entity)
        self._current.snapshots[id(entity)] = self

    def _take_linked(self) -> None:
        """Take in what can be reached, but for what is in an earlier snapshot: none holds another that holds it."""
        for entity in self.entities:
            for other in linked(entity):
                holder = self._current.snapshots.get(id(other))
                if id(other) not in self.places and (holder is None or holder.number > self.number):
                    self._take(other)

    def __reduce__(self) -> tuple[Callable[[list[EntityRecord]], list[Entity]], tuple[list[EntityRecord]]]:
        self._take_linked()  # objects may have been linked since, when a pickler goes on later
        return _entities_of, ([self._record(one) for one in self.entities],)

    def _record(self, entity: Entity) -> EntityRecord:
        values = {name: slot(entity, name) for name in type(entity).attributes}
        sent = {name: value for name, value in (values | dict(entity.extra)).items() if value is not ABSENT}
        return EntityRecord(
            type(entity),
            entity.collection if type(entity).each_names_collection else None,
            entity.id,
            entity._origin,
            {name: flattened(value) for name, value in sent.items()},
            {name: self._place_of(to) for name, to in links_of(entity)},
        )

    def _place_of(self, to: Entity | tuple[Entity, ...]) -> Any:
        if isinstance(to, tuple):
            return [self._place_of(one) for one in to]
        holder = self if id(to) in self.places else self._current.snapshots[id(to)]
        return None if holder is self else holder, holder.places[id(to)]


def carried(entity: Entity) -> tuple[Callable[[list[Entity], int], Entity], tuple[Snapshot, int]]:
    """What an entity is pickled as: a snapshot, which arrives as the list of its entities, and its place there."""
    snapshot = Snapshot.holding(entity)
    return getitem, (snapshot, snapshot.places[id(entity)])


def _entities_of(records: list[EntityRecord]) -> list[Entity]:
    """The entities of a snapshot, linked as the original ones."""
    entities = [begin(record.cls, record.id, record.origin, record.collection) for record in records]
    for entity, record in zip(entities, records, strict=True):
        store(entity, {name: restored(value) for name, value in record.values.items()})
        for name, to in record.links.items():
            link_to(entity, name, _linked_to(to, entities))
    return entities


def _linked_to(to: Any, entities: list[Entity]) -> Any:
    if isinstance(to, list):
        return tuple(_linked_to(one, entities) for one in to)
    others, place = to
    return (entities if others is None else others)[place]
