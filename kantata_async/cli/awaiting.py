"""A coroutine run by a command. asyncio is a third of what `--help` would import, so it is imported when needed."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def awaited(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives, run to its end in an event loop of its own."""
    import asyncio  # noqa: PLC0415 - see above

    return asyncio.run(coroutine)
