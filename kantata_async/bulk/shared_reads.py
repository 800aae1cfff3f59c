"""One reading of a place at a time: a caller that asks during a reading shares the next one with all others."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Final, Generic, TypeVar

import attrs

W = TypeVar("W")
R = TypeVar("R")


@attrs.define(eq=False)
class _Ordered(Generic[W, R]):
    """A reading that has not begun: what it is wanted for, and what it will give."""

    wanted: list[W]
    result: asyncio.Future[R]


class SharedReads(Generic[W, R]):
    """Reads a place for several at once: each gets what was read after it asked.

    Args:
        read: reads a place for all that it is wanted for.
    """

    def __init__(self, read: Callable[[Any, Sequence[W]], Awaitable[R]]) -> None:
        self._read: Final = read
        self._ordered: Final[dict[Hashable, _Ordered[W, R]]] = {}
        self._reading: Final[dict[Hashable, asyncio.Lock]] = defaultdict(asyncio.Lock)

    async def __call__(self, place: Hashable, wanted: Sequence[W]) -> R:
        """What a reading gives that begins from now on.

        Raises:
            Exception: whatever the reading raises.
        """
        ordered = self._ordered.get(place)
        if ordered is not None:
            ordered.wanted += wanted
            return await asyncio.shield(ordered.result)
        ordered = self._ordered[place] = _Ordered(list(wanted), asyncio.get_running_loop().create_future())
        try:
            async with self._reading[place]:
                del self._ordered[place]
                ordered.result.set_result(await self._read(place, ordered.wanted))
        except Exception as error:
            ordered.result.set_exception(error)
            ordered.result.exception()  # marks it as seen: perhaps no other caller shares this reading
            raise
        finally:
            if self._ordered.get(place) is ordered:
                del self._ordered[place]
            if not ordered.result.done():
                ordered.result.cancel()
            if place not in self._ordered and not self._reading[place].locked():
                del self._reading[place]
        return ordered.result.result()
