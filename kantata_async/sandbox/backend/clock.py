"""The time of the server."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

ZONE: Final = timezone(timedelta(hours=-7))
BASE_TIME: Final = datetime(2026, 8, 25, 10, tzinfo=ZONE)

_OFFSET: Final = "-07:00"
_SECOND: Final = 1_000_000
_FOUNDED: Final = round(BASE_TIME.timestamp()) * _SECOND


class Clock:
    """The time that the store writes into its records, and that the server's Date header shows.

    While the company is founded it is a fixed base time, so that a seed always gives the same company. Afterwards it
    is the present, or goes on from the time that was set. Every write is at least a microsecond after the
    one before, so that sorting by time is unambiguous.
    """

    def __init__(self, now: datetime | None = None) -> None:
        self.founding = True
        self._last = _FOUNDED
        self._ahead = max(0, _FOUNDED - _present())
        self._shown_second = -1
        self._shown = ""
        if now is not None:
            self.set(now)

    def timestamp(self) -> float:
        """The present of the server, in seconds of Unix time."""
        return (_present() + self._ahead) / _SECOND

    def now(self) -> datetime:
        """The present of the server."""
        return datetime.fromtimestamp(self.timestamp(), ZONE)

    def set(self, now: datetime) -> None:
        """Set the clock, which goes on from there; a time without an offset is UTC.

        Raises:
            ValueError: the time is before the last write, or before the company was founded.
        """
        wanted = round((now if now.tzinfo else now.replace(tzinfo=UTC)).timestamp() * _SECOND)
        if wanted < self._last:
            last = datetime.fromtimestamp(self._last / _SECOND, ZONE)
            raise ValueError(f"the clock cannot be set before {last.isoformat()}, the time of the last write")
        self._ahead = wanted - _present()

    def advance(self, by: timedelta | float) -> None:
        """Move the clock forward, by seconds or a `timedelta`.

        Raises:
            ValueError: it would go back.
        """
        seconds = by.total_seconds() if isinstance(by, timedelta) else float(by)
        if seconds < 0:
            raise ValueError("the clock cannot go back")
        self._ahead += round(seconds * _SECOND)

    def tick(self) -> str:
        """The time of a write, ISO 8601 with an offset."""
        if self.founding:
            return BASE_TIME.isoformat()
        self._last = max(_present() + self._ahead, self._last + 1)
        second, fraction = divmod(self._last, _SECOND)
        if second != self._shown_second:
            self._shown_second = second
            self._shown = datetime.fromtimestamp(second, ZONE).isoformat()[:19]
        return f"{self._shown}.{fraction:06d}{_OFFSET}"


def _present() -> int:
    """The time of the machine, in microseconds of Unix time."""
    return time.time_ns() // 1000
