"""Rate limits as a server keeps them: by fixed window, sliding window or token bucket."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Literal, Protocol, get_args

import attrs

from .path_patterns import matches

LimitKind = Literal["fixed_window", "sliding_window", "token_bucket"]


@attrs.frozen
class ServerRateLimit:
    """At most `requests` requests in `per` seconds, of one method and path or of all; more are answered 429.

    `path` is a pattern as `path_patterns.matches` describes. A "fixed_window" begins with the first request after the
    last one ended; a "token_bucket" holds `requests` tokens, and regains them evenly in `per` seconds.
    """

    requests: int = attrs.field(validator=attrs.validators.ge(1))
    per: float = attrs.field(validator=attrs.validators.gt(0))
    kind: LimitKind = attrs.field(default="fixed_window", validator=attrs.validators.in_(get_args(LimitKind)))
    method: str | None = None
    path: str | None = None


class LimitUse(Protocol):
    """What has been used of one limit."""

    def wait(self, now: float) -> float:
        """Seconds until the next request would be let through; 0 for at once."""
        ...

    def take(self, now: float) -> None:
        """Count a request that was let through."""
        ...


class _FixedWindow:
    def __init__(self, limit: ServerRateLimit) -> None:
        self._limit = limit
        self._started = float("-inf")
        self._used = 0

    def wait(self, now: float) -> float:
        end = self._started + self._limit.per
        return end - now if now < end and self._used >= self._limit.requests else 0.0

    def take(self, now: float) -> None:
        if now >= self._started + self._limit.per:
            self._started, self._used = now, 0
        self._used += 1


class _SlidingWindow:
    def __init__(self, limit: ServerRateLimit) -> None:
        self._limit = limit
        self._taken: deque[float] = deque(maxlen=limit.requests)

    def wait(self, now: float) -> float:
        if len(self._taken) < self._limit.requests:
            return 0.0
        return max(0.0, self._taken[0] + self._limit.per - now)

    def take(self, now: float) -> None:
        self._taken.append(now)


class _TokenBucket:
    def __init__(self, limit: ServerRateLimit) -> None:
        self._limit = limit
        self._rate = limit.requests / limit.per
        self._tokens = float(limit.requests)
        self._filled: float | None = None

    def _level(self, now: float) -> float:
        if self._filled is None:
            return self._tokens
        return min(float(self._limit.requests), self._tokens + (now - self._filled) * self._rate)

    def wait(self, now: float) -> float:
        return max(0.0, (1 - self._level(now)) / self._rate)

    def take(self, now: float) -> None:
        self._tokens, self._filled = self._level(now) - 1, now


_METERS: dict[LimitKind, type[_FixedWindow | _SlidingWindow | _TokenBucket]] = {
    "fixed_window": _FixedWindow,
    "sliding_window": _SlidingWindow,
    "token_bucket": _TokenBucket,
}


class MeteredLimits:
    """Every limit of the server with its use. Only requests that are let through count."""

    def __init__(self, limits: Iterable[ServerRateLimit]) -> None:
        self.limits = tuple(limits)
        self._metered: list[tuple[ServerRateLimit, LimitUse]] = [
            (limit, _METERS[limit.kind](limit)) for limit in self.limits
        ]

    def admit(self, method: str, path: str, now: float) -> float:
        """Seconds to wait before the request would be let through; 0 lets it through and counts it."""
        meters = [
            meter
            for limit, meter in self._metered
            if matches(limit.method, limit.path, request_method=method, request_path=path)
        ]
        wait = max((meter.wait(now) for meter in meters), default=0.0)
        if wait == 0.0:
            for meter in meters:
                meter.take(now)
        return wait
