"""The data of a success, from the record of its attempt; or the error to raise. No I/O."""

from __future__ import annotations

from typing import Any, Final

import attrs

from ..errors import InvalidResponseError
from ..model import Redact, parse_json
from ..response import Response
from .attempt import Attempt
from .content import content_type_of, is_json
from .redaction import EXCERPT_WINDOW, excerpt
from .refusal import NAME_LENGTH, api_error, details_in, request_id_of
from .request import Request

_EXCERPT_LENGTH: Final = 80
_CSV_TYPES: Final = frozenset({"text/csv", "application/csv", "text/plain", "application/octet-stream"})


@attrs.define
class Success:
    """A request that was answered with success.

    Attributes:
        data: what the request's `decode` gives; None for an empty body; a str where CSV was allowed and came.
        response: the answer without its data.
    """

    data: Any = attrs.field(repr=False)
    response: Response


def data_of(request: Request, attempt: Attempt, redact: Redact) -> Any:
    """The data of a success: decoded JSON, None for a blank body; a str where CSV was allowed and came.

    Raises:
        InvalidResponseError: the body is something else.
        APIError: the body holds errors and nothing else (API facts, "Seen in real answers").
    """
    content_type = content_type_of(attempt.headers)
    if request.csv and not is_json(content_type):
        return _csv_of(request, attempt, redact)
    # Rails answers `head :ok` with a single space, under any content type.
    if not attempt.body or attempt.body.isspace():
        return None
    if content_type and not is_json(content_type):
        raise _unexpected(request, attempt, redact, "not JSON")
    try:
        data = request.decode(attempt.body)
    except ValueError as error:
        fault = f"not valid JSON ({error})"
    else:
        if b'"error' in attempt.body and _is_refusal(attempt.body):
            raise api_error(request, attempt, details_in(attempt.body, redact), redact)
        return data
    raise _unexpected(request, attempt, redact, fault)


def _is_refusal(body: bytes) -> bool:
    """Whether the body of a success holds errors and no object."""
    data = parse_json(body)
    if not isinstance(data, dict) or data.get("results") or data.get("count"):
        return False
    return bool(data.get("error_message")) or (bool(data.get("errors")) and _tells_errors(data["errors"]))


def _tells_errors(errors: object) -> bool:
    """Whether this has the form of errors, and is not the collection of that name."""
    return not (isinstance(errors, dict) and all(isinstance(one, dict) and "id" in one for one in errors.values()))


def _csv_of(request: Request, attempt: Attempt, redact: Redact) -> str:
    content_type = content_type_of(attempt.headers)
    if content_type and content_type not in _CSV_TYPES:
        raise _unexpected(request, attempt, redact, "not CSV")
    try:
        return attempt.body.decode()
    except UnicodeDecodeError:
        fault = "not UTF-8"
    raise _unexpected(request, attempt, redact, fault)


def _unexpected(request: Request, attempt: Attempt, redact: Redact, fault: str) -> InvalidResponseError:
    content_type = excerpt(attempt.headers.get("content-type") or "no content type", NAME_LENGTH, redact)
    text = excerpt(attempt.body[:EXCERPT_WINDOW].decode(errors="replace"), _EXCERPT_LENGTH, redact)
    request_id = request_id_of(attempt.headers, redact)
    traced = f" [x-request-id {request_id}]" if request_id else ""
    return InvalidResponseError(
        f"{request}: the answer, {attempt.status} with {content_type}, is {fault}: {text}{traced}"
    )
