"""The limits a session may be given, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs
from aiolimiter import AsyncLimiter

from ..bounds import positive_count, positive_number
from ..errors import UsageError
from ..model import brief_repr
from .curve import FIRST_RATE
from .endpoints import GENERAL, OWN_LIMITS


@attrs.frozen
class RateLimit:
    """So many requests in so much time, evenly spaced.

    Kantata publishes no numbers, and every process that uses the account shares its limit: choose what to leave to the
    others. A 429 pauses this limit too, but does not change it.

    Attributes:
        requests: how many `per` seconds.
        per: seconds.
        burst: how many may go at once after a pause; 1 spaces every request from the one before.

    Raises:
        UsageError: a value is not a number above zero, or `burst` is not a whole number.
    """

    requests: float
    per: float = 1.0
    burst: int = 1

    def __attrs_post_init__(self) -> None:
        positive_number("RateLimit", "requests", self.requests)
        positive_number("RateLimit", "per", self.per)
        positive_count("RateLimit", "burst", self.burst)


@attrs.frozen
class AdaptiveRateLimit:
    """A limit that is found: the rate climbs while requests wait and none is refused, and falls when a 429 comes.

    Attributes:
        start: requests a second to begin with, where nothing is known of the limit.
        at_most: requests a second that are never exceeded, to leave the rest to others; None for no such bound.
        remember: whether to begin near the limit that an earlier process met, and to keep it for later ones, in a file
            in the user's cache directory. Nothing is kept for a loopback address, such as a sandbox's, nor where a
            function fetches the token; Redis keeps what its processes share by itself.

    Raises:
        UsageError: a value is not a number above zero, or `start` is above `at_most`.
    """

    start: float = FIRST_RATE
    at_most: float | None = None
    remember: bool = attrs.field(default=True, eq=False)

    def __attrs_post_init__(self) -> None:
        positive_number("AdaptiveRateLimit", "start", self.start)
        if self.at_most is not None:
            positive_number("AdaptiveRateLimit", "at_most", self.at_most)
            if self.start > self.at_most:
                raise UsageError(f"AdaptiveRateLimit: start, {self.start:g}, is above at_most, {self.at_most:g}")


AnyRateLimit = RateLimit | AdaptiveRateLimit | AsyncLimiter


def _own(
    given: Mapping[str, AnyRateLimit] | tuple[tuple[str, AnyRateLimit], ...],
) -> tuple[tuple[str, AnyRateLimit], ...]:
    try:
        return tuple(sorted(dict(given).items(), key=lambda one: brief_repr(one[0])))
    except (TypeError, ValueError):
        raise UsageError(f"RateLimits: own is a mapping of endpoints to limits, not {brief_repr(given)}") from None


@attrs.frozen
class RateLimits:
    """The general limit, and those that single endpoints have beside it.

    An endpoint that is not named has an adaptive limit beside the general one where that is adaptive, else none.

    Attributes:
        general: what every request takes from.
        own: the limit of an endpoint by its name, one of `endpoints.OWN_LIMITS`, such as "POST /workspaces".

    Raises:
        UsageError: the API has no such endpoint with a separate limit, or a value is not a limit.
    """

    general: AnyRateLimit = AdaptiveRateLimit()
    own: tuple[tuple[str, AnyRateLimit], ...] = attrs.field(default=(), converter=_own)

    def __attrs_post_init__(self) -> None:
        for name, limit in ((GENERAL, self.general), *self.own):
            if not isinstance(limit, AnyRateLimit):
                raise UsageError(f"RateLimits: {name} cannot be {brief_repr(limit)}")
            if isinstance(limit, AsyncLimiter) and limit.max_rate < 1:
                raise UsageError(f"RateLimits: {name} lets nothing go: its max_rate, {limit.max_rate:g}, is below 1")
        for name, _ in self.own:
            if name not in frozenset(OWN_LIMITS):
                raise UsageError(
                    f"RateLimits: {brief_repr(name)} has no separate limit; these have one: {', '.join(OWN_LIMITS)}"
                )

    def by_name(self) -> dict[str, AnyRateLimit]:
        """Every limit there is, by its name."""
        beside = {}
        if isinstance(self.general, AdaptiveRateLimit):
            beside = dict.fromkeys(OWN_LIMITS, AdaptiveRateLimit(remember=self.general.remember))
        return {GENERAL: self.general, **beside, **dict(self.own)}


@attrs.frozen
class RedisRateLimit:
    """Limits shared through Redis by every process and machine with the same token and base URL.

    Needs ``pip install kantata-async[redis]``.

    Attributes:
        url: of the Redis, as "redis://127.0.0.1:6379/0".
        limits: what is shared; adaptive unless it is given.
        when_away: what to do while Redis cannot be reached: "share", to go on with an equal part of what was last known
            (of as many processes as were last seen), or "fail", to raise ConnectionFailedError for each request.
        account: stands for the account where an async function fetches the token; the same in every process.
        pepper: kept secret, it hides even from those who can read Redis which token a key belongs to; the same for all.

    Raises:
        UsageError: `when_away` is neither of the two, `limits` cannot be shared, or one of the others is no text.
    """

    url: str = attrs.field(repr=False)
    limits: RateLimits | AnyRateLimit = AdaptiveRateLimit()
    when_away: Literal["share", "fail"] = "share"
    account: str = ""
    pepper: str = attrs.field(default="", repr=False)

    def __attrs_post_init__(self) -> None:
        for name in ("url", "when_away", "account", "pepper"):
            if not isinstance(getattr(self, name), str):
                raise UsageError(f"RedisRateLimit: {name} must be a text")
        if self.when_away not in {"share", "fail"}:
            raise UsageError(f"RedisRateLimit: when_away is 'share' or 'fail', not {brief_repr(self.when_away)}")
        if not isinstance(self.limits, RateLimits | AnyRateLimit):
            raise UsageError(f"RedisRateLimit: limits cannot be {brief_repr(self.limits)}")
        if any(isinstance(limit, AsyncLimiter) for limit in limits_in(self).by_name().values()):
            raise UsageError("RedisRateLimit: an AsyncLimiter belongs to one event loop, and cannot be shared")


RateLimitSetting = RateLimits | AnyRateLimit | RedisRateLimit


def limits_in(setting: RateLimitSetting) -> RateLimits:
    """The general limit and the endpoints' own that a setting asks for."""
    if isinstance(setting, RedisRateLimit):
        setting = setting.limits
    return setting if isinstance(setting, RateLimits) else RateLimits(setting)
