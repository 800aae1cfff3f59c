"""What an error says about a write: pure decisions that every kind of bulk write goes by."""

from __future__ import annotations

import time
from enum import Enum, auto
from typing import Final

from ..errors import (
    AmbiguousWriteError,
    APIError,
    AuthenticationError,
    ErrorDetail,
    InvalidResponseError,
    KantataError,
    RateLimitError,
    ServerError,
    TransportError,
    UsageError,
)
from ..transport import Effect, effect_of, retry_after_of

MOST_SENDINGS: Final = 8
"""The most times that a row is sent, each after a look that did not find it: enough where many answers are lost."""

SETTLING: Final = 0.5
"""Seconds to wait before looking after a lost answer, so that a request still under way can come to its end."""

_LONGEST_WAIT: Final = 8.0

_FOR_ROWS: Final = frozenset({Effect.REFUSED, Effect.DONE})
"""What a status proves that comes with reasons of single rows: a success may hold errors (API facts)."""

_ABOUT_THE_REQUEST: Final = frozenset({"oauth", "system"})
"""Types of errors that concern no single row."""


class Fate(Enum):
    """What became of a write that ended in an error."""

    STOPPED = auto()
    """Not carried out, and nothing else would be either."""
    LOST = auto()
    """It may have been carried out."""
    UNSEEN = auto()
    """It was carried out, as the status says, but the answer does not show what it made."""
    UNAVAILABLE = auto()
    """The API says that it was not carried out, and that it may be later."""
    NOT_SENT = auto()
    """Surely not carried out."""
    TOO_LARGE = auto()
    """Nothing of it was carried out; a part of it may be."""
    REFUSED = auto()
    """Refused as a whole: nothing of it was carried out, nor would any of its rows be."""
    ROWS_REFUSED = auto()
    """Refused for what some of its rows say; of a batch, parts may have been carried out."""


def fate(error: KantataError) -> Fate:  # noqa: PLR0911 - one for each fate
    """What an error says about the write that it ended."""
    match error:
        case AuthenticationError() | UsageError():
            return Fate.STOPPED
        case AmbiguousWriteError() | InvalidResponseError():
            return _fate_by_status(error)
        case ServerError(status=503):
            return Fate.UNAVAILABLE
        case RateLimitError() | TransportError():
            return Fate.NOT_SENT
        case APIError(status=413):
            return Fate.TOO_LARGE
        case APIError() if effect_of(error.status) in _FOR_ROWS and not _is_about_the_request(error):
            return Fate.ROWS_REFUSED
        case _:
            return Fate.REFUSED


def _fate_by_status(error: KantataError) -> Fate:
    """What the status of an answer proves that cannot be read."""
    if error.response is None:
        return Fate.LOST
    match effect_of(error.response.status, by_the_api=False):
        case Effect.DONE:
            return Fate.UNSEEN
        case Effect.NONE:
            return Fate.REFUSED
        case _:
            return Fate.LOST


def _is_about_the_request(error: APIError) -> bool:
    return bool(error.errors) and all(
        one.type in _ABOUT_THE_REQUEST and one.index is None and one.field is None for one in error.errors
    )


def errors_of(error: KantataError) -> tuple[ErrorDetail, ...]:
    """What a refusal says; where the answer gives no reasons, the error itself."""
    return getattr(error, "errors", ()) or (ErrorDetail(str(error)),)


def wait_before_looking(sendings: int) -> float:
    """Seconds to wait before looking for what was sent so many times, each time without an answer or too early."""
    return float(min(_LONGEST_WAIT, SETTLING * 2 ** max(0, sendings - 1)))


def wait_asked_for(error: KantataError) -> float:
    """Seconds to wait that the answer to a write asks for; zero where it asks for none."""
    return 0.0 if error.response is None else retry_after_of(error.response.headers, time.time()) or 0.0
