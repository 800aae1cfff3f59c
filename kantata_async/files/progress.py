"""How far a file has come, as reported to the program."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from ..callables import check_function
from ..transport import OnBytes


async def call_and_await(function: Callable[..., object], *args: Any) -> None:
    """Call a function of the program, which may be async."""
    result = function(*args)
    if inspect.isawaitable(result):
        await result


class ToldProgress:
    """A function that is told of an upload's progress, and the error with which it ended the upload.

    What aiohttp raises then is an error of the connection.

    Raises:
        UsageError: it cannot be called with how far the upload is.
    """

    def __init__(self, function: OnBytes) -> None:
        check_function("upload", "on_progress", function, "a number of bytes", "their total")
        self._function: Final = function
        self.error: Exception | None = None

    async def __call__(self, done: int, total: int | None) -> None:
        """Call the function."""
        try:
            await call_and_await(self._function, done, total)
        except Exception as error:
            self.error = error
            raise
