"""Reading a list of many pages: against the latency bound, a loop over the pages, and bare aiohttp."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import aiohttp
import orjson

from kantata_async import KantataSession

from ._payloads import PAGE
from ._serving import TOKEN, Served, serving
from ._tables import printed
from ._timing import awaited

CONCURRENCY: Final = 10
LATENCY: Final = 0.05
BASE: Final = "aiohttp + orjson, as many at once"


def main(quick: bool) -> dict[str, Any]:
    """Measure with a latency, and without one."""
    total, rounds = (1_000, 1) if quick else (20_000, 5)
    pages = -(-total // PAGE)
    with serving(Served(total, LATENCY)) as url:
        slow = asyncio.run(_with_latency(url, pages, rounds))
    with serving(Served(total)) as url:
        fast = asyncio.run(_without_latency(url, pages, rounds))
    printed(
        f"{total:,} participations in pages of {PAGE}, {LATENCY * 1000:g} ms latency, {CONCURRENCY} at once",
        ("", "s", "of the bound"),
        [(side, told["seconds"], told["of the bound"]) for side, told in slow.items()],
    )
    printed(
        f"{total:,} participations in pages of {PAGE}, no latency",
        ("", "rows a second", "of bare", "±"),
        [(side, told["rows a second"], told["of bare"], told["noise"]) for side, told in fast.items()],
    )
    return {"with latency": slow, "without latency": fast}


async def _with_latency(url: str, pages: int, rounds: int) -> dict[str, Any]:
    # The first page says how many there are; the others come as many at once as the session's concurrency allows.
    bound = LATENCY * (1 + -(-(pages - 1) // CONCURRENCY))
    async with (
        KantataSession(token=TOKEN, base_url=url, concurrency=CONCURRENCY, rate_limit=None) as kantata,
        _bare() as session,
    ):
        taken = await awaited({"kantata_async": lambda: _iterated(kantata, pages * PAGE)}, rounds)
        began = time.perf_counter()
        await _in_turn(session, url, pages)
        in_turn = time.perf_counter() - began
    ours = taken.median("kantata_async")
    seconds = {"the latency bound": bound, "kantata_async": ours, "one page after the other": in_turn}
    return {side: {"seconds": round(one, 3), "of the bound": round(one / bound, 3)} for side, one in seconds.items()}


async def _without_latency(url: str, pages: int, rounds: int) -> dict[str, Any]:
    async with (
        KantataSession(token=TOKEN, base_url=url, concurrency=CONCURRENCY, rate_limit=None) as kantata,
        _bare() as session,
    ):
        taken = await awaited(
            {BASE: lambda: _at_once(session, url, pages), "kantata_async": lambda: _iterated(kantata, pages * PAGE)},
            2 * rounds,
        )
    return {
        side: {
            "rows a second": round(pages * PAGE / taken.median(side)),
            "of bare": round(taken.ratio(BASE, side), 3),
            "noise": round(taken.spread(BASE, side), 3),
        }
        for side in taken.rounds
    }


def _bare() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONCURRENCY), headers={"Authorization": f"Bearer {TOKEN}"}
    )


async def _iterated(kantata: KantataSession, total: int) -> None:
    ids = [one.id async for one in kantata.participations.list(workspace_id=7)]
    if ids != list(map(str, range(1, total + 1))):
        raise AssertionError("not each in order")


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
