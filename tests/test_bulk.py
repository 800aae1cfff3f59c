"""Bulk writes: one outcome a row, in order, nothing twice, whatever the answer and the network are like."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from waiting import until_seen, until_still

from kantata_async import BulkError, KantataSession, RetryPolicy, UsageError, bulk_result, path
from kantata_async.api.custom_field_values import CustomFieldValuesRow
from kantata_async.sandbox import Fault, Sandbox, Switches

QUICK = RetryPolicy(attempts=8, first_wait=0.01, max_wait=0.02)
WORKSPACES = ["4", "5", "6"]

pytestmark = [
    pytest.mark.company(people=420, projects=6, switches=Switches(unique_participations=True)),
    pytest.mark.session(retry=QUICK),
]


def rows_for(sandbox: Sandbox, count: int) -> list[dict[str, Any]]:
    """People to put on projects that they are not on."""
    taken = pairs(sandbox)
    people = [user["id"] for user in sandbox.store.all("users")]
    free = (pair for pair in itertools.product(WORKSPACES, people) if not taken[pair])
    return [
        {"workspace_id": int(workspace), "user_id": person, "role": "maven"}
        for workspace, person in itertools.islice(free, count)
    ]


def pairs(sandbox: Sandbox) -> Counter[tuple[str, str]]:
    """Who is on which project, and how often."""
    return Counter((one["workspace_id"], one["user_id"]) for one in sandbox.store.all("participations"))


def pair_of(row: dict[str, Any]) -> tuple[str, str]:
    """The project and the person of a row."""
    return str(row["workspace_id"]), str(row["user_id"])


@pytest.mark.parametrize("order", ["endpoint", "sent", "shuffled"])
async def test_rows_and_entities_belong_together(kantata_sandbox: Sandbox, kantata: KantataSession, order: str) -> None:
    """Whatever the order of the answer, each row has its own entity, with what was included."""
    kantata_sandbox.switches = Switches(bulk_order=order)  # type: ignore[arg-type]
    rows = rows_for(kantata_sandbox, 250)
    result = await kantata.participations.create_many(rows, include=[path("user.account_membership.default_role")])
    assert [outcome.index for outcome in result] == list(range(250))
    assert len(result.created) == 250
    for row, outcome in zip(rows, result, strict=True):
        assert outcome.item is row
        assert outcome.entity is not None
        assert (outcome.entity.workspace_id, outcome.entity.user.id) == pair_of(row)
        assert outcome.entity.user.account_membership.default_role.name
    assert result.entities == [outcome.entity for outcome in result]
    assert kantata_sandbox.count("POST", "/participations") == 3
    result.raise_for_errors()


async def test_the_entities_of_a_result_are_those_that_are_there(
    kantata_sandbox: Sandbox, kantata: KantataSession
) -> None:
    """Created or there before, in the order of the rows, and none for a row that was refused."""
    first, second, third = rows_for(kantata_sandbox, 3)
    (made,) = (await kantata.participations.create_many([second])).entities
    rows = [first, second, {**third, "user_id": 999_999}]
    result = await kantata.participations.create_many(rows, if_exists="skip")
    assert [outcome.status for outcome in result] == ["created", "existing", "rejected"]
    assert [one.user_id for one in result.entities] == [first["user_id"], second["user_id"]]
    assert result.entities[1].id == made.id
    rejected = await kantata.participations.create_many([second], if_exists="reject")
    assert rejected[0].entity is not None
    assert rejected.entities == []


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.sampled_from([0, 1, 2, 99, 100, 101, 199, 200, 201, 300, 301]), listed=st.booleans())
def test_sizes_around_the_limit(count: int, listed: bool) -> None:
    """No row is lost at the end of a batch, from a list or from an async iterator: ceil(n / 100) requests."""

    async def run() -> None:
        async with (
            Sandbox(people=2, projects=1) as sandbox,
            KantataSession(token=sandbox.token, base_url=sandbox.url) as kantata,
        ):
            entries = [
                {"workspace_id": 1, "date_performed": "2026-08-25", "time_in_minutes": 1 + number}
                for number in range(count)
            ]
            result = await kantata.time_entries.create_many(entries if listed else one_by_one(entries))
            assert [outcome.entity.time_in_minutes for outcome in result if outcome.entity] == [
                1 + number for number in range(count)
            ]
            assert len(sandbox.requests) == -(-count // 100)

    asyncio.run(run())


async def one_by_one(items: list[Any]) -> AsyncIterator[Any]:
    """The same items, made one by one."""
    for item in items:
        yield item


async def test_equal_rows_are_rows(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Rows that are equal each have an object of their own."""
    kantata_sandbox.switches = Switches(bulk_order="shuffled")
    entry = {"workspace_id": 1, "date_performed": "2026-08-25", "time_in_minutes": 30}
    result = await kantata.time_entries.create_many([entry] * 7)
    assert len({outcome.entity.id for outcome in result if outcome.entity}) == 7


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (3, "row 1 must be a mapping"),
        ({"workspace_id": 1}, "row 1 needs role"),
        ({"workspace_id": 1, "role": "maven", "usr_id": 2}, "row 1.usr_id is not a field here; did you mean 'user_id'"),
        ({"workspace_id": 1, "role": "maven", "can_invite": "yes"}, "row 1.can_invite takes True or False"),
        ({"workspace_id": None, "role": "maven"}, "row 1.workspace_id"),
    ],
    ids=["no mapping", "missing", "unknown", "wrong type", "none"],
)
async def test_a_wrong_row_is_told_with_its_position(
    kantata_sandbox: Sandbox, kantata: KantataSession, row: Any, said: str
) -> None:
    """A wrong row is told before anything is sent."""
    good = {"workspace_id": 4, "user_id": 9, "role": "maven"}
    with pytest.raises(UsageError, match=said.replace(".", r"\.").replace("?", r"\?")):
        await kantata.participations.create_many([good, row])
    assert kantata_sandbox.requests == []


@pytest.mark.parametrize("rows", [{"workspace_id": 1}, "rows", b"rows", 3, None])
async def test_what_holds_no_rows(kantata: KantataSession, rows: Any) -> None:
    """One mapping is not many, and text is not rows."""
    with pytest.raises(UsageError, match="iterable of mappings"):
        await kantata.participations.create_many(rows)


@pytest.mark.parametrize("atomic", [True, False], ids=["atomic", "in part"])
@pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
@pytest.mark.parametrize("faults", [False, True], ids=["calm", "faults"])
async def test_bad_and_present_rows_through_a_bad_network(
    kantata_sandbox: Sandbox, kantata: KantataSession, atomic: bool, index: bool, faults: bool
) -> None:
    """Nobody twice, nobody missing, every bad row named, whatever the documentation leaves open."""
    kantata_sandbox.switches = Switches(
        bulk_atomic=atomic, error_index=index, bulk_order="shuffled", unique_participations=True
    )
    rows = rows_for(kantata_sandbox, 330)
    for position in (7, 120, 329):
        rows[position] = {**rows[position], "user_id": 9_000_000 + position}
    for position in (0, 121, 250):
        workspace, person = pair_of(rows[position])
        old = "2026-08-25T10:00:00-07:00"
        kantata_sandbox.store.add(
            "participations", {"workspace_id": workspace, "user_id": person, "role": "maven", "created_at": old}
        )
    if faults:
        kantata_sandbox.faults.add(
            Fault("reset", when="after", method="POST", skip=1),
            Fault("disconnect", when="before", method="POST", skip=2),
            Fault("proxy", when="after", method="POST", status=503, skip=3),
            Fault("status", when="before", status=503),
            Fault("status", when="before", status=429),
            Fault("reset", when="before", method="GET"),
        )
    result = await kantata.participations.create_many(rows)
    assert [outcome.index for outcome in result.rejected] == [7, 120, 329]
    assert [outcome.index for outcome in result.existing] == [0, 121, 250]
    assert len(result.created) == 324
    assert all(outcome.errors for outcome in result.rejected)
    there = pairs(kantata_sandbox)
    assert max(there.values()) == 1
    assert all(there[pair_of(row)] for row, outcome in zip(rows, result, strict=True) if outcome.done)
    with pytest.raises(BulkError, match="row 7 is rejected"):
        result.raise_for_errors()


@pytest.mark.session(retry=QUICK, concurrency=1)
async def test_what_is_there_is_found_where_batches_are_refused_whole(
    kantata_sandbox: Sandbox, kantata: KantataSession
) -> None:
    """Once it is known that a refused batch does nothing, only the rows that the API names are looked for."""
    rows = rows_for(kantata_sandbox, 400)
    for index in (50, 150, 399):
        await kantata.participations.create(**rows[index])  # type: ignore[arg-type]
    rows[250] = {**rows[250], "user_id": 999_999}
    kantata_sandbox.clear_log()
    result = await kantata.participations.create_many(rows)
    assert [outcome.index for outcome in result.existing] == [50, 150, 399]
    assert [outcome.index for outcome in result.rejected] == [250]
    assert len(result.created) == 396
    assert kantata_sandbox.count("POST", "/participations") == 8
    assert kantata_sandbox.count("GET") <= 10


async def test_where_nothing_can_be_looked_up(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """A lost answer for objects that nothing identifies is unknown: it is not sent again."""
    kantata_sandbox.faults.add(Fault("reset", when="after", method="POST"))
    entry = {"workspace_id": 1, "date_performed": "2026-08-25", "time_in_minutes": 30}
    result = await kantata.time_entries.create_many([entry] * 150)
    assert len(result.unknown) in {50, 100}
    assert all("may or may not" in (outcome.reason or "") for outcome in result.unknown)
    assert kantata_sandbox.count("POST", "/time_entries") == 2


async def test_the_callers_own_key_and_find(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """With key and find, rows of any resource can be looked for, and are not sent twice."""
    kantata_sandbox.faults.add(Fault("reset", when="after", method="POST"))

    async def find(items: Any) -> Any:
        return [entry async for entry in kantata.time_entries.list(workspace_id=1)]

    entries = [
        {"workspace_id": 1, "date_performed": "2026-08-25", "time_in_minutes": 5, "notes": f"import {number}"}
        for number in range(120)
    ]
    result = await kantata.time_entries.create_many(entries, key=lambda data: data.get("notes"), find=find)
    assert len(result.created) == 120
    noted = Counter(entry["notes"] for entry in kantata_sandbox.store.all("time_entries"))
    assert all(noted[entry["notes"]] == 1 for entry in entries)


async def test_external_references_identify_rows(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """A row with an external reference is looked for by it."""
    kantata_sandbox.faults.add(Fault("reset", when="after", method="POST"))
    rows = [
        {
            "title": f"Imported {number}",
            "workspace_id": 1,
            "story_type": "task",
            "external_reference": {"service_name": "erp", "service_model": "task", "service_model_ref": f"T{number}"},
        }
        for number in range(40)
    ]
    result = await kantata.stories.create_many(rows)
    assert len(result.created) == 40
    titles = Counter(story["title"] for story in kantata_sandbox.store.all("stories"))
    assert all(titles[row["title"]] == 1 for row in rows)


async def test_without_a_bulk_create(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Resources without a bulk create get single ones, with the same outcomes."""
    kantata_sandbox.faults.add(Fault("reset", when="after", method="POST", skip=2))
    result = await kantata.roles.create_many({"name": f"Role {number}"} for number in range(12))
    assert len(result.created) == 12
    names = Counter(role["name"] for role in kantata_sandbox.store.all("roles"))
    assert all(names[f"Role {number}"] == 1 for number in range(12))


@pytest.mark.parametrize(
    ("if_exists", "status", "can_invite"),
    [("skip", "existing", False), ("update", "existing", True), ("reject", "rejected", False)],
)
async def test_if_exists(
    kantata_sandbox: Sandbox, kantata: KantataSession, if_exists: Any, status: str, can_invite: bool
) -> None:
    """Rows that were there before are left, changed or refused; also where the API would take them twice."""
    kantata_sandbox.switches = Switches(unique_participations=False)
    rows = rows_for(kantata_sandbox, 5)
    first = await kantata.participations.create_many([{**row, "can_invite": False} for row in rows[:2]])
    result = await kantata.participations.create_many(
        [{**row, "can_invite": True} for row in rows], if_exists=if_exists
    )
    assert [outcome.status for outcome in result] == [status, status, "created", "created", "created"]
    assert max(pairs(kantata_sandbox).values()) == 1
    held = kantata_sandbox.store.get("participations", first[0].entity.id)  # type: ignore[union-attr]
    assert held is not None
    assert held["can_invite"] is can_invite


async def test_if_exists_needs_something_to_go_by(kantata: KantataSession) -> None:
    """Where nothing tells what makes an object the same, if_exists is refused."""
    with pytest.raises(UsageError, match="find="):
        await kantata.time_entries.create_many([], if_exists="skip")
    with pytest.raises(UsageError, match="if_exists takes"):
        await kantata.participations.create_many([], if_exists="ignore")  # type: ignore[arg-type]


async def test_twice_in_a_row(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """The same rows again are all told as existing."""
    rows = rows_for(kantata_sandbox, 150)
    assert len((await kantata.participations.create_many(rows)).created) == 150
    again = await kantata.participations.create_many(rows, if_exists="skip")
    assert len(again.existing) == 150
    assert max(pairs(kantata_sandbox).values()) == 1


# --- interruption ---


async def test_cancelled(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """A deadline ends it, and the outcomes so far travel with the exception: sent ones unknown, others not sent."""
    kantata_sandbox.latency = 5
    rows = rows_for(kantata_sandbox, 400)

    async def write() -> None:
        async with asyncio.timeout(None) as deadline:
            ending = asyncio.create_task(end(deadline))
            await kantata.participations.create_many(rows)
            await ending

    async def end(deadline: asyncio.Timeout) -> None:
        await until_seen(kantata_sandbox, 4)
        deadline.reschedule(asyncio.get_running_loop().time())

    with pytest.raises(TimeoutError) as caught:
        await write()
    result = bulk_result(caught.value)
    assert result is not None
    assert {outcome.status for outcome in result} == {"unknown"}
    assert len(result) == 400


def test_interrupted_from_the_keyboard() -> None:
    """Ctrl-C ends it, and the outcomes so far can be had from the KeyboardInterrupt."""

    async def run() -> None:
        async with (
            Sandbox(people=220, projects=3, latency=0.2) as sandbox,
            KantataSession(token=sandbox.token, base_url=sandbox.url, concurrency=1) as kantata,
        ):

            async def interrupt() -> None:
                await until_seen(sandbox, 2)
                signal.raise_signal(signal.SIGINT)

            interrupting = asyncio.create_task(interrupt())
            entry = {"workspace_id": 1, "date_performed": "2026-08-25", "time_in_minutes": 30}
            await kantata.time_entries.create_many([entry] * 300)
            await interrupting

    with pytest.raises(KeyboardInterrupt) as caught:
        asyncio.run(run())
    result = bulk_result(caught.value)
    assert result is not None
    assert [len(result.created), len(result.unknown), len(result.not_sent)] == [100, 100, 100]


async def test_an_error_of_the_source(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """A bug in the caller's own iterator comes through as it is, with the outcomes of the rows before it."""

    def failing() -> Iterator[dict[str, Any]]:
        yield from rows_for(kantata_sandbox, 250)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        await kantata.participations.create_many(failing())
    result = bulk_result(caught.value)
    assert result is not None
    assert len(result) == 250
    there = pairs(kantata_sandbox)
    for outcome in result:
        assert outcome.status in {"created", "unknown", "not_sent"}
        if outcome.status != "unknown":
            assert there[pair_of(outcome.item)] == (outcome.status == "created")


async def test_a_revoked_token(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """401 ends a bulk write: what was done is told, the rest was not sent."""
    rows = rows_for(kantata_sandbox, 400)
    kantata_sandbox.faults.add(Fault("status", status=401, skip=1, times=None))
    with pytest.raises(BulkError, match="401") as caught:
        await kantata.participations.create_many(one_by_one(rows))
    result = bulk_result(caught.value)
    assert result is caught.value.result
    assert result is not None
    there = pairs(kantata_sandbox)
    assert all(there[pair_of(outcome.item)] == (outcome.status == "created") for outcome in result)
    assert len(result.created) == 100


async def test_a_project_that_may_not_be_touched(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """A refusal that is about everything in a batch is told for each row, without sending them one by one."""
    kantata_sandbox.faults.add(Fault("status", status=403, times=1))
    rows = rows_for(kantata_sandbox, 60)
    result = await kantata.participations.create_many(rows)
    assert len(result.rejected) == 60
    assert kantata_sandbox.count("POST", "/participations") == 1


async def test_a_server_that_is_away(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """What surely was not carried out is told as not sent, with the reason."""
    kantata_sandbox.faults.add(Fault("status", status=503, times=None))
    result = await kantata.participations.create_many(rows_for(kantata_sandbox, 150))
    assert len(result.not_sent) == 150
    assert all("503" in (outcome.reason or "") for outcome in result)


# --- streaming ---


@pytest.mark.session(concurrency=2)
async def test_a_stream_takes_rows_as_it_goes(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """A slow consumer holds the source back: not all is taken while it looks at the first outcome."""
    taken = 0

    async def source() -> AsyncIterator[dict[str, Any]]:
        nonlocal taken
        for row in rows_for(kantata_sandbox, 900):
            taken += 1
            yield row

    outcomes = []
    async for outcome in kantata.participations.create_stream(source()):
        outcomes.append(outcome)
        if len(outcomes) == 1:
            await until_still(lambda: taken)
            assert taken < 900
    assert sorted(outcome.index for outcome in outcomes) == list(range(900))
    assert {outcome.status for outcome in outcomes} == {"created"}
    assert taken == 900


async def test_leaving_a_stream_ends_it(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Breaking out of the stream stops the writing, and leaves no task behind."""
    before = asyncio.all_tasks()
    stream = kantata.participations.create_stream(one_by_one(rows_for(kantata_sandbox, 900)))
    async for _ in stream:
        break
    await stream.aclose()
    assert not [task for task in asyncio.all_tasks() - before if "kantata_async/bulk" in repr(task)]


async def test_a_stream_tells_its_error(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """What ends a stream is raised at its end."""
    kantata_sandbox.faults.add(Fault("status", status=401, skip=1, times=None))
    seen: list[int] = []

    async def read() -> None:
        async for outcome in kantata.participations.create_stream(one_by_one(rows_for(kantata_sandbox, 300))):
            seen.append(outcome.index)

    with pytest.raises(BulkError, match="401"):
        await read()
    assert len(seen) == 100


# --- updating and deleting ---


async def test_update_many(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Each object is updated once; a lost answer is looked into, and a missing object is told."""
    kantata_sandbox.faults.add(Fault("reset", when="after", method="PUT"), Fault("disconnect", method="PUT", skip=3))
    ids = [role["id"] for role in kantata_sandbox.store.all("roles")][:6]
    rows = [{"id": id, "name": f"New {id}"} for id in ids] + [{"id": 999_999, "name": "none"}]
    result = await kantata.roles.update_many(rows)
    assert len(result.updated) == 6
    assert [outcome.index for outcome in result.rejected] == [6]
    names = {role["id"]: role["name"] for role in kantata_sandbox.store.all("roles")}
    assert all(names[id] == f"New {id}" for id in ids)
    for wrong, said in [({"name": "x"}, "needs an id"), ({"id": 1}, "changes nothing"), (3, "must be a mapping")]:
        with pytest.raises(UsageError, match=said):
            await kantata.roles.update_many([wrong])  # type: ignore[list-item]


async def test_an_update_shown_under_another_name(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """After a lost answer, a field counts as set too where the API shows it as is_…, or only when asked for."""
    held = kantata_sandbox.store.all("participations")[0]["id"]
    kantata_sandbox.faults.add(Fault("reset", when="after", method="PUT"))
    row = {"id": held, "team_lead": True, "can_schedule_team_hours": True}
    result = await kantata.participations.update_many([row])
    assert len(result.updated) == 1
    assert kantata_sandbox.count("PUT") == 1


async def test_delete_many_in_bulk(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """All or nothing on the server's side, one by one on ours: bad ids are told, the others go."""
    entry = {"workspace_id": 1, "date_performed": "2026-08-25", "time_in_minutes": 30}
    made = await kantata.time_entries.create_many([entry] * 250)
    ids = [outcome.entity.id for outcome in made if outcome.entity]
    ids[30] = "888888"
    ids[180] = "999999"
    kantata_sandbox.faults.add(Fault("reset", when="after", method="DELETE"))
    result = await kantata.time_entries.delete_many(ids)
    assert [outcome.index for outcome in result.rejected] == [30, 180]
    assert len(result.deleted) == 248
    left = {one["id"] for one in kantata_sandbox.store.all("time_entries")}
    assert not left & set(ids)


async def test_delete_many_one_by_one(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Where there is no bulk delete each id is deleted by itself, a lost answer looked into."""
    made = await kantata.participations.create_many(rows_for(kantata_sandbox, 6))
    ids = [outcome.entity.id for outcome in made if outcome.entity]
    kantata_sandbox.faults.add(Fault("reset", when="after", method="DELETE"), Fault("disconnect", method="DELETE"))
    result = await kantata.participations.delete_many([*ids, 999_999])
    assert len(result.deleted) == 6
    assert [outcome.index for outcome in result.rejected] == [6]
    with pytest.raises(UsageError, match="id 0"):
        await kantata.participations.delete_many(["../1"])


@pytest.mark.parametrize("is_lost", [False, True])
@pytest.mark.parametrize("subject_type", ["Workspace", "WorkspaceGroup"])
async def test_values_of_custom_fields_find_their_rows(
    kantata: KantataSession,
    kantata_sandbox: Sandbox,
    subject_type: Literal["Workspace", "WorkspaceGroup"],
    is_lost: bool,
) -> None:
    """Answers spell the kind of subject otherwise than requests do; a lost answer is looked for by it as well."""
    fields = await kantata.custom_fields.list(subject_type=subject_type)
    field = next(one for one in fields if one.value_type == "string")
    rows: list[CustomFieldValuesRow] = [
        {"subject_type": subject_type, "subject_id": id, "custom_field_id": field.id, "value": f"value {id}"}
        for id in (1, 2, 3)
    ]
    if is_lost:
        kantata_sandbox.faults.add(Fault("disconnect", when="after", method="POST", path="/custom_field_values"))
    result = await kantata.custom_field_values.create_many(rows)
    assert [outcome.done for outcome in result] == [True] * 3
    assert [outcome.entity.value for outcome in result if outcome.entity is not None] == [
        "value 1",
        "value 2",
        "value 3",
    ]
    assert kantata_sandbox.count("POST", "/custom_field_values") == 1
