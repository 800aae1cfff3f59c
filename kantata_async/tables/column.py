"""The values of one attribute as an Arrow array, and the values that do not fit its column."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from types import NoneType
from typing import Any, Final

import attrs
import msgspec

from ..model import read_day, read_id, read_ids, read_instant
from .library import arrow, arrow_compute
from .schema import ColumnKind, arrow_types

_SENT_AS: Final[Mapping[ColumnKind, frozenset[type]]] = {
    ColumnKind.WHOLE: frozenset({int, NoneType}),
    ColumnKind.NUMBER: frozenset({float, NoneType}),
    ColumnKind.TEXTS: frozenset({tuple, NoneType}),
}
"""The Python types whose values make an array as they are, of the kinds for which Arrow would take others too."""

_WHOLE_BITS: Final = 63


@attrs.frozen
class FittedValues:
    """The values of an attribute, and by their places those that do not fit its column."""

    array: Any
    unfit: Mapping[int, Any]


def json_text(value: Any) -> str:
    """A value as JSON text, even one with half of a surrogate pair."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeError:
        return json.dumps(value)


def values_of(kind: ColumnKind, values: Sequence[Any]) -> FittedValues:
    """The array of a column; null where a value is null, was not sent (UNSET), or does not fit the column."""
    if kind is ColumnKind.JSON:
        array = [None if value is None or value is msgspec.UNSET else json_text(value) for value in values]
        return FittedValues(arrow().array(array, arrow_types()[kind]), {})
    if kind not in _SENT_AS or _SENT_AS[kind].issuperset(map(type, values)):
        try:
            return FittedValues(_array(kind, values), {})
        except (arrow().ArrowException, ValueError, OverflowError, TypeError):
            pass  # one of them is out of range, or a text that cannot be written: found below
    return _one_by_one(kind, values)


def _array(kind: ColumnKind, values: Sequence[Any]) -> Any:
    """The array of values that all fit."""
    if kind is ColumnKind.INSTANT or kind is ColumnKind.DAY:
        return arrow_compute().cast(arrow().array(values, arrow().string()), arrow_types()[kind])
    return arrow().array(values, arrow_types()[kind])


def _one_by_one(kind: ColumnKind, values: Sequence[Any]) -> FittedValues:
    fit = _FITS[kind]
    fitted: list[Any] = []
    unfit: dict[int, Any] = {}
    for place, value in enumerate(values):
        known = None
        if value is not None and value is not msgspec.UNSET:
            try:
                known = fit(value)
            except (TypeError, ValueError, OverflowError):
                unfit[place] = value
        fitted.append(known)
    return FittedValues(arrow().array(fitted, arrow_types()[kind]), unfit)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return read_id(value)
    value.encode()
    return value


def _texts(value: Any) -> list[str]:
    ids = value if isinstance(value, tuple) else read_ids(value)
    return list(map(_text, ids))


def _whole(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value.bit_length() > _WHOLE_BITS:
        raise TypeError
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError
    return float(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _day(value: Any) -> date:
    day = read_day(value)
    if isinstance(day, datetime):
        raise TypeError
    return day


_FITS: Final[Mapping[ColumnKind, Callable[[Any], Any]]] = {
    ColumnKind.TEXT: _text,
    ColumnKind.TEXTS: _texts,
    ColumnKind.WHOLE: _whole,
    ColumnKind.NUMBER: _number,
    ColumnKind.TRUTH: _truth,
    ColumnKind.INSTANT: read_instant,
    ColumnKind.DAY: _day,
}
"""What a column holds for a value as it came. Each raises TypeError, ValueError or OverflowError for a misfit."""
