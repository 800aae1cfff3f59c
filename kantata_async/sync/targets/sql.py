"""What the databases have in common: their tables, and how a step gets into them in one transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar, Final

from ...errors import TargetError
from ...tables import Column, ColumnKind, Table, arrow
from .names import quoted
from .ours import DELETED_AT, LISTED, SYNCED_AT
from .protocol import Held, OnDeletion, Rows, Step, Written
from .settings import checked_on_deletion
from .views import Dialect, FieldsView, view_query

FORMAT: Final = "1"
"""The format of what a target holds besides the objects; any other is refused."""

_CHECKPOINTS: Final = "_kantata_checkpoints"
_FORMAT: Final = "_kantata_format"
_VIEWS: Final = "_kantata_views"
_OURS: Final = (
    Column(SYNCED_AT, ColumnKind.INSTANT),
    Column(DELETED_AT, ColumnKind.INSTANT),
    Column(LISTED, ColumnKind.TRUTH),
)

_MOST_VALUES: Final = 500
"""Values that one statement has at most."""


class SQLTarget(ABC):
    """A database; see `Target` for its methods.

    Args:
        on_deletion: "mark" objects that are gone in `_deleted_at`, or "remove" them.
    """

    types: ClassVar[Mapping[ColumnKind, str]]
    """What a column of each kind is declared as."""

    dialect: ClassVar[Dialect]
    """How it reads the value of a custom field."""

    def __init__(self, on_deletion: OnDeletion = "mark") -> None:
        self._on_deletion: Final = checked_on_deletion(on_deletion)
        self._columns: Final[dict[str, set[str]]] = {}
        self._connection: Any = None
        self._cursor: Any = None

    # --- what each database does in its own way ----------------------------------------------------------------------

    @property
    @abstractmethod
    def name(self) -> str:
        """What error messages call it, without a password."""

    @abstractmethod
    def _connect(self) -> None:
        """Open it, with its lock.

        Raises:
            TargetError: another process has it.
            Exception: what its driver raises.
        """

    @abstractmethod
    def _run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Carry out a statement."""

    @abstractmethod
    def _change(self, statement: str, values: Sequence[Any] = ()) -> int:
        """How many rows a statement changed, once it is carried out."""

    @abstractmethod
    def _select(self, query: str, values: Sequence[Any] = ()) -> Any:
        """The `pyarrow.Table` of a query."""

    @abstractmethod
    def _mark(self, number: int) -> str:
        """The placeholder of a value in a statement, by its number from 1."""

    @abstractmethod
    def _columns_there(self, table: str) -> set[str]:
        """The names of the columns of a table; none where there is no such table."""

    @abstractmethod
    def _merge(self, rows: Rows, at: datetime) -> Written:
        """How many objects were new or changed, once they are stored as `Rows` says."""

    @abstractmethod
    def _errors(self) -> tuple[type[Exception], ...]:
        """What its driver raises."""

    def _named(self, table: str) -> str:
        """A table as statements name it."""
        return quoted(table)

    def _begin(self) -> None:
        """Begin a transaction that writes."""
        self._run("BEGIN")

    # --- the methods of a target -------------------------------------------------------------------------------------

    def open(self) -> Mapping[str, str]:
        """See `Target.open`."""
        try:
            with self._failing("cannot be opened"):
                self._connect()
                return self._prepared()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """See `Target.close`."""
        for one in (self._cursor, self._connection):
            if one is not None:
                one.close()
        self._cursor = self._connection = None
        self._columns.clear()

    def write(self, step: Step) -> Mapping[str, Written]:
        """See `Target.write`."""
        written: dict[str, Written] = {}
        with self._failing("could not be written"), self._transaction():
            for rows in step.rows:
                self._widen(rows.table)
                there = written.get(rows.table.collection, Written())
                written[rows.table.collection] = there + self._merge(rows, step.at)
            for table, ids in step.deleted.items():
                there = written.get(table.collection, Written())
                written[table.collection] = there + Written(deleted=self._delete(table, ids, step.at))
            for part, checkpoint in step.checkpoints.items():
                self._keep(part, checkpoint)
        return written

    def renew(self, view: FieldsView) -> None:
        """Make the view of a collection with its custom fields, anew where it is not as it should be.

        Raises:
            TargetError: it could not be made: others may have made views of it, which are in the way.
        """
        text = self.types[ColumnKind.TEXT]
        with self._failing(f"could not renew the view {view.name}"), self._transaction():
            for table in (view.table, view.values, view.choices):
                self._widen(table)
            self._run(f"CREATE TABLE IF NOT EXISTS {self._named(_VIEWS)} (name {text} PRIMARY KEY, query {text})")
            own = [column.name for column in (*view.table.columns, *_OURS)]
            query = view_query(view, own, self.dialect, self._named)
            if self._columns_there(view.name) and self._query_of(view.name) == query:
                return
            self._run(f"DROP VIEW IF EXISTS {self._named(view.name)}")
            self._run(f"CREATE VIEW {self._named(view.name)} AS {query}")
            self._run(f"DELETE FROM {self._named(_VIEWS)} WHERE name = {self._mark(1)}", [view.name])  # noqa: S608
            values = f"{self._mark(1)}, {self._mark(2)}"
            self._run(f"INSERT INTO {self._named(_VIEWS)} VALUES ({values})", [view.name, query])  # noqa: S608

    def _query_of(self, view: str) -> str | None:
        """The query that a view was made of; None for one that was not made yet."""
        query = f"SELECT query FROM {self._named(_VIEWS)} WHERE name = {self._mark(1)}"  # noqa: S608
        found = self._select(query, [view]).column("query").to_pylist()
        return found[0] if found else None

    def held(self, table: Table, of: Mapping[str, str], before: datetime | None = None) -> Held:
        """See `Target.held`."""
        there = self._columns_known(table.collection)
        if not there:
            return Held(0, lambda columns: arrow().table({column: [] for column in columns}))
        of = {column: value for column, value in of.items() if column in there}
        marks = [f"{quoted(column)} = {self._mark(number)}" for number, column in enumerate(of, 1)]
        values: list[Any] = list(of.values())
        if before is not None:
            values.append(self._instant(before))
            marks.append(f"created_at < {self._mark(len(values))}")
        where = " AND ".join([f"{DELETED_AT} IS NULL", LISTED, *marks])
        source = f"FROM {self._named(table.collection)} WHERE {where}"
        order = " ORDER BY created_at" if "created_at" in there else ""

        def read(columns: Sequence[str]) -> Any:
            wanted = ", ".join(quoted(column) if column in there else f"NULL AS {quoted(column)}" for column in columns)
            with self._failing("could not be read"):
                return _as_instants(self._select(f"SELECT {wanted} {source}{order}", values), table)

        with self._failing("could not be read"):
            counted = self._select(f"SELECT count(*) AS count {source}", values)
        return Held(int(counted.column("count")[0].as_py()), read)

    def lacks_columns(self, table: Table) -> bool:
        """See `KnowsColumns.lacks_columns`."""
        with self._failing("could not be read"):
            there = self._columns_known(table.collection)
        return bool(there) and not there.issuperset(table.kinds)

    # --- the tables --------------------------------------------------------------------------------------------------

    def _prepared(self) -> Mapping[str, str]:
        """The checkpoints, once the tables of the copy itself are there."""
        text = self.types[ColumnKind.TEXT]
        if not self._columns_there(_FORMAT):
            with self._transaction():
                # Meanwhile another process may have made them.
                if not self._columns_there(_FORMAT):
                    self._run(f"CREATE TABLE {self._named(_FORMAT)} (format {text})")
                    self._run(f"CREATE TABLE {self._named(_CHECKPOINTS)} (part {text} PRIMARY KEY, checkpoint {text})")
                    self._run(f"INSERT INTO {self._named(_FORMAT)} VALUES ('{FORMAT}')")  # noqa: S608
        found = self._select(f"SELECT format FROM {self._named(_FORMAT)}").column("format").to_pylist()  # noqa: S608
        if found != [FORMAT]:
            formats = ", ".join(map(str, found)) or "none"
            raise TargetError(
                f"{self.name} has the format {formats}, and this version of kantata_async writes {FORMAT}"
            )
        kept = self._select(f"SELECT part, checkpoint FROM {self._named(_CHECKPOINTS)}")  # noqa: S608
        return {one["part"]: one["checkpoint"] for one in kept.to_pylist()}

    def _columns_known(self, table: str) -> set[str]:
        if table not in self._columns:
            there = self._columns_there(table)
            if not there:
                return there
            self._columns[table] = there
        return self._columns[table]

    def _widen(self, table: Table) -> None:
        """Make the table where it is missing, and the columns that it lacks."""
        there = self._columns_known(table.collection)
        columns = (*table.columns, *_OURS)
        missing = [column for column in columns if column.name not in there]
        if not missing:
            return
        if not there:
            declared = ", ".join(self._declared(column) for column in columns)
            self._run(f"CREATE TABLE {self._named(table.collection)} ({declared})")
        else:
            for column in missing:
                self._run(f"ALTER TABLE {self._named(table.collection)} ADD COLUMN {self._declared(column)}")
        self._columns[table.collection] = there | {column.name for column in columns}

    def _declared(self, column: Column) -> str:
        key = " PRIMARY KEY" if column.name == "id" else ""
        return f"{quoted(column.name)} {self.types[column.kind]}{key}"

    def _keep(self, part: str, checkpoint: str | None) -> None:
        table, values = self._named(_CHECKPOINTS), f"{self._mark(1)}, {self._mark(2)}"
        if checkpoint is None:
            self._run(f"DELETE FROM {table} WHERE part = {self._mark(1)}", [part])  # noqa: S608
            return
        self._run(
            f"INSERT INTO {table} (part, checkpoint) VALUES ({values}) "  # noqa: S608
            "ON CONFLICT (part) DO UPDATE SET checkpoint = excluded.checkpoint",
            [part, checkpoint],
        )

    def _delete(self, table: Table, ids: Sequence[str], at: datetime) -> int:
        """How many of the objects were there, to be marked or removed."""
        if not self._columns_known(table.collection):
            return 0
        name, gone = self._named(table.collection), 0
        for first in range(0, len(ids), _MOST_VALUES):
            some = ids[first : first + _MOST_VALUES]
            if self._on_deletion == "remove":
                where = ", ".join(self._mark(number) for number in range(1, len(some) + 1))
                gone += self._change(f"DELETE FROM {name} WHERE id IN ({where})", some)  # noqa: S608
                continue
            where = ", ".join(self._mark(number) for number in range(3, len(some) + 3))
            gone += self._change(
                f"UPDATE {name} SET {DELETED_AT} = {self._mark(1)}, {SYNCED_AT} = {self._mark(2)} "  # noqa: S608
                f"WHERE id IN ({where}) AND {DELETED_AT} IS NULL",
                [self._instant(at), self._instant(at), *some],
            )
        return gone

    def _instant(self, instant: datetime) -> Any:
        """A point in time as a value of a statement."""
        return instant

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A block of which everything is carried out, or nothing."""
        known = {table: set(columns) for table, columns in self._columns.items()}
        self._begin()
        try:
            yield
            self._run("COMMIT")
        except BaseException:
            self._columns.clear()
            self._columns.update(known)
            self._undo()
            raise

    def _undo(self) -> None:
        try:
            self._run("ROLLBACK")
        except self._errors():
            # The connection is gone, and the transaction with it: the error under way says what broke it.
            pass

    @contextmanager
    def _failing(self, how: str) -> Iterator[None]:
        """A block in which what the driver raises becomes a TargetError that says what could not be done."""
        try:
            yield
        except self._errors() as error:
            raise TargetError(f"{self.name} {how}: {' '.join(str(error).split())}") from error


def _as_instants(found: Any, table: Table) -> Any:
    """What was selected, with points in time as such where the database has them as text."""
    pa = arrow()
    for place, name in enumerate(found.column_names):
        if table.kinds.get(name) is ColumnKind.INSTANT and not pa.types.is_timestamp(found.column(place).type):
            instants = found.column(place).cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
            found = found.set_column(place, name, instants)
    return found


def changes(rows: Rows, there: str, come: str, cast: Mapping[ColumnKind, str] | None = None) -> str:
    """The condition under which an object that has come is to be stored over the one that is there."""
    kinds = rows.table.kinds
    compared = [name for name in kinds if name != "id" and (rows.listed or name in rows.sent)]

    def side(of: str, name: str) -> str:
        return f"{of}.{quoted(name)}{(cast or {}).get(kinds[name], '')}"

    differ = " OR ".join(f"{side(there, name)} IS DISTINCT FROM {side(come, name)}" for name in compared) or "FALSE"
    if rows.listed:
        return f"({differ} OR {there}.{DELETED_AT} IS NOT NULL OR NOT {there}.{LISTED})"
    if "updated_at" in rows.sent:
        newer = f"({come}.updated_at > {there}.updated_at OR {there}.updated_at IS NULL)"
    else:
        newer = f"NOT {there}.{LISTED}"
    return f"({differ}) AND {newer}"


def stored(rows: Rows) -> list[str]:
    """The columns in which an object that has come replaces the one that is there."""
    names = [name for name in rows.table.kinds if name != "id"]
    return [*(name for name in names if rows.listed or name in rows.sent), *(ours.name for ours in _ours(rows))]


def _ours(rows: Rows) -> tuple[Column, ...]:
    return _OURS if rows.listed else _OURS[:2]
