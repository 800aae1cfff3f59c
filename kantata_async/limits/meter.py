"""The spacing of requests: aiolimiter's leaky bucket, kept at the rate of a limit that moves.

An `AsyncLimiter` drains at the rate it was made with and belongs to one event loop. So each loop has a meter of its
own, whose bucket is replaced when the rate has moved, and which keeps its distance from what other loops took.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import partial
from typing import Final

from aiolimiter import AsyncLimiter

from .limit import LATE, Limit

_MOVED: Final = 0.01
_ACTIVE_SECONDS: Final = 1.0
_SHORTEST_WAIT: Final = 0.001


class Meter:
    """Spaces the requests of one event loop under one limit.

    Args:
        limit: whose rate it keeps.
        burst: requests that may go at once after a pause.
        limiter: a program's own, which is used as it is.
    """

    def __init__(self, limit: Limit, *, burst: int = 1, limiter: AsyncLimiter | None = None) -> None:
        self.limit: Final = limit
        self._taken = limit.taken
        self._others_took = -math.inf
        self._burst: Final = burst
        self._given: Final = limiter is not None
        self._reserving: asyncio.Task[None] | None = None
        if limiter is None:
            self._renew(limit.rate, free=burst)
        else:
            self._limiter, self._rate, self._charged = limiter, limit.rate, 0

    def ready(self, now: float) -> bool:
        """Whether the bucket lets a request go now.

        Where the rate has moved, it is replaced by one that lets no more go at once than it would have.
        """
        rate = self.limit.rate
        unused = (now - self.limit.taken) * rate
        moved = abs(rate - self._rate) > _MOVED * self._rate
        # One that has run empty would let go at once all that a timer may be late by.
        if not self._given and (moved or (self._burst == 1 and unused > 1 + LATE * rate)):
            self._renew(rate, free=min(1.0, unused))
        return self._charged > 0 or self._limiter.has_capacity()

    def reserve(self, then: Callable[[], None]) -> None:
        """Charge the next request as soon as the bucket has room for it, and then call this."""
        if self._reserving is None:
            self._reserving = asyncio.get_running_loop().create_task(self._limiter.acquire(), name="kantata-meter")
            self._reserving.add_done_callback(partial(self._reserved, then))

    def stop(self) -> None:
        """Reserve nothing any more."""
        if self._reserving is not None:
            self._reserving.cancel()
            self._reserving = None

    def take(self, now: float) -> None:
        """Charge a request that goes now, for which the bucket is ready."""
        self._taken = now
        if self._charged:
            self._charged -= 1
        else:
            self._charge(1)

    def give_back(self) -> None:
        """Keep the charge of a request that never left for the next one, and count it no longer."""
        self.limit.sent -= 1
        self._charged = min(self._charged + 1, self._burst)

    def wait(self, now: float, *, again: bool) -> float:
        """Seconds that a pause, or what other event loops sent, keeps a request back; zero or less for none."""
        pause = self.limit.wait(now, again=again)
        if self._taken < self.limit.taken:
            self._others_took = self.limit.taken
        if now >= self._others_took + 1 / self._rate + _ACTIVE_SECONDS:
            return pause
        return max(pause, self.limit.taken + 1 / self._rate - now)

    def seconds(self, now: float) -> float:
        """Seconds until the bucket lets a request go at the latest; more than none."""
        return max(_SHORTEST_WAIT, self.limit.taken + 1 / self._rate - now)

    def _reserved(self, then: Callable[[], None], done: asyncio.Task[None]) -> None:
        if self._reserving is done and not done.cancelled():
            self._reserving = None
            self._charged += 1
            then()

    def _renew(self, rate: float, free: float) -> None:
        """Begin a bucket that drains at a rate, and has room for so many requests."""
        self.stop()
        size = self._burst + LATE * rate
        self._limiter, self._rate, self._charged = AsyncLimiter(size, size / rate), rate, 0
        self._charge(size - free)

    def _charge(self, amount: float) -> None:
        """Charge the bucket with what it has room for: `acquire` then ends in its first step, without a wait."""
        next(self._limiter.acquire(amount).__await__(), None)
