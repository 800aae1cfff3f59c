"""What the rows of one bulk write may not share: an object belongs to one row, and a key is settled once at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from ..calls import SeenIds
from ..model import Entity


class Claims:
    """Which objects belong to a row of the call already."""

    def __init__(self) -> None:
        self._taken: Final = SeenIds()

    def take(self, entity: Entity) -> bool:
        """Claim an object for a row; whether no other row had claimed it."""
        return self._taken.add(entity.id)

    def take_all(self, entities: Sequence[Entity]) -> None:
        """Claim objects, each for its row."""
        self._taken.new_of(entities)

    def __contains__(self, entity: Entity) -> bool:
        return entity.id in self._taken


class KeyTurns:
    """Lets rows with the same key be settled one batch after the other, however many are under way.

    Otherwise an object that one row was created with could be found for the other before its answer is there.
    """

    def __init__(self) -> None:
        self._busy: Final[set[Hashable]] = set()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def of(self, keys: Iterable[Hashable]) -> AsyncGenerator[None, None]:
        """Wait until nobody else settles any of these keys, and keep others from it until the block ends."""
        wanted = set(keys)
        while not self._busy.isdisjoint(wanted):
            await self._freed.wait()
        self._busy.update(wanted)
        self._freed.clear()
        try:
            yield
        finally:
            self._busy.difference_update(wanted)
            self._freed.set()
