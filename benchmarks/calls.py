"""One awaited call against bare aiohttp and orjson doing the same request: in turn, and a thousand at once."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import aiohttp
import orjson

from kantata_async import KantataSession

from ._serving import TOKEN, Served, serving
from ._tables import printed
from ._timing import awaited

BASE: Final = "aiohttp + orjson"
CONNECTIONS: Final = 100


def main(quick: bool) -> dict[str, Any]:
    """Measure the processor's time of single calls, and the wall time of many at once."""
    with serving(Served()) as url:
        figures = asyncio.run(_measured(url, quick))
    for title, told in figures.items():
        printed(title, ("", "µs a call", "ratio", "±"), [(side, *values.values()) for side, values in told.items()])
    return figures


async def _measured(url: str, quick: bool) -> dict[str, Any]:
    in_turn, at_once, rounds = (20, 50, 2) if quick else (200, 1000, 15)
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    async with (
        KantataSession(token=TOKEN, base_url=url, concurrency=CONNECTIONS, rate_limit=None) as kantata,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS), headers=headers) as session,
    ):
        get = kantata.users.get

        async def bare(id: int) -> Any:
            async with session.get(f"{url}/users/{id}") as response:
                response.raise_for_status()
                return orjson.loads(await response.read())

        async def bare_in_turn() -> None:
            for id in range(in_turn):
                await bare(id)

        async def calls_in_turn() -> None:
            for id in range(in_turn):
                await get(id)

        async def bare_at_once() -> None:
            await asyncio.gather(*map(bare, range(at_once)))

        async def calls_at_once() -> None:
            await asyncio.gather(*map(get, range(at_once)))

        single = await awaited({BASE: bare_in_turn, "kantata_async": calls_in_turn}, rounds, clock=time.process_time)
        many = await awaited({BASE: bare_at_once, "kantata_async": calls_at_once}, rounds)
    return {
        "users.get, processor's time": single.figures(BASE, per=in_turn),
        f"{at_once:,} users.get at once, wall time": many.figures(BASE, per=at_once),
    }
