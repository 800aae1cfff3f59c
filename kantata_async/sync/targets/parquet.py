"""Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from ...tables import Table, arrow
from .files import FilesTarget, whole_schema


class ParquetTarget(FilesTarget):
    """A directory of Parquet files: ``ParquetTarget("lake/kantata")``.

    Each collection has a directory below it with the files that `_manifest.json` names; others may be there while a
    step is written. Each object is in one file.
    """

    suffix: ClassVar[str] = ".parquet"

    def _write_file(self, path: Path, table: Table, rows: Any) -> None:
        from pyarrow import parquet  # noqa: PLC0415 - an extra

        parquet.write_table(rows, path, compression="zstd")

    def _read_file(self, path: Path, table: Table, columns: Sequence[str] | None = None) -> Any:
        from pyarrow import parquet  # noqa: PLC0415 - an extra

        schema = whole_schema(table)
        wanted = schema.names if columns is None else list(columns)
        with parquet.ParquetFile(path) as file:
            there = set(file.schema_arrow.names)
            found = file.read(columns=[name for name in wanted if name in there])
        arrays = [
            found.column(name).cast(schema.field(name).type)
            if name in there
            else arrow().nulls(found.num_rows, schema.field(name).type)
            for name in wanted
        ]
        return arrow().Table.from_arrays(arrays, schema=arrow().schema([schema.field(name) for name in wanted]))
