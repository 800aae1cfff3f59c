"""Lost, late, hostile and broken answers, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import aiohttp
import pytest
from waiting import until
from wire import (
    OK,
    TOKEN,
    Server,
    Step,
    cut,
    forever,
    get,
    hang,
    json_answer,
    no_wait,
    opened,
    post,
    reply,
    reset,
    silent_port,
    then_cut,
    then_hang,
)

from kantata_async.errors import (
    AmbiguousWriteError,
    APIError,
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    ErrorDetail,
    InvalidResponseError,
    KantataError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    ValidationError,
    may_be_carried_out,
)
from kantata_async.limits import AdaptiveRateLimit, RateLimit
from kantata_async.transport import Options, Request, RetryPolicy

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
HALF = HEAD + b"content-length: 99\r\n\r\n{"
CHUNKED_HALF = HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n[1,2,\r\n"
PROXY_503 = reply(503, b"<html>busy</html>", "text/html")
APPLICATION_503 = json_answer({"errors": [{"type": "system", "message": "busy"}]}, 503, x_request_id="r")

LOST: dict[str, Step] = {
    "closed": cut,
    "reset": reset,
    "half a status line": then_cut(b"HTTP/1."),
    "half the headers": then_cut(b"HTTP/1.1 200 OK\r\ncontent-ty"),
    "no HTTP": then_cut(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "half a body": then_cut(HALF),
    "half a chunked body": then_cut(CHUNKED_HALF),
    "a broken chunk": then_cut(HEAD + b"transfer-encoding: chunked\r\n\r\nxyz\r\n"),
    "not the gzip it says": reply(200, b"no gzip at all", content_encoding="gzip"),
    "500": json_answer({}, 500),
    "502": reply(502, b"<html>", "text/html"),
    "503 of a proxy": PROXY_503,
    "504 of nothing": reply(504, content_type=None),
    "408": reply(408, content_type=None),
}
WRITES = ("POST", "PUT", "PATCH", "DELETE")


@pytest.mark.parametrize("step", LOST.values(), ids=LOST)
async def test_a_read_whose_answer_was_lost_is_sent_again(step: Step) -> None:
    """Wherever it was lost."""
    async with Server([step, step, OK]) as server, opened(server) as transport:
        assert (await transport.send(get())).data == {"ok": True}
    assert len(server.received) == 3


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("step", LOST.values(), ids=LOST)
async def test_a_write_whose_answer_was_lost_is_never_sent_again(step: Step, method: str) -> None:
    """It may have been carried out, which the error says, with its cause."""
    async with Server([step, OK]) as server, opened(server) as transport:
        with pytest.raises(AmbiguousWriteError, match="may or may not have been carried out") as caught:
            await transport.send(Request(method, "/users/1", json={}))
    assert server.methods == [method]
    assert (caught.value.method, caught.value.path) == (method, "/users/1")
    assert isinstance(caught.value.__cause__, KantataError)


@pytest.mark.parametrize("method", WRITES)
async def test_a_write_on_a_kept_connection_that_dies_is_sent_once(method: str) -> None:
    """aiohttp would send PUT and DELETE once more by itself."""
    async with Server([OK, cut, OK]) as server, opened(server) as transport:
        await transport.send(get())
        with pytest.raises(AmbiguousWriteError):
            await transport.send(Request(method, "/users/1", json={}))
    assert server.methods == ["GET", method]
    assert [request.connection for request in server.received] == [0, 0]


@pytest.mark.parametrize("busy_seconds", [0, 0.01])
async def test_a_write_does_not_go_on_a_connection_that_the_server_closed(busy_seconds: float) -> None:
    """Which it may have done right after its answer, or while the program was busy with something else."""
    async with Server([then_cut(OK)] * 30) as server, opened(server) as transport:
        for _ in range(10):
            for method in ("POST", "DELETE", "PUT"):
                await transport.send(Request(method, "/users/1", json={}))
                time.sleep(busy_seconds)  # noqa: ASYNC251 - the loop must not see it
    assert server.methods == ["POST", "DELETE", "PUT"] * 10


async def test_a_read_sent_again_is_counted_each_time() -> None:
    """A limit of ten a second spaces every request that the server sees, those sent again too."""
    async with (
        Server([OK, cut, reset, OK]) as server,
        opened(server, rate_limit=RateLimit(10)) as transport,
    ):
        began = time.monotonic()
        await transport.send(get())
        await transport.send(get())
        assert time.monotonic() - began > 0.25
    assert len(server.received) == 4


@pytest.mark.parametrize("method", ["GET", *WRITES])
async def test_what_was_never_sent_is_sent_again_whatever_it_is(method: str) -> None:
    """The server comes up before the third attempt."""
    server = Server([OK], port=silent_port())
    made = 1

    async with AsyncExitStack() as stack:

        async def sleep(_seconds: float) -> None:
            nonlocal made
            made += 1
            if made == 3:
                await stack.enter_async_context(server)

        transport = await stack.enter_async_context(opened(f"http://127.0.0.1:{server.port}/api/v1", sleep=sleep))
        assert (await transport.send(Request(method, "/users/1"))).data == {"ok": True}
    assert (made, server.methods) == (3, [method])


async def test_a_server_that_is_not_there_is_a_failed_connection() -> None:
    """Also for a write: it surely was not carried out. The operating system's error is the cause."""
    async with opened(f"http://127.0.0.1:{silent_port()}") as transport:
        for request in (get(), post()):
            with pytest.raises(ConnectionFailedError, match="no connection to") as caught:
                await transport.send(request)
            assert isinstance(caught.value.__cause__, OSError)


async def test_a_name_that_does_not_resolve_is_a_failed_connection() -> None:
    """The reserved name that never does."""
    async with opened("https://nowhere.invalid/api", retry=RetryPolicy.never()) as transport:
        with pytest.raises(ConnectionFailedError, match="no connection to nowhere"):
            await transport.send(post())


async def test_a_server_that_does_not_speak_tls_is_a_failed_connection() -> None:
    """The token is not sent in the clear, and a write is safe."""
    heard = bytearray()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.read(65536))
        writer.write(reply(400))
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with opened(url, retry=RetryPolicy(attempts=2)) as transport:
            with pytest.raises(ConnectionFailedError, match="no connection to"):
                await transport.send(post())
    assert heard
    assert TOKEN.encode() not in heard


@pytest.mark.parametrize("request_", [get(), post()], ids=str)
@pytest.mark.parametrize("step", [json_answer({}, 429), APPLICATION_503], ids=["429", "503 of the application"])
async def test_what_was_surely_not_carried_out_is_sent_again(step: Step, request_: Request) -> None:
    """Reads and writes alike."""
    async with Server([step, step, OK]) as server, opened(server) as transport:
        assert (await transport.send(request_)).data == {"ok": True}
    assert len(server.received) == 3


@pytest.mark.parametrize(
    ("step", "request_", "error"),
    [
        (json_answer({}, 429), get(), RateLimitError),
        (json_answer({}, 429), post(), RateLimitError),
        (APPLICATION_503, post(), ServerError),
        (PROXY_503, get(), ServerError),
        (cut, get(), ConnectionFailedError),
        (then_cut(HALF), get(), ConnectionFailedError),
        (then_cut(b"no HTTP\r\n\r\n"), get(), InvalidResponseError),
    ],
)
async def test_when_the_attempts_are_used_up_the_last_error_is_raised(
    step: Step, request_: Request, error: type[KantataError]
) -> None:
    """A write's too, where it surely was not carried out."""
    async with Server([step] * 9) as server, opened(server, retry=RetryPolicy(attempts=3)) as transport:
        with pytest.raises(error):
            await transport.send(request_)
    assert len(server.received) == 3


def waits(into: list[float]) -> Callable[[float], Any]:
    """A sleep that notes what it was asked for."""

    async def sleep(seconds: float) -> None:
        into.append(seconds)
        await no_wait(seconds)

    return sleep


async def test_waits_double_without_retry_after() -> None:
    """The longest of each range, since chance is 1 here."""
    asked: list[float] = []
    async with Server([json_answer({}, 429)] * 4 + [OK]) as server, opened(server, sleep=waits(asked)) as transport:
        await transport.send(get())
    assert asked == [0.5, 1.0, 2.0, 4.0]


async def test_retry_after_is_honoured() -> None:
    """In seconds, and as a date."""
    asked: list[float] = []
    now = 1_800_000_000.0
    date = format_datetime(datetime.fromtimestamp(now + 9, UTC), usegmt=True)
    steps = [
        json_answer({}, 429, retry_after="7"),
        json_answer({}, 429, retry_after=date),
        json_answer({}, 429, retry_after="soon"),
        OK,
    ]
    async with (
        Server(steps) as server,
        opened(server, sleep=waits(asked), random=lambda: 0.0, now=lambda: now) as transport,
    ):
        await transport.send(post())
    assert asked == [7.0, 9.0, 0.0]


async def test_a_retry_after_is_read_by_the_servers_clock() -> None:
    """An hour ahead of ours, and it still asks for five seconds."""
    asked: list[float] = []
    headers = {"date": "Fri, 20 Nov 2026 13:00:00 GMT", "retry_after": "Fri, 20 Nov 2026 13:00:05 GMT"}
    now = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC).timestamp()
    async with (
        Server([json_answer({}, 503, **headers), OK]) as server,
        opened(server, sleep=waits(asked), random=lambda: 0.0, now=lambda: now) as transport,
    ):
        await transport.send(get())
    assert asked == [5.0]


YEAR = "31536000"
FAR_AHEAD = "Fri, 20 Nov 2099 12:00:00 GMT"


@pytest.mark.parametrize("asked", [YEAR, FAR_AHEAD, "999999999999999999"])
async def test_a_wait_that_nobody_waits_stops_nobody(asked: str) -> None:
    """Who is refused hears of it at once; who comes later finds out how the server is."""
    policy = RetryPolicy(deadline=5)
    async with (
        Server([json_answer({}, 429, retry_after=asked), OK, OK]) as server,
        opened(server, retry=policy, rate_limit=AdaptiveRateLimit()) as transport,
    ):
        with pytest.raises(RateLimitError):
            await transport.send(get())
        assert 0 < transport.limits["general"].paused_for <= 5
        assert len(server.received) == 1
        assert [(await transport.send(request)).response.status for request in (get(), post())] == [200, 200]


async def test_who_can_wait_less_than_the_server_asks_hears_of_it_at_once() -> None:
    """And does not have the others wait less."""
    hurried = Options(retry=RetryPolicy(deadline=0.5))
    async with (
        Server([json_answer({}, 429, retry_after="60")]) as server,
        opened(server, rate_limit=AdaptiveRateLimit()) as transport,
    ):
        for _ in range(2):
            with pytest.raises(RateLimitError):
                await transport.send(get(), hurried)
        assert transport.limits["general"].paused_for > 50
    assert len(server.received) == 1


async def test_a_wait_that_one_can_wait_is_waited() -> None:
    """By those that come later, too."""
    async with (
        Server([json_answer({}, 429, retry_after="1"), OK, OK]) as server,
        opened(server, rate_limit=AdaptiveRateLimit()) as transport,
    ):
        answers = await asyncio.gather(transport.send(get()), transport.send(post()))
    assert [answer.response.status for answer in answers] == [200, 200]


async def test_a_retry_after_beyond_the_deadline_gives_up_at_once() -> None:
    """Waiting for nothing helps nobody."""
    asked: list[float] = []
    async with (
        Server([json_answer({}, 429, retry_after="301")]) as server,
        opened(server, sleep=waits(asked)) as transport,
    ):
        with pytest.raises(RateLimitError):
            await transport.send(get())
    assert asked == []


async def test_the_deadline_ends_attempts_and_waits() -> None:
    """An attempt has only the time that is left."""
    policy = RetryPolicy(deadline=0.3, first_wait=0.01)
    async with Server([json_answer({}, 503), hang, hang]) as server, opened(server, retry=policy) as transport:
        began = time.monotonic()
        with pytest.raises(RequestTimeoutError):
            await transport.send(get())
        assert 0.2 < time.monotonic() - began < 1
    assert len(server.received) == 2


@pytest.mark.parametrize("step", [hang, then_hang(b"HTTP/1.1 200"), then_hang(HALF)], ids=["all", "headers", "body"])
async def test_an_answer_that_does_not_come_in_time_is_a_timeout(step: Step) -> None:
    """Reads try again; a write is unknown. The connection is given up."""
    async with Server([step, OK, step, OK]) as server, opened(server, timeout=0.1) as transport:
        assert (await transport.send(get())).data == {"ok": True}
        with pytest.raises(AmbiguousWriteError) as caught:
            await transport.send(post())
        assert isinstance(caught.value.__cause__, RequestTimeoutError)
    assert server.methods == ["GET", "GET", "POST"]


async def test_a_connection_that_is_not_made_in_time_was_not_sent() -> None:
    """A write is safe to send again, and the last error says timeout."""
    # A listener whose queue is full leaves a connection unanswered.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with opened(url, timeout=0.1, retry=RetryPolicy(attempts=2)) as transport:
            with pytest.raises(RequestTimeoutError):
                await transport.send(post())
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("step", [hang, then_hang(HALF)], ids=["no answer", "half a body"])
async def test_a_cancelled_request_leaves_no_connection(step: Step) -> None:
    """The server sees it close, and the next request has a new one."""
    async with Server([step, OK]) as server, opened(server, concurrency=1) as transport:
        task = asyncio.create_task(transport.send(post()))
        await until(lambda: len(server.received) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.all_closed()
        assert (await transport.send(get())).data == {"ok": True}
    assert [request.connection for request in server.received] == [0, 1]


async def test_a_cancelled_wait_between_attempts_is_a_cancellation() -> None:
    """It is not taken for an answer."""
    async with (
        Server([json_answer({}, 429, retry_after="60")]) as server,
        opened(server, sleep=asyncio.sleep) as transport,
    ):
        task = asyncio.create_task(transport.send(get()))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


REFUSED: Step = json_answer({}, 429, retry_after="20")


async def interrupted(step: Step, request: Request) -> BaseException:
    """What ends a request that is cancelled on its way, or when it waits for its next attempt."""
    waits = asyncio.Event()

    async def sleep(_: float) -> None:
        waits.set()
        await asyncio.Event().wait()

    async with Server([step]) as server, opened(server, sleep=sleep) as transport:
        task = asyncio.create_task(transport.send(request))
        await until(lambda: bool(server.received) and (step is not REFUSED or waits.is_set()))
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    return caught.value


async def test_an_interruption_says_what_it_left_behind() -> None:
    """Of a write that was on its way nobody knows; of one that was refused, or of a read, there is nothing to know."""
    cases: list[tuple[Step, Request, bool]] = [
        (hang, post(), True),
        (then_hang(HALF), post(), True),
        (hang, get(), False),
        (REFUSED, post(), False),
    ]
    for step, request, may_be in cases:
        error = await interrupted(step, request)
        assert may_be_carried_out(error) is may_be
        state = "may have been carried out" if may_be else "was not carried out"
        assert error.__notes__ == [f"kantata_async: {request} {state}"]
    assert may_be_carried_out(ValueError()) is None


async def test_an_interruption_in_line_left_nothing_behind() -> None:
    """A write that waits for a place was not sent."""
    async with Server([hang]) as server, opened(server, concurrency=1) as transport:
        first, second = (asyncio.create_task(transport.send(post(path))) for path in ("/users", "/roles"))
        await until(lambda: len(server.received) == 1)
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.01):
                await second
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    assert may_be_carried_out(caught.value) is False


async def test_an_error_says_after_how_many_attempts() -> None:
    """Where there was more than one."""
    for attempts, told_of in ((1, False), (3, True)):
        async with (
            Server([json_answer({}, 500)] * attempts) as server,
            opened(server, retry=RetryPolicy(attempts=attempts)) as transport,
        ):
            with pytest.raises(ServerError) as caught:
                await transport.send(get())
        assert ("(after 3 attempts)" in str(caught.value)) is told_of


REFUSALS_AS_SUCCESSES = [
    {"errors": [{"type": "validation", "message": "no", "field": "name"}]},
    {"errors": [{"type": "system", "message": "no"}], "results": [], "count": 0, "users": {}},
    {"errors": ["no"]},
    {"errors": "no"},
    {"errors": {"name": ["no"]}},
    {"error_message": "no"},
]


@pytest.mark.parametrize("answer", REFUSALS_AS_SUCCESSES)
@pytest.mark.parametrize("request_", [get(), post(), Request("DELETE", "/users/1")], ids=str)
async def test_a_success_that_is_nothing_but_errors_is_a_refusal(answer: object, request_: Request) -> None:
    """With its status and its reasons, and sent once."""
    async with Server([json_answer(answer, x_request_id="r")] * 2) as server, opened(server) as transport:
        with pytest.raises(APIError, match=r"^200 on .*: no") as caught:
            await transport.send(request_)
    assert (type(caught.value), caught.value.status, caught.value.request_id) == (APIError, 200, "r")
    assert caught.value.errors[0].message == "no"
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": [], "results": [], "count": 0},
        {"errors": None, "ok": True},
        {"errors": [{"message": "no"}], "results": [{"key": "users", "id": "1"}], "users": {"1": {"id": "1"}}},
        {"errors": {"1": {"id": "1", "message": "one of the collection"}}},
        {"notes": 'he said "errors"'},
        ["errors"],
        "error_message",
    ],
)
async def test_a_success_that_speaks_of_errors_is_a_success(answer: object) -> None:
    """Where there is something beside them, or none."""
    async with Server([json_answer(answer)]) as server, opened(server) as transport:
        assert (await transport.send(get())).data == answer


async def test_a_long_header_is_taken() -> None:
    """Security policies and a proxy's cookies outgrow aiohttp's own limit of 8190 bytes."""
    async with (
        Server([json_answer({}, content_security_policy="x" * 40_000)] * 2) as server,
        opened(server) as transport,
    ):
        for request in (get(), post()):
            assert (await transport.send(request)).data == {}
    assert len(server.received) == 2


HTML = reply(200, b"<html>\x07 sign in </html>", "text/html")
NOT_THE_API: dict[str, bytes] = {
    "HTML": HTML,
    "JSON that says it is text": reply(200, b"{}", "text/plain"),
    "truncated JSON": reply(200, b'{"count": 1, "resu'),
    "NaN": reply(200, b'{"a": NaN}'),
    "invalid UTF-8": reply(200, b'{"a": "\xff"}'),
    "a byte order mark": reply(200, b"\xef\xbb\xbf{}"),
    "deep nesting": reply(200, b"[" * 100_000 + b"]" * 100_000),
    "truncated at the end of the connection": HEAD + b'connection: close\r\n\r\n{"a"',
}


@pytest.mark.parametrize("answer", NOT_THE_API.values(), ids=NOT_THE_API)
async def test_a_success_that_is_not_json_is_invalid(answer: bytes) -> None:
    """For a write it is ambiguous besides. Neither is sent again."""
    step: Step = then_cut(answer) if b"connection: close" in answer else answer
    async with Server([step, step]) as server, opened(server) as transport:
        with pytest.raises(InvalidResponseError, match="GET /users/me"):
            await transport.send(get())
        with pytest.raises(AmbiguousWriteError) as caught:
            await transport.send(post())
    assert isinstance(caught.value.__cause__, InvalidResponseError)
    assert server.methods == ["GET", "POST"]


async def test_an_invalid_answer_is_told_of_on_one_line() -> None:
    """Status, type and a little of it, with control characters escaped."""
    async with Server([HTML]) as server, opened(server) as transport:
        with pytest.raises(InvalidResponseError) as caught:
            await transport.send(get())
    assert str(caught.value) == (
        "GET /users/me: the answer, 200 with text/html, is not JSON: <html>\\x07 sign in </html>"
    )


async def test_a_csv_that_is_none_is_invalid() -> None:
    """A sign-in page, and what is not text."""
    script = [HTML, reply(200, b"\xff", "text/csv"), reply(200, b"", "text/csv")]
    async with Server(script) as server, opened(server) as transport:
        for _ in range(2):
            with pytest.raises(InvalidResponseError):
                await transport.send(get(csv=True))
        assert (await transport.send(get(csv=True))).data == ""


BOMB = gzip.compress(b'"' + b"x" * 50_000_000 + b'"')
ENDLESS = HEAD + b"transfer-encoding: chunked\r\n\r\n"
TOO_LARGE: dict[str, Step] = {
    "by its length": reply(200, b" " * 2_000_000),
    "without end": forever(ENDLESS, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "without end or chunks": forever(HEAD + b"\r\n", b"x" * 4096),
    "once decompressed": reply(200, BOMB, content_encoding="gzip"),
}


@pytest.mark.parametrize("step", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_an_answer_that_is_too_large_is_cut_off(step: Step) -> None:
    """The error says the limit; nothing is sent again, and the connection is closed."""
    async with Server([step, step]) as server, opened(server, max_answer_bytes=1_000_000) as transport:
        with pytest.raises(InvalidResponseError, match="1000000 bytes"):
            await transport.send(get())
        with pytest.raises(AmbiguousWriteError):
            await transport.send(post())
    assert server.methods == ["GET", "POST"]


async def test_a_refusal_without_end_is_still_the_refusal() -> None:
    """Its status is enough."""
    head = b"HTTP/1.1 404 No\r\ncontent-type: application/json\r\n\r\n"
    async with Server([forever(head, b"x" * 65536)]) as server, opened(server) as transport:
        with pytest.raises(NotFoundError):
            await transport.send(get())


@pytest.mark.parametrize(
    ("status", "after_a_write"),
    [
        (301, InvalidResponseError),
        (302, AmbiguousWriteError),
        (303, AmbiguousWriteError),
        (307, InvalidResponseError),
        (308, InvalidResponseError),
    ],
)
async def test_a_redirect_is_never_followed(status: int, after_a_write: type[KantataError]) -> None:
    """The token stays; the error names the host alone. A 302 or 303 may follow upon what was done."""
    async with Server([OK]) as other:
        answer = reply(status, location=f"http://localhost:{other.port}/steal?secret=1")
        async with Server([answer] * 2) as server, opened(server) as transport:
            for request, error in ((get(), InvalidResponseError), (post(), after_a_write)):
                with pytest.raises(error, match="redirects to localhost;") as caught:
                    await transport.send(request)
                assert "steal" not in str(caught.value)
    assert other.received == []
    assert server.methods == ["GET", "POST"]


@pytest.mark.parametrize("location", [None, "/elsewhere", "http://[::1", "http://" + "x" * 5000, "\xff", f"//{TOKEN}"])
async def test_a_redirect_to_nowhere_is_an_error_too(location: str | None) -> None:
    """Whatever stands there."""
    headers = {} if location is None else {"location": location}
    async with Server([reply(302, **headers)]) as server, opened(server) as transport:
        with pytest.raises(InvalidResponseError, match="redirect") as caught:
            await transport.send(get())
    assert TOKEN.lower() not in str(caught.value).lower()
    assert len(str(caught.value)) < 400


HOSTILE: dict[str, bytes] = {
    "a long header": HEAD + b"x: " + b"y" * 100_000 + b"\r\n\r\n",
    "a long status line": b"HTTP/1.1 200 " + b"y" * 100_000 + b"\r\n\r\n",
    "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "a negative length": HEAD + b"content-length: -5\r\n\r\n",
    "two lengths": HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\n{}   ",
    "a header without a name": HEAD + b": x\r\n\r\n",
    "binary": bytes(range(256)) + b"\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    "the token back": b"HTTP/1.1 200 OK\r\n" + TOKEN.encode() + b"\x00: " + TOKEN.encode() + b"\r\n\r\n",
}
# aiohttp counts headers since it lets the count be chosen; before, it takes any number.
if "max_headers" in inspect.signature(aiohttp.ClientSession).parameters:
    HOSTILE["many headers"] = HEAD + b"".join(b"x-%d: y\r\n" % number for number in range(5000)) + b"\r\n"


async def test_a_proxy_may_add_many_headers() -> None:
    """Cookies and policies by the hundred are no reason to refuse an answer."""
    headers = {f"x-policy-{number}": "allow" for number in range(300)}
    async with Server([json_answer({"ok": True}, **headers)]) as server, opened(server) as transport:
        assert (await transport.send(get())).data == {"ok": True}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
async def test_an_answer_that_is_not_http_is_an_error(answer: bytes) -> None:
    """Ours, for a read; for a write nobody knows what was done."""
    policy = RetryPolicy(attempts=2)
    async with Server([then_cut(answer)] * 3) as server, opened(server, retry=policy, timeout=5) as transport:
        with pytest.raises(InvalidResponseError):
            await transport.send(get())
        with pytest.raises(AmbiguousWriteError):
            await transport.send(post())
    assert server.methods == ["GET", "GET", "POST"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, APIError),
        (422, ValidationError),
    ],
)
async def test_a_refusal_has_its_own_error(status: int, error: type[APIError]) -> None:
    """With what the answer said, and where."""
    told_errors = [
        {"type": "validation", "message": "can't be blank", "field": "name", "index": 3},
        {"type": "system", "message": "no"},
    ]
    answer = json_answer({"errors": told_errors}, status, x_request_id="req-9")
    async with Server([answer]) as server, opened(server) as transport:
        with pytest.raises(error) as caught:
            await transport.send(post())
    assert caught.value.status == status
    assert caught.value.errors == (
        ErrorDetail("can't be blank", "validation", "name", 3),
        ErrorDetail("no", "system"),
    )
    assert (caught.value.request_id, caught.value.method, caught.value.path) == ("req-9", "POST", "/users")


ODD: list[tuple[bytes, tuple[ErrorDetail, ...]]] = [
    (b"", ()),
    (b" \n", ()),
    (b"<html><head><title>502</title></head><body><h1>no</h1>\n<p>way</body>", (ErrorDetail("no way"),)),
    (b"<html><script>no()</script></html>", (ErrorDetail("<html><script>no()</script></html>"),)),
    (b"upstream  request\ntimeout", (ErrorDetail("upstream request timeout"),)),
    (b"{", (ErrorDetail("{"),)),
    (b"\xff\xfe", (ErrorDetail("\ufffd\ufffd"),)),
    (b"null", ()),
    (b"[]", ()),
    (b'"no"', (ErrorDetail("no"),)),
    (b'["no", {"message": "never"}]', (ErrorDetail("no"), ErrorDetail("never"))),
    (b"{}", ()),
    (b'{"errors": null}', (ErrorDetail('{"errors":null}'),)),
    (b'{"errors": [null, "", {}]}', (ErrorDetail('{"errors":[null,"",{}]}'),)),
    (b'{"code": 7, "fault": "no"}', (ErrorDetail('{"code":7,"fault":"no"}'),)),
    (b'{"error_message": "locked"}', (ErrorDetail("locked"),)),
    (b'{"error_message": "locked", "errors": ["no"]}', (ErrorDetail("no"), ErrorDetail("locked"))),
    (b'{"errors": "no"}', (ErrorDetail("no"),)),
    (b'{"errors": ["no", "never"]}', (ErrorDetail("no"), ErrorDetail("never"))),
    (b'{"errors": {"message": "no", "field": "a"}}', (ErrorDetail("no", field="a"),)),
    (
        b'{"errors": {"name": ["is bad", "is long"], "message": ["is blank"], "user": {"email": "is taken"}}}',
        (
            ErrorDetail("is bad", field="name"),
            ErrorDetail("is long", field="name"),
            ErrorDetail("is blank", field="message"),
            ErrorDetail("is taken", field="user.email"),
        ),
    ),
    (b'{"errors": [7, [1]]}', (ErrorDetail("7"), ErrorDetail("1"))),
    (b'{"errors": [{"type": 1, "message": 2, "field": 3, "index": "4"}]}', (ErrorDetail("2", "1", "3"),)),
    (b'{"errors": [{"message": "no", "index": true}]}', (ErrorDetail("no"),)),
    (b'{"error": "invalid_token"}', (ErrorDetail("invalid_token"),)),
    (b'{"error": "e", "error_description": "expired"}', (ErrorDetail("expired"),)),
    (b'{"error": {"message": "no", "type": "oauth"}}', (ErrorDetail("no", "oauth"),)),
    (b'{"message": "no"}', (ErrorDetail("no"),)),
    (b'{"errors": ["a\\u0000\\nb"]}', (ErrorDetail("a\\x00\\nb"),)),
]


@pytest.mark.parametrize(("body", "errors"), ODD)
async def test_an_odd_refusal_is_still_the_refusal(body: bytes, errors: tuple[ErrorDetail, ...]) -> None:
    """Whatever its body, the status decides."""
    async with Server([reply(422, body)]) as server, opened(server) as transport:
        with pytest.raises(ValidationError) as caught:
            await transport.send(post())
    assert caught.value.errors == errors


@pytest.mark.parametrize(
    "step",
    [
        then_cut(b"HTTP/1.1 422 No\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"),
        reply(422, b"no gzip", content_encoding="gzip"),
        reply(422, b'{"errors": [' + b"[" * 1000 + b"]" * 1000 + b"]}"),
    ],
    ids=["cut", "not the gzip it says", "deep"],
)
async def test_a_refusal_whose_body_is_lost_is_still_the_refusal(step: Step) -> None:
    """It was not carried out: nothing ambiguous about it."""
    async with Server([step]) as server, opened(server) as transport:
        with pytest.raises(ValidationError):
            await transport.send(post())


@pytest.mark.parametrize(
    "step",
    [
        then_cut(b"HTTP/1.1 422 No\r\ncontent-length: 99\r\n\r\nthe hours are locked"),
        reply(422, gzip.compress(b"the hours are locked" + bytes(range(200)))[:120], content_encoding="gzip"),
        reply(422, b"the hours are locked" + b" " * (3 << 20), "text/plain"),
        reply(422, gzip.compress(b"the hours are locked" + b" " * (3 << 20)), "text/plain", content_encoding="gzip"),
    ],
    ids=["cut", "cut in its compression", "very long", "very long, compressed"],
)
async def test_a_refusal_that_cannot_be_read_to_its_end_says_what_came(step: Step) -> None:
    """Its beginning is more than no reason."""
    async with Server([step]) as server, opened(server) as transport:
        with pytest.raises(ValidationError, match="the hours are locked"):
            await transport.send(post())


async def test_the_words_of_a_refusal_are_cut() -> None:
    """A page of text is not a message, and a thousand errors are enough."""
    body = {"errors": [{"message": "x" * 600, "type": "y" * 200}] * 1100}
    async with Server([json_answer(body, 422)]) as server, opened(server) as transport:
        with pytest.raises(ValidationError) as caught:
            await transport.send(post())
    assert len(caught.value.errors) == 1000
    assert {len(detail.message) for detail in caught.value.errors} == {500}
    assert {len(detail.type or "") for detail in caught.value.errors} == {100}
