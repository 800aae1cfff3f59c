"""To wait for what a test is about to look at, instead of for some time in which it should have happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kantata_async.sandbox import Sandbox


async def until(come: Callable[[], bool]) -> None:
    """Let others run until something has come about; TimeoutError after a minute."""
    async with asyncio.timeout(60):
        while not come():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.001)


async def until_seen(sandbox: Sandbox, count: int, method: str | None = None) -> None:
    """Let others run until so many requests, of one method or of all, have come to a sandbox."""
    await until(lambda: sandbox.count(method) >= count)


async def short_sleep(seconds: float) -> None:
    """The sleep of a session that waits as long as its sandbox needs to carry out what it lost the answer to."""
    await asyncio.sleep(min(seconds, 0.01))


async def until_still(count: Callable[[], int]) -> None:
    """Let others run until a number stays the same for a while; TimeoutError after a minute."""
    async with asyncio.timeout(60):
        last, same = count(), 0
        while same < 50:
            await asyncio.sleep(0.001)
            last, same = (last, same + 1) if count() == last else (count(), 0)
