"""PostgreSQL, through ADBC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, ClassVar, Final

from ...errors import TargetError, UsageError
from ...tables import ColumnKind, Table, arrow, arrow_compute
from .driver import driver
from .dsn import shown, without_secrets
from .names import quoted
from .ours import DELETED_AT, LISTED, SYNCED_AT, with_ours
from .protocol import OnDeletion, Rows, Written
from .sql import SQLTarget, changes, stored
from .views import Dialect

_STAGE: Final = "_kantata_stage"
_INSTANT: Final = "timestamp with time zone"
_OWN_TYPES: Final = {SYNCED_AT: _INSTANT, DELETED_AT: _INSTANT, LISTED: "boolean"}


class PostgresTarget(SQLTarget):
    """A PostgreSQL database: ``PostgresTarget("postgresql://me@host/reporting", schema="kantata")``.

    Each collection is a table, in a schema that is made where it is missing. Points in time are ``timestamptz``, lists
    of ids ``text[]``, nested objects ``json``. An advisory lock keeps a second run out, and ends with the connection.
    PostgreSQL has no text with a NUL character: it is left out of texts that have one. Several processes may write one
    copy at once, each a part of it, as `of_part` gives it.
    """

    types: ClassVar[Mapping[ColumnKind, str]] = {
        ColumnKind.TEXT: "text",
        ColumnKind.WHOLE: "bigint",
        ColumnKind.NUMBER: "double precision",
        ColumnKind.TRUTH: "boolean",
        ColumnKind.INSTANT: _INSTANT,
        ColumnKind.DAY: "date",
        ColumnKind.TEXTS: "text[]",
        ColumnKind.JSON: "json",
    }

    dialect: ClassVar[Dialect] = Dialect(
        text="(v.value #>> '{}')",
        whole="CASE WHEN v.value #>> '{}' ~ '^-?[0-9]{1,18}$' THEN (v.value #>> '{}')::bigint END",
        day="CASE WHEN v.value #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN (v.value #>> '{}')::date END",
        cents="CASE WHEN v.value ->> 0 ~ '^-?[0-9]{1,18}$' THEN (v.value ->> 0)::bigint END",
        currency="(v.value ->> 1)",
        spread="",
        chosen="c.id = ANY(v.selected_choice_ids)",
        labels="array_agg(s.label ORDER BY s.position)",
        first="l.labels[1]",
    )

    def __init__(self, dsn: str, *, schema: str = "public", on_deletion: OnDeletion = "mark") -> None:
        super().__init__(on_deletion)
        _need_text("dsn", dsn)
        _need_text("schema", schema)
        self._dsn: Final = dsn
        self._schema: Final = schema
        self._part: str | None = None
        self._expecting: Final[dict[str, bool]] = {}

    @property
    def name(self) -> str:
        """See `SQLTarget.name`."""
        return f"{shown(self._dsn)}, schema {self._schema}"

    def of_part(self, name: str) -> PostgresTarget:
        """The same copy, to write one part of it while other processes write others.

        Opening it keeps out whoever would write the same part, and a run that would write everything.
        """
        target = PostgresTarget(self._dsn, schema=self._schema, on_deletion=self._on_deletion)
        target._part = name
        return target

    def _connect(self) -> None:
        dbapi = driver("adbc_driver_postgresql.dbapi", "sync")
        self._connection = self._connected(dbapi)
        self._cursor = self._connection.cursor()
        self._lock()
        if not self._has_schema():
            self._begin()
            # Meanwhile another process may have made it.
            if not self._has_schema():
                self._run(f"CREATE SCHEMA {quoted(self._schema)}")
            self._run("COMMIT")

    def _connected(self, dbapi: Any) -> Any:
        try:
            return dbapi.connect(self._dsn, autocommit=True)
        except self._errors() as error:
            reason = without_secrets(" ".join(str(error).split()), self._dsn)
        # Raised outside the handler: the driver's error may quote the connection string.
        raise TargetError(f"{self.name} cannot be opened: {reason}")

    def _lock(self) -> None:
        """Keep others out, until the connection ends."""
        if self._part is None:
            locked = self._is_locked("pg_try_advisory_lock", "all")
        else:
            shared = self._is_locked("pg_try_advisory_lock_shared", "all")
            locked = shared and self._is_locked("pg_try_advisory_lock", f"part {self._part}")
        if not locked:
            what = self.name if self._part is None else f"{self._part} in {self.name}"
            raise TargetError(f"{what} is being written by another run; wait for it, or end it")

    def close(self) -> None:
        """See `Target.close`."""
        super().close()
        self._expecting.clear()

    def _is_locked(self, function: str, what: str) -> bool:
        """Whether an advisory lock could be had."""
        found = self._select(f"SELECT {function}($1) AS locked", [self._key(what)])
        return bool(found.column("locked")[0].as_py())

    def _key(self, what: str) -> int:
        """The number by which an advisory lock is known."""
        digest = blake2b(f"kantata_async\0{self._schema}\0{what}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, signed=True)

    def _has_schema(self) -> bool:
        found = self._select("SELECT 1 AS one FROM pg_namespace WHERE nspname = $1", [self._schema])
        return bool(found.num_rows)

    def _begin(self) -> None:
        super()._begin()
        if self._part is not None:
            # One process writes at a time: two that stored the same objects in different orders would wait for each
            # other for ever, and both would make the same table. What others made or widened meanwhile is looked up.
            self._select("SELECT pg_advisory_xact_lock($1)", [self._key("writing")])
            self._columns.clear()

    def _errors(self) -> tuple[type[Exception], ...]:
        # What goes wrong while rows come is an OSError, and a text that is no time an ArrowException.
        return (driver("adbc_driver_manager", "sync").Error, arrow().ArrowException, OSError)

    def _run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._cursor.execute(statement, list(values) or None)

    def _change(self, statement: str, values: Sequence[Any] = ()) -> int:
        # The driver does not say how many rows a statement with values changed.
        counting = f"WITH done AS ({statement} RETURNING 1) SELECT count(*) AS count FROM done"  # noqa: S608
        return int(self._select(counting, values).column("count")[0].as_py())

    def _select(self, query: str, values: Sequence[Any] = ()) -> Any:
        self._cursor.execute(query, list(values) or None)
        return self._cursor.fetch_arrow_table()

    def _mark(self, number: int) -> str:
        return f"${number}"

    def _named(self, table: str) -> str:
        return f"{quoted(self._schema)}.{quoted(table)}"

    def _columns_there(self, table: str) -> set[str]:
        query = (
            "SELECT column_name::text AS name FROM information_schema.columns "
            "WHERE table_schema = $1 AND table_name = $2"
        )
        return set(self._select(query, [self._schema, table]).column("name").to_pylist())

    def _merge(self, rows: Rows, at: datetime) -> Written:
        batch = _without_nul(with_ours(rows, at))
        written = self._copy_new(rows, batch) if self._expects_new(rows.table) else self._merge_by_stage(rows, batch)
        if rows.table.collection in self._expecting:
            self._expecting[rows.table.collection] = 2 * written.new > batch.num_rows
        return written

    def _expects_new(self, table: Table) -> bool:
        """Whether most objects that come are likely to be new, as those before were, and may be copied as they are."""
        name = table.collection
        if name not in self._expecting and self._takes_copies(table):
            found = self._select(f"SELECT NOT EXISTS (SELECT 1 FROM {self._named(name)}) AS empty")  # noqa: S608
            self._expecting[name] = bool(found.column("empty")[0].as_py())
        return self._expecting.get(name, False)

    def _copy_new(self, rows: Rows, batch: Any) -> Written:
        """Copy what is new straight into the table, at half the cost of comparing it, and merge the others."""
        there = self._ids_among(rows.table, batch.column("id"))
        new, old = batch, batch.slice(0, 0)
        if len(there):
            is_there = arrow_compute().is_in(batch.column("id"), value_set=there)
            new, old = batch.filter(arrow_compute().invert(is_there)), batch.filter(is_there)
        if new.num_rows:
            self._cursor.adbc_ingest(rows.table.collection, new, mode="append", db_schema_name=self._schema)
        written = Written(new=new.num_rows)
        return written + self._merge_by_stage(rows, old) if old.num_rows else written

    def _ids_among(self, table: Table, ids: Any) -> Any:
        """Those of the ids that the table has."""
        pa = arrow()
        value = pa.record_batch({"ids": pa.ListArray.from_arrays([0, len(ids)], ids)})
        self._cursor.execute(f"SELECT id FROM {self._named(table.collection)} WHERE id = ANY($1)", value)  # noqa: S608
        return self._cursor.fetch_arrow_table().column("id").combine_chunks()

    def _takes_copies(self, table: Table) -> bool:
        """Whether the columns are of the types that they were made with: a COPY gives each value as such."""
        query = (
            "SELECT attname::text AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute "
            "WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped"
        )
        found = self._select(query, [self._named(table.collection)]).to_pylist()
        types = {one["name"]: one["type"] for one in found}
        made = {name: self.types[kind] for name, kind in table.kinds.items()}
        return types.items() >= {**made, **_OWN_TYPES}.items()

    def _merge_by_stage(self, rows: Rows, batch: Any) -> Written:
        kinds, columns = rows.table.kinds, batch.schema.names
        self._cursor.adbc_ingest(_STAGE, batch, mode="create", temporary=True)
        into = ", ".join(map(quoted, columns))
        come = ", ".join(quoted(name) + ("::json" if kinds.get(name) is ColumnKind.JSON else "") for name in columns)
        over = ", ".join(f"{quoted(column)} = excluded.{quoted(column)}" for column in stored(rows))
        counted = self._select(
            f"WITH stored AS (INSERT INTO {self._named(rows.table.collection)} AS there ({into}) "  # noqa: S608
            f"SELECT {come} FROM {_STAGE} ON CONFLICT (id) DO UPDATE SET {over} "
            f"WHERE {changes(rows, 'there', 'excluded', {ColumnKind.JSON: '::text'})} RETURNING xmax = 0 AS new) "
            "SELECT count(*) FILTER (WHERE new) AS new, count(*) FILTER (WHERE NOT new) AS changed FROM stored"
        )
        self._run(f"DROP TABLE {_STAGE}")
        return Written(new=counted.column("new")[0].as_py(), changed=counted.column("changed")[0].as_py())


def _need_text(name: str, value: object) -> None:
    """Refuse what is no text; it is not shown, as it may hold a password.

    Raises:
        UsageError: it is none, or an empty one.
    """
    if not isinstance(value, str) or not value:
        raise UsageError(f"PostgresTarget takes {name} as a text that is not empty")


def _without_nul(batch: Any) -> Any:
    """The batch without the character that PostgreSQL's texts cannot hold."""
    arrays = [_array_without_nul(array) for array in batch.columns]
    return arrow().RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _array_without_nul(array: Any) -> Any:
    pa, compute = arrow(), arrow_compute()
    of_lists = pa.types.is_list(array.type)
    if array.null_count == len(array) or not (of_lists or pa.types.is_string(array.type)):
        return array
    if not compute.any(compute.match_substring(array.flatten() if of_lists else array, "\0")).as_py():
        return array
    if not of_lists:
        return compute.replace_substring(array, "\0", "")
    lists = [None if one is None else [text and text.replace("\0", "") for text in one] for one in array.to_pylist()]
    return pa.array(lists, array.type)
