"""How fast to go against a limit that nobody publishes: what a 429 teaches, and the climb between two of them.

Decisions only: no clock, no event loop and no network. A limit is known only by meeting it (API facts, "Limits"), so
the rate follows a curve from one meeting to the next: up quickly to just under the wall where the limit was last met,
slowly along it, and past it once another meeting is affordable, so that at most one request in a hundred is refused.
Beyond the wall the climb doubles, and a limit that was raised is found within seconds.

How the server counts is not known either. A window refuses as soon as the rate is above the limit: the rate is then
the limit. A bucket of tokens first lets a surplus through, its slack: the rate at the refusal says little, but what
went through from one refusal to the next is the limit.
"""

from __future__ import annotations

import math
from typing import Final

import attrs

FIRST_RATE: Final = 10.0
"""Requests a second to begin with, before anything is known."""

SLOWEST: Final = 1 / 60
FASTEST: Final = 10_000.0
"""Requests a second, beyond which no curve goes."""

_FIRST_DOUBLING_SECONDS: Final = 1.5
_DOUBLING_SECONDS: Final = 0.6
_DOUBLING_REQUESTS: Final = 6.0
_SLOWEST_DOUBLING_SECONDS: Final = 3.0

# The curve, as parts of the wall.
_RESTART: Final = 0.85
_UNDER: Final = 0.97
_ALONG: Final = 0.99
_BEYOND: Final = 1.03
_RAMP_SECONDS: Final = 1.0
_CROSSING_SECONDS: Final = 2.5

_SHORTEST_HOLD: Final = 8.0
_LONGEST_HOLD: Final = 120.0
_UNSETTLED_HOLD: Final = _RAMP_SECONDS + _CROSSING_SECONDS

_NEAR: Final = 0.975
"""A refusal below this part of the wall says that the wall is lower."""

_MET_AT: Final = 0.985
"""The wall as a part of the rate at which it was met: a refusal comes a little late."""

_SAME: Final = 1.08
"""Up to this part of the wall, a refusal is the known wall met again."""

_CAUTION: Final = 0.95
"""A new wall is taken to be a little lower than it seemed."""

_BELIEVED: Final = 0.3
"""One bad experience leaves at least this part of a rate."""

_SOON: Final = 2.0
"""Seconds: a wall that is refused sooner than this was much too high."""


@attrs.frozen
class RateCurve:
    """What is known of one limit, and the rate that follows from it.

    Attributes:
        wall: requests a second at which the limit was met; before that, where the climb begins.
        ceiling: requests a second that are never exceeded.
        met: whether the limit was ever met.
        hold: seconds of climbing before the wall is passed.
        slack: requests above the wall that the server is known to let through before it refuses.
        before: the wall before the last refusal, when that came so far above it that the limit seemed raised.
        surplus: how many requests above that wall had been let through by then.
        fixed: whether the limit was given, so that there is nothing to learn.
    """

    wall: float = FIRST_RATE
    ceiling: float = FASTEST
    met: bool = False
    hold: float = _UNSETTLED_HOLD
    slack: float = 0.0
    before: float | None = None
    surplus: float = 0.0
    fixed: bool = False

    @classmethod
    def given(cls, rate: float) -> RateCurve:
        """A limit of so many requests a second that nothing changes."""
        return cls(wall=rate, ceiling=rate, fixed=True)

    def rate(self, climb: float) -> float:
        """Requests a second after so many seconds of climbing; only seconds in which requests waited count."""
        if self.fixed:
            return self.wall
        height = self._height(climb) if self.met else _doubled(climb / _FIRST_DOUBLING_SECONDS)
        return min(self.ceiling, self.wall * height)

    def refused(self, *, climb: float, sent: int, elapsed: float) -> RateCurve:
        """What a 429 teaches.

        Args:
            climb: seconds of climbing when the refused request left.
            sent: requests let through since the 429 before, or since the first request.
            elapsed: seconds since then.
        """
        if self.fixed:
            return self
        rate = self.rate(climb)
        # Half a request: the next one might have been let through at any time until now.
        through = (sent + 0.5) / elapsed if elapsed > 0 else rate
        if not self.met:
            # After only a few requests, others may have used the account up: that says little of the limit.
            seen = min(self._last_second(climb), (sent + 0.5) / max(elapsed, 1.0))
            return self._at(max(_BELIEVED * rate, _CAUTION * seen))
        if self.before is not None and elapsed < _SOON:
            return self._not_raised(self.before, rate, through)
        if rate < _NEAR * self.wall:
            return self._lowered(rate, through, elapsed)
        return self._met_beyond(climb, rate, through)

    def blocked(self, *, sent: int, elapsed: float) -> RateCurve:
        """What a refusal that lasted teaches: no more than this was let through in all that time.

        Others who use the account may have caused it, so a single one is not fully believed.
        """
        return self if self.fixed else self._at(min(self.wall, max(_BELIEVED * self.wall, max(sent, 1) / elapsed)))

    def _met_beyond(self, climb: float, rate: float, through: float) -> RateCurve:
        """Refused at the wall or above it: the limit is where it was, or higher than believed."""
        if rate <= _SAME * self.wall:
            return self._at(_MET_AT * rate, settled=True)
        surplus = self._surplus(climb)
        if surplus <= 1.5 * self.slack:
            return self._at(min(rate, max(self.wall, through)), settled=True)
        seen = self._last_second(climb)
        if _CAUTION * seen <= _SAME * self.wall:
            return self._at(max(self.wall, _MET_AT * seen), settled=True)
        return attrs.evolve(self._at(_CAUTION * seen), before=self.wall, surplus=surplus)

    def _lowered(self, rate: float, through: float, elapsed: float) -> RateCurve:
        """Refused below the wall: the limit is lower than believed."""
        least = 0.7 if elapsed < _SOON else 0.95
        wall = min(_MET_AT * rate, max(through, least * rate))
        return self._at(wall, settled=elapsed >= _SOON)

    def _not_raised(self, before: float, rate: float, through: float) -> RateCurve:
        """Refused at once at the wall that seemed raised: the limit lies between the wall before and this one."""
        if not 0.93 * before <= through <= 1.07 * before:
            return self._at(min(0.97 * rate, max(through, math.sqrt(before * rate))))
        # No more than ever went through, so what went through above the wall was tokens saved up.
        known = self._at(max(before, min(through, _MET_AT * rate)), settled=True)
        return attrs.evolve(known, slack=max(self.slack, self.surplus))

    def _at(self, wall: float, *, settled: bool = False) -> RateCurve:
        wall = min(self.ceiling, max(SLOWEST, wall))
        hold = _affordable(wall) if settled else _UNSETTLED_HOLD
        return attrs.evolve(self, wall=wall, met=True, hold=hold, before=None, surplus=0.0)

    def _height(self, climb: float) -> float:
        """The curve: the rate as a part of the wall."""
        crossing = self.hold - _CROSSING_SECONDS
        if climb < _RAMP_SECONDS:
            return _between(_RESTART, _UNDER, climb / _RAMP_SECONDS)
        if climb < crossing:
            return _between(_UNDER, _ALONG, (climb - _RAMP_SECONDS) / (crossing - _RAMP_SECONDS))
        if climb < self.hold:
            return _between(_ALONG, _BEYOND, (climb - crossing) / _CROSSING_SECONDS)
        return 1 + (_BEYOND - 1) * _doubled((climb - self.hold) / self._doubling)

    @property
    def _doubling(self) -> float:
        """Seconds in which the part above the wall doubles: more of them where few requests would go in one."""
        return min(_SLOWEST_DOUBLING_SECONDS, max(_DOUBLING_SECONDS, _DOUBLING_REQUESTS / self.wall))

    def _surplus(self, climb: float) -> float:
        """How many requests above the wall went since it was passed: the area between the curve and the wall."""
        over = max(0.0, climb - self.hold)
        crossed = _CROSSING_SECONDS * (_BEYOND - 1) / (_BEYOND - _ALONG) / 2
        grown = (_doubled(over / self._doubling) - 1) * self._doubling / math.log(2)
        return self.wall * (_BEYOND - 1) * (crossed + grown)

    def _last_second(self, climb: float) -> float:
        """Requests in the last second: in a window of a second, the limit itself."""
        steps = 10
        return sum(self.rate(climb - (step + 0.5) / steps) for step in range(steps)) / steps


def _between(low: float, high: float, part: float) -> float:
    return low + (high - low) * max(part, 0.0)


def _doubled(times: float) -> float:
    # Beyond this a float would overflow, and every ceiling has been reached.
    return math.exp2(min(times, 64.0))


def _affordable(wall: float) -> float:
    """Seconds from one meeting to the next: a hundred requests, and more where a minute has only a few hundred."""
    return min(_LONGEST_HOLD, max(_SHORTEST_HOLD, 110 / wall * (1 + (5 / wall) ** 3)))
