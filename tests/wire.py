"""A loopback server that says, byte for byte, what a test has it say.

A script is a list of steps; each request that comes, on whatever connection, takes the next one. A request beyond the
script is answered 599, which no test expects.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from kantata_async.transport import Options, Request, TokenSource, Transport


@dataclass
class Received:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Connection:
    """What a step talks to."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    closed_by_client: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, data: bytes) -> None:
        """Write these bytes."""
        self.writer.write(data)
        await self.writer.drain()

    def cut(self) -> None:
        """Close in good order, with no byte more."""
        self.writer.close()

    def reset(self) -> None:
        """Close with a RST instead of a FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Step = bytes | Callable[[Connection], Awaitable[None]]


class Server:
    """`async with Server([step, …]) as server`, then `server.url`, `server.received`."""

    def __init__(self, script: Sequence[Step] = (), port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self._tls = tls
        self.received: list[Received] = []
        self.connections: list[Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.follow(script)

    def follow(self, script: Sequence[Step]) -> None:
        """Answer by another script from now on."""
        self._script: Iterator[Step] = iter(script)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}/api/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in self.connections:
            connection.writer.close()
            with suppress(OSError):
                await connection.writer.wait_closed()
        await self._server.wait_closed()

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.received]

    async def all_closed(self) -> None:
        """Return when the client has closed every connection it made."""
        for connection in self.connections:
            await asyncio.wait_for(connection.closed_by_client.wait(), 5)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, len(self.connections))
        self.connections.append(connection)
        task = asyncio.create_task(self._serve(connection))
        self._tasks.add(task)

    async def _serve(self, connection: Connection) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                self.received.append(await _request_on(connection))
                step = next(self._script, STRAY)
                if isinstance(step, bytes):
                    await connection.say(step)
                else:
                    await step(connection)
                if connection.writer.is_closing():
                    break
        connection.closed_by_client.set()


async def _request_on(connection: Connection) -> Received:
    head = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head[:-4].split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await connection.reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body, connection.number)


def reply(status: int = 200, body: bytes = b"", content_type: str | None = "application/json", **headers: str) -> bytes:
    """An answer with a content length; `retry_after="1"` becomes the header retry-after."""
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}"]
    if content_type:
        lines.append(f"content-type: {content_type}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def json_answer(data: object, status: int = 200, **headers: str) -> bytes:
    """An answer with JSON."""
    return reply(status, json.dumps(data).encode(), **headers)


OK = json_answer({"ok": True}, x_request_id="req-1")
STRAY = json_answer({"errors": [{"type": "system", "message": "beyond the script"}]}, 599)


def silent_port() -> int:
    """A loopback port where nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def hang(connection: Connection) -> None:
    """Say nothing until the client goes away."""
    await connection.reader.read()
    connection.cut()


async def cut(connection: Connection) -> None:
    """Close without an answer."""
    connection.cut()


async def reset(connection: Connection) -> None:
    """Reset without an answer."""
    connection.reset()


def then_cut(data: bytes) -> Step:
    """Say this, then close."""

    async def step(connection: Connection) -> None:
        await connection.say(data)
        connection.cut()

    return step


def then_hang(data: bytes) -> Step:
    """Say this, and no more."""

    async def step(connection: Connection) -> None:
        await connection.say(data)
        await hang(connection)

    return step


def forever(head: bytes, chunk: bytes) -> Step:
    """Say the head, then the chunk again and again until the client goes away."""

    async def step(connection: Connection) -> None:
        await connection.say(head)
        while True:
            await connection.say(chunk)

    return step


TOKEN = "tok-1234567890-SECRET"


@asynccontextmanager
async def opened(server: Server | str, **options: Any) -> AsyncIterator[Transport]:
    """A transport to this server whose waits between attempts take no time."""
    url = server if isinstance(server, str) else server.url
    transport = transport_to(url, **{"sleep": no_wait, "random": lambda: 1.0} | options)
    await transport.open()
    try:
        yield transport
    finally:
        await transport.close()


def transport_to(url: str, *, token: Any = TOKEN, **settings: Any) -> Transport:
    """A transport that is not open yet; `timeout`, `retry` and `headers` are taken as settings too."""
    options = {name: settings.pop(name) for name in ("timeout", "retry", "headers") if name in settings}
    return Transport(TokenSource(token), base_url=url, options=Options(**options), **settings)


async def no_wait(_seconds: float) -> None:
    """A sleep that is over at once."""
    await asyncio.sleep(0)


def get(path: str = "/users/me", **parts: Any) -> Request:
    """A read."""
    return Request("GET", path, **parts)


def post(path: str = "/users", **parts: Any) -> Request:
    """A write."""
    return Request("POST", path, **{"json": {"user": {}}} | parts)
