"""A client with requests that always wait, a server with a hidden limit and the network between, in simulated time."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Literal

import attrs

from kantata_async.limits import AdaptiveRateLimit, RateLimits
from kantata_async.limits.account import AccountLimits
from kantata_async.sandbox.server.limits import MeteredLimits, ServerRateLimit
from kantata_async.turns import Limiter

Kind = Literal["fixed_window", "sliding_window", "token_bucket"]
KINDS: tuple[Kind, ...] = ("fixed_window", "sliding_window", "token_bucket")

PATHS = {"general": ("GET", "/users"), "own": ("POST", "/workspaces")}


class _Idle(selectors.SelectSelector):
    """Tells how long the loop would have waited, and waits for nothing: nothing comes from outside."""

    def __init__(self, passed: Callable[[float], None]) -> None:
        super().__init__()
        self._passed = passed

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self._passed(timeout)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when it has nothing to do; its timers are as late as real ones."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._now = 1.0
        super().__init__(_Idle(self._pass))

    def time(self) -> float:
        return self._now

    def _pass(self, seconds: float) -> None:
        self._now += seconds + self._chance.expovariate(1000)


@attrs.define
class Run:
    """What the server saw: (when, which request, whether it was let through)."""

    seen: list[tuple[float, int, bool]] = attrs.Factory(list)

    def passed(self, since: float, until: float) -> int:
        return sum(through and since <= at < until for at, _, through in self.seen)

    def refused(self, since: float, until: float) -> int:
        return sum(not through and since <= at < until for at, _, through in self.seen)

    def refused_share(self, since: float, until: float) -> float:
        refused = self.refused(since, until)
        return refused / max(1, refused + self.passed(since, until))

    @property
    def refused_twice(self) -> int:
        last: dict[int, bool] = {}
        twice = 0
        for _, number, through in self.seen:
            twice += not through and not last.get(number, True)
            last[number] = through
        return twice


class Simulation:
    """One session against one server; the limit may change at given times.

    `own` is the limit of an endpoint beside the general one: there are then as many requests for it as for the others.
    """

    def __init__(
        self,
        kind: Kind,
        limit: int,
        *,
        seed: int,
        per: float = 1.0,
        own: int | None = None,
        changes: Sequence[tuple[float, int]] = (),
        latency: float = 0.008,
        jitter: float = 0.002,
        concurrency: int = 10,
    ) -> None:
        self._chance = random.Random(seed)
        self._kind, self._per, self._own = kind, per, own
        self._latency, self._jitter = latency, jitter
        self._concurrency = concurrency
        self._changes = changes
        self._numbers = count()
        self._server = self._limited(limit)
        self.runs = {name: Run() for name in PATHS}

    def until(self, end: float) -> Run:
        """Run to the end; what came of the requests that count against the general limit alone."""
        # asyncio's debug mode keeps the stack of every future, and a simulated minute has tens of thousands.
        with asyncio.Runner(debug=False, loop_factory=lambda: SimulatedLoop(self._chance)) as runner:
            runner.run(self._all(end))
        return self.runs["general"]

    async def _all(self, end: float) -> None:
        loop = asyncio.get_running_loop()
        limiter = Limiter(self._concurrency, AccountLimits(RateLimits(AdaptiveRateLimit()), clock=loop.time))
        names = ["general"] if self._own is None else ["general", "own"]
        tasks = [loop.create_task(self._work(limiter, name)) for name in names for _ in range(self._concurrency + 2)]
        for at, then in self._changes:
            loop.call_at(1 + at, lambda then=then: setattr(self, "_server", self._limited(then)))
        await asyncio.sleep(end)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, limiter: Limiter, name: str) -> None:
        loop = asyncio.get_running_loop()
        method, path = PATHS[name]
        for number in self._numbers:
            again, through = None, False
            while not through:
                async with limiter.slot(method, path, again) as slot:
                    await asyncio.sleep(self._way())
                    through = self._server.admit(method, path, loop.time()) == 0.0
                    self.runs[name].seen.append((loop.time() - 1, number, through))
                    await asyncio.sleep(self._way())
                    slot.answered(refused=not through, retry_after=None)
                again = slot

    def _limited(self, limit: int) -> MeteredLimits:
        limits = [ServerRateLimit(limit, self._per, self._kind)]
        if self._own is not None:
            method, path = PATHS["own"]
            limits.append(ServerRateLimit(self._own, self._per, self._kind, method=method, path=path))
        return MeteredLimits(limits)

    def _way(self) -> float:
        return self._latency / 2 + self._chance.expovariate(1 / self._jitter)
