"""What a client meets on the wire when a fault strikes: no answer, or a broken one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web

from ..backend import JSON, Answer, Extent
from .faults import Fault

HTML: Final = "text/html; charset=utf-8"
_ENDLESS_PIECE: Final = b" " * 65_536
_PAGE: Final = "<html><head><title>{status} {reason}</title></head><body><h1>{status} {reason}</h1></body></html>"
_REASONS: Final = {200: "Please sign in", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
_SILENT: Final = frozenset({"disconnect", "reset", "hang"})


def status_of(fault: Fault) -> int | None:
    """The status that a client sees; None where it sees no answer."""
    if fault.kind in _SILENT:
        return None
    defaults = {"status": 500, "proxy": 502, "empty": 204, "redirect": 302}
    return fault.status or defaults.get(fault.kind, 200)


async def befall(
    fault: Fault, request: web.Request, answer: Answer, request_id: str, stopping: asyncio.Event
) -> web.StreamResponse:
    """What a fault sends instead of an answer; "truncated" and "cut" send a part of `answer`."""
    status = status_of(fault) or 500
    identified = {"x-request-id": request_id, **fault.headers}
    if fault.kind in _SILENT:
        await _silence(fault, request, stopping)
        return web.Response()
    streaming = _STREAMED.get(fault.kind)
    if streaming is not None:
        return await streaming(fault, request, answer, identified, stopping)
    headers = {"Content-Type": JSON, **identified}
    match fault.kind:
        case "proxy" | "html":
            return _page(status, dict(fault.headers) if fault.kind == "proxy" else identified)
        case "truncated":
            return web.Response(status=status, body=answer.body[: len(answer.body) // 2], headers=headers)
        case "status":
            errors = [{"type": "system", "message": f"The server answered {status}"}]
            return web.Response(status=status, body=msgspec.json.encode({"errors": errors}), headers=headers)
        case _:
            location = {"Location": "/"} if status // 100 == 3 else {}
            return web.Response(status=status, headers={**location, **identified})


def _page(status: int, headers: dict[str, str]) -> web.Response:
    body = _PAGE.format(status=status, reason=_REASONS.get(status, "Error")).encode()
    return web.Response(status=status, body=body, headers={**headers, "Content-Type": HTML})


async def _silence(fault: Fault, request: web.Request, stopping: asyncio.Event) -> None:
    if fault.kind == "hang":
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), fault.seconds)
    transport = request.transport
    if transport is None:
        return
    if fault.kind == "reset":
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()


async def _cut(
    fault: Fault, request: web.Request, answer: Answer, headers: dict[str, str], _: asyncio.Event
) -> web.StreamResponse:
    described = {**answer.headers, **headers, "Content-Type": answer.content_type}
    extent = answer.extent or Extent(answer.body, 0, len(answer.body) - 1)
    response = web.StreamResponse(status=answer.status, headers={**described, "Content-Length": str(len(extent))})
    await response.prepare(request)
    for piece in extent.pieces(len(extent) // 2 if fault.size is None else fault.size):
        await response.write(piece)
    if request.transport is not None:
        request.transport.close()
    return response


async def _endless(
    _fault: Fault, request: web.Request, _: Answer, headers: dict[str, str], stopping: asyncio.Event
) -> web.StreamResponse:
    response = web.StreamResponse(headers={**headers, "Content-Type": JSON})
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        while not stopping.is_set() and request.transport is not None and not request.transport.is_closing():
            await response.write(_ENDLESS_PIECE)
            await asyncio.sleep(0.001)
    if request.transport is not None:
        request.transport.abort()
    return response


_STREAMED: Final[
    dict[str, Callable[[Fault, web.Request, Answer, dict[str, str], asyncio.Event], Awaitable[web.StreamResponse]]]
] = {"cut": _cut, "endless": _endless}
