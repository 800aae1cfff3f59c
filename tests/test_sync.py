"""Copies, against a server that shares no code with the client, while its writers write and its network fails."""

from __future__ import annotations

import asyncio
import json
import math
import pickle
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from waiting import until

from chaos import sync as chaos
from chaos._live_server import LAG, World, living
from kantata_async import KantataSession, SyncError, TargetError, UsageError
from kantata_async.api import entity_class
from kantata_async.sandbox import Sandbox
from kantata_async.sync import (
    DuckDBTarget,
    Job,
    JobReport,
    JSONLinesTarget,
    ParquetTarget,
    Part,
    Span,
    SQLiteTarget,
    Step,
    Sync,
    Target,
)
from kantata_async.sync.job import CollectionCopy, connection_of
from kantata_async.sync.store import OpenTarget
from kantata_async.tables import EXTRA, ColumnKind, table_of

Serve = Callable[[World], str]
T = TypeVar("T")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Runs a server of a world until the test ends; gives where it is."""
    running: list[Any] = []

    def start(world: World) -> str:
        running.append(living(world))
        address: str = running[-1].__enter__()
        return address

    yield start
    for one in running:
        one.__exit__(None, None, None)


@pytest.fixture
def quiet(serve: Serve) -> str:
    """A server on which nobody writes, and which does not fail."""
    return serve(World(seed=5, objects=4000, haste=0, faults=0))


@pytest.fixture
async def kantata(quiet: str) -> AsyncIterator[KantataSession]:
    with chaos.session(quiet) as opening:
        async with opening as session:
            yield session


async def caught_up(url: str) -> None:
    """Let what was written be seen by everyone."""
    await chaos.control(url, f"ahead?seconds={2 * LAG + 2}")


# --- right -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_copy_converges_while_everyone_keeps_working(serve: Serve, tmp_path: Path, seed: int) -> None:
    """Writers create, update, delete, archive and re-date, requests fail; then one more run makes it equal."""
    url = serve(World(seed, objects=3000, haste=2.0, faults=0.2))
    await chaos.converge(url, tmp_path / "copy.db", runs=2)
    assert await chaos.check(url, tmp_path / "copy.db") > 2500


async def test_it_goes_on_where_it_was_killed(serve: Serve, tmp_path: Path) -> None:
    """A process that is killed in the middle leaves a copy that the next run makes equal."""
    url, path = serve(World(seed=6, objects=10_000, haste=0.5, faults=0.2)), tmp_path / "copy.db"
    for _ in range(2):
        running = await asyncio.create_subprocess_exec(sys.executable, "-m", "chaos.sync", url, str(path))
        await until(lambda process=running: process.returncode is not None or rows_in(path))  # type: ignore[misc]
        running.kill()
        await running.wait()
    await chaos.converge(url, path, runs=0)
    assert await chaos.check(url, path) > 7500


def rows_in(path: Path) -> int:
    """How many time entries a copy has so far."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as database:
        try:
            count: int = database.execute("SELECT count(*) FROM time_entries").fetchone()[0]
        except sqlite3.OperationalError:
            return 0
        return count


async def test_what_was_stored_is_not_read_again(quiet: str, kantata: KantataSession, tmp_path: Path) -> None:
    """A first copy that stops half-way goes on with the windows that are still to be read."""
    url = quiet
    stopped = Sync(kantata, StopsAfter(SQLiteTarget(tmp_path / "copy.db"), steps=2), lag=LAG)
    stopped.add(kantata.time_entries)
    await chaos.control(url, "import?times=12000")
    with pytest.raises(TargetError, match="no more"):
        await stopped.run()
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.time_entries)
    first = rows_in(tmp_path / "copy.db")
    report = await sync.run()
    assert 0 < first < 14_400
    assert report["time_entries"].new == 14_400 - first
    assert report["time_entries"].read < 14_400
    assert not await sync.verify()


class StopsAfter:
    """A target that stores so many steps and no more."""

    def __init__(self, target: Target, steps: int) -> None:
        self._target = target
        self._steps = steps
        self.open, self.held, self.close = target.open, target.held, target.close

    def write(self, step: Step) -> Any:
        if not self._steps:
            raise TargetError("no more")
        self._steps -= 1
        return self._target.write(step)


async def test_all_targets_hold_the_same(serve: Serve, tmp_path: Path) -> None:
    """SQLite, DuckDB, Parquet and JSON lines: what each holds is what the server has, value by value."""
    url = serve(World(seed=5, objects=1000, haste=0, faults=0))
    there = {name: await chaos.control(url, f"truth?of={name}") for name in chaos.COLLECTIONS}
    expected = {name: {id: plain(name, one) for id, one in objects.items()} for name, objects in there.items()}
    targets: dict[str, Any] = {
        "sqlite": SQLiteTarget(tmp_path / "copy.db"),
        "duckdb": DuckDBTarget(tmp_path / "copy.duckdb"),
        "parquet": ParquetTarget(tmp_path / "parquet"),
        "jsonlines": JSONLinesTarget(tmp_path / "jsonlines"),
    }
    with chaos.session(url) as opening:
        async with opening as kantata:
            for name, target in targets.items():
                await chaos.copy_of(kantata, target).run()
                for collection, objects in expected.items():
                    found = contents(target, collection)
                    assert found.keys() == objects.keys(), (name, collection)
                    for id, one in objects.items():
                        assert found[id] == one, (name, collection, id)


def contents(target: Target, collection: str) -> dict[str, dict[str, Any]]:
    """What a target holds, with texts of time and JSON read."""
    table = table_of(collection, entity_class(collection))
    target.open()
    try:
        rows = target.held(table, {}).read(table.schema.names).to_pylist()
    finally:
        target.close()
    return {row["id"]: {name: read(table.kinds[name], value) for name, value in row.items()} for row in rows}


def read(kind: ColumnKind, value: Any) -> Any:
    if kind in {ColumnKind.JSON, ColumnKind.TEXTS} and isinstance(value, str):
        return json.loads(value)
    if kind is ColumnKind.DAY and isinstance(value, str):
        return date.fromisoformat(value)
    return bool(value) if kind is ColumnKind.TRUTH and value is not None else value


def plain(collection: str, one: dict[str, Any]) -> dict[str, Any]:
    """What a copy is to hold of an object."""
    kinds = table_of(collection, entity_class(collection)).kinds
    row: dict[str, Any] = dict.fromkeys(kinds)
    for name, value in one.items():
        match kinds.get(name):
            case None:
                row[EXTRA] = {**(row[EXTRA] or {}), name: value}
            case ColumnKind.INSTANT if value is not None:
                row[name] = datetime.fromisoformat(value).astimezone(UTC)
            case ColumnKind.DAY if value is not None:
                row[name] = date.fromisoformat(value)
            case _:
                row[name] = value
    return row


async def test_what_came_along_has_its_own_collection(kantata: KantataSession, tmp_path: Path) -> None:
    """Included users are there with what came of them; the list of users then makes them whole."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.time_entries, include=["user"])
    await sync.run()
    query = "SELECT count(full_name), count(email_address), sum(_listed) FROM users"
    with closing(sqlite3.connect(tmp_path / "copy.db")) as database:
        assert database.execute(query).fetchone() == (20, 0, 0)
    sync.add(kantata.users)
    report = await sync.run()
    assert report["users"].deleted == 0
    with closing(sqlite3.connect(tmp_path / "copy.db")) as database:
        assert database.execute(query).fetchone() == (20, 20, 20)


async def test_deleted_objects_are_marked(quiet: str, kantata: KantataSession, tmp_path: Path) -> None:
    """They keep what they had, with when they were found to be gone."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.time_entries)
    await sync.run()
    await chaos.control(quiet, "delete?of=time_entries&times=7")
    report = await sync.run()
    assert report["time_entries"].deleted == 7
    with closing(sqlite3.connect(tmp_path / "copy.db")) as database:
        gone = database.execute("SELECT notes FROM time_entries WHERE _deleted_at IS NOT NULL").fetchall()
    assert len(gone) == 7
    assert all(notes for (notes,) in gone)


async def test_verify_names_what_differs(quiet: str, kantata: KantataSession, tmp_path: Path) -> None:
    """An id that is missing, one that is too many, one that is older than the server's."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.time_entries)
    await sync.run()
    await caught_up(quiet)
    await sync.run()
    assert str(await sync.verify()) == "time_entries: equal"
    with closing(sqlite3.connect(tmp_path / "copy.db")) as database:
        ids = [id for (id,) in database.execute("SELECT id FROM time_entries LIMIT 2")]
        database.execute("DELETE FROM time_entries WHERE id = ?", ids[:1])
        database.execute("UPDATE time_entries SET updated_at = '2020-01-01T00:00:00.000000' WHERE id = ?", ids[1:])
        database.execute("INSERT INTO time_entries (id, _listed) VALUES ('nobody', 1)")
        database.commit()
    difference = await sync.verify()
    found = difference["time_entries"]
    assert (list(found.missing), list(found.extra), list(found.stale)) == (ids[:1], ["nobody"], ids[1:])
    assert difference
    assert str(difference) == "time_entries: 1 missing, 1 extra, 1 stale"


async def test_everything_is_read_again_when_a_sweep_is_due(
    quiet: str, kantata: KantataSession, tmp_path: Path
) -> None:
    """What changed without `updated_at` telling is found by a sweep, and by nothing else."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.time_entries, sweep=timedelta(days=1))
    await sync.run()
    await chaos.control(quiet, "secretly?of=time_entries&times=5")
    await caught_up(quiet)
    assert (await sync.run())["time_entries"].changed == 0
    await chaos.control(quiet, "ahead?seconds=90000")
    await sync.run()
    assert (await sync.run())["time_entries"].changed == 5


async def test_other_arguments_begin_anew(kantata: KantataSession, tmp_path: Path) -> None:
    """A copy that is asked for otherwise is read from the beginning: its checkpoint is of other objects."""
    for include, expected in ((None, 2400), (["user"], 2400), (["user"], 0)):
        sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
        sync.add(kantata.time_entries, **({} if include is None else {"include": include}))
        report = await sync.run()
        assert report["time_entries"].read >= expected
        assert report["time_entries"].read <= 2 * expected + 5


# --- cheap -----------------------------------------------------------------------------------------------------------


async def test_what_a_run_costs(quiet: str, kantata: KantataSession, tmp_path: Path) -> None:
    """Nothing to do: at most 2 requests a job. Changes and deletions: in proportion to their number."""
    sync = chaos.copy_of(kantata, SQLiteTarget(tmp_path / "copy.db"))
    await sync.run()
    await caught_up(quiet)
    await sync.run()
    assert {job.name: job.requests for job in await sync.run()} == {
        "users": 2, "workspaces": 2, "participations": 1, "stories": 2, "time_entries": 2,
    }  # fmt: skip
    await chaos.control(quiet, "change?of=time_entries&times=900")
    await caught_up(quiet)
    report = await sync.run()
    assert report["time_entries"].changed == 900
    assert report["time_entries"].requests <= 2 + 900 // 200 + 3
    for gone in (1, 3):
        await chaos.control(quiet, f"delete?of=time_entries&times={gone}")
        report = await sync.run()
        assert report["time_entries"].deleted == gone
        assert report["time_entries"].requests <= 1 + gone * math.log2(2400 / 200) + 2


async def test_many_deletions_cost_little_where_the_feed_names_them(
    quiet: str, kantata: KantataSession, tmp_path: Path
) -> None:
    """One request for its events, and one to see whether what they name is gone; what it does not name is found too."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.time_entries)
    await sync.run()
    await chaos.control(quiet, "delete?of=time_entries&times=40&told=time_entry:deleted")
    report = await sync.run()
    assert (report["time_entries"].deleted, report["time_entries"].requests) == (40, 4)
    await chaos.control(quiet, "delete?of=time_entries&times=30&told=time_entry:deleted")
    await chaos.control(quiet, "mistell?of=time_entries&times=20&told=time_entry:deleted")
    await chaos.control(quiet, "delete?of=time_entries&times=3")
    assert (await sync.run())["time_entries"].deleted == 33
    assert not await sync.verify()


async def test_a_feed_that_says_nothing_is_asked_once(quiet: str, kantata: KantataSession, tmp_path: Path) -> None:
    """An account may have no feed, or one without these events: then deletions are found by halving alone."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.time_entries)
    await sync.run()
    for expected in (1, 0):
        await chaos.control(quiet, "asked")
        await chaos.control(quiet, "delete?of=time_entries&times=5")
        assert (await sync.run())["time_entries"].deleted == 5
        assert (await chaos.control(quiet, "asked")).get("subscribed_events", 0) == expected


async def test_a_changed_participation_costs_its_project(quiet: str, kantata: KantataSession, tmp_path: Path) -> None:
    """The projects' list tells of which projects something changed; only these are asked for."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.participations)
    await sync.run()
    await chaos.control(quiet, "change?of=participations&times=1")
    report = await sync.run()
    assert (report["participations"].requests, report["participations"].changed) == (2, 1)


async def test_the_plan_says_how_and_how_much(quiet: str, kantata: KantataSession, tmp_path: Path) -> None:
    """Before anything is read: the way of each job, what it will read, and how many requests it takes."""
    sync = chaos.copy_of(kantata, SQLiteTarget(tmp_path / "copy.db"))
    await chaos.control(quiet, "asked")
    planned = {job.name: job for job in await sync.plan()}
    assert sum((await chaos.control(quiet, "asked")).values()) == 5
    assert planned["time_entries"].rows == 2400
    assert "closed windows of updated_at" in planned["time_entries"].way
    assert "through workspaces" in planned["participations"].way
    assert planned["participations"].rows == len(await chaos.control(quiet, "truth?of=participations"))
    assert {job.name: job.requests for job in await sync.run()} == {name: job.requests for name, job in planned.items()}
    planned = {job.name: job for job in await sync.plan()}
    assert {job.name: job.requests for job in await sync.run()} == {name: job.requests for name, job in planned.items()}


# --- clear -----------------------------------------------------------------------------------------------------------


async def test_one_job_that_fails_stops_no_other(kantata: KantataSession, tmp_path: Path) -> None:
    """The report on the error says what stopped it, and what the others came to."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.roles)
    sync.add(kantata.users)
    with pytest.raises(SyncError, match="1 of 2 jobs failed: roles: 404") as caught:
        await sync.run()
    report = caught.value.report
    assert not report.ok
    assert report["users"].new == 20
    assert report["roles"].behind is None
    assert "roles failed: 404" in str(report)


async def test_the_report(kantata: KantataSession, tmp_path: Path) -> None:
    """It tells how far behind the copy is, and which columns never came."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.users)
    seen: list[JobReport] = []
    report = await sync.run(progress=seen.append)
    job = report["users"]
    assert job.behind is not None
    assert timedelta(seconds=LAG) <= job.behind <= timedelta(seconds=LAG + 2)
    assert "manager_id" in job.not_sent
    assert "headline" not in job.not_sent
    assert seen[-1].new == 20
    assert json.loads(json.dumps(job.to_dict()))["read"] == 20


async def test_runs_follow_each_other(quiet: str, kantata: KantataSession, tmp_path: Path) -> None:
    """A report a run, until nobody takes another; a job that fails is in it and tried again."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.users)
    sync.add(kantata.roles)
    async with aclosing(sync.follow(every=0.01)) as reports:
        first = await anext(reports)
        second = await anext(reports)
    assert (first["users"].new, second["users"].new) == (20, 0)
    assert first["roles"].error is not None
    with pytest.raises(UsageError, match="every"):
        await anext(sync.follow(every=0))


async def test_two_runs_at_once(kantata: KantataSession, quiet: str, tmp_path: Path) -> None:
    """The second one on the same target says so and does nothing."""
    await chaos.second_refuses(quiet, tmp_path / "copy.db")


@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("attachments", {}, "no list"),
        ("users", {"order": "full_name"}, "chooses how to read"),
        ("users", {"only": [1]}, "chooses how to read"),
        ("time_entries", {"updated_before": datetime(2026, 1, 1, tzinfo=UTC)}, "chooses how to read"),
        ("time_entries", {"include": ["usr"]}, "did you mean 'user'"),
        ("time_entries", {"updated_afte": 1}, "did you mean 'updated_after'"),
    ],
)
async def test_what_cannot_be_added(
    kantata: KantataSession, tmp_path: Path, name: str, arguments: dict[str, Any], complaint: str
) -> None:
    """Wrong arguments are refused at once, before anything is sent or opened."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"))
    with pytest.raises(UsageError, match=complaint):
        sync.add(getattr(kantata, name), **arguments)


async def test_misuse_is_told(kantata: KantataSession, tmp_path: Path) -> None:
    """Nothing to copy, the same twice, and a target that is none."""
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"))
    with pytest.raises(UsageError, match="nothing to copy"):
        await sync.run()
    sync.add(kantata.users)
    with pytest.raises(UsageError, match="added already"):
        sync.add(kantata.users)
    with pytest.raises(UsageError, match="open, write, held and close"):
        Sync(kantata, "kantata.db")  # type: ignore[arg-type]
    for nothing in ("skills", kantata.skills.list, None):
        with pytest.raises(UsageError, match=r"a resource such as kantata\.users"):
            sync.add(nothing)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="sweep is a timedelta, not 86400"):
        sync.add(kantata.skills, sweep=86400)  # type: ignore[arg-type]
    for lag in (-1, float("nan"), float("inf"), "3m"):
        with pytest.raises(UsageError, match="lag"):
            Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=lag)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        Job("participations", (("include", "user"),), lag=60, sweep=86_400),
        Part("participations", (("include", "user"),), (("workspace_id", "7"),)),
        Part("time_entries").within(Span(None, 1_700_000_000)),
    ],
)
def test_jobs_and_parts_are_values(value: Job | Part) -> None:
    """They pickle, and write themselves as JSON, and are the same afterwards; they are small, and keys."""
    assert type(value).from_json(value.to_json()) == value
    assert pickle.loads(pickle.dumps(value)) == value
    assert {value: 1}[type(value).from_json(value.to_json())] == 1
    assert len(value.to_json()) < 200


def test_parts_have_names() -> None:
    """A name is what a checkpoint is kept under."""
    assert Part("participations", of=(("workspace_id", "7"),)).name == "participations?workspace_id=7"
    window = Span(1_600_000_000, 1_700_000_000)
    assert Part("users", window=window).name == "users 2020-09-13T12:26:40Z..2023-11-14T22:13:20Z"


@pytest.mark.parametrize("text", ["", "7", '{"resource": 1}', '{"of": []}'])
def test_what_is_no_part_is_refused(text: str) -> None:
    """A text of something else says so."""
    with pytest.raises(UsageError, match="no Part as JSON"):
        Part.from_json(text)


async def test_a_divided_job(quiet: str, kantata: KantataSession, tmp_path: Path) -> None:
    """Its windows are copied as parts of their own, in any order; then the job goes on from where they have come to."""
    target = SQLiteTarget(tmp_path / "copy.db")
    sync = Sync(kantata, target, lag=LAG)
    sync.add(kantata.time_entries)
    copy = CollectionCopy(connection_of(kantata), kantata.time_entries, Job.from_json(sync.jobs[0].to_json()))

    async def stored(act: Callable[[OpenTarget], Awaitable[T]]) -> T:
        store = OpenTarget(target)
        await store.open()
        try:
            return await act(store)
        finally:
            await store.close()

    parts = await stored(lambda store: copy.divide(store, 500))
    assert parts is not None
    assert len(parts) >= 5
    assert await stored(lambda store: copy.divide(store, 500)) == parts
    for part in parts[::-1]:
        report = await stored(lambda store: copy.run_part(part, store))  # noqa: B023 - it is awaited here
        assert report.error is None
    assert (await stored(lambda store: copy.run_part(parts[0], store))).requests == 0
    assert await stored(lambda store: copy.divide(store, 500)) is None
    report = (await sync.run())["time_entries"]
    assert report.read < 50
    assert not await sync.verify()
    with closing(sqlite3.connect(tmp_path / "copy.db")) as database:
        assert database.execute("SELECT part FROM _kantata_checkpoints").fetchall() == [("time_entries",)]


async def test_what_was_asked_for_begins_no_earlier(quiet: str, kantata: KantataSession, tmp_path: Path) -> None:
    """A window that begins before `updated_after` holds nothing older than that, however it is halved."""
    await chaos.control(quiet, "import?times=12000")
    since = datetime.now(UTC) - timedelta(days=100)
    sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"), lag=LAG)
    sync.add(kantata.time_entries, updated_after=since)
    await sync.run()
    there = await chaos.control(quiet, "truth?of=time_entries")
    updated = {id: datetime.fromisoformat(one["updated_at"]) for id, one in there.items()}
    assert chaos.held(tmp_path / "copy.db", "time_entries").keys() == {id for id, at in updated.items() if at >= since}


async def test_every_list_can_be_copied(tmp_path: Path) -> None:
    """All of the catalogue's lists, from a sandbox; then a run finds nothing new, and the copy is equal."""
    async with (
        Sandbox(people=30, projects=5) as sandbox,
        KantataSession(token=sandbox.token, base_url=sandbox.url, rate_limit=None) as kantata,
    ):
        sync = Sync(kantata, SQLiteTarget(tmp_path / "copy.db"))
        for name in dir(type(kantata)):
            operations = {} if name.startswith("_") else getattr(getattr(kantata, name), "operations", {})
            if "list" in operations and operations["list"].collection is not None:
                sync.add(getattr(kantata, name))
        assert sum(job.new for job in await sync.run()) > 500
        again = await sync.run()
        assert [job.name for job in again if job.new or job.changed or job.deleted] == []
        assert not await sync.verify()
        # A value's answer spells the kind of its subject otherwise than the filter that it is read by.
        value = await kantata.custom_field_values.list(subject_type="WorkspaceGroup").first()
        assert value is not None
        await kantata.custom_field_values.delete(value.id)
        after = await sync.run()
        assert {job.name: job.deleted for job in after if job.deleted} == {"custom_field_values": 1}
        assert not await sync.verify()
