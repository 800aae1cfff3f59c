"""One limit's meter: when the next request may go, and what its answer changes.

Decisions only, over the times they are given. aiolimiter's meter is not used here, for what this one must do: change
its rate while it drains (`AsyncLimiter` keeps the one it was made with), make no burst of what was not used, be asked
together with others before any of them is taken from, say when it will be ready, and be shared by event loops and, over
Redis, by processes. What is left of a leaky bucket then is one number, the time when the next request is due.

A refusal pauses the bucket. The first request after the pause is a scout: until it has been answered no other one goes,
and while there is another it is none that was refused before, so that none is refused twice in a row.
"""

from __future__ import annotations

from typing import Any, Final

import attrs

from .pace import Pace, Steady

LATE: Final = 0.025
"""Seconds a timer may be late without the time being lost: the next request is then spaced from when this was due."""

SCOUT_SECONDS: Final = 2.0
"""How long the answer to a scout is waited for before another one goes."""

_LONGEST_PAUSE: Final = 60.0
_USUAL_SPAN: Final = 1.1
_LASTED: Final = 1.4


@attrs.define
class Bucket:
    """The state of one limit, in seconds on whatever clock the caller uses.

    Attributes:
        pace: what is known of the limit.
        ahead: requests that may go before they are due, in a burst that was asked for.
        due: when the next request may go.
        climb: seconds of climbing: of time in which requests waited for this bucket.
        taken: when the last request went.
        sent: requests since `since` that were not refused.
        since: the last refusal, before it the first request; None before that.
        refused: when the last refusal was taken in; None when there was none.
        paused: until when nothing goes.
        sure: when a request that was refused may go without another one having got through.
        blocked: when the refused request left whose pause no other has ended yet; None when none lasts.
        pause: seconds of the last pause.
        span: seconds after which a refusal is expected to be over for sure.
    """

    pace: Pace | Steady
    ahead: int = 0
    due: float = 0.0
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
        return self.pace.rate(self.climb)

    def wait(self, now: float, *, again: bool) -> float:
        """Seconds until the next request may go; zero or less when it may go now.

        Args:
            now: the time.
            again: whether that request has been refused before.
        """
        ready = max(self.due - self.ahead / self.rate if self.ahead else self.due, self.paused)
        if again and self.blocked is not None:
            ready = max(ready, self.sure)
        return ready - now

    def take(self, now: float) -> None:
        """Count a request that goes now."""
        if self.since is None:
            self.since = now
        in_time = now - self.due <= LATE
        if in_time and self.blocked is None:
            self.climb += min(now - self.taken, 1.0)
        self.due = (self.due if in_time else now) + 1 / self.rate
        self.taken = now
        self.sent += 1
        if self.blocked is not None:
            self.paused = now + SCOUT_SECONDS

    def give_back(self) -> None:
        """Forget a request that was taken and never left."""
        self.sent -= 1
        self.due -= 1 / self.rate

    def begin_anew(self) -> None:
        """Keep what was learnt, and forget what was counted, after a time in which not everything was."""
        self.sent = 0
        self.since = self.refused = self.blocked = None
        self.climb = 0.0

    def let_through(self, left: float, now: float) -> None:
        """The server let a request through that left at `left`: it ends the pause before it, and begins the ramp."""
        if self.blocked is None or self.refused is None or left < self.refused:
            return
        lasted = left - self.blocked
        if lasted > _LASTED and self.since is not None:
            self.pace = self.pace.blocked(sent=self.sent, elapsed=left - self.since)
        self.span = max(_USUAL_SPAN, 0.9 * self.span, lasted if lasted > _LASTED else 0.0)
        self.since = self.refused
        self.blocked = None
        self.paused = now
        self.climb = 0.0
        self.sent = 1

    def turn_down(self, left: float, now: float, retry_after: float | None = None) -> None:
        """The server answered 429 to a request that left at `left`.

        Args:
            left: when it left.
            now: the time.
            retry_after: seconds the server asked for; None where it did not.
        """
        self.sent -= 1
        asked = now + (retry_after or 0.0)
        if self.refused is not None and left < self.refused:
            # It was on its way when another one was refused, and tells nothing new.
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
        # After one that waits beside it and was not refused.
        self.sure = max(self.paused, left + self.span) + LATE

    def _learn(self, left: float, now: float) -> None:
        climb = max(0.0, self.climb - (now - left))
        rate = self.pace.rate(climb)
        elapsed = left - (left if self.since is None else self.since)
        self.pace = self.pace.refused(climb=climb, sent=self.sent, elapsed=elapsed)
        # In a window of a second, the part of it that a rate above the limit leaves over.
        left_over = rate / self.pace.rate(_ALONG_THE_WALL) - 1
        self.pause = min(_USUAL_SPAN, max(2 / rate, left_over) + 0.03)


_ALONG_THE_WALL: Final = 1.0


def bucket_to_data(bucket: Bucket) -> dict[str, Any]:
    """A bucket as plain data, for a store outside."""
    return attrs.asdict(bucket)


def bucket_from_data(data: dict[str, Any]) -> Bucket:
    """The bucket that became this data."""
    pace = data["pace"]
    return Bucket(**{**data, "pace": Steady(**pace) if "per_second" in pace else Pace(**pace)})
