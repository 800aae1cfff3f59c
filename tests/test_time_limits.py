"""Time limits of what is under way: one alarm for all of them."""

from __future__ import annotations

import asyncio

import pytest

from kantata_async.transport.time_limits import TimeLimits


def soon(seconds: float) -> float:
    """A time on the running loop's clock."""
    return asyncio.get_running_loop().time() + seconds


async def test_each_ends_at_its_own_time() -> None:
    """Whatever the order in which they were set."""
    limits = TimeLimits()
    over: list[float] = []

    async def run(seconds: float) -> None:
        with pytest.raises(TimeoutError), limits.limit(soon(seconds)):
            await asyncio.sleep(5)
        over.append(seconds)

    await asyncio.gather(*map(run, [0.06, 0.02, 0.04]))
    assert over == [0.02, 0.04, 0.06]


async def test_one_that_is_over_in_time_is_left_alone() -> None:
    """Its task, too, when the alarm rings later."""
    limits = TimeLimits()
    with limits.limit(soon(0.01)) as limit:
        pass
    await asyncio.sleep(0.03)
    assert not limit.expired


async def test_it_can_only_be_brought_forward() -> None:
    """A later end changes nothing."""
    limits = TimeLimits()

    async def run() -> None:
        with limits.limit(None) as limit:
            limit.bring_forward(soon(0.01))
            limit.bring_forward(soon(5))
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        await run()


async def test_closing_ends_them_all() -> None:
    """Those without an end, too."""
    limits = TimeLimits()

    async def run(seconds: float | None) -> None:
        with limits.limit(None if seconds is None else soon(seconds)):
            await asyncio.sleep(5)

    tasks = [asyncio.create_task(run(seconds)) for seconds in (None, 100)]
    await asyncio.sleep(0)
    limits.close()
    assert [type(error) for error in await asyncio.gather(*tasks, return_exceptions=True)] == [TimeoutError] * 2


async def test_a_cancellation_at_the_same_time_goes_first() -> None:
    """Whoever cancelled the task sees it cancelled."""
    limits = TimeLimits()

    async def run() -> None:
        with limits.limit(None):
            await asyncio.sleep(5)

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    limits.close()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
