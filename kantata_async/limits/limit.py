"""What is known of one limit of the server: its curve, the pause after a refusal, and the scout after the pause.

Decisions only, over the times they are given; `meter` spaces the requests. A refusal pauses the limit. The first
request after the pause is a scout: no other goes until it has been answered. A request that was refused before is the
scout only when there is no other, so that none is refused twice in a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from .curve import RateCurve

LATE: Final = 0.025
"""Seconds a timer may be late without losing the time: the next request is then spaced from when this one was due."""

SCOUT_SECONDS: Final = 2.0
"""How long the answer to a scout is waited for before another one goes."""

_LONGEST_PAUSE: Final = 60.0
_USUAL_SPAN: Final = 1.1
_LASTED: Final = 2.0
_ALONG_THE_WALL: Final = 1.0


@attrs.define(eq=False)
class Limit:
    """The state of one limit, in seconds on whatever clock the caller uses.

    Attributes:
        curve: how fast requests may go, and what was learnt of that.
        climb: seconds of climbing: of time in which requests waited for this limit.
        taken: when the last request went.
        sent: requests since `since` that were not refused.
        since: the last refusal, or the first request where there was none; None before either.
        refused: when the last refusal was taken in; None where there was none.
        paused: until when nothing goes.
        sure: when a request that was refused may go although no other has got through.
        blocked: when the refused request left that began the present pause; None where there is no pause.
        pause: seconds of the last pause.
        span: seconds after which a refusal is expected to be over for certain.
    """

    curve: RateCurve
    climb: float = 0.0
    taken: float = 0.0
    sent: int = 0
    since: float | None = None
    refused: float | None = None
    paused: float = 0.0
    sure: float = 0.0
    blocked: float | None = None
    pause: float = 0.0
    span: float = _USUAL_SPAN

    @property
    def rate(self) -> float:
        """Requests a second, now."""
        return self.curve.rate(self.climb)

    def wait(self, now: float, *, again: bool) -> float:
        """Seconds until the pause lets a request go, which may have been refused before; zero or less for none."""
        return (max(self.paused, self.sure) if again and self.blocked is not None else self.paused) - now

    def take(self, now: float, *, late: float = LATE) -> None:
        """Count a request that goes now.

        One that waited for this limit is at most so many seconds late. Only the time before such a one is climbing.
        """
        if self.since is None:
            self.since = now
        if self.blocked is not None:
            self.paused = now + SCOUT_SECONDS
        elif now - self.taken <= 1 / self.rate + late:
            self.climb += min(now - self.taken, 1.0)
        self.taken = now
        self.sent += 1

    def let_through(self, left: float, now: float) -> None:
        """Take in that a request that left at `left` got through: this ends the pause before it, and begins a climb."""
        if self.blocked is None or self.refused is None or left <= self.refused:
            return
        # How long the pause was shows nothing: only scouts that were refused too show that the refusal lasted.
        lasted = left - self.blocked if self.refused - self.blocked > _LASTED else 0.0
        if lasted and self.since is not None:
            self.curve = self.curve.blocked(sent=self.sent, elapsed=left - self.since)
        self.span = max(_USUAL_SPAN, 0.9 * self.span, lasted)
        self.since = self.refused
        self.blocked = None
        self.paused = now
        self.climb = 0.0
        self.sent = 1

    def turn_down(self, left: float, now: float, retry_after: float | None = None) -> None:
        """Take in that a request that left at `left` was answered 429, with a Retry-After in seconds or none."""
        self.sent -= 1
        asked = now + (retry_after or 0.0)
        if self.refused is not None and left <= self.refused:
            # It was on its way when another one was refused, and teaches nothing new.
            self.paused = max(self.paused, asked)
            self.sure = max(self.sure, asked, left + self.span)
            return
        if self.blocked is None:
            self._learn(left, now)
            self.blocked = left
            paused = left + self.pause
        else:
            self.pause = min(_LONGEST_PAUSE, max(1.0, 2 * self.pause))
            paused = now + self.pause
        self.climb = 0.0
        self.refused = now
        self.paused = max(paused, asked)
        # Later than one that waits beside it and was not refused.
        self.sure = max(self.paused, left + self.span) + LATE

    def _learn(self, left: float, now: float) -> None:
        climb = max(0.0, self.climb - (now - left))
        rate = self.curve.rate(climb)
        elapsed = left - (left if self.since is None else self.since)
        self.curve = self.curve.refused(climb=climb, sent=self.sent, elapsed=elapsed)
        # In a window of a second, the part of it that a rate above the limit leaves over.
        left_over = rate / self.curve.rate(_ALONG_THE_WALL) - 1
        self.pause = min(_USUAL_SPAN, max(2 / rate, left_over) + 0.03)


def take_all(limits: Sequence[Limit], now: float) -> None:
    """Count a request that goes now against these, the widest first: each holds up those that wait for the next."""
    late = LATE
    for limit in limits:
        limit.take(now, late=late)
        if limit is not limits[-1]:
            late += 1 / limit.rate


def learn(limits: Sequence[Limit], left: float, now: float, *, refused: bool, retry_after: float | None) -> None:
    """Learn from the answer to a request that left at `left` and was taken from these limits, the widest first.

    A 429 counts against the narrowest: if a wider one was met, other requests will show it.
    """
    if not refused:
        for limit in limits:
            limit.let_through(left, now)
        return
    limits[-1].turn_down(left, now, retry_after)
    for limit in limits[:-1]:
        limit.sent -= 1
