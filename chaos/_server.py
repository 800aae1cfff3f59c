"""A sandbox in a process of its own, so that what it holds is not in the memory of the program that is measured."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from kantata_async.sandbox import Sandbox


@contextmanager
def serving(**founding: Any) -> Iterator[tuple[str, str]]:
    """Run a sandbox until the block ends; gives its URL and token."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, founding), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Connection, founding: dict[str, Any]) -> None:
    asyncio.run(_served(pipe, founding))


async def _served(pipe: Connection, founding: dict[str, Any]) -> None:
    async with Sandbox(**founding) as sandbox:
        pipe.send((sandbox.url, sandbox.token))
        while True:
            await asyncio.sleep(1)
            sandbox.clear_log()
