"""Which kind of sheet a file is, by its columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from os import PathLike
from typing import Final, TypeAlias

from ...custom_fields import DefinedFields
from ...errors import UsageError
from ..texts import coded, nearest
from .columns import Columns
from .content import load
from .groups import Groups
from .people import People
from .roster import Roster

AnySheet: TypeAlias = Roster | People | Groups
"""A sheet that a plan can be made of."""

KINDS: Final[dict[str, type[Roster | People | Groups]]] = {kind.kind: kind for kind in (Roster, Groups, People)}
"""The kinds by their names; where the columns of several are there, the first is meant."""


def read_sheet(
    path: str | PathLike[str],
    *,
    kind: str | None = None,
    ignore_columns: Collection[str] = (),
    sheet: str | None = None,
    custom_fields: Mapping[str, DefinedFields] | None = None,
) -> AnySheet:
    """The lines of a file, as the kind of sheet that its columns make it; of standard input for ``-``.

    Args:
        path: a file as `Roster.read` takes it.
        kind: "roster", "people" or "groups"; without it, the columns decide.
        ignore_columns: headers of columns to leave out.
        sheet: the name of a workbook's sheet.
        custom_fields: those that columns may name besides, by the kind: "people" and "groups".

    Raises:
        UsageError: the file cannot be read, or its columns fit no kind of sheet.
    """
    content = load(path)
    if kind is None:
        kind = kind_of(content.header(_is_column, sheet))
    if kind not in KINDS:
        raise UsageError(f"there is no kind {kind!r}; there are {', '.join(KINDS)}")
    fields = (custom_fields or {}).get(kind)
    return KINDS[kind].of_content(content, ignore_columns=ignore_columns, sheet=sheet, custom_fields=fields)


def _is_column(header: str) -> bool:
    return any(kind.columns.find(header) is not None for kind in KINDS.values())


def kind_of(header: Sequence[str]) -> str:
    """The first kind whose required columns are there, or nearly; where none has them, the one with most columns."""
    complete = [name for name, kind in KINDS.items() if _is_complete(kind.columns, header)]
    return complete[0] if complete else max(KINDS, key=lambda name: len(_found(KINDS[name].columns, header)))


def _is_complete(columns: Columns, header: Sequence[str]) -> bool:
    found = _found(columns, header)
    left = [coded(text) for text in header if columns.find(text) is None]
    return all(name in found or nearest(name, left) for name in columns.required)


def _found(columns: Columns, header: Sequence[str]) -> set[str]:
    return {name for text in header if (name := columns.find(text)) is not None}
