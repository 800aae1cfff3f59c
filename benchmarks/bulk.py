"""Creating participations: in bulk, one at a time, and in batches one after the other, against the latency bound."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import aiohttp
import orjson

from kantata_async import KantataSession

from ._figures import Figure
from ._serving import TOKEN, Served, serving
from ._timing import awaited

CONCURRENCY: Final = 10
LATENCY: Final = 0.1
BATCH: Final = 100
OURS: Final = "create_many"
IN_TURN: Final = f"batches of {BATCH}, one after the other"
SINGLY: Final = "one at a time"


def main(quick: bool) -> list[Figure]:
    """Measure; one create at a time is measured on a sample, and the whole is told from it."""
    total, sample, rounds = (500, 3, 1) if quick else (10_000, 50, 5)
    with serving(Served(latency=LATENCY)) as url:
        return asyncio.run(_measured(url, total, sample, rounds))


async def _measured(url: str, total: int, sample: int, rounds: int) -> list[Figure]:
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

        taken = await awaited({OURS: in_bulk, IN_TURN: in_batches, SINGLY: singly}, rounds, warm=False)
    ours, in_turn, one_at_a_time = taken.median(OURS), taken.median(IN_TURN), taken.median(SINGLY) / sample * total
    of = f"{total:,} participations created, {LATENCY * 1000:g} ms latency, {CONCURRENCY} requests at once"
    return [
        Figure(of, "the latency bound", bound, "s"),
        Figure(of, OURS, ours, "s", ours / bound, goal="≤ 1.2"),
        Figure(of, IN_TURN, in_turn, "s", in_turn / bound),
        Figure(of, f"{SINGLY} (told from {sample})", one_at_a_time, "s", one_at_a_time / bound),
    ]
