"""A Dagster asset that is a copy of collections: ``dagster dev -f examples/dagster_asset.py``.

Needs ``pip install 'kantata-async[sync]' dagster``. A run that is killed goes on from where it was the next time.
"""

import asyncio
import os
from typing import Any

import dagster

from kantata_async import KantataSession
from kantata_async.sync import Report, SQLiteTarget, Sync


async def copy(path: str) -> Report:
    """Bring the copy at a path up to date."""
    async with KantataSession() as kantata:
        sync = Sync(kantata, SQLiteTarget(path))
        sync.add(kantata.users)
        sync.add(kantata.time_entries, include=["user"])
        return await sync.run()


@dagster.asset
def kantata_copy() -> dagster.MaterializeResult[Any]:
    """The users and the time entries of the account, in the SQLite file that COPY_PATH names."""
    report = asyncio.run(copy(os.environ.get("COPY_PATH", "kantata.db")))
    return dagster.MaterializeResult(metadata={job.name: job.to_dict() for job in report})


definitions = dagster.Definitions(assets=[kantata_copy])
