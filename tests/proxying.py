"""A proxy on loopback that tunnels to the server of a test, and notes all that it hears in the clear."""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from types import TracebackType
from typing import Self


class ConnectProxy:
    """`async with ConnectProxy(port) as proxy`, then `proxy.url`, `proxy.targets`, `proxy.heard`.

    Args:
        port: of the server on 127.0.0.1 that every tunnel leads to, whatever name is asked for.
        password: what it wants to be told, as "user:password"; None for nothing.
        refusals: how many tunnels it drops without an answer before it makes one.
    """

    def __init__(self, port: int, *, password: str | None = None, refusals: int = 0) -> None:
        self.targets: list[str] = []
        self.heard = bytearray()
        self._port = port
        self._wanted = None if password is None else f"Basic {base64.b64encode(password.encode()).decode()}"
        self._refusals = refusals
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heard += head
            method, target, _ = head.decode().partition("\r\n")[0].split(" ")
            self.targets.append(f"{method} {target}")
            if self._refusals:
                self._refusals -= 1
            elif self._wanted is not None and f"Proxy-Authorization: {self._wanted}".encode() not in head:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            else:
                await self._tunnel(reader, writer)
        writer.close()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, thence = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.append(thence)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(self._pass_on(reader, thence), self._pass_on(there, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                self.heard += data
                writer.write(data)
                await writer.drain()
        writer.close()
