"""The content of a file as rows of cells, each with the number of its line: pure."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import attrs

from ...errors import UsageError
from ...extras import from_extra
from ..texts import tidy
from .cells import cell_text

_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"", "utf-8-sig"),
)
_SEPARATORS: Final = ",;\t|"
_DECLARED_SEPARATOR: Final = re.compile(r'"?sep=([^"\r\n])"?[,;|\t]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
_WORKBOOK: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_LAST_RESORT: Final = "cp1252"
_MOST_QUOTED: Final = 60


@attrs.frozen
class TableRow:
    """A row that is not empty: the number of the line where it begins, and its cells."""

    number: int
    cells: Sequence[Any]


@attrs.frozen
class Text:
    """The text of a file, and remarks on how it was read."""

    content: str
    notes: tuple[str, ...] = ()


def is_workbook(content: bytes) -> bool:
    """Whether a file is in the format of a spreadsheet program."""
    return content.startswith(_WORKBOOK)


def decode(content: bytes, source: str) -> Text:
    """The text of a file: as its byte order mark says, else UTF-8, and Windows-1252 when nothing else fits.

    Raises:
        UsageError: it is none of these.
    """
    encoding = next(name for mark, name in _MARKS if content.startswith(mark))
    try:
        return Text(content.decode(encoding))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if encoding != "utf-8-sig":
            raise UsageError(f"{source}: the file begins as {encoding.upper()}, and is not: {error.reason}") from error
    try:
        text = content.decode(_LAST_RESORT)
    except UnicodeDecodeError:
        raise UsageError(f"{source}: line {line} is not UTF-8; save the file as UTF-8") from None
    read = text.split("\n")[line - 1].strip()[:_MOST_QUOTED]
    return Text(text, (f"{source} is not UTF-8 and was read as Windows-1252, where line {line} begins {read!r}",))


def delimited_rows(text: str, source: str, known: Callable[[str], bool]) -> Iterator[TableRow]:
    """The rows of values divided by commas, semicolons, tabs or bars, whichever gives the most `known` columns.

    A first line ``sep=;`` overrides that.

    Raises:
        UsageError: a quote is never closed.
    """
    declared = _DECLARED_SEPARATOR.match(text)
    if declared is None:
        return _rows(text, source, _separator(text, known), 1)
    return _rows(text[declared.end() :], source, declared[1], 2)


def _separator(text: str, known: Callable[[str], bool]) -> str:
    def columns(separator: str) -> tuple[int, int]:
        header = _first_row(text, separator)
        return sum(map(known, header)), len(header) > 1

    return max(_SEPARATORS, key=columns)


def _first_row(text: str, separator: str) -> Sequence[str]:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return next((cells for cells in reader if any(map(tidy, cells))), [])
    except csv.Error:
        return []


def _rows(text: str, source: str, separator: str, number: int) -> Iterator[TableRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    before = number - 1
    try:
        for cells in reader:
            if any(map(tidy, cells)):
                yield TableRow(number, cells)
            number = before + reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f"{source}: line {number} cannot be read, nor what follows it: {error}") from error


def workbook_rows(content: bytes, source: str, sheet: str | None) -> Iterator[TableRow]:
    """The rows of a sheet of a workbook: the named one, else the first that is not hidden and not empty.

    Raises:
        UsageError: it is no workbook, it has no such sheet, or python-calamine is not installed.
    """
    with from_extra("xlsx", "reading workbooks"):
        from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum  # noqa: PLC0415 - an extra
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        shown = [one.name for one in workbook.sheets_metadata if one.visible == SheetVisibleEnum.Visible]
        if sheet is not None and sheet not in workbook.sheet_names:
            raise UsageError(f"{source}: there is no sheet {sheet!r}; there are {', '.join(workbook.sheet_names)}")
        names = shown if sheet is None else [sheet]
        tables = (workbook.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in names)
        table = next((rows for rows in tables if any(itertools.chain.from_iterable(rows))), [])
    except CalamineError as error:
        raise UsageError(f"{source} cannot be read as a workbook: {error}") from error
    return _filled(table)


def _filled(table: Iterable[Sequence[Any]]) -> Iterator[TableRow]:
    for number, cells in enumerate(table, 1):
        if any(tidy(cell_text(cell)) for cell in cells):
            yield TableRow(number, cells)
