"""Running a command's coroutine so that it ends well however it is told to end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Terminated(Exception):  # noqa: N818 - as KeyboardInterrupt, it is no error of the program
    """SIGTERM ended what was running; what it had done travels with the cause."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine. SIGTERM cancels it as Ctrl-C does.

    Raises:
        Terminated: SIGTERM came.
        KeyboardInterrupt: Ctrl-C came.
    """
    return asyncio.run(_terminable(work))


async def _terminable(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    is_terminated = False

    def terminate() -> None:
        nonlocal is_terminated
        is_terminated = True
        task.cancel()

    with suppress(NotImplementedError):  # Windows has no such handlers, and no SIGTERM that could be handled
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await task
    except asyncio.CancelledError as error:
        if is_terminated:
            raise Terminated from error
        raise
