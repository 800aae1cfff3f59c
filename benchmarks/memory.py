"""What a stream of any length takes at its peak, and what an entity takes against the dict that it came from."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from typing import Any, Final

import orjson

from chaos.other_process import in_other_process, peak_bytes
from kantata_async import KantataSession, normalize

from ._figures import Figure
from ._payloads import PARTICIPATIONS, STORIES, USERS, Asked, encoded
from ._serving import TOKEN, Served, serving

PAGES: Final = (PARTICIPATIONS, STORIES, USERS)


def main(quick: bool) -> list[Figure]:
    """Measure the peaks of a short and a long stream, each in a process of its own, and the size of entities."""
    lengths = (400, 1_600) if quick else (10_000, 1_000_000)
    short, long = map(_peak_of, lengths)
    of = "a list iterated: the largest that the process ever was"
    peaks = [
        Figure(of, f"{lengths[0]:,} entities", short / 1e6, "MB"),
        Figure(of, f"{lengths[1]:,} entities", long / 1e6, "MB", long / short, goal="≤ 1.1"),
    ]
    sizes = [figure for asked in PAGES for figure in _sizes(asked, 1 if quick else 20)]
    return [*peaks, *sizes]


def _peak_of(length: int) -> int:
    with serving(Served(length)) as url, in_other_process(_iterate, url, length) as peak:
        return int(peak)


def _iterate(pipe: Any, url: str, length: int) -> None:
    async def run() -> None:
        async with KantataSession(token=TOKEN, base_url=url, rate_limit=None) as kantata:
            count = 0
            async for _ in kantata.participations.list(workspace_id=7):
                count += 1
            if count != length:
                raise AssertionError(count)

    asyncio.run(run())
    pipe.send(peak_bytes())


def _sizes(asked: Asked, pages: int) -> list[Figure]:
    body = encoded(asked)
    matches = asked.collection
    raw = _held(lambda: [list(orjson.loads(body)[matches].values()) for _ in range(pages)])
    made = _held(lambda: [normalize(body).graph.collection(matches) for _ in range(pages)])
    beside = _held(lambda: [_associated(body, matches) for _ in range(pages)])
    objects = asked.size * pages
    of = f"bytes an object of {matches}, values included"
    return [
        Figure(of, "dict", raw / objects, "B"),
        Figure(of, "entity", (made - beside) / objects, "B", (made - beside) / raw, goal="≤ 0.65"),
    ]


def _associated(body: bytes, matches: str) -> Any:
    """The associated objects of the same page, which its matches hold."""
    answer = orjson.loads(body)
    names = {one["id"] for one in answer["results"]}
    answer["results"] = []
    answer[matches] = {id: one for id, one in answer[matches].items() if id not in names}
    return list(normalize(answer).graph)


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
