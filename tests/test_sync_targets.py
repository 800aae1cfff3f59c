"""Targets: what is stored together or not at all, the same in each of them; and how they refuse."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kantata_async.api import entity_class
from kantata_async.errors import TargetError, UsageError
from kantata_async.sync import (
    DuckDBTarget,
    JSONLinesTarget,
    ParquetTarget,
    PostgresTarget,
    Rows,
    SQLiteTarget,
    Step,
    Target,
    Written,
)
from kantata_async.tables import Batch, Table, read_batch, reader_for, table_of

TABLE = table_of("time_entries", entity_class("time_entries"))
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LATER = datetime(2026, 3, 5, tzinfo=UTC)

Make = Callable[..., Target]


@pytest.fixture(params=["sqlite", "duckdb", "parquet", "jsonlines"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes a target, each time of the same files."""
    makers: dict[str, Make] = {
        "sqlite": lambda **options: SQLiteTarget(tmp_path / "copy.db", **options),
        "duckdb": lambda **options: DuckDBTarget(tmp_path / "copy.duckdb", **options),
        "parquet": lambda **options: ParquetTarget(tmp_path / "copy", **options),
        "jsonlines": lambda **options: JSONLinesTarget(tmp_path / "copy", **options),
    }
    return makers[request.param]


def batch_of(objects: list[dict[str, Any]], table: Table = TABLE) -> Batch:
    envelope = {
        "results": [{"key": table.collection, "id": one["id"]} for one in objects],
        table.collection: {one["id"]: one for one in objects},
    }
    return read_batch(table, reader_for(entity_class).open(envelope), [one["id"] for one in objects])


def rows(*objects: dict[str, Any], listed: bool = True, table: Table = TABLE) -> Rows:
    batch = batch_of(list(objects), table)
    return Rows(table, batch.rows, batch.sent, listed)


def kept(target: Target, *columns: str) -> dict[str, Any]:
    """What a target says it holds: the columns by id."""
    found = target.held(TABLE, {}).read(["id", *columns]).to_pylist()
    return {row.pop("id"): row for row in found}


def entry(id: str, **attributes: Any) -> dict[str, Any]:
    return {"id": id, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", **attributes}


# --- what a step does ------------------------------------------------------------------------------------------------


def test_what_a_step_comes_to(make: Make) -> None:
    """New objects, changed ones and those that are gone are told apart; what is as it was counts as nothing."""
    target = make()
    assert target.open() == {}
    try:
        assert target.write(Step(NOW, [rows(entry("1"), entry("2"))])) == {"time_entries": Written(new=2)}
        again = Step(NOW, [rows(entry("1"), entry("2", notes="x"), entry("3"))], {TABLE: ["1", "nobody"]})
        assert target.write(again) == {"time_entries": Written(new=1, changed=1, deleted=1)}
        assert kept(target, "notes") == {"2": {"notes": "x"}, "3": {"notes": None}}
        assert target.write(Step(LATER, [rows(entry("1"))])) == {"time_entries": Written(changed=1)}
        assert kept(target).keys() == {"1", "2", "3"}
    finally:
        target.close()


def test_types_survive(make: Make) -> None:
    """Dates, cents, lists, nested objects and what the catalogue does not know come back as what they were."""
    target = make()
    target.open()
    try:
        sent = entry(
            "1", date_performed="2026-02-03", rate_in_cents=2**62, external_reference_ids=["7", "8"], billable=False,
            notes="a'b\n\N{GREEK SMALL LETTER LAMDA}", strange={"x": [1, None]}, created_at="2026-01-01T00:00:00-08:00",
        )  # fmt: skip
        target.write(Step(NOW, [rows(sent)]))
        columns = [
            "date_performed",
            "rate_in_cents",
            "external_reference_ids",
            "billable",
            "notes",
            "_extra",
            "created_at",
        ]
        (found,) = kept(target, *columns).values()
    finally:
        target.close()
    lists = found["external_reference_ids"]
    assert (json.loads(lists) if isinstance(lists, str) else lists) == ["7", "8"]
    days = found["date_performed"]
    assert (date.fromisoformat(days) if isinstance(days, str) else days) == date(2026, 2, 3)
    assert found["rate_in_cents"] == 2**62
    assert found["billable"] == 0
    assert found["notes"] == sent["notes"]
    assert json.loads(found["_extra"]) == {"strange": {"x": [1, None]}}
    assert found["created_at"] == datetime(2026, 1, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("there", "comes", "holds"),
    [
        ({"notes": "rich", "rate_in_cents": 5}, {"notes": "same"}, {"notes": "rich", "rate_in_cents": 5}),
        (
            {"notes": "rich", "rate_in_cents": 5},
            {"notes": "newer", "updated_at": "2026-02-01T00:00:00Z"},
            {"notes": "newer", "rate_in_cents": 5},
        ),
        (
            {"notes": "rich", "rate_in_cents": 5},
            {"notes": "older", "updated_at": "2025-02-01T00:00:00Z"},
            {"notes": "rich", "rate_in_cents": 5},
        ),
        (
            {"notes": "rich", "rate_in_cents": 5},
            {"notes": None, "updated_at": "2026-02-01T00:00:00Z"},
            {"notes": None, "rate_in_cents": 5},
        ),
    ],
)
def test_what_comes_along_does_not_spoil_what_was_listed(
    make: Make, there: Mapping[str, Any], comes: Mapping[str, Any], holds: Mapping[str, Any]
) -> None:
    """Poorer objects are stored over richer ones only where they are newer, and with what they were sent alone."""
    target = make()
    target.open()
    try:
        target.write(Step(NOW, [rows(entry("1", **there))]))
        target.write(Step(NOW, [rows({**entry("1"), **comes}, listed=False)]))
        assert kept(target, "notes", "rate_in_cents") == {"1": holds}
    finally:
        target.close()


def test_what_only_came_along_is_not_held(make: Make) -> None:
    """An object that no list gave is stored, but does not count until a list gives it."""
    target = make()
    target.open()
    try:
        written = target.write(Step(NOW, [rows({"id": "9", "notes": "along"}, listed=False)]))
        assert written == {"time_entries": Written(new=1)}
        assert target.held(TABLE, {}).count == 0
        target.write(Step(NOW, [rows(entry("9", notes="along"))]))
        assert target.held(TABLE, {}).count == 1
    finally:
        target.close()


def test_what_is_held_of_a_part(make: Make) -> None:
    """By the values of columns, and by creation, in this order."""
    target = make()
    target.open()
    try:
        entries = [
            entry(str(day), created_at=f"2026-01-{day:02}T00:00:00Z", workspace_id=str(day % 2)) for day in (3, 1, 2)
        ]
        target.write(Step(NOW, [rows(*entries)]))
        assert target.held(TABLE, {}, datetime(2026, 1, 3, tzinfo=UTC)).count == 2
        assert target.held(TABLE, {"workspace_id": "1"}).count == 2
        assert target.held(TABLE, {}).read(["created_at", "id"]).column("id").to_pylist() == ["1", "2", "3"]
        assert target.held(table_of("users", entity_class("users")), {}).count == 0
    finally:
        target.close()


def test_gone_objects_are_removed_where_told_so(make: Make) -> None:
    """`on_deletion="remove"` leaves nothing of them; another value is refused."""
    target = make(on_deletion="remove")
    target.open()
    try:
        target.write(Step(NOW, [rows(entry("1"), entry("2"))]))
        assert target.write(Step(NOW, deleted={TABLE: ["1"]})) == {"time_entries": Written(deleted=1)}
        assert target.write(Step(NOW, [rows(entry("1"))])) == {"time_entries": Written(new=1)}
    finally:
        target.close()
    with pytest.raises(UsageError, match="on_deletion"):
        make(on_deletion="forget")


@pytest.mark.parametrize("kind", [SQLiteTarget, DuckDBTarget])
@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_database_without_a_file_keeps_no_copy(kind: Any, path: str) -> None:
    """What would be gone after the run is refused at once."""
    with pytest.raises(UsageError, match="kept in a file"):
        kind(path)


def test_tables_are_widened(make: Make) -> None:
    """A column that the catalogue did not know before is added, and what was stored before keeps null in it."""
    narrow = Table("time_entries", tuple(column for column in TABLE.columns if column.name != "notes"))
    target = make()
    target.open()
    try:
        target.write(Step(NOW, [rows(entry("1"), table=narrow)]))
        target.write(Step(NOW, [rows(entry("2", notes="now"))]))
        assert kept(target, "notes") == {"1": {"notes": None}, "2": {"notes": "now"}}
    finally:
        target.close()


CUSTOM_VALUES = {
    "string": "a'b\n\N{GREEK SMALL LETTER LAMDA}",
    "date": "2026-02-03",
    "number": 0.125,
    "whole number": -7,
    "currency": [1250, "EUR"],
    "single": ["11"],
    "multi": ["11", "12"],
    "nothing chosen": [],
    "null": None,
}


def test_values_of_every_kind_of_custom_field_survive(make: Make) -> None:
    """Each is JSON of what came; null and what was not sent are null."""
    table = table_of("custom_field_values", entity_class("custom_field_values"))
    sent = [{**entry(kind), "type": kind, "value": value} for kind, value in CUSTOM_VALUES.items()]
    target = make()
    target.open()
    try:
        target.write(Step(NOW, [rows(*sent, entry("not sent"), table=table)]))
        found = target.held(table, {}).read(["id", "value"]).to_pylist()
    finally:
        target.close()
    values = {row["id"]: None if row["value"] is None else json.loads(row["value"]) for row in found}
    assert values == {**CUSTOM_VALUES, "not sent": None}


# --- all or nothing --------------------------------------------------------------------------------------------------


def test_checkpoints_are_there_when_it_is_opened_again(make: Make) -> None:
    """Each part has its last one."""
    target = make()
    target.open()
    target.write(Step(NOW, checkpoints={"users": "1", "stories": "a"}))
    target.write(Step(NOW, checkpoints={"users": "2"}))
    target.close()
    with contextlib.closing(make()) as again:
        assert again.open() == {"users": "2", "stories": "a"}


def test_a_step_that_fails_leaves_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its rows nor its checkpoint are there; what was before is, and the target still works."""
    target = make()
    target.open()
    target.write(Step(NOW, [rows(entry("1"))], checkpoints={"users": "1"}))
    broken = Rows(TABLE, None, frozenset(), listed=True)
    with pytest.raises((TargetError, AttributeError, TypeError)):
        target.write(Step(NOW, [rows(entry("1", notes="x"), entry("2")), broken], checkpoints={"users": "2"}))
    assert kept(target, "notes") == {"1": {"notes": None}}
    assert target.write(Step(NOW, [rows(entry("2"))])) == {"time_entries": Written(new=1)}
    target.close()
    again = make()
    assert again.open() == {"users": "1"}
    assert kept(again).keys() == {"1", "2"}
    again.close()


def test_a_second_run_is_kept_out(make: Make) -> None:
    """It is told so, and gets in once the first has let go."""
    first, second = make(), make()
    first.open()
    with pytest.raises(TargetError, match="another run"):
        second.open()
    first.close()
    second.open()
    second.close()
    second.close()


def test_the_lock_dies_with_its_owner(make: Make) -> None:
    """A process that was killed leaves no lock behind."""
    pid = os.fork()
    if pid == 0:
        make().open()
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    target = make()
    target.open()
    target.close()


# --- how they refuse -------------------------------------------------------------------------------------------------


def test_a_reader_of_the_file_is_waited_for(tmp_path: Path) -> None:
    """A program that reads a file which is not yet in WAL mode keeps it from being opened only while it reads."""
    path = tmp_path / "copy.db"
    with contextlib.closing(SQLiteTarget(tmp_path / "other.db")) as other:
        other.open()  # loads the driver, which takes longer than the reader reads
    with contextlib.closing(sqlite3.connect(path)) as empty:
        empty.execute("CREATE TABLE mine (id)")
    reading = "import sqlite3, sys; one = sqlite3.connect(sys.argv[1], isolation_level=None); one.execute('BEGIN'); "
    reading += "one.execute('SELECT * FROM mine').fetchall(); print('reading', flush=True); sys.stdin.read(1)"
    command = [sys.executable, "-c", reading, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        assert reader.stdin is not None
        reader.stdout.readline()
        done = threading.Timer(0.2, reader.stdin.close)
        done.start()
        target = SQLiteTarget(path)
        assert target.open() == {}
        target.close()
        done.join()


def test_another_format_is_refused(make: Make, tmp_path: Path) -> None:
    """A copy that another version wrote is not touched, and the error says so."""
    with contextlib.closing(make()) as target:
        target.open()
        target.write(Step(NOW, [rows(entry("1"))], checkpoints={"users": "1"}))
    in_format(tmp_path, "99")
    with (
        contextlib.closing(make()) as target,
        pytest.raises(TargetError, match=r"format 99, and this version .* writes 1"),
    ):
        target.open()
    in_format(tmp_path, "1")
    holds_what_was_stored(make())


def in_format(folder: Path, format: str) -> None:
    """Let the copy in a folder say that it has that format."""
    statement = f"UPDATE _kantata_format SET format = '{format}'"
    if (folder / "copy.db").exists():
        with contextlib.closing(sqlite3.connect(folder / "copy.db")) as database:
            database.execute(statement)
            database.commit()
    elif (folder / "copy.duckdb").exists():
        with contextlib.closing(duckdb.connect(str(folder / "copy.duckdb"))) as database:
            database.execute(statement)
    else:
        manifest = folder / "copy" / "_manifest.json"
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": format}))


def test_what_is_no_copy_is_refused(tmp_path: Path) -> None:
    """A file that is no database, a directory with other files, a server that is not there."""
    (tmp_path / "copy.db").write_text("this is no database, " * 100)
    with pytest.raises(TargetError, match="not a database"):
        SQLiteTarget(tmp_path / "copy.db").open()
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(TargetError, match="other files"):
        ParquetTarget(tmp_path).open()
    with pytest.raises(TargetError, match="cannot be opened"):
        PostgresTarget("postgresql://me:secret@127.0.0.1:1/nowhere").open()


@pytest.mark.parametrize(("first", "second"), [(ParquetTarget, JSONLinesTarget), (JSONLinesTarget, ParquetTarget)])
def test_a_directory_of_other_files_is_refused(tmp_path: Path, first: Any, second: Any) -> None:
    """A copy in one format of files is not gone on with in another, and stays as it is."""
    with contextlib.closing(first(tmp_path / "copy")) as target:
        target.open()
        target.write(Step(NOW, [rows(entry("1"))], checkpoints={"users": "1"}))
    with pytest.raises(TargetError, match=rf"time_entries/00000001\{first.suffix}, not in \{second.suffix} files"):
        second(tmp_path / "copy").open()
    holds_what_was_stored(first(tmp_path / "copy"))


def test_files_that_were_spoilt_are_told_of(tmp_path: Path) -> None:
    """A file that someone wrote into is no file of the copy any more: which one cannot be read is said."""
    with contextlib.closing(JSONLinesTarget(tmp_path / "copy")) as target:
        target.open()
        target.write(Step(NOW, [rows(entry("1"))]))
        (tmp_path / "copy/time_entries/00000001.jsonl").write_text("spoilt")
        with pytest.raises(TargetError, match="could not be read"):
            target.held(TABLE, {})


def left_by_parquet(path: Path) -> None:
    """What a run that ended in its first step leaves of a directory."""
    target = ParquetTarget(path)
    target.open()
    target.close()
    (path / "users").mkdir()
    (path / "users" / "00000001.parquet").write_bytes(b"PAR1")


def left_by_parquet_at_once(path: Path) -> None:
    """What is left of a directory by a run that ended before its manifest was there."""
    path.mkdir()
    (path / "_manifest.json.new").write_text("{")


def left_by_duckdb(path: Path) -> None:
    """What is left of a database by a run that ended while it was made."""
    path.touch()
    path.with_name(f"{path.name}.new").write_bytes(b"half of it")


@pytest.mark.parametrize(
    ("leave", "kind"),
    [
        (left_by_parquet, ParquetTarget),
        (left_by_parquet_at_once, ParquetTarget),
        (left_by_duckdb, DuckDBTarget),
        (Path.touch, SQLiteTarget),
    ],
)
def test_a_first_run_that_was_killed_is_in_nobodys_way(
    tmp_path: Path, leave: Callable[[Path], None], kind: Any
) -> None:
    """Whatever a first run left when it ended, the next one begins anew, and clears up."""
    leave(tmp_path / "copy")
    with contextlib.closing(kind(tmp_path / "copy")) as target:
        assert target.open() == {}
        target.write(Step(NOW, [rows(entry("1"))], checkpoints={"users": "1"}))
    holds_what_was_stored(kind(tmp_path / "copy"))
    assert not list(tmp_path.rglob("*.new"))


def test_no_password_is_shown() -> None:
    """The name of a PostgreSQL target is its address without what opens it."""
    assert "secret" not in PostgresTarget("postgresql://me:secret@127.0.0.1/db").name


ROOM = {"SQLiteTarget": 150_000, "DuckDBTarget": 600_000, "ParquetTarget": 150_000, "JSONLinesTarget": 150_000}
"""Bytes that a file may have when a target is to be full: for what every target has, and not for much more."""

FULL = """
import random, resource, signal, string, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_sync_targets as t
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
many = [t.entry(str(n), notes="".join(random.choices(string.printable, k=900))) for n in range(2000)]
for kind, room in t.ROOM.items():
    target = getattr(t, kind)(Path({path!r}) / kind)
    target.open()
    target.write(t.Step(t.NOW, [t.rows(t.entry("1"))], checkpoints={{"users": "1"}}))
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        target.write(t.Step(t.NOW, [t.rows(*many)], checkpoints={{"users": "2"}}))
    except t.TargetError as error:
        print("refused:", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""

READ_ONLY = """
import os, sys, tempfile
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_sync_targets as t
with tempfile.TemporaryDirectory() as scratch:
    for kind in t.ROOM:  # what they import may be out of reach for another user
        target = getattr(t, kind)(Path(scratch) / kind)
        target.open()
        target.close()
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
for kind in t.ROOM:
    try:
        getattr(t, kind)(Path({path!r}) / kind).open()
    except t.TargetError as error:
        print("refused:", error)
"""


def said_by(code: str, path: Path) -> list[str]:
    """The lines that a process of its own prints."""
    filled = code.format(tests=str(Path(__file__).parent), path=str(path))
    done = subprocess.run([sys.executable, "-c", filled], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


def test_a_full_target_says_so_and_loses_nothing(tmp_path: Path) -> None:
    """The step that finds no room leaves nothing behind; what was stored before it is there."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    said = said_by(FULL, tmp_path)
    for kind, line in zip(ROOM, said, strict=True):
        assert line.startswith(f"refused: {tmp_path / kind} could not be written: ")
        holds_what_was_stored(globals()[kind](tmp_path / kind))


def holds_what_was_stored(target: Target) -> None:
    with contextlib.closing(target):
        assert target.open() == {"users": "1"}
        assert kept(target).keys() == {"1"}


def test_a_target_that_may_not_be_written_says_so() -> None:
    """Whoever may only read it is told which one it is, and what was stored before is there."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        for kind in ROOM:
            with contextlib.closing(globals()[kind](folder / kind)) as target:
                target.open()
                target.write(Step(NOW, [rows(entry("1"))], checkpoints={"users": "1"}))
        everything = [folder, *folder.rglob("*")]
        for one in everything:
            one.chmod(0o555 if one.is_dir() else 0o444)
        said = said_by(READ_ONLY, folder)
        for one in everything:
            one.chmod(0o755)
        for kind, line in zip(ROOM, said, strict=True):
            assert line == f"refused: {folder / kind} cannot be locked: Permission denied"
            holds_what_was_stored(globals()[kind](folder / kind))
