"""A hidden limit found and kept: in real time, against a sandbox in a process of its own, beside what people do today.

The default runs what the README quotes and takes about six minutes; ``--quick`` takes one and a half.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Any

from aiolimiter import AsyncLimiter

from benchmarks._limited_sandbox import PATH, LimitedSandbox
from benchmarks._redis_server import RedisServer
from kantata_async import KantataSession, NotFoundError, RateLimit, RateLimitError, RateLimits, RedisRateLimit, job
from kantata_async.limits import Limiter
from kantata_async.limits.account import LocalAccount

KINDS = ("fixed_window", "sliding_window", "token_bucket")
SETTLE = 15.0
WORKERS = 10
_numbers = count(random.randrange(10**7))

Send = Callable[[KantataSession], Awaitable[None]]


async def ask(kantata: KantataSession) -> None:
    """One request that no other one equals."""
    with suppress(NotFoundError, RateLimitError):
        await kantata.request("GET", PATH.format(next(_numbers)))


async def saturate(kantata: KantataSession, until: float, send: Send = ask) -> None:
    """Keep requests waiting until then."""

    async def work() -> None:
        while time.monotonic() < until:
            await send(kantata)

    workers = [asyncio.create_task(work()) for _ in range(WORKERS)]
    await asyncio.sleep(until - time.monotonic())
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


def share(told: dict[str, Any], limit: int, seconds: float) -> dict[str, Any]:
    """The figures of a run that are compared."""
    sent = told["passed"] + told["refused"]
    return {
        "of_the_limit": round(told["passed"] / (limit * seconds), 4),
        "refused": round(told["refused"] / max(1, sent), 4),
        "refused_requests": told["refused"],
        "twice_in_a_row": told["twice"],
    }


async def ours(limit: int, kind: str, seconds: float) -> dict[str, Any]:
    """The default of a session."""
    async with LimitedSandbox(limit, kind) as server:
        began = time.monotonic()
        async with KantataSession(token=server.token, base_url=server.url) as kantata:
            await saturate(kantata, began + SETTLE + seconds)
        return share(await server.figures(began + SETTLE, began + SETTLE + seconds), limit, seconds)


async def of_today(limit: int, kind: str, seconds: float, how: str) -> dict[str, Any]:
    """What people do, with the right figure, which they would have to know."""
    limiter = AsyncLimiter(limit, 1)

    async def behind_aiolimiter(kantata: KantataSession) -> None:
        async with limiter:
            await ask(kantata)

    async def then_sleep(kantata: KantataSession) -> None:
        await ask(kantata)
        await asyncio.sleep(WORKERS / limit)

    send = {"a fixed sleep": then_sleep, "plain aiolimiter": behind_aiolimiter, "retry on 429 alone": ask}[how]
    async with LimitedSandbox(limit, kind) as server:
        began = time.monotonic()
        async with KantataSession(token=server.token, base_url=server.url, rate_limit=None) as kantata:
            await saturate(kantata, began + SETTLE + seconds, send)
        return share(await server.figures(began + SETTLE, began + SETTLE + seconds), limit, seconds)


async def changed(first: int, then: int, kind: str) -> dict[str, Any]:
    """Seconds until a changed limit is found: until three in which 85 % goes through and at most 5 % is refused."""
    async with LimitedSandbox(first, kind) as server:
        began = time.monotonic()
        async with KantataSession(token=server.token, base_url=server.url) as kantata:
            running = asyncio.create_task(saturate(kantata, began + 55))
            await asyncio.sleep(25 + random.random() * 8)
            await server.limit(then, kind)
            at = time.monotonic()
            await running
        told = await server.figures(at, began + 55)
    passed, refused = told["passed_by_second"], told["refused_by_second"]
    for second in range(len(passed) - 3):
        through, back = sum(passed[second : second + 3]), sum(refused[second : second + 3])
        if through >= 0.85 * 3 * then and back <= 0.05 * (through + back):
            return {"found_after_seconds": second, "twice_in_a_row": told["twice"]}
    return {"found_after_seconds": None, "twice_in_a_row": told["twice"]}


async def together(limit: int, kind: str, seconds: float) -> dict[str, Any]:
    """Four processes through one Redis: one is killed, then Redis is started anew."""
    with tempfile.TemporaryDirectory() as directory:
        async with LimitedSandbox(limit, kind) as server, RedisServer(directory) as redis:
            began = time.monotonic()
            until = began + SETTLE + seconds + 30
            processes = [
                await asyncio.create_subprocess_exec(
                    sys.executable, "-m", __name__, server.url, server.token, redis.url, str(until), str(number)
                )
                for number in range(4)
            ]
            await asyncio.sleep(began + SETTLE + seconds - time.monotonic())
            killed = time.monotonic()
            processes[0].kill()
            await asyncio.sleep(15)
            restarted = time.monotonic()
            await redis.restart()
            await asyncio.gather(*(process.wait() for process in processes))
            steady = await server.figures(began + SETTLE, killed)
            after_kill = await server.figures(killed, restarted)
            after_restart = await server.figures(restarted, until - 1)
    return {
        **share(steady, limit, killed - began - SETTLE),
        "most_asked_in_a_second": max(
            map(sum, zip(steady["passed_by_second"], steady["refused_by_second"], strict=True))
        ),
        "after_a_kill": [round(passed / limit, 2) for passed in after_kill["passed_by_second"][:5]],
        "after_a_restart": share(after_restart, limit, until - 1 - restarted),
        "failed": sum(process.returncode not in {0, -9} for process in processes),
    }


async def one_of_four(url: str, token: str, redis: str, until: float, first: int) -> None:
    """A process of `together`; it fails when a request is lost."""
    numbers = count(first * 10**7)

    async def numbered(kantata: KantataSession) -> None:
        with suppress(NotFoundError):
            await kantata.request("GET", PATH.format(next(numbers)))

    async with KantataSession(token=token, base_url=url, rate_limit=RedisRateLimit(redis)) as kantata:
        await saturate(kantata, until, numbered)


async def fairness(sizes: tuple[int, ...], limit: int) -> dict[str, Any]:
    """How long jobs that start together take, as a multiple of what an equal share allows them."""
    ended: dict[int, float] = {}
    async with (
        LimitedSandbox(10**6, "token_bucket") as server,
        KantataSession(token=server.token, base_url=server.url, rate_limit=RateLimit(limit)) as kantata,
    ):
        began = time.monotonic()

        async def one(size: int) -> None:
            with job():
                await asyncio.gather(*(ask(kantata) for _ in range(size)))
            ended[size] = time.monotonic() - began

        await asyncio.gather(*map(one, sizes))
    # While a job lasts, each of the others has gone as far as it, or ended.
    return {str(size): round(ended[size] * limit / sum(min(size, other) for other in sizes), 3) for size in sizes}


async def cost(times: int) -> dict[str, Any]:
    """Microseconds that a request spends in the limiter when nothing makes it wait."""
    # So fast that the meter never makes one wait.
    free = Limiter(10, LocalAccount(RateLimits(RateLimit(10**9))))
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(times):
            async with free.slot("GET", "/users/1") as slot:
                await slot.answered(refused=False, retry_after=None)
        best = min(best, (time.perf_counter() - began) / times)
    return {"microseconds": round(best * 1e6, 2)}


async def measure(quick: bool) -> dict[str, Any]:
    """Every figure."""
    seconds = 15.0 if quick else 60.0
    figures: dict[str, Any] = {"seconds": seconds, "cost": await cost(2_000)}
    row("the limiter's cost without waiting", figures["cost"])
    figures["fairness"] = await fairness((200, 20, 5) if quick else (1000, 100, 10), 50)
    row("jobs' time as a multiple of an equal share's", figures["fairness"])
    for limit in (20,) if quick else (5, 20, 100):
        runs = await asyncio.gather(*(ours(limit, kind, seconds) for kind in KINDS))
        for kind, run in zip(KINDS, runs, strict=True):
            figures[f"{limit}/s {kind}"] = run
            row(f"ours, {limit}/s {kind}", run)
    ways = ("a fixed sleep", "plain aiolimiter", "retry on 429 alone")
    for kind in KINDS[:1] if quick else KINDS:
        runs = await asyncio.gather(*(of_today(20, kind, seconds, how) for how in ways))
        for how, run in zip(ways, runs, strict=True):
            figures[f"{how}, 20/s {kind}"] = run
            row(f"{how}, 20/s {kind}", run)
    for kind in KINDS[1:2] if quick else KINDS:
        pairs = ((20, 10), (20, 40))
        runs_changed = await asyncio.gather(*(changed(first, then, kind) for first, then in pairs))
        for (first, then), run in zip(pairs, runs_changed, strict=True):
            figures[f"{first} to {then}/s {kind}"] = run
            row(f"{first}/s becomes {then}/s, {kind}", run)
    figures["four processes"] = await together(20, "sliding_window", seconds)
    row("four processes through Redis, 20/s sliding_window", figures["four processes"])
    return figures


def row(name: str, figures: dict[str, Any]) -> None:
    """Print a line of the table."""
    print(f"{name:52}", "  ".join(f"{key} {value}" for key, value in figures.items()), flush=True)


def main(quick: bool) -> dict[str, Any]:
    """Measure and print; gives the figures."""
    return asyncio.run(measure(quick))


if __name__ == "__main__":
    asyncio.run(one_of_four(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5])))
