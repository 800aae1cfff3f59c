"""DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from ...tables import ColumnKind, arrow
from .driver import driver
from .names import quoted
from .ours import with_ours
from .protocol import Rows, Written
from .sql import changes, stored
from .sql_file import SQLFileTarget
from .views import Dialect

_STAGE: Final = "_kantata_stage"


class DuckDBTarget(SQLFileTarget):
    """A DuckDB file: ``DuckDBTarget("kantata.duckdb")``.

    Each collection is a table. Points in time are ``TIMESTAMPTZ``, lists of ids ``VARCHAR[]``, nested objects JSON
    text. A file beside it, with `.lock` after its name, keeps a second run out.
    """

    types: ClassVar[Mapping[ColumnKind, str]] = {
        ColumnKind.TEXT: "VARCHAR",
        ColumnKind.WHOLE: "BIGINT",
        ColumnKind.NUMBER: "DOUBLE",
        ColumnKind.TRUTH: "BOOLEAN",
        ColumnKind.INSTANT: "TIMESTAMPTZ",
        ColumnKind.DAY: "DATE",
        ColumnKind.TEXTS: "VARCHAR[]",
        ColumnKind.JSON: "VARCHAR",
    }

    dialect: ClassVar[Dialect] = Dialect(
        text="json_extract_string(v.value, '$')",
        whole="TRY_CAST(json_extract_string(v.value, '$') AS BIGINT)",
        day="TRY_CAST(json_extract_string(v.value, '$') AS DATE)",
        cents="TRY_CAST(json_extract_string(v.value, '$[0]') AS BIGINT)",
        currency="json_extract_string(v.value, '$[1]')",
        spread="",
        chosen="list_contains(v.selected_choice_ids, c.id)",
        labels="list(s.label ORDER BY s.position)",
        first="l.labels[1]",
    )

    def _connect(self) -> None:
        duckdb = driver("duckdb", "duckdb")
        self._lock.take()
        path = Path(self._path)
        if not path.exists() or path.stat().st_size == 0:
            _make(duckdb, path)
        self._connection = duckdb.connect(self._path)
        self._connection.execute("SET TimeZone = 'UTC'")

    def _errors(self) -> tuple[type[Exception], ...]:
        return (driver("duckdb", "duckdb").Error, arrow().ArrowException, OSError)

    def _run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._connection.execute(statement, list(values))

    def _change(self, statement: str, values: Sequence[Any] = ()) -> int:
        return int(self._connection.execute(statement, list(values)).fetchone()[0])

    def _select(self, query: str, values: Sequence[Any] = ()) -> Any:
        return self._connection.sql(query, params=list(values)).to_arrow_table()

    def _mark(self, number: int) -> str:
        return f"${number}"

    def _columns_there(self, table: str) -> set[str]:
        query = "SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1"
        return set(self._select(query, [table]).column("name").to_pylist())

    def _merge(self, rows: Rows, at: datetime) -> Written:
        from pyarrow import Table  # noqa: PLC0415 - an extra

        batch = with_ours(rows, at)
        name, columns = self._named(rows.table.collection), batch.schema.names
        self._connection.register(_STAGE, Table.from_batches([batch]))
        try:
            over = ", ".join(f"{quoted(column)} = come.{quoted(column)}" for column in stored(rows))
            changed = self._change(
                f"UPDATE {name} AS there SET {over} FROM {_STAGE} AS come "  # noqa: S608
                f"WHERE there.id = come.id AND {changes(rows, 'there', 'come')}"
            )
            into = ", ".join(map(quoted, columns))
            new = self._change(
                f"INSERT INTO {name} ({into}) SELECT {into} FROM {_STAGE} AS come "  # noqa: S608
                f"WHERE NOT EXISTS (SELECT 1 FROM {name} AS there WHERE there.id = come.id)"
            )
        finally:
            self._connection.unregister(_STAGE)
        return Written(new=new, changed=changed)


def _make(duckdb: Any, path: Path) -> None:
    """Make a database that is whole as soon as it is there: DuckDB opens none that it was kept from finishing."""
    made = path.with_name(f"{path.name}.new")
    made.unlink(missing_ok=True)
    duckdb.connect(str(made)).close()
    made.replace(path)
