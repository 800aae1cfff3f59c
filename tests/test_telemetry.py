"""Spans and metrics, by OpenTelemetry's own exporter in memory."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from waiting import until
from wire import OK, Server, cut, hang, json_answer

from kantata_async import AmbiguousWriteError, KantataSession, NotFoundError, RetryPolicy
from kantata_async.sandbox import Fault, Sandbox
from kantata_async.telemetry import OpenTelemetry

TOKEN = "a-most-secret-token"


class Collected:
    """What was exported."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])
        self.hook = OpenTelemetry(tracer_provider=self.tracers, meter_provider=self.meters)

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        """The spans, of one name or all, in the order in which they began."""
        spans = sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)
        return [span for span in spans if name in (None, span.name)]

    def points(self, metric: str) -> list[Any]:
        """The data points of a metric."""
        data = self.reader.get_metrics_data()
        metrics = [one for part in data.resource_metrics for scope in part.scope_metrics for one in scope.metrics]
        return [point for one in metrics if one.name == metric for point in one.data.data_points]

    def everything(self) -> str:
        """All that was exported, as text."""
        data = self.reader.get_metrics_data()
        return "".join(span.to_json() for span in self.spans()) + (data.to_json() if data else "")


@pytest.fixture
def collected() -> Iterator[Collected]:
    collected = Collected()
    yield collected
    collected.tracers.shutdown()
    collected.meters.shutdown()


def session(url: str, collected: Collected, **settings: Any) -> KantataSession:
    return KantataSession(token=TOKEN, base_url=url, on_event=collected.hook, **settings)


def is_inside(span: ReadableSpan, outer: ReadableSpan) -> bool:
    return span.parent is not None and span.parent.span_id == outer.context.span_id


async def test_a_call_is_a_span_and_each_attempt_is_one_inside(collected: Collected) -> None:
    """By the semantic conventions for HTTP clients; retries say which they are."""
    script = [cut, json_answer({}, 500, x_request_id="r1"), OK]
    async with (
        Server(script) as server,
        session(server.url, collected, retry=RetryPolicy(first_wait=0.001)) as kantata,
    ):
        await kantata.request("GET", "/users/7", params={"only": "1,2", "access_token": TOKEN, "search": TOKEN})
    call, *attempts = collected.spans()
    assert (call.name, call.kind, call.status.status_code) == ("request", SpanKind.INTERNAL, StatusCode.UNSET)
    assert call.attributes is not None
    assert (call.attributes["kantata.call"], call.attributes["http.request.resend_count"]) == ("request", 2)
    assert {(span.name, span.kind, is_inside(span, call)) for span in attempts} == {
        ("GET /users/{id}", SpanKind.CLIENT, True)
    }
    common = {
        "http.request.method": "GET",
        "url.template": "/users/{id}",
        "url.full": f"{server.url}/users/7?only=1,2&access_token=***&search=***",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "kantata.call": "request",
        "kantata.call.id": call.attributes["kantata.call.id"],
    }
    each = [
        {"error.type": "ConnectionFailedError"},
        {"error.type": "500", "http.response.status_code": 500, "kantata.request.id": "r1"},
        {"http.response.status_code": 200, "kantata.request.id": "req-1"},
    ]
    for number, (span, own) in enumerate(zip(attempts, each, strict=True)):
        attributes = dict(span.attributes or {})
        assert attributes.pop("kantata.request.queued") >= 0
        resent = {"http.request.resend_count": number} if number else {}
        assert attributes == common | own | resent
        assert span.status.status_code is (StatusCode.UNSET if number == 2 else StatusCode.ERROR)
    assert TOKEN not in collected.everything()


async def test_the_spans_of_a_bulk_create_with_a_lost_answer(collected: Collected, kantata_sandbox: Sandbox) -> None:
    """One of the call; the write whose answer was lost failed, and a look found what it had done."""
    kantata_sandbox.faults.add(Fault("disconnect", when="after", method="POST"))
    rows = [{"workspace_id": 1, "user_id": id, "role": "maven"} for id in range(10, 40)]
    async with KantataSession(
        token=kantata_sandbox.token, base_url=kantata_sandbox.url, on_event=collected.hook
    ) as kantata:
        result = await kantata.participations.create_many(rows)
    assert len(result.entities) == 30
    call, lost, *others = collected.spans()
    assert (call.name, call.status.status_code) == ("participations.create_many", StatusCode.UNSET)
    assert lost.attributes is not None
    assert (lost.name, lost.attributes["error.type"]) == ("POST /participations", "ConnectionFailedError")
    assert lost.status.status_code is StatusCode.ERROR
    assert {span.name for span in others} == {"GET /participations"}
    assert all(is_inside(span, call) for span in (lost, *others))
    assert kantata_sandbox.token not in collected.everything()
    assert (call.start_time or 0) <= (lost.start_time or 0)
    assert max(span.end_time or 0 for span in others) <= (call.end_time or 0)


async def test_a_call_that_fails_is_a_span_with_its_error(collected: Collected) -> None:
    """The last answer's, and what was not known of a write."""
    async with Server([json_answer({}, 404), cut]) as server, session(server.url, collected) as kantata:
        with pytest.raises(NotFoundError):
            await kantata.users.get(7)
        with pytest.raises(AmbiguousWriteError):
            await kantata.users.update(7, headline="x")
    calls = [span for span in collected.spans() if span.kind is SpanKind.INTERNAL]
    assert [(span.name, (span.attributes or {})["error.type"]) for span in calls] == [
        ("users.get", "NotFoundError"),
        ("users.update", "AmbiguousWriteError"),
    ]
    assert {span.status.status_code for span in calls} == {StatusCode.ERROR}
    assert "404 on GET /users/7" in (calls[0].status.description or "")


async def test_the_span_of_a_call_is_inside_the_one_around_it(collected: Collected) -> None:
    """The program's own, in each task its own; what is logged while an attempt is under way is in its span."""
    tracer = collected.tracers.get_tracer("program")
    seen: list[int] = []

    class Note(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == "asyncio-of-the-test":
                seen.append(trace.get_current_span().get_span_context().span_id)

    def tell(event: Any) -> None:
        if event.kind == "attempt_started":
            logging.getLogger("asyncio-of-the-test").warning("under way")

    async def handler(name: str) -> None:
        with tracer.start_as_current_span(name):
            await kantata.request("GET", f"/{name}")
            seen.append(trace.get_current_span().get_span_context().span_id)

    note = Note()
    logging.getLogger().addHandler(note)
    try:
        async with (
            Server([OK, OK]) as server,
            KantataSession(token=TOKEN, base_url=server.url, on_event=[collected.hook, tell]) as kantata,
        ):
            await asyncio.gather(handler("one"), handler("other"))
    finally:
        logging.getLogger().removeHandler(note)
    for name in ("one", "other"):
        (outer,) = collected.spans(name)
        (attempt,) = collected.spans(f"GET /{name}")
        (call,) = [span for span in collected.spans("request") if is_inside(span, outer)]
        assert is_inside(attempt, call)
        assert {outer.context.span_id, attempt.context.span_id} <= set(seen)


async def test_a_call_inside_a_call_is_a_span_inside_its_span(collected: Collected, kantata_sandbox: Sandbox) -> None:
    """As the `find` of a bulk write."""
    async with KantataSession(
        token=kantata_sandbox.token, base_url=kantata_sandbox.url, on_event=collected.hook
    ) as kantata:

        async def find(_rows: object) -> list[Any]:
            return await kantata.participations.list(workspace_id=1)

        row = {"workspace_id": 1, "user_id": 9, "role": "maven"}
        await kantata.participations.create_many([row], find=find, key=lambda one: one["user_id"], if_exists="skip")
    (outer,) = collected.spans("participations.create_many")
    (inner,) = collected.spans("participations.list")
    assert is_inside(inner, outer)


async def test_a_cancelled_call_leaves_no_span_open(collected: Collected) -> None:
    """Neither of the call nor of the attempt, nor of a list that is left half-read."""
    async with Server([hang]) as server, session(server.url, collected) as kantata:
        task = asyncio.create_task(kantata.request("GET", "/users"))
        await until(lambda: len(server.received) == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    spans = collected.spans()
    assert [(span.name, (span.attributes or {})["error.type"]) for span in spans] == [
        ("request", "CancelledError"),
        ("GET /users", "CancelledError"),
    ]
    assert trace.get_current_span() is trace.INVALID_SPAN


async def test_a_list_left_half_read_is_over(collected: Collected, kantata_sandbox: Sandbox) -> None:
    """It is no error to leave it."""
    async with KantataSession(
        token=kantata_sandbox.token, base_url=kantata_sandbox.url, on_event=collected.hook
    ) as kantata:
        pages = kantata.users.list(per_page=5).pages()
        async for _ in pages:
            assert trace.get_current_span() is trace.INVALID_SPAN
            break
        await pages.aclose()
    (call,) = collected.spans("users.list")
    assert call.status.status_code is StatusCode.UNSET


async def test_the_metrics(collected: Collected) -> None:
    """Requests, how long they took and waited, answers 429 and what was sent again; no id is in a label."""
    script = [json_answer({}, 429), OK, json_answer({}, 404)]
    async with (
        Server(script) as server,
        session(server.url, collected, retry=RetryPolicy(first_wait=0.001), rate_limit=None) as kantata,
    ):
        await kantata.request("GET", "/users/7")
        with pytest.raises(NotFoundError):
            await kantata.request("GET", "/users/8")
    labels = {
        "http.request.method": "GET",
        "url.template": "/users/{id}",
        "server.address": "127.0.0.1",
        "server.port": server.port,
    }
    durations = collected.points("http.client.request.duration")
    ended = {429: {"error.type": "429"}, 200: {}, 404: {"error.type": "404"}}
    assert [point.attributes for point in durations] == [
        labels | own | {"http.response.status_code": status} for status, own in ended.items()
    ]
    assert [point.count for point in durations] == [1, 1, 1]
    assert durations[0].explicit_bounds[0] == 0.005
    (queued,) = collected.points("kantata.client.request.queued")
    assert (queued.count, queued.attributes) == (3, labels)
    for name, total in (("throttled", 1), ("resends", 1), ("active_requests", 0)):
        (point,) = collected.points(f"kantata.client.{name}")
        assert point.value == total
    assert [point.value for point in collected.points("kantata.client.requests")] == [1, 1]
    calls = collected.points("kantata.client.call.duration")
    assert [point.attributes for point in calls] == [
        {"kantata.call": "request"},
        {"kantata.call": "request", "error.type": "NotFoundError"},
    ]


async def test_nothing_is_counted_or_traced_twice_beside_an_instrumentation_of_aiohttp(collected: Collected) -> None:
    """Nor is the trace told to the server."""
    instrumentor = AioHttpClientInstrumentor()
    instrumentor.instrument(tracer_provider=collected.tracers, meter_provider=collected.meters)
    try:
        async with Server([OK, OK]) as server:
            async with session(server.url, collected) as kantata:
                await kantata.request("GET", "/users")
            assert [span.name for span in collected.spans()] == ["request", "GET /users"]
            async with KantataSession(token=TOKEN, base_url=server.url) as kantata:
                await kantata.request("GET", "/users")
            assert len(collected.spans()) == 3
    finally:
        instrumentor.uninstrument()
    assert ["traceparent" in request.headers for request in server.received] == [False, True]


def test_without_opentelemetry_it_says_what_to_install() -> None:
    """And a session needs none of it."""
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import kantata_async.session\n"
        "try:\n    import kantata_async.telemetry\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "UsageError telemetry needs opentelemetry: pip install 'kantata-async[otel]'"


def test_a_session_does_not_import_it() -> None:
    """Nor what it is made of."""
    program = "import sys, kantata_async.session; print([name for name in sys.modules if 'telemetry' in name])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
