"""A first copy into each target, at the rate of bare aiohttp and orjson that read the same pages into nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Final, cast
from urllib.parse import parse_qs, urlsplit

import aiohttp
import orjson

from chaos.other_process import in_other_process
from kantata_async import KantataSession
from kantata_async.sync import (
    DuckDBTarget,
    JSONLinesTarget,
    ParquetTarget,
    PostgresTarget,
    SQLiteTarget,
    Sync,
    Target,
)

from ._figures import Figure
from ._payloads import PAGE, Asked, payload
from ._postgres_server import postgres
from ._serving import TOKEN

_AT_ONCE: Final = 20
_FIRST: Final = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
_APART: Final = 100
"""Seconds between two objects: a million of them take three years."""


def main(quick: bool) -> list[Figure]:
    """Measure the rates of reading into nothing and of each target, and of dlt where it is installed."""
    count, times = (1_000, 1) if quick else (200_000, 3)
    of = f"a first copy of {count:,} time entries"
    with tempfile.TemporaryDirectory() as directory, serving(count) as url, ExitStack() as servers:
        dsn: str | None = None
        with suppress(FileNotFoundError):
            dsn = servers.enter_context(postgres())
        targets: dict[str, tuple[Callable[[Path], Target], str]] = {
            "SQLite": (lambda path: SQLiteTarget(path / "copy.db"), "≥ 0.4"),
            "PostgreSQL": (lambda path: PostgresTarget(str(dsn), schema=path.name), "≥ 0.33"),
            "DuckDB": (lambda path: DuckDBTarget(path / "copy.duckdb"), ""),
            "Parquet": (lambda path: ParquetTarget(path / "parquet"), ""),
            "JSON lines": (lambda path: JSONLinesTarget(path / "jsonlines"), ""),
        }
        if dsn is None:
            del targets["PostgreSQL"]
        into_nothing: list[float] = []
        rates: dict[str, list[float]] = {name: [] for name in targets}
        for turn in range(times):
            into_nothing.append(_rate(count, lambda: asyncio.run(_read(url, count))))
            for name, (make, _) in targets.items():
                place = Path(directory) / f"{name.split()[0].lower()}{turn}"
                place.mkdir()
                rates[name].append(_rate(count, lambda: asyncio.run(copy(url, make(place), count))))  # noqa: B023
                shutil.rmtree(place)
        if not quick and find_spec("dlt") is not None:
            rates["dlt into SQLite"] = [_rate(count, lambda: _with_dlt(url, count, Path(directory)))]
    reading = median(into_nothing)
    goals = {name: goal for name, (_, goal) in targets.items()}
    figures = [Figure(of, "bare aiohttp and orjson, into nothing", reading, "rows/s")]
    for name, found in rates.items():
        figures.append(Figure(of, name, median(found), "rows/s", median(found) / reading, goal=goals.get(name, "")))
    return figures


def _rate(count: int, copy: Callable[[], object]) -> float:
    began = time.perf_counter()
    copy()
    return count / (time.perf_counter() - began)


async def _read(url: str, count: int) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as client:

        async def page(number: int) -> int:
            async with client.get(f"{url}/time_entries?page={number}&per_page={PAGE}") as answer:
                return len(orjson.loads(await answer.read())["results"])

        read = 0
        for first in range(1, count // PAGE + 1, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, count // PAGE + 1))
            read += sum(await asyncio.gather(*map(page, numbers)))
        if read != count:
            raise RuntimeError(f"{read} of {count} were read")


async def copy(url: str, target: Target, count: int) -> None:
    """Copy all time entries of a server into a target."""
    async with KantataSession(token=TOKEN, base_url=url, rate_limit=None) as kantata:
        sync = Sync(kantata, target)
        sync.add(kantata.time_entries)
        report = await sync.run()
    if report["time_entries"].new != count:
        raise RuntimeError(f"{report['time_entries'].new} of {count} were copied")


def _with_dlt(url: str, count: int, directory: Path) -> None:
    import dlt  # noqa: PLC0415 - may be missing

    async def rows() -> list[dict[str, Any]]:
        async with aiohttp.ClientSession() as client, client.get(f"{url}/time_entries?per_page={PAGE}") as answer:
            return list((await answer.json(loads=orjson.loads))["time_entries"].values())

    @dlt.resource(name="time_entries", primary_key="id", write_disposition="merge")
    def time_entries() -> Iterator[list[dict[str, Any]]]:
        page = asyncio.run(rows())
        for first in range(0, count, PAGE):
            yield [{**row, "id": str(first + place)} for place, row in enumerate(page)]

    place = directory / "dlt"
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    pipeline = dlt.pipeline(
        "copy", pipelines_dir=str(place), destination=dlt.destinations.sqlalchemy(f"sqlite:///{directory}/dlt.db")
    )
    pipeline.run(time_entries())


# --- what is read ----------------------------------------------------------------------------------------------------


@contextmanager
def serving(count: int) -> Iterator[str]:
    """Run a server of so many time entries, in a process of its own, until the block ends; gives its base URL."""
    with in_other_process(_serve, count) as where:
        yield where


def _serve(pipe: Any, count: int) -> None:
    asyncio.run(_served(pipe, count))


async def _served(pipe: Any, count: int) -> None:
    entries = _Entries(count)
    server = await asyncio.get_running_loop().create_server(lambda: _Exchange(entries), "127.0.0.1", 0)
    pipe.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1")
    await server.serve_forever()


class _Exchange(asyncio.Protocol):
    """One connection: a request at a time."""

    def __init__(self, entries: _Entries) -> None:
        self._entries = entries
        self._received = bytearray()
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._received.endswith(b"\r\n\r\n"):
            return
        target = self._received.split(b" ", 2)[1].decode()
        self._received.clear()
        body = self._entries.page(parse_qs(urlsplit(target).query))
        date = format_datetime(datetime.now(UTC), usegmt=True)
        head = (
            f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)


class _Entries:
    """Time entries, one each so many seconds, of 22 attributes."""

    def __init__(self, count: int) -> None:
        self._count = count
        (template,) = payload(Asked("time_entries", {}, size=1))["time_entries"].values()
        references = {"user_id": "12", "workspace_id": "7", "story_id": "404", "role_id": None}
        self._template = {**template, **references}

    def page(self, query: dict[str, list[str]]) -> bytes:
        """The body of a page."""
        low, high = self._window(query)
        size, number = int(query["per_page"][0]), int(query.get("page", ["1"])[0])
        first = low + (number - 1) * size
        objects = {str(place + 1): self._object(place) for place in range(first, min(first + size, high))}
        count = max(0, high - low)
        envelope = {"count": count, "results": [{"key": "time_entries", "id": id} for id in objects]}
        return orjson.dumps({**envelope, "time_entries": objects})

    def _object(self, place: int) -> dict[str, Any]:
        at = datetime.fromtimestamp(_FIRST + place * _APART, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {**self._template, "id": str(place + 1), "created_at": at, "updated_at": at}

    def _window(self, query: dict[str, list[str]]) -> tuple[int, int]:
        low, high = 0, self._count
        for field in ("created", "updated"):
            if f"{field}_after" in query:
                low = max(low, self._place(query[f"{field}_after"][0]))
            if f"{field}_before" in query:
                high = min(high, self._place(query[f"{field}_before"][0]))
        return low, high

    def _place(self, text: str) -> int:
        """The place of the first object that was not made before then."""
        return max(0, -((_FIRST - int(datetime.fromisoformat(text).timestamp())) // _APART))
