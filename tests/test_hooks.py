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
from wire import OK, Server, cut, hang, told

from kantata_async import KantataSession, RequestEvent, RetryPolicy
from kantata_async.errors import NotFoundError, UsageError

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
    events = await events_of([told({}, 429, retry_after="1"), OK])
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
    events = await events_of([told({}, 404)])
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
        Server([OK, told({}, 404)]) as server,
        KantataSession(token="t", base_url=server.url, on_event=broken) as kantata,
    ):
        await kantata.request("GET", "/users")
        with pytest.raises(NotFoundError):
            await kantata.request("GET", "/users/9")
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(logged) == 1
    assert logged[0].exc_info is not None


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
        Server([told({}, 429), OK, told({}, 404)]) as server,
        KantataSession(token="t", base_url=server.url, on_event=example.kantata_metrics(meter)) as kantata,
    ):
        await kantata.request("GET", "/users/7")
        with pytest.raises(NotFoundError):
            await kantata.request("GET", "/users/8")
    recorded = {name: instrument.values["/users/{id}"] for name, instrument in meter.instruments.items()}
    assert recorded["kantata.request.active"] == [1, -1, 1, -1]
    assert recorded["kantata.request.throttled"] == recorded["kantata.request.retried"] == [1]
    assert len(recorded["kantata.request.duration"]) == len(recorded["kantata.request.wait"]) == 2
