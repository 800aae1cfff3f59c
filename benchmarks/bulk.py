"""Creating participations: in bulk, one at a time, and in batches one after the other, against the latency bound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
import orjson

from kantata_async import KantataSession

from ._serving import TOKEN, Served, serving
from ._tables import printed
from ._timing import awaited

CONCURRENCY: Final = 10
LATENCY: Final = 0.1
BATCH: Final = 100


def main(quick: bool) -> dict[str, Any]:
    """Measure; one create at a time is measured on a sample, and the whole is told from it."""
    total, sample, rounds = (500, 3, 1) if quick else (10_000, 50, 5)
    with serving(Served(latency=LATENCY)) as url:
        figures = asyncio.run(_measured(url, total, sample, rounds))
    printed(
        f"{total:,} participations created, {LATENCY * 1000:g} ms latency, {CONCURRENCY} requests at once",
        ("", "s", "of the bound"),
        [(side, *told.values()) for side, told in figures.items()],
    )
    return figures


async def _measured(url: str, total: int, sample: int, rounds: int) -> dict[str, Any]:
    rows = [{"workspace_id": 7, "user_id": 1_000 + number, "role": "maven"} for number in range(total)]
    batches = -(-total // BATCH)
    bound = LATENCY * -(-batches // CONCURRENCY)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        KantataSession(token=TOKEN, base_url=url, concurrency=CONCURRENCY, rate_limit=None) as kantata,
        aiohttp.ClientSession(headers=headers) as session,
    ):

        async def in_bulk() -> None:
            result = await kantata.participations.create_many(rows)
            if len(result.created) != total:
                raise AssertionError(result.summary())

        async def post(body: Any) -> None:
            async with session.post(f"{url}/participations", json=body) as response:
                response.raise_for_status()
                orjson.loads(await response.read())

        async def singly() -> None:
            for row in rows[:sample]:
                await post({"participation": row})

        async def in_batches() -> None:
            for start in range(0, total, BATCH):
                await post({"participations": rows[start : start + BATCH]})

        ours = (await awaited({"create_many": in_bulk}, rounds)).median("create_many")
        seconds = {
            "the latency bound": bound,
            "create_many": ours,
            f"batches of {BATCH}, one after the other": await _seconds(in_batches),
            f"one at a time (told from {sample})": await _seconds(singly) / sample * total,
        }
    return {side: {"seconds": round(one, 3), "of the bound": round(one / bound, 2)} for side, one in seconds.items()}


async def _seconds(run: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await run()
    return time.perf_counter() - began
