"""A gigabyte downloaded within a limit of memory, over connections that break: with ranges, and without."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from chaos.other_process import in_other_process, peak_bytes
from kantata_async import KantataSession, RetryPolicy
from kantata_async.sandbox import Fault, Sandbox, Switches

SIZE: Final = 1 << 30
ALLOWED: Final = 100_000_000
"""Bytes that the process which downloads may have in memory at most, the interpreter included."""

CUTS: Final = 12
_RETRY: Final = RetryPolicy(attempts=CUTS + 2, first_wait=0.01, max_wait=0.02)


@contextmanager
def storing(*, ranges: bool) -> Iterator[tuple[str, str, str]]:
    """A sandbox in a process of its own, with a file of that size; gives its URL, its token and the file's link."""
    with in_other_process(_serve, ranges) as where:
        yield where


def _serve(pipe: Connection, ranges: bool) -> None:
    asyncio.run(_served(pipe, ranges=ranges))


async def _served(pipe: Connection, *, ranges: bool) -> None:
    async with Sandbox(people=5, projects=1, switches=Switches(ranges=ranges)) as sandbox:
        sandbox.make_file("1", SIZE)
        link = f"{sandbox.storage_url}{sandbox.store.records('attachments')['1']['url']}"
        # With ranges each goes on where the one before broke; without them all begins anew, and comes further.
        for number in range(1, CUTS + 1):
            size = SIZE // (CUTS + 1) if ranges else SIZE // 100 * number
            sandbox.faults.add(Fault("cut", when="after", path="/files*", size=size))
        pipe.send((sandbox.url, sandbox.token, link))
        await asyncio.Event().wait()


def _download(pipe: Connection, url: str, token: str, link: str, to: str) -> None:
    pipe.send((asyncio.run(_downloaded(url, token, link, to)), peak_bytes()))


async def _downloaded(url: str, token: str, link: str, to: str) -> int:
    async with KantataSession(token=token, base_url=url, retry=_RETRY) as kantata:
        return (await kantata.download(link, to, max_bytes=SIZE)).size


def digest(path: Path) -> str:
    """The digest of a file."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def expected() -> str:
    """The digest of what the sandbox makes."""
    from kantata_async.sandbox.backend import MadeContent  # noqa: PLC0415 - the one look behind its face

    content, whole = MadeContent(SIZE, 1), hashlib.sha256()
    for start in range(0, SIZE, 1 << 20):
        whole.update(content[start : start + (1 << 20)])
    return whole.hexdigest()


def once(*, ranges: bool, whole: str) -> str:
    """One download, and what it took."""
    with storing(ranges=ranges) as (url, token, link), tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "big.bin"
        began = time.monotonic()
        with in_other_process(_download, url, token, link, str(target)) as (size, peak):
            seconds = time.monotonic() - began
        assert [path.name for path in Path(folder).iterdir()] == ["big.bin"]
        assert (size, target.stat().st_size) == (SIZE, SIZE)
        assert digest(target) == whole
    assert peak < ALLOWED, peak
    return f"{SIZE / 1e6:,.0f} MB over {CUTS} cuts in {seconds:.1f} s, {peak / 1e6:.0f} MB of memory at most"


def main(seeds: int) -> None:
    """One run each; they draw nothing, so that seeds make no difference."""
    whole = expected()
    for ranges in (True, False):
        kind = "with ranges" if ranges else "without"
        print(f"{kind} ({seeds=} not used): {once(ranges=ranges, whole=whole)}", flush=True)
