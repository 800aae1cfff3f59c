"""When a request may be sent again, and after how long: decisions only, no clock, no chance and no network.

They rest on these facts of the API: it has no idempotency key, so a write whose answer was lost may have been carried
out and must not be sent again unasked; a 429 was not carried out; a 503 of the application was not, one of a proxy in
front of it may have been.
"""

from __future__ import annotations

import email.utils
import enum
import re
from collections.abc import Mapping
from datetime import UTC
from typing import Final

import attrs

from ..bounds import positive_count, positive_number
from .message import content_type_of, is_json

READS: Final = frozenset({"GET", "HEAD"})


class Phase(enum.Enum):
    """How far an attempt came."""

    NOT_SENT = "not sent"
    """No connection could be made: surely nothing reached the server."""
    SENT = "sent"
    """Written, at least in part; no complete status line and headers came."""
    CUT = "cut"
    """Status and headers of a success came, its body was lost."""
    ANSWERED = "answered"
    """The answer came: all of a success, at least the status and the headers of anything else."""


class Verdict(enum.Enum):
    """What becomes of an attempt."""

    DELIVER = "deliver"
    """A success: hand it to the caller."""
    RESEND = "resend"
    """Surely not carried out, or harmless to repeat: send it again, while attempts and time last."""
    FAIL = "fail"
    """Refused, and would be again: raise the error."""
    AMBIGUOUS = "ambiguous"
    """A write that may have been carried out: say so, never send it again."""


@attrs.frozen
class RetryPolicy:
    """How hard to try.

    Attributes:
        attempts: how often a request is sent at most, the first time included.
        deadline: seconds a call may take in all, counted from its first attempt, waits included.
        first_wait: seconds, the longest wait after the first attempt; each further one may be twice as long.
        max_wait: seconds, the longest wait unless the server asks for more.

    Raises:
        UsageError: a value is not a number above zero, or `attempts` is not a whole one.
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
        """Send everything once."""
        return cls(attempts=1)


def decide(method: str, phase: Phase, status: int | None, headers: Mapping[str, str]) -> Verdict:
    """What becomes of an attempt that came this far.

    Args:
        method: the HTTP method in capitals. GET and HEAD are reads, everything else is a write.
        phase: how far the attempt came.
        status: of the answer; None where none came.
        headers: of the answer, under names that ignore case.
    """
    if phase is Phase.NOT_SENT:
        return Verdict.RESEND
    unsure = Verdict.RESEND if method in READS else Verdict.AMBIGUOUS
    if phase is not Phase.ANSWERED or status is None:
        return unsure
    return _decide_by_status(status, headers, unsure)


def _decide_by_status(status: int, headers: Mapping[str, str], unsure: Verdict) -> Verdict:
    if 200 <= status < 300:
        return Verdict.DELIVER
    if status == 429 or (status == 503 and _is_from_application(headers)):
        return Verdict.RESEND
    # Below 200 stands 101 alone, which answers nothing.
    if status >= 500 or status == 408 or status < 200:
        return unsure
    return Verdict.FAIL


def _is_from_application(headers: Mapping[str, str]) -> bool:
    return "x-request-id" in headers and is_json(content_type_of(headers))


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
    # Beyond 2**64 every range has met its maximum, and a float would overflow.
    longest = min(policy.max_wait, policy.first_wait * 2.0 ** min(attempt - 1, 64))
    return longest * random_fraction + (retry_after or 0.0)


_SECONDS: Final = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,9})?", re.ASCII)


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """The wait that a Retry-After header asks for, never below zero; None where it asks for none that can be read.

    Args:
        header: its value: seconds, or an HTTP date.
        now: the time, in seconds since 1970.
    """
    if header is None:
        return None
    if _SECONDS.fullmatch(header.strip()):
        return float(header)
    try:
        moment = email.utils.parsedate_to_datetime(header)
        # An HTTP date is GMT whether it says so or not.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, OverflowError):
        return None
