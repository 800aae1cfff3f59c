"""pyarrow, which is an extra."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..errors import UsageError


@cache
def arrow() -> Any:
    """The module pyarrow. Raises UsageError saying what to install where it is missing."""
    try:
        import pyarrow  # noqa: PLC0415 - an extra, and half a second that most programs need not wait
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise UsageError("pyarrow is not installed: pip install 'kantata-async[arrow]'") from None
    return pyarrow
