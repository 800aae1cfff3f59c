"""A small HTTP server over sockets that answers as badly as it is told to; it shares no code with the sandbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import attrs

_REASONS: Final = {200: "OK", 201: "Created", 204: "No Content", 404: "Not Found", 422: "Unprocessable Entity"}


@attrs.frozen
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


@attrs.frozen
class Reply:
    """An answer, and how much of it gets through.

    Attributes:
        status: the HTTP status.
        body: what is written as JSON; a text as it is; None for nothing.
        kept: the part of its bytes that is sent before the connection breaks; 1 for all of them.
        by_proxy: whether it comes from something in front of the API.
    """

    status: int
    body: Any = None
    kept: float = 1.0
    by_proxy: bool = False

    def wire(self, number: int) -> bytes:
        """All of its bytes."""
        if self.body is None:
            text, kind = b"", "application/json"
        elif isinstance(self.body, str):
            text, kind = self.body.encode(), "text/html"
        else:
            text, kind = json.dumps(self.body).encode(), "application/json; charset=utf-8"
        lines = [
            f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Other')}",
            f"Date: {formatdate(usegmt=True)}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(text)}",
        ]
        if not self.by_proxy:
            lines.append(f"X-Request-Id: model-{number}")
        return "\r\n".join([*lines, "", ""]).encode() + text


Handle = Callable[[Asked], Awaitable[Reply]]


@asynccontextmanager
async def serving_http(handle: Handle) -> AsyncIterator[str]:
    """Serve until the block ends; gives the base URL."""
    connections: set[asyncio.Task[None]] = set()
    served = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        task = asyncio.current_task()
        if task is not None:
            connections.add(task)
            task.add_done_callback(connections.discard)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                reply = await handle(await _asked(reader))
                served += 1
                text = reply.wire(served)
                writer.write(text[: int(len(text) * reply.kept)])
                await writer.drain()
                if reply.kept < 1:
                    break
        writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 22)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1"
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _asked(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    url = urlsplit(target)
    return Asked(
        method,
        url.path.removeprefix("/api/v1").removesuffix(".json"),
        dict(parse_qsl(url.query)),
        json.loads(body) if body else None,
    )
