"""pyarrow, which is an extra."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from ..extras import from_extra


@cache
def arrow() -> Any:
    """The module pyarrow.

    Raises:
        UsageError: it is not installed; the message says what to install.
    """
    with from_extra("arrow", "reading batches"):
        import pyarrow  # noqa: PLC0415 - an extra, and half a second that most programs need not wait
    return pyarrow


@cache
def arrow_compute() -> Any:
    """The module pyarrow.compute, whose functions are made when it is loaded.

    Raises:
        UsageError: as `arrow`.
    """
    arrow()
    return import_module("pyarrow.compute")
