"""Copies of a company that never rests: when the writers stop, one more run makes them equal, object by object."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp

from chaos._live_server import LAG, World, living
from kantata_async import KantataSession, RetryPolicy
from kantata_async.api import entity_class
from kantata_async.errors import TargetError
from kantata_async.sync import Report, SQLiteTarget, Sync, Target
from kantata_async.tables import EXTRA, ColumnKind, table_of

OBJECTS: Final = 200_000
KILLED: Final = 20
RETRY: Final = RetryPolicy(attempts=12, first_wait=0.01, max_wait=0.05)
COLLECTIONS: Final = ("users", "workspaces", "participations", "stories", "time_entries")


@contextmanager
def session(url: str) -> Iterator[KantataSession]:
    """A session with the server, not yet open."""
    yield KantataSession(token="x", base_url=f"{url}/api/v1", rate_limit=None, retry=RETRY)  # noqa: S106 - it opens nothing


def copy_of(kantata: KantataSession, target: Target) -> Sync:
    """A copy of all five collections."""
    sync = Sync(kantata, target, lag=LAG)
    for name in COLLECTIONS:
        resource = getattr(kantata, name)
        if name == "time_entries":
            sync.add(resource, include=["user"])
        else:
            sync.add(resource)
    return sync


async def control(url: str, what: str) -> Any:
    """Tell the server something, or ask it."""
    async with aiohttp.ClientSession() as client, client.get(f"{url}/control/{what}") as answer:
        return await answer.json(loads=json.loads)


async def settled(url: str) -> None:
    """Let the writers stop, and their writes be seen by everyone."""
    await control(url, "stop")
    await control(url, f"ahead?seconds={2 * LAG + 2}")


# --- object by object ------------------------------------------------------------------------------------------------


def expected(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """An object of the server as a row of SQLite, worked out without the client's way of doing so."""
    kinds = dict(table_of(name, entity_class(name)).kinds)
    row: dict[str, Any] = dict.fromkeys(kinds)
    beside = {}
    for attribute, value in one.items():
        kind = kinds.get(attribute)
        if kind is None:
            beside[attribute] = value
        elif value is None:
            row[attribute] = None
        elif kind is ColumnKind.INSTANT:
            at = datetime.fromisoformat(value).astimezone(UTC)
            row[attribute] = at.strftime("%Y-%m-%dT%H:%M:%S.%f")
        elif kind in {ColumnKind.JSON, ColumnKind.TEXTS}:
            row[attribute] = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        elif kind is ColumnKind.TRUTH:
            row[attribute] = int(value)
        else:
            row[attribute] = value
    row[EXTRA] = json.dumps(beside, separators=(",", ":"), ensure_ascii=False, sort_keys=True) if beside else None
    return row


def held(path: Path, name: str) -> dict[str, dict[str, Any]]:
    """What a copy holds of a collection."""
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute(f"SELECT * FROM {name} WHERE _deleted_at IS NULL AND _listed")  # noqa: S608
        ours = {"_synced_at", "_deleted_at", "_listed"}
        return {row["id"]: {key: row[key] for key in row.keys() if key not in ours} for row in rows}  # noqa: SIM118


async def check(url: str, path: Path) -> int:
    """Hold the copy against the server, object by object; gives how many there are."""
    count = 0
    for name in COLLECTIONS:
        there = {id: expected(name, one) for id, one in (await control(url, f"truth?of={name}")).items()}
        copied = held(path, name)
        missing, extra = sorted(there.keys() - copied.keys()), sorted(copied.keys() - there.keys())
        assert not missing + extra, f"{name}: missing {missing[:5]}, extra {extra[:5]}"
        for id, one in there.items():
            if copied[id] != one:
                differs = {key: (copied[id][key], one[key]) for key in one if copied[id][key] != one[key]}
                raise AssertionError(f"{name} {id}: the copy and the server have {differs}")
        count += len(there)
    return count


# --- what must hold --------------------------------------------------------------------------------------------------


async def converge(url: str, path: Path, runs: int) -> Report:
    """Run while the writers write, then once more when they have stopped; gives that report."""
    with session(url) as opening:
        async with opening as kantata:
            sync = copy_of(kantata, SQLiteTarget(path))
            for _ in range(runs):
                await sync.run()
            await settled(url)
            report = await sync.run()
            assert not await sync.verify()
            return report


async def idle_costs_little(url: str, path: Path) -> None:
    """Hold a run with nothing to do to 2 requests a job, and one with a few changes to few more."""
    with session(url) as opening:
        async with opening as kantata:
            sync = copy_of(kantata, SQLiteTarget(path))
            report = await sync.run()
            for job in report:
                assert job.requests <= 2, f"an idle run of {job.name} cost {job.requests} requests"
            await control(url, "change?of=time_entries&times=500")
            await control(url, f"ahead?seconds={2 * LAG + 2}")
            report = await sync.run()
            assert report["time_entries"].changed == 500, report
            assert report["time_entries"].requests <= 2 + 500 // 200 + 3, report


async def killed(url: str, path: Path, chance: random.Random, times: int) -> int:
    """Start a run in a process of its own and kill it, again and again; gives how often it was still at it."""
    still = 0
    for _ in range(times):
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chaos.sync", url, str(path), stdout=subprocess.DEVNULL
        )
        try:
            await asyncio.wait_for(running.wait(), 1.0 + chance.random() * 6)
        except TimeoutError:
            running.send_signal(signal.SIGKILL)
            still += 1
            await running.wait()
    return still


async def second_refuses(url: str, path: Path) -> None:
    """Two runs at once on one target: the second one says so and does nothing."""
    with session(url) as one, session(url) as other:
        async with one as first, other as second:
            running = asyncio.create_task(copy_of(first, SQLiteTarget(path)).run())
            await asyncio.sleep(0.1)
            refusal = ""
            try:
                await copy_of(second, SQLiteTarget(path)).run()
            except TargetError as error:
                refusal = str(error)
            assert "another run" in refusal, "a second run was let in"
            await running


def main(seeds: int) -> None:
    """Run every seed at full size; print what each came to."""
    for seed in range(1, seeds + 1):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as directory, living(World(seed, OBJECTS, haste=2.0)) as url:
            path = Path(directory) / "copy.db"
            report = asyncio.run(converge(url, path, runs=2))
            count = asyncio.run(check(url, path))
            asyncio.run(idle_costs_little(url, path))
        requests = ", ".join(f"{job.name} {job.requests}" for job in report)
        print(
            f"seed {seed}: {count:,} objects equal after {time.monotonic() - began:.0f} s; last run: {requests}",
            flush=True,
        )
    chance = random.Random(seeds)
    with tempfile.TemporaryDirectory() as directory, living(World(seeds, OBJECTS, haste=1.0)) as url:
        path = Path(directory) / "copy.db"
        still = asyncio.run(killed(url, path, chance, KILLED))
        asyncio.run(second_refuses(url, path))
        asyncio.run(converge(url, path, runs=0))
        count = asyncio.run(check(url, path))
    print(f"killed {still} of {KILLED} times: {count:,} objects equal; a second run was refused", flush=True)


async def _copied(url: str, path: Path) -> None:
    with session(url) as opening:
        async with opening as kantata:
            await copy_of(kantata, SQLiteTarget(path)).run()


if __name__ == "__main__":
    asyncio.run(_copied(sys.argv[1], Path(sys.argv[2])))
