"""What a stream of any length takes at its peak, and what an entity takes against the dict that it came from."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson

from kantata_async import KantataSession, normalize

from ._payloads import PARTICIPATIONS, STORIES, USERS, Asked, encoded
from ._serving import TOKEN, Served, serving
from ._tables import printed

PAGES: Final = {"participations": PARTICIPATIONS, "stories": STORIES, "users": USERS}

_PEAK: Final = re.compile(r"VmHWM:\s+(\d+) kB")


def main(quick: bool) -> dict[str, Any]:
    """Measure the peaks of a short and a long stream, each in a process of its own, and the size of entities."""
    lengths = (1_000, 5_000) if quick else (10_000, 1_000_000)
    peaks = {f"{length:,}": _peak_of(length) for length in lengths}
    first = next(iter(peaks.values()))
    printed(
        "Iterating participations: the largest that the process ever was",
        ("entities", "MB", "ratio"),
        [(length, peak / 1e6, peak / first) for length, peak in peaks.items()],
    )
    sizes = {name: _sizes(asked, 2 if quick else 20) for name, asked in PAGES.items()}
    printed(
        "Bytes an object, values included",
        ("", "dict", "entity", "ratio"),
        [(name, told["dict"], told["entity"], told["ratio"]) for name, told in sizes.items()],
    )
    return {"peak bytes": peaks, "peak ratio": round(max(peaks.values()) / first, 3), "bytes an object": sizes}


def _peak_of(length: int) -> int:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with serving(Served(length)) as url:
        process = context.Process(target=_iterate, args=(url, length, there))
        process.start()
        there.close()
        try:
            peak: int = here.recv()
        finally:
            process.join()
    return peak


def _iterate(url: str, length: int, pipe: Any) -> None:
    async def run() -> None:
        async with KantataSession(token=TOKEN, base_url=url, rate_limit=None) as kantata:
            count = 0
            async for _ in kantata.participations.list(workspace_id=7):
                count += 1
            if count != length:
                raise AssertionError(count)

    asyncio.run(run())
    found = _PEAK.search(Path("/proc/self/status").read_text())
    if found is None:
        raise LookupError("this system does not tell the peak of a process")
    pipe.send(int(found[1]) * 1024)


def _sizes(asked: Asked, pages: int) -> dict[str, float]:
    body = encoded(asked)
    matches = asked.collection
    raw = _held(lambda: [list(orjson.loads(body)[matches].values()) for _ in range(pages)])
    made = _held(lambda: [normalize(body).graph.collection(matches) for _ in range(pages)])
    beside = _held(lambda: [_without(body, matches) for _ in range(pages)])
    objects = asked.size * pages
    dict_size, entity_size = raw / objects, (made - beside) / objects
    return {"dict": round(dict_size), "entity": round(entity_size), "ratio": round(entity_size / dict_size, 3)}


def _without(body: bytes, matches: str) -> Any:
    """The same page without its matches: what their graph and their associated objects take."""
    answer = orjson.loads(body)
    answer |= {"results": [], matches: {}}
    return normalize(answer).graph


def _held(make: Callable[[], Any]) -> int:
    """The bytes that what is made holds."""
    make()
    gc.collect()
    tracemalloc.start()
    try:
        made = make()
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        del made
        return size
    finally:
        tracemalloc.stop()
