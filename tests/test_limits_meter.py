"""The spacing of requests by aiolimiter, in simulated time: no bursts, whatever the rate does meanwhile."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from server_limit import SimulatedLoop

from kantata_async.limits import AdaptiveRateLimit, RateLimit, RateLimits
from kantata_async.limits.account import AccountLimits
from kantata_async.limits.curve import RateCurve
from kantata_async.limits.limit import Limit
from kantata_async.limits.meter import Meter
from kantata_async.turns import Limiter


def went(limit: RateLimit | AdaptiveRateLimit, waits: list[float]) -> list[float]:
    """When requests went of which each one comes so long after the one before it came."""
    moments: list[float] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        limiter = Limiter(1000, AccountLimits(RateLimits(limit), clock=loop.time))

        async def one() -> None:
            async with limiter.slot("GET", "/users") as slot:
                moments.append(slot.left)

        async with asyncio.TaskGroup() as tasks:
            for wait in waits:
                tasks.create_task(one())
                await asyncio.sleep(wait)

    with asyncio.Runner(debug=False, loop_factory=lambda: SimulatedLoop(random.Random(len(waits)))) as runner:
        runner.run(run())
    return moments


@settings(max_examples=50)
@given(st.lists(st.floats(0, 3), min_size=5, max_size=100), st.floats(0.5, 500), st.integers(1, 5))
def test_never_more_in_a_second_than_the_rate_and_the_burst(waits: list[float], rate: float, burst: int) -> None:
    """However the requests come; a late timer is made good for as much as it was late."""
    moments = went(RateLimit(rate, burst=burst), [wait / rate for wait in waits])
    assert len(moments) == len(waits)
    for start in moments:
        assert sum(start <= at < start + 1 for at in moments) <= rate * 1.026 + burst + 1


@settings(max_examples=50)
@given(st.lists(st.floats(0, 30), min_size=2, max_size=40), st.floats(1, 500))
def test_what_was_not_used_is_not_let_go_at_once(waits: list[float], rate: float) -> None:
    """After a time without requests, two go no closer together than before, but for a timer that was late."""
    moments = went(RateLimit(rate), [0.0] * 5 + [wait / rate for wait in waits])
    for first, third in zip(moments, moments[2:], strict=False):
        assert third - first >= 2 / rate - 0.03


async def test_a_rate_that_moves_is_followed_without_a_burst() -> None:
    """A new bucket is as full as the one before it was."""
    limit = Limit(RateCurve.given(10))
    meter = Meter(limit)

    def take(now: float) -> None:
        meter.take(now)
        limit.take(now)

    assert meter.ready(5.0)
    take(5.0)
    for rate in (20, 40, 15, 100):
        limit.curve = RateCurve.given(rate)
        assert not meter.ready(5.0)
    limit.curve = RateCurve.given(200)
    assert meter.ready(5.1)
    take(5.1)
    limit.curve = RateCurve.given(210)
    assert not meter.ready(5.1)


async def test_a_meter_keeps_away_from_what_another_event_loop_took() -> None:
    """As long as that one sends too."""
    limit = Limit(RateCurve.given(10))
    here, there = Meter(limit), Meter(limit)
    for meter in (here, there):
        assert meter.ready(1.0)
    assert here.wait(1.0, again=False) <= 0
    limit.take(1.0)
    there.take(1.0)
    assert here.wait(1.0, again=False) == pytest.approx(0.1)
    limit.take(1.1)
    here.take(1.1)
    assert here.wait(1.1, again=False) == pytest.approx(0.1)
    assert here.wait(9.0, again=False) <= 0
