"""The bounds of the numbers that options take."""

from __future__ import annotations

import math

from .errors import UsageError


def positive_number(owner: str, name: str, value: object) -> None:
    """Refuse what is not a finite number above zero.

    Raises:
        UsageError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise UsageError(f"{owner}: {name} must be a number above 0, not {value!r}")


def positive_count(owner: str, name: str, value: object) -> None:
    """Refuse what is not a whole number of at least one.

    Raises:
        UsageError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{owner}: {name} must be a whole number of at least 1, not {value!r}")
