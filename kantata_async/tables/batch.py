"""The objects of an answer as a batch, built column by column without making entities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import compress
from typing import Any, Final

import attrs
import msgspec

from ..decoding import ClassOf, Envelope, Reader, collector_paused
from .column import json_text, values_of
from .library import arrow, arrow_compute
from .schema import EXTRA, ColumnKind, Table, arrow_types


@cache
def reader_for(class_of: ClassOf) -> Reader:
    """The reader of answers for tables, shared by all with the same classes; it leaves the texts of times to Arrow."""
    return Reader(class_of, spelt=True)


ColumnValues = Mapping[str, Sequence[Any]]


@attrs.frozen
class Batch:
    """Objects of a collection.

    Attributes:
        table: the table whose columns they have.
        rows: a `pyarrow.RecordBatch` of the table's schema.
        sent: the attributes that came with at least one object; the others are null throughout.
    """

    table: Table
    rows: Any
    sent: frozenset[str]

    def given(self, values: Mapping[str, str]) -> Batch:
        """The batch with these texts in columns that did not come: what was asked for is known without being sent."""
        rows, names = self.rows, [name for name in values if name in self.table.kinds and name not in self.sent]
        for name in names:
            column = arrow().array([values[name]] * rows.num_rows, arrow().string())
            rows = rows.set_column(rows.schema.get_field_index(name), name, column)
        return Batch(self.table, rows, self.sent.union(names)) if names else self


def read_batch(table: Table, envelope: Envelope, ids: Iterable[str]) -> Batch:
    """These objects of the table's collection in an answer, in this order."""
    with collector_paused():
        return _batch(table, _columns(table, envelope, ids))


def read_batches(table: Table, envelope: Envelope, ids: Iterable[str]) -> list[Batch]:
    """The same objects in batches of those that came with the same attributes, all of which are in `sent`."""
    columns = _columns(table, envelope, ids)
    partly = [values for values in columns.values() if msgspec.UNSET in values]
    if not partly:
        return [_batch(table, columns)]
    places: dict[tuple[bool, ...], list[int]] = defaultdict(list)
    for place, values in enumerate(zip(*partly, strict=True)):
        places[tuple(value is msgspec.UNSET for value in values)].append(place)
    return [
        _batch(table, {name: [values[place] for place in group] for name, values in columns.items()})
        for group in places.values()
    ]


def joined(batches: Sequence[Batch]) -> Batch:
    """Batches of one table joined into one, with each object as it came last."""
    table = batches[0].table
    rows = arrow().concat_batches([batch.rows for batch in batches]) if len(batches) > 1 else batches[0].rows
    ids = rows.column("id")
    if arrow_compute().count_distinct(ids).as_py() < len(ids):
        last = {id: place for place, id in enumerate(ids.to_pylist())}
        rows = rows.take(arrow().array(sorted(last.values()), arrow().int64()))
    return Batch(table, rows, frozenset().union(*(batch.sent for batch in batches)))


def _columns(table: Table, envelope: Envelope, ids: Iterable[str]) -> ColumnValues:
    chosen = list(ids)
    return {**envelope.columns(table.collection, chosen), "id": chosen}


def _batch(table: Table, columns: ColumnValues) -> Batch:
    count = len(columns["id"])
    sent = {name: values for name, values in columns.items() if not all(value is msgspec.UNSET for value in values)}
    beside: dict[int, dict[str, Any]] = defaultdict(dict)
    arrays: list[Any] = []
    types = arrow_types()
    for column in table.columns[:-1]:
        if column.name not in sent:
            arrays.append(arrow().nulls(count, types[column.kind]))
            continue
        values = values_of(column.kind, sent[column.name])
        arrays.append(values.array)
        for place, value in values.unfit.items():
            beside[place][column.name] = value
    for name in sent.keys() - (table.kinds.keys() - {EXTRA}):
        for place, value in compress(enumerate(sent[name]), [value is not msgspec.UNSET for value in sent[name]]):
            beside[place][name] = value
    arrays.append(_extra(beside, count) if beside else arrow().nulls(count, types[ColumnKind.JSON]))
    names = frozenset(sent) | ({EXTRA} if beside else frozenset())
    return Batch(table, arrow().RecordBatch.from_arrays(arrays, schema=table.schema), names)


def _extra(beside: Mapping[int, Mapping[str, Any]], count: int) -> Any:
    """The array of what objects have that no column holds, by their places."""
    texts = [json_text(dict(sorted(beside[place].items()))) if place in beside else None for place in range(count)]
    return arrow().array(texts, arrow_types()[ColumnKind.JSON])


class BatchStream:
    """Objects as they come, cut into batches of so many rows."""

    def __init__(self, table: Table, rows: int) -> None:
        self._table: Final = table
        self._rows: Final = rows
        self._held: list[Any] = []

    def take(self, envelope: Envelope, ids: Sequence[str]) -> Iterator[Any]:
        """The batches that are full once these objects of an answer are added."""
        if ids:
            self._held.append(read_batch(self._table, envelope, ids).rows)
        while sum(batch.num_rows for batch in self._held) >= self._rows:
            whole = arrow().concat_batches(self._held)
            self._held = [whole.slice(self._rows)]
            yield whole.slice(0, self._rows)

    def last(self) -> Iterator[Any]:
        """The last batch, where anything is left."""
        if any(batch.num_rows for batch in self._held):
            yield arrow().concat_batches(self._held)
