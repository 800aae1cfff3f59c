"""What an object knows of where it came from: what was asked for with it, and its graph, as long as there is one.

Objects hold those that they are linked to, and a graph holds its objects; no object holds its graph. So no graph is
in a reference cycle, and what a program lets go of is freed at once, without the garbage collector. Only where more
was loaded after the fact the graph is kept, so that what comes later is linked to what came before.
"""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import attrs

from ..response import Response
from .association import Association, Owner, not_included
from .json_values import Ref

Matches: TypeAlias = Sequence[tuple[str, Sequence[str]]]
"""What matched, in order: the ids of each run of objects of the same collection."""


def ids_by_collection(matches: Matches) -> dict[str, set[str]]:
    """The ids of all runs of a collection together."""
    ids: dict[str, set[str]] = defaultdict(set)
    for key, run in matches:
        ids[key].update(run)
    return dict(ids)


@attrs.define
class AskedFor:
    """What one request asked to include, and for which objects: reading a missing object depends on it."""

    matches: Matches
    includes: frozenset[str] | None
    """None where it is unknown, as for an answer that was fetched elsewhere."""
    supplied: frozenset[str] = frozenset()
    """Where that is not known: the collections that carry objects beside the matches."""
    response: Response | None = None
    beside: Matches = ()
    """Where there is a response: the objects of the collections that carried more than the matches."""

    def covers(self, owner: Owner, association: Association, key: str) -> bool:
        """Whether it asked for this association of this object, whose target is of the collection `key`."""
        if owner.id not in self._matched.get(owner.collection, ()):
            return False
        return key in self.supplied if self.includes is None else association.name in self.includes

    def about(self, ids: Mapping[str, AbstractSet[str]]) -> AskedFor | None:
        """What it asked for these objects, by collection; None where it was not about them."""
        matches = [(key, list(ids[key] & matched)) for key, matched in self._matched.items() if key in ids]
        beside = [(key, [id for id in came if id in ids[key]]) for key, came in self.beside if key in ids]
        there = any(found for _, found in (*matches, *beside))
        return attrs.evolve(self, matches=matches, beside=beside) if there else None

    def brought(self, owner: Owner) -> bool:
        """Whether its answer carried this object."""
        return owner.id in self._matched.get(owner.collection, ()) or any(
            key == owner.collection and owner.id in came for key, came in self.beside
        )

    @cached_property
    def _matched(self) -> Mapping[str, AbstractSet[str]]:
        """The matches as sets, which few are ever asked for."""
        return ids_by_collection(self.matches)


class Holder(Protocol):
    """What holds objects: a graph."""

    def find(self, target: Ref) -> Any:
        """The object that a reference names; None when it does not hold it."""
        ...


class Origin:
    """Where the objects of a graph came from; it outlives the graph.

    Attributes:
        requests: that brought these objects, and what each asked for.
        sent: what is known to have been sent although nothing is linked to it: an association with many lacked others.
        heir: the graph that takes in the objects that outlived their own.
    """

    __slots__ = ("_holder", "heir", "requests", "sent")

    def __init__(self) -> None:
        self.requests: list[AskedFor] = []
        self.sent: set[Ref] = set()
        self.heir: Holder | None = None
        self._holder: Callable[[], Holder | None] = _nothing

    @property
    def holder(self) -> Holder | None:
        """The graph, if there still is one."""
        return self._holder()

    def held_by(self, holder: Holder) -> None:
        """Note which graph it is that holds the objects, without keeping it."""
        self._holder = weakref.ref(holder)

    def keep(self, holder: Holder) -> None:
        """Keep the graph for as long as any of its objects is there."""
        self._holder = lambda: holder

    def __getstate__(self) -> tuple[list[AskedFor], set[Ref]]:
        return self.requests, self.sent

    def __setstate__(self, state: tuple[list[AskedFor], set[Ref]]) -> None:
        self.__init__()  # type: ignore[misc]
        self.requests, self.sent = state

    def asked_for(self, owner: Owner, association: Association, key: str) -> bool:
        """Whether any request asked for this association of this object."""
        return any(request.covers(owner, association, key) for request in self.requests)

    def response_of(self, owner: Owner) -> Response | None:
        """See `Links.response_of`."""
        for request in reversed(self.requests):
            if request.response is not None and request.brought(owner):
                return request.response
        return None

    def was_sent(self, target: Ref) -> bool:
        """See `Links.was_sent`."""
        return target in self.sent or self._find(target) is not None

    def resolve(self, owner: Owner, association: Association, target: Ref) -> Any:
        """See `Links.resolve`."""
        found = self._find(target)
        if found is None and not self.asked_for(owner, association, target.key):
            raise not_included(owner, association, target)
        return found

    def _find(self, target: Ref) -> Any:
        holder = self.holder
        return None if holder is None else holder.find(target)


def _nothing() -> None:
    return None
