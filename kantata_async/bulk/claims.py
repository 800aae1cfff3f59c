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
    """Lets rows with the same key be settled one batch after the other, in their order, however many are under way.

    Otherwise an object that one row was created with could be found for the other before its answer is there, and of
    two changes of one object the earlier row's could come last.
    """

    def __init__(self) -> None:
        self._last: Final[dict[Hashable, asyncio.Event]] = {}

    @asynccontextmanager
    async def of(self, keys: Iterable[Hashable]) -> AsyncGenerator[None, None]:
        """Wait until all who asked before are done with these keys; whoever asks after this waits until the block ends.

        Who is interrupted while waiting lets those go that wait for it: an interruption ends the whole write.
        """
        wanted = set(keys)
        done = asyncio.Event()
        before = {self._last[key] for key in wanted if key in self._last}
        self._last.update(dict.fromkeys(wanted, done))
        try:
            for earlier in before:
                await earlier.wait()
            yield
        finally:
            done.set()
            for key in wanted:
                if self._last.get(key) is done:
                    del self._last[key]
