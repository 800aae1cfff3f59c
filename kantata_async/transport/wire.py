"""One attempt on the wire: aiohttp, its exceptions, and the bytes that come back."""

from __future__ import annotations

import contextvars
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
from aiohttp.connector import Connection
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError
from yarl import URL

from .._version import __version__
from ..errors import ConnectionFailedError, InvalidResponseError, KantataError, RequestTimeoutError, UsageError
from .attempt import Attempt
from .message import Part, Request
from .retry import Phase

# The text of an error is short; what follows that much of it is not waited for.
_MOST_REFUSAL_BYTES: Final = 1 << 20
# Above this size aiohttp warns of bytes, which it would hand to the socket in one piece.
_MOST_BODY_IN_ONE_PIECE: Final = 1 << 20

_attempt: contextvars.ContextVar[Attempt] = contextvars.ContextVar("kantata_attempt")


class _Connector(aiohttp.TCPConnector):
    """Notes the moment from which something may have reached the server: no exception of aiohttp's tells it."""

    async def connect(self, *args: Any, **kwargs: Any) -> Connection:
        connection = await super().connect(*args, **kwargs)
        _attempt.get().phase = Phase.SENT
        return connection


class _LostError(Exception):
    """A lost connection, in a shape that aiohttp does not answer by sending the request again."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    # aiohttp sends GET, HEAD, PUT and DELETE once more after these two, behind the limiter's and the policy's back.
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _LostError(error) from None


class Wire:
    """The connections of a session. Make it in the event loop that uses it.

    Args:
        connect_timeout: seconds a connection may take to be made.
        max_answer_bytes: the size a success may have, decompressed.
    """

    def __init__(self, *, connect_timeout: float, max_answer_bytes: int) -> None:
        self._max_answer_bytes: Final = max_answer_bytes
        self._session: Final = aiohttp.ClientSession(
            # How many connections there are is the limiter's to say; a second queue here would hide from its count.
            connector=_Connector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"kantata-async/{__version__}", "Accept": "application/json"},
            # The whole attempt is timed by the transport.
            timeout=aiohttp.ClientTimeout(total=None, connect=connect_timeout),
            middlewares=(_send_once,),
        )
        self.last_date: tuple[str, float] | None = None
        """The newest Date header, and when its attempt began."""

    async def close(self) -> None:
        """Close every connection, those in use too."""
        await self._session.close()

    async def exchange(
        self, request: Request, url: URL, body: bytes | None, headers: Mapping[str, str], attempt: Attempt
    ) -> None:
        """Send a request once and read its answer; what came of it is noted in `attempt`, and nothing is raised.

        A cancellation passes through, and leaves no connection behind.
        """
        _attempt.set(attempt)
        try:
            response = await self._session.request(
                request.method, url, data=_payload(request, body), headers=headers, allow_redirects=False
            )
            try:
                await self._read(request, response, attempt)
            finally:
                # A whole answer gave its connection back already; the connection of any other one is of no more use.
                response.close()
        except _LostError as lost:
            attempt.error = failure(request, lost.error)
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            attempt.error = failure(request, error)

    async def _read(self, request: Request, response: aiohttp.ClientResponse, attempt: Attempt) -> None:
        status = attempt.status = response.status
        attempt.headers = response.headers
        if "date" in response.headers:
            self.last_date = response.headers["date"], attempt.began
        if 200 <= status < 300:
            attempt.phase = Phase.CUT
            body = await _body_of(response, self._max_answer_bytes)
            attempt.phase = Phase.ANSWERED
            if body is None:
                attempt.error = InvalidResponseError(
                    f"{request}: the answer is larger than the {self._max_answer_bytes} bytes allowed "
                    "(max_answer_bytes)"
                )
            else:
                attempt.body = body
            return
        attempt.phase = Phase.ANSWERED
        if status >= 400:
            attempt.body = await _body_of(response, _MOST_REFUSAL_BYTES) or b""


async def _body_of(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    """The decompressed body; None where it is longer than `most` bytes."""
    content = response.content
    chunks = []
    size = 0
    while not content.at_eof():
        chunk = await content.readany()
        size += len(chunk)
        if size > most:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _payload(request: Request, body: bytes | None) -> bytes | io.BytesIO | aiohttp.MultipartWriter | None:
    # A form and a stream are read up by being sent: each attempt has its own.
    if request.form is not None:
        return form_of(request.form)
    if body is not None and len(body) > _MOST_BODY_IN_ONE_PIECE:
        return io.BytesIO(body)
    return body


def form_of(parts: Sequence[Part]) -> aiohttp.MultipartWriter:
    """The multipart body that aiohttp sends for these parts.

    Raises:
        UsageError: a name, a file name or a content type holds a control character, which could forge a header.
    """
    form = aiohttp.MultipartWriter("form-data")
    for part in parts:
        for text in (part.name, part.filename or "", part.content_type or ""):
            if not text.isprintable():
                raise UsageError(f"a form's part has a name or a content type with a control character: {text!r}")
        value = part.value.encode() if isinstance(part.value, str) else part.value
        usual_type = "text/plain; charset=utf-8" if isinstance(part.value, str) else "application/octet-stream"
        payload = aiohttp.BytesIOPayload(io.BytesIO(value), content_type=part.content_type or usual_type)
        named = {"name": part.name} if part.filename is None else {"name": part.name, "filename": part.filename}
        # Unquoted: Rails would take the %5B of a quoted "attachment[data]" literally.
        payload.set_content_disposition("form-data", quote_fields=False, **named)
        form.append_payload(payload)
    return form


def failure(request: Request, error: Exception) -> KantataError:
    """The error of ours for one of aiohttp's, asyncio's or the operating system's.

    It is not chained, and nothing of what the server sent is in its text: aiohttp's errors carry the request's headers,
    and the parser's quote what it read. Only the operating system's own error is its cause.
    """
    if isinstance(error, TimeoutError):
        return RequestTimeoutError(f"{request}: no connection in time")
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        return InvalidResponseError(f"{request}: the answer is not the HTTP it should be ({_root_name(error)})")
    if isinstance(error, aiohttp.ClientPayloadError) and isinstance(error.__cause__, ContentEncodingError):
        return InvalidResponseError(f"{request}: the answer cannot be decompressed")
    if isinstance(error, aiohttp.RedirectClientError):
        return InvalidResponseError(f"{request}: the answer redirects, and no redirect is followed")
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return UsageError(f"{request}: this is no address to send to ({type(error).__name__})")
    return _connection_failure(request, error)


def _connection_failure(request: Request, error: Exception) -> ConnectionFailedError:
    if isinstance(error, aiohttp.ClientConnectorError):
        # In the oldest aiohttp taken the error about a certificate has no `os_error`.
        cause = (
            error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error.os_error
        )
        failed = ConnectionFailedError(f"{request}: no connection to {error.host}:{error.port} ({cause})")
        failed.__cause__ = cause
        return failed
    if isinstance(error, aiohttp.ClientPayloadError):
        return ConnectionFailedError(f"{request}: the connection broke before the answer was complete")
    told = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return ConnectionFailedError(f"{request}: the connection broke before an answer came ({told})")


def _root_name(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__
