"""What a session tells of its requests."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest
from waiting import until
from wire import OK, Server, cut, hang, json_answer

from kantata_async import KantataSession, RequestEvent, RetryPolicy
from kantata_async.errors import NotFoundError, UsageError
from kantata_async.transport.hooks import Hook

EXAMPLE = Path(__file__).parent.parent / "examples" / "opentelemetry_metrics.py"


async def events_of(script: list[Any], path: str = "/users/7", **options: Any) -> list[RequestEvent]:
    """What is told of one request to this server."""
    told_of: list[RequestEvent] = []
    async with (
        Server(script) as server,
        KantataSession(token="t", base_url=server.url, on_event=told_of.append, **options) as kantata,
    ):
        await asyncio.gather(kantata.request("GET", path), return_exceptions=True)
    return told_of


async def test_a_request_that_goes_well_is_started_and_finished() -> None:
    """With what a metric needs."""
    started, finished = await events_of([OK])
    assert started == RequestEvent("started", "GET", "/users/7")
    assert (finished.kind, finished.attempt, finished.status, finished.error) == ("finished", 1, 200, None)
    assert finished.request_id == "req-1"
    assert 0 <= finished.waited <= finished.seconds < 5


async def test_a_429_is_told_and_so_is_the_next_attempt() -> None:
    """In the order in which it happens, with the wait that was asked for."""
    events = await events_of([json_answer({}, 429, retry_after="1"), OK])
    assert [event.kind for event in events] == ["started", "throttled", "retried", "finished"]
    assert (events[1].status, events[1].retry_after, events[1].attempt) == (429, 1.0, 1)
    assert (events[3].attempt, events[3].status) == (2, 200)
    assert events[3].waited > 0.9


async def test_a_lost_connection_is_retried_and_told() -> None:
    """No status where none came."""
    events = await events_of([OK, cut, OK][1:], retry=RetryPolicy(first_wait=0.01))
    assert [event.kind for event in events] == ["started", "retried", "finished"]
    assert events[1].status is None


async def test_an_error_is_told_by_its_name() -> None:
    """Of the API's and of the program's alike; what was never sent has no attempt."""
    events = await events_of([json_answer({}, 404)])
    assert (events[-1].kind, events[-1].error, events[-1].status) == ("finished", "NotFoundError", 404)
    assert (await events_of([], path="/no/../where")) == []


async def test_a_cancelled_request_is_finished_too() -> None:
    """Whatever was counted as started is counted as over."""
    told_of: list[RequestEvent] = []
    async with (
        Server([hang]) as server,
        KantataSession(token="t", base_url=server.url, on_event=told_of.append) as kantata,
    ):
        task = asyncio.create_task(kantata.request("GET", "/users"))
        await until(lambda: len(server.received) == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [(event.kind, event.error) for event in told_of] == [("started", None), ("finished", "CancelledError")]


async def test_a_hook_that_fails_breaks_nothing_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The program's metrics are not its requests."""

    def broken(_event: RequestEvent) -> None:
        raise RuntimeError("no metrics today")

    async with (
        Server([OK, json_answer({}, 404)]) as server,
        KantataSession(token="t", base_url=server.url, on_event=broken) as kantata,
    ):
        await kantata.request("GET", "/users")
        with pytest.raises(NotFoundError):
            await kantata.request("GET", "/users/9")
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(logged) == 1
    assert logged[0].exc_info is not None


async def test_an_async_hook_is_told_everything_in_order() -> None:
    """One event after the other, however long each takes, and all of them before the session is closed."""
    told_of: list[tuple[str, int]] = []
    under_way = 0

    async def hook(event: RequestEvent) -> None:
        nonlocal under_way
        under_way += 1
        assert under_way == 1
        await asyncio.sleep(0.001 if event.kind == "started" else 0)
        told_of.append((event.kind, event.attempt))
        under_way -= 1

    async with (
        Server([json_answer({}, 503), OK]) as server,
        KantataSession(token="t", base_url=server.url, on_event=hook, retry=RetryPolicy(first_wait=0.001)) as kantata,
    ):
        await kantata.request("GET", "/users")
    assert told_of == [("started", 0), ("retried", 1), ("finished", 2)]


async def test_an_async_hook_holds_up_no_request() -> None:
    """Requests do not wait for it, nor does the session's closing for one that never ends."""
    ended = asyncio.Event()

    async def hook(_event: RequestEvent) -> None:
        try:
            await asyncio.sleep(600)
        finally:
            ended.set()

    hook_of_transport = Hook(hook, spare_seconds=0.05)
    async with asyncio.timeout(30):
        for _ in range(100):
            hook_of_transport.tell(RequestEvent("started", "GET", "/users"))
        await until(lambda: hook_of_transport.waiting == 99)
        await hook_of_transport.close()
    assert ended.is_set()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_an_async_hook_that_cannot_keep_up_costs_no_memory(caplog: pytest.LogCaptureFixture) -> None:
    """Of what comes faster than it goes, some is not told, which is logged once."""

    async def hook(_event: RequestEvent) -> None:
        await asyncio.sleep(600)

    slow = Hook(hook, spare_seconds=0, most_waiting=3)
    for _ in range(10):
        slow.tell(RequestEvent("started", "GET", "/users"))
    assert slow.waiting == 3
    await slow.close()
    assert slow.waiting == 0
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("error", [RuntimeError("no metrics today"), asyncio.CancelledError()], ids=repr)
async def test_an_async_hook_that_fails_is_told_the_rest(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """What happens to one call of it happens to no other, and no request ends in it."""
    kinds: list[str] = []

    async def hook(event: RequestEvent) -> None:
        kinds.append(event.kind)
        if event.kind == "started":
            raise error

    async with (
        Server([OK, OK]) as server,
        KantataSession(token="t", base_url=server.url, on_event=hook) as kantata,
    ):
        for _ in range(2):
            await kantata.request("GET", "/users")
    assert kinds == ["started", "finished"] * 2
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


def test_an_event_is_frozen_and_holds_no_token() -> None:
    """Details that nobody can change, and none that are secret."""
    event = RequestEvent("started", "GET", "/users/7")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.kind = "finished"  # type: ignore[misc]
    assert not any("token" in field.name or "header" in field.name for field in attrs.fields(RequestEvent))


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/users", "/users"),
        ("/users/me", "/users/me"),
        ("/workspaces/42/invite", "/workspaces/{id}/invite"),
        ("/rate_cards/a1-b2.json", "/rate_cards/{id}"),
    ],
)
def test_a_route_has_no_ids(path: str, route: str) -> None:
    """Few values, whatever is asked for."""
    assert RequestEvent("started", "GET", path).route == route


def test_a_hook_is_a_function() -> None:
    """Anything else is refused."""
    with pytest.raises(UsageError, match="on_event"):
        KantataSession(token="t", on_event=5)  # type: ignore[arg-type]


class Instrument:
    """What an instrument of OpenTelemetry's does, as far as the example uses it."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = defaultdict(list)

    def add(self, amount: float, attributes: dict[str, str]) -> None:
        self.values[attributes["http.route"]].append(amount)

    record = add


class Meter:
    """Makes them."""

    def __init__(self) -> None:
        self.instruments: dict[str, Instrument] = defaultdict(Instrument)

    def create_histogram(self, name: str, **_: str) -> Instrument:
        return self.instruments[name]

    create_up_down_counter = create_counter = create_histogram


async def test_the_opentelemetry_example_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as it stands, without the library: what it makes of each event is what a dashboard would show."""
    library = ModuleType("opentelemetry")
    library.metrics = ModuleType("opentelemetry.metrics")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "opentelemetry", library)
    spec = importlib.util.spec_from_file_location("opentelemetry_metrics", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    meter = Meter()
    async with (
        Server([json_answer({}, 429), OK, json_answer({}, 404)]) as server,
        KantataSession(token="t", base_url=server.url, on_event=example.kantata_metrics(meter)) as kantata,
    ):
        await kantata.request("GET", "/users/7")
        with pytest.raises(NotFoundError):
            await kantata.request("GET", "/users/8")
    recorded = {name: instrument.values["/users/{id}"] for name, instrument in meter.instruments.items()}
    assert recorded["kantata.request.active"] == [1, -1, 1, -1]
    assert recorded["kantata.request.throttled"] == recorded["kantata.request.retried"] == [1]
    assert len(recorded["kantata.request.duration"]) == len(recorded["kantata.request.wait"]) == 2
