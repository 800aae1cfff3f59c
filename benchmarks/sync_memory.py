"""The largest that a process is while it copies: it does not grow with the number of rows."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from chaos.other_process import in_other_process, peak_bytes
from kantata_async.sync import SQLiteTarget

from ._figures import Figure
from .sync import copy, serving


def main(quick: bool) -> list[Figure]:
    """Measure the peaks of a short and of a long copy."""
    short, long = (1_000, 2_000) if quick else (100_000, 1_000_000)
    of = "a copy into SQLite: the largest that the process ever was"
    peaks = {count: _peak_of(count) for count in (short, long)}
    return [
        Figure(of, f"{short:,} rows", peaks[short] / 1e6, "MB"),
        Figure(of, f"{long:,} rows", peaks[long] / 1e6, "MB", peaks[long] / peaks[short], goal="≤ 1.1"),
    ]


def _peak_of(count: int) -> int:
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(count) as url,
        in_other_process(_copied, url, directory, count) as peak,
    ):
        return int(peak)


def _copied(pipe: Any, url: str, directory: str, count: int) -> None:
    asyncio.run(copy(url, SQLiteTarget(Path(directory) / "copy.db"), count))
    pipe.send(peak_bytes())
