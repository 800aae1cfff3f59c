"""To wait for what a test is about to look at, instead of for some time in which it should have happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(come: Callable[[], bool]) -> None:
    """Let others run until something has come about; TimeoutError after ten seconds."""
    async with asyncio.timeout(10):
        while not come():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.001)
