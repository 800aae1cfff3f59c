"""A copy by two workers, of which one is killed half-way; the other one ends it, and the copy is equal.

``python examples/distributed/copy_by_two.py`` with the environment that `workers` asks for.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from workers import app, open_session, target, tasks

from kantata_async.sync import Sync

WORKER = [sys.executable, "-m", "procrastinate", "--app=workers.app", "worker"]


def start() -> subprocess.Popen[bytes]:
    """A worker in a process of its own."""
    return subprocess.Popen(WORKER, cwd=Path(__file__).parent)  # noqa: S603 - our own command


async def parts_being_copied() -> int:
    """How many parts the workers copy right now."""
    return len(list(await app.job_manager.list_jobs_async(task="kantata.copy_part", status="doing")))


async def main() -> None:
    """Copy five collections, and say what became of it."""
    async with open_session() as kantata, app.open_async():
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()
        sync = Sync(kantata, target)
        for resource in (kantata.users, kantata.workspaces, kantata.participations, kantata.stories):
            sync.add(resource)
        sync.add(kantata.time_entries, include=["user"])
        await tasks.defer(sync.jobs)
        workers = [start(), start()]
        try:
            while await tasks.unfinished() and await parts_being_copied() < 2:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.02)
            workers[0].kill()
            print("one worker is killed")
            again = 0
            while await tasks.unfinished():
                # The workers look by themselves every minute for what nobody does any more.
                again += await tasks.resume(after=3)
                await asyncio.sleep(0.2)
            print(f"all tasks are done, {again} of them by the other one")
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait()
        difference = await sync.verify()
        print(f"not equal:\n{difference}" if difference else "equal")


asyncio.run(main())
