"""The drivers of databases, which are extras."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...errors import UsageError


def driver(module: str, extra: str) -> Any:
    """A module that an extra installs.

    Raises:
        UsageError: it is not installed; the message says what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed: pip install 'kantata-async[{extra}]'") from None
