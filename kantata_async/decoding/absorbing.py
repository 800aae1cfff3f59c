"""An answer taken into a graph: entities are made of its objects, each one Python object, and linked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import attrs
import msgspec

from ..model import AskedFor, Entity, Graph, Matches, Note, begin, ids_by_collection, plain_copy, store, unlink
from .compiled import Unlinked, ValuesOf
from .envelope import Envelope
from .object_layout import ObjectLayout
from .object_values import Objects


@attrs.define
class _ObjectsOfClass:
    """Objects of one class that an answer carries.

    Attributes:
        key: of their collection.
        values_of: gives the values of one of the objects.
        new: those that the graph did not hold, by id.
        begun: the entities begun for these, in the same order.
        known: the entities that it held, by id.
    """

    key: str
    objects: Objects
    values_of: ValuesOf
    new: Mapping[str, Any]
    begun: Collection[Entity]
    known: Mapping[str, Entity]


def absorb(graph: Graph, envelope: Envelope, includes: Iterable[str] | None = None) -> list[Entity]:
    """The matches of an answer, in order, once its objects have been taken into a graph.

    `includes` are the associations that the request asked for, None when that is not known.
    """
    parts = [_begin(graph, key, objects) for key, runs in envelope.collections.items() for objects in runs]
    unlinked = Unlinked()
    for part in parts:
        _finish(part, graph, unlinked)
    by_id = graph.by_id
    items: list[Entity] = []
    for key, ids in envelope.matches:
        items += map(by_id[key].__getitem__, ids)
    graph.origin.requests.append(_asked_for(envelope, includes))
    graph.await_links(unlinked.entirely)
    if unlinked.partly:
        graph.link_now(unlinked.partly)
    return items


def _begin(graph: Graph, key: str, objects: Objects) -> _ObjectsOfClass:
    """Make room for the objects that the graph does not hold yet, so that others can be linked to them."""
    held = graph.by_id.get(key, {})
    known = {id: held[id] for id in objects.by_id.keys() & held.keys()} if held else {}
    new = {id: one for id, one in objects.by_id.items() if id not in known} if known else objects.by_id
    cls, values_of = objects.layout.cls, objects.values_of
    if cls.each_names_collection:
        begun = {id: begin(cls, id, graph.origin, key) for id in new}
    else:
        begun = objects.layout.begin(new, values_of, graph.origin)
    graph.add(key, begun)
    return _ObjectsOfClass(key, objects, values_of, new, begun.values(), known)


def _finish(part: _ObjectsOfClass, graph: Graph, unlinked: Unlinked) -> None:
    """Complete the entities that were begun, and renew those that the graph held."""
    objects, values_of = part.objects, part.values_of
    objects.layout.finish(part.begun, part.new.values(), values_of, graph.by_id, unlinked)
    for id, entity in part.known.items():
        _renew(entity, objects.layout, values_of(objects.by_id[id]), graph.notes, unlinked)
    for id, unknown in objects.beside.items():
        store(graph.by_id[part.key][id], unknown)
    graph.notes += objects.notes


def _renew(
    entity: Entity, layout: ObjectLayout, values: tuple[Any, ...], notes: list[Note], unlinked: Unlinked
) -> None:
    """Store what an object carries over what its entity does."""
    sent = {name: value for name, value in zip(layout.names, values, strict=True) if value is not msgspec.UNSET}
    if type(entity) is not layout.cls:
        sent = _as_attributes_of(entity, layout, sent, notes)
    unlink(entity, sent)
    store(entity, sent)
    if not type(entity).links.keys().isdisjoint(sent):
        unlinked.partly.append(entity)


def _as_attributes_of(
    entity: Entity, layout: ObjectLayout, sent: Mapping[str, Any], notes: list[Note]
) -> dict[str, Any]:
    """Values read as those of another class, read again as those of the class that the entity already has."""
    read: dict[str, Any] = {}
    for name, value in sent.items():
        attribute = type(entity).attributes.get(name)
        if attribute == layout.cls.attributes.get(name):
            read[name] = value
        elif attribute is None:
            read[name] = plain_copy(value)
        else:
            read[name], fault = attribute.reading(plain_copy(value))
            if fault is not None:
                notes.append(Note(entity.collection, entity.id, name, value, fault))
    return read


def _asked_for(envelope: Envelope, includes: Iterable[str] | None) -> AskedFor:
    if includes is not None:
        asked = AskedFor(envelope.matches, frozenset(includes), response=envelope.response)
        if envelope.response is not None:
            asked.beside = _beside(envelope)
        return asked
    matched = ids_by_collection(envelope.matches)
    sizes = {key: sum(len(objects.by_id) for objects in runs) for key, runs in envelope.collections.items()}
    beside = (key for key, size in sizes.items() if key not in matched or size > len(matched[key]))
    return AskedFor(envelope.matches, None, frozenset(beside))


def _beside(envelope: Envelope) -> Matches:
    """The ids of the objects of the collections that hold more than matches."""
    matched: dict[str, int] = {}
    for key, ids in envelope.matches:
        matched[key] = matched.get(key, 0) + len(ids)
    return [
        (key, tuple(objects.by_id))
        for key, runs in envelope.collections.items()
        for objects in runs
        if len(objects.by_id) > matched.get(key, 0)
    ]
