"""A sandbox in a process of its own, so that what it holds is not in the memory of the program that is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from chaos.other_process import in_other_process
from kantata_async.sandbox import Sandbox


@contextmanager
def serving(**founding: Any) -> Iterator[tuple[str, str]]:
    """Run a sandbox until the block ends; gives its URL and token."""
    with in_other_process(_serve, founding) as where:
        yield where


def _serve(pipe: Connection, founding: dict[str, Any]) -> None:
    asyncio.run(_served(pipe, founding))


async def _served(pipe: Connection, founding: dict[str, Any]) -> None:
    async with Sandbox(**founding) as sandbox:
        pipe.send((sandbox.url, sandbox.token))
        while True:
            await asyncio.sleep(1)
            sandbox.clear_log()
