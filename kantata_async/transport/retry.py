"""How often to try, and how long to wait in between: pure decisions, without clock, randomness or network."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC
from typing import Final, TypeAlias

import attrs

from ..bounds import positive_count, positive_number

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
"""Waits for a number of seconds."""


@attrs.frozen
class RetryPolicy:
    """How often and how long to try.

    Attributes:
        attempts: how often a request is sent at most, the first time included.
        deadline: seconds a call may take in all, counted from its first attempt, waits included.
        first_wait: seconds, the longest wait after the first attempt; each further one may be twice as long.
        max_wait: seconds, the longest wait unless the server asks for more.

    Raises:
        UsageError: a value is not a number above zero, or `attempts` is not a whole number.
    """

    attempts: int = 5
    deadline: float = 300.0
    first_wait: float = 0.5
    max_wait: float = 30.0

    def __attrs_post_init__(self) -> None:
        positive_count("RetryPolicy", "attempts", self.attempts)
        for name in ("deadline", "first_wait", "max_wait"):
            positive_number("RetryPolicy", name, getattr(self, name))

    @classmethod
    def never(cls) -> RetryPolicy:
        """A policy that sends everything once."""
        return cls(attempts=1)


def wait_before(attempt: int, policy: RetryPolicy, retry_after: float | None, random_fraction: float) -> float:
    """Seconds to wait before sending again.

    The wait is drawn from the whole of a range that doubles with each attempt ("full jitter"), so that clients which
    failed together do not come back together. Where the server asked for a wait, it comes on top of that.

    Args:
        attempt: how many attempts were made so far, from 1.
        policy: the range.
        retry_after: seconds the server asked for; None where it did not.
        random_fraction: from 0 to 1, the place in the range.
    """
    # Beyond 2**64 every range has reached its maximum, and a float would overflow.
    longest = min(policy.max_wait, policy.first_wait * 2.0 ** min(attempt - 1, 64))
    return longest * random_fraction + (retry_after or 0.0)


_SECONDS: Final = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,9})?", re.ASCII)


def retry_after_of(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait that an answer asks for, never below zero; None where it asks for none that can be read.

    A date is read against the answer's own Date: how far the server's clock is off then makes no difference.

    Args:
        headers: of the answer, under names that ignore case.
        now: the time in seconds since 1970, where the answer does not say it.
    """
    asked = headers.get("retry-after")
    if asked is None:
        return None
    if _SECONDS.fullmatch(asked.strip()):
        return float(asked)
    until, sent = _moment(asked), _moment(headers.get("date", ""))
    return None if until is None else max(0.0, until - (now if sent is None else sent))


def _moment(date: str) -> float | None:
    """An HTTP date in seconds since 1970; None for anything else."""
    try:
        moment = email.utils.parsedate_to_datetime(date)
        # An HTTP date is GMT whether it says so or not.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
