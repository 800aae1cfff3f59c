"""What became of a request, and whether it may be sent again: pure decisions.

They follow from these facts of the API: it has no idempotency key, so a write whose answer was lost may have been
carried out, and must not be sent again unasked; a 429 was not carried out; a 503 of the application was not, one of a
proxy in front of it may have been.
"""

from __future__ import annotations

import enum
from typing import Final

from .attempt import Phase

READS: Final = frozenset({"GET", "HEAD"})


class Effect(enum.Enum):
    """What the status of an answer proves about a write."""

    NONE = "none"
    """None of it was carried out, not even a part of a batch."""
    REFUSED = "refused"
    """It was refused for what it says: parts of a batch may have been carried out."""
    UNKNOWN = "unknown"
    """It may have been carried out."""
    DONE = "done"
    """It was carried out."""


_NONE: Final = frozenset(
    {
        *(301, 304, 305, 307, 308),  # the object is at another address
        *(401, 403, 407, 451, 511),  # the caller has no permission
        *(404, 405, 410, 421, 501),  # nothing at this address could do it
        *(406, 411, 412, 413, 414, 415, 416, 417, 426, 428, 431, 505),  # the request itself was not accepted
        *(423, 425, 429),  # not now
    }
)


def effect_of(status: int, *, by_the_api: bool = True) -> Effect:
    """What the status of an answer proves about the write that it answers.

    Args:
        status: the HTTP status.
        by_the_api: whether the answer is certainly the API's own; only a 503 is read differently where it is not.
    """
    if 200 <= status < 300:
        return Effect.DONE
    if status in _NONE or (status == 503 and by_the_api):
        return Effect.NONE
    # A 408 may come before the request is complete, or after; a 302 or 303 may follow what was carried out.
    if 400 <= status < 500 and status != 408:
        return Effect.REFUSED
    return Effect.UNKNOWN


class Verdict(enum.Enum):
    """What becomes of an attempt."""

    DELIVER = "deliver"
    """A success: hand it to the caller."""
    RESEND = "resend"
    """Certainly not carried out, or harmless to repeat: send it again, while attempts and time last."""
    FAIL = "fail"
    """Refused, and would be again: raise the error."""
    AMBIGUOUS = "ambiguous"
    """A write that may have been carried out: raise an error that says so, and never send it again."""


def decide(
    method: str, phase: Phase, status: int, *, by_the_api: bool, hopeless: bool = False, looked_after: bool = False
) -> Verdict:
    """What becomes of an attempt that got this far.

    Args:
        method: the HTTP method in capitals. GET and HEAD are reads, everything else is a write.
        phase: how far the attempt got.
        status: of the answer; 0 where none came.
        by_the_api: whether the answer is certainly the API's own, not from a proxy in front of it.
        hopeless: whether the attempt would fail in the same way again.
        looked_after: whether the caller checks what became of a write before sending it again: even a 503 of the API,
            which says that nothing was carried out, is then not answered by sending it again unasked.
    """
    if phase is Phase.NOT_SENT:
        return Verdict.FAIL if hopeless else Verdict.RESEND
    is_read = method in READS
    if phase is not Phase.ANSWERED:
        return Verdict.RESEND if is_read else Verdict.AMBIGUOUS
    effect = effect_of(status, by_the_api=by_the_api)
    if effect is Effect.DONE:
        return Verdict.DELIVER
    if status in (429, 503) and effect is Effect.NONE:
        return Verdict.FAIL if status == 503 and looked_after else Verdict.RESEND
    if effect is not Effect.UNKNOWN or (is_read and 300 <= status < 400):
        return Verdict.FAIL
    return Verdict.RESEND if is_read else Verdict.AMBIGUOUS
