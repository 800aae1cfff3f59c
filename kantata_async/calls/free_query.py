"""The query of a request that no operation describes: Python values in, the texts of a URL out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from math import isfinite
from typing import Any, Final

from ..errors import UsageError
from .parameters import query_text

QueryValue = str | int | float | date

_MOST_BITS: Final = 64
_SHOWN_LENGTH: Final = 100


def query_of(params: object) -> tuple[tuple[str, str], ...]:
    """The names and values of a query, lists joined with commas; empty for None.

    Raises:
        UsageError: `params` is not a mapping of names to values that a query can hold.
    """
    if params is None:
        return ()
    if not isinstance(params, Mapping):
        raise UsageError(f"params must be a mapping of names to values, not {type(params).__name__}")
    return tuple(_texts(params))


def _texts(params: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
        if not isinstance(name, str) or not all(map(_fits, values)):
            shown = repr(name)[:_SHOWN_LENGTH] if isinstance(name, str) else type(name).__name__
            raise UsageError(
                f"params: {shown} cannot be {type(value).__name__}: "
                "names are texts; values are texts, numbers, dates, or lists of them"
            )
        yield name, ",".join(value.isoformat() if isinstance(value, date) else query_text(value) for value in values)


def _fits(value: object) -> bool:
    if isinstance(value, int):
        return value.bit_length() <= _MOST_BITS
    return isinstance(value, str | date) or (isinstance(value, float) and isfinite(value))
