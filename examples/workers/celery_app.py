"""Celery on Kantata: a session for each worker process, opened when it starts, and one rate limit for all of them.

Celery's tasks are plain functions in forked processes. Each process keeps an event loop and a session in it; what the
session learns and its connections last from task to task.

    celery --app examples.workers.celery_app worker --pool prefork --concurrency 4
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

from kantata_async import KantataSession, RedisRateLimit

T = TypeVar("T")

REDIS = os.environ.get("REDIS_URL", "redis://localhost:6379/0")

app = Celery("kantata", broker=REDIS, backend=REDIS)


class Process:
    """The event loop of a worker process, and the session that belongs to it."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._kantata = KantataSession(rate_limit=RedisRateLimit(REDIS))

    def open(self) -> None:
        """Open the session; in the process that uses it, since a fork inherits none."""
        self._runner.run(self._kantata.open())

    def close(self) -> None:
        """Close the session, then the loop."""
        self._runner.run(self._kantata.close())
        self._runner.close()

    def run(self, work: Callable[[KantataSession], Awaitable[T]]) -> T:
        """What work with the session comes to."""

        async def carry_out() -> T:
            return await work(self._kantata)

        return self._runner.run(carry_out())


process: Process | None = None


@worker_process_init.connect
def begin(**_: object) -> None:
    """Celery has started a worker process."""
    global process  # noqa: PLW0603 - Celery gives a task nothing else to find it by
    process = Process()
    process.open()


@worker_process_shutdown.connect
def end(**_: object) -> None:
    """Celery ends a worker process."""
    if process is not None:
        process.close()


@app.task
def name_of(user_id: str) -> str:
    """The name of a person."""
    if process is None:
        raise RuntimeError("this task runs in a worker of Celery's prefork pool")

    async def read(kantata: KantataSession) -> str:
        return (await kantata.users.get(user_id)).full_name or ""

    return process.run(read)
