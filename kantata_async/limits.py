"""How often and how many at once: every attempt that goes on the wire takes a slot here first."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final

import attrs
from aiolimiter import AsyncLimiter

from .bounds import positive_count, positive_number


@attrs.frozen
class RateLimit:
    """So many requests in so much time, evenly spaced.

    Kantata publishes no numbers, and every process that uses the account shares its limit: choose what to leave to the
    others.

    Attributes:
        requests: how many `per` seconds.
        per: seconds.
        burst: how many may go at once after a pause; 1 spaces every request from the one before.

    Raises:
        UsageError: a value is not a number above zero, or `burst` is not a whole one.
    """

    requests: float
    per: float = 1.0
    burst: int = 1

    def __attrs_post_init__(self) -> None:
        positive_number("RateLimit", "requests", self.requests)
        positive_number("RateLimit", "per", self.per)
        positive_count("RateLimit", "burst", self.burst)


class Limiter:
    """Lets attempts go: at most `concurrency` at a time, and no faster than the rate limit.

    Make it in the event loop that uses it: aiolimiter and asyncio's semaphore both belong to one.

    Args:
        concurrency: how many attempts may be under way at once.
        rate_limit: how fast they may start; None for as fast as they come.
    """

    def __init__(self, concurrency: int, rate_limit: RateLimit | None = None) -> None:
        self._semaphore: Final = asyncio.Semaphore(concurrency)
        self._bucket: Final = None if rate_limit is None else _bucket(rate_limit)

    def slot(self) -> Slot:
        """One attempt's leave: `async with limiter.slot():` around the attempt, never around a wait between two."""
        return Slot(self._semaphore, self._bucket)


class Slot:
    """Held while one attempt is under way."""

    __slots__ = ("_bucket", "_semaphore")

    def __init__(self, semaphore: asyncio.Semaphore, bucket: AsyncLimiter | None) -> None:
        self._semaphore = semaphore
        self._bucket = bucket

    async def __aenter__(self) -> None:
        # The semaphore first: leave taken from the bucket while waiting for the semaphore would be lost or come late.
        await self._semaphore.acquire()
        if self._bucket is not None:
            try:
                await self._bucket.acquire()
            except BaseException:
                self._semaphore.release()
                raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._semaphore.release()


def _bucket(rate_limit: RateLimit) -> AsyncLimiter:
    # AsyncLimiter lets its whole capacity go at once and then as fast as it drains, so a capacity of `requests` would
    # let nearly twice as many into the first period. Its capacity is therefore the burst, its drain the rate.
    return AsyncLimiter(rate_limit.burst, rate_limit.burst * rate_limit.per / rate_limit.requests)
