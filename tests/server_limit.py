"""A client with requests that always wait, a server with a hidden limit and the network between, in simulated time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from itertools import count
from typing import Any, Literal

import attrs

from kantata_async.limits.bucket import Bucket
from kantata_async.limits.pace import Pace
from kantata_async.sandbox.server.limits import RateLimits, ServerRateLimit

Kind = Literal["fixed_window", "sliding_window", "token_bucket"]
KINDS: tuple[Kind, ...] = ("fixed_window", "sliding_window", "token_bucket")


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
    """One bucket against one server; the limit may change at given times."""

    def __init__(
        self,
        kind: Kind,
        limit: int,
        *,
        seed: int,
        per: float = 1.0,
        changes: Sequence[tuple[float, int]] = (),
        latency: float = 0.008,
        jitter: float = 0.002,
        concurrency: int = 10,
    ) -> None:
        self._chance = random.Random(seed)
        self._kind, self._per = kind, per
        self._latency, self._jitter = latency, jitter
        self._free = concurrency
        self._bucket = Bucket(Pace())
        self._numbers = count()
        self._order = count()
        self._events: list[tuple[float, int, Any]] = []
        self._again: list[int] = []
        self._alarm = 0.0
        self._limits = self._limited(limit)
        self.run = Run()
        for at, then in changes:
            self._at(at, lambda _now, then=then: setattr(self, "_limits", self._limited(then)))

    def until(self, end: float) -> Run:
        """Run to the end."""
        self._at(0.0, lambda _now: None)
        while self._events and self._events[0][0] < end:
            now, _, happen = heapq.heappop(self._events)
            happen(now)
            self._send(now)
        return self.run

    def _limited(self, limit: int) -> RateLimits:
        return RateLimits([ServerRateLimit(limit, self._per, self._kind)])

    def _at(self, when: float, happen: Any) -> None:
        heapq.heappush(self._events, (when, next(self._order), happen))

    def _way(self) -> float:
        return self._latency / 2 + self._chance.expovariate(1 / self._jitter)

    def _send(self, now: float) -> None:
        while self._free:
            # As the line has it: one that was refused keeps its place, unless it is not sure to get through yet.
            again = bool(self._again) and self._bucket.wait(now, again=True) <= 0
            wait = self._bucket.wait(now, again=again)
            if wait > 0:
                self._wake(now, now + wait)
                return
            self._free -= 1
            self._bucket.take(now)
            number = self._again.pop(0) if again else next(self._numbers)
            self._at(now + self._way(), lambda at, number=number, left=now: self._arrive(at, number, left))

    def _wake(self, now: float, when: float) -> None:
        if not now < self._alarm <= when:
            self._alarm = when + self._chance.expovariate(1000)
            self._at(self._alarm, lambda _now: None)

    def _arrive(self, now: float, number: int, left: float) -> None:
        through = self._limits.admit("GET", "/users", now) == 0.0
        self.run.seen.append((now, number, through))
        self._at(now + self._way(), lambda at: self._answer(at, number, left, through))

    def _answer(self, now: float, number: int, left: float, through: bool) -> None:
        self._free += 1
        if through:
            self._bucket.let_through(left, now)
        else:
            self._bucket.turn_down(left, now)
            self._again.append(number)
