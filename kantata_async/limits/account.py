"""The limits of one account within a process, shared by every session with the same token and base URL.

What holds: sessions in one event loop share the limits and take turns (`line`); sessions in other loops and threads of
the process share the limits, under a lock, and meet at the meter as they come. What was learnt stays for sessions that
are opened later, in this process.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import attrs

from .bucket import Bucket
from .pace import Pace, Steady
from .rate import AdaptiveRateLimit, AnyRateLimit, RateLimits, RateLimitSetting, limits_in

_LOGGER: Final = logging.getLogger("kantata_async.limits")
_MOST_ACCOUNTS: Final = 256
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


class Account(Protocol):
    """Where the limits are kept: in this process, or in Redis."""

    def take_now(self, names: tuple[str, ...], *, again: bool) -> float | None:
        """Take from all of these limits or from none, if that can be done without waiting for anything.

        Gives when, on the clock of the account, or None when it takes `take`.
        """
        ...

    async def take(self, names: tuple[str, ...], *, again: bool) -> tuple[float, float]:
        """Take from all of these limits or from none: seconds to wait, 0 when it was done, and when that was."""
        ...

    def give_back(self, names: tuple[str, ...]) -> None:
        """Forget what was taken for a request that never left."""
        ...

    async def answered(self, names: tuple[str, ...], left: float, *, refused: bool, retry_after: float | None) -> None:
        """Learn from an answer to a request that left at `left`."""
        ...

    def states(self, waiting: Callable[[str], int]) -> Iterable[LimitState]:
        """How every limit stands that was asked for so far."""
        ...

    async def close(self) -> None:
        """Let go of what it holds of the event loop."""
        ...


class LocalAccount:
    """The limits kept in this process.

    Args:
        limits: what they are.
        clock: seconds, never going back.
    """

    def __init__(self, limits: RateLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits: Final = limits
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._buckets: Final[dict[str, Bucket]] = {}
        self._groups: Final[dict[tuple[str, ...], tuple[Bucket, ...]]] = {}

    def take_now(self, names: tuple[str, ...], *, again: bool) -> float | None:
        """See `Account`."""
        wait, now = self._take(names, again=again)
        return now if wait <= 0 else None

    async def take(self, names: tuple[str, ...], *, again: bool) -> tuple[float, float]:
        """See `Account`."""
        return self._take(names, again=again)

    def give_back(self, names: tuple[str, ...]) -> None:
        """See `Account`."""
        with self._lock:
            for bucket in self._group(names):
                bucket.give_back()

    async def answered(self, names: tuple[str, ...], left: float, *, refused: bool, retry_after: float | None) -> None:
        """See `Account`. A 429 counts against the narrowest limit: if the general one is met, other requests tell."""
        with self._lock:
            now = self._clock()
            group = self._group(names)
            if not refused:
                for bucket in group:
                    bucket.let_through(left, now)
                return
            before = group[-1].pace
            group[-1].turn_down(left, now, retry_after)
            for bucket in group[:-1]:
                bucket.sent -= 1
            after = group[-1].pace
        log_learning(self._narrowest(names), before, after)

    def _narrowest(self, names: tuple[str, ...]) -> str:
        """The last of the names that has a limit."""
        return [name for name in names if self._limits.limit_of(name) is not None][-1]

    def states(self, waiting: Callable[[str], int]) -> list[LimitState]:
        """See `Account`."""
        with self._lock:
            now = self._clock()
            return [state_of(name, bucket, now, waiting(name)) for name, bucket in self._buckets.items()]

    async def close(self) -> None:
        """See `Account`: it holds nothing of an event loop."""

    def _take(self, names: tuple[str, ...], *, again: bool) -> tuple[float, float]:
        with self._lock:
            now = self._clock()
            group = self._group(names)
            for bucket in group:
                if bucket.wait(now, again=again) > 0:
                    return max(each.wait(now, again=again) for each in group), now
            for bucket in group:
                bucket.take(now)
            return 0.0, now

    def _group(self, names: tuple[str, ...]) -> tuple[Bucket, ...]:
        group = self._groups.get(names)
        if group is None:
            for name in names:
                limit = self._limits.limit_of(name)
                if limit is not None and name not in self._buckets:
                    self._buckets[name] = new_bucket(limit)
            group = self._groups[names] = tuple(self._buckets[name] for name in names if name in self._buckets)
        return group


class Unlimited:
    """No limits at all; sessions still take turns for their connections."""

    def take_now(self, names: tuple[str, ...], *, again: bool) -> float | None:
        """See `Account`."""
        return 0.0

    async def take(self, names: tuple[str, ...], *, again: bool) -> tuple[float, float]:
        """See `Account`."""
        return 0.0, 0.0

    def give_back(self, names: tuple[str, ...]) -> None:
        """See `Account`."""

    async def answered(self, names: tuple[str, ...], left: float, *, refused: bool, retry_after: float | None) -> None:
        """See `Account`."""

    def states(self, waiting: Callable[[str], int]) -> list[LimitState]:
        """See `Account`."""
        return []

    async def close(self) -> None:
        """See `Account`."""


def new_bucket(limit: AnyRateLimit) -> Bucket:
    """The bucket of a limit that nothing was taken from yet."""
    if isinstance(limit, AdaptiveRateLimit):
        ceiling = _NO_CEILING if limit.at_most is None else limit.at_most
        return Bucket(Pace(wall=limit.start, ceiling=ceiling))
    return Bucket(Steady(limit.requests / limit.per), ahead=limit.burst - 1)


def state_of(name: str, bucket: Bucket, now: float, waiting: int) -> LimitState:
    """How a bucket stands at `now`, on its own clock."""
    learnt = bucket.pace.wall if isinstance(bucket.pace, Pace) and bucket.pace.met else None
    refused = None if bucket.refused is None else datetime.now(UTC) - timedelta(seconds=now - bucket.refused)
    return LimitState(name, bucket.rate, learnt, waiting, max(0.0, bucket.paused - now), refused)


def log_learning(name: str, before: Pace | Steady, after: Pace | Steady) -> None:
    """Log what a 429 changed."""
    if isinstance(before, Pace) and isinstance(after, Pace) and before != after:
        done = "learnt" if not before.met else "lowered" if after.wall < before.wall else "raised"
        _LOGGER.info("limit %s %s: %.3g requests a second", name, done, after.wall)


_accounts: OrderedDict[tuple[bytes, str, RateLimits], LocalAccount] = OrderedDict()
_accounts_lock: Final = threading.Lock()


def token_digest(token: str, pepper: str = "") -> bytes:
    """What stands for a token where limits are kept: it does not lead back to it."""
    return hashlib.blake2b(token.encode(), key=pepper.encode()[:64], person=b"kantata-limits").digest()


def local_account(identity: bytes, base_url: str, setting: RateLimitSetting) -> LocalAccount:
    """The limits of this process for a token's digest, a base URL and a setting: the same whenever all three are."""
    key = (identity, base_url.rstrip("/"), limits_in(setting))
    with _accounts_lock:
        account = _accounts.pop(key, None) or LocalAccount(key[2])
        _accounts[key] = account
        while len(_accounts) > _MOST_ACCOUNTS:
            _accounts.popitem(last=False)
    return account
