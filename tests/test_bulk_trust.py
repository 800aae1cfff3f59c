"""Bulk writes against an API that hides, loses and misnames: nothing is told wrongly, and nothing made twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from wire import Server, json_answer

from chaos._http import Asked, Reply, serving_http
from kantata_async import BulkError, KantataSession, RetryPolicy, UsageError, bulk_result, path
from kantata_async.bulk import Outcome
from kantata_async.bulk.claims import KeyTurns

Object = dict[str, Any]
Answering = Callable[[Asked], Reply | None]

TAKEN = {"type": "validation", "field": "name", "message": "has already been taken"}


def envelope(collection: str, objects: list[Object], **beside: Any) -> Object:
    """An answer with these objects."""
    held = {one["id"]: one for one in objects}
    results = [{"key": collection, "id": id} for id in held]
    return {"count": len(objects), "results": results, collection: held, **beside}


def without(one: Object, *names: str) -> Object:
    """An object that does not show some of its fields."""
    return {name: value for name, value in one.items() if name not in names}


class Api:
    """Keeps what it is sent; `instead` may answer a request otherwise, before or after that."""

    def __init__(self) -> None:
        self.held: dict[str, list[Object]] = {}
        self.asked: list[Asked] = []
        self.instead: Answering = lambda asked: None
        self.after: Answering = lambda asked: None

    def of(self, collection: str) -> list[Object]:
        """What is there."""
        return self.held.setdefault(collection, [])

    def posts(self) -> int:
        """How many creates came."""
        return sum(asked.method == "POST" for asked in self.asked)

    def add(self, collection: str, age: float = 0.0, **fields: Any) -> Object:
        """Put an object there."""
        number = 100 + sum(map(len, self.held.values()))
        made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - age))
        shown = {name: str(value) if name.endswith("_id") else value for name, value in fields.items()}
        self.of(collection).append({"id": str(number), "created_at": made, **shown})
        return self.of(collection)[-1]

    async def handle(self, asked: Asked) -> Reply:
        """Answer a request."""
        self.asked.append(asked)
        reply = self.instead(asked) or self._usual(asked)
        return self.after(asked) or reply

    def _usual(self, asked: Asked) -> Reply:
        collection, *rest = asked.path.strip("/").split("/")
        if asked.method == "GET":
            found = [one for one in self.of(collection) if not rest or one["id"] == rest[0]]
            return Reply(200, envelope(collection, found)) if found or not rest else Reply(404, {"errors": []})
        ((key, given),) = asked.body.items()
        rows = given if key == collection else [given]
        if asked.method == "PUT":
            (changed,) = [one for one in self.of(collection) if one["id"] == rest[0]]
            changed.update(given)
            return Reply(200, envelope(collection, [changed]))
        return Reply(201, envelope(collection, [self.add(collection, **row) for row in rows]))


@pytest.fixture
def api() -> Api:
    """An API of the test's own."""
    return Api()


@asynccontextmanager
async def session_of(api: Api, **settings: Any) -> AsyncIterator[KantataSession]:
    """A session with it that does not wait long."""
    settings = {"token": "t", "rate_limit": None, "retry": RetryPolicy(attempts=2, first_wait=0.01), **settings}
    async with serving_http(api.handle) as url, KantataSession(base_url=url, **settings) as kantata:
        yield kantata


async def at_once(_seconds: float) -> None:
    """A wait that is over as it begins."""


def people(count: int) -> list[Object]:
    """Rows that put people on a project."""
    return [{"workspace_id": 7, "user_id": 50 + number, "role": "maven"} for number in range(count)]


# --- looks ---


async def test_a_look_that_is_cut_short_is_not_taken_for_absence(api: Api) -> None:
    """A list that counts more than it shows, page after page: what it does not show may be there."""
    api.add("vendors", name="Acme")
    api.instead = lambda asked: Reply(200, envelope("vendors", [])) if asked.method == "GET" else None
    api.after = lambda asked: Reply(200, {**envelope("vendors", []), "count": 1}) if asked.method == "GET" else None
    async with session_of(api) as kantata:
        result = await kantata.vendors.create_many([{"name": "Acme"}], if_exists="skip")
    assert [(one.status, api.posts()) for one in result] == [("unknown", 0)]
    assert "may be there" in (result[0].reason or "")


async def test_a_key_that_says_nothing_sends_nothing(api: Api) -> None:
    """With if_exists: a row without it cannot be looked for, and objects that all lack it may be any row's."""
    api.add("time_entries", workspace_id=1)
    entry = {"workspace_id": 1, "date_performed": "2026-08-25", "time_in_minutes": 30}
    async with session_of(api) as kantata:
        rows = [{**entry, "notes": "import 1"}, entry]
        result = await kantata.time_entries.create_many(rows, key=lambda data: data.get("notes"), if_exists="skip")
    assert [one.status for one in result] == ["unknown", "unknown"]
    assert api.posts() == 0


async def test_functions_of_the_callers_that_fail(api: Api) -> None:
    """key= is tried on every row first; find= that fails is a look that failed."""

    async def failing(items: Any) -> Any:
        raise LookupError("no such index")

    async def odd(items: Any) -> Any:
        return [{"id": 1}]

    async with session_of(api) as kantata:
        with pytest.raises(UsageError, match=r"row 1: key= failed with KeyError"):
            await kantata.roles.create_many([{"name": "a", "external_reference": None}, {"name": "b"}], key=reference)
        for find in (failing, odd):
            result = await kantata.roles.create_many([{"name": "a"}], find=find, if_exists="reject")
            assert [one.status for one in result] == ["unknown"]
    assert api.posts() == 0


@pytest.mark.parametrize("key", [lambda _: object(), lambda _: [object()], lambda _: random.random()])
async def test_a_key_that_is_never_the_same_is_refused(api: Api, key: Callable[[Any], Any]) -> None:
    """Nothing would ever match it, and every look would find nothing: it is told before anything is sent."""
    async with session_of(api) as kantata:
        with pytest.raises(UsageError, match="something else each time"):
            await kantata.roles.create_many([{"name": "Night watch"}], key=key, if_exists="skip")
    assert api.posts() == 0


def reference(data: Any) -> Any:
    """A key that not every row has."""
    return data["external_reference"] or "none"


async def test_deletes_look_behind_default_filters(api: Api) -> None:
    """A role that the list hides by default is still there: a lost delete of it is sent again, not told as done."""
    api.add("roles", name="Archivist")
    lost = iter([True])

    def instead(asked: Asked) -> Reply | None:
        if asked.method == "DELETE":
            if next(lost, False):
                return Reply(500, kept=0)
            api.of("roles").clear()
            return Reply(204)
        shown = api.of("roles") if asked.query.get("only_active") == "false" else []
        return Reply(200, envelope("roles", list(shown)))

    api.instead = instead
    async with session_of(api) as kantata:
        result = await kantata.roles.delete_many(["100"])
    assert [one.status for one in result] == ["deleted"]
    assert sum(asked.method == "DELETE" for asked in api.asked) == 2


async def test_a_503_is_looked_into_before_it_goes_again(api: Api) -> None:
    """Even where the API says in its own words that nothing was carried out."""
    refused = iter([True])

    def after(asked: Asked) -> Reply | None:
        busy = asked.method == "POST" and next(refused, False)
        return Reply(503, {"errors": [{"type": "system", "message": "busy"}]}) if busy else None

    api.after = after
    async with session_of(api) as kantata:
        result = await kantata.participations.create_many(people(4))
    assert [one.status for one in result] == ["created"] * 4
    assert Counter(one["user_id"] for one in api.of("participations")).most_common(1)[0][1] == 1


# --- attribution ---


async def test_an_object_made_by_somebody_else_meanwhile_is_existing(api: Api) -> None:
    """It has the row's key, and other terms."""

    def instead(asked: Asked) -> Reply | None:
        if asked.method == "POST" and not api.of("participations"):
            api.add("participations", workspace_id=7, user_id=50, role="buyer")
            return Reply(500, kept=0)
        return None

    api.instead = instead
    async with session_of(api) as kantata:
        result = await kantata.participations.create_many(people(1))
    assert [(one.status, one.entity.role) for one in result if one.entity] == [("existing", "buyer")]


async def test_equal_rows_of_one_call_are_made_once_if_they_exist(api: Api) -> None:
    """With if_exists, the second finds the first's: there already, and another row's."""
    async with session_of(api, concurrency=4) as kantata:
        rows = [*people(120), people(1)[0], people(110)[109]]
        result = await kantata.participations.create_many(rows, if_exists="skip")
    assert [one.status for one in result[120:]] == ["existing", "existing"]
    assert all(one.entity is None for one in result[120:])
    assert len(api.of("participations")) == len(result.created) == 120


async def test_an_object_that_is_listed_twice_is_one_rows(api: Api) -> None:
    """Of two equal rows the server made one, and named it for both."""

    def instead(asked: Asked) -> Reply | None:
        if asked.method != "POST":
            return None
        made = envelope("time_entries", [api.add("time_entries", **asked.body["time_entries"][0])])
        return Reply(201, {**made, "results": made["results"] * 2, "count": 2})

    api.instead = instead
    row = {"workspace_id": 7, "date_performed": "2026-11-02", "time_in_minutes": 60}
    async with session_of(api) as kantata:
        result = await kantata.time_entries.create_many([row, row])
    assert [one.status for one in result] == ["created", "unknown"]


async def test_positions_are_believed_as_far_as_they_prove_right(api: Api) -> None:
    """Counted from one, or pointing anywhere: good rows are created, and the bad one alone is rejected."""
    for shift in (1, 2, -1):

        def instead(asked: Asked, shift: int = shift) -> Reply | None:
            if asked.method != "POST":
                return None
            rows = asked.body.get("participations", [asked.body.get("participation")])
            bad = [position for position, row in enumerate(rows) if row["user_id"] == 58]
            errors = [{**TAKEN, "message": "is wrong", "index": position + shift} for position in bad]
            return Reply(422, {"errors": errors}) if bad else None

        api.instead = instead
        api.held.clear()
        async with session_of(api) as kantata:
            result = await kantata.participations.create_many(people(12))
        assert [one.index for one in result.rejected] == [8], shift
        assert len(result.created) == 11


async def test_an_update_is_answered_with_the_object_asked_for(api: Api) -> None:
    """Another object, several or none are no answer: the object itself is looked at."""
    held = [api.add("roles", name=name) for name in ("a", "b")]
    for answered in ([], [held[1]], held):
        api.after = lambda asked, answered=answered: (  # type: ignore[misc]
            Reply(200, envelope("roles", answered)) if asked.method == "PUT" else None
        )
        async with session_of(api) as kantata:
            result = await kantata.roles.update_many([{"id": 100, "name": f"new {len(answered)}"}])
        assert [(one.status, one.entity.id, one.entity.name) for one in result if one.entity] == [
            ("updated", "100", f"new {len(answered)}")
        ]


# --- refusals ---


@pytest.mark.parametrize("status", [403, 404, 405, 411, 415, 451])
async def test_a_refusal_of_the_whole_batch_needs_no_look(api: Api, status: int) -> None:
    """It says the same whether rows can be looked up or not."""
    api.instead = lambda asked: Reply(status, {"errors": [{"type": "system", "message": "no"}]})
    entry = {"workspace_id": 1, "date_performed": "2026-08-25", "time_in_minutes": 30}
    async with session_of(api) as kantata:
        for result in (
            await kantata.time_entries.create_many([entry] * 5),
            await kantata.participations.create_many(people(5)),
        ):
            assert [one.status for one in result] == ["rejected"] * 5
    assert len(api.asked) == 2


UNREADABLE = {
    "accepted": Reply(202),
    "no content": Reply(204),
    "a page of a proxy": Reply(200, "<html>Welcome</html>"),
    "another form": Reply(200, {"results": 5}),
    "an empty object": Reply(201, {}),
    "cut short": Reply(201, {"count": 3, "results": []}, kept=0.9),
}


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_succeeded_is_never_sent_again(api: Api, answer: Reply, shown: bool) -> None:
    """Whatever stands in the answer: a look that does not show it yet is no reason to make it twice."""

    def after(asked: Asked) -> Reply | None:
        if asked.method == "POST":
            return answer
        return None if shown else Reply(200, envelope("participations", []))

    api.after = after
    async with session_of(api, sleep=at_once) as kantata:
        result = await kantata.participations.create_many(people(3))
    assert api.posts() == 1
    assert [one.status for one in result] == [("created" if shown else "unknown")] * 3
    if not shown:
        assert all("a look did not find it" in (one.reason or "") for one in result)


@pytest.mark.parametrize("status", [301, 304, 307, 308])
async def test_a_redirect_refuses_every_write(api: Api, status: int) -> None:
    """Nothing was carried out at the address that was asked, which no look has to confirm."""
    api.instead = lambda _: Reply(status)
    async with session_of(api) as kantata:
        for result in (
            await kantata.participations.create_many(people(3)),
            await kantata.users.update_many([{"id": id, "full_name": "Ada"} for id in (1, 2, 3)]),
            await kantata.time_entries.delete_many([1, 2, 3]),
        ):
            assert [one.status for one in result] == ["rejected"] * 3
            assert f"{status} redirects" in str(result[0].errors[0])
    assert "GET" not in {asked.method for asked in api.asked[:1]}
    assert api.posts() == 1


async def test_of_several_changes_of_one_object_the_last_row_counts(api: Api) -> None:
    """However its id is written, and though the first change takes longest."""
    one = api.add("roles", name="Clerk")
    slow = iter([0.05, 0.02])

    async def handle(asked: Asked) -> Reply:
        await asyncio.sleep(next(slow, 0))
        return await Api.handle(api, asked)

    api.handle = handle  # type: ignore[method-assign]
    names = ["Scribe", "Notary", "Judge"]
    async with session_of(api) as kantata:
        result = await kantata.roles.update_many(
            {"id": id, "name": name} for id, name in zip([int(one["id"]), one["id"], one["id"]], names, strict=True)
        )
    assert [outcome.entity.name for outcome in result if outcome.entity is not None] == names
    assert one["name"] == "Judge"


async def test_turns_go_in_order() -> None:
    """Whoever comes later waits, however many are before it, and whatever they share with it."""
    turns, order = KeyTurns(), list[int]()

    async def settle(number: int, keys: str) -> None:
        async with turns.of(keys):
            for _ in range(20 - number):
                await asyncio.sleep(0)
            order.append(number)

    await asyncio.gather(*(settle(number, keys) for number, keys in enumerate(["a", "ab", "b", "ca", "b", "ac"])))
    assert [[number for number in order if number in some] for some in ((0, 1, 3, 5), (1, 2, 4))] == [
        [0, 1, 3, 5],
        [1, 2, 4],
    ]


async def test_a_success_with_errors_refuses_the_rows_that_it_names(api: Api) -> None:
    """The others are not rejected with them."""

    def instead(asked: Asked) -> Reply | None:
        if asked.method == "POST" and any(row["user_id"] == 51 for row in asked.body["participations"]):
            at = [row["user_id"] for row in asked.body["participations"]].index(51)
            return Reply(200, {"errors": [{**TAKEN, "index": at}]})
        return None

    api.instead = instead
    async with session_of(api, sleep=at_once) as kantata:
        result = await kantata.participations.create_many(people(3))
    assert [one.status for one in result] == ["created", "rejected", "created"]


@pytest.mark.parametrize(("seconds", "posts"), [(86400, 1), (3, 8)])
async def test_an_api_that_is_away_for_a_time_is_left_alone_that_long(seconds: int, posts: int) -> None:
    """Longer than a call may take, and nothing is waited for; otherwise each wait is as long as it says."""
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    away = json_answer({"errors": [{"message": "later"}]}, 503, x_request_id="r", retry_after=str(seconds))
    nobody = json_answer(envelope("participations", []))
    async with (
        Server([away, *[nobody, away] * 7, nobody]) as server,
        KantataSession(
            token="t", base_url=server.url, rate_limit=None, sleep=wait, retry=RetryPolicy(attempts=2, deadline=60)
        ) as kantata,
    ):
        (outcome,) = await kantata.participations.create_many(people(1))
    assert outcome.status == "not_sent"
    assert [one.method for one in server.received].count("POST") == posts
    assert all(waited >= seconds for waited in waits)
    assert len(waits) == posts - (seconds > 60)


async def test_a_batch_that_is_too_large_is_sent_in_parts(api: Api) -> None:
    """Whoever answers that, and down to single rows."""

    def instead(asked: Asked) -> Reply | None:
        return Reply(413, "<html>too large</html>") if len(asked.body["time_entries"]) > 4 else None

    api.instead = instead
    entry = {"workspace_id": 1, "date_performed": "2026-08-25"}
    async with session_of(api) as kantata:
        result = await kantata.time_entries.create_many([{**entry, "time_in_minutes": n} for n in range(1, 18)])
    assert len(result.created) == 17
    assert len(api.of("time_entries")) == 17


async def test_refusals_in_a_large_project_share_their_looks(api: Api) -> None:
    """Ten batches refused for a row each read the team a few times, not once for each refusal."""

    def instead(asked: Asked) -> Reply | None:
        if asked.method != "POST":
            return None
        rows = asked.body["participations"]
        bad = [position for position, row in enumerate(rows) if row["user_id"] % 100 == 75]
        return Reply(422, {"errors": [{**TAKEN, "index": bad[0]}]}) if bad else None

    api.instead = instead
    async with session_of(api) as kantata:
        result = await kantata.participations.create_many(people(1000))
    assert len(result.rejected) == 10
    assert len(result.created) == 990
    assert sum(asked.method == "GET" for asked in api.asked) < 10


# --- interruptions ---


async def test_a_deeper_include_that_times_out_loses_no_outcome(api: Api) -> None:
    """Of creates and of updates: what was written is told."""
    slow = asyncio.Event()

    async def handle(asked: Asked) -> Reply:
        if asked.path.startswith("/account_memberships"):
            slow.set()
            await asyncio.sleep(30)
        reply = await api.handle(asked)
        if asked.method != "GET" and isinstance(reply.body, dict):
            reply.body["users"] = {"50": {"id": "50", "account_membership_id": "3"}}
        return reply

    async def interrupted(writing: Any) -> Any:
        task = asyncio.ensure_future(writing)
        await slow.wait()
        slow.clear()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return bulk_result(caught.value)

    include = [path("user.account_membership")]
    async with serving_http(handle) as url, KantataSession(token="t", base_url=url, rate_limit=None) as kantata:
        created = await interrupted(kantata.participations.create_many(people(1), include=include))
        assert [one.status for one in created] == ["created"]
        rows = [{"id": created[0].entity.id, "can_invite": True}]
        updated = await interrupted(kantata.participations.update_many(rows, include=include))
        assert [one.status for one in updated] == ["updated"]


async def test_an_error_in_the_loop_over_a_stream_leaves_no_row_untold(api: Api) -> None:
    """It never passes through the stream, and all the same leads to what was not handed out."""
    handed: list[Outcome[Any]] = []

    async def consume(kantata: KantataSession) -> None:
        async for outcome in kantata.participations.create_stream(people(650)):
            handed.append(outcome)
            await asyncio.sleep(0)
            if len(handed) == 130:
                raise ZeroDivisionError

    async with session_of(api, concurrency=2) as kantata:
        with pytest.raises(ZeroDivisionError) as caught:
            await asyncio.create_task(consume(kantata))
        result = bulk_result(caught.value)
        await asyncio.sleep(0.05)
    assert result is not None
    outcomes = {one.index: one for one in [*handed, *result]}
    assert sorted(outcomes) == list(range(650))
    there = {int(one["user_id"]) - 50 for one in api.of("participations")}
    for index, one in outcomes.items():
        assert one.status == "unknown" or (one.status == "created") == (index in there)


async def test_a_stream_that_ran_to_its_end_leaves_nothing_behind(api: Api) -> None:
    """What fails after it, where the last outcome is still at hand, interrupted no writing."""

    async def consume(kantata: KantataSession) -> None:
        async for outcome in kantata.participations.create_stream(people(3)):
            assert outcome.done
        raise ZeroDivisionError

    async with session_of(api) as kantata:
        with pytest.raises(ZeroDivisionError) as caught:
            await consume(kantata)
    assert bulk_result(caught.value) is None


async def test_a_session_that_closes_under_way(api: Api) -> None:
    """What never left is not sent; nobody sees a cancellation that nobody asked for."""

    for is_stream in (False, True):
        under_way = asyncio.Semaphore(0)

        async def handle(asked: Asked, under_way: asyncio.Semaphore = under_way) -> Reply:
            under_way.release()
            await asyncio.sleep(30)
            return Reply(500)

        handed: list[Outcome[Any]] = []
        async with serving_http(handle) as url:
            kantata = KantataSession(token="t", base_url=url, rate_limit=None, concurrency=2)
            await kantata.open()
            writing = asyncio.ensure_future(written(kantata, handed, is_stream=is_stream))
            await under_way.acquire()
            await under_way.acquire()
            await kantata.close()
            with pytest.raises(UsageError, match="closed") as caught:
                await writing
        counts = Counter(one.status for one in [*handed, *(bulk_result(caught.value) or ())])
        assert counts == {"unknown": 200, "not_sent": 300}


async def written(kantata: KantataSession, handed: list[Outcome[Any]], *, is_stream: bool) -> None:
    """Write 500 rows in one of two ways."""
    if is_stream:
        async for outcome in kantata.participations.create_stream(people(500)):
            handed.append(outcome)
    else:
        await kantata.participations.create_many(people(500))


async def test_a_session_that_was_never_opened(api: Api) -> None:
    """No row left, and the error says why."""
    with pytest.raises(UsageError, match="not open") as caught:
        await KantataSession(token="t").participations.create_many(people(3))
    result = bulk_result(caught.value)
    assert result is not None
    assert [one.status for one in result] == ["not_sent"] * 3


async def test_an_error_of_the_token_function_was_before_anything_left(api: Api) -> None:
    """The rows that waited for the token were not sent."""

    async def token() -> str:
        raise ZeroDivisionError

    async with session_of(api, token=token) as kantata:
        with pytest.raises(ZeroDivisionError) as caught:
            await kantata.participations.create_many(people(3))
    result = bulk_result(caught.value)
    assert result is not None
    assert [one.status for one in result] == ["not_sent"] * 3


async def test_the_callers_own_generator_is_closed(api: Api) -> None:
    """Also where the writing ends before it does."""
    closed = []

    def rows() -> Iterator[Object]:
        try:
            yield from people(300)
        finally:
            closed.append(True)

    api.instead = lambda asked: Reply(401, {"errors": [{"type": "oauth", "message": "revoked"}]})
    async with session_of(api) as kantata:
        with pytest.raises(BulkError, match="401"):
            await kantata.participations.create_many(rows())
        assert closed == [True]


def test_outcomes_travel_with_any_exception() -> None:
    """Through causes, contexts and groups; an attribute of the same name stays the program's own."""

    class ProgramsError(Exception):
        result = "its own"

    assert bulk_result(None) is None
    assert bulk_result(ProgramsError()) is None
    assert bulk_result(ExceptionGroup("several", [ValueError(), ProgramsError()])) is None


async def test_an_answer_with_objects_that_were_there_before(api: Api) -> None:
    """A create made none of them, whatever they show: not even where the answer lacks the row's own object."""
    old = api.add("participations", age=90_000, workspace_id=8, user_id=51, role="maven")

    def others(asked: Asked) -> Reply | None:
        if asked.method != "POST":
            return None
        shown = [one for one in api.of("participations") if one["user_id"] != "51" or one is old]
        return Reply(201, envelope("participations", [without(one, "workspace_id") for one in shown]))

    api.after = others
    async with session_of(api) as kantata:
        result = await kantata.participations.create_many(people(3))
    assert [one.status for one in result] == ["created"] * 3
    assert old["id"] not in [one.entity.id for one in result if one.entity is not None]


async def test_a_server_whose_dates_are_all_of_the_past(api: Api) -> None:
    """Its answers are believed: what it made is told as created."""

    def dated(asked: Asked) -> Reply | None:
        if asked.method != "POST":
            return None
        made = [{**one, "created_at": "2001-02-03T04:05:06Z"} for one in api.of("participations")]
        return Reply(201, envelope("participations", made))

    api.after = dated
    async with session_of(api) as kantata:
        result = await kantata.participations.create_many(people(3))
    assert [one.status for one in result] == ["created"] * 3


@pytest.mark.parametrize("names", ["the wrong one", "the right one"])
async def test_a_row_that_was_named_and_made_all_the_same(api: Api, names: str) -> None:
    """Either the position is wrong, which the other rows show, or somebody else was faster."""
    rows = people(3)

    def refusing(asked: Asked) -> Reply | None:
        sent = [row["user_id"] for row in asked.body["participations"]] if asked.method == "POST" else []
        if names == "the right one" and len(sent) == 3:
            api.add("participations", **rows[1])
            return Reply(422, {"errors": [{**TAKEN, "index": 1}]})
        if names == "the wrong one" and 50 in sent:
            if 51 in sent:
                api.add("participations", **rows[1])
            return Reply(422, {"errors": [{**TAKEN, "index": min(1, len(sent) - 1)}]})
        return None

    api.instead = refusing
    async with session_of(api) as kantata:
        result = await kantata.participations.create_many(rows)
    told = {"the wrong one": ["rejected", "created", "created"], "the right one": ["created", "existing", "created"]}
    assert [one.status for one in result] == told[names]
    assert sorted(one["user_id"] for one in api.of("participations")) == (
        ["51", "52"] if names == "the wrong one" else ["50", "51", "52"]
    )
