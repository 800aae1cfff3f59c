"""Values of data frames and arrays as plain Python values, without importing the libraries that they come from.

A column of numbers with a gap holds floats, and its empty cells are NaN, NaT or NA. So 3.0 is read as the id 3, and an
empty cell as no value.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any, Final

from ..errors import UsageError

PLAIN_TYPES: Final = frozenset({str, int, bool, type(None), list, tuple, dict, date, datetime})
_LIBRARIES: Final = frozenset({"numpy", "pandas"})
_MOST_EXACT: Final = 2**53
"""Beyond this a float no longer distinguishes neighbouring whole numbers."""

EMPTY: Final = object()
"""Stands for an empty cell."""


_ROWS_OF_FRAMES: Final = {
    "to_dicts": "frame.to_dicts()",
    "to_pylist": "table.to_pylist()",
    "to_dict": "frame.to_dict('records')",
}
"""What gives the rows of a frame of polars, a table of pyarrow, and else a frame of pandas, by their methods."""


def refuse_frame(rows: object) -> None:
    """Refuse a data frame where rows are expected: iterating it gives its columns.

    Raises:
        UsageError: it is one; the message says what gives its rows.
    """
    if hasattr(rows, "columns"):
        for method, instead in _ROWS_OF_FRAMES.items():
            if hasattr(rows, method):
                raise UsageError(f"a data frame is not rows: give {instead}")


def plain(value: Any) -> Any:
    """A value as a plain Python value; `EMPTY` for one that stands for an empty cell."""
    if type(value) in PLAIN_TYPES:
        return value
    if isinstance(value, float):
        return _plain_float(float(value))
    return _plain_foreign(value) if type(value).__module__.partition(".")[0] in _LIBRARIES else value


def _plain_float(value: float) -> Any:
    if math.isnan(value):
        return EMPTY
    return int(value) if value.is_integer() and abs(value) <= _MOST_EXACT else value


def _plain_foreign(value: Any) -> Any:
    if type(value).__name__ in {"NAType", "NaTType"}:
        return EMPTY
    if isinstance(value, datetime):
        return _plain_instant(value.to_pydatetime(warn=False))  # type: ignore[attr-defined]  # a Timestamp
    if isinstance(value, str):
        return str(value)
    if type(value).__name__ == "datetime64":
        return _plain_datetime64(value)
    if hasattr(value, "tolist"):  # an array, a series, or a numpy number
        made = value.tolist()
        return made if type(made) is list else plain(made)
    return value


def _plain_datetime64(value: Any) -> Any:
    made = value.astype("datetime64[us]").item()
    return EMPTY if made is None else _plain_instant(made)


def _plain_instant(value: datetime) -> date | datetime:
    """A date for an instant without time and zone, as data frames have no other dates."""
    is_day = value.tzinfo is None and value == datetime(value.year, value.month, value.day)
    return value.date() if is_day else value
