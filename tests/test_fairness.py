"""Who goes when not all can: priorities, and jobs in turn."""

from __future__ import annotations

import asyncio
from collections import Counter

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import OK, Server, opened

from kantata_async import KantataSession, RateLimit, job, priority
from kantata_async.calls.concurrency import together
from kantata_async.errors import UsageError
from kantata_async.turns import current_job
from kantata_async.turns.order import Turn, Turns


@attrs.define(eq=False)
class Named(Turn):
    """A turn that a test tells from others by its name."""

    name: str


def served(turns: Turns[Named]) -> list[str]:
    """Everyone, in the order in which they go when all lanes are open."""
    order = []
    while turn := next(turns.firsts(), None):
        turns.take(turn)
        order.append(turn.name)
    return order


def test_a_job_with_three_goes_within_three_rounds_of_one_with_a_thousand() -> None:
    """However long the other one waits already."""
    turns: Turns[Named] = Turns()
    for _ in range(1000):
        turns.add(Named("many", lane="a", job="many", rank=1))
    for _ in range(10):
        turns.take(next(turns.firsts()))
    for _ in range(3):
        turns.add(Named("few", lane="a", job="few", rank=1))
    assert Counter(served(turns)[:7])["few"] == 3


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(1, 3))
def test_jobs_that_start_together_are_never_more_than_one_apart(sizes: list[int], lanes: int) -> None:
    """While both still wait, over any number of lanes."""
    turns: Turns[Named] = Turns()
    for name, size in enumerate(sizes):
        for number in range(size):
            turns.add(Named(str(name), lane=str((number + name) % lanes), job=name, rank=1))
    gone: Counter[str] = Counter()
    for name in served(turns):
        gone[name] += 1
        left = [gone[str(other)] for other, size in enumerate(sizes) if gone[str(other)] < size]
        assert not left or gone[name] <= min(left) + lanes
    assert [gone[str(name)] for name in range(len(sizes))] == sizes
    assert turns.waiting == 0


def test_high_goes_before_normal_before_low() -> None:
    """Whatever came first."""
    turns: Turns[Named] = Turns()
    for rank in (2, 1, 0, 1, 2, 0):
        turns.add(Named(str(rank), lane="a", job=rank, rank=rank))
    assert served(turns) == ["0", "0", "1", "1", "2", "2"]


def test_one_that_lost_its_turn_keeps_its_place() -> None:
    """It had waited for it."""
    turns: Turns[Named] = Turns()
    first = Named("first", lane="a", job=1, rank=1)
    turns.add(first)
    for _ in range(5):
        turns.add(Named("other", lane="a", job=2, rank=1))
    turns.take(first)
    turns.take(next(turns.firsts()))
    turns.add(Named("first", lane="b", job=1, rank=1, order=first.order))
    assert served(turns)[0] == "first"


def test_one_that_leaves_is_not_served_and_counts_no_more() -> None:
    """Also when it leaves twice."""
    turns: Turns[Named] = Turns()
    gone = Named("gone", lane="a", job=1, rank=1)
    turns.add(gone)
    turns.add(Named("stays", lane="a", job=2, rank=1))
    turns.leave(gone)
    turns.leave(gone)
    assert turns.waiting == 1
    assert served(turns) == ["stays"]


async def order_of_arrival(**groups: tuple[int, str]) -> list[str]:
    """The groups' requests in the order in which the server saw them, each group a job with a priority."""
    async with (
        Server([OK] * 200) as server,
        KantataSession(token="t", base_url=server.url, rate_limit=RateLimit(200), concurrency=1) as kantata,
    ):

        async def run(name: str, size: int, level: str) -> None:
            with job(), priority(level):  # type: ignore[arg-type]
                await asyncio.gather(*(kantata.request("GET", f"/{name}") for _ in range(size)))

        await asyncio.gather(*(run(name, size, level) for name, (size, level) in groups.items()))
        return [request.target.rpartition("/")[2] for request in server.received]


async def test_jobs_of_a_session_share_in_turn() -> None:
    """The small one is through when it had its share."""
    arrived = await order_of_arrival(many=(60, "normal"), few=(5, "normal"))
    assert max(index for index, name in enumerate(arrived) if name == "few") <= 12


async def test_an_interactive_call_passes_those_that_wait() -> None:
    """Next, though the others came first."""
    arrived = await order_of_arrival(many=(40, "low"), normal=(5, "normal"), urgent=(3, "high"))
    assert max(index for index, name in enumerate(arrived) if name == "urgent") <= 4
    assert max(index for index, name in enumerate(arrived) if name == "normal") <= 9


async def test_tasks_of_one_job_are_one_job() -> None:
    """What runs side by side on behalf of a task counts as the task; other tasks are jobs of their own."""

    async def which() -> object:
        return current_job()

    mine = current_job()
    assert await together([which(), which()]) == [mine, mine]
    assert await asyncio.create_task(which()) is not mine
    with job():
        inside = current_job()
        assert await asyncio.create_task(which()) is inside
    assert current_job() is mine


async def test_the_tasks_of_a_session_work_for_who_started_them() -> None:
    """The pages that a list query reads ahead are part of it."""

    async def which() -> object:
        return current_job()

    async with opened("http://127.0.0.1:1") as transport:
        assert await transport.spawn(which()) is asyncio.current_task()


def test_an_unknown_priority_is_refused() -> None:
    """With those there are."""
    with pytest.raises(UsageError, match="'high', 'normal' or 'low'"), priority("urgent"):  # type: ignore[arg-type]
        pass
