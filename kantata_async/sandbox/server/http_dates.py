"""The Date header of answers."""

from __future__ import annotations

from email.utils import formatdate


class HttpDates:
    """Times as HTTP spells them; the last is kept, as most answers of a busy server share their second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def of(self, timestamp: float) -> str:
        """A time, rounded down to the second."""
        if int(timestamp) != self._second:
            self._second = int(timestamp)
            self._text = formatdate(self._second, usegmt=True)
        return self._text
