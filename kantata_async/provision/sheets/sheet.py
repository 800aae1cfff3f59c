"""What rosters, people and groups have in common: lines with their numbers, from a file or from objects.

Every line keeps its number. A line that cannot be read is a `Problem` and does not stop the others; what makes
the whole file doubtful (an unknown column, a quote that is never closed) is a `UsageError`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from os import PathLike
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

import attrs

from ...calls import is_iterable, refuse_frame
from ...custom_fields import DefinedFields, SubjectType
from ...errors import UsageError
from ..texts import tidy
from .cells import Cells, cell_text, checked_text, is_clear
from .columns import Columns, Keys, Layout, SheetColumn, lay_out, letters
from .content import Content, header_text, load
from .tables import TableRow, decode

L = TypeVar("L")

_MOST_TOLD: Final = 3


@attrs.frozen(order=True)
class Problem:
    """A line that cannot be done, and why; `project` is the id of its project, where that is known."""

    line: int
    reason: str
    project: str | None = None

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@attrs.frozen
class Sheet(Generic[L]):
    """The lines of a spreadsheet.

    Attributes:
        lines: the lines that could be read.
        problems: the others, each with its number and the reason.
        source: where they came from, for messages.
        notes: remarks on how they were read.
    """

    kind: ClassVar[str]
    subject_type: ClassVar[SubjectType | None] = None
    """Whose custom fields its columns can be."""
    columns: ClassVar[Columns]
    line: ClassVar[type[Any]]

    lines: tuple[L, ...]
    problems: tuple[Problem, ...] = ()
    source: str = "roster"
    notes: tuple[str, ...] = ()

    @classmethod
    def read(
        cls,
        path: str | PathLike[str],
        *,
        ignore_columns: Collection[str] = (),
        sheet: str | None = None,
        custom_fields: DefinedFields | None = None,
    ) -> Self:
        """The lines of a file, by its suffix and content; of standard input for ``-``.

        Args:
            path: .csv, .tsv or .txt for delimited values, .jsonl or .ndjson for JSON lines, .xlsx, .xls or .ods for
                workbooks.
            ignore_columns: headers of columns to leave out; for columns without one their letters, as in a spreadsheet.
            sheet: the name of a workbook's sheet; without it the first with anything in it.
            custom_fields: those that columns may name besides, ``await kantata.custom_fields.defined("User")`` of
                people and ``"WorkspaceGroup"`` of groups. Rosters have none.

        Raises:
            UsageError: the file cannot be read, or not as a whole.
        """
        return cls.of_content(load(path), ignore_columns=ignore_columns, sheet=sheet, custom_fields=custom_fields)

    @classmethod
    def from_csv(
        cls,
        path: str | PathLike[str],
        *,
        ignore_columns: Collection[str] = (),
        custom_fields: DefinedFields | None = None,
    ) -> Self:
        """The lines of values separated by commas, semicolons, tabs or bars, with a header.

        In UTF-8, in UTF-16 with a byte order mark, or in Windows-1252 when nothing else fits.

        Raises:
            UsageError: the file cannot be read as a whole; it names the file and the place.
        """
        content = Content.at(path, "delimited")
        return cls.of_content(content, ignore_columns=ignore_columns, custom_fields=custom_fields)

    @classmethod
    def from_xlsx(
        cls,
        path: str | PathLike[str],
        *,
        ignore_columns: Collection[str] = (),
        sheet: str | None = None,
        custom_fields: DefinedFields | None = None,
    ) -> Self:
        """The lines of a workbook's sheet; cells that hold an error read as empty. It takes the extra ``xlsx``.

        Raises:
            UsageError: it is no workbook, or has no such sheet.
        """
        content = Content.at(path, "workbook")
        return cls.of_content(content, ignore_columns=ignore_columns, sheet=sheet, custom_fields=custom_fields)

    @classmethod
    def from_jsonl(
        cls,
        path: str | PathLike[str],
        *,
        ignore_columns: Collection[str] = (),
        custom_fields: DefinedFields | None = None,
    ) -> Self:
        """The lines of JSON: an object a line.

        Raises:
            UsageError: the file is no text.
        """
        content = Content.at(path, "json")
        return cls.of_content(content, ignore_columns=ignore_columns, custom_fields=custom_fields)

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[Mapping[str, Any]],
        *,
        ignore_columns: Collection[str] = (),
        custom_fields: DefinedFields | None = None,
    ) -> Self:
        """The lines of mappings with the columns as keys; their numbers are their positions, from 1.

        Values may be those of pandas and numpy: a value that is missing there is empty, and 3.0 is the id 3.

        Raises:
            UsageError: the argument is not rows.
        """
        refuse_frame(rows)
        if isinstance(rows, Mapping | str | bytes) or not is_iterable(rows):
            raise UsageError(f"rows must be an iterable of mappings, not {type(rows).__name__}")
        keys = Keys(cls._columns(custom_fields), ignore_columns)
        read = (cls._of_object(row, number, keys) for number, row in enumerate(rows, 1))
        return cls._of(read, cls.kind, ())

    @classmethod
    def of_content(
        cls,
        content: Content,
        *,
        ignore_columns: Collection[str] = (),
        sheet: str | None = None,
        custom_fields: DefinedFields | None = None,
    ) -> Self:
        """The lines in the content of a file.

        Raises:
            UsageError: as `read`.
        """
        columns = cls._columns(custom_fields)
        if content.form == "json":
            text = decode(content.data, content.source)
            keys = Keys(columns, ignore_columns)
            lines = enumerate(text.content.split("\n"), 1)
            read = (cls._of_json(line, number, keys) for number, line in lines if line.strip())
            return cls._of(read, content.source, text.notes)
        rows, notes = content.rows(lambda header: columns.find(header) is not None, sheet)
        first = next(rows, None)
        if first is None:
            names = ", ".join(columns.required)
            raise UsageError(f"{content.source}: the first line should be a header with the columns {names}, …")
        header = [header_text(cell) for cell in first.cells]
        layout = lay_out(columns, header, ignore_columns, content.source)
        return cls._of((cls._of_row(layout, row) for row in rows), content.source, notes)

    @classmethod
    def _columns(cls, custom_fields: DefinedFields | None) -> Columns:
        """The columns that it may have; raises UsageError for custom fields that are not of what it is about."""
        if custom_fields is None:
            return cls.columns
        if cls.subject_type is None:
            raise UsageError(f"a {cls.kind} has no custom fields: people and groups have")
        if custom_fields.subject_type != cls.subject_type:
            raise UsageError(
                f"{cls.kind} have the custom fields of {cls.subject_type}, not {custom_fields.subject_type}"
            )
        return cls.columns.with_fields(custom_fields)

    @classmethod
    def _of(cls, read: Iterable[Any], source: str, notes: tuple[str, ...]) -> Self:
        found = list(read)
        lines = tuple(one for one in found if not isinstance(one, Problem))
        return cls(lines, tuple(one for one in found if isinstance(one, Problem)), source, notes)

    # --- single lines ---

    @classmethod
    def _of_row(cls, layout: Layout, row: TableRow) -> L | Problem:
        stray = [(number, cell) for number, cell in layout.beyond(row.cells) if tidy(cell_text(cell))]
        if stray:
            where = ", ".join(f"{letters(number)} ({cell_text(cell)!r})" for number, cell in stray[:_MOST_TOLD])
            return Problem(row.number, f"it has a value under no header, in column {where}")
        cells = zip(layout.places, row.cells, strict=False)
        return cls._of_cells(layout.columns, {name: cell for name, cell in cells if name is not None}, row.number)

    @classmethod
    def _of_json(cls, line: str, number: int, keys: Keys) -> L | Problem:
        try:
            row = json.loads(line, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            return Problem(number, f"it is not JSON: {error}")
        return cls._of_object(row, number, keys)

    @classmethod
    def _of_object(cls, row: Any, number: int, keys: Keys) -> L | Problem:
        if not isinstance(row, Mapping):
            return Problem(number, f"it is {type(row).__name__}, not an object with the columns as keys")
        cells: dict[str, Any] = {}
        wrong = []
        for key, value in row.items():
            header = str(key)
            name = keys.find(header)
            if keys.is_ignored(header):
                continue
            if name is None:
                wrong.append(keys.wrong(header))
            elif name in cells:
                wrong.append(f"there are two columns {name!r}")
            else:
                cells[name] = value
        if wrong:
            return Problem(number, "; ".join(wrong))
        meant = keys.columns.meant(cells)
        return cls._of_cells(keys.columns, {meant.get(name, name): cell for name, cell in cells.items()}, number)

    @classmethod
    def _of_cells(cls, columns: Columns, cells: Mapping[str, Any], number: int) -> L | Problem:
        values: Cells = {}
        cleared = set()
        reasons = []
        empty = columns.by_name.keys() - cells.keys()
        for name, cell in cells.items():
            try:
                text = checked_text(cell_text(cell))
                if not text:
                    empty.add(name)
                elif is_clear(text):
                    cleared.add(_clearable(columns.by_name[name]))
                else:
                    values[name] = columns.by_name[name].read(text)
            except ValueError as error:
                reasons.append(f"{name}: {error}")
        missing = [f"the {name} is missing" for name in columns.required if name in empty]
        if missing or reasons:
            return Problem(number, "; ".join([*missing, *reasons]))
        own = {name: value for name, value in values.items() if name in cls.columns.by_name}
        fields = {name: value for name, value in values.items() if name not in own}
        custom = {"custom_fields": fields} if fields else {}
        made: L = cls.line(number=number, cleared=frozenset(cleared), **own, **custom)
        return made


def _clearable(column: SheetColumn) -> str:
    """The name of a column whose value a cell clears; raises ValueError where none can."""
    if not column.clearable:
        raise ValueError("it cannot be cleared")
    return column.name
