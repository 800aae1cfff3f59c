"""A redis-server of one's own on a loopback port, that keeps nothing when it ends."""

from __future__ import annotations

import asyncio
import shutil
import socket
from types import TracebackType
from typing import Self


class RedisServer:
    """`async with RedisServer(directory) as redis`, then `redis.url`; more options are redis-server's own.

    Raises FileNotFoundError where there is no redis-server: on Debian, ``apt-get install redis-server``.
    """

    def __init__(self, directory: str, *options: str) -> None:
        self._directory = directory
        self._options = options
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"redis://{self.address}/0"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start it, and return when it answers."""
        program = shutil.which("redis-server")
        if program is None:
            raise FileNotFoundError("no redis-server on the path: apt-get install -y redis-server")
        self._process = await asyncio.create_subprocess_exec(
            program,
            *("--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"),
            *("--dir", self._directory, "--logfile", "redis.log"),
            *self._options,
        )
        async with asyncio.timeout(10):
            while not await self._answers():  # noqa: ASYNC110 - another process, which sets no event
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """End it at once."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def restart(self) -> None:
        """End it at once and start it anew, empty."""
        await self.stop()
        await self.start()

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except ConnectionRefusedError:
            return False
        try:
            writer.write(b"PING\r\n")
            return (await reader.readline()).startswith((b"+PONG", b"-NOAUTH"))
        finally:
            writer.close()
            await writer.wait_closed()
