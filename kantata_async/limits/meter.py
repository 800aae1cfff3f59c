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


class Meter:
    """Spaces the requests of one event loop under one limit.

    Args:
        limit: whose rate it keeps.
        burst: requests that may go at once after a pause.
        limiter: a program's own, which is used as it is.

    Attributes:
        limit: whose rate it keeps.
        taken: when the last request of this event loop went.
        acquire: waits until a request may go, and charges it.
    """

    def __init__(self, limit: Limit, *, burst: int = 1, limiter: AsyncLimiter | None = None) -> None:
        self.limit: Final = limit
        self.taken = limit.taken
        self._others_took = -math.inf
        self._burst: Final = burst
        self._given: Final = limiter is not None
        self._limiter = limiter or AsyncLimiter(burst)
        self._rate = limit.rate if limiter else 0.0
        self.acquire = self._limiter.acquire

    async def ready(self, rate: float, now: float) -> bool:
        """Whether a request may go now, at so many a second, as far as those of this event loop go; without a wait."""
        unused = (now - self.limit.taken) * rate
        moved = abs(rate - self._rate) > _MOVED * self._rate
        # A bucket that has run empty would let go all that a timer may be late by.
        if not self._given and (moved or (self._burst == 1 and unused > 1 + LATE * rate)):
            size, free = self._burst + LATE * rate, min(1.0, unused) if self._rate else self._burst
            self._limiter, self._rate = AsyncLimiter(size, size / rate), rate
            self.acquire = self._limiter.acquire
            await self.acquire(size - free)
        return self._limiter.has_capacity()

    def apart(self, now: float) -> float:
        """Seconds to wait where other event loops send too."""
        if self.taken < self.limit.taken:
            self._others_took = self.limit.taken
        return self.seconds(now) if now < self._others_took + 1 / self._rate + _ACTIVE_SECONDS else 0.0

    def seconds(self, now: float) -> float:
        """How long it takes at most until a request may go after the last one."""
        return self.limit.taken + 1 / self._rate - now
