"""One attempt on the wire: aiohttp, and the bytes that come back.

The record of an attempt is pessimistic: it counts as sent unless it certainly was not, so that no change of aiohttp's
ways can have a write sent twice.
"""

from __future__ import annotations

import asyncio
import contextvars
import errno
import inspect
import io
from contextlib import aclosing, suppress
from typing import Any, Final

import aiohttp
import attrs
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from .._version import __version__
from ..errors import ConnectionFailedError, InvalidResponseError
from .attempt import Attempt, Phase
from .content import ACCEPTED_ENCODING, ContentError, DamagedContentError, is_compressed, parts_of_body, read_body
from .failures import BEFORE_SENDING, failure, is_hopeless
from .multipart import form_of
from .network import Network, Proxy
from .request import Request
from .verdict import READS

MOST_HEADER_BYTES: Final = 64 * 1024
"""The most bytes in one line of an answer's head: security policies and cookies of a proxy outgrow aiohttp's 8 KiB."""

_MOST_HEADERS: Final = 1024
# Since 3.14 aiohttp counts them, and refuses an answer with more than 128.
_HEADER_COUNT: Final[dict[str, Any]] = (
    {"max_headers": _MOST_HEADERS} if "max_headers" in inspect.signature(aiohttp.ClientSession).parameters else {}
)

# The text of an error is short; nothing beyond this much is waited for.
_MOST_REFUSAL_BYTES: Final = 1 << 20
# Above this size aiohttp warns about bytes, which it would hand to the socket in one piece.
_MOST_BODY_IN_ONE_PIECE: Final = 1 << 20
# In its first turn the loop reads that the server closed a connection; in its second it marks the connection closed.
_TURNS_TO_SEE_A_CLOSED_CONNECTION: Final = 2


class _LostError(Exception):
    """A lost connection, in a form on which aiohttp does not send the request again."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class _NeverSentError(_LostError):
    """A connection that was not made."""


@attrs.define
class _OnTheWire:
    """The attempt that a task has on the wire."""

    attempt: Attempt
    method: str
    proxy: Proxy | None
    connected: bool = False

    async def connecting(self) -> None:
        """Note that a connection is about to be taken or made: nothing can have been sent."""
        if self.connected:
            # In case aiohttp ever sends a request again by itself.
            raise _LostError(aiohttp.ServerDisconnectedError())
        self.attempt.phase = Phase.NOT_SENT
        if self.method not in READS:
            for _ in range(_TURNS_TO_SEE_A_CLOSED_CONNECTION):
                await asyncio.sleep(0)

    def has_connection(self) -> None:
        """Note that from here on something may reach the server."""
        self.connected = True
        self.attempt.phase = Phase.SENT


_on_the_wire: contextvars.ContextVar[_OnTheWire] = contextvars.ContextVar("kantata_on_the_wire")


class _NotingConnector(aiohttp.TCPConnector):
    """Notes when something may have reached the server, as no exception of aiohttp says so."""

    async def connect(self, *args: Any, **kwargs: Any) -> Connection:
        on_the_wire = _on_the_wire.get()
        await on_the_wire.connecting()
        try:
            connection = await super().connect(*args, **kwargs)
        except (aiohttp.ClientError, OSError) as error:
            raise _NeverSentError(error) from None
        on_the_wire.has_connection()
        return connection


def _notes_of_a_foreign_connector() -> aiohttp.TraceConfig:
    """What notes the same for a connector that was not made here."""

    async def connecting(*_: object) -> None:
        await _on_the_wire.get().connecting()

    async def has_connection(*_: object) -> None:
        _on_the_wire.get().has_connection()

    config = aiohttp.TraceConfig()
    config.on_request_start.append(connecting)
    for signal in (
        config.on_connection_create_end,
        config.on_connection_reuseconn,
        config.on_request_headers_sent,
        config.on_request_chunk_sent,
    ):
        signal.append(has_connection)
    return config


class Wire:
    """The connections of a session. Make it in the event loop that uses it.

    Args:
        connect_timeout: seconds a connection may take to be made.
        max_answer_bytes: the size a success may have, decompressed.
        network: how the server is reached.
        proxy: the one on the way; None for none.

    Raises:
        UsageError: a network setting cannot be used.
    """

    def __init__(
        self, *, connect_timeout: float, max_answer_bytes: int, network: Network, proxy: Proxy | None = None
    ) -> None:
        self._max_answer_bytes: Final = max_answer_bytes
        self._ssl: Final = True if network.ssl is None else network.ssl
        self._proxy: Final = proxy
        # The limiter decides how many connections there are; a second queue here would escape its count.
        connector, owned = network.connector_or(lambda: _NotingConnector(limit=0))
        self._session: Final = aiohttp.ClientSession(
            connector=connector,
            connector_owner=owned,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "User-Agent": f"kantata-async/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": ACCEPTED_ENCODING,
            },
            # The transport times the whole attempt.
            timeout=aiohttp.ClientTimeout(total=None, connect=connect_timeout),
            middlewares=(self._send_once,),
            trace_configs=None if isinstance(connector, _NotingConnector) else [_notes_of_a_foreign_connector()],
            auto_decompress=False,
            max_line_size=MOST_HEADER_BYTES,
            max_field_size=MOST_HEADER_BYTES,
            **_HEADER_COUNT,
        )
        self.last_date: tuple[str, float] | None = None
        """The newest Date header, and when it came, on the event loop's clock."""

    async def close(self) -> None:
        """Close every connection, those in use too."""
        await self._session.close()

    async def exchange(self, request: Request, url: URL, body: bytes | None, attempt: Attempt) -> None:
        """Send a request once and read its answer; what came of it is noted in `attempt`, and nothing is raised.

        A cancellation passes through, and leaves no connection behind.
        """
        try:
            response = await self._begun(request, url, _payload(request, body), attempt, self._proxy)
            try:
                await self._read(request, response, attempt)
            finally:
                # A whole answer has returned its connection already; that of any other answer is useless.
                if not response.closed:
                    response.close()
        except _LostError as lost:
            _note(request, attempt, lost.error, self._proxy, never_sent=isinstance(lost, _NeverSentError))
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as error:
            _note(request, attempt, error, self._proxy)

    async def begin(
        self, request: Request, url: URL, form: aiohttp.MultipartWriter | None, attempt: Attempt, proxy: Proxy | None
    ) -> aiohttp.ClientResponse:
        """The answer to a request sent once, to any host, as soon as its headers are there. The caller closes it.

        Raises:
            TransportError: there is no answer; `attempt` has the reason too.
            InvalidResponseError: the answer is not valid HTTP.
        """
        try:
            response = await self._begun(request, url, form, attempt, proxy)
        except _LostError as lost:
            _note(request, attempt, lost.error, proxy, never_sent=isinstance(lost, _NeverSentError))
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as error:
            _note(request, attempt, error, proxy)
        else:
            attempt.phase, attempt.status, attempt.headers = Phase.ANSWERED, response.status, response.headers
            return response
        if attempt.error is None:
            raise ConnectionFailedError(f"{request}: it was ended before an answer came")
        raise attempt.error

    async def read_refusal(self, response: aiohttp.ClientResponse, attempt: Attempt) -> None:
        """Read the body of a refusal, as far as it can be read."""
        attempt.body = await _refusal_body(response)

    async def _begun(
        self,
        request: Request,
        url: URL,
        payload: bytes | io.BytesIO | aiohttp.MultipartWriter | None,
        attempt: Attempt,
        proxy: Proxy | None,
    ) -> aiohttp.ClientResponse:
        attempt.phase = Phase.SENT
        running = _on_the_wire.set(_OnTheWire(attempt, request.method, proxy))
        try:
            return await self._session.request(
                request.method,
                url,
                data=payload,
                allow_redirects=False,
                proxy=None if proxy is None else proxy.url,
                ssl=self._ssl,
            )
        except RuntimeError:
            if not self._session.closed:
                raise
            raise _NeverSentError(OSError(errno.EBADF, "its connector was closed")) from None
        finally:
            _on_the_wire.reset(running)

    async def _send_once(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        # Secrets appear only here, below the frames whose variables an error tracker may show.
        on_the_wire = _on_the_wire.get()
        attempt, proxy = on_the_wire.attempt, on_the_wire.proxy
        if attempt.carried:
            request.headers.update(attempt.carried)
        if attempt.token is not None:
            request.headers["Authorization"] = f"Bearer {attempt.token.value}"
        if proxy is not None and proxy.authorization is not None:
            request.proxy_headers = CIMultiDict({"Proxy-Authorization": proxy.authorization})
        # aiohttp sends GET, HEAD, PUT and DELETE once more after these two, behind the limiter's and the policy's back.
        try:
            return await handler(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise _LostError(error) from None

    async def _read(self, request: Request, response: aiohttp.ClientResponse, attempt: Attempt) -> None:
        status = attempt.status = response.status
        attempt.headers = response.headers
        if "date" in response.headers:
            self.last_date = response.headers["date"], asyncio.get_running_loop().time()
        if not 200 <= status < 300:
            attempt.phase = Phase.ANSWERED
            if status >= 400:
                attempt.body = await _refusal_body(response)
            return
        attempt.phase = Phase.CUT
        try:
            attempt.body = await _body_of(response, self._max_answer_bytes)
        except ContentError as error:
            attempt.error = InvalidResponseError(f"{request}: the answer {error}")
            if isinstance(error, DamagedContentError):
                return
        attempt.phase = Phase.ANSWERED


async def _refusal_body(response: aiohttp.ClientResponse) -> bytes:
    """The body of a refusal as far as it can be read: the status says enough, and reasons stand at its beginning."""
    parts: list[bytes] = []
    with suppress(ContentError, aiohttp.ClientError, HttpProcessingError, OSError):
        async with aclosing(
            parts_of_body(response.headers, response.content.iter_any(), _MOST_REFUSAL_BYTES)
        ) as coming:
            async for part in coming:
                parts.append(part)
    return b"".join(parts)


async def _body_of(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body of an answer, decompressed: see `read_body`."""
    content = response.content
    if content.is_eof() and is_compressed(response.headers) is False and content.total_bytes <= most:
        # Most answers have come whole by the time their headers are read.
        return content.read_nowait()
    return await read_body(response.headers, content.iter_any(), most)


def _note(
    request: Request, attempt: Attempt, error: Exception, proxy: Proxy | None, *, never_sent: bool = False
) -> None:
    attempt.error = failure(request, error, None if proxy is None else proxy.url)
    if never_sent or isinstance(error, BEFORE_SENDING):
        attempt.phase = Phase.NOT_SENT
        attempt.hopeless = is_hopeless(error)
    elif attempt.phase is Phase.NOT_SENT:
        attempt.phase = Phase.SENT


def _payload(request: Request, body: bytes | None) -> bytes | io.BytesIO | aiohttp.MultipartWriter | None:
    # Sending consumes a form or a stream, so each attempt makes its own.
    if request.form is not None:
        return form_of(request.form)
    if body is not None and len(body) > _MOST_BODY_IN_ONE_PIECE:
        return io.BytesIO(body)
    return body
