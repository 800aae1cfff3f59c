"""Several processes on one account: each opens a session of its own, and Redis keeps one rate limit for all of them.

What goes to another process is plain data: ids there, names back. A session cannot, and says so.

    REDIS_URL=redis://localhost:6379/0 python -m examples.workers.processes
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from kantata_async import AdaptiveRateLimit, KantataSession, RedisRateLimit


async def names(ids: Sequence[str]) -> list[str]:
    """The names of people, read over a session of this process."""
    redis = os.environ.get("REDIS_URL")
    rate_limit = AdaptiveRateLimit() if redis is None else RedisRateLimit(redis)
    async with KantataSession(rate_limit=rate_limit) as kantata:
        return [person.full_name or "" for person in await kantata.users.get_many(ids)]


def work(ids: Sequence[str]) -> list[str]:
    """What a process does: one event loop from first to last, and everything in it."""
    return asyncio.run(names(ids))


def names_by_processes(ids: Sequence[str], processes: int = 2) -> list[str]:
    """The names of people, read by several processes."""
    parts = [ids[start::processes] for start in range(processes)]
    # "spawn": a forked process would inherit the event loop and the connections of this one, and can use neither.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return [name for part in pool.map(work, parts) for name in part]


if __name__ == "__main__":
    for name in names_by_processes([str(number) for number in range(1, 21)]):
        print(name)
