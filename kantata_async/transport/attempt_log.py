"""What the log says of attempts: each of them at DEBUG, and at INFO that there is to be another one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ..errors import APIError, KantataError
from ..model import Redact
from .attempt import Attempt
from .refusal import request_id_of
from .request import Request

_LOGGER: Final = logging.getLogger("kantata_async.transport")


def log_attempt(request: Request, attempt: Attempt, number: int, clock: Callable[[], float], redact: Redact) -> None:
    """Log an attempt that is over; `clock` is the event loop's."""
    if _LOGGER.isEnabledFor(logging.DEBUG):
        seconds = clock() - attempt.began if attempt.began else 0.0
        _LOGGER.debug(
            "%s %s %s %.0f ms request-id %s attempt %d",
            request.method,
            request.path,
            attempt.status or attempt.phase.value,
            seconds * 1000,
            request_id_of(attempt.headers, redact) or "-",
            number,
        )


def log_resending(request: Request, number: int, error: KantataError, when: str) -> None:
    """Log that a request is sent again, and which error its last attempt ended with."""
    what = error.status if isinstance(error, APIError) else type(error).__name__
    _LOGGER.info("%s goes again %s, after %s in attempt %d", request, when, what, number)
