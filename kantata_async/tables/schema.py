"""The columns of a collection: its attributes as the catalogue has them, so that they are the same from run to run."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from functools import cache, cached_property
from hashlib import blake2b
from typing import Any, Final

import attrs

from ..model import Attribute, Entity, read_day, read_id, read_ids, read_instant, read_ref
from .library import arrow

EXTRA: Final = "_extra"
"""The column of everything that has no column, as JSON text."""


class ColumnKind(enum.Enum):
    """What a column holds; null stands for null and for what was not sent."""

    TEXT = "text"
    WHOLE = "whole number of 64 bits"
    NUMBER = "number"
    TRUTH = "true or false"
    INSTANT = "point in time, UTC"
    DAY = "date"
    TEXTS = "list of texts"
    JSON = "JSON text"


_KIND_BY_READING: Final[Mapping[Any, ColumnKind]] = {
    read_id: ColumnKind.TEXT,
    read_ids: ColumnKind.TEXTS,
    read_instant: ColumnKind.INSTANT,
    read_day: ColumnKind.DAY,
    read_ref: ColumnKind.JSON,
}
_KIND_BY_ANNOTATION: Final[Mapping[str, ColumnKind]] = {
    "Nullable[str]": ColumnKind.TEXT,
    "Nullable[int]": ColumnKind.WHOLE,
    "Nullable[float]": ColumnKind.NUMBER,
    "Nullable[bool]": ColumnKind.TRUTH,
}


@attrs.frozen
class Column:
    """One attribute of the objects of a collection."""

    name: str
    kind: ColumnKind


@attrs.frozen(slots=False, eq=False)
class Table:
    """The columns of a collection: its attributes by name, the id first and `_extra` last."""

    collection: str
    columns: tuple[Column, ...]

    @cached_property
    def kinds(self) -> Mapping[str, ColumnKind]:
        """What each column holds, by its name."""
        return {column.name: column.kind for column in self.columns}

    @cached_property
    def digest(self) -> str:
        """A short text that is the same as long as the columns are."""
        columns = "\n".join(f"{column.name} {column.kind.name}" for column in self.columns)
        return blake2b(columns.encode(), digest_size=8).hexdigest()

    @cached_property
    def schema(self) -> Any:
        """The `pyarrow.Schema` of its batches.

        Raises:
            UsageError: pyarrow is not installed.
        """
        types = arrow_types()
        return arrow().schema([(column.name, types[column.kind]) for column in self.columns])


@cache
def arrow_types() -> Mapping[ColumnKind, Any]:
    """The Arrow type of each kind of column."""
    pa = arrow()
    return {
        ColumnKind.TEXT: pa.string(),
        ColumnKind.WHOLE: pa.int64(),
        ColumnKind.NUMBER: pa.float64(),
        ColumnKind.TRUTH: pa.bool_(),
        ColumnKind.INSTANT: pa.timestamp("us", "UTC"),
        ColumnKind.DAY: pa.date32(),
        ColumnKind.TEXTS: pa.list_(pa.string()),
        ColumnKind.JSON: pa.string(),
    }


def table_of(collection: str, cls: type[Entity] | None) -> Table:
    """The table of a collection whose objects are of a class, None for one that the catalogue does not know.

    For the same collection and class it is always the same object.
    """
    return _table(collection, cls)  # type: ignore[arg-type]  # mypy confuses the hash of such a class


@cache
def _table(collection: str, cls: type[Entity] | None) -> Table:
    kinds: dict[str, ColumnKind] = {}
    for one in () if cls is None else (cls, *cls.variants.values()):
        for name, kind in _kinds_of(one).items():
            kinds[name] = kind if kinds.get(name, kind) is kind else ColumnKind.JSON
    kinds.pop("id", None)
    columns = [
        Column("id", ColumnKind.TEXT),
        *(Column(name, kinds[name]) for name in sorted(kinds)),
        Column(EXTRA, ColumnKind.JSON),
    ]
    return Table(collection, tuple(columns))


def _kinds_of(cls: type[Entity]) -> dict[str, ColumnKind]:
    return {field.name: _kind(field) for field in attrs.fields(cls) if Attribute in field.metadata}


def _kind(field: attrs.Attribute[Any]) -> ColumnKind:
    read = field.metadata[Attribute].read
    if read is not None:
        return _KIND_BY_READING[read]
    return _KIND_BY_ANNOTATION.get(str(field.type), ColumnKind.JSON)
