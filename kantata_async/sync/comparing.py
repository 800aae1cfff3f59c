"""The values of rows as texts that are the same wherever the rows are held: in an answer, a database or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..tables import ColumnKind, Table, arrow, arrow_compute, json_text

_BETWEEN: Final = "\x1f"
_NULL: Final = "\x00"


def values_by_id(table: Table, rows: Any) -> dict[str, int]:
    """A number for what each row holds: the same for the same values, and another one for others.

    Args:
        table: whose columns the rows have.
        rows: a `pyarrow.Table` with all of them, as a target gives it.
    """
    columns = [_texts(kind, rows.column(name)) for name, kind in table.kinds.items()]
    joined = arrow_compute().binary_join_element_wise(
        *columns, _BETWEEN, null_handling="replace", null_replacement=_NULL
    )
    return dict(zip(rows.column("id").to_pylist(), map(hash, joined.to_pylist()), strict=True))


def _texts(kind: ColumnKind, column: Any) -> Any:
    pa = arrow()
    try:
        return _AS_TEXTS[kind](column)
    except pa.ArrowException:
        # Something that is not of the column's kind was put into the target.
        return column.cast(pa.string())


def _text(column: Any) -> Any:
    # One of the targets holds no NUL.
    return arrow_compute().replace_substring(column.cast(arrow().string()), "\0", "")


def _whole(column: Any) -> Any:
    return column.cast(arrow().int64()).cast(arrow().string())


def _number(column: Any) -> Any:
    # A zero has a sign in some places only.
    return arrow_compute().add(column.cast(arrow().float64()), 0.0).cast(arrow().string())


def _truth(column: Any) -> Any:
    return column.cast(arrow().bool_()).cast(arrow().string())


def _instant(column: Any) -> Any:
    return _whole(column.cast(arrow().timestamp("us", "UTC")))


def _day(column: Any) -> Any:
    return column.cast(arrow().string())


def _lists(column: Any) -> Any:
    pa = arrow()
    if pa.types.is_list(column.type):
        texts = [None if one is None else json_text(one) for one in column.to_pylist()]
        column = pa.chunked_array([pa.array(texts, pa.string())])
    return arrow_compute().replace_substring(_text(column), r"\u0000", "")


_AS_TEXTS: Final[Mapping[ColumnKind, Callable[[Any], Any]]] = {
    ColumnKind.TEXT: _text,
    ColumnKind.WHOLE: _whole,
    ColumnKind.NUMBER: _number,
    ColumnKind.TRUTH: _truth,
    ColumnKind.INSTANT: _instant,
    ColumnKind.DAY: _day,
    ColumnKind.TEXTS: _lists,
    ColumnKind.JSON: _text,
}
