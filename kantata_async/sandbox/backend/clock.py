"""The time of the server."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

ZONE: Final = timezone(timedelta(hours=-7))
BASE_TIME: Final = datetime(2026, 8, 25, 10, tzinfo=ZONE)

_STEP: Final = timedelta(microseconds=1)


class Clock:
    """The time that the store writes into its records, and that the server's Date header tells.

    While the company is founded it is a fixed base time, so that a seed gives the same company always. Afterwards it
    is the present, or the time that was set, and goes on from there. Every write is at least a microsecond after the
    one before: no two share a time, as sorting needs.
    """

    def __init__(self, now: datetime | None = None) -> None:
        self._last = BASE_TIME
        self._ahead = max(0.0, BASE_TIME.timestamp() - time.time())
        self.founding = True
        if now is not None:
            self.set(now)

    def now(self) -> datetime:
        """The present of the server."""
        return datetime.fromtimestamp(self.timestamp(), ZONE)

    def timestamp(self) -> float:
        """The present of the server, in seconds of Unix time."""
        return time.time() + self._ahead

    def set(self, now: datetime) -> None:
        """Set the clock, which goes on from there; a time without an offset is UTC.

        Raises ValueError for a time before the last write, or before the company was founded.
        """
        wanted = now if now.tzinfo else now.replace(tzinfo=UTC)
        if wanted < self._last:
            raise ValueError(f"the clock cannot be set before {self._last.isoformat()}, the time of the last write")
        self._ahead = wanted.timestamp() - time.time()

    def advance(self, by: timedelta | float) -> None:
        """Move the clock on, by seconds or a `timedelta`. Raises ValueError for a negative one."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else float(by)
        if seconds < 0:
            raise ValueError("the clock cannot go back")
        self._ahead += seconds

    def tick(self) -> str:
        """The time of a write, ISO 8601 with an offset."""
        if not self.founding:
            self._last = max(self.now(), self._last + _STEP)
        return self._last.isoformat()
