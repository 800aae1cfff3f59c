"""What a refusal says, in any shape that occurs: its reasons, with their fields and rows.

The API's own shape is ``{"errors": [{"type", "message", "field", "index"}]}``; its gem allows for ``error_message``,
Rails answers with a mapping of fields or a list of texts, OAuth with ``error_description``, and what stands in front of
the API with HTML or plain text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from ..errors import ErrorDetail, InvalidResponseError, KantataError, api_error_type
from ..model import Redact, parse_json
from ..response import Response
from .attempt import Attempt
from .content import content_type_of, is_json
from .redaction import EXCERPT_WINDOW, Redaction, excerpt
from .request import Request

MESSAGE_LENGTH: Final = 500
NAME_LENGTH: Final = 100
_MOST_DETAILS: Final = 1000
_DEEPEST_FIELD: Final = 8
_OTHER_REASONS: Final = ("error_description", "error", "message", "detail", "reason", "title")
_UNSEEN_ELEMENTS: Final = frozenset({"script", "style", "head"})


def refusal_of(request: Request, attempt: Attempt, redact: Redact) -> KantataError:
    """The error for an answer that is not a success; its body decides the details, never the class."""
    status = attempt.status
    if 300 <= status < 400:
        return InvalidResponseError(
            f"{request}: {status} redirects to {_host_of(attempt.headers.get('location', ''), redact)}; "
            "no redirect is followed, the token is for the API alone"
        )
    if status < 200:
        return InvalidResponseError(f"{request}: {status} is not an answer")
    return api_error(request, attempt, details_in(attempt.body, redact), redact)


def api_error(request: Request, attempt: Attempt, details: tuple[ErrorDetail, ...], redact: Redact) -> KantataError:
    """The error for an answer in which the API gives reasons."""
    return api_error_type(attempt.status)(
        attempt.status,
        details,
        method=request.method,
        path=request.path,
        request_id=request_id_of(attempt.headers, redact),
    )


def request_id_of(headers: Mapping[str, str], redact: Redact) -> str | None:
    """The x-request-id of an answer."""
    request_id = headers.get("x-request-id")
    return excerpt(request_id, NAME_LENGTH, redact) if request_id else None


def response_of(attempt: Attempt, attempts: int, redact: Redaction) -> Response:
    """What is known of the answer to the last of so many attempts, beside its data."""
    request_id = request_id_of(attempt.headers, redact)
    return Response(attempt.status, request_id, attempts, attempt.headers, redact.headers)


def is_by_the_api(attempt: Attempt) -> bool:
    """Whether an answer is certainly the API's own: it has a request id, and JSON in which errors have messages."""
    if "x-request-id" not in attempt.headers or not is_json(content_type_of(attempt.headers)):
        return False
    errors = errors_of(attempt.body)
    return (
        isinstance(errors, list) and bool(errors) and all(isinstance(one, dict) and "message" in one for one in errors)
    )


def errors_of(body: bytes) -> Any:
    """What stands under `errors` in a body; None where there is nothing."""
    try:
        data = parse_json(body)
    except ValueError:
        return None
    return data.get("errors") if isinstance(data, dict) else None


def details_in(body: bytes, redact: Redact) -> tuple[ErrorDetail, ...]:
    """The reasons that a body gives; none where it has no text at all."""
    try:
        data = parse_json(body)
    except ValueError:
        text = _visible_text(body[:EXCERPT_WINDOW].decode(errors="replace"))
        return (ErrorDetail(excerpt(text, MESSAGE_LENGTH, redact)),) if text else ()
    details = tuple(islice(_reasons(_reasons_part(data), redact), _MOST_DETAILS))
    # Where that part is empty, the whole body is better than no reason.
    return details or ((ErrorDetail(excerpt(data, MESSAGE_LENGTH, redact)),) if data else ())


def _reasons_part(data: Any) -> Any:
    """The part of a body in which the reasons stand."""
    if not isinstance(data, dict):
        return data
    of_the_api = [data[name] for name in ("errors", "error_message") if data.get(name)]
    others = [data[name] for name in _OTHER_REASONS if data.get(name)]
    return of_the_api or others[:1]


def _reasons(value: Any, redact: Redact, field: str = "", depth: int = 0) -> Iterator[ErrorDetail]:
    """The reasons in that part of a body: a text, an error of the API, fields with reasons, or a list of these."""
    if not value:
        return
    if isinstance(value, dict) and any(isinstance(value.get(name), str | int) for name in ("message", "type")):
        yield _api_detail(value, redact)
    elif isinstance(value, dict) and depth < _DEEPEST_FIELD:
        for name, inner in value.items():
            yield from _reasons(inner, redact, f"{field}.{name}" if field else name, depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST_FIELD:
        for inner in value:
            yield from _reasons(inner, redact, field, depth + 1)
    else:
        yield ErrorDetail(
            excerpt(value, MESSAGE_LENGTH, redact), field=excerpt(field, NAME_LENGTH, redact) if field else None
        )


def _api_detail(entry: Mapping[str, Any], redact: Redact) -> ErrorDetail:
    message, kind, field, index = (entry.get(name) for name in ("message", "type", "field", "index"))
    return ErrorDetail(
        message=excerpt(message or entry, MESSAGE_LENGTH, redact),
        type=None if kind is None else excerpt(kind, NAME_LENGTH, redact),
        field=None if field is None else excerpt(field, NAME_LENGTH, redact),
        index=index if isinstance(index, int) and not isinstance(index, bool) else None,
    )


class _VisibleText(HTMLParser):
    """Collects what a page of HTML shows."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._unseen += tag in _UNSEEN_ELEMENTS

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN_ELEMENTS))

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def _visible_text(body: str) -> str:
    """A text without the tags of HTML and without runs of white space."""
    parser = _VisibleText()
    parser.feed(body)
    parser.close()
    # A page may show nothing, and a text may look like a tag; either is left as it came.
    return " ".join("".join(parser.parts).split()) or " ".join(body.split())


def _host_of(location: str, redact: Redact) -> str:
    try:
        host = urlsplit(location).hostname
    except ValueError:
        return "a host that cannot be read"
    return excerpt(host, NAME_LENGTH, redact) if host else "the same host"
