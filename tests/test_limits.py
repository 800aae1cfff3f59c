"""The limiter, against the clock."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from kantata_async.errors import UsageError
from kantata_async.limits import Limiter, RateLimit


async def starts(limiter: Limiter, count: int) -> list[float]:
    """Seconds after the first at which each of `count` attempts got its slot."""
    moments: list[float] = []

    async def attempt() -> None:
        async with limiter.slot():
            moments.append(time.monotonic())

    await asyncio.gather(*(attempt() for _ in range(count)))
    return [moment - moments[0] for moment in moments]


async def test_requests_are_spaced() -> None:
    """Without a burst no two go closer together than the rate says."""
    moments = await starts(Limiter(10, RateLimit(50)), 6)
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert min(gaps) > 0.01
    assert moments[-1] > 0.095


async def test_a_burst_goes_at_once_and_the_rest_is_spaced() -> None:
    """As many as `burst` do not wait; the rate counts from there."""
    moments = await starts(Limiter(10, RateLimit(10, burst=4)), 6)
    assert moments[3] < 0.09
    assert moments[5] > 0.19


async def test_without_a_rate_limit_nothing_waits() -> None:
    """None is no limit."""
    assert (await starts(Limiter(100), 100))[-1] < 0.5


async def test_no_more_at_a_time_than_the_concurrency() -> None:
    """A slot is held while the attempt lasts."""
    limiter = Limiter(3)
    now = most = 0

    async def attempt() -> None:
        nonlocal now, most
        async with limiter.slot():
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1

    await asyncio.gather(*(attempt() for _ in range(20)))
    assert most == 3


async def test_one_cancelled_in_line_gives_its_place_back() -> None:
    """Neither of the two limits leaks when a waiter goes away."""
    limiter = Limiter(1, RateLimit(20))
    async with limiter.slot():
        pass

    async def attempt() -> None:
        async with limiter.slot():
            pass

    waiting = [asyncio.create_task(attempt()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.wait_for(attempt(), 1)


@pytest.mark.parametrize("name", ["requests", "per", "burst"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "5", None, True])
def test_a_rate_limit_refuses_what_it_cannot_keep(name: str, value: object) -> None:
    """The error names the option."""
    with pytest.raises(UsageError, match=name):
        RateLimit(**{"requests": 5, name: value})  # type: ignore[arg-type]


def test_a_burst_is_whole() -> None:
    """Half a request cannot go."""
    with pytest.raises(UsageError, match="burst"):
        RateLimit(5, burst=1.5)  # type: ignore[arg-type]
