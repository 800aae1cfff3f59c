"""Files of JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from ...model import parse_json
from ...tables import ColumnKind, Table, arrow, json_text
from .files import FilesTarget, whole_schema


class JSONLinesTarget(FilesTarget):
    """A directory of files with one object a line: ``JSONLinesTarget("lake/kantata")``.

    Each collection has a directory below it with the files that `_manifest.json` names; others may be there while a
    step is written. Each object is in one file. Points in time are in UTC; nested objects and `_extra` are objects.
    """

    suffix: ClassVar[str] = ".jsonl"

    def _write_file(self, path: Path, table: Table, rows: Any) -> None:
        nested = [name for name, kind in table.kinds.items() if kind is ColumnKind.JSON]
        with path.open("wb") as file:
            for row in rows.to_pylist():
                for name in nested:
                    row[name] = None if row[name] is None else msgspec.Raw(row[name].encode())
                file.write(msgspec.json.encode(row) + b"\n")

    def _read_file(self, path: Path, table: Table, columns: Sequence[str] | None = None) -> Any:
        schema = whole_schema(table)
        wanted = arrow().schema([schema.field(name) for name in columns or schema.names])
        with path.open("rb") as file:
            rows = [parse_json(line) for line in file]
        arrays = [
            arrow().array(
                [_read(field.type, table.kinds.get(field.name), row.get(field.name)) for row in rows], field.type
            )
            for field in wanted
        ]
        return arrow().Table.from_arrays(arrays, schema=wanted)


def _read(type: Any, kind: ColumnKind | None, value: Any) -> Any:
    if value is None:
        return None
    if kind is ColumnKind.JSON:
        return json_text(value)
    if arrow().types.is_timestamp(type):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if kind is ColumnKind.DAY else value
