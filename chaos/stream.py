"""A million rows from an async iterator through the streaming form: memory does not grow with the count."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from chaos._server import serving
from kantata_async import KantataSession

ROWS: Final = 1_000_000
ALLOWED: Final = 5 * 1024 * 1024
"""Bytes by which the process may be larger at the end than after the first twentieth."""


def resident() -> int:
    """Bytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def entries(count: int) -> AsyncIterator[dict[str, Any]]:
    """Time entries, made as they are asked for."""
    for number in range(count):
        yield {
            "workspace_id": 1,
            "date_performed": "2026-08-25",
            "time_in_minutes": number % 480 + 1,
            "notes": f"entry {number}",
        }


async def stream(url: str, token: str, count: int) -> tuple[int, int]:
    """Send rows and forget their outcomes; gives the bytes after a twentieth of them, and at the end."""
    early = created = 0
    async with KantataSession(token=token, base_url=url, rate_limit=None) as kantata:
        async for outcome in kantata.time_entries.create_stream(entries(count)):
            created += outcome.status == "created"
            if created == count // 20:
                early = resident()
    assert created == count, created
    return early, resident()


def main(seeds: int) -> None:
    """One run; it draws nothing, so that seeds make no difference."""
    with serving(people=5, projects=1) as (url, token):
        early, late = asyncio.run(stream(url, token, ROWS))
    print(f"{ROWS:,} rows ({seeds=} not used): {early / 1e6:.1f} MB after a twentieth, {late / 1e6:.1f} MB at the end")
    assert late - early < ALLOWED
