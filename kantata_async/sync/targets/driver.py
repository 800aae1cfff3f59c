"""The drivers of databases, which are extras."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...extras import from_extra


def driver(module: str, extra: str) -> Any:
    """A module that an extra installs.

    Raises:
        UsageError: it is not installed; the message says what to install.
    """
    with from_extra(extra, "copying"):
        return import_module(module)
