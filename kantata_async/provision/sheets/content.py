"""The content of a file, and the form of its lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeAlias

import attrs

from ...errors import UsageError
from ..local_files import read_file
from .cells import cell_text
from .tables import TableRow, decode, delimited_rows, is_workbook, workbook_rows

SheetForm: TypeAlias = Literal["delimited", "workbook", "json"]

_WORKBOOKS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_DELIMITED: Final = (".csv", ".tsv", ".txt")
_JSON_LINES: Final = (".jsonl", ".ndjson")
_STDIN: Final = "-"


@attrs.frozen
class Content:
    """The content of a file, and its form."""

    source: str
    data: bytes
    form: SheetForm

    @classmethod
    def at(cls, path: str | PathLike[str], form: SheetForm) -> Content:
        """The content of a file of this form.

        Raises:
            UsageError: the file cannot be read.
        """
        data = read_file(path)
        return cls(str(path), data, form)

    def rows(self, known: Callable[[str], bool], sheet: str | None) -> tuple[Iterator[TableRow], tuple[str, ...]]:
        """The rows of its table, and remarks on how they were read.

        Raises:
            UsageError: a sheet is named, and the file has none.
        """
        if self.form == "workbook":
            return workbook_rows(self.data, self.source, sheet), ()
        if sheet is not None:
            raise UsageError(f"{self.source}: only a workbook has sheets")
        text = decode(self.data, self.source)
        return delimited_rows(text.content, self.source, known), text.notes

    def header(self, known: Callable[[str], bool], sheet: str | None) -> list[str]:
        """The headers of its table, or the keys of its first object; none where it has neither."""
        if self.form != "json":
            first = next(self.rows(known, sheet)[0], None)
            return [] if first is None else [header_text(cell) for cell in first.cells]
        line = next((one for one in decode(self.data, self.source).content.split("\n") if one.strip()), "")
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return []
        return list(row) if isinstance(row, dict) else []


def load(path: str | PathLike[str], stdin: BinaryIO | None = None) -> Content:
    """The content of a file; for ``-`` that of `stdin`, which is by default the standard input of the process.

    Raises:
        UsageError: the file cannot be read, or is of no kind that holds lines.
    """
    is_stdin = _names_stdin(path)
    data = (stdin or sys.stdin.buffer).read() if is_stdin else read_file(path)
    source = "standard input" if is_stdin else str(path)
    if is_workbook(data):
        return Content(source, data, "workbook")
    suffix = Path(path).suffix.lower()
    if suffix in _JSON_LINES or (is_stdin and data.lstrip().startswith(b"{")):
        return Content(source, data, "json")
    if suffix in _DELIMITED or is_stdin:
        return Content(source, data, "delimited")
    if suffix in _WORKBOOKS:
        raise UsageError(f"{source} is not a workbook, despite its suffix")
    kinds = "a .csv, an .xlsx or a .jsonl file"
    raise UsageError(f"{source}: a roster is {kinds}, not {suffix or 'one without a suffix'}")


def _names_stdin(path: object) -> bool:
    return isinstance(path, str | PathLike) and str(path) == _STDIN


def header_text(cell: object) -> str:
    """The text of a header's cell, in one line."""
    return " ".join(cell_text(cell).split())
