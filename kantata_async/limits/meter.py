"""The spacing of requests: aiolimiter's leaky bucket, kept at the rate of a limit that moves.

An `AsyncLimiter` drains at the rate it was made with and belongs to one event loop. So each loop has a meter of its
own, whose bucket is replaced when the rate has moved, and which keeps its distance from what other loops took.
"""

from __future__ import annotations

import math
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
        share: the part of the rate that it keeps.
        limiter: a program's own, which is used as it is.

    Attributes:
        limit: whose rate it keeps.
        taken: when the last request of this event loop went.
    """

    def __init__(
        self, limit: Limit, *, burst: int = 1, share: float = 1.0, limiter: AsyncLimiter | None = None
    ) -> None:
        self.limit: Final = limit
        self.taken = limit.taken
        self._others_took = -math.inf
        self._burst: Final = burst
        self._share: Final = share
        self._given: Final = limiter is not None
        self._limiter = limiter or AsyncLimiter(burst)
        self._rate = limit.rate if limiter else 0.0
        self._charged = 0

    async def ready(self, now: float) -> bool:
        """Whether the bucket lets a request go now; found out without waiting."""
        if not self._given:
            await self._follow(now)
        return self._charged > 0 or self._limiter.has_capacity()

    async def reserve(self) -> None:
        """Wait until the bucket lets a request go, and charge it in advance."""
        await self._limiter.acquire()
        self._charged += 1

    async def acquire(self) -> None:
        """Charge a request that goes now, unless it is charged already."""
        if not self._charged:
            await self.reserve()
        self._charged -= 1

    def give_back(self) -> None:
        """Keep the charge of a request that never left for the next one."""
        self._charged = min(self._charged + 1, self._burst)

    def wait(self, now: float, *, again: bool) -> float:
        """Seconds that a pause, or what other event loops sent, keeps the next request back; zero or less for none.

        Args:
            now: the time.
            again: whether that request has been refused before.
        """
        pause = self.limit.wait(now, again=again)
        if self.taken < self.limit.taken:
            self._others_took = self.limit.taken
        if now >= self._others_took + 1 / self._rate + _ACTIVE_SECONDS:
            return pause
        return max(pause, self.limit.taken + 1 / self._rate - now)

    def seconds(self, now: float) -> float:
        """Seconds until the bucket lets a request go at the latest; more than none."""
        return max(_SHORTEST_WAIT, self.limit.taken + 1 / self._rate - now)

    async def _follow(self, now: float) -> None:
        """Replace the bucket where the rate has moved, by one that lets no more go at once than it would have."""
        rate = self.limit.rate * self._share
        unused = (now - self.limit.taken) * rate
        # One that has run empty would let go at once all that a timer may be late by.
        if abs(rate - self._rate) > _MOVED * self._rate or (self._burst == 1 and unused > 1 + LATE * rate):
            size, free = self._burst + LATE * rate, min(1.0, unused) if self._rate else self._burst
            self._limiter, self._rate = AsyncLimiter(size, size / rate), rate
            self._charged = 0
            await self._limiter.acquire(size - free)
