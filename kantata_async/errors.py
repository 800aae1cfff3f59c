"""Every error the SDK raises.

    KantataError
    ├── UsageError                    a wrong name, value or state, found before anything was sent
    ├── NotLoadedError                an attribute that the answer did not carry (an AttributeError too)
    ├── TransportError                no answer came
    │   ├── ConnectionFailedError     the connection could not be made, or broke
    │   └── RequestTimeoutError       the server did not answer in time
    ├── InvalidResponseError          an answer came that is not what the API promises
    ├── AmbiguousWriteError           a write was sent, and nobody knows whether it was carried out
    ├── NotOneError                   a list holds none, or several, where exactly one was asked for
    ├── BulkError                     a bulk write did not do all it was asked to; the outcomes are on it
    ├── SyncError                     a copy was not brought up to date; the report is on it
    ├── TargetError                   what a copy is written to cannot be used or written
    ├── SignInError                   signing in, or renewing a sign-in, did not work
    ├── ExportFailedError             the server could not make what was waited for
    ├── ExportNotReadyError           it is not ready yet, and the time to wait is over
    ├── EventsLostError               the change feed was asked for more than it still has
    └── APIError                      the API refused
        ├── BadRequestError           400
        ├── AuthenticationError       401
        ├── PermissionDeniedError     403
        ├── NotFoundError             404
        ├── ValidationError           422
        ├── RateLimitError            429
        └── ServerError               5xx

None of them ever shows a token: what the transport puts into one goes through its redaction first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import attrs

from .printable import escaped
from .response import Response

if TYPE_CHECKING:
    from asyncio import Future

_MAY_BE_CARRIED_OUT: Final = "_kantata_may_be_carried_out"
_MESSAGE_LENGTH: Final = 2000


class KantataError(Exception):
    """The root of every error of this package; `response` is the answer that it is about, None where none came."""

    response: Response | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process pools. They are rebuilt without __init__, whose arguments an exception does not keep.
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[KantataError], args: tuple[Any, ...], state: dict[str, Any]) -> KantataError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


def note_interruption(error: BaseException, request: str, *, may_be_carried_out: bool) -> None:
    """Note on an exception that ended a request whether the request may have been carried out."""
    # The token function raises one error for all requests that waited for the token.
    known = vars(error).get(_MAY_BE_CARRIED_OUT)
    if known is None or (may_be_carried_out and not known):
        state = "may have been carried out" if may_be_carried_out else "was not carried out"
        error.add_note(f"kantata_async: {request} {state}")
        vars(error)[_MAY_BE_CARRIED_OUT] = may_be_carried_out


def note_attempts(error: KantataError, attempts: int) -> None:
    """Add to the message of an error how many attempts were made, if there were several."""
    if attempts > 1 and not isinstance(error, UsageError):
        error.args = (f"{error.args[0]} (after {attempts} attempts)", *error.args[1:])


def may_be_carried_out(error: BaseException | Future[Any]) -> bool | None:
    """Whether a request that this exception ended may have been carried out; None where it ended none.

    Meant for what is not a `KantataError`: a cancellation, a time limit of the program (``asyncio.timeout``), an error
    that the token function raised. For an exception group, whether that holds for any of its exceptions. For a task,
    whether it holds for what the task ended with: ``asyncio.gather(…, return_exceptions=True)`` gives another
    exception for a task that was cancelled, and a task group gives none.
    """
    ended = exception_behind(error)
    if isinstance(ended, BaseExceptionGroup):
        known = {may_be_carried_out(one) for one in ended.exceptions} - {None}
        return any(known) if known else None
    while ended is not None and _MAY_BE_CARRIED_OUT not in vars(ended):
        # Before Python 3.11.4 the error of asyncio.timeout has the cancellation as its context alone.
        ended = ended.__cause__ or (ended.__context__ if isinstance(ended, TimeoutError) else None)
    return None if ended is None else bool(vars(ended)[_MAY_BE_CARRIED_OUT])


def exception_behind(error: BaseException | Future[Any] | None) -> BaseException | None:
    """An exception, or that which a task ended with; None for a task that ended well, or goes on.

    Raises:
        UsageError: it is neither an exception nor a task.
    """
    if error is None or isinstance(error, BaseException):
        return error
    # Whoever has a task has asyncio already, which is a good part of what this package takes to import.
    from .ended_tasks import exception_of, is_task  # noqa: PLC0415

    if not is_task(error):
        raise UsageError(f"an exception or a task is needed, not {type(error).__name__}")
    return exception_of(error)


class UsageError(KantataError):
    """A wrong name, a wrong value, a missing one, or a session in the wrong state; nothing was sent."""


class NotLoadedError(KantataError, AttributeError):
    """An attribute was read that the answer did not carry; the message says what to ask for."""


class TransportError(KantataError):
    """No complete answer came back, and sending the request again is safe (a read, or a write that never left)."""


class ConnectionFailedError(TransportError):
    """The connection could not be made, or broke before the answer was complete."""


class RequestTimeoutError(TransportError):
    """No complete answer came within the time allowed."""


class InvalidResponseError(KantataError):
    """The answer is not what the API promises: not JSON, damaged, too large, a redirect, or a malformed envelope."""

    def __init__(self, message: str) -> None:
        # The message quotes the answer, whose control characters must not reach a terminal.
        super().__init__(_one_line(message))


class AmbiguousWriteError(KantataError):
    """A write was sent and may have been carried out: the answer was lost, or came from something in between.

    Sending it again could do it twice: look first. `method`, `path` and `request_id` (None when no answer came) say
    which request it was; the cause is chained.
    """

    def __init__(self, message: str, *, method: str, path: str, request_id: str | None = None) -> None:
        super().__init__(message)
        self.method = method
        self.path = path
        self.request_id = request_id


class NotOneError(KantataError):
    """A list was asked for the one entity that matches, and none or several do; `count` says how many, if known."""

    def __init__(self, message: str, *, count: int | None) -> None:
        super().__init__(message)
        self.count = count


class BulkError(KantataError):
    """A bulk write did not do all it was asked to; `result` holds the outcome of every row so far."""

    def __init__(self, message: str, *, result: Any) -> None:
        super().__init__(message)
        self.result = result


class SyncError(KantataError):
    """A copy was not brought up to date in all its jobs; `report` says how far each came, and what stopped it.

    What was stored stays, and the next run goes on from there.
    """

    def __init__(self, message: str, *, report: Any) -> None:
        super().__init__(message)
        self.report = report


class TargetError(KantataError):
    """What a copy is written to cannot be used or written: it is in use, full, read-only, or of another version.

    Nothing that was stored before is lost, and no checkpoint is ahead of it.
    """


class SignInError(KantataError):
    """Signing in did not work, or a sign-in ended: refused by the person or the server, or by an answer to another one.

    `code` is OAuth's error code (``access_denied``, ``invalid_grant``, …), None where there is none.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class ExportFailedError(KantataError):
    """The server could not make what was waited for, or it was cancelled; `state` is what the server calls that."""

    def __init__(self, message: str, *, state: str) -> None:
        super().__init__(message)
        self.state = state


class ExportNotReadyError(KantataError):
    """What is waited for is not ready yet, and the time to wait is over; `state` says how it stands.

    The server goes on with it: the message says how to go on waiting.
    """

    def __init__(self, message: str, *, state: str) -> None:
        super().__init__(message)
        self.state = state


class EventsLostError(KantataError):
    """The change feed was asked for events that it no longer has; it keeps them for 9 days.

    `horizon` is the moment since which it still has them: read again everything that the events were to keep current,
    and follow from there.
    """

    def __init__(self, message: str, *, horizon: datetime) -> None:
        super().__init__(message)
        self.horizon = horizon


@attrs.frozen
class ErrorDetail:
    """One entry of the `errors` of an answer, as it came; `index` is the position in the array of a bulk create."""

    message: str
    type: str | None = None
    field: str | None = None
    index: int | None = None

    def __str__(self) -> str:
        where = [f"row {self.index}"] if self.index is not None else []
        where += [self.field] if self.field else []
        return f"{self.message} ({', '.join(where)})" if where else self.message


class APIError(KantataError):
    """The API answered with an error.

    `status` is the HTTP status, `errors` what the answer said, `request_id` its x-request-id (support asks for it),
    `method` and `path` the request.
    """

    def __init__(
        self,
        status: int,
        errors: Sequence[ErrorDetail],
        *,
        method: str,
        path: str,
        request_id: str | None = None,
    ) -> None:
        self.status = status
        self.errors = tuple(errors)
        self.method = method
        self.path = path
        self.request_id = request_id
        traced = f" [x-request-id {request_id}]" if request_id else ""
        super().__init__(f"{status} on {method} {path}: {_reasons(self.errors)}{traced}")


def _one_line(text: str) -> str:
    """A text without control characters, and cut to a readable length."""
    shown = escaped(text)
    return shown if len(shown) <= _MESSAGE_LENGTH else f"{shown[:_MESSAGE_LENGTH]}…"


def _reasons(errors: Sequence[ErrorDetail]) -> str:
    """The errors on one line, as many as are readable there."""
    shown: list[str] = []
    room = _MESSAGE_LENGTH
    for error in map(str, errors):
        room -= len(error)
        if shown and room < 0:
            return f"{'; '.join(shown)}; and {len(errors) - len(shown):,} more"
        shown.append(error)
    return "; ".join(shown) or "no reason given"


class BadRequestError(APIError):
    """400: the request could not be understood."""


class AuthenticationError(APIError):
    """401: the token is missing, wrong or revoked."""


class PermissionDeniedError(APIError):
    """403: the token's user may not do this."""


class NotFoundError(APIError):
    """404: no such object, or one that the token's user may not see, or that a default filter hides."""


class ValidationError(APIError):
    """422: the values were refused; `errors` says which fields, and in a bulk create which rows."""


class RateLimitError(APIError):
    """429: too many requests, still after every retry. The request was not carried out."""


class ServerError(APIError):
    """5xx: the server failed."""


_BY_STATUS: Final[dict[int, type[APIError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: ValidationError,
    429: RateLimitError,
}


def api_error_type(status: int) -> type[APIError]:
    """The class for an HTTP error status: its own, `ServerError` for any 5xx, `APIError` for any other."""
    return _BY_STATUS.get(status, ServerError if status >= 500 else APIError)
