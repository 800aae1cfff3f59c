"""A write that is interrupted says whether it may have been carried out: by a cancellation, a time limit, an error."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from waiting import until
from wire import Server, Step, cut, hang, json_answer, reply

from kantata_async import (
    AmbiguousWriteError,
    KantataSession,
    RequestTimeoutError,
    RetryPolicy,
    bulk_result,
    may_be_carried_out,
    path,
)
from kantata_async.sandbox import Fault, Sandbox

USER = {
    "count": 1,
    "results": [{"key": "participations", "id": "7"}],
    "participations": {"7": {"id": "7", "user_id": "1", "workspace_id": "2"}},
    "users": {"1": {"id": "1", "account_membership_id": "3"}},
}
DEEPER = [path("user.account_membership")]
"""What takes another request, once the write is done."""

Write = Callable[[KantataSession], Awaitable[Any]]


def create(kantata: KantataSession) -> Awaitable[Any]:
    return kantata.participations.create(workspace_id=2, user_id=1, role="maven", include=DEEPER)


def update(kantata: KantataSession) -> Awaitable[Any]:
    return kantata.participations.update(7, team_lead=True, include=DEEPER)


def delete(kantata: KantataSession) -> Awaitable[Any]:
    return kantata.participations.delete(7)


async def cancelled(task: asyncio.Task[Any]) -> BaseException:
    """Ended by its owner."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    return caught.value


async def timed_out(task: asyncio.Task[Any]) -> BaseException:
    """Ended by a time limit around it."""
    try:
        async with asyncio.timeout(0):
            await task
    except TimeoutError as error:
        return error
    raise AssertionError("it was not ended")


async def waited_for(task: asyncio.Task[Any]) -> BaseException:
    """Ended by `asyncio.wait_for`."""
    try:
        await asyncio.wait_for(task, 0)
    except TimeoutError as error:
        return error
    raise AssertionError("it was not ended")


ENDINGS = [cancelled, timed_out, waited_for]


@pytest.mark.parametrize("end", ENDINGS)
@pytest.mark.parametrize("write", [create, update, delete])
async def test_while_it_is_being_sent_it_may_be(
    write: Write, end: Callable[[asyncio.Task[Any]], Awaitable[BaseException]]
) -> None:
    """However it is ended."""
    async with Server([hang]) as server, KantataSession(token="t", base_url=server.url) as kantata:
        task = asyncio.ensure_future(write(kantata))
        await until(lambda: len(server.received) == 1)
        error = await end(task)
        assert may_be_carried_out(error) is True
        assert may_be_carried_out(BaseExceptionGroup("all", [LookupError(), error])) is True


async def gathered(tasks: list[asyncio.Task[Any]]) -> None:
    """Each is cancelled, and what it ended with is a result among others."""
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [may_be_carried_out(one) for one in results] == [None, None], "gather makes its own exceptions"


async def waited_out(tasks: list[asyncio.Task[Any]]) -> None:
    """Those that are not done in time are cancelled."""
    _, late = await asyncio.wait(tasks, timeout=0)
    for task in late:
        task.cancel()
    await asyncio.wait(late)


@pytest.mark.parametrize("end", [gathered, waited_out])
async def test_a_cancelled_task_is_asked_where_there_is_no_exception(
    end: Callable[[list[asyncio.Task[Any]]], Awaitable[None]],
) -> None:
    """As often as one likes; which of two writes had been sent, and which was in line, is not mixed up."""
    async with Server([hang]) as server, KantataSession(token="t", base_url=server.url, concurrency=1) as kantata:
        tasks = [asyncio.ensure_future(delete(kantata)) for _ in range(2)]
        await until(lambda: len(server.received) == 1)
        assert [may_be_carried_out(task) for task in tasks] == [None, None]
        await end(tasks)
        for _ in range(2):
            assert [may_be_carried_out(task) for task in tasks] == [True, False]


async def test_the_tasks_of_a_group_are_asked() -> None:
    """The group's own exception says nothing of those that it cancelled."""

    async def all_of(tasks: list[asyncio.Task[Any]], *work: Any) -> None:
        async with asyncio.TaskGroup() as group:
            tasks += map(group.create_task, work)

    async def fail(when: Callable[[], bool]) -> None:
        await until(when)
        raise LookupError

    async with Server([hang]) as server, KantataSession(token="t", base_url=server.url) as kantata:
        tasks: list[asyncio.Task[Any]] = []
        with pytest.raises(ExceptionGroup) as caught:
            await all_of(tasks, delete(kantata), fail(lambda: len(server.received) == 1))
    writing, failing = tasks
    assert may_be_carried_out(caught.value) is None
    assert may_be_carried_out(failing) is None
    assert may_be_carried_out(writing) is True


async def test_a_task_is_what_it_ended_with() -> None:
    """An error or a time limit of its own, a group of them, or nothing."""

    async def late() -> None:
        async with asyncio.timeout(0.05):
            await delete(kantata)

    async def several() -> None:
        with pytest.raises(TimeoutError) as caught:
            await late()
        raise BaseExceptionGroup("all", [LookupError(), caught.value])

    settings: dict[str, Any] = {"rate_limit": None}
    async with Server([hang, hang]) as server, KantataSession(token="t", base_url=server.url, **settings) as kantata:
        tasks = [asyncio.ensure_future(one()) for one in (late, several)]
        tasks.append(asyncio.ensure_future(asyncio.sleep(0)))
        await asyncio.gather(*tasks, return_exceptions=True)
    assert [may_be_carried_out(task) for task in tasks] == [True, True, None]


async def test_what_a_task_ended_with_does_not_keep_it_in_memory() -> None:
    """Nor does what it carries: only those who hold the task can ask."""
    async with Server([hang]) as server, KantataSession(token="t", base_url=server.url) as kantata:
        task = asyncio.ensure_future(delete(kantata))
        await until(lambda: len(server.received) == 1)
        task.cancel()
        await asyncio.wait([task])
        assert may_be_carried_out(task) is True
        gone = weakref.ref(task)
        del task
        gc.collect()
        assert gone() is None


@pytest.mark.session(concurrency=1)
async def test_the_outcomes_of_a_cancelled_bulk_write_are_asked_of_its_task(
    kantata: KantataSession, kantata_sandbox: Sandbox
) -> None:
    """Which batches were created, and which may have been."""
    kantata_sandbox.faults.add(Fault("hang", skip=1, method="POST", times=None))
    task = asyncio.ensure_future(kantata.roles.create_many([{"name": "Cartographer"}, {"name": "Surveyor"}]))
    await until(lambda: kantata_sandbox.count("POST") == 2)
    task.cancel()
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert bulk_result(ended) is None
    for _ in range(2):
        result = bulk_result(task)
        assert result is not None
        assert sorted(outcome.status for outcome in result) == ["created", "unknown"]


@pytest.mark.parametrize("end", ENDINGS)
async def test_before_it_is_sent_it_is_not(
    end: Callable[[asyncio.Task[Any]], Awaitable[BaseException]],
) -> None:
    """While the token is fetched, and while it waits for a place."""
    asked = asyncio.Event()

    async def fetch() -> str:
        asked.set()
        await asyncio.sleep(60)
        return "t"

    async with Server() as server, KantataSession(token=fetch, base_url=server.url, concurrency=1) as kantata:
        first = asyncio.ensure_future(create(kantata))
        second = asyncio.ensure_future(delete(kantata))
        await asked.wait()
        assert may_be_carried_out(await end(second)) is False
        assert may_be_carried_out(await end(first)) is False
        assert server.received == []


@pytest.mark.parametrize("end", ENDINGS)
@pytest.mark.parametrize(
    ("write", "script"),
    [
        pytest.param(create, [json_answer(USER), hang], id="create, then what it includes"),
        pytest.param(update, [json_answer(USER), hang], id="update, then what it includes"),
        pytest.param(update, [reply(204, content_type=None), hang], id="update without a body, then the object"),
    ],
)
async def test_after_its_answer_it_may_be(
    write: Write, script: list[Step], end: Callable[[asyncio.Task[Any]], Awaitable[BaseException]]
) -> None:
    """It was: what is interrupted is only the reading that follows it."""
    async with Server(script) as server, KantataSession(token="t", base_url=server.url) as kantata:
        task = asyncio.ensure_future(write(kantata))
        await until(lambda: len(server.received) == 2)
        assert may_be_carried_out(await end(task)) is True
        assert server.methods[1] == "GET"


@pytest.mark.parametrize(
    ("write", "script"),
    [
        pytest.param(create, [json_answer(USER), cut], id="create, then what it includes"),
        pytest.param(update, [json_answer(USER), json_answer({}, 403)], id="update, then what it includes"),
        pytest.param(update, [reply(204, content_type=None), json_answer({}, 404)], id="update, then the object"),
        pytest.param(update, [reply(204, content_type=None), hang], id="update, then a timeout"),
    ],
)
async def test_an_error_after_its_answer_is_not_taken_for_its_own(write: Write, script: list[Step]) -> None:
    """Whoever took it for that of the write would send it again."""
    settings: dict[str, Any] = {"retry": RetryPolicy.never(), "timeout": 0.5}
    async with Server(script) as server, KantataSession(token="t", base_url=server.url, **settings) as kantata:
        with pytest.raises(AmbiguousWriteError, match=r"(POST|PUT) /participations.* was carried out, but") as caught:
            await write(kantata)
    assert caught.value.response is not None
    assert caught.value.response.status in (200, 204)


async def test_an_error_after_a_read_is_its_own() -> None:
    """There is nothing that it could have changed."""
    settings: dict[str, Any] = {"retry": RetryPolicy.never(), "timeout": 0.5}
    async with (
        Server([json_answer(USER), hang]) as server,
        KantataSession(token="t", base_url=server.url, **settings) as kantata,
    ):
        with pytest.raises(RequestTimeoutError):
            await kantata.participations.get(7, include=DEEPER)


async def test_a_timeout_of_the_call_itself_says_so_too() -> None:
    """`timeout` and `with_options(timeout=…)`: a write is ambiguous, a read is not."""
    async with Server([hang, hang]) as server, KantataSession(token="t", base_url=server.url) as kantata:
        hurried = kantata.with_options(timeout=0.05, retry=RetryPolicy.never())
        with pytest.raises(AmbiguousWriteError):
            await delete(hurried)
        with pytest.raises(RequestTimeoutError):
            await hurried.users.get(1)
