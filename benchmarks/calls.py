"""One awaited call against bare aiohttp and orjson doing the same request: in turn, and a thousand at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import aiohttp
import orjson

from kantata_async import KantataSession

from ._figures import Figure
from ._serving import TOKEN, Served, serving
from ._timing import awaited

BASE: Final = "aiohttp + orjson"
UNREAD: Final = "kantata_async, request(): no entity"
OURS: Final = "kantata_async"
CONNECTIONS: Final = 100
USER: Final = 1
"""The one that is served."""

Call = Callable[[int], Coroutine[Any, Any, Any]]


def main(quick: bool) -> list[Figure]:
    """Measure the processor's time of single calls, and the wall time of many at once."""
    with serving(Served()) as url:
        return asyncio.run(_measured(url, quick))


async def _measured(url: str, quick: bool) -> list[Figure]:
    in_turn, at_once, rounds = (5, 20, 2) if quick else (200, 1000, 25)
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    async with (
        KantataSession(token=TOKEN, base_url=url, concurrency=CONNECTIONS, rate_limit=None) as kantata,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS), headers=headers) as session,
    ):

        async def bare(id: int) -> Any:
            async with session.get(f"{url}/users/{id}") as response:
                response.raise_for_status()
                return orjson.loads(await response.read())

        async def request(id: int) -> Any:
            return await kantata.request("GET", f"/users/{id}")

        calls: dict[str, Call] = {BASE: bare, UNREAD: request, OURS: kantata.users.get}
        single = await awaited(
            {side: partial(_in_turn, call, in_turn) for side, call in calls.items()}, rounds, clock=time.process_time
        )
        many = await awaited({side: partial(_at_once, call, at_once) for side, call in calls.items()}, rounds)
    goals = {OURS: "≤ 1.25"}
    return [
        *single.figures("a users.get, processor's time", BASE, per=in_turn, goals=goals),
        *many.figures(f"{at_once:,} users.get at once, wall time of each", BASE, per=at_once, goals=goals),
    ]


async def _in_turn(call: Call, times: int) -> None:
    for _ in range(times):
        await call(USER)


async def _at_once(call: Call, times: int) -> None:
    await asyncio.gather(*(call(USER) for _ in range(times)))
