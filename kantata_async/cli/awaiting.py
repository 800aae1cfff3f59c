"""A coroutine run by a command. asyncio is a third of what `--help` would import, so it is imported when needed."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Terminated(Exception):  # noqa: N818 - as KeyboardInterrupt, it is no error of the program
    """SIGTERM ended the command; the cause carries what had been done."""


def awaited(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, run in a new event loop. SIGTERM cancels it as Ctrl-C does.

    Raises:
        Terminated: SIGTERM came.
    """
    import asyncio  # noqa: PLC0415 - see above

    return asyncio.run(_terminable(coroutine))


async def _terminable(coroutine: Coroutine[Any, Any, T]) -> T:
    import asyncio  # noqa: PLC0415 - see above
    import signal  # noqa: PLC0415 - see above

    task = asyncio.ensure_future(coroutine)
    is_terminated = False

    def terminate() -> None:
        nonlocal is_terminated
        is_terminated = True
        task.cancel()

    with suppress(NotImplementedError, RuntimeError, ValueError):  # there is none on Windows, and none in a thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await task
    except asyncio.CancelledError as error:
        if is_terminated:
            raise Terminated from error
        raise
