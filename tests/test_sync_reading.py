"""Pages of live data: whatever writers do between two requests, nothing is lost that stays in the list."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kantata_async import InvalidResponseError
from kantata_async.sync.reading import read_all

SIZE = 4


@attrs.frozen
class Page:
    ids: Sequence[str]
    count: int


class Window:
    """A closed window of a list, paged by number: objects leave it, in whatever order requests and writers come."""

    def __init__(self, objects: int, seed: int, haste: float) -> None:
        self.chance = random.Random(seed)
        self.haste = haste
        self.there = [str(number) for number in range(objects)]
        self.requests = 0

    async def fetch(self, number: int) -> Page:
        self.requests += 1
        for _ in range(self.chance.randrange(3)):
            await asyncio.sleep(0)
        while self.there and self.chance.random() < self.haste:
            self.there.remove(self.chance.choice(self.there))
        return Page(self.there[(number - 1) * SIZE : number * SIZE], len(self.there))


async def read(window: Window) -> tuple[set[str], bool]:
    found: set[str] = set()

    async def take(pages: Sequence[Page]) -> None:
        for page in pages:
            found.update(page.ids)

    steady = await read_all(window.fetch, await window.fetch(1), take, SIZE)
    return found, steady


@settings(max_examples=300)
@given(objects=st.integers(0, 130), seed=st.integers(0, 2**32), haste=st.sampled_from([0.0, 0.02, 0.1, 0.4]))
@example(objects=4, seed=0, haste=0.4)
async def test_nothing_is_lost_that_stays(objects: int, seed: int, haste: float) -> None:
    """Every object that is in the window at the end was read, and what was read was there at the beginning."""
    window = Window(objects, seed, haste)
    found, _ = await read(window)
    assert set(window.there) <= found <= {str(number) for number in range(objects)}


async def test_upwards_alone_would_lose_some() -> None:
    """The simulation is able to lose objects: a reader who goes up and trusts what it reads does."""
    lost = 0
    for seed in range(200):
        window = Window(40, seed, 0.1)
        found: set[str] = set()
        for number in range(1, 11):
            found.update((await window.fetch(number)).ids)
        lost += not set(window.there) <= found
    assert lost > 20


async def test_a_quiet_window_is_read_once() -> None:
    """Each page is asked for once where nothing moves, and it is said that nothing did."""
    window = Window(130, 1, 0.0)
    found, steady = await read(window)
    assert (len(found), steady, window.requests) == (130, True, 33)


@pytest.mark.parametrize("ids", [[], ["1", "2", "3", "4"]], ids=["nothing on them", "the same on each"])
async def test_a_promise_that_no_page_keeps_is_no_end(ids: Sequence[str]) -> None:
    """It is told instead of being waited for, and never taken for a whole list."""
    asked: list[int] = []

    async def fetch(number: int) -> Page:
        asked.append(number)
        return Page(ids, 10**12)

    async def take(_pages: Sequence[Page]) -> None:
        pass

    with pytest.raises(InvalidResponseError, match="the same page comes"):
        await read_all(fetch, await fetch(1), take, SIZE)
    assert len(asked) <= 1 + 25


async def test_a_count_that_was_wrong_at_first_costs_little() -> None:
    """The newest answers say how far there is to read."""
    window = Window(10, 1, 0.0)
    found: set[str] = set()

    async def take(pages: Sequence[Page]) -> None:
        found.update(id for page in pages for id in page.ids)

    first = attrs.evolve(await window.fetch(1), count=10**12)
    assert not await read_all(window.fetch, first, take, SIZE)
    assert len(found) == 10
    assert window.requests <= 1 + 25 + 3
