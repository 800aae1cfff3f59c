"""The limits of one account within a process, shared by every session with the same token and base URL.

Sessions in one event loop share the limits and take turns; those in other loops and threads of the process share the
limits, under a lock, and meet at the meter as they come. What was learnt stays for sessions that are opened later, in
this process and, where it is kept, in others.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from weakref import WeakSet

import attrs
from aiolimiter import AsyncLimiter

from ..errors import UsageError
from .curve import FASTEST, RateCurve
from .endpoints import limits_of
from .kept import keep_rate, kept_rates
from .limit import Limit, learn, take_all
from .meter import Meter
from .rate import RateLimit, RateLimits

_LOGGER: Final = logging.getLogger("kantata_async.limits")


@attrs.frozen
class LimitState:
    """How one limit stands.

    Attributes:
        name: "general", or the endpoint, as "POST /workspaces".
        rate: requests a second at which it lets go now.
        learnt: requests a second at which the limit was met, by a 429, here or by an earlier process that kept it; None
            before that, and where the limit was given.
        waiting: how many requests of this event loop wait for their turn and count against it.
        paused_for: seconds until it lets the next request go after a 429; 0 when it is not paused.
        last_refused: when the last 429 came; None where none did.
    """

    name: str
    rate: float
    learnt: float | None
    waiting: int
    paused_for: float
    last_refused: datetime | None


class AccountLimits:
    """The limits of an account, kept in this process.

    Args:
        settings: what they are; None for none.
        clock: seconds, never going back.
        keep_as: the account's digest, to keep what is learnt for later processes; None to keep nothing.

    Attributes:
        settings: what the limits are, by name.
        sessions: those that are open.
    """

    def __init__(
        self, settings: RateLimits | None, clock: Callable[[], float] = time.monotonic, keep_as: str | None = None
    ) -> None:
        self.settings: Final = {} if settings is None else settings.by_name()
        self.clock: Final = clock
        self.sessions: Final[WeakSet[object]] = WeakSet()
        self._keep_as: Final = keep_as
        self._kept: dict[str, float] = {}
        self._lock: Final = threading.Lock()
        self._limits: Final[dict[str, Limit]] = {}
        self._meters: Final[dict[tuple[asyncio.AbstractEventLoop, str], Meter]] = {}

    async def open(self, session: object) -> None:
        """Count a session among those that use it.

        Raises:
            UsageError: the limits cannot be kept in this event loop, or not where they are to be.
        """
        self._metered(tuple(name for name, setting in self.settings.items() if isinstance(setting, AsyncLimiter)))
        if self._keep_as is not None and not self._limits:
            self._kept = kept_rates(self._keep_as)
        self.sessions.add(session)

    async def close(self, session: object) -> None:
        """Count a session no longer, and let go of what was held of the event loop for it."""
        self.sessions.discard(session)
        here = asyncio.get_running_loop()
        for (loop, _), meter in tuple(self._meters.items()):
            if loop is here:
                meter.stop()

    def limits_of(self, method: str, path: str) -> tuple[str, ...]:
        """The names of the limits that a request takes from, the general one first."""
        names = limits_of(method, path)
        return names if names[-1] in self.settings else names[:1]

    def take(self, names: tuple[str, ...], *, again: bool, waiting: int, then: Callable[[], None]) -> float:
        """Seconds to wait for these limits; none when a request was taken from all of them.

        Args:
            names: of the limits.
            again: whether the request has been refused before.
            waiting: how many requests like it wait.
            then: called when one may go, if that is before these seconds are over.
        """
        meters, now = self._metered(names), self.clock()
        full = [meter for meter in meters if not meter.ready(now)]
        with self._lock:
            waits = [wait for meter in meters if (wait := meter.wait(now, again=again)) > 0]
            if not full and not waits:
                take_all([meter.limit for meter in meters], now)
                for meter in meters:
                    meter.take(now)
                return 0.0
        # What is acquired from one bucket is lost while anything else is waited for.
        if not waits and full == meters[:1]:
            full[0].reserve(then)
        return max([*waits, *(meter.seconds(now) for meter in full)])

    def give_back(self, names: tuple[str, ...]) -> None:
        """Forget what was taken for a request that never left."""
        meters = self._metered(names)
        with self._lock:
            for meter in meters:
                meter.give_back()

    def answered(self, names: tuple[str, ...], left: float, *, refused: bool, retry_after: float | None) -> bool:
        """Whether the answer to a request that left at `left` taught anything: see `limit.learn`."""
        if not refused and self.refused_since(names) is None:
            return False
        with self._lock:
            limits = [self._limits[name] for name in names]
            before = [limit.curve for limit in limits]
            learn(limits, left, self.clock(), refused=refused, retry_after=retry_after)
        for name, curve, limit in zip(names, before, limits, strict=True):
            if limit.curve != curve:
                self._learnt(name, curve, limit.curve)
        return True

    def refused_since(self, names: tuple[str, ...]) -> float | None:
        """When the first request left since which one of the limits has let none through; None where all do."""
        limits = map(self._limits.get, names)
        return min((limit.blocked for limit in limits if limit and limit.blocked is not None), default=None)

    def states(self, waiting: Callable[[str], int]) -> list[LimitState]:
        """The state of every limit that was used so far."""
        with self._lock:
            now, today = self.clock(), datetime.now(UTC)
            return [
                LimitState(
                    name=name,
                    rate=limit.rate,
                    learnt=limit.curve.wall if limit.curve.met else None,
                    waiting=waiting(name),
                    paused_for=max(0.0, limit.paused - now),
                    last_refused=None if limit.refused is None else today - timedelta(seconds=now - limit.refused),
                )
                for name, limit in self._limits.items()
            ]

    def _learnt(self, name: str, before: RateCurve, after: RateCurve) -> None:
        done = "learnt" if not before.met else "lowered" if after.wall < before.wall else "raised"
        _LOGGER.info("limit %s %s: %.3g requests a second", name, done, after.wall)
        if self._keep_as is not None and getattr(self.settings[name], "remember", False):
            keep_rate(self._keep_as, name, after.wall)

    def _metered(self, names: tuple[str, ...]) -> list[Meter]:
        loop = asyncio.get_running_loop()
        return [self._meters.get((loop, name)) or self._new_meter(loop, name) for name in names]

    def _new_meter(self, loop: asyncio.AbstractEventLoop, name: str) -> Meter:
        setting = self.settings[name]
        given = setting if isinstance(setting, AsyncLimiter) else None
        with self._lock:
            # A meter keeps its event loop alive.
            for key in [key for key in self._meters if key[0].is_closed()]:
                del self._meters[key]
            if given and any(metered == name for _, metered in self._meters):
                raise UsageError("an AsyncLimiter belongs to the event loop that first used it: give each loop its own")
            limit = self._limits.setdefault(name, self._first(name))
            burst = setting.burst if isinstance(setting, RateLimit) else 1
            meter = self._meters[loop, name] = Meter(limit, burst=burst, limiter=given)
        return meter

    def _first(self, name: str) -> Limit:
        """A limit from which nothing was taken yet, near where an earlier process met it."""
        setting, kept = self.settings[name], self._kept.get(name)
        if isinstance(setting, AsyncLimiter):
            return Limit(RateCurve.given(setting.max_rate / setting.time_period))
        if isinstance(setting, RateLimit):
            return Limit(RateCurve.given(setting.requests / setting.per))
        ceiling = setting.at_most or FASTEST
        if kept is None or not setting.remember:
            return Limit(RateCurve(setting.start, ceiling))
        return Limit(RateCurve(min(kept, ceiling), ceiling, met=True))
