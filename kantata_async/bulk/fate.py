"""What an error says about a write: a pure decision that every kind of bulk write goes by."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from ..errors import (
    AmbiguousWriteError,
    AuthenticationError,
    ErrorDetail,
    InvalidResponseError,
    KantataError,
    RateLimitError,
    ServerError,
    TransportError,
)

MOST_SENDINGS: Final = 8
"""How often a row is sent at most; each time after a look that told that it was not carried out.

Where one answer in ten is lost, that leaves out one batch in a hundred million; five times would, one in a hundred
thousand, which is met.
"""

SETTLING: Final = 0.5
"""Seconds to wait before looking after a lost answer, so that a request still under way can come to its end."""


class Fate(Enum):
    """What became of a write that ended in an error."""

    STOPPED = auto()
    """Not carried out, and nothing else would be either."""
    LOST = auto()
    """It may have been carried out."""
    NOT_SENT = auto()
    """Surely not carried out."""
    REFUSED = auto()
    """Refused for what it says; of a batch, parts may have been carried out."""


def fate(error: KantataError) -> Fate:
    """What an error of the transport says about the write that it ended."""
    match error:
        case AuthenticationError():
            return Fate.STOPPED
        case AmbiguousWriteError() | InvalidResponseError():
            return Fate.LOST
        case RateLimitError() | ServerError() | TransportError():
            return Fate.NOT_SENT
        case _:
            return Fate.REFUSED


def errors_of(error: KantataError) -> tuple[ErrorDetail, ...]:
    """What a refusal says; where the answer gives no reasons, the error itself."""
    return getattr(error, "errors", ()) or (ErrorDetail(str(error)),)
