"""Copies of lists that refuse, lie, or come without times; arguments that change; tables that others alter."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from listing_server import Lists, ago, refusing, serving

from kantata_async import KantataSession, SyncError, TargetError, UsageError
from kantata_async.sync import (
    DuckDBTarget,
    Held,
    JSONLinesTarget,
    ParquetTarget,
    PostgresTarget,
    SQLiteTarget,
    Step,
    Sync,
    Target,
    Written,
)
from kantata_async.sync.targets.dsn import shown, without_secrets


@pytest.fixture
async def lists() -> AsyncIterator[Lists]:
    async with serving(Lists()) as running:
        yield running


@pytest.fixture
async def kantata(lists: Lists) -> AsyncIterator[KantataSession]:
    async with KantataSession(token="token", base_url=lists.address, rate_limit=None) as session:
        yield session


def copy_of(kantata: KantataSession, target: Target, *names: str, **arguments: Any) -> Sync:
    sync = Sync(kantata, target)
    for name in names:
        sync.add(getattr(kantata, name), **arguments)
    return sync


def there(path: Path, table: str) -> set[str]:
    """The ids that a copy holds and does not call gone."""
    with closing(sqlite3.connect(path)) as database:
        return {id for (id,) in database.execute(f"SELECT id FROM {table} WHERE _deleted_at IS NULL")}


# --- parts that are refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_a_project_that_is_refused_stops_no_other(
    lists: Lists, kantata: KantataSession, tmp_path: Path, status: int
) -> None:
    """The error names it; the others are copied, and it is once it is allowed."""
    lists.add("workspaces", 3)
    participations = lists.add("participations", 30)
    for id, one in participations.items():
        one["workspace_id"] = str(int(id) % 3 + 1)
    sync = copy_of(kantata, SQLiteTarget(tmp_path / "copy.db"), "participations", "external_references")
    lists.hook = refusing("workspace_id", "2", status)
    with pytest.raises(SyncError, match=rf"1 of 3 parts were refused: participations\?workspace_id=2: {status}") as no:
        await sync.run()
    assert (no.value.report["participations"].new, no.value.report["external_references"].error) == (20, None)
    lists.hook = None
    assert (await sync.run())["participations"].new == 10
    assert not await sync.verify()


async def test_a_kind_that_is_refused_stops_no_other(lists: Lists, kantata: KantataSession, tmp_path: Path) -> None:
    """An account may lack what a kind is about."""
    lists.add("external_references", 5, subject_type="User")
    sync = copy_of(kantata, SQLiteTarget(tmp_path / "copy.db"), "external_references")
    lists.hook = refusing("subject_type", "Vendor", 403)
    with pytest.raises(SyncError, match=r"1 of 33 parts were refused: external_references\?subject_type=Vendor"):
        await sync.run()
    assert there(tmp_path / "copy.db", "external_references") == {"1", "2", "3", "4", "5"}


async def test_a_project_that_is_deleted_meanwhile_is_no_error(
    lists: Lists, kantata: KantataSession, tmp_path: Path
) -> None:
    """Between the look at the projects and the request for its own, it may go; the next run finds what is gone."""
    lists.add("workspaces", 3)
    participations = lists.add("participations", 3)
    for id, one in participations.items():
        one["workspace_id"] = id
    sync = copy_of(kantata, SQLiteTarget(tmp_path / "copy.db"), "participations")
    await sync.run()
    participations["2"]["updated_at"] = ago(0)

    def goes(collection: str, query: Any) -> tuple[int, Any] | None:
        if query.get("workspace_id") != "2":
            return None
        lists.data["workspaces"].pop("2", None)
        participations.pop("2", None)
        return 404, {}

    lists.hook = goes
    assert (await sync.run())["participations"].deleted == 0
    assert (await sync.run())["participations"].deleted == 1


# --- what an idle run costs ------------------------------------------------------------------------------------------


async def test_a_kind_in_which_nothing_changed_costs_one_request(
    lists: Lists, kantata: KantataSession, tmp_path: Path
) -> None:
    """Few objects come in one answer; of many the newest and their number say it. The plan knows."""
    lists.add("custom_field_values", 250, subject_type="Story")
    lists.add("external_references", 30, subject_type="User")
    sync = copy_of(kantata, SQLiteTarget(tmp_path / "copy.db"), "custom_field_values", "external_references")

    async def planned_and_run() -> dict[str, int]:
        planned = {job.name: job.requests for job in await sync.plan()}
        report = await sync.run()
        assert {job.name: job.requests for job in report} == planned
        return planned

    await planned_and_run()
    assert await planned_and_run() == {"custom_field_values": 6, "external_references": 33}
    lists.data["custom_field_values"]["7"]["updated_at"] = ago(0)
    lists.data["external_references"]["7"]["updated_at"] = ago(0)
    report = await sync.run()
    assert [(job.changed, job.requests) for job in report] == [(1, 8), (1, 33)]
    del lists.data["custom_field_values"]["9"], lists.data["external_references"]["9"]
    assert [job.deleted for job in await sync.run()] == [1, 1]
    assert not await sync.verify(values=True)


# --- what is asked for changes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["time_entries", "users"])
async def test_what_was_copied_when_more_was_asked_for_stays(
    lists: Lists, kantata: KantataSession, tmp_path: Path, name: str
) -> None:
    """`updated_after` may move: what lies before it is not looked at; what is gone after it is found."""
    objects, path = lists.add(name, 250), tmp_path / "copy.db"
    await copy_of(kantata, SQLiteTarget(path, on_deletion="remove"), name).run()
    later = copy_of(
        kantata, SQLiteTarget(path, on_deletion="remove"), name, updated_after=datetime.now(UTC) - timedelta(days=30)
    )
    assert [(job.new, job.deleted) for job in await later.run()] == [(0, 0)]
    assert there(path, name) == objects.keys()
    del objects["249"]
    assert [job.deleted for job in await later.run()] == [1]
    assert there(path, name) == objects.keys()
    assert not await later.verify()


async def test_another_include_has_every_project_read_again(
    lists: Lists, kantata: KantataSession, tmp_path: Path
) -> None:
    """Though nothing changed in any: what was not asked for before is not there."""
    lists.add("workspaces", 2)
    for id, one in lists.add("participations", 2).items():
        one["workspace_id"] = id
    target = SQLiteTarget(tmp_path / "copy.db")
    await copy_of(kantata, target, "participations").run()
    with_users = copy_of(kantata, target, "participations", include=["user"])
    assert [job.requests for job in await with_users.run()] == [3]
    assert [job.requests for job in await with_users.run()] == [1]


# --- times and numbers that are not what they seem -------------------------------------------------------------------


async def test_a_clock_that_was_ahead_hides_nothing(lists: Lists, kantata: KantataSession, tmp_path: Path) -> None:
    """A copy that believed a server's wrong clock is read anew when that is set back."""
    for name, kind in (("time_entries", {}), ("custom_field_values", {"subject_type": "Story"})):
        lists.add(name, 250, **kind)
    lists.ahead = 3600
    sync = copy_of(kantata, SQLiteTarget(tmp_path / "copy.db"), "time_entries", "custom_field_values")
    await sync.run()
    lists.ahead = 0
    for objects in lists.data.values():
        objects["5"] |= {"updated_at": ago(0), "created_at": ago(10_000_000)}
    assert [job.changed for job in await sync.run()] == [1, 1]
    assert not await sync.verify(values=True)


async def test_a_page_of_which_nothing_is_shown(lists: Lists, kantata: KantataSession, tmp_path: Path) -> None:
    """A count without objects does not make pages of one object each."""
    lists.hook = lambda collection, query: (200, {"count": 450, "results": [], "vendors": {}})
    report = await copy_of(kantata, SQLiteTarget(tmp_path / "copy.db"), "vendors").run()
    assert report["vendors"].requests == 3


async def test_a_list_without_pages_that_has_some(lists: Lists, kantata: KantataSession, tmp_path: Path) -> None:
    """The reference knows of no pages of it; if there are, they are read."""
    lists.add("story_follows", 45)
    assert (await copy_of(kantata, SQLiteTarget(tmp_path / "copy.db"), "story_follows").run())[
        "story_follows"
    ].new == 45


async def test_more_nulls_than_a_batch_of_the_driver(lists: Lists, kantata: KantataSession, tmp_path: Path) -> None:
    """The driver takes a column's type from its first thousand rows."""
    for id, one in lists.add("time_entries", 1_100).items():
        one["updated_at"] = None if int(id) < 1_080 else one["updated_at"]
    sync = copy_of(kantata, SQLiteTarget(tmp_path / "copy.db"), "time_entries")
    assert (await sync.run())["time_entries"].new == 1_100
    assert not await sync.verify(values=True)


# --- what others do to a target --------------------------------------------------------------------------------------

Alter = Callable[[str], None]


@pytest.fixture(params=["sqlite", "duckdb"])
def altered(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Target, Alter]:
    """A target, and what carries out a statement in it."""
    import duckdb  # noqa: PLC0415 - as of the parameter

    if request.param == "sqlite":
        target: Target = SQLiteTarget(tmp_path / "copy.db")
        connect: Callable[[], Any] = lambda: sqlite3.connect(tmp_path / "copy.db", isolation_level=None)  # noqa: E731
    else:
        target = DuckDBTarget(tmp_path / "copy.duckdb")
        connect = lambda: duckdb.connect(str(tmp_path / "copy.duckdb"))  # noqa: E731

    def alter(statement: str) -> None:
        with closing(connect()) as connection:
            connection.execute(statement)

    return target, alter


@pytest.mark.parametrize(
    ("statement", "by_time", "by_value"),
    [
        ("DELETE FROM time_entries WHERE id = '7'", "1 missing", "1 missing"),
        ("UPDATE time_entries SET id = 'x' WHERE id = '7'", "1 missing, 1 extra", "1 missing, 1 extra"),
        ("UPDATE time_entries SET notes = 'altered' WHERE id = '7'", "equal", "1 stale"),
        ("UPDATE time_entries SET rate_in_cents = 8 WHERE id IN ('7', '8')", "equal", "1 stale"),
        ("CREATE INDEX mine ON time_entries (user_id)", "equal", "equal"),
        ("ALTER TABLE time_entries ADD COLUMN mine INTEGER", "equal", "equal"),
    ],
)
async def test_what_was_altered_in_a_copy_is_told(
    lists: Lists, kantata: KantataSession, altered: tuple[Target, Alter], statement: str, by_time: str, by_value: str
) -> None:
    """Ids and times always, and values where they are to be compared."""
    target, alter = altered
    lists.add("time_entries", 20, notes="as it is", rate_in_cents=8)
    lists.data["time_entries"]["7"]["rate_in_cents"] = 7
    sync = copy_of(kantata, target, "time_entries")
    await sync.run()
    alter(statement)
    assert str((await sync.verify())["time_entries"]) == by_time
    assert str((await sync.verify(values=True))["time_entries"]) == by_value


async def test_a_column_that_was_dropped_comes_back(
    lists: Lists, kantata: KantataSession, altered: tuple[Target, Alter]
) -> None:
    """The table is widened, and everything is read again for what belongs there."""
    target, alter = altered
    lists.add("time_entries", 20, notes="as it is")
    sync = copy_of(kantata, target, "time_entries")
    await sync.run()
    alter("ALTER TABLE time_entries DROP COLUMN notes")
    assert (await sync.run())["time_entries"].changed == 20
    assert not await sync.verify(values=True)
    assert (await sync.run())["time_entries"].read == 0


async def test_odd_values_are_equal_everywhere(lists: Lists, kantata: KantataSession, tmp_path: Path) -> None:
    """What no column holds, and what a database spells in its own way, compares equal in each target."""
    odd: list[dict[str, Any]] = [
        {"title": "nul\0in", "participation_ids": ["1", "\0"]},
        {"title": ["a"], "price_in_cents": 2**70, "due_date": "2026-02-30"},
        {"title": "t", "_extra": {"a": 1}, "_synced_at": "x", "Title": 1, 'we"ird': -0.0, "huge": 10**30},
        {"title": None, "due_date": "2024-02-29", "budgeted": True, "percent_complete": -0.0},
        {"created_at": "2026-03-01T12:00:00.123456+05:30", "updated_at": "2026-03-01T12:00:00.999999999-08:00"},
    ]
    objects = lists.add("workspaces", len(odd))
    for object, attributes in zip(objects.values(), odd, strict=True):
        object.update(attributes)
    targets: list[Target] = [
        SQLiteTarget(tmp_path / "copy.db"),
        DuckDBTarget(tmp_path / "copy.duckdb"),
        ParquetTarget(tmp_path / "parquet"),
        JSONLinesTarget(tmp_path / "lines"),
    ]
    for target in targets:
        sync = copy_of(kantata, target, "workspaces")
        assert (await sync.run())["workspaces"].new == len(odd)
        assert str((await sync.verify(values=True))["workspaces"]) == "equal", target


# --- targets of one's own, and connection strings --------------------------------------------------------------------


class Own:
    """A target that remembers nothing but checkpoints."""

    def __init__(self, **gives: Any) -> None:
        self._gives = gives

    def open(self) -> Any:
        return self._gives.get("open", {})

    def write(self, step: Step) -> Any:
        return self._gives.get("write", {})

    def held(self, table: Any, of: Any, before: Any = None) -> Any:
        return self._gives.get("held", Held(0, lambda columns: None))

    def close(self) -> None:
        pass


class Asynchronous(Own):
    async def write(self, step: Step) -> Any:
        return {"users": Written()}


@pytest.mark.parametrize("target", [SQLiteTarget, Own, Asynchronous(), None, "copy.db"])
async def test_what_is_no_target(kantata: KantataSession, target: Any) -> None:
    """A class is none, nor is what has coroutines as methods."""
    with pytest.raises(UsageError, match=r"^(a target has the methods|the methods of a target block)"):
        Sync(kantata, target)


@pytest.mark.parametrize("method", ["open", "write", "held"])
async def test_what_a_target_is_to_give(lists: Lists, kantata: KantataSession, method: str) -> None:
    """A target of one's own that gives nothing is told which method is to give what."""
    lists.add("users", 1)
    with pytest.raises(TargetError, match=rf"{method} of <.*Own object.*> gave None, not (a mapping|Held)"):
        await copy_of(kantata, Own(**{method: None}), "users", updated_after=datetime(2020, 1, 1, tzinfo=UTC)).run()


@pytest.mark.parametrize("path", [5, None, ["copy.db"], "a\0b", "", ":memory:"])
@pytest.mark.parametrize("kind", [SQLiteTarget, DuckDBTarget])
def test_what_is_no_path(kind: Any, path: Any) -> None:
    """It is refused by name, before anything is opened."""
    with pytest.raises(UsageError, match=r"a copy is kept (at a path|in a file)|no path has"):
        kind(path)


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://me:hunter2@host:5432/db", "postgresql://host/db"),
        ("postgres://me:hunter/2?x@host/db?sslmode=require", "postgres://host/db"),
        ("postgresql://me:hunter@2@[::1]:5/db", "postgresql://::1/db"),
        ("postgresql://host/db?password=hunter2&user=me", "postgresql://host/db"),
        ("host=host user=me password='hunter 2' dbname=db", "postgresql://host/db"),
        ("hunter2", "postgresql:///"),
    ],
)
def test_what_is_shown_of_a_connection_string(dsn: str, expected: str) -> None:
    """The host and the database; of a password nothing, whatever it holds."""
    assert shown(dsn) == expected
    if dsn != "hunter2":
        assert "hunter" not in without_secrets(f"cannot use {dsn}", dsn)


@pytest.mark.parametrize("dsn", [5, None, "", b"postgresql://me:hunter2@host/db"])
def test_a_connection_string_is_a_text(dsn: Any) -> None:
    """What is none is not shown, as it may hold a password."""
    with pytest.raises(UsageError, match="takes dsn as a text") as caught:
        PostgresTarget(dsn)
    assert "hunter" not in str(caught.value)


def test_no_piece_of_a_password_is_in_an_error() -> None:
    """The driver quotes what it takes for a port."""
    with pytest.raises(TargetError, match="cannot be opened") as caught:
        PostgresTarget("postgresql://me:hunter/two@127.0.0.1:1/db").open()
    assert "hunter" not in str(caught.value)
    assert caught.value.__context__ is None
