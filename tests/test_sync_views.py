"""Views of copies with custom fields as columns: by their names, as their kinds, and anew when the fields change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kantata_async import KantataSession, Money, UsageError
from kantata_async.cli import main
from kantata_async.custom_fields import FieldDefinition
from kantata_async.entities import Workspace
from kantata_async.errors import SyncError
from kantata_async.sandbox import Fault, Sandbox
from kantata_async.sync import DuckDBTarget, JSONLinesTarget, ParquetTarget, SQLiteTarget, Sync
from kantata_async.sync.targets.views import field_columns

pytestmark = pytest.mark.company(people=12, projects=6)

Select = Callable[[str], list[tuple[Any, ...]]]


def defined(*fields: tuple[str, str]) -> list[FieldDefinition]:
    return [FieldDefinition(str(id), name, name, kind) for id, (name, kind) in enumerate(fields, 1)]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ([("Region", "single"), ("Risk", "string")], ["Region", "Risk"]),
        ([("Value", "currency")], ["Value", "Value currency"]),
        ([("TITLE", "string")], ["TITLE (#1)"]),
        ([("Risk", "string"), ("risk", "number")], ["Risk", "risk (#2)"]),
        ([("Value currency", "string"), ("Value", "currency")], ["Value currency", "Value", "Value (#2) currency"]),
        ([("a\n\tb", "string"), ("\x00", "string"), ('"; DROP', "date")], ["a b", "(#2)", '"; DROP']),
        ([("é" * 40, "string"), ("é" * 41, "currency")], [
            "é" * 29 + " (#1)", "é" * 29 + " (#2)", "é" * 24 + " (#2) currency",
        ]),
    ],
)  # fmt: skip
def test_columns_have_names_that_databases_tell_apart(fields: list[tuple[str, str]], names: list[str]) -> None:
    """Whatever fields are called: capitals alone tell nothing apart, and names have 63 bytes."""
    columns = [one.name for one in field_columns(["id", "title"], defined(*fields))]
    assert columns == names
    assert all(len(name.encode()) <= 63 for name in columns)


class Copy:
    """A copy in a file of one of the databases, and what is asked of it."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.is_sqlite = kind == "sqlite"
        self.path = folder / f"copy.{kind}"

    def target(self) -> Any:
        return SQLiteTarget(self.path) if self.is_sqlite else DuckDBTarget(self.path)

    def rows(self, view: str, columns: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The columns of a view by the ids of its rows."""
        named = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        query = f"SELECT id, {named} FROM {view}"
        found = self.select(query)
        return {id: dict(zip(columns, values, strict=True)) for id, *values in found}

    def select(self, query: str) -> list[tuple[Any, ...]]:
        opened: Any = sqlite3.connect(self.path) if self.is_sqlite else duckdb.connect(str(self.path))
        try:
            return list(opened.execute(query).fetchall())
        finally:
            opened.close()

    def read(self, value: Any) -> Any:
        """A value of the view as `of` gives it: SQLite has no dates, and lists as JSON."""
        if self.is_sqlite and isinstance(value, str):
            if value.startswith("["):
                return sorted(json.loads(value))
            return date.fromisoformat(value) if len(value) == 10 and value[4] == "-" else value
        return sorted(value) if isinstance(value, list) else value


@pytest.fixture(params=["sqlite", "duckdb"])
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Copy:
    return Copy(request.param, tmp_path)


async def updated(kantata: KantataSession, copy: Copy) -> Any:
    sync = Sync(kantata, copy.target(), lag=0, custom_fields=True)
    sync.add(kantata.workspaces)
    sync.add(kantata.roles)
    return await sync.run()


async def shown(kantata: KantataSession, copy: Copy, projects: list[Workspace], names: dict[str, str]) -> None:
    """Check that the view shows what the API has, with fields in columns by these names."""
    values = await kantata.custom_fields.of(projects)
    columns = [names.get(name, name) for name in values[projects[0]]]
    found = copy.rows("workspaces_with_custom_fields", ["title", "Contract value currency", *columns])
    for project in projects:
        row = {name: copy.read(value) for name, value in found[project.id].items()}
        assert row.pop("title") == project.title
        money = values[project].pop("Contract value")
        cents, currency = (money.cents, money.currency) if isinstance(money, Money) else (None, None)
        assert (row.pop("Contract value"), row.pop("Contract value currency")) == (cents, currency)
        assert row == {
            names.get(name, name): sorted(value) if isinstance(value, list) else value
            for name, value in values[project].items()
        }


async def test_a_view_has_the_values_by_the_names_of_their_fields(kantata: KantataSession, copy: Copy) -> None:
    """Beside the collection's own columns, whatever fields are called, and anew when a field or a value changes."""
    report = await updated(kantata, copy)
    assert [job.name for job in report] == [
        "workspaces", "roles", "custom_fields", "custom_field_choices", "custom_field_values", "custom field views",
    ]  # fmt: skip
    projects = await kantata.workspaces.list()
    await shown(kantata, copy, projects, {})
    fields = {
        one.name: one
        for one in await kantata.custom_fields.list(subject_type="Workspace", include=["custom_field_set"])
    }
    held = fields["Region"].custom_field_set_id
    assert held is not None
    odd = ["title", "REGION", '"; DROP TABLE roles; --', "x" * 100]
    made = [await kantata.custom_fields.create(name=name, custom_field_set_id=int(held)) for name in odd]
    await kantata.custom_fields.set({projects[0]: {name: f"value of {name}" for name in odd}})
    await kantata.custom_fields.set(
        {projects[1]: {"Region": "Americas", "Health score": 7, "Contract value": Money(1, "JPY")}}
    )
    await kantata.custom_fields.set({projects[1]: {"Region": "EMEA", "Health score": None}})
    await kantata.custom_fields.update(fields["Go-live"].id, name="Launch's day")
    await updated(kantata, copy)
    await shown(
        kantata,
        copy,
        projects,
        {
            "title": f"title (#{made[0].id})",
            "REGION": f"REGION (#{made[1].id})",
            "x" * 100: "x" * (63 - len(f" (#{made[3].id})")) + f" (#{made[3].id})",
        },
    )
    assert copy.select("SELECT count(*) FROM roles")[0][0] > 0


async def test_a_view_that_is_as_it_should_be_stays(kantata: KantataSession, copy: Copy) -> None:
    """It is made once: others may depend on it. One that somebody dropped is made again."""
    await updated(kantata, copy)
    kept = "SELECT name, query FROM _kantata_views"
    before = copy.select(kept)
    assert [name for name, _ in before] == ["workspaces_with_custom_fields"]
    opened: Any = sqlite3.connect(copy.path) if copy.is_sqlite else duckdb.connect(str(copy.path))
    opened.execute("DROP VIEW workspaces_with_custom_fields")
    opened.execute("CREATE TABLE ours (id INTEGER)")
    opened.commit()
    opened.close()
    await updated(kantata, copy)
    assert copy.select(kept) == before
    assert len(copy.rows("workspaces_with_custom_fields", ["Region"])) == 6


async def test_fields_that_cannot_be_read_leave_the_copies(
    kantata: KantataSession, kantata_sandbox: Sandbox, tmp_path: Path
) -> None:
    """The error is in the report of the views; everything else came to its end."""
    kantata_sandbox.faults.add(Fault("status", status=403, method="GET", path="/custom_fields", skip=2))
    with pytest.raises(SyncError, match="custom field views") as caught:
        await updated(kantata, Copy("sqlite", tmp_path))
    assert [job.name for job in caught.value.report if job.error is not None] == ["custom field views"]


async def test_what_was_added_before_is_asked_for_what_views_need(kantata: KantataSession, tmp_path: Path) -> None:
    """The values that the program wants copied in its own way show in the views all the same."""
    copy = Copy("sqlite", tmp_path)
    sync = Sync(kantata, copy.target(), lag=0, custom_fields=True)
    sync.add(kantata.workspaces)
    sync.add(kantata.custom_field_values, subject_type="Workspace", include=["setter"])
    await sync.run()
    await shown(kantata, copy, await kantata.workspaces.list(), {})
    assert copy.select("SELECT count(*) FROM custom_field_values WHERE setter_id IS NULL") == [(0,)]


def test_files_have_no_views(kantata: KantataSession, tmp_path: Path) -> None:
    """That is said before anything is copied."""
    for target in (ParquetTarget(tmp_path), JSONLinesTarget(tmp_path)):
        with pytest.raises(UsageError, match=f"{type(target).__name__} has no views.*SQLiteTarget"):
            Sync(kantata, target, custom_fields=True)


def test_the_command_makes_the_views(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--custom-fields` for a database; for files it is wrong usage."""
    with Sandbox.in_thread(people=3, projects=2) as sandbox:
        monkeypatch.setenv("KANTATA_TOKEN", sandbox.token)
        monkeypatch.setenv("KANTATA_BASE_URL", sandbox.url)
        for to, code in ((tmp_path / "copy.db", 0), (tmp_path / "lake", 2)):
            assert main(["sync", "--to", str(to), "--custom-fields", "workspaces"]) == code
    said, complained = capsys.readouterr()
    assert "custom field views" in said
    assert "ParquetTarget has no views" in complained
    with sqlite3.connect(tmp_path / "copy.db") as database:
        assert len(database.execute('SELECT "Region" FROM workspaces_with_custom_fields').fetchall()) == 2
    database.close()
