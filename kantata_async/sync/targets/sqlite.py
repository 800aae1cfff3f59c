"""SQLite, through ADBC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from ...errors import TargetError
from ...tables import ColumnKind, arrow, arrow_compute, json_text
from .driver import driver
from .names import literal, quoted
from .ours import DELETED_AT, LISTED, SYNCED_AT
from .protocol import Rows, Written
from .sql import changes, stored
from .sql_file import SQLFileTarget
from .views import Dialect

_FIRST_BYTES: Final = b"SQLite format 3\0"

# How long a program that reads the file may hold it before a run gives up: as long as Python's own sqlite3 waits.
_WAIT_FOR_READERS_MS: Final = 5_000

# The driver takes the type of a column from its first batch, and refuses what comes later of another one: a column
# that begins with a thousand nulls would be one of numbers.
_ROWS_AT_ONCE: Final = "1000000000"


class SQLiteTarget(SQLFileTarget):
    """A SQLite file: ``SQLiteTarget("kantata.db")``.

    Each collection is a table. Points in time are ISO 8601 text in UTC without an offset, as SQLite's own functions
    take them; dates are text; lists of ids and nested objects JSON text. The file is kept in WAL mode, so that others
    can read while it is written. A file beside it, with `.lock` after its name, keeps a second run out.
    """

    types: ClassVar[Mapping[ColumnKind, str]] = {
        ColumnKind.TEXT: "TEXT",
        ColumnKind.WHOLE: "INTEGER",
        ColumnKind.NUMBER: "REAL",
        ColumnKind.TRUTH: "BOOLEAN",
        ColumnKind.INSTANT: "TIMESTAMP",
        ColumnKind.DAY: "DATE",
        ColumnKind.TEXTS: "TEXT",
        ColumnKind.JSON: "TEXT",
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
        self._refuse_other_files()
        self._connection = dbapi.connect(self._path, autocommit=True)
        self._cursor = self._connection.cursor()
        self._cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": _ROWS_AT_ONCE})
        self._select(f"PRAGMA busy_timeout = {_WAIT_FOR_READERS_MS}")
        self._select("PRAGMA journal_mode = WAL")
        self._run("PRAGMA synchronous = NORMAL")

    def _refuse_other_files(self) -> None:
        """Refuse a file of another kind before SQLite complains of it in its own way.

        Raises:
            TargetError: it is one.
        """
        with suppress(FileNotFoundError), Path(self._path).open("rb") as file:
            if file.read(len(_FIRST_BYTES)) not in (b"", _FIRST_BYTES):
                raise TargetError(f"{self._path} is there already and not a database of SQLite: name another file")

    def _errors(self) -> tuple[type[Exception], ...]:
        # What goes wrong while rows come is an OSError, and a text that is no time an ArrowException.
        return (driver("adbc_driver_manager", "sync").Error, arrow().ArrowException, OSError)

    def _begin(self) -> None:
        self._run("BEGIN IMMEDIATE")

    def _run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._cursor.execute(statement, list(values) or None)

    def _change(self, statement: str, values: Sequence[Any] = ()) -> int:
        before = self._first("SELECT total_changes()")
        self._run(statement, values)
        return self._first("SELECT total_changes()") - before

    def _first(self, query: str) -> int:
        """The number that a query gives."""
        self._cursor.execute(query)
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
        batch = _as_texts(rows.batch)
        name, columns = self._named(rows.table.collection), batch.schema.names
        ours = {SYNCED_AT: literal(self._instant(at)), DELETED_AT: "NULL", LISTED: str(rows.listed).upper()}
        into = ", ".join(map(quoted, (*columns, *ours)))
        values = ", ".join(("?",) * len(columns) + tuple(ours.values()))
        over = ", ".join(f"{quoted(column)} = excluded.{quoted(column)}" for column in stored(rows))
        # Each new row gets the next number after the highest.
        last = f"SELECT coalesce(max(rowid), 0) FROM {name}"  # noqa: S608
        highest, before = self._first(last), self._first("SELECT total_changes()")
        self._cursor.executemany(
            f"INSERT INTO {name} ({into}) VALUES ({values}) ON CONFLICT (id) DO UPDATE SET {over} "  # noqa: S608
            f"WHERE {changes(rows, name, 'excluded')}",
            batch,
        )
        new = self._first(last) - highest
        return Written(new=new, changed=self._first("SELECT total_changes()") - before - new)


def _as_texts(batch: Any) -> Any:
    """The batch with what SQLite holds as text as such: each point in time, date and list."""
    return arrow().RecordBatch.from_arrays([_as_text(array) for array in batch.columns], names=batch.schema.names)


def _as_text(array: Any) -> Any:
    pa = arrow()
    types = pa.types
    if not (types.is_timestamp(array.type) or types.is_date(array.type) or types.is_list(array.type)):
        return array
    if array.null_count == len(array):
        return pa.nulls(len(array), pa.string())
    if types.is_list(array.type):
        return pa.array([None if one is None else json_text(one) for one in array.to_pylist()], pa.string())
    if types.is_date(array.type):
        return array.cast(pa.string())
    texts = array.cast(pa.timestamp("us")).cast(pa.string())
    return arrow_compute().utf8_replace_slice(texts, start=10, stop=11, replacement="T")
