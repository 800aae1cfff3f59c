"""An answer taken into a graph: entities are made of its objects, each one Python object, and linked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import attrs

from ..model import Answer, Entity, Graph, ids_by_collection
from .careful import Maker, Rest
from .envelope import Envelope


@attrs.define
class _Part:
    """The objects of one collection that an answer carries."""

    maker: Maker
    begun: Collection[Entity]
    new: Collection[Any]
    """What the entities begun are to be, in the same order."""
    known: Sequence[tuple[Entity, Any]]
    """What was in the graph before, and what there is of it now."""


def absorb(graph: Graph, envelope: Envelope, includes: Iterable[str] | None = None) -> list[Entity]:
    """Take the objects of an answer into a graph; gives its matches, in order.

    `includes` are the associations that the request asked for, None when that is not known.
    """
    makers = envelope.makers
    rest = Rest()
    parts = [_begin(graph, key, objects, makers[key], rest) for key, objects in envelope.collections.items()]
    for part in parts:
        part.maker.read(part.begun, part.new, graph.objects, rest)
        for entity, one in part.known:
            part.maker.renew(entity, one, rest)
    items = list(chain.from_iterable(map(graph.objects[key].__getitem__, ids) for key, ids in envelope.matches))
    graph.origin.answers.append(_answer(envelope, includes))
    graph.notes += rest.notes
    graph.await_links(rest.unlinked)
    if rest.partly:
        graph.link_now(rest.partly)
    return items


def _begin(graph: Graph, key: str, objects: Mapping[str, Any], maker: Maker, rest: Rest) -> _Part:
    """Make room for the objects that the graph does not hold yet, so that others can be linked to them."""
    held = graph.objects.get(key)
    if not held:
        begun = graph.objects[key] = maker.begin(objects, graph.origin, rest)
        return _Part(maker, begun.values(), objects.values(), ())
    known = objects.keys() & held.keys()
    new = {id: one for id, one in objects.items() if id not in known} if known else objects
    begun = maker.begin(new, graph.origin, rest)
    held.update(begun)
    return _Part(maker, begun.values(), new.values(), [(held[id], objects[id]) for id in known])


def _answer(envelope: Envelope, includes: Iterable[str] | None) -> Answer:
    if includes is not None:
        return Answer(envelope.matches, frozenset(includes))
    matched = ids_by_collection(envelope.matches)
    beside = (
        key for key, objects in envelope.collections.items() if key not in matched or len(objects) > len(matched[key])
    )
    return Answer(envelope.matches, None, frozenset(beside))
