"""A session: its states, and what its calls do on the wire."""

from __future__ import annotations

import asyncio
import copy
import io
import os
import pickle
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from identifiers import without_address
from waiting import until_seen
from wire import OK, Server, json_answer

from kantata_async import (
    AmbiguousWriteError,
    AuthenticationError,
    ConnectionFailedError,
    InvalidResponseError,
    KantataSession,
    NotFoundError,
    RetryPolicy,
    UsageError,
)
from kantata_async.entities import AccountMembership, Attachment, Participation, User
from kantata_async.sandbox import Fault, Sandbox, Switches

NEVER = RetryPolicy.never()


async def test_me(kantata: KantataSession) -> None:
    """The first call anyone makes."""
    me = await kantata.users.me(include=["account_membership"])
    assert isinstance(me, User)
    assert isinstance(me.account_membership, AccountMembership)


async def test_a_session_must_be_open() -> None:
    """A call before the session is opened says how to open it; building a query sends nothing and may come before."""
    session = KantataSession(token="t")
    query = session.users.list()
    with pytest.raises(UsageError, match="async with KantataSession"):
        await query
    with pytest.raises(UsageError, match="async with KantataSession"):
        await session.users.get(1)


async def test_a_session_is_closed_for_good(kantata_sandbox: Sandbox) -> None:
    """A closed session refuses every call and will not be opened again; closing it twice is fine."""
    session = KantataSession(token=kantata_sandbox.token, base_url=kantata_sandbox.url)
    async with session:
        await session.users.me()
    await session.close()
    with pytest.raises(UsageError, match="closed"):
        await session.users.me()
    with pytest.raises(UsageError, match="closed"):
        await session.open()


def test_a_session_belongs_to_its_loop(kantata_sandbox_url: tuple[str, str]) -> None:
    """Used from another event loop, a session says so instead of hanging."""
    url, token = kantata_sandbox_url
    session = KantataSession(token=token, base_url=url)

    async def leave_open() -> None:
        await session.open()

    async def use() -> None:
        with pytest.raises(UsageError, match="event loop"):
            await session.users.me()

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(leave_open())
        asyncio.run(use())
        loop.run_until_complete(session.close())
    finally:
        loop.close()


@pytest.fixture
def kantata_sandbox_url() -> tuple[str, str]:
    """An address that nothing has to answer."""
    return "http://127.0.0.1:9/api/v1", "t"


async def test_a_get_without_an_object(kantata: KantataSession) -> None:
    """404 is a separate error, with the request id that support asks for."""
    with pytest.raises(NotFoundError) as caught:
        await kantata.users.get(999_999)
    assert caught.value.request_id
    assert caught.value.path == "/users/999999"


async def test_a_wrong_token(kantata_sandbox: Sandbox) -> None:
    """401 is an error of its own, and shows no token."""
    async with KantataSession(token="wrong-token", base_url=kantata_sandbox.url, retry=NEVER) as kantata:
        with pytest.raises(AuthenticationError) as caught:
            await kantata.users.me()
    assert "wrong-token" not in f"{caught.value!r} {caught.value} {kantata!r}"


@pytest.mark.parametrize("id", ["../users/1", "1?x=1", "", "1\r\nX: y", "1/2", "%2e%2e", "é", " 1", "1.json"])
async def test_hostile_ids(kantata_sandbox: Sandbox, kantata: KantataSession, id: str) -> None:
    """An id that would leave its place in the path is refused before anything is sent."""
    with pytest.raises(UsageError, match="takes an id"):
        await kantata.users.get(id)
    with pytest.raises(UsageError, match="takes an id"):
        await kantata.users.get_many([1, id])
    with pytest.raises(UsageError, match="workspace_id"):
        kantata.participations.list(workspace_id=id)
    assert kantata_sandbox.requests == []


@pytest.mark.parametrize(
    "path", ["users/me", "//elsewhere/x", "/../users", "https://elsewhere/x", "/users?x=1", "/a b"]
)
async def test_hostile_paths(kantata_sandbox: Sandbox, kantata: KantataSession, path: str) -> None:
    """The escape hatch does not lead out of the API."""
    with pytest.raises(UsageError):
        await kantata.request("GET", path)
    assert kantata_sandbox.requests == []


async def test_params_are_named_where_they_are_wrong(kantata: KantataSession) -> None:
    """By the name that the caller gave them."""
    with pytest.raises(UsageError, match=r"^params hold a character that cannot be encoded"):
        await kantata.request("GET", "/users", params={"matching": "\ud800"})
    with pytest.raises(UsageError, match=r"a query goes into `params`$"):
        await kantata.request("GET", "/users?page=1")


async def test_params_are_written_as_the_api_reads_them(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """A truth as a filter has it."""
    await kantata.request("GET", "/users", params={"show_disabled": True, "per_page": 1, "order": "alphabetical"})
    assert kantata_sandbox.requests[0].query == {"show_disabled": "true", "per_page": "1", "order": "alphabetical"}


async def test_the_escape_hatch(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Any path, decoded JSON, query and body as given."""
    data = await kantata.request("get", "/users", params={"per_page": 2})
    assert data["meta"]["page_size"] == 2
    created = await kantata.request("POST", "/roles", json={"role": {"name": "Diver"}})
    role = created["results"][0]["id"]
    assert await kantata.request("DELETE", f"/roles/{role}") is None
    assert [one.method for one in kantata_sandbox.requests] == ["GET", "POST", "DELETE"]


async def test_create_update_delete(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """One object through its life."""
    person = kantata_sandbox.store.all("users")[-1]["id"]
    made = await kantata.participations.create(workspace_id=2, user_id=person, role="maven", include=["user"])
    assert isinstance(made, Participation)
    assert made.user.id == made.user_id == person
    changed = await kantata.participations.update(made.id, team_lead=True)
    assert changed.is_team_lead is True
    await kantata.participations.delete(made.id)
    with pytest.raises(NotFoundError):
        await kantata.participations.get(made.id)


async def test_an_update_answered_without_a_body(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """A success may have no body: the object is read anew, with the include that was asked for."""
    kantata_sandbox.switches = Switches(updates_without_body=True)
    changed = await kantata.users.update(2, headline="Diver", include=["account_membership"])
    assert changed.headline == "Diver"
    assert isinstance(changed.account_membership, AccountMembership)
    assert [one.method for one in kantata_sandbox.requests] == ["PUT", "GET"]


@pytest.mark.parametrize("kind", ["reset", "html", "truncated", "cut", "empty"])
async def test_a_write_whose_answer_is_lost(kantata_sandbox: Sandbox, kantata: KantataSession, kind: str) -> None:
    """A write is sent once: what may have been carried out is told as such."""
    kantata_sandbox.faults.add(Fault(kind, when="after", method="POST"))  # type: ignore[arg-type]
    with pytest.raises(AmbiguousWriteError):
        await kantata.roles.create(name="Diver")
    assert kantata_sandbox.count("POST", "/roles") == 1
    assert [role["name"] for role in kantata_sandbox.store.all("roles")].count("Diver") == 1


@pytest.mark.parametrize("kind", ["html", "truncated", "empty"])
async def test_a_read_with_an_unusable_answer(kantata_sandbox: Sandbox, kantata: KantataSession, kind: str) -> None:
    """200 with something else than the answer is told, not guessed at."""
    kantata_sandbox.faults.add(Fault(kind))  # type: ignore[arg-type]
    with pytest.raises(InvalidResponseError):
        await kantata.users.get(1)


async def test_uploads(kantata_sandbox: Sandbox, kantata: KantataSession, tmp_path: Path) -> None:
    """A file goes up from a path, an open file, or a name with bytes."""
    file = tmp_path / "receipt.txt"
    file.write_bytes(b"12.50")
    for data in (file, io.BytesIO(b"12.50"), ("receipt.txt", b"12.50")):
        made = await kantata.attachments.create(type="receipt", data=data)
        assert isinstance(made, Attachment)
        form = kantata_sandbox.requests[-1].form
        assert form is not None
        assert form["attachment"]["data"].content == b"12.50"
        assert form["attachment"]["type"] == "receipt"
    with pytest.raises(UsageError, match="bytes"):
        await kantata.attachments.create(type="receipt", data=("big.bin", b"0" * (10 * 1024 * 1024 + 1)))
    with pytest.raises(UsageError, match="No such file"):
        await kantata.attachments.create(type="receipt", data=tmp_path / "missing")
    with pytest.raises(UsageError, match="binary"):
        await kantata.attachments.create(type="receipt", data=io.StringIO("text"))  # type: ignore[typeddict-item]


async def test_csv_answers(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """The export is taken as CSV or as the usual answer, whichever comes."""
    text = await kantata.project_accounting_records.export_to_csv()
    assert isinstance(text, str)
    kantata_sandbox.switches = Switches(csv_export=False)
    page = await kantata.project_accounting_records.export_to_csv()
    assert not isinstance(page, str)
    assert page.items


async def test_a_hundred_calls_at_once(kantata_sandbox: Sandbox) -> None:
    """Concurrent calls share the session, and no more are under way than it allows."""
    kantata_sandbox.latency = 0.02
    async with KantataSession(token=kantata_sandbox.token, base_url=kantata_sandbox.url, concurrency=7) as kantata:
        ids = [1 + number % 9 for number in range(100)]
        people = await asyncio.gather(*(kantata.users.get(id) for id in ids))
    assert [person.id for person in people] == list(map(str, ids))
    starts = sorted(one.at for one in kantata_sandbox.requests)
    assert all(later - earlier >= 0.015 for earlier, later in zip(starts, starts[7:], strict=False))


async def test_cancelled_calls_leave_nothing(kantata_sandbox: Sandbox) -> None:
    """A cancelled call ends at once; the session goes on, and closes without anything left behind."""
    async with KantataSession(token=kantata_sandbox.token, base_url=kantata_sandbox.url) as kantata:
        kantata_sandbox.latency = 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await asyncio.gather(*(kantata.users.get(1) for _ in range(20)))
        kantata_sandbox.latency = 0
        assert (await kantata.users.get(1)).id == "1"


async def test_another_object_than_the_one_asked_for_is_refused() -> None:
    """A get or an update that is answered with somebody else's object gives none; the update may have been done."""
    other = {"results": [{"key": "participations", "id": "99"}], "participations": {"99": {"id": "99"}}}
    async with (
        Server([json_answer(other), json_answer(other)]) as server,
        KantataSession(token="t", base_url=server.url, rate_limit=None, retry=NEVER) as kantata,
    ):
        with pytest.raises(InvalidResponseError, match="participations 7 was asked for"):
            await kantata.participations.get(7)
        with pytest.raises(AmbiguousWriteError, match="participations 7 was asked for"):
            await kantata.participations.update(7, team_lead=True)


async def test_an_object_of_another_kind_is_refused() -> None:
    """It would be given under the type of what was asked for, even where it has the id of that."""
    other = {"results": [{"key": "roles", "id": "7"}], "roles": {"7": {"id": "7", "name": "Consultant"}}}
    async with (
        Server([json_answer(other)] * 4) as server,
        KantataSession(token="t", base_url=server.url, rate_limit=None, retry=NEVER) as kantata,
    ):
        with pytest.raises(InvalidResponseError, match="its results name 'roles', not users"):
            await kantata.users.get_many([7])
        with pytest.raises(InvalidResponseError, match="one of participations was expected, not <Role 7"):
            await kantata.participations.get(7)
        with pytest.raises(AmbiguousWriteError, match="one of participations was expected, not <Role 7"):
            await kantata.participations.update(7, team_lead=True)
        with pytest.raises(AmbiguousWriteError, match="one of workspaces was expected, not <Role 7"):
            await kantata.workspaces.create(title="Mayfly")


async def test_the_id_asked_for_may_come_as_a_number() -> None:
    """What counts is the id, not the form in which the caller or the server writes it."""
    same = {"results": [{"key": "participations", "id": 7}], "participations": {"7": {"id": 7}}}
    async with (
        Server([json_answer(same), json_answer(same)]) as server,
        KantataSession(token="t", base_url=server.url, rate_limit=None, retry=NEVER) as kantata,
    ):
        assert (await kantata.participations.get(7)).id == "7"
        assert (await kantata.participations.update("7", team_lead=True)).id == "7"


@pytest.mark.parametrize(
    "arguments",
    [
        {"method": None},
        {"method": 7},
        {"method": "FETCH"},
        {"path": None},
        {"path": b"/users"},
        {"path": "/users/\ud800"},
        {"params": ["page"]},
        {"params": "page=1"},
        {"params": {1: "a"}},
        {"params": {"a": None}},
        {"params": {"a": object()}},
        {"params": {"a": float("nan")}},
        {"params": {"a": 10**30}},
        {"params": {"a": [1, None]}},
        {"params": {"a": {"b": 1}}},
        {"params": {"a": b"1"}},
        {"params": {"a": "\ud800"}},
        {"json": object()},
        {"json": {(1, 2): 3}},
        {"json": "\ud800"},
    ],
    ids=without_address,
)
async def test_a_request_of_ones_own_that_cannot_be_sent(
    kantata_sandbox: Sandbox, kantata: KantataSession, arguments: dict[str, Any]
) -> None:
    """Whatever is wrong with it is told as such, before anything is sent."""
    with pytest.raises(UsageError):
        await kantata.request(**{"method": "POST", "path": "/users", **arguments})
    assert kantata_sandbox.requests == []


async def test_a_query_of_ones_own() -> None:
    """Values as Python has them are written as the API reads them."""
    params = {"only": [1, 2], "on_my_account": True, "per_page": 5, "search": "a b", "from": date(2026, 1, 5)}
    async with Server([OK]) as server, KantataSession(token="t", base_url=server.url) as kantata:
        await kantata.request("GET", "/users", params=params)
    query = "only=1,2&on_my_account=true&per_page=5&search=a%20b&from=2026-01-05"
    assert server.received[0].target == f"/api/v1/users?{query}"


@pytest.mark.parametrize("entities", [None, 5, [5], "users", [None], {"1": 2}, object()], ids=without_address)
async def test_loading_for_what_is_no_entity(kantata: KantataSession, entities: Any) -> None:
    """Told before anything is sent."""
    with pytest.raises(UsageError, match="load takes entities"):
        await kantata.load(entities, "manager")


async def test_a_list_whose_session_is_closed_under_way(kantata_sandbox: Sandbox) -> None:
    """Nobody cancelled the task that reads it: it is told that the session was closed."""
    session = KantataSession(token=kantata_sandbox.token, base_url=kantata_sandbox.url)
    await session.open()

    async def read() -> list[User]:
        return [user async for user in session.users.list(per_page=1)]

    reading = asyncio.create_task(read())
    await until_seen(kantata_sandbox, 3)
    kantata_sandbox.latency = 60
    await session.close()
    with pytest.raises((ConnectionFailedError, UsageError), match=r"session (was|is) closed"):
        await asyncio.wait_for(reading, 10)


@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_session_is_not_copied(copying: Callable[[object], object]) -> None:
    """It says what to do instead."""
    with pytest.raises(UsageError, match="open one in each process"):
        copying(KantataSession(token="t"))


async def test_what_waits_waits_by_the_sleep_of_the_session(kantata_sandbox: Sandbox) -> None:
    """Before another attempt, and before a look at what a lost answer left."""
    asked: list[float] = []

    async def sleep(seconds: float) -> None:
        asked.append(seconds)
        await asyncio.sleep(0)

    url, token = kantata_sandbox.url, kantata_sandbox.token
    async with KantataSession(token=token, base_url=url, rate_limit=None, sleep=sleep) as kantata:
        kantata_sandbox.faults.add(Fault("disconnect", method="GET", path="/users/me"))
        await kantata.users.me()
        (before_another_attempt,) = asked
        kantata_sandbox.faults.add(Fault("disconnect", when="after", method="POST"))
        result = await kantata.roles.create_many([{"name": "Night watch"}])
    assert result.summary() == "1 created"
    assert 0 <= before_another_attempt <= 0.5
    assert asked[1:] == [0.5]


@pytest.mark.parametrize("copying", [pickle.dumps, copy.deepcopy])
@pytest.mark.parametrize(
    "part",
    [
        lambda kantata: kantata.users,
        lambda kantata: kantata.users.get,
        lambda kantata: kantata.users.list(),
        lambda kantata: kantata.with_options(timeout=2),
        lambda kantata: [{"work": kantata.users}],
    ],
)
def test_what_holds_a_session_is_not_copied(
    copying: Callable[[object], object], part: Callable[[KantataSession], object]
) -> None:
    """What is most often passed to a pool of processes: a resource, a method of it, or a list."""
    with pytest.raises(UsageError, match="open one in each process"):
        copying(part(KantataSession(token="t")))


def told_in_a_fork(coroutine: Coroutine[Any, Any, object]) -> bytes:
    """The UsageError that a call ends with in a forked process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        told = b"no error"
        try:
            coroutine.send(None)
        except UsageError as error:
            told = str(error).encode()
        finally:
            os.write(writing, told)
            os._exit(0)
    coroutine.close()
    os.close(writing)
    os.waitpid(child, 0)
    told = os.read(reading, 1_000)
    os.close(reading)
    return told


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 warns of a fork beside threads
async def test_a_fork_does_not_inherit_a_session(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """The child is told what to do, and sends nothing; the parent's session goes on."""
    await kantata.users.me()
    assert b"open one in each process" in told_in_a_fork(kantata.users.me())
    await kantata.users.me()
    assert kantata_sandbox.count() == 2
