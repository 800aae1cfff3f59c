"""How many pages a list has: what its answers say, what they leave out, and when they promise too much."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from kantata_async import InvalidResponseError, KantataSession
from kantata_async.calls import ListQuery
from kantata_async.calls.page_count import PageCount, Standstill
from kantata_async.entities import User
from kantata_async.model import Meta


@pytest.mark.parametrize(
    ("pages", "last"),
    [
        pytest.param([(Meta(count=0), 0)], 1, id="nothing matches"),
        pytest.param([(Meta(count=450, page_count=3), 200)], 3, id="the answer says how many pages"),
        pytest.param([(Meta(page_count=9), 20), (Meta(page_count=7), 20)], 7, id="the newest answer counts"),
        pytest.param([(Meta(count=450), 200)], 3, id="a count alone"),
        pytest.param([(Meta(count=450, page_count=1, page_size=200), 200)], 3, id="more than its pages could hold"),
        pytest.param([(Meta(count=450, page_count=3, page_size=200), 7)], 3, id="a short page of three"),
        pytest.param([(Meta(count=450, page_count=0), 200)], 3, id="no pages, and something on one"),
        pytest.param([(Meta(count=450, page_count=-3, page_size=-1), 200)], 3, id="less than none"),
        pytest.param([(Meta(count=-1), 200)], 2, id="a count below zero is none"),
        pytest.param([(Meta(count=0, page_count=0), 200)], 2, id="nothing matches, and something came"),
        pytest.param([(Meta(count=450), 200), (Meta(count=450), 3)], 3, id="a short page does not make more pages"),
        pytest.param([(Meta(), 200)], 2, id="neither: until a page is empty"),
        pytest.param([(Meta(), 200), (Meta(), 0)], 2, id="neither, and a page is empty"),
        pytest.param([(Meta(page_count=10**9), 200), (Meta(page_count=10**9), 0)], 2, id="an empty page is the end"),
        pytest.param(
            [(Meta(page_count=9), 9), (Meta(page_count=9), 0), (Meta(page_count=9), 9)], 9, id="it goes on after all"
        ),
    ],
)
def test_the_last_page(pages: Sequence[tuple[Meta, int]], last: int) -> None:
    """The last page worth asking for, after these came."""
    counted = PageCount(paged=True)
    for meta, size in pages:
        counted.take(meta, size)
    assert counted.last == last


@pytest.mark.parametrize(
    ("limit", "sizes", "last"),
    [
        pytest.param(1, [200], 1, id="the first page holds them"),
        pytest.param(200, [200], 1, id="just so"),
        pytest.param(201, [200], 2, id="one more"),
        pytest.param(450, [200, 200], 3, id="the third holds the others"),
        pytest.param(450, [200, 190, 60], 3, id="pages cut short still held them"),
        pytest.param(450, [200, 190, 50], 4, id="pages cut short did not"),
        pytest.param(10_000, [200], 9, id="no more than there are"),
        pytest.param(100, [200, 0], 2, id="an empty page is the end"),
    ],
)
def test_a_limit_bounds_the_last_page(limit: int, sizes: Sequence[int], last: int) -> None:
    """By what came and by how the server cuts its pages."""
    counted = PageCount(paged=True, limit=limit)
    for size in sizes:
        counted.take(Meta(page_count=9), size)
    assert counted.last == last


def test_a_list_without_pages_is_read_once() -> None:
    """Where the operation has no pages and its answer tells of none, there is no second request."""
    counted = PageCount(paged=False)
    counted.take(Meta(), 500)
    assert counted.last == 1


@given(total=st.integers(1, 5000), size=st.integers(1, 200))
def test_a_count_alone_reads_every_page_and_no_more(total: int, size: int) -> None:
    """Whatever the size that the server cuts to, the pages of a count are those that hold something."""
    counted = PageCount(paged=True)
    need = -(-total // size)
    for number in range(1, need + 1):
        counted.take(Meta(count=total), min(size, total - (number - 1) * size))
        assert counted.last == need


Answer = Callable[[int], dict[str, Any]]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[tuple[KantataSession, list[int]]]:
    """A session with a server that answers each page as told, and the numbers of the pages it was asked for."""
    asked: list[int] = []

    async def page(request: web.Request) -> web.Response:
        number = int(request.query["page"])
        asked.append(number)
        return web.Response(text=json.dumps(answer(number)), content_type="application/json")

    application = web.Application()
    application.router.add_get("/users", page)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with KantataSession(token="t", base_url=f"http://{host}:{port}", rate_limit=None) as kantata:
            yield kantata, asked
    finally:
        await runner.cleanup()


def people(first: int, past: int, **envelope: Any) -> dict[str, Any]:
    ids = [str(id) for id in range(first, past)]
    return {
        **envelope,
        "results": [{"key": "users", "id": id} for id in ids],
        "users": {id: {"id": id} for id in ids},
    }


async def test_a_promise_of_a_billion_pages_ends_at_the_first_empty_one() -> None:
    """No more is asked for than was on its way when the empty page came."""
    meta = {"page_count": 10**9, "count": 10**11}
    async with served(lambda page: people(1, 201, meta=meta) if page == 1 else people(0, 0, meta=meta)) as (
        kantata,
        asked,
    ):
        assert len(await asyncio.wait_for(kantata.users.list().collect(), 20)) == 200
    assert len(asked) <= 1 + 2 * 10


async def test_an_answer_without_any_count_is_read_to_its_end() -> None:
    """Neither count nor meta: page 1 is not taken for all."""
    async with served(lambda page: people(200 * page, 200 * page + (200 if page < 4 else 7 if page == 4 else 0))) as (
        kantata,
        asked,
    ):
        assert len(await kantata.users.list()) == 607
    assert asked == [1, 2, 3, 4, 5]


async def test_a_page_whose_people_are_hidden_does_not_end_the_list() -> None:
    """An empty page in the middle costs nothing of what comes after it."""
    async with served(
        lambda page: people(0, 0, count=3000) if page == 3 else people(300 * page, 300 * page + 300, count=3000)
    ) as (
        kantata,
        asked,
    ):
        assert len(await kantata.users.list()) == 2700
    assert sorted(asked) == list(range(1, 11))


@pytest.mark.parametrize(
    ("pages", "stands"),
    [
        pytest.param([["1", "2"]] * 10, True, id="ten alike"),
        pytest.param([["1", "2"]] * 9 + [["3"]], False, id="nine alike, and another"),
        pytest.param([["1"], ["2"]] * 20, False, id="one and the other"),
        pytest.param([[]] * 10, True, id="nothing on any"),
        pytest.param([["5"], *[["1"]] * 10], True, id="ten alike after another"),
    ],
)
def test_a_list_stands_still(pages: Sequence[Sequence[str]], stands: bool) -> None:
    """Whatever page is asked for, the same one comes."""
    standstill = Standstill()
    assert [standstill.take(page) for page in pages][-1] is stands


@pytest.mark.parametrize("promise", [{"meta": {"page_count": 10**30, "count": 3}}, {"meta": {"count": 10**12}}, {}])
async def test_a_server_that_knows_one_page_alone_is_found_out(promise: dict[str, Any]) -> None:
    """Whatever it promises, and however the list is read, reading comes to an end that is not taken for the list's."""
    async with served(lambda _: people(1, 4, **promise)) as (kantata, asked):
        users = kantata.users.list()
        for reading in (users.collect(), anext(aiter(users.batches(rows=10**6))), _all_of(users)):
            with pytest.raises(InvalidResponseError, match="GET /users: the same page comes whichever is asked for"):
                await asyncio.wait_for(reading, 20)
    assert len(asked) <= 3 * (10 + 2 * 10)


async def test_results_of_another_kind_are_none_of_the_list() -> None:
    """With the id of one of its own they would take its place, however the list is read."""
    role = {"results": [{"key": "roles", "id": "1"}], "roles": {"1": {"id": "1", "name": "Clerk"}}}
    meta = {"page_count": 2}
    async with served(lambda page: people(1, 4, meta=meta) if page == 1 else {**role, "meta": meta}) as (kantata, _):
        users = kantata.users.list()
        for reading in (users.collect(), users.page(2), anext(aiter(users.batches(rows=9))), _all_of(users)):
            with pytest.raises(InvalidResponseError, match="GET /users: its results name 'roles', not users"):
                await reading


async def test_a_server_that_gives_its_last_page_for_those_after_it() -> None:
    """A few too many do no harm: each person comes once."""
    meta = {"page_count": 9}
    async with served(lambda page: people(200 * min(page, 3), 200 * min(page, 3) + 200, meta=meta)) as (kantata, _):
        assert len(await kantata.users.list()) == 600


async def _all_of(users: ListQuery[User]) -> list[User]:
    return [one async for one in users]
