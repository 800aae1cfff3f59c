"""The time of the server."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

ZONE: Final = timezone(timedelta(hours=-7))
BASE_TIME: Final = datetime(2026, 8, 25, 10, tzinfo=ZONE)


class Clock:
    """The time that the store writes into its records.

    While the company is founded it is a fixed base time, so that a seed gives the same company always. Afterwards it
    is the present, every write at least a microsecond after the one before: no two share a time, as sorting needs.
    """

    def __init__(self) -> None:
        self._last = BASE_TIME
        self.founding = True

    def now(self) -> datetime:
        """The present of the server."""
        return self._last if self.founding else datetime.now(ZONE)

    def tick(self) -> str:
        """The time of a write, ISO 8601 with an offset."""
        if not self.founding:
            self._last = max(self.now(), self._last + timedelta(microseconds=1))
        return self._last.isoformat()
