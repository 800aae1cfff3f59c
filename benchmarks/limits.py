"""A hidden limit found and kept: in real time, against a sandbox in a process of its own, beside what people do today.

The default runs what the README quotes and takes about fourteen minutes; ``--quick`` takes three and a half.
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from itertools import count
from typing import Any

from aiolimiter import AsyncLimiter

from benchmarks._figures import Figure
from benchmarks._limited_sandbox import OWN_PATH, PATH, LimitedSandbox
from benchmarks._redis_server import RedisServer
from kantata_async import KantataSession, NotFoundError, RateLimit, RateLimitError, RateLimits, RedisRateLimit, job
from kantata_async.limits.account import AccountLimits
from kantata_async.turns import Limiter

OURS = "kantata_async"
KINDS = ("fixed_window", "sliding_window", "token_bucket")
SETTLE = 15.0
WORKERS = 10
_numbers = count(random.randrange(10**7))

Send = Callable[[KantataSession], Awaitable[None]]


async def ask(kantata: KantataSession) -> None:
    """One request that no other one equals."""
    with suppress(NotFoundError, RateLimitError):
        await kantata.request("GET", PATH.format(next(_numbers)))


async def ask_own(kantata: KantataSession) -> None:
    """One request that counts against a limit of its own beside the general one."""
    with suppress(RateLimitError):
        await kantata.request("GET", OWN_PATH)


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


def share(told: Mapping[str, Any], limit: int, seconds: float) -> dict[str, float]:
    """The figures of a run that are compared."""
    sent = told["passed"] + told["refused"]
    return {
        "of_the_limit": told["passed"] / (limit * seconds),
        "refused": told["refused"] / max(1, sent),
        "twice_in_a_row": told["twice"],
    }


async def ours(limit: int, kind: str, seconds: float) -> dict[str, float]:
    """The default of a session."""
    async with LimitedSandbox(limit, kind) as server:
        began = time.monotonic()
        async with KantataSession(token=server.token, base_url=server.url) as kantata:
            await saturate(kantata, began + SETTLE + seconds)
        return share(await server.figures(began + SETTLE, began + SETTLE + seconds), limit, seconds)


async def beside(general: int, own: int, kind: str, seconds: float) -> list[Figure]:
    """An endpoint's own limit beside the general one, with requests that wait for each."""
    async with LimitedSandbox(general, kind, own=own) as server:
        began = time.monotonic()
        since, until = began + SETTLE, began + SETTLE + seconds
        async with KantataSession(token=server.token, base_url=server.url) as kantata:
            await asyncio.gather(saturate(kantata, until), saturate(kantata, until, ask_own))
        others = await server.figures(since, until, PATH.partition("{")[0])
        told = await server.figures(since, until, OWN_PATH)
    of = f"{own}/s of an endpoint's own beside {general}/s, {kind}"
    refused = told["refused"] / max(1, told["passed"] + told["refused"])
    return [
        Figure(of, "its own: let through", told["passed"] / seconds, "requests/s", goal="≥ 1.4"),
        Figure(of, "its own: refused", refused * 100, "% of the requests", goal="≤ 5"),
        *shares(of, "the others", share(others, general - own, seconds)),
    ]


async def of_today(limit: int, kind: str, seconds: float, how: str) -> dict[str, float]:
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


async def changed(first: int, then: int, kind: str) -> float:
    """Seconds until a changed limit is found: until three in which 85 % goes through and at most 5 % is refused.

    Infinity where it is not found while it is looked at.
    """
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
            return second
    return math.inf


async def together(limit: int, kind: str, seconds: float) -> list[Figure]:
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
    of = f"four processes through one Redis, {limit}/s, {kind}"
    return [
        *shares(of, "together", share(steady, limit, killed - began - SETTLE)),
        Figure(
            of, "the second after one was killed", after_kill["passed_by_second"][0] / limit * 100, "% of the limit"
        ),
        *shares(of, "Redis anew", share(after_restart, limit, until - 1 - restarted)),
        Figure(of, "processes that failed", sum(process.returncode not in {0, -9} for process in processes), ""),
    ]


async def one_of_four(url: str, token: str, redis: str, until: float, first: int) -> None:
    """A process of `together`; it fails when a request is lost."""
    numbers = count(first * 10**7)

    async def numbered(kantata: KantataSession) -> None:
        with suppress(NotFoundError):
            await kantata.request("GET", PATH.format(next(numbers)))

    async with KantataSession(token=token, base_url=url, rate_limit=RedisRateLimit(redis)) as kantata:
        await saturate(kantata, until, numbered)


async def fairness(sizes: tuple[int, ...], limit: int) -> dict[int, float]:
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
    return {size: ended[size] * limit / sum(min(size, other) for other in sizes) for size in sizes}


async def cost(times: int) -> float:
    """Microseconds that a request spends in the limiter when nothing makes it wait."""
    # So fast that the meter never makes one wait.
    free = Limiter(10, AccountLimits(RateLimits(RateLimit(10**9))))
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(times):
            async with free.slot("GET", "/users/1") as slot:
                slot.answered(refused=False, retry_after=None)
        best = min(best, (time.perf_counter() - began) / times)
    return best * 1e6


async def measure(quick: bool) -> list[Figure]:
    """Every figure."""
    seconds = 15.0 if quick else 60.0
    figures = [Figure("a request's way through the limiter without waiting", OURS, await cost(2_000), "µs")]
    sizes = (200, 20, 5) if quick else (1000, 100, 10)
    of = f"jobs of {', '.join(map(str, sizes))} requests that start together, at 50/s"
    for size, multiple in (await fairness(sizes, 50)).items():
        figures.append(Figure(of, f"the job of {size}", multiple, "times an equal share's time"))
    for limit in (20,) if quick else (5, 20, 100):
        runs = await asyncio.gather(*(ours(limit, kind, seconds) for kind in KINDS))
        for kind, run in zip(KINDS, runs, strict=True):
            figures += shares(f"a hidden limit of {limit}/s, {kind}", OURS, run)
    for pair in await asyncio.gather(*(beside(20, 2, kind, seconds) for kind in KINDS)):
        figures += pair
    ways = ("a fixed sleep", "plain aiolimiter", "retry on 429 alone")
    for kind in KINDS[:1] if quick else KINDS:
        runs = await asyncio.gather(*(of_today(20, kind, seconds, how) for how in ways))
        for how, run in zip(ways, runs, strict=True):
            figures += shares(f"what people do today, 20/s, {kind}", how, run)
    for kind in KINDS[1:2] if quick else KINDS:
        pairs = ((20, 10), (20, 40))
        found = await asyncio.gather(*(changed(first, then, kind) for first, then in pairs))
        for (first, then), after in zip(pairs, found, strict=True):
            figures.append(
                Figure(f"a limit that changes, {kind}", f"{first}/s becomes {then}/s", after, "s until found")
            )
    figures += await together(20, "sliding_window", seconds)
    return figures


def shares(of: str, side: str, run: Mapping[str, float]) -> list[Figure]:
    """What came through, what was refused, and how many requests were refused twice in a row."""
    return [
        Figure(of, f"{side}: let through", run["of_the_limit"] * 100, "% of the limit"),
        Figure(of, f"{side}: refused", run["refused"] * 100, "% of the requests"),
        Figure(of, f"{side}: refused twice in a row", run["twice_in_a_row"], ""),
    ]


def main(quick: bool) -> list[Figure]:
    """Measure."""
    return asyncio.run(measure(quick))


if __name__ == "__main__":
    asyncio.run(one_of_four(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5])))
