"""Which ids have come already: a list is read while it changes, and an object may come on two pages."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import TypeVar

from ..model import Entity

E = TypeVar("E", bound=Entity)
T = TypeVar("T")

_BLOCK = 1024
_ID = attrgetter("id")


class SeenIds:
    """The ids that have come: as texts while they are few, which is quicker; beyond that, numeric ones as bits.

    A million neighbouring ids take some 200 kB that way.
    """

    def __init__(self, most_texts: int = 20_000) -> None:
        self._most_texts = most_texts
        self._texts: set[str] = set()
        self._bits: dict[int, int] = {}
        self._packed = False

    def new_of(self, entities: Sequence[E]) -> Sequence[E]:
        """The entities whose ids come for the first time, which are noted."""
        return self._new(entities, list(map(_ID, entities)))

    def new_ids(self, ids: Sequence[str]) -> Sequence[str]:
        """The ids that come for the first time, which are noted."""
        return self._new(ids, ids)

    def _new(self, come: Sequence[T], ids: Sequence[str]) -> Sequence[T]:
        if len(self._texts) > self._most_texts and not self._packed:
            self._pack()
        new = set(ids)
        if self._packed or len(new) < len(ids) or not self._texts.isdisjoint(new):
            return [one for one, id in zip(come, ids, strict=True) if self._add(id)]
        self._texts |= new
        return come

    def add(self, id: str) -> bool:
        """Whether an id comes for the first time; it is noted."""
        if len(self._texts) > self._most_texts and not self._packed:
            self._pack()
        return self._add(id)

    def __contains__(self, id: str) -> bool:
        if not self._is_packed(id):
            return id in self._texts
        block, bit = divmod(int(id), _BLOCK)
        return bool(self._bits.get(block, 0) >> bit & 1)

    def _is_packed(self, id: str) -> bool:
        return self._packed and id.isascii() and id.isdigit() and (len(id) == 1 or id[0] != "0")

    def _add(self, id: str) -> bool:
        if not self._is_packed(id):
            new = id not in self._texts
            self._texts.add(id)
            return new
        block, bit = divmod(int(id), _BLOCK)
        held = self._bits.get(block, 0)
        self._bits[block] = held | 1 << bit
        return not held >> bit & 1

    def _pack(self) -> None:
        texts, self._texts, self._packed = self._texts, set(), True
        for id in texts:
            self._add(id)
