"""The limits of one account within a process, shared by every session with the same token and base URL.

Sessions in one event loop share the limits and take turns (`line`); those in other loops and threads of the process
share the limits, under a lock, and meet at the meter as they come. What was learnt stays for sessions that are opened
later, in this process.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary, WeakSet

import attrs
from aiolimiter import AsyncLimiter

from ..errors import UsageError
from .limit import Limit, learn, take_all, uncount
from .meter import Meter
from .pace import Pace, Steady
from .rate import AdaptiveRateLimit, AnyRateLimit, RateLimit, RateLimits

_LOGGER: Final = logging.getLogger("kantata_async.limits")
_NO_CEILING: Final = Pace().ceiling


@attrs.frozen
class LimitState:
    """How one limit stands.

    Attributes:
        name: "general", or the endpoint, as "POST /workspaces".
        rate: requests a second at which it lets go now.
        learnt: requests a second at which the limit was met, by a 429; None before that, and where the limit was given.
        waiting: how many requests of this event loop wait for their turn and count against it.
        paused_for: seconds until it lets the next request go after a 429; 0 when it is not paused.
        last_refused: when the last 429 came; None when none did.
    """

    name: str
    rate: float
    learnt: float | None
    waiting: int
    paused_for: float
    last_refused: datetime | None


class Account:
    """The limits kept in this process.

    Args:
        settings: what they are; None for none.
        clock: seconds, never going back.

    Attributes:
        settings: what the limits are, by name.
        clock: seconds, never going back.
        sessions: those that are open.
    """

    def __init__(self, settings: RateLimits | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings: Final = {} if settings is None else settings.by_name()
        self.clock: Final = clock
        self.sessions: Final[WeakSet[object]] = WeakSet()
        self._lock: Final = threading.Lock()
        self._names: Final[dict[tuple[str, ...], tuple[str, ...]]] = {}
        self._limits: Final[dict[str, Limit]] = {}
        self._meters: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Meter]]] = WeakKeyDictionary()
        self._share = 1.0

    async def open(self, session: object) -> None:
        """Count a session among those that use it.

        Raises:
            UsageError: the limits cannot be kept in this event loop, or not where they are to be.
        """
        self._metered(tuple(name for name, setting in self.settings.items() if isinstance(setting, AsyncLimiter)))
        self.sessions.add(session)

    async def close(self, session: object) -> None:
        """Count it no longer, and let go of what was held of the event loop for it."""
        self.sessions.discard(session)

    async def take_now(self, names: tuple[str, ...], *, again: bool) -> float | None:
        """Take from all of these limits or from none, without waiting for anything.

        Gives when that was, on the clock of the account; None where it takes `take`.
        """
        now = self.clock()
        if not self.settings:
            return now
        meters = self._metered(names)
        for meter in meters:
            if not await meter.ready(now):
                return None
        if not self._counted(meters, now, again=again):
            return None
        for meter in meters:
            await meter.acquire()
        return now

    async def take(self, names: tuple[str, ...], *, again: bool, waiting: int = 1) -> tuple[float, float]:
        """Take from all of these limits or from none: seconds to wait, 0 when it was done, and when that was.

        Args:
            names: of the limits.
            again: whether the request has been refused before.
            waiting: how many requests like it wait at most.
        """
        general, *own = meters = self._metered(names)
        while True:
            now = self.clock()
            _, *ready = [await meter.ready(now) for meter in meters]
            waits = [meter.wait(now, again=again) for meter in meters]
            waits += [meter.seconds(now) for meter, free in zip(own, ready, strict=True) if not free]
            if (wait := max(waits)) > 0:
                return wait, 0.0
            await general.acquire()
            now = self.clock()
            # What was charged is lost if something came between; by the next time the bucket has it back.
            if all([await meter.ready(now) for meter in own]) and self._counted(meters, now, again=again):
                for meter in own:
                    await meter.acquire()
                return 0.0, now

    def give_back(self, names: tuple[str, ...]) -> None:
        """Forget what was taken for a request that never left."""
        meters = self._metered(names)
        with self._lock:
            uncount(meter.limit for meter in meters)
        for meter in meters:
            meter.give_back()

    def answered(self, names: tuple[str, ...], left: float, *, refused: bool, retry_after: float | None) -> None:
        """Learn from an answer to a request that left at `left`: see `limit.learn`."""
        limited = self._limited(names)
        if not limited or (not refused and all(self._limits[name].blocked is None for name in limited)):
            return
        with self._lock:
            limits = [self._limits[name] for name in limited]
            before = limits[-1].pace
            learn(limits, left, self.clock(), refused=refused, retry_after=retry_after)
        log_learning(limited[-1], before, limits[-1].pace)

    def refused_since(self, names: tuple[str, ...]) -> float | None:
        """When the first request left since which one of the limits has let none through; None where all do."""
        limits = [self._limits[name] for name in self._limited(names)]
        return min((limit.blocked for limit in limits if limit.blocked is not None), default=None)

    def states(self, waiting: Callable[[str], int]) -> list[LimitState]:
        """How every limit stands that was asked for so far."""
        with self._lock:
            now = self.clock()
            return [_state(name, limit, now, waiting(name)) for name, limit in self._limits.items()]

    def _limited(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the names that have a limit."""
        limited = self._names.get(names)
        if limited is None:
            limited = self._names[names] = tuple(name for name in names if name in self.settings)
        return limited

    def _metered(self, names: tuple[str, ...]) -> list[Meter]:
        loop = asyncio.get_running_loop()
        meters = self._meters.get(loop)
        if meters is None:
            with self._lock:
                meters = self._meters[loop] = {}
        return [meters.get(name) or self._new_meter(name, meters) for name in self._limited(names)]

    def _new_meter(self, name: str, meters: dict[str, Meter]) -> Meter:
        setting = self.settings[name]
        with self._lock:
            others = [loop for loop, theirs in self._meters.items() if name in theirs and not loop.is_closed()]
            if others and isinstance(setting, AsyncLimiter):
                raise UsageError("an AsyncLimiter belongs to the event loop that first used it: give each loop its own")
            limit = self._limits.setdefault(name, new_limit(setting))
            meter = meters[name] = new_meter(setting, limit, self._share)
        return meter

    def _counted(self, meters: list[Meter], now: float, *, again: bool) -> bool:
        """Count a request that goes now, unless a pause or another event loop forbids it."""
        with self._lock:
            for meter in meters:
                if meter.wait(now, again=again) > 0:
                    return False
            take_all([meter.limit for meter in meters], now)
            for meter in meters:
                meter.taken = now
        return True


def new_limit(setting: AnyRateLimit) -> Limit:
    """What is known of a limit of which nothing was taken yet."""
    if isinstance(setting, AdaptiveRateLimit):
        return Limit(Pace(wall=setting.start, ceiling=_NO_CEILING if setting.at_most is None else setting.at_most))
    if isinstance(setting, AsyncLimiter):
        return Limit(Steady(setting.max_rate / setting.time_period))
    return Limit(Steady(setting.requests / setting.per))


def new_meter(setting: AnyRateLimit, limit: Limit, share: float) -> Meter:
    """A meter for an event loop."""
    if isinstance(setting, AsyncLimiter):
        return Meter(limit, limiter=setting)
    return Meter(limit, burst=setting.burst if isinstance(setting, RateLimit) else 1, share=share)


def log_learning(name: str, before: Pace | Steady, after: Pace | Steady) -> None:
    """Log what a 429 changed."""
    if isinstance(before, Pace) and isinstance(after, Pace) and before != after:
        done = "learnt" if not before.met else "lowered" if after.wall < before.wall else "raised"
        _LOGGER.info("limit %s %s: %.3g requests a second", name, done, after.wall)


def _state(name: str, limit: Limit, now: float, waiting: int) -> LimitState:
    learnt = limit.pace.wall if isinstance(limit.pace, Pace) and limit.pace.met else None
    refused = None if limit.refused is None else datetime.now(UTC) - timedelta(seconds=now - limit.refused)
    return LimitState(name, limit.rate, learnt, waiting, max(0.0, limit.paused - now), refused)
