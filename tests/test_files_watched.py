"""What events, spans and the log say of files on their way."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from waiting import short_sleep
from wire import Server, cut, json_answer, reply, then_cut, then_hang

from kantata_async import KantataSession, NotFoundError, RateLimitError, RequestEvent, RetryPolicy
from kantata_async.sandbox import Fault, Sandbox
from kantata_async.telemetry import OpenTelemetry

QUICK = RetryPolicy(attempts=4, first_wait=0.001, max_wait=0.002)
USERS = {"users": {"columns": ["id", "full_name"]}}
ATTEMPT = ["attempt_started", "attempt_finished"]
HALF = b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\netag: "one"\r\nx-request-id: r1\r\n\r\nhalf.'
REST = reply(206, b"whole", None, etag='"one"', content_range="bytes 5-9/10")


def watched(server: Server | Sandbox, on_event: Any, **settings: Any) -> KantataSession:
    """A session whose events go to this function."""
    token = server.token if isinstance(server, Sandbox) else "tok-SECRET"
    settings = {"retry": QUICK, "sleep": short_sleep, "rate_limit": None} | settings
    return KantataSession(token=token, base_url=server.url, on_event=on_event, **settings)


def at(server: Server, query: str = "") -> str:
    """A link to a file at another place of the server's host."""
    return f"{server.url.removesuffix('/api/v1')}/files/plan.bin{query}"


def outline(events: list[RequestEvent]) -> list[tuple[Any, ...]]:
    """How each attempt went."""
    return [
        (event.number, event.attempt, event.method, event.path, event.status, event.error)
        for event in events
        if event.kind == "attempt_finished"
    ]


async def test_a_download_is_a_call_with_a_request_and_its_attempts(caplog: pytest.LogCaptureFixture) -> None:
    """The rest after a cut is another attempt; no query is told of, as it may be a signature."""
    caplog.set_level(logging.DEBUG, "kantata_async.transport")
    events: list[RequestEvent] = []
    async with (
        Server([then_cut(HALF), REST]) as server,
        watched(server, events.append) as kantata,
    ):
        saved = await kantata.download(at(server, "?x=SECRET"), got := io.BytesIO())
    assert got.getvalue() == b"half.whole"
    assert [event.kind for event in events] == [
        *("call_started", "started", *ATTEMPT, "retried", *ATTEMPT, "finished", "call_finished")
    ]
    assert {event.call for event in events} == {"download"}
    assert outline(events) == [(1, 1, "GET", "", 200, "ConnectionFailedError"), (1, 2, "GET", "", 206, None)]
    assert {(event.url, event.query) for event in events[1:-1]} == {(at(server), ())}
    assert (events[3].request_id, events[4].error) == ("r1", "ConnectionFailedError")
    assert "SECRET" not in f"{events}{caplog.text}"
    first, again, second = [record.getMessage() for record in caplog.records]
    assert re.fullmatch(r"GET /files/plan\.bin 200 \d+ ms request-id r1 attempt 1", first)
    assert re.fullmatch(r"GET /files/plan\.bin goes again in \S+ s, after ConnectionFailedError in attempt 1", again)
    assert re.fullmatch(r"GET /files/plan\.bin 206 \d+ ms request-id - attempt 2", second)
    assert [record.levelname for record in caplog.records] == ["DEBUG", "INFO", "DEBUG"]
    assert saved.response is not None
    assert (saved.response.status, saved.response.attempts) == (206, 2)


async def test_a_redirect_is_followed_by_an_attempt_elsewhere(tmp_path: Path) -> None:
    """Its path says nothing of the API then, and the number of requests that are under way is right."""
    events: list[RequestEvent] = []
    async with Server() as storage, Server() as api:
        storage.follow([json_answer({}, 503), reply(200, b"x", None)])
        api.follow([reply(302, location=at(storage, "?x=SECRET"))] * 2)
        async with watched(api, events.append) as kantata:
            await kantata.invoices.download(7, tmp_path)
    assert {event.call for event in events} == {"invoices.download"}
    assert outline(events) == [
        (1, 1, "GET", "/invoices/7.pdf", 302, None),
        (1, 2, "GET", "", 503, "ServerError"),
        (1, 3, "GET", "/invoices/7.pdf", 302, None),
        (1, 4, "GET", "", 200, None),
    ]
    assert [event.error for event in events if event.kind == "retried"] == [None, "ServerError", None]
    assert len({event.call_id for event in events}) == 1
    assert "SECRET" not in str(events)


async def test_an_endless_redirect_is_told_as_often_as_it_is_followed(tmp_path: Path) -> None:
    """What was started is finished, and only what goes again is told to."""
    events: list[RequestEvent] = []
    async with Server() as server, watched(server, events.append) as kantata:
        server.follow([reply(302, location=at(server))] * 9)
        await asyncio.gather(kantata.download(at(server), tmp_path), return_exceptions=True)
    kinds = [event.kind for event in events]
    assert kinds.count("attempt_started") == kinds.count("attempt_finished") == kinds.count("retried") + 1 == 5
    assert [(event.kind, event.error) for event in events[-2:]] == [
        ("finished", "InvalidResponseError"),
        ("call_finished", "InvalidResponseError"),
    ]


async def test_a_refused_token_is_told_as_another_attempt(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With the reason that the API gave, and a line in the log."""
    caplog.set_level(logging.INFO, "kantata_async.transport")
    events: list[RequestEvent] = []
    tokens = iter(["old", "new"])

    async def token() -> str:
        return next(tokens)

    refused = json_answer({"errors": [{"type": "oauth", "message": "it was revoked"}]}, 401)
    async with (
        Server([refused, reply(200, b"x", None)]) as api,
        KantataSession(token=token, base_url=api.url, on_event=events.append) as kantata,
    ):
        await kantata.download("/a", tmp_path)
    assert outline(events) == [(1, 1, "GET", "/a", 401, "AuthenticationError"), (1, 2, "GET", "/a", 200, None)]
    assert "it was revoked" in (events[3].message or "")
    assert [record.getMessage() for record in caplog.records] == [
        "GET /a goes again with a new token, after 401 in attempt 1"
    ]


class Full:
    """A writer that takes nothing."""

    def write(self, _: bytes) -> None:
        raise OSError("no space left")


@pytest.mark.parametrize(
    ("step", "writer", "ending"),
    [
        pytest.param(reply(404, b"{}"), io.BytesIO, "NotFoundError", id="refused"),
        pytest.param(reply(200, b"x", None), Full, "OSError", id="not written"),
        pytest.param(reply(204, content_type=None), io.BytesIO, "InvalidResponseError", id="no file"),
    ],
)
async def test_whatever_ends_a_download_ends_its_attempt(step: Any, writer: Callable[[], Any], ending: str) -> None:
    """With the same error for the attempt, the request and the call."""
    events: list[RequestEvent] = []
    async with Server([step]) as server, watched(server, events.append) as kantata:
        await asyncio.gather(kantata.download(at(server), writer()), return_exceptions=True)
    assert [(event.kind, event.error) for event in events[3:]] == [
        (kind, ending) for kind in ("attempt_finished", "finished", "call_finished")
    ]


async def test_a_cancelled_download_is_over(tmp_path: Path) -> None:
    """In the middle of its bytes."""
    events: list[RequestEvent] = []
    came = asyncio.Event()
    async with Server([then_hang(HALF)]) as server, watched(server, events.append) as kantata:
        task = asyncio.ensure_future(kantata.download(at(server), tmp_path, on_progress=lambda *_: came.set()))
        await came.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [(event.kind, event.error, event.status) for event in events[3:]] == [
        ("attempt_finished", "CancelledError", 200),
        ("finished", "CancelledError", 200),
        ("call_finished", "CancelledError", None),
    ]


async def test_an_error_that_the_program_raises_is_no_refusal_of_the_file() -> None:
    """Though it be one of the API's, as of an upload to there: the file is not asked for again."""

    class Uploading:
        def write(self, _: bytes) -> None:
            raise RateLimitError(429, [], method="POST", path="/elsewhere")

    async with Server([reply(200, b"x", None)] * 2) as server, watched(server, None) as kantata:
        with pytest.raises(RateLimitError, match="/elsewhere"):
            await kantata.download(at(server), Uploading())
    assert server.methods == ["GET"]


async def test_an_error_of_a_download_leads_to_its_answer(tmp_path: Path) -> None:
    """And says after how many attempts."""
    script = [cut, json_answer({}, 404, x_request_id="r9")]
    async with Server(script) as server, watched(server, None) as kantata:
        with pytest.raises(NotFoundError, match=r"\(after 2 attempts\)") as caught:
            await kantata.download("/a", tmp_path)
    assert caught.value.response is not None
    assert (caught.value.response.status, caught.value.response.request_id) == (404, "r9")
    assert caught.value.response.attempts == 2


async def test_an_export_is_one_call_from_its_creation_to_its_file(tmp_path: Path) -> None:
    """Created, looked at, its link asked for before each attempt, and the file itself."""
    events: list[RequestEvent] = []
    async with Sandbox(people=5, projects=2) as sandbox, watched(sandbox, events.append) as kantata:
        sandbox.faults.add(Fault("cut", when="after", path="/files*", size=10))
        await kantata.exports.run(tmp_path / "users.csv", export_definition=USERS)
    assert {(event.call, event.call_id) for event in events} == {("exports.run", events[0].call_id)}
    paths = [
        (event.method, event.route, event.status, event.attempt) for event in events if event.kind == "attempt_finished"
    ]
    looks = [one for one in paths if one[1] == "/exports/{id}"]
    assert len(looks) >= 1
    assert [one for one in paths if one not in looks] == [
        ("POST", "/exports", 200, 1),
        ("GET", "/exports/{id}/download_url", 200, 1),
        ("GET", "", 200, 1),
        ("GET", "/exports/{id}/download_url", 200, 1),
        ("GET", "", 206, 2),
    ]


async def test_a_direct_upload_tells_of_the_storage_too() -> None:
    """A lost answer of the storage's is the error of that request; the call goes on and is well."""
    events: list[RequestEvent] = []
    async with Sandbox(people=5, projects=2) as sandbox, watched(sandbox, events.append) as kantata:
        sandbox.faults.add(Fault("disconnect", when="after", method="POST", path="/uploads*"))
        await kantata.attachments.upload(("large.bin", b"x" * 10_500_000))
    assert [one[2:] for one in outline(events)] == [
        ("POST", "/attachments", 200, None),
        ("POST", "", None, "ConnectionFailedError"),
        *[one[2:] for one in outline(events)[2:]],
    ]
    assert (events[-1].kind, events[-1].error) == ("call_finished", None)


async def test_the_spans_and_metrics_of_a_download(tmp_path: Path) -> None:
    """Each attempt is a span inside that of the call; a file elsewhere has no template of a path."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    async with Server() as storage, Server() as api:
        storage.follow([then_cut(HALF), REST])
        api.follow([reply(302, location=at(storage, "?x=SECRET"))] * 2)
        async with watched(api, OpenTelemetry(tracer_provider=tracers, meter_provider=meters)) as kantata:
            await kantata.invoices.download(7, tmp_path)
    *attempts, call = exporter.get_finished_spans()
    assert [(span.name, (span.attributes or {}).get("error.type")) for span in attempts] == [
        ("GET /invoices/{id}", None),
        ("GET", "ConnectionFailedError"),
        ("GET /invoices/{id}", None),
        ("GET", None),
    ]
    assert call.name == "invoices.download"
    assert {span.parent.span_id for span in attempts if span.parent} == {call.context.span_id}
    assert [(span.attributes or {}).get("server.port") for span in attempts] == [api.port, storage.port] * 2
    data = reader.get_metrics_data()
    assert data is not None
    metrics = {one.name: one for part in data.resource_metrics for scope in part.scope_metrics for one in scope.metrics}
    (active,) = metrics["kantata.client.active_requests"].data.data_points
    assert active.value == 0
    assert "SECRET" not in data.to_json() + "".join(span.to_json() for span in (*attempts, call))
    tracers.shutdown()
    meters.shutdown()
