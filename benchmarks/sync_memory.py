"""The largest that a process is while it copies: it does not grow with the number of rows."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import tempfile
from pathlib import Path
from typing import Any, Final

from kantata_async.sync import SQLiteTarget

from ._figures import Figure
from .sync import copy, serving

_PEAK: Final = re.compile(r"VmHWM:\s+(\d+) kB")


def main(quick: bool) -> list[Figure]:
    """Measure the peaks of a short and of a long copy."""
    short, long = (4_000, 8_000) if quick else (100_000, 1_000_000)
    of = "a copy into SQLite: the largest that the process ever was"
    peaks = {count: _peak_of(count) for count in (short, long)}
    return [
        Figure(of, f"{short:,} rows", peaks[short] / 1e6, "MB"),
        Figure(of, f"{long:,} rows", peaks[long] / 1e6, "MB", peaks[long] / peaks[short], goal="≤ 1.1"),
    ]


def _peak_of(count: int) -> int:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory() as directory, serving(count) as url:
        process = context.Process(target=_copied, args=(url, directory, count, there))
        process.start()
        there.close()
        try:
            peak: int = here.recv()
        finally:
            process.join()
    return peak


def _copied(url: str, directory: str, count: int, pipe: Any) -> None:
    asyncio.run(copy(url, SQLiteTarget(Path(directory) / "copy.db"), count))
    peak = _PEAK.search(Path("/proc/self/status").read_text())
    pipe.send(int(peak[1]) * 1000 if peak else 0)
