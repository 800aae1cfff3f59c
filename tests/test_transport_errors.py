"""Every exception of the layers below becomes one of ours, and none of ours shows a token."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import logging
import ssl
import time
import traceback
import urllib.parse
from collections.abc import Callable, Iterator
from types import TracebackType

import aiohttp
import pytest
from aiohttp import client_exceptions, http_exceptions
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from waiting import until
from wire import (
    TOKEN,
    Server,
    Step,
    cut,
    get,
    hang,
    json_answer,
    opened,
    post,
    reply,
    silent_port,
    then_cut,
    then_hang,
    transport_to,
)
from yarl import URL

from kantata_async import KantataSession
from kantata_async.errors import (
    APIError,
    ConnectionFailedError,
    InvalidResponseError,
    KantataError,
    RequestTimeoutError,
    UsageError,
)
from kantata_async.transport import BASE_URL, Request, RetryPolicy
from kantata_async.transport.failures import failure
from kantata_async.transport.redaction import Redaction

ADDRESS = URL("https://api.example/users?search=private")
KEY = ConnectionKey("api.example", 443, True, True, None, None, None)
ASKED = aiohttp.RequestInfo(
    ADDRESS, "GET", CIMultiDictProxy(CIMultiDict({"Authorization": f"Bearer {TOKEN}"})), ADDRESS
)
REFUSED = ConnectionRefusedError(111, "Connection refused")
ANSWER = {"request_info": ASKED, "history": (), "status": 400, "message": TOKEN}

BELOW: list[tuple[Exception, type[KantataError]]] = [
    (aiohttp.ClientError(TOKEN), ConnectionFailedError),
    (aiohttp.ClientConnectionError(TOKEN), ConnectionFailedError),
    (aiohttp.ClientConnectionResetError(TOKEN), ConnectionFailedError),
    (aiohttp.ClientOSError(104, "Connection reset by peer"), ConnectionFailedError),
    (aiohttp.ClientConnectorError(KEY, REFUSED), ConnectionFailedError),
    (aiohttp.ClientProxyConnectionError(KEY, REFUSED), ConnectionFailedError),
    (aiohttp.ClientSSLError(KEY, REFUSED), ConnectionFailedError),
    (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "Name or service not known")), ConnectionFailedError),
    (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "wrong version")), ConnectionFailedError),
    (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError(1, "expired")), ConnectionFailedError),
    (client_exceptions.UnixClientConnectorError("/socket", KEY, REFUSED), ConnectionFailedError),
    (aiohttp.ServerConnectionError(TOKEN), ConnectionFailedError),
    (aiohttp.ServerDisconnectedError(TOKEN), ConnectionFailedError),
    (aiohttp.ServerFingerprintMismatch(b"a", b"b", "api.example", 443), ConnectionFailedError),
    (aiohttp.ClientPayloadError(TOKEN), ConnectionFailedError),
    (aiohttp.ServerTimeoutError(TOKEN), RequestTimeoutError),
    (aiohttp.ConnectionTimeoutError(TOKEN), RequestTimeoutError),
    (aiohttp.SocketTimeoutError(TOKEN), RequestTimeoutError),
    (aiohttp.ClientResponseError(**ANSWER), InvalidResponseError),
    (aiohttp.ContentTypeError(**ANSWER), InvalidResponseError),
    (aiohttp.ClientHttpProxyError(**ANSWER), ConnectionFailedError),
    (aiohttp.WSServerHandshakeError(**ANSWER), InvalidResponseError),
    (aiohttp.TooManyRedirects(**ANSWER), InvalidResponseError),
    (aiohttp.RedirectClientError(TOKEN), InvalidResponseError),
    (aiohttp.InvalidUrlRedirectClientError(ADDRESS), InvalidResponseError),
    (aiohttp.NonHttpUrlRedirectClientError(TOKEN), InvalidResponseError),
    (aiohttp.InvalidURL(ADDRESS), UsageError),
    (aiohttp.InvalidUrlClientError(ADDRESS), UsageError),
    (aiohttp.NonHttpUrlClientError(TOKEN), UsageError),
    (http_exceptions.HttpProcessingError(code=400, message=TOKEN), InvalidResponseError),
    (http_exceptions.TransferEncodingError(TOKEN), InvalidResponseError),
    (http_exceptions.LineTooLong(TOKEN.encode()), InvalidResponseError),
    (http_exceptions.BadStatusLine(TOKEN), InvalidResponseError),
    (TimeoutError(), RequestTimeoutError),
    (TimeoutError(), RequestTimeoutError),
    (ConnectionResetError(104, "Connection reset by peer"), ConnectionFailedError),
    (BrokenPipeError(), ConnectionFailedError),
    (ssl.SSLError(1, "decryption failed"), ConnectionFailedError),
    (OSError(113, "No route to host"), ConnectionFailedError),
]
if hasattr(aiohttp, "UploadAbortedError"):
    BELOW.append((aiohttp.UploadAbortedError(TOKEN), ConnectionFailedError))


@pytest.mark.parametrize(("error", "ours"), BELOW, ids=lambda value: type(value).__name__)
def test_each_exception_becomes_one_of_ours(error: Exception, ours: type[KantataError]) -> None:
    """By its type; its text, which may hold anything, stays below."""
    mapped = failure(get("/users"), error)
    assert type(mapped) is ours
    assert str(mapped).startswith("GET /users: ")
    assert "private" not in everything_told_by(mapped)
    assert TOKEN not in everything_told_by(mapped)


def test_no_exception_of_aiohttp_is_forgotten() -> None:
    """A new one of a later version fails here, and is thought about."""

    def tree(kind: type[BaseException]) -> Iterator[type[BaseException]]:
        for child in kind.__subclasses__():
            yield child
            yield from tree(child)

    theirs = {kind for kind in tree(aiohttp.ClientError) if kind.__module__.startswith("aiohttp.")}
    named = {getattr(client_exceptions, name) for name in client_exceptions.__all__}
    # Not an error of a connection: it is raised when the program reads a WebSocket as what it is not.
    named -= {client_exceptions.WSMessageTypeError}
    assert (theirs | named) - {type(error) for error, _ in BELOW} == set()


def everything_told_by(error: BaseException | None, *, with_locals: bool = False) -> str:
    """Every text an error and what is chained to it, shown or not, would put into a log."""
    text = ""
    while error is not None:
        told_by = traceback.TracebackException.from_exception(error, capture_locals=with_locals)
        text += "".join(told_by.format()) + repr(error) + str(error) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return text


ECHO = f'{{"errors": [{{"type": "{TOKEN}", "message": "your {TOKEN}", "field": "{TOKEN}"}}]}}'.encode()
ECHOES: dict[str, Step] = {
    "refusal": reply(422, ECHO, x_request_id=TOKEN),
    "500": reply(500, ECHO, x_request_id=TOKEN),
    "429": reply(429, ECHO, retry_after=TOKEN),
    "HTML": reply(200, b"x" * 60 + TOKEN.encode() * 9, "text/html", x_request_id=TOKEN),
    "JSON that is none": reply(200, b"{" + TOKEN.encode()),
    "content type": reply(200, b"{}", TOKEN),
    "content type of a refusal": reply(400, b"{}", TOKEN),
    "redirect": reply(302, location=f"https://{TOKEN}/{TOKEN}"),
    "header": then_cut(b"HTTP/1.1 200 OK\r\n" + TOKEN.encode() + b"\x00: 1\r\n\r\n"),
    "status line": then_cut(TOKEN.encode() + b"\r\n\r\n"),
    "long line": then_cut(b"HTTP/1.1 200 OK\r\nx: " + TOKEN.encode() * 9000 + b"\r\n\r\n"),
    "chunk": then_cut(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + TOKEN.encode() + b"\r\n"),
    "encoding": reply(200, TOKEN.encode(), content_encoding="gzip"),
    "reason": then_cut(b"HTTP/1.1 400 " + TOKEN.encode() + b"\r\n\r\n"),
}


@pytest.mark.parametrize("request_", [get(), post()], ids=str)
@pytest.mark.parametrize("step", ECHOES.values(), ids=ECHOES)
async def test_no_error_or_log_line_shows_a_token_that_the_server_sends_back(
    step: Step, request_: Request, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither as it is nor in small letters, in no text and no attribute, chained or logged."""
    caplog.set_level(logging.DEBUG)
    policy = RetryPolicy(attempts=2)
    async with Server([step, step]) as server, opened(server, retry=policy) as transport:
        with pytest.raises(KantataError) as caught:
            await transport.send(request_)
    shown = everything_told_by(caught.value) + caplog.text + repr(transport)
    assert TOKEN[:12].lower() not in shown.lower()


@pytest.mark.parametrize("request_", [get(), post()], ids=str)
@pytest.mark.parametrize(
    "step",
    [
        cut,
        hang,
        json_answer({}, 401),
        json_answer({}, 422),
        json_answer({}, 500),
        reply(200, b"<"),
        then_cut(b"no HTTP\r\n\r\n"),
    ],
    ids=["cut", "hang", "401", "422", "500", "not JSON", "not HTTP"],
)
async def test_not_even_the_variables_of_a_traceback_show_a_token(step: Step, request_: Request) -> None:
    """Error trackers send them along."""
    policy = RetryPolicy(attempts=2)
    async with Server([step, step]) as server, opened(server, retry=policy, timeout=0.1) as transport:
        with pytest.raises(KantataError) as caught:
            await transport.send(request_)
    assert TOKEN not in everything_told_by(caught.value.with_traceback(inner(caught.value)), with_locals=True)


HALF = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"


@pytest.mark.parametrize("request_", [get(), post(json="x" * 2_000_000)], ids=["GET", "POST"])
@pytest.mark.parametrize("step", [hang, then_hang(b"HTTP/1.1 20"), then_hang(HALF)], ids=["all", "headers", "body"])
async def test_a_cancellation_shows_no_token_either(step: Step, request_: Request) -> None:
    """It passes through aiohttp's frames as well as ours."""
    async with Server([step]) as server, opened(server) as transport:
        sending = asyncio.create_task(transport.send(request_))
        await until(lambda: len(server.received) == 1)
        await asyncio.sleep(0.01)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await sending
    shown = everything_told_by(caught.value.with_traceback(inner(caught.value)), with_locals=True)
    assert "aiohttp" in shown
    assert TOKEN not in shown


async def test_a_renewal_that_fails_shows_no_token() -> None:
    """Neither the refused one nor the one that cannot be sent."""
    tokens = iter([TOKEN, f"{TOKEN} and more"])

    async def fetch() -> str:
        return next(tokens)

    async with Server([json_answer({}, 401)]) as server, opened(server, token=fetch) as transport:
        with pytest.raises(UsageError, match="white space") as caught:
            await transport.send(get())
    assert TOKEN not in everything_told_by(caught.value.with_traceback(inner(caught.value)), with_locals=True)


SECRET = "tok/with+all=kinds&of<signs>'\""


def spellings() -> dict[str, str]:
    """The secret as one and the other would write it."""
    return {
        "as it is": SECRET,
        "in capitals": SECRET.upper(),
        "in a URL": urllib.parse.quote(SECRET, safe=""),
        "in a URL, in small letters": urllib.parse.quote(SECRET, safe="").lower(),
        "in JSON": json.dumps(SECRET)[1:-1],
        "in JSON for a script": json.dumps(SECRET)[1:-1].replace("/", "\\/").replace("<", "\\u003c"),
        "in JSON, every character": "".join(f"\\u{ord(character):04X}" for character in SECRET),
        "in HTML": "".join(f"&#{ord(character)};" for character in SECRET),
        "in HTML, hexadecimal": "".join(f"&#x{ord(character):X};" for character in SECRET),
        "in HTML, by names": html.escape(SECRET),
        "in HTML, carelessly": "".join(f"&#{ord(character)}" for character in SECRET),
        "in HTML within HTML": html.escape("".join(f"&#{ord(character)};" for character in SECRET)),
        "in a URL within a URL": urllib.parse.quote(urllib.parse.quote(SECRET, safe=""), safe=""),
        "in JSON within JSON": json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
        "in JSON within JSON, every character": "".join(f"\\\\u{ord(character):04x}" for character in SECRET),
        "as bytes of Python": "".join(f"\\x{ord(character):02x}" for character in SECRET),
        "in octal": "".join(f"\\{ord(character):03o}" for character in SECRET),
        "in hexadecimal": SECRET.encode().hex(),
    }


@pytest.mark.parametrize("spelling", spellings().values(), ids=spellings())
def test_a_secret_is_redacted_however_it_is_spelt(spelling: str) -> None:
    """What a server sends back need not be what it got."""
    redact = Redaction()
    redact.add(SECRET)
    assert redact(f"Bearer {spelling}, {spelling}") == "Bearer ***, ***"
    assert SECRET not in repr(redact)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "u", "me", "Bearer ", "user:"])
def test_a_secret_cannot_be_decoded(before: str, encode: Callable[[bytes], bytes]) -> None:
    """Basic authorization holds a password in base64, at any place in it; only what it shares at its ends is left."""
    redact = Redaction()
    redact.add(SECRET)
    shown = redact(encode(f"{before}{SECRET} and more".encode()).decode())
    assert [encode(SECRET[2:-2].encode()[start:][:9]).decode()[:8] in shown for start in range(20)] == [False] * 20
    assert "***" in shown


def test_a_secret_of_any_length_is_redacted_at_once() -> None:
    """As many characters as are looked for take no time worth mentioning; what follows them goes with them."""
    redact = Redaction()
    redact.add("aB3-" * 20_000)
    began = time.process_time()
    assert redact(f"it was {'aB3-' * 20_000}, it said") == "it was *** it said"
    assert time.process_time() - began < 2


async def test_an_envelope_that_quotes_the_token_is_told_without_it() -> None:
    """Of every kind of call, with no control character, and not in a cause or a variable either."""
    answer = json_answer({"results": [], "users": {"1": {"id": f"\x1b[2J{TOKEN}"}}})
    async with Server([answer] * 4) as server, KantataSession(token=TOKEN, base_url=server.url) as kantata:
        for call in (kantata.users.get(1), kantata.users.list().collect(), kantata.users.update(1, full_name="a")):
            with pytest.raises(KantataError, match=r"\*\*\*") as caught:
                await call
            shown = everything_told_by(caught.value)
            assert TOKEN not in shown
            assert "\x1b" not in shown


@pytest.mark.parametrize("status", [422, 500])
async def test_what_a_refusal_says_commands_no_terminal(status: int) -> None:
    """Not to clear it, not to move in it, not to write from right to left."""
    answer = json_answer({"errors": [{"type": "x\x1b[2J", "message": "gone\x9b31m\u202eback\r\n"}]}, status=status)
    async with Server([answer]) as server, opened(server.url, retry=RetryPolicy.never()) as transport:
        with pytest.raises(APIError, match="gone") as caught:
            await transport.send(get())
    assert str(caught.value).isprintable()
    assert caught.value.errors[0].message.isprintable()


async def test_a_refused_connection_shows_no_token_either() -> None:
    """Nothing of aiohttp's is chained."""
    async with opened(f"http://127.0.0.1:{silent_port()}", retry=RetryPolicy.never()) as transport:
        with pytest.raises(ConnectionFailedError) as caught:
            await transport.send(post())
    assert TOKEN not in everything_told_by(caught.value.with_traceback(inner(caught.value)), with_locals=True)
    assert not isinstance(caught.value.__cause__, aiohttp.ClientError)


def inner(error: BaseException) -> TracebackType | None:
    """An error's traceback without the test's own frame, which knows the token."""
    assert error.__traceback__ is not None
    return error.__traceback__.tb_next


def test_a_transport_does_not_show_its_token() -> None:
    """Nor does what it is made of."""
    transport = transport_to(BASE_URL)
    assert TOKEN not in repr(transport)
    assert TOKEN not in repr(vars(transport))
