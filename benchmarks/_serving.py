"""A server in a process of its own that answers at next to no cost, so that it is the clients that are measured.

It answers after a latency, from pages made beforehand, and knows no more of HTTP than the clients use.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import Any, Final, cast
from urllib.parse import parse_qs, urlsplit

import attrs
import orjson

from chaos.other_process import in_other_process

from ._payloads import PAGE, USERS, Asked, payload

TOKEN: Final = "of-the-benchmarks"  # noqa: S105 - it opens nothing
ROWS: Final = Asked("participations", {})

_BASE: Final = "/api/v1"
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_PAGES_KEPT: Final = 200


@attrs.frozen
class Served:
    """What the server has: how many participations, and how long every answer takes."""

    total: int = 0
    latency: float = 0.0


@contextmanager
def serving(served: Served) -> Iterator[str]:
    """Run a server until the block ends; gives its base URL."""
    with in_other_process(_serve, served) as where:
        yield where


def _serve(pipe: Connection, served: Served) -> None:
    asyncio.run(_served(pipe, served))


async def _served(pipe: Connection, served: Served) -> None:
    answers = _Answers(served.total)
    server = await asyncio.get_running_loop().create_server(lambda: _Exchange(answers, served.latency), "127.0.0.1", 0)
    pipe.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{_BASE}")
    await server.serve_forever()


class _Exchange(asyncio.Protocol):
    """One connection: a request at a time, each answered after the latency."""

    def __init__(self, answers: _Answers, latency: float) -> None:
        self._answers = answers
        self._latency = latency
        self._received = bytearray()
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._received[:end])
        told = _LENGTH.search(head)
        length = int(told[1]) if told else 0
        if len(self._received) < end + 4 + length:
            return
        body = bytes(self._received[end + 4 :])
        self._received.clear()
        method, target, _ = head.split(b" ", 2)
        self._answer(self._answers.to(method.decode(), target.decode(), body))

    def _answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, head + body)
        else:
            self._transport.write(head + body)


class _Answers:
    """What is answered: a user by id, a page of participations, or the participations that were posted."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._template = payload(ROWS)["participations"]["1"]
        self._user = orjson.dumps(payload(attrs.evolve(USERS, includes={}, size=1, optional=False)))
        self._page = lru_cache(_PAGES_KEPT)(self._made_page)
        self._created = 0

    def to(self, method: str, target: str, body: bytes) -> bytes:
        """The body of the answer to a request."""
        url = urlsplit(target)
        if url.path.startswith(f"{_BASE}/users/"):
            return self._user
        if method == "POST":
            return self._create(orjson.loads(body))
        query = parse_qs(url.query)
        return self._page(int(query.get("page", ["1"])[0]), int(query.get("per_page", [str(PAGE)])[0]))

    def _made_page(self, number: int, size: int) -> bytes:
        first = (number - 1) * size + 1
        ids = [str(id) for id in range(first, min(first + size, self._total + 1))]
        meta = {
            "count": self._total,
            "page_count": -(-self._total // size),
            "page_number": number,
            "page_size": size,
        }
        return _envelope({id: {**self._template, "id": id} for id in ids}, meta)

    def _create(self, sent: dict[str, Any]) -> bytes:
        rows = sent["participations"] if "participations" in sent else [sent["participation"]]
        objects: dict[str, Any] = {}
        for row in rows:
            self._created += 1
            references = {name: str(row[name]) for name in ("user_id", "workspace_id")}
            objects[str(self._created)] = {**self._template, **row, **references, "id": str(self._created)}
        return _envelope(objects, {"count": len(objects), "page_count": 1, "page_number": 1, "page_size": PAGE})


def _envelope(objects: dict[str, Any], meta: dict[str, int]) -> bytes:
    results = [{"key": "participations", "id": id} for id in objects]
    return orjson.dumps({"count": meta["count"], "results": results, "participations": objects, "meta": meta})
