"""Copies in a real PostgreSQL: what it holds, the transaction, the lock, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from adbc_driver_postgresql import dbapi
from test_sync import contents, plain
from test_sync_targets import NOW, TABLE, entry, kept, rows
from waiting import until

from benchmarks._postgres_server import postgres
from chaos import sync as chaos
from chaos._live_server import World, living
from kantata_async import KantataSession, Money
from kantata_async.errors import SyncError, TargetError
from kantata_async.sandbox import Sandbox
from kantata_async.sync import PostgresTarget, Step, Sync, Written


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with postgres() as address:
        yield address


def select(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with dbapi.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def test_what_a_step_comes_to(dsn: str) -> None:
    """New, changed and gone objects are told apart, and types are PostgreSQL's own."""
    target = PostgresTarget(dsn, schema="steps")
    assert target.open() == {}
    one = entry(
        "1", date_performed="2026-02-03", rate_in_cents=2**62, external_reference_ids=["7", "8"], billable=False,
        notes="a\0b'\n", strange={"x": [1, None]},
    )  # fmt: skip
    assert target.write(Step(NOW, [rows(one, entry("2"))])) == {"time_entries": Written(new=2)}
    step = Step(NOW, [rows(one, entry("2", notes="x"), entry("3"))], {TABLE: ["1", "no"]}, {"users": "1"})
    assert target.write(step) == {"time_entries": Written(new=1, changed=1, deleted=1)}
    assert kept(target, "notes") == {"2": {"notes": "x"}, "3": {"notes": None}}
    target.close()
    columns = (
        "date_performed, rate_in_cents, external_reference_ids, billable, notes, _extra->'strange'->>'x', created_at"
    )
    found = select(dsn, f"SELECT {columns} FROM steps.time_entries WHERE _deleted_at IS NOT NULL")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert found == [(date(2026, 2, 3), 2**62, ["7", "8"], False, "ab'\n", "[1,null]", at)]
    again = PostgresTarget(dsn, schema="steps", on_deletion="remove")
    assert again.open() == {"users": "1"}
    assert again.write(Step(NOW, deleted={TABLE: ["2"]})) == {"time_entries": Written(deleted=1)}
    again.close()
    assert select(dsn, "SELECT count(*) FROM steps.time_entries") == [(2,)]


def test_what_comes_along_does_not_spoil_what_was_listed(dsn: str) -> None:
    """Only what is newer is stored over it, and with what it was sent alone."""
    target = PostgresTarget(dsn, schema="along")
    target.open()
    target.write(Step(NOW, [rows(entry("1", notes="rich", rate_in_cents=5))]))
    target.write(Step(NOW, [rows(entry("1", notes="same"), listed=False)]))
    assert kept(target, "notes", "rate_in_cents") == {"1": {"notes": "rich", "rate_in_cents": 5}}
    newer = {**entry("1", notes="newer"), "updated_at": "2026-02-01T00:00:00Z"}
    target.write(Step(NOW, [rows(newer, listed=False)]))
    assert kept(target, "notes", "rate_in_cents") == {"1": {"notes": "newer", "rate_in_cents": 5}}
    target.close()


def test_a_second_run_is_kept_out(dsn: str) -> None:
    """Of the same schema; another one is another copy. The lock ends with the connection."""
    first = PostgresTarget(dsn, schema="locked")
    first.open()
    with pytest.raises(TargetError, match="another run"):
        PostgresTarget(dsn, schema="locked").open()
    other = PostgresTarget(dsn, schema="unlocked")
    other.open()
    other.close()
    first.close()
    first.open()
    first.close()


def test_parts_are_written_at_once(dsn: str) -> None:
    """Each by one process; and none while a run writes everything, nor the other way round."""
    target = PostgresTarget(dsn, schema="parts")
    with contextlib.closing(target.of_part("users")) as users, contextlib.closing(target.of_part("stories")) as stories:
        users.open()
        stories.open()
        with pytest.raises(TargetError, match=r"users in .* is being written by another run"):
            target.of_part("users").open()
        with pytest.raises(TargetError, match="another run"):
            target.open()
        users.write(Step(NOW, [rows(entry("1"))], checkpoints={"users": "1"}))
        assert stories.write(Step(NOW, [rows(entry("1"), entry("2"))])) == {"time_entries": Written(new=1)}
    target.open()
    with contextlib.closing(target), pytest.raises(TargetError, match="another run"):
        target.of_part("users").open()


def test_parts_that_hold_the_same_objects_do_not_wait_for_each_other_for_ever(dsn: str) -> None:
    """Two processes that make the same tables at once, and store the same objects in different orders."""

    def store(place: int) -> None:
        target = PostgresTarget(dsn, schema="crossed").of_part(str(place))
        target.open()
        with contextlib.closing(target):
            for turn in range(8):
                entries = [entry(str(id), notes=f"{place} {turn}") for id in range(300)]
                target.write(Step(NOW, [rows(*entries[:: 1 if place else -1])]))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(store, range(2)))
    assert select(dsn, "SELECT count(*) FROM crossed.time_entries") == [(300,)]


async def test_the_lock_dies_with_its_owner(dsn: str) -> None:
    """A process that is killed while it has the lock leaves the copy to the next one."""
    code = (
        "import sys, time; from kantata_async.sync import PostgresTarget\n"
        f"PostgresTarget({dsn!r}, schema='killed').open(); print('open', flush=True); time.sleep(60)"
    )
    running = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE)
    assert running.stdout is not None
    assert await running.stdout.readline() == b"open\n"
    running.kill()
    await running.wait()

    def free() -> bool:
        target = PostgresTarget(dsn, schema="killed")
        try:
            target.open()
        except TargetError:
            return False
        target.close()
        return True

    await until(free)


def test_a_step_that_fails_leaves_nothing(dsn: str) -> None:
    """Neither rows nor checkpoint are there; what was before is, and the target still works."""
    target = PostgresTarget(dsn, schema="failing")
    target.open()
    target.write(Step(NOW, [rows(entry("1"))], checkpoints={"users": "1"}))
    select_nothing = "ALTER TABLE failing.time_entries ADD CONSTRAINT no CHECK (notes IS DISTINCT FROM 'refused')"
    with dbapi.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(select_nothing)
    with pytest.raises(TargetError, match="could not be written"):
        target.write(Step(NOW, [rows(entry("2")), rows(entry("3", notes="refused"))], checkpoints={"users": "2"}))
    assert kept(target).keys() == {"1"}
    assert target.write(Step(NOW, [rows(entry("2"))])) == {"time_entries": Written(new=1)}
    target.close()
    again = PostgresTarget(dsn, schema="failing")
    assert again.open() == {"users": "1"}
    again.close()


def test_what_cannot_be_written_is_told(dsn: str) -> None:
    """A database that may only be read, a copy of another version: nothing is changed."""
    target = PostgresTarget(dsn, schema="refused")
    with contextlib.closing(target):
        target.open()
        target.write(Step(NOW, [rows(entry("1"))], checkpoints={"users": "1"}))
    reading = PostgresTarget(f"{dsn}&options=-c%20default_transaction_read_only%3Don", schema="refused")
    with contextlib.closing(reading):
        assert reading.open() == {"users": "1"}
        with pytest.raises(TargetError, match=r"schema refused could not be written: .*read-only transaction"):
            reading.write(Step(NOW, [rows(entry("2"))], checkpoints={"users": "2"}))
    with dbapi.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE refused._kantata_format SET format = '99'")
    with pytest.raises(TargetError, match="format 99"):
        target.open()
    assert select(dsn, "SELECT id FROM refused.time_entries") == [("1",)]
    assert select(dsn, "SELECT checkpoint FROM refused._kantata_checkpoints") == [("1",)]


async def test_a_copy_holds_what_the_server_has(dsn: str) -> None:
    """Writers write while it is copied; then one more run makes every value equal."""
    with living(World(seed=8, objects=3000, haste=2.0, faults=0.2)) as url, chaos.session(url) as opening:
        async with opening as kantata:
            target = PostgresTarget(dsn, schema="copied")
            sync = chaos.copy_of(kantata, target)
            await sync.run()
            await sync.run()
            await chaos.settled(url)
            await sync.run()
            assert not await sync.verify()
            for collection in chaos.COLLECTIONS:
                there = await chaos.control(url, f"truth?of={collection}")
                found = contents(target, collection)
                assert found == {id: plain(collection, one) for id, one in there.items()}


async def test_a_view_shows_custom_fields_as_columns(dsn: str) -> None:
    """As PostgreSQL's own types. A view of somebody else's that depends on it stays, and is in the way of a new one."""
    async with (
        Sandbox(people=12, projects=6) as sandbox,
        KantataSession(token=sandbox.token, base_url=sandbox.url) as kantata,
    ):
        sync = Sync(kantata, PostgresTarget(dsn, schema="fields"), lag=0, custom_fields=True)
        sync.add(kantata.workspaces)
        await sync.run()
        names = ["Budget code", "Contract value", "Contract value currency", "Go-live", "Health score", "Region"]
        named = ", ".join(f'"{name}"' for name in names)
        view = "fields.workspaces_with_custom_fields"
        found = {id: values for id, *values in select(dsn, f'SELECT id, {named}, "Services" FROM {view}')}
        values = await kantata.custom_fields.of("Workspace", list(found))
        for id, (*row, services) in found.items():
            money = values[id].pop("Contract value")
            cents, currency = (money.cents, money.currency) if isinstance(money, Money) else (None, None)
            held = {**values[id], "Contract value": cents, "Contract value currency": currency}
            assert dict(zip(names, row, strict=True)) == {name: held[name] for name in names}
            assert services is None or set(services) == set(values[id]["Services"] or ())  # type: ignore[arg-type]
        types = "SELECT data_type FROM information_schema.columns WHERE table_name = 'workspaces_with_custom_fields'"
        assert {"bigint", "date", "text", "ARRAY"} <= {kind for (kind,) in select(dsn, types)}
        with dbapi.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE VIEW fields.theirs AS SELECT id FROM {view}")
        await sync.run()
        await kantata.custom_fields.create(name="Another")
        with pytest.raises(SyncError, match=r"1 of 5 jobs failed: .*could not renew the view .*depend"):
            await sync.run()
        assert len(select(dsn, "SELECT id FROM fields.theirs")) == len(found)


@pytest.mark.parametrize("altered", [False, True])
def test_what_is_new_and_what_is_not_come_together(dsn: str, altered: bool) -> None:
    """In every mixture, into an empty table and a full one, and one with a column of another type, it counts right."""
    schema = f"mixed_{altered}".lower()
    target = PostgresTarget(dsn, schema=schema)
    target.open()
    target.write(Step(NOW, [rows(entry("0"))]))
    target.close()
    if altered:
        with dbapi.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {schema}.time_entries ALTER COLUMN _extra TYPE jsonb USING _extra::jsonb")
    target.open()
    batches = [range(1, 9), range(5, 12), range(5), range(20, 30), range(8, 31), range(31)]
    held = {"0"}
    for number, batch in enumerate(batches):
        come = {str(id) for id in batch}
        notes = f"of step {number}\0"
        lists = ["7", "\0" * number]
        written = target.write(
            Step(NOW, [rows(*(entry(id, notes=notes, external_reference_ids=lists, odd=number) for id in come))])
        )
        assert written == {"time_entries": Written(new=len(come - held), changed=len(come & held))}
        held |= come
        assert kept(target, "notes").keys() == held
        assert {one["notes"] for id, one in kept(target, "notes").items() if id in come} == {notes.rstrip("\0")}
    target.close()
    again = PostgresTarget(dsn, schema=schema)
    again.open()
    assert again.write(Step(NOW, [rows(entry("99"), listed=False)])) == {"time_entries": Written(new=1)}
    again.close()
    assert select(dsn, f"SELECT count(*) FROM {schema}.time_entries WHERE NOT _listed") == [(1,)]
