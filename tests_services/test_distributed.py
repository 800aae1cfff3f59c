"""A copy by two worker processes, with a real PostgreSQL and a real Redis, of which one is killed while it copies."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from redis import Redis
from test_sync import contents, plain
from test_sync_postgres import select

from benchmarks._postgres_server import postgres
from benchmarks._redis_server import RedisServer
from chaos import sync as chaos
from chaos._live_server import World, living
from kantata_async.sync import Checkpoint, PostgresTarget

EXAMPLE = Path(__file__).parents[1] / "examples" / "distributed" / "copy_by_two.py"


async def run_example(environment: dict[str, str]) -> str:
    """What the example prints."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLE),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        printed, complaints = await asyncio.wait_for(running.communicate(), 240)
    finally:
        # Its workers too, should it not have come to their end.
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 0, complaints.decode()
    return printed.decode()


async def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    """Writers write meanwhile; then one more run makes every object of every collection as the server has it."""
    with postgres() as dsn, living(World(seed=9, objects=2000, haste=0.5, faults=0)) as url:
        async with RedisServer(str(tmp_path)) as redis:
            environment = {
                "COPY_DATABASE": dsn, "COPY_REDIS": redis.url, "COPY_ROWS": "300", "KANTATA_TOKEN": "x",
                "KANTATA_BASE_URL": f"{url}/api/v1",
            }  # fmt: skip
            assert "all tasks are done, 1 of them by the other one" in await run_example(environment)
            assert await asyncio.to_thread(Redis.from_url(redis.url).keys), "the workers do not share the limit"
        checkpoints = dict(select(dsn, "SELECT part, checkpoint FROM kantata._kantata_checkpoints"))
        assert not [part for part in checkpoints if ".." in part], "windows are left that their job did not take over"
        assert Checkpoint.from_json(checkpoints["time_entries"]).through is not None
        target = PostgresTarget(dsn, schema="kantata")
        await chaos.settled(url)
        await chaos.control(url, "ahead?seconds=400")
        with chaos.session(url) as opening:
            async with opening as kantata:
                await chaos.copy_of(kantata, target).run()
        for collection in chaos.COLLECTIONS:
            there = await chaos.control(url, f"truth?of={collection}")
            assert contents(target, collection) == {id: plain(collection, one) for id, one in there.items()}
