"""What a session tells of its requests."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from waiting import until
from wire import OK, Server, cut, hang, json_answer

from kantata_async import KantataSession, RequestEvent, RetryPolicy, path
from kantata_async.entities import Participation
from kantata_async.errors import NotFoundError, UsageError
from kantata_async.sandbox import Fault, Sandbox
from kantata_async.transport.events import EventKind
from kantata_async.transport.hooks import Hook, OnEvent


def some_event(kind: EventKind = "started", path: str = "/users") -> RequestEvent:
    """An event as any other."""
    return RequestEvent(kind=kind, at=datetime.now(UTC), call="users.list", call_id="c1", method="GET", path=path)


async def events_of(script: list[Any], path: str = "/users/7", **options: Any) -> list[RequestEvent]:
    """What is told of one request to this server."""
    told_of: list[RequestEvent] = []
    async with (
        Server(script) as server,
        KantataSession(token="t", base_url=server.url, on_event=told_of.append, **options) as kantata,
    ):
        await asyncio.gather(kantata.request("GET", path), return_exceptions=True)
    return told_of


def kinds_of(events: list[RequestEvent]) -> list[str]:
    return [event.kind for event in events]


ATTEMPT = ["attempt_started", "attempt_finished"]


async def test_a_request_that_goes_well() -> None:
    """What was started is finished: the call, its request, and the attempt of it, with what a metric needs."""
    events = await events_of([OK])
    assert kinds_of(events) == ["call_started", "started", *ATTEMPT, "finished", "call_finished"]
    assert {(event.call, event.call_id, event.parent_id) for event in events} == {("request", events[0].call_id, None)}
    assert [(event.number, event.method, event.path) for event in events[1:-1]] == [(1, "GET", "/users/7")] * 4
    assert [(event.number, event.method, event.path) for event in events[::5]] == [(0, "", "")] * 2
    finished = events[4]
    assert (finished.attempt, finished.status, finished.error, finished.request_id) == (1, 200, None, "req-1")
    assert 0 <= finished.waited <= finished.seconds < 5
    assert [event.at for event in events] == sorted(event.at for event in events)


async def test_a_429_is_told_and_so_is_the_next_attempt() -> None:
    """In the order in which it happens, with the wait that was asked for."""
    events = (await events_of([json_answer({}, 429, retry_after="1"), OK]))[1:-1]
    assert kinds_of(events) == ["started", *ATTEMPT, "throttled", "retried", *ATTEMPT, "finished"]
    for event in events[2:5]:
        assert (event.status, event.retry_after, event.attempt, event.error) == (429, 1.0, 1, "RateLimitError")
    second = events[5]
    assert (second.attempt, second.status, second.retry_after, second.error) == (2, None, None, None)
    assert second.queued > 0.9
    assert events[-1].waited > 0.9


async def test_each_attempt_says_how_it_failed() -> None:
    """A lost connection has no status, an error of the server its own, and the last one ends the request."""
    script = [cut, json_answer({"errors": [{"type": "system", "message": "down"}]}, 500), json_answer({}, 404)]
    events = await events_of(script, retry=RetryPolicy(first_wait=0.001))
    attempts = [event for event in events if event.kind == "attempt_finished"]
    errors = ["ConnectionFailedError", "ServerError", "NotFoundError"]
    assert [(event.attempt, event.status, event.error) for event in attempts] == [
        *zip((1, 2, 3), (None, 500, 404), errors, strict=True)
    ]
    assert "down" in (attempts[1].message or "")
    assert [event.error for event in events if event.kind == "retried"] == errors[:2]
    assert [(event.kind, event.error) for event in events[-2:]] == [
        ("finished", "NotFoundError"),
        ("call_finished", "NotFoundError"),
    ]


async def test_what_cannot_be_sent_is_no_request() -> None:
    """The call is over as soon as it began."""
    events = await events_of([], path="/no/../where")
    assert [(event.kind, event.error) for event in events] == [("call_started", None), ("call_finished", "UsageError")]


async def test_a_cancelled_request_is_finished_too() -> None:
    """Whatever was counted as started is counted as over, and an error that is not ours says nothing of itself."""
    told_of: list[RequestEvent] = []
    async with (
        Server([hang]) as server,
        KantataSession(token="t", base_url=server.url, on_event=told_of.append) as kantata,
    ):
        task = asyncio.create_task(kantata.request("GET", "/users"))
        await until(lambda: len(server.received) == 1)
        task.cancel("a secret reason")
        await asyncio.gather(task, return_exceptions=True)
    assert [(event.kind, event.error, event.message) for event in told_of[3:]] == [
        (kind, "CancelledError", None) for kind in ("attempt_finished", "finished", "call_finished")
    ]


async def test_a_renewed_token_is_told_as_another_attempt(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged as such too, without either token."""
    caplog.set_level(logging.INFO, "kantata_async")
    tokens = iter(["first-secret", "second-secret"])

    async def fetch() -> str:
        return next(tokens)

    told_of: list[RequestEvent] = []
    async with (
        Server([json_answer({"errors": [{"type": "oauth", "message": "no first-secret"}]}, 401), OK, OK]) as server,
        KantataSession(token=fetch, base_url=server.url, on_event=told_of.append) as kantata,
    ):
        await kantata.request("GET", "/users")
        await kantata.request("GET", "/users", params={"q": "a second-secret", "api_key": "k"})
    events = told_of[:9]
    assert kinds_of(events)[1:-1] == ["started", *ATTEMPT, "retried", *ATTEMPT, "finished"]
    assert events[3].message is not None
    assert told_of[10].query == (("q", "a ***"), ("api_key", "***"))
    assert told_of[10].url.startswith(f"{server.url}/users?q=a")
    assert [record.getMessage() for record in caplog.records] == [
        "GET /users goes again with a new token, after 401 in attempt 1"
    ]
    assert "secret" not in f"{told_of}{caplog.text}"


async def test_the_requests_of_one_call_share_its_id(kantata_sandbox: Sandbox) -> None:
    """Of a list, a bulk write with its looks, what is loaded; not those of two calls."""
    told_of: list[RequestEvent] = []
    async with KantataSession(
        token=kantata_sandbox.token, base_url=kantata_sandbox.url, on_event=told_of.append
    ) as kantata:
        people = await kantata.users.list(per_page=20, include=[path("account_membership.default_role")])
        await kantata.load(people[:2], "skills")
        async for _ in kantata.users.list(per_page=20).pages():
            await kantata.users.me()
        kantata_sandbox.faults.add(Fault("disconnect", when="after", method="POST"))
        row = {"workspace_id": 1, "user_id": people[-1].id, "role": "maven"}
        await kantata.participations.create_many([row])
        async for _ in kantata.participations.create_stream([{**row, "user_id": people[-2].id}]):
            pass
    calls = defaultdict(list)
    for event in told_of:
        calls[event.call, event.call_id].append(event)
    assert [name for name, _ in calls] == [
        *("users.list", "load", "users.list"),
        *("users.me",) * -(-len(people) // 20),
        *("participations.create_many", "participations.create_stream"),
    ]
    for events in calls.values():
        assert (events[0].kind, events[-1].kind) == ("call_started", "call_finished")
        numbers = [event.number for event in events if event.kind == "started"]
        assert numbers == list(range(1, len(numbers) + 1))
        assert {event.parent_id for event in events} == {None}
    listed, *_, created, _streamed = calls.values()
    assert {event.path for event in listed if event.number} == {"/users", "/account_memberships"}
    assert [(event.method, event.error) for event in created if event.kind == "attempt_finished"] == [
        ("POST", "ConnectionFailedError"),
        ("GET", None),
    ]


async def test_a_call_inside_a_call_names_it(kantata_sandbox: Sandbox) -> None:
    """What `find` asks for is a separate call, and says inside which it was made."""
    told_of: list[RequestEvent] = []
    async with KantataSession(
        token=kantata_sandbox.token, base_url=kantata_sandbox.url, on_event=told_of.append
    ) as kantata:

        async def find(_rows: object) -> list[Participation]:
            return await kantata.participations.list(workspace_id=1)

        row = {"workspace_id": 1, "user_id": 9, "role": "maven"}
        options: Any = {"find": find, "key": lambda one: one.get("user_id"), "if_exists": "skip"}
        await kantata.participations.create_many([row], **options)
        async for _ in kantata.participations.create_stream([row], **options):
            pass
    outer = {event.call: event.call_id for event in told_of if event.parent_id is None}
    assert list(outer) == ["participations.create_many", "participations.create_stream"]
    assert {(event.call, event.parent_id) for event in told_of if event.parent_id is not None} == {
        ("participations.list", id) for id in outer.values()
    }


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
    assert [told for told in told_of if told[0] in ("started", "retried", "finished")] == [
        ("started", 0),
        ("retried", 1),
        ("finished", 2),
    ]
    assert len(told_of) == 9


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
            hook_of_transport.tell(some_event())
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
        slow.tell(some_event())
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
    assert kinds == ["call_started", "started", *ATTEMPT, "finished", "call_finished"] * 2
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


def test_an_event_is_frozen_and_holds_no_token() -> None:
    """Details that nobody can change, and none that are secret."""
    event = some_event()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.kind = "finished"  # type: ignore[misc]
    assert not any("token" in field.name or "header" in field.name for field in attrs.fields(RequestEvent))


async def test_an_async_hook_has_the_context_of_what_it_is_told_of() -> None:
    """So a trace or a user that the program keeps in a variable is the right one."""
    caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller")
    seen: list[tuple[str, str]] = []

    async def hook(event: RequestEvent) -> None:
        seen.append((caller.get(), event.path))

    async def ask(name: str) -> None:
        caller.set(name)
        await kantata.request("GET", f"/{name}")

    async with (
        Server([OK, OK]) as server,
        KantataSession(token="t", base_url=server.url, on_event=hook) as kantata,
    ):
        await asyncio.gather(ask("one"), ask("other"))
    assert {told for told in seen if told[1]} == {("one", "/one"), ("other", "/other")}


async def test_several_hooks_are_told_the_same() -> None:
    """One that fails keeps nothing from the others."""
    first: list[RequestEvent] = []
    last: list[RequestEvent] = []

    def broken(_event: RequestEvent) -> None:
        raise RuntimeError("no metrics today")

    async with (
        Server([OK]) as server,
        KantataSession(token="t", base_url=server.url, on_event=[first.append, broken, last.append]) as kantata,
    ):
        await kantata.request("GET", "/users")
    assert first == last
    assert len(first) == 6


@pytest.mark.parametrize("on_event", [None, lambda _: None])
async def test_a_session_that_tells_nobody_makes_no_events(on_event: OnEvent | None) -> None:
    """What nobody asked for costs nothing: no code of stories runs then."""
    ran: set[str] = set()
    async with Server([OK]) as server, KantataSession(token="t", base_url=server.url, on_event=on_event) as kantata:
        sys.setprofile(lambda frame, *_: ran.add(Path(frame.f_code.co_filename).name))
        try:
            await kantata.request("GET", "/users")
        finally:
            sys.setprofile(None)
    assert "sending.py" in ran
    assert ("stories.py" in ran) is (on_event is not None)


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
    assert some_event(path=path).route == route


def test_a_hook_is_a_function() -> None:
    """Anything else is refused."""
    for wrong in (5, [print, 5], "print"):
        with pytest.raises(UsageError, match="on_event"):
            KantataSession(token="t", on_event=wrong)  # type: ignore[arg-type]
