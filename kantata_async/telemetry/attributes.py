"""What spans and metrics say of a request, by the semantic conventions for HTTP clients."""

from __future__ import annotations

from typing import Any, Final

from yarl import URL

from .._version import __version__
from ..transport import RequestEvent

SCOPE: Final = "kantata_async"
"""The name of the instrumentation scope."""

VERSION: Final = __version__

SCHEMA: Final = "https://opentelemetry.io/schemas/1.37.0"
"""The version of the conventions that the names are from."""

CALL: Final = "kantata.call"
CALL_ID: Final = "kantata.call.id"
REQUEST_ID: Final = "kantata.request.id"
QUEUED: Final = "kantata.request.queued"
METHOD: Final = "http.request.method"
RESENDS: Final = "http.request.resend_count"
STATUS: Final = "http.response.status_code"
ERROR: Final = "error.type"
URL_FULL: Final = "url.full"
URL_TEMPLATE: Final = "url.template"
SERVER: Final = "server.address"
PORT: Final = "server.port"


def of_request(event: RequestEvent) -> dict[str, Any]:
    """The attributes of a request that have few values."""
    url = URL(event.url)
    # The path to a file that lies elsewhere has as many values as there are files.
    template = {URL_TEMPLATE: event.route} if event.route else {}
    return {METHOD: event.method, **template, SERVER: url.host or "", PORT: url.port or 0}


def of_end(event: RequestEvent) -> dict[str, Any]:
    """The attributes that say how an attempt ended."""
    attributes: dict[str, Any] = {} if event.status is None else {STATUS: event.status}
    error = error_of(event)
    return attributes if error is None else {**attributes, ERROR: error}


def error_of(event: RequestEvent) -> str | None:
    """The type of the error that ended an attempt: the status where it says so, else the class of the error."""
    if event.error is not None and event.status is not None and event.status >= 400:
        return str(event.status)
    return event.error
