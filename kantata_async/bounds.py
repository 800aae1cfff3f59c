"""The bounds of the numbers that options take."""

from __future__ import annotations

import sys
from typing import Final

from .errors import UsageError

_LARGEST: Final = sys.float_info.max
_SHOWN_LENGTH: Final = 100


def positive_number(owner: str, name: str, value: object) -> None:
    """Refuse what is not a finite number above zero.

    Raises:
        UsageError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LARGEST:
        raise UsageError(f"{owner}: {name} must be a number above 0, not {_shown(value)}")


def positive_count(owner: str, name: str, value: object) -> None:
    """Refuse what is not a whole number of at least one.

    Raises:
        UsageError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{owner}: {name} must be a whole number of at least 1, not {_shown(value)}")


def _shown(value: object) -> str:
    try:
        return repr(value)[:_SHOWN_LENGTH]
    except Exception:  # noqa: BLE001 - of a number of thousands of digits, or of a class of the program's
        return f"a {type(value).__name__} too large to show"
