"""What goes out and what comes back when all is well, and the states of a transport."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import os
import re
import subprocess
import sys
import time
import warnings

import pytest
from waiting import until
from wire import OK, TOKEN, Server, get, hang, json_answer, no_wait, opened, post, reply, then_hang, transport_to

from kantata_async._version import __version__
from kantata_async.errors import (
    AmbiguousWriteError,
    AuthenticationError,
    ConnectionFailedError,
    RateLimitError,
    UsageError,
    may_be_carried_out,
)
from kantata_async.limits import RateLimit
from kantata_async.transport import BASE_URL, NO_BODY, FormPart, Request, RetryPolicy, Transport


async def test_a_read_carries_what_the_api_asks_for() -> None:
    """Method, path, query and headers, and nothing of the machine's."""
    async with Server([OK]) as server, opened(server) as transport:
        answer = await transport.send(
            get(
                "/participations",
                query=[("include", "user,workspace_role"), ("order", "updated_at:desc"), ("q", "a b&c=é")],
            )
        )
    assert (answer.response.status, answer.response.request_id, answer.data) == (200, "req-1", {"ok": True})
    (request,) = server.received
    assert request.method == "GET"
    assert request.target == (
        "/api/v1/participations?include=user,workspace_role&order=updated_at:desc&q=a%20b%26c%3D%C3%A9"
    )
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"] == f"kantata-async/{__version__}"
    assert set(request.headers) == {"host", "authorization", "accept", "user-agent", "accept-encoding"}


@pytest.mark.parametrize(("data", "body"), [({"a": [1, None]}, b'{"a":[1,null]}'), (None, b"null"), ([], b"[]")])
async def test_a_body_is_json(data: object, body: bytes) -> None:
    """None is JSON's null, not the absence of a body."""
    async with Server([OK]) as server, opened(server) as transport:
        await transport.send(post(json=data))
    assert server.received[0].body == body
    assert server.received[0].headers["content-type"] == "application/json"


async def test_a_large_body_goes_whole_and_again() -> None:
    """Above a megabyte too, and on the second attempt too."""
    async with Server([json_answer({}, 429), OK]) as server, opened(server) as transport:
        await transport.send(post(json="x" * 3_000_000))
    assert [len(request.body) for request in server.received] == [3_000_002] * 2


async def test_a_form_goes_as_multipart_and_again() -> None:
    """Names as Rails reads them, files with their names; the second attempt has the same parts."""
    parts = [
        FormPart("attachment[type]", "receipt é"),
        FormPart("attachment[data]", b"\x00\xff" * 1_000_000, 'a "b" é.pdf', "application/pdf"),
    ]
    async with Server([json_answer({}, 429), OK]) as server, opened(server) as transport:
        await transport.send(Request("POST", "/attachments", form=parts))
    for request in server.received:
        assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert b'name="attachment[type]"' in request.body
        assert "receipt é".encode() in request.body
        assert 'name="attachment[data]"; filename="a \\"b\\" é.pdf"'.encode() in request.body
        assert b"application/pdf" in request.body
        assert b"\x00\xff" * 1_000_000 in request.body


@pytest.mark.parametrize(
    "request_",
    [
        Request("FETCH", "/users"),
        Request("get", "/users"),
        Request("POST", "/users", json={}, form=[FormPart("a", "b")]),
        Request("POST", "/users", json={"when": object()}),
        Request("POST", "/users", json="\ud800"),
        Request("POST", "/users", form=[FormPart('a"\r\nX: y', "b")]),
        Request("POST", "/users", form=[FormPart("a", b"b", "x\r\ny")]),
        Request("POST", "/users", form=[FormPart("a", b"b", "x", "text/plain\nX: y")]),
        Request("GET", "/users", query=[("a", "\ud800")]),
    ],
    ids=[
        "an unknown method",
        "a method in small letters",
        "a JSON body and a form",
        "a value that is no JSON",
        "a text in a body that is no Unicode",
        "a name that forges a header",
        "a file name that forges a header",
        "a content type that forges a header",
        "a text in a query that is no Unicode",
    ],
)
async def test_what_cannot_be_sent_is_refused_before_anything_is(request_: Request) -> None:
    """Nothing reaches the server."""
    async with Server([OK]) as server, opened(server) as transport:
        with pytest.raises(UsageError):
            await transport.send(request_)
    assert server.received == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "users",
        "//evil.example/users",
        "/users//1",
        "/users/../admin",
        "/users/..",
        "/./users",
        "/users/%2e%2e/admin",
        "/users?x=1",
        "/users#x",
        "/users\\..\\admin",
        "/users/1 2",
        "/users/\r\nX: y",
        "/users\n",
        "/users\x00",
        "https://evil.example/users",
        "@evil.example/users",
        "/usérs",
    ],
)
async def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    """The token goes below the base URL and nowhere else."""
    async with Server([OK]) as server, opened(server) as transport:
        with pytest.raises(UsageError, match="path"):
            await transport.send(get(path))
    assert server.received == []


@pytest.mark.parametrize("path", ["/users/me", "/users/1.json", "/a-b_c/1:2", "/..x/y"])
async def test_a_path_of_plain_steps_is_taken(path: str) -> None:
    """Dots within a step are no way up."""
    async with Server([OK]) as server, opened(server) as transport:
        await transport.send(get(path))
    assert server.received[0].target == f"/api/v1{path}"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.mavenlink.com/api/v1",
        "http://128.0.0.1/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "ftp://127.0.0.1/",
        "https://user:hunter2@api.example/",
        "https://api.example/?a=b",
        "https://api.example/?",
        "https://api.example/#x",
        "https://api.example/a b",
        "https://api.example:99999/",
        "https:///api",
        "https://a..b/",
        f"https://{'a' * 70}.example/",
        "https://",
        "api.example",
        "//api.example/",
        "",
        None,
        b"https://api.example",
    ],
)
def test_a_base_url_that_would_give_the_token_away_is_refused(url: str) -> None:
    """https alone, or this machine; and no password is quoted."""
    with pytest.raises(UsageError, match="base_url") as caught:
        transport_to(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example",
        "https://api.example:8443/api/v1/",
        "http://127.9.9.9:1",
        "http://[::1]:8000/x",
        "http://localhost",
    ],
)
def test_a_base_url_that_is_safe_is_taken(url: str) -> None:
    """With and without a trailing slash."""
    transport_to(url)


async def test_a_trailing_slash_of_the_base_url_is_not_doubled() -> None:
    """Both spellings reach the same path."""
    async with Server([OK]) as server, opened(server.url + "/") as transport:
        await transport.send(get("/users"))
    assert server.received[0].target == "/api/v1/users"


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": "5"},
        {"concurrency": 0},
        {"concurrency": 1.5},
        {"max_answer_bytes": 0},
        {"rate_limit": 5},
        {"retry": 3},
        {"retry": None},
        {"token": 5},
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options: dict[str, object]) -> None:
    """When the transport is made, not at the first request."""
    with pytest.raises(UsageError, match=next(iter(options))):
        transport_to(BASE_URL, **options)


@pytest.mark.parametrize(
    "answer",
    [
        reply(204, content_type=None),
        reply(200),
        reply(200, b"", "text/html"),
        reply(200, b" ", "text/html; charset=utf-8"),
        reply(200, b"\r\n\t", "text/plain"),
        reply(201, b"  ", "application/json"),
        reply(202, b"\n", None),
    ],
)
async def test_a_blank_success_has_no_data(answer: bytes) -> None:
    """Nothing, or nothing but white space, whatever its type: what was asked for was done."""
    async with Server([answer] * 3) as server, opened(server) as transport:
        for request in (get(), post(), Request("DELETE", "/users/1")):
            assert (await transport.send(request)).data is None
    assert server.methods == ["GET", "POST", "DELETE"]


async def test_a_head_request_has_no_data() -> None:
    """Whatever length its answer announces."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n"
    async with Server([head, OK]) as server, opened(server) as transport:
        assert (await transport.send(Request("HEAD", "/users"))).data is None
        assert (await transport.send(get())).data == {"ok": True}


async def test_a_csv_answer_is_text() -> None:
    """Asked for as such, and not decoded further."""
    async with Server([reply(200, "id,name\n1,é\n".encode(), "text/csv")]) as server, opened(server) as transport:
        answer = await transport.send(get("/users.csv", csv=True))
    assert answer.data == "id,name\n1,é\n"
    assert server.received[0].headers["accept"] == "text/csv, application/json"


async def test_a_connection_is_kept_and_cookies_are_not() -> None:
    """One connection for requests one after the other; what the server sets does not come back."""
    # By name: no cookie jar keeps what an address sets.
    async with (
        Server([json_answer({}, set_cookie="a=b; Path=/"), OK]) as server,
        opened(f"http://localhost:{server.port}") as transport,
    ):
        await transport.send(get())
        await transport.send(get())
    assert [request.connection for request in server.received] == [0, 0]
    assert "cookie" not in server.received[1].headers


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token goes to the API, not to whoever set a variable."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with Server([OK]) as server, opened(server) as transport:
        assert (await transport.send(get())).response.status == 200


async def test_no_more_attempts_at_a_time_than_the_concurrency() -> None:
    """Connections are as many as may be under way."""
    async with Server([OK] * 30) as server, opened(server, concurrency=3) as transport:
        assert transport.concurrency == 3
        await asyncio.gather(*(transport.send(get()) for _ in range(30)))
    assert len(server.connections) <= 3


async def test_a_slot_is_not_held_between_attempts() -> None:
    """With a single slot another request passes while one waits to be sent again."""
    waiting, go = asyncio.Event(), asyncio.Event()

    async def sleep(_seconds: float) -> None:
        waiting.set()
        await go.wait()

    async with (
        Server([json_answer({}, 429), json_answer(["other"]), json_answer(["again"])]) as server,
        opened(server, concurrency=1, sleep=sleep) as transport,
    ):
        refused = asyncio.create_task(transport.send(get()))
        await waiting.wait()
        assert (await transport.send(get())).data == ["other"]
        go.set()
        assert (await refused).data == ["again"]


async def test_every_attempt_takes_its_turn_in_the_rate_limit() -> None:
    """Those sent again count as much as the first ones."""
    async with (
        Server([json_answer({}, 429), json_answer({}, 503), OK]) as server,
        opened(server, rate_limit=RateLimit(20)) as transport,
    ):
        began = time.monotonic()
        await transport.send(get())
        assert time.monotonic() - began > 0.09


async def test_one_line_is_logged_for_each_attempt(caplog: pytest.LogCaptureFixture) -> None:
    """Method, path, status, time, request id and attempt; no query, header or body."""
    caplog.set_level(logging.DEBUG, "kantata_async.transport")
    async with Server([json_answer({}, 429, x_request_id="r1"), OK]) as server, opened(server) as transport:
        await transport.send(post("/users", query=[("search", "private")], json={"name": "private"}))
    logged = [record for record in caplog.records if record.name == "kantata_async.transport"]
    lines = [record.getMessage() for record in logged if record.levelno == logging.DEBUG]
    assert [line.split(" ")[:3] for line in lines] == [["POST", "/users", "429"], ["POST", "/users", "200"]]
    assert [line.rpartition(" ms ")[2] for line in lines] == ["request-id r1 attempt 1", "request-id req-1 attempt 2"]
    assert "private" not in "".join(lines)
    (retried,) = [record.getMessage() for record in logged if record.levelno == logging.INFO]
    assert re.fullmatch(r"POST /users goes again in \S+ s, after 429 in attempt 1", retried)


async def test_a_token_from_a_function_is_renewed_once_for_all_that_were_refused() -> None:
    """Twenty requests meet a 401, one call fetches the next token, all are sent again with it."""
    calls = 0

    async def fetch() -> str:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.01)
        return f"token-{calls}"

    def by_token(request_count: int) -> list[bytes]:
        return [json_answer({}, 401)] * request_count + [OK] * request_count

    async with Server(by_token(20)) as server, opened(server, token=fetch, concurrency=20) as transport:
        answers = await asyncio.gather(*(transport.send(post()) for _ in range(20)))
    assert {answer.response.status for answer in answers} == {200}
    assert calls == 2
    assert [request.headers["authorization"] for request in server.received] == (
        ["Bearer token-1"] * 20 + ["Bearer token-2"] * 20
    )


async def test_a_token_refused_twice_is_an_error() -> None:
    """One renewal for a call, also where nothing is retried."""

    async def fetch() -> str:
        return "always-refused"

    async with (
        Server([json_answer({}, 401)] * 3) as server,
        opened(server, token=fetch, retry=RetryPolicy.never()) as transport,
    ):
        with pytest.raises(AuthenticationError):
            await transport.send(get())
    assert len(server.received) == 2


async def test_a_renewal_takes_no_attempt_away() -> None:
    """The two attempts allowed are still there after it."""

    async def fetch() -> str:
        return "token"

    script = [json_answer({}, 401), json_answer({}, 429), OK]
    async with Server(script) as server, opened(server, token=fetch, retry=RetryPolicy(attempts=2)) as transport:
        assert (await transport.send(get())).response.status == 200


async def test_a_fixed_token_that_is_refused_is_an_error_at_once() -> None:
    """There is no other."""
    async with Server([json_answer({}, 401)]) as server, opened(server) as transport:
        with pytest.raises(AuthenticationError):
            await transport.send(get())
    assert len(server.received) == 1


@pytest.mark.parametrize("error", [LookupError("vault"), TimeoutError("vault"), ConnectionError("vault")])
async def test_the_token_functions_exception_is_not_taken_for_the_apis(error: Exception) -> None:
    """Its timeout is not ours; nothing is sent."""

    async def fetch() -> str:
        raise error

    async with Server() as server, opened(server, token=fetch) as transport:
        with pytest.raises(type(error), match="vault"):
            await transport.send(get())
    assert server.received == []


async def test_a_transport_not_opened_says_how_to() -> None:
    """Sending and spawning; closing it is nothing."""
    transport = transport_to(BASE_URL)
    with pytest.raises(UsageError, match="async with"):
        await transport.send(get())
    with pytest.raises(UsageError, match="async with"):
        transport.spawn(no_wait(0))
    await transport.close()


async def test_a_transport_is_opened_once_and_closed_as_often_as_one_likes() -> None:
    """Each misuse has its own words."""
    transport = transport_to(BASE_URL)
    await transport.open()
    with pytest.raises(UsageError, match="open already"):
        await transport.open()
    await asyncio.gather(transport.close(), transport.close())
    await transport.close()
    with pytest.raises(UsageError, match="cannot be opened again"):
        await transport.open()
    with pytest.raises(UsageError, match="closed"):
        await transport.send(get())


def test_a_transport_belongs_to_the_loop_that_opened_it() -> None:
    """In another one, after its own was closed, neither sending nor closing is possible."""

    async def left_open() -> Transport:
        transport = transport_to(BASE_URL)
        await transport.open()
        return transport

    transport = asyncio.run(left_open())
    with pytest.raises(UsageError, match="event loop that opened it, which is closed"):
        asyncio.run(transport.send(get()))
    with pytest.raises(UsageError, match="event loop that opened it, which is closed"):
        asyncio.run(transport.close())
    transport = None  # type: ignore[assignment]
    with pytest.warns(ResourceWarning, match="Unclosed client session"):
        gc.collect()


async def test_without_a_token_it_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """And can be opened once there is one."""
    monkeypatch.delenv("KANTATA_TOKEN", raising=False)
    async with Server([OK]) as server:
        transport = transport_to(server.url, token=None)
        with pytest.raises(UsageError, match="KANTATA_TOKEN"):
            await transport.open()
        monkeypatch.setenv("KANTATA_TOKEN", "from-environment")
        await transport.open()
        await transport.send(get())
        await transport.close()
    assert server.received[0].headers["authorization"] == "Bearer from-environment"


async def test_spawned_tasks_end_with_the_session() -> None:
    """One that is done is left alone, one that is not is ended with an error, and awaited."""
    ended = asyncio.Event()

    async def lasting() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.set()

    async with Server() as server, opened(server) as transport:
        assert await transport.spawn(asyncio.sleep(0, "done")) == "done"
        task = transport.spawn(lasting())
        await asyncio.sleep(0)
    assert ended.is_set()
    with pytest.raises(ConnectionFailedError, match="session was closed"):
        await task


async def test_closing_ends_what_is_under_way_with_an_error() -> None:
    """On the wire, in the body, in line for a slot, and between two attempts; nothing hangs, no connection is left."""
    half = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
    async with Server([hang, hang, then_hang(half), json_answer({}, 429)]) as server:
        transport = transport_to(server.url, concurrency=3)
        await transport.open()
        sent = []
        for request in (get(), post(), get()):
            sent.append(asyncio.create_task(transport.send(request)))
            await until(lambda: len(server.received) == len(sent))
        sent += [asyncio.create_task(transport.send(request)) for request in (get(), post())]
        await asyncio.sleep(0)
        await transport.close()
        results = await asyncio.wait_for(asyncio.gather(*sent, return_exceptions=True), 2)
        await server.all_closed()
    assert [type(result) for result in results] == [
        ConnectionFailedError,
        AmbiguousWriteError,
        ConnectionFailedError,
        ConnectionFailedError,
        ConnectionFailedError,
    ]
    assert all("session was closed" in str(result) for result in results)
    assert len(asyncio.all_tasks()) == 1


async def test_what_closing_ends_says_whether_it_left() -> None:
    """One request is on its way, one stands in line."""
    async with Server([hang]) as server:
        transport = transport_to(server.url, concurrency=1)
        await transport.open()
        tasks = [asyncio.create_task(transport.send(request)) for request in (get("/users"), post("/roles"))]
        await until(lambda: len(server.received) == 1)
        await transport.close()
        for task, said in zip(tasks, ("before it was answered", "before it was sent"), strict=True):
            with pytest.raises(ConnectionFailedError, match=f"session was closed {said}"):
                await task


async def test_closing_cancels_no_task_that_waits_for_one_of_its_own() -> None:
    """What the session runs for a program ends in the error of its request; who waits for it was not cancelled."""
    async with Server([hang, hang]) as server:
        transport = transport_to(server.url)
        await transport.open()
        never = asyncio.Event()
        spawned = [transport.spawn(transport.send(request)) for request in (get(), post())]
        spawned.append(transport.spawn(never.wait()))  # type: ignore[arg-type]
        waiting = [asyncio.create_task(_result_of(task)) for task in spawned]
        await until(lambda: len(server.received) == 2)
        await transport.close()
        errors = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
    assert [type(error) for error in errors] == [ConnectionFailedError, AmbiguousWriteError, ConnectionFailedError]


async def test_a_spawned_task_that_is_cancelled_before_it_began_leaves_nothing() -> None:
    """Its coroutine is closed, of which Python would complain."""
    async with Server() as server, opened(server) as transport:
        coroutine = no_wait(0)
        task = transport.spawn(coroutine)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED


async def test_an_error_of_the_token_function_says_once_that_nothing_was_carried_out() -> None:
    """It is the same for all requests that waited for the token."""

    async def fetch() -> str:
        await asyncio.sleep(0)
        raise LookupError("vault")

    async with Server() as server, opened(server, token=fetch) as transport:
        errors = await asyncio.gather(*(transport.send(post()) for _ in range(5)), return_exceptions=True)
    for error in errors:
        assert isinstance(error, LookupError)
        assert error.__notes__ == ["kantata_async: POST /users was not carried out"]
        assert may_be_carried_out(error) is False


async def test_a_task_that_its_owner_cancels_while_the_session_closes_is_cancelled() -> None:
    """Whoever cancelled it sees it cancelled."""
    async with Server() as server:
        transport = transport_to(server.url)
        await transport.open()
        task = transport.spawn(asyncio.sleep(60))
        await asyncio.sleep(0)
        closing = asyncio.create_task(transport.close())
        await asyncio.sleep(0)
        task.cancel()
        await closing
        with pytest.raises(asyncio.CancelledError):
            await task


async def _result_of(task: asyncio.Task[object]) -> object:
    return await task


async def test_closing_ends_a_wait_between_attempts() -> None:
    """With the error that made it wait."""
    waits = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.set()
        await asyncio.sleep(seconds)

    async with Server([json_answer({}, 429, retry_after="100")]) as server:
        transport = transport_to(server.url, sleep=sleep)
        await transport.open()
        task = asyncio.create_task(transport.send(get()))
        await asyncio.wait_for(waits.wait(), 5)
        await transport.close()
        with pytest.raises(RateLimitError):
            await asyncio.wait_for(task, 2)


async def test_closing_ends_a_token_function_that_hangs() -> None:
    """No task is left."""

    async def fetch() -> str:
        await asyncio.sleep(60)
        return "never"

    async with Server() as server:
        transport = transport_to(server.url, token=fetch)
        await transport.open()
        task = asyncio.create_task(transport.send(get()))
        await asyncio.sleep(0.02)
        await transport.close()
        with pytest.raises(ConnectionFailedError, match="closed"):
            await asyncio.wait_for(task, 2)
    assert len(asyncio.all_tasks()) == 1


PROGRAM = """
import asyncio, sys
from wire import Server, OK, json_answer, hang, get, opened
from kantata_async.errors import KantataError

async def main():
    async with Server([OK, json_answer({}, 429), OK, hang]) as server:
        async with opened(server) as transport:
            await transport.send(get())
            await transport.send(get())
            task = asyncio.create_task(transport.send(get()))
            await asyncio.sleep(0.05)
        try:
            await task
        except KantataError as error:
            print("ended:", error)

asyncio.run(main())
"""


def test_nothing_is_left_open_in_dev_mode(request: pytest.FixtureRequest) -> None:
    """Python's dev mode with every warning an error has nothing to say."""
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(request.path.parent)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.stderr == ""
    assert ran.stdout.startswith("ended: GET /users/me")


def test_a_transport_that_is_dropped_does_not_blow_up() -> None:
    """It warns, as any open file does; no finalizer fails."""
    failures: list[object] = []
    hook, sys.unraisablehook = sys.unraisablehook, failures.append

    async def drop() -> None:
        async with Server([OK]) as server:
            transport = transport_to(server.url)
            await transport.open()
            await transport.send(get())

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            asyncio.run(drop())
            gc.collect()
    finally:
        sys.unraisablehook = hook
    assert failures == []


def test_no_body_is_not_none() -> None:
    """The default of a request has no body at all."""
    assert Request("GET", "/users").json is NO_BODY
