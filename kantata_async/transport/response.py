"""What an answer says: the record of an attempt in, its data or the error to raise out. No I/O.

Whatever of an answer ends up in an error is cut, has its control characters escaped, and loses the token first: a
server may echo the request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from ..errors import ErrorDetail, InvalidResponseError, KantataError, api_error_type
from .attempt import Attempt
from .message import Request, content_type_of, is_json

Redact = Callable[[str], str]

_MESSAGE_LENGTH: Final = 500
_NAME_LENGTH: Final = 100
_EXCERPT_LENGTH: Final = 80
# Enough of a body that its redacted text is longer than an excerpt, whatever the token's length: the token that the
# window's end cuts in two is never in the excerpt.
_EXCERPT_WINDOW: Final = 1 << 20
_MOST_ERRORS: Final = 1000
_CSV_TYPES: Final = frozenset({"text/csv", "application/csv", "text/plain", "application/octet-stream"})


def data_of(request: Request, attempt: Attempt, redact: Redact) -> Any:
    """The data of a success: decoded JSON, None for an empty body; a str where CSV was allowed for, and came.

    Raises:
        InvalidResponseError: it is something else.
    """
    content_type = content_type_of(attempt.headers)
    if request.csv and not is_json(content_type):
        return _csv_of(request, attempt, redact)
    if not attempt.body:
        return None
    if content_type and not is_json(content_type):
        raise _unexpected(request, attempt, redact, "not JSON")
    try:
        return request.decode(attempt.body)
    except orjson.JSONDecodeError as error:
        fault = f"not valid JSON ({error.msg} at {error.pos})"
    # Raised out here so that the decoder's error, which holds the whole body, is not its context.
    raise _unexpected(request, attempt, redact, fault)


def _csv_of(request: Request, attempt: Attempt, redact: Redact) -> str:
    content_type = content_type_of(attempt.headers)
    if content_type and content_type not in _CSV_TYPES:
        raise _unexpected(request, attempt, redact, "not CSV")
    try:
        return attempt.body.decode()
    except UnicodeDecodeError:
        fault = "not UTF-8"
    raise _unexpected(request, attempt, redact, fault)


def refusal_of(request: Request, attempt: Attempt, redact: Redact) -> KantataError:
    """The error for an answer that is no success; how odd its body is changes the details, never the kind."""
    status = attempt.status
    if 300 <= status < 400:
        return InvalidResponseError(
            f"{request}: {status} redirects to {_host_of(redact(attempt.headers.get('location', '')))}; "
            "no redirect is followed, the token is for the API alone"
        )
    if status < 200:
        return InvalidResponseError(f"{request}: {status} is not an answer")
    return api_error_type(status)(
        status,
        errors_in(attempt.body, redact),
        method=request.method,
        path=request.path,
        request_id=request_id_of(attempt.headers, redact),
    )


def request_id_of(headers: Mapping[str, str], redact: Redact) -> str | None:
    """The x-request-id of an answer."""
    request_id = headers.get("x-request-id")
    return shown(request_id, _NAME_LENGTH, redact) if request_id else None


def errors_in(body: bytes, redact: Redact) -> tuple[ErrorDetail, ...]:
    """The errors an answer's body tells of, in any of the shapes met; none where it tells nothing readable."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ()
    if not isinstance(told, dict):
        return ()
    errors = told.get("errors")
    if errors is None:
        # The shape of OAuth 2.0.
        errors = told.get("error_description") or told.get("error") or told.get("message")
    entries = errors if isinstance(errors, list) else [errors]
    return tuple(_detail(entry, redact) for entry in entries[:_MOST_ERRORS] if entry)


def shown(value: object, length: int, redact: Redact) -> str:
    """A text of the server's as it may be shown: without the token, on one line, and not longer than `length`."""
    text = redact(value if isinstance(value, str) else _json_text(value))[: length + 1]
    # The usual case, of every request id, is worth no walk through its characters.
    printable = text if text.isprintable() else "".join(map(_escaped, text))
    return printable if len(printable) <= length else printable[: length - 1] + "…"


def _detail(entry: object, redact: Redact) -> ErrorDetail:
    if not isinstance(entry, dict):
        return ErrorDetail(shown(entry, _MESSAGE_LENGTH, redact))
    message, kind, field, index = (entry.get(name) for name in ("message", "type", "field", "index"))
    return ErrorDetail(
        message=shown(entry if message is None else message, _MESSAGE_LENGTH, redact),
        type=None if kind is None else shown(kind, _NAME_LENGTH, redact),
        field=None if field is None else shown(field, _NAME_LENGTH, redact),
        index=index if isinstance(index, int) and not isinstance(index, bool) else None,
    )


def _escaped(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


def _json_text(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        # It reads deeper nesting than it writes.
        return f"a {type(value).__name__} nested too deep"


def _host_of(location: str) -> str:
    try:
        host = urlsplit(location).hostname
    except ValueError:
        return "a host that cannot be read"
    return shown(host, _NAME_LENGTH, str) if host else "the same host"


def _unexpected(request: Request, attempt: Attempt, redact: Redact, fault: str) -> InvalidResponseError:
    content_type = shown(attempt.headers.get("content-type") or "no content type", _NAME_LENGTH, redact)
    excerpt = shown(attempt.body[:_EXCERPT_WINDOW].decode(errors="replace"), _EXCERPT_LENGTH, redact)
    request_id = request_id_of(attempt.headers, redact)
    traced = f" [x-request-id {request_id}]" if request_id else ""
    return InvalidResponseError(
        f"{request}: the answer, {attempt.status} with {content_type}, is {fault}: {excerpt}{traced}"
    )
