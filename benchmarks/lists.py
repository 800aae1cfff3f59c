"""Reading a list of many pages: against the latency bound, a loop over the pages, and bare aiohttp."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import aiohttp
import orjson

from kantata_async import KantataSession

from ._figures import Figure
from ._payloads import PAGE
from ._serving import TOKEN, Served, serving
from ._timing import awaited

CONCURRENCY: Final = 10
LATENCY: Final = 0.05
BASE: Final = "aiohttp + orjson, as many at once"
UNREAD: Final = "kantata_async, request(): no entities"
PAGED: Final = "kantata_async, a page at a time: pages()"
OURS: Final = "kantata_async"
LOOP: Final = "aiohttp + orjson, page after page"


def main(quick: bool) -> list[Figure]:
    """Measure with a latency, and without one."""
    total, rounds = (1_000, 1) if quick else (20_000, 5)
    pages = -(-total // PAGE)
    with serving(Served(total, LATENCY)) as url:
        slow = asyncio.run(_with_latency(url, pages, rounds))
    with serving(Served(total)) as url:
        fast = asyncio.run(_without_latency(url, pages, rounds))
    return [*slow, *fast]


async def _with_latency(url: str, pages: int, rounds: int) -> list[Figure]:
    # The first page says how many there are; the others come as many at once as the session's concurrency allows.
    bound = LATENCY * (1 + -(-(pages - 1) // CONCURRENCY))
    ids = _ids(pages)
    async with (
        KantataSession(token=TOKEN, base_url=url, concurrency=CONCURRENCY, rate_limit=None) as kantata,
        _bare() as session,
    ):
        taken = await awaited(
            {OURS: lambda: _iterated(kantata, ids), LOOP: lambda: _in_turn(session, url, pages)}, rounds
        )
    ours, in_turn = taken.median(OURS), taken.median(LOOP)
    of = f"{pages * PAGE:,} entities in pages of {PAGE}, {LATENCY * 1000:g} ms latency, {CONCURRENCY} at once"
    return [
        Figure(of, "the latency bound", bound, "s"),
        Figure(of, OURS, ours, "s", ours / bound, goal="≤ 1.2"),
        Figure(of, LOOP, in_turn, "s", in_turn / bound),
        Figure(of, "page after page over kantata_async", taken.ratio(LOOP, OURS), "times", goal="≥ 8"),
    ]


async def _without_latency(url: str, pages: int, rounds: int) -> list[Figure]:
    ids = _ids(pages)
    async with (
        KantataSession(token=TOKEN, base_url=url, concurrency=CONCURRENCY, rate_limit=None) as kantata,
        _bare() as session,
    ):
        taken = await awaited(
            {
                BASE: lambda: _at_once(session, url, pages),
                UNREAD: lambda: _requested(kantata, pages),
                PAGED: lambda: _paged(kantata, ids),
                OURS: lambda: _iterated(kantata, ids),
            },
            2 * rounds,
        )
    of = f"{pages * PAGE:,} entities in pages of {PAGE}, no latency, for each entity"
    return taken.figures(of, BASE, per=pages * PAGE, goals={OURS: "≤ 1.43"})


def _bare() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONCURRENCY), headers={"Authorization": f"Bearer {TOKEN}"}
    )


def _ids(pages: int) -> list[str]:
    return [str(number) for number in range(1, pages * PAGE + 1)]


async def _iterated(kantata: KantataSession, ids: list[str]) -> None:
    if [one.id async for one in kantata.participations.list(workspace_id=7)] != ids:
        raise AssertionError("not each in order")


async def _paged(kantata: KantataSession, ids: list[str]) -> None:
    total = 0
    async for page in kantata.participations.list(workspace_id=7).pages():
        total += len(page.items)
    if total != len(ids):
        raise AssertionError("not all pages")


async def _requested(kantata: KantataSession, pages: int) -> None:
    async def page(number: int) -> None:
        await kantata.request("GET", "/participations", params={"workspace_id": 7, "page": number, "per_page": PAGE})

    await asyncio.gather(*(page(number) for number in range(1, pages + 1)))


async def _page(session: aiohttp.ClientSession, url: str, number: int) -> Any:
    address = f"{url}/participations?workspace_id=7&page={number}&per_page={PAGE}"
    async with session.get(address) as response:
        response.raise_for_status()
        return orjson.loads(await response.read())


async def _at_once(session: aiohttp.ClientSession, url: str, pages: int) -> None:
    ready = asyncio.Semaphore(CONCURRENCY)

    async def page(number: int) -> None:
        async with ready:
            await _page(session, url, number)

    await asyncio.gather(*(page(number) for number in range(1, pages + 1)))


async def _in_turn(session: aiohttp.ClientSession, url: str, pages: int) -> None:
    for number in range(1, pages + 1):
        await _page(session, url, number)
