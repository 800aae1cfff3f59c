"""SQLite, through ADBC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from ...tables import Kind, arrow, json_text
from .driver import driver
from .names import quoted
from .ours import with_ours
from .protocol import Rows, Written
from .sql import changes, stored
from .sql_file import SQLFileTarget
from .views import Dialect

# How long a program that reads the file may hold it before a run gives up: as long as Python's own sqlite3 waits.
_WAIT_FOR_READERS_MS: Final = 5_000


class SQLiteTarget(SQLFileTarget):
    """A SQLite file: ``SQLiteTarget("kantata.db")``.

    Each collection is a table. Points in time are ISO 8601 text in UTC without an offset, as SQLite's own functions
    take them; dates are text; lists of ids and nested objects JSON text. The file is kept in WAL mode, so that others
    can read while it is written. A file beside it, with `.lock` after its name, keeps a second run out.
    """

    types: ClassVar[Mapping[Kind, str]] = {
        Kind.TEXT: "TEXT",
        Kind.WHOLE: "INTEGER",
        Kind.NUMBER: "REAL",
        Kind.TRUTH: "BOOLEAN",
        Kind.INSTANT: "TIMESTAMP",
        Kind.DAY: "DATE",
        Kind.TEXTS: "TEXT",
        Kind.JSON: "TEXT",
    }

    dialect: ClassVar[Dialect] = Dialect(
        text="CAST(json_extract(v.value, '$') AS TEXT)",
        whole="CAST(json_extract(v.value, '$') AS INTEGER)",
        day="json_extract(v.value, '$')",
        cents="CAST(json_extract(v.value, '$[0]') AS INTEGER)",
        currency="json_extract(v.value, '$[1]')",
        spread="JOIN json_each(v.selected_choice_ids) AS e",
        chosen="c.id = e.value",
        labels="json_group_array(s.label)",
        first="json_extract(l.labels, '$[0]')",
    )

    def _connect(self) -> None:
        dbapi = driver("adbc_driver_sqlite.dbapi", "sync")
        self._lock.take()
        self._connection = dbapi.connect(self._path, autocommit=True)
        self._cursor = self._connection.cursor()
        self._select(f"PRAGMA busy_timeout = {_WAIT_FOR_READERS_MS}")
        self._select("PRAGMA journal_mode = WAL")
        self._run("PRAGMA synchronous = NORMAL")

    def _errors(self) -> tuple[type[Exception], ...]:
        return (driver("adbc_driver_manager", "sync").Error,)

    def _run(self, statement: str, values: Sequence[Any] = ()) -> int:
        if statement == "BEGIN":
            statement = "BEGIN IMMEDIATE"
        before = self._total_changes()
        self._cursor.execute(statement, list(values) or None)
        return self._total_changes() - before

    def _total_changes(self) -> int:
        self._cursor.execute("SELECT total_changes()")
        return int(self._cursor.fetchone()[0])

    def _select(self, query: str, values: Sequence[Any] = ()) -> Any:
        self._cursor.execute(query, list(values) or None)
        return self._cursor.fetch_arrow_table()

    def _mark(self, number: int) -> str:
        return f"?{number}"

    def _columns_there(self, table: str) -> set[str]:
        return set(self._select("SELECT name FROM pragma_table_info(?1)", [table]).column("name").to_pylist())

    def _instant(self, instant: datetime) -> str:
        return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")

    def _merge(self, rows: Rows, at: datetime) -> Written:
        batch = _without_lists(with_ours(rows, at))
        name, columns = self._named(rows.table.collection), batch.schema.names
        into = ", ".join(map(quoted, columns))
        marks = ", ".join("?" * len(columns))
        over = ", ".join(f"{quoted(column)} = excluded.{quoted(column)}" for column in stored(rows))
        last, before = self._last_row(name), self._total_changes()
        self._cursor.executemany(
            f"INSERT INTO {name} ({into}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {over} "  # noqa: S608
            f"WHERE {changes(rows, name, 'excluded')}",
            batch,
        )
        new = self._last_row(name) - last
        return Written(new=new, changed=self._total_changes() - before - new)

    def _last_row(self, name: str) -> int:
        """The highest number of a row; each new row gets the next one."""
        self._cursor.execute(f"SELECT coalesce(max(rowid), 0) FROM {name}")  # noqa: S608
        return int(self._cursor.fetchone()[0])


def _without_lists(batch: Any) -> Any:
    """The batch with each list as JSON text."""
    pa = arrow()
    arrays = [_as_text(array) if pa.types.is_list(array.type) else array for array in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _as_text(lists: Any) -> Any:
    pa = arrow()
    if lists.null_count == len(lists):
        return pa.nulls(len(lists), pa.string())
    return pa.array([None if one is None else json_text(one) for one in lists.to_pylist()], pa.string())
