"""What each worker imports: ``procrastinate --app=workers.app worker`` runs one.

Needs ``pip install 'kantata-async[distributed]'``, a PostgreSQL for the copy and the queue, and a Redis for the limit:
COPY_DATABASE and COPY_REDIS say where they are, KANTATA_TOKEN and KANTATA_BASE_URL what is copied.
"""

from __future__ import annotations

import os

from procrastinate import App, PsycopgConnector

from kantata_async import KantataSession, RedisRateLimit
from kantata_async.sync import PostgresTarget
from kantata_async.sync.distributed import CopyTasks

app = App(
    connector=PsycopgConnector(conninfo=os.environ["COPY_DATABASE"]),
    worker_defaults={"update_heartbeat_interval": 1},  # by default every 10 seconds
)
target = PostgresTarget(os.environ["COPY_DATABASE"], schema="kantata")


def open_session() -> KantataSession:
    """A session that shares the account's limit with all workers."""
    return KantataSession(rate_limit=RedisRateLimit(os.environ["COPY_REDIS"]))


tasks = CopyTasks(app, session=open_session, target=target, rows=int(os.environ.get("COPY_ROWS", "20000")))
