"""Rosters: who should be on which project, from a file or from objects.

Every line keeps its number. A line that cannot be read is told with its number and does not stop the others; what makes
the whole file doubtful (an unknown column, another encoding, a quote that is never closed) is a `UsageError`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any, Final, Self

import attrs

from ..calls import did_you_mean
from ..errors import UsageError
from .cells import READERS, Name

_REQUIRED: Final = ("project", "person")
_OTHER_ENCODINGS: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}


@attrs.frozen(kw_only=True)
class Line:
    """One line of a roster. What is None is left as it is on the project.

    Attributes:
        number: its number in the file, from 1 with the header counted; of objects their position, from 1.
        project: which project.
        person: who.
        role: ``maven`` or ``buyer``; somebody new is a maven unless it is given.
        access_level: as a create takes it.
        permissions: those the person should have at least.
        team_lead: whether the person leads the team.
        bill_rate: an hour, in units of the project's currency.
        cost_rate: likewise.
        project_role: the id or the name of a role.
    """

    number: int
    project: Name
    person: Name
    role: str | None = None
    access_level: str | None = None
    permissions: tuple[str, ...] | None = None
    team_lead: bool | None = None
    bill_rate: Decimal | None = None
    cost_rate: Decimal | None = None
    project_role: str | None = None


@attrs.frozen(order=True)
class Problem:
    """A line that cannot be done, and why; `project` is the id of its project, where that is known."""

    line: int
    reason: str
    project: str | None = None

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@attrs.frozen
class Roster:
    """Who should be on which project.

    The columns are project and person, which every line needs, and role, access_level, permissions, team_lead,
    bill_rate, cost_rate and project_role, which may be absent or empty: what is empty is left as it is.

    - project: an id, a title, or ``ref:service:model:ref`` for an external reference. ``title:2027`` is a title that
      looks like an id.
    - person: an id or an e-mail address.
    - role: maven or buyer; who is added without one is a maven.
    - permissions: several are divided by spaces, semicolons or bars (or commas, in quotes).
    - team_lead: yes or no, true or false, 1 or 0.
    - bill_rate, cost_rate: an hour, in units of the project's currency: 120 or 120.50.
    - project_role: the id or the name of a role.

    Attributes:
        lines: the lines that could be read.
        problems: the others, each with its number and the reason.
        source: where it came from, for messages.
    """

    lines: tuple[Line, ...]
    problems: tuple[Problem, ...] = ()
    source: str = "roster"

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Self:
        """Read a file by its suffix: .csv, or .jsonl or .ndjson for JSON lines. Raises UsageError for any other."""
        match Path(path).suffix.lower():
            case ".csv":
                return cls.from_csv(path)
            case ".jsonl" | ".ndjson":
                return cls.from_jsonl(path)
            case suffix:
                raise UsageError(f"{path}: a roster is a .csv or a .jsonl file, not {suffix or 'one without a suffix'}")

    @classmethod
    def from_csv(cls, path: str | PathLike[str]) -> Self:
        """Read comma-separated values with a header, in UTF-8, with or without a byte order mark.

        Raises UsageError, with the file and the place, for a file that cannot be read as a whole.
        """
        records = _records(_text(path), str(path))
        _, first = next(records, (1, []))
        header = [cell.strip().lower().replace(" ", "_") for cell in first]
        _check_header(header, ",".join(first), str(path))
        read = (_read_record(header, cells, number) for number, cells in records if any(map(str.strip, cells)))
        return cls._of(read, str(path))

    @classmethod
    def from_jsonl(cls, path: str | PathLike[str]) -> Self:
        """Read JSON lines: an object a line, in UTF-8. Raises UsageError for a file that is no UTF-8."""
        lines = enumerate(_text(path).split("\n"), 1)
        return cls._of((_read_json(line, number) for number, line in lines if line.strip()), str(path))

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, object]]) -> Self:
        """Take mappings with the columns as keys; their numbers are their positions, from 1."""
        return cls._of((_read_object(row, number) for number, row in enumerate(rows, 1)), "roster")

    @classmethod
    def _of(cls, read: Iterable[Line | Problem], source: str) -> Self:
        found = list(read)
        lines = tuple(one for one in found if isinstance(one, Line))
        return cls(lines, tuple(one for one in found if isinstance(one, Problem)), source)


def _text(path: str | PathLike[str]) -> str:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    encoding = _OTHER_ENCODINGS.get(content[:2])
    if encoding is not None:
        raise UsageError(f"{path}: the file is {encoding}; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from error


def _records(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """The records of comma-separated values, each with the number of the line that it begins at."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 1
    try:
        for cells in reader:
            yield number, cells
            number = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f"{source}: line {number} cannot be read, nor what follows it: {error}") from error


def _check_header(header: Sequence[str], line: str, source: str) -> None:
    if not any(header):
        raise UsageError(f"{source}: the first line should be a header with the columns {', '.join(_REQUIRED)}, …")
    if len(header) == 1:
        for separator, called in _OTHER_SEPARATORS.items():
            if separator in line:
                raise UsageError(f"{source}: its cells are divided by {called}; save it as comma-separated (CSV UTF-8)")
    for name in header:
        if name not in READERS:
            raise UsageError(f"{source}: there is no column {name!r}{did_you_mean(name, READERS)}")
        if header.count(name) > 1:
            raise UsageError(f"{source}: there are two columns {name!r}")
    for name in _REQUIRED:
        if name not in header:
            raise UsageError(f"{source}: the column {name!r} is missing")


def _read_record(header: Sequence[str], cells: Sequence[str], number: int) -> Line | Problem:
    if len(cells) != len(header):
        return Problem(number, f"it has {len(cells)} cells, and the header {len(header)}")
    return _read_line(dict(zip(header, cells, strict=True)), number)


def _read_json(line: str, number: int) -> Line | Problem:
    try:
        row = json.loads(line, parse_float=Decimal)
    except ValueError as error:
        return Problem(number, f"it is not JSON: {error}")
    return _read_object(row, number)


def _read_object(row: Any, number: int) -> Line | Problem:
    if not isinstance(row, Mapping):
        return Problem(number, f"it is {type(row).__name__}, not an object with the columns as keys")
    for name in row:
        if name not in READERS:
            return Problem(number, f"there is no column {name!r}{did_you_mean(str(name), READERS)}")
    return _read_line({name: _cell(value) for name, value in row.items()}, number)


def _cell(value: object) -> str:
    """A value of an object as the text of a cell."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple() | set() | frozenset():
            return " ".join(map(str, value))
        case _:
            return str(value)


def _read_line(cells: Mapping[str, str], number: int) -> Line | Problem:
    texts = {name: text.strip() for name, text in cells.items() if text.strip()}
    reasons = [f"the {name} is missing" for name in _REQUIRED if name not in texts]
    values: dict[str, Any] = {}
    for name, text in texts.items():
        try:
            values[name] = READERS[name](text)
        except ValueError as error:
            reasons.append(f"{name}: {error}")
    if reasons:
        return Problem(number, "; ".join(reasons))
    return Line(number=number, **values)
