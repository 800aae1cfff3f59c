"""Copies past one machine: jobs and their parts as tasks of procrastinate, in the PostgreSQL that holds the copy.

Needs ``pip install 'kantata-async[distributed]'``.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from ..bounds import positive_count
from ..errors import UsageError
from ..resource import Resource
from ..session import KantataSession
from ..turns import job as own_turn
from .job import CollectionCopy, connection_of
from .part import Job, Part
from .report import JobReport
from .store import OpenTarget
from .targets import PostgresTarget, driver

if TYPE_CHECKING:
    from procrastinate import App
    from procrastinate.jobs import Job as QueuedJob
    from procrastinate.tasks import Task

__all__ = ["CopyTasks"]

_MOST_ROWS: Final = 20_000
_MOST_ATTEMPTS: Final = 8
_HEARTBEATS_MISSED: Final = 30.0
_EVERY_MINUTE: Final = "* * * * *"

_LOGGER: Final = logging.getLogger("kantata_async.sync")


class CopyTasks:
    """The tasks by which the workers of a procrastinate app keep a copy: ``CopyTasks(app, session=…, target=…)``.

    A job with much to read is divided into parts (windows of time, projects, kinds), each of which is a task that any
    worker may take. What is read is stored together with how far its part has come, so a worker that is killed
    loses nothing: another one goes on with what it was doing, from where the copy has come to.

    Args:
        app: the procrastinate app; whatever else its workers do, they do these tasks too.
        session: opens a session. Give it a `RedisRateLimit`, by which all workers share the account's limit.
        target: the copy. A run of `Sync` on it is refused while a worker writes, and the other way round.
        name: the queue's name, with which each task's name begins.
        rows: how many objects a part has at most, where it is a window of time.

    Raises:
        UsageError: procrastinate is not installed, or `rows` is not a whole number above zero.
    """

    def __init__(
        self,
        app: App,
        *,
        session: Callable[[], KantataSession],
        target: PostgresTarget,
        name: str = "kantata",
        rows: int = _MOST_ROWS,
    ) -> None:
        positive_count("CopyTasks", "rows", rows)
        retry = driver("procrastinate", "distributed").RetryStrategy(max_attempts=_MOST_ATTEMPTS, exponential_wait=2)
        self._app: Final = app
        self._session: Final = session
        self._target: Final = target
        self._name: Final = name
        self._rows: Final = rows

        @app.task(name=f"{name}.copy_job", queue=name, retry=retry)
        async def copy_job(job: str) -> None:
            await self._copy_job(Job.from_json(job))

        @app.task(name=f"{name}.copy_part", queue=name, retry=retry)
        async def copy_part(job: str, part: str) -> None:
            await self._copy_part(Job.from_json(job), Part.from_json(part))

        @app.periodic(cron=_EVERY_MINUTE)
        @app.task(name=f"{name}.resume", queue=name)
        async def resume(timestamp: int) -> None:
            await self.resume()

        self._copy_job_task: Final[Task[..., Any, Any]] = copy_job
        self._copy_part_task: Final[Task[..., Any, Any]] = copy_part

    async def defer(self, jobs: Iterable[Job]) -> None:
        """Have jobs copied, except those that wait for it already: ``await tasks.defer(sync.jobs)``.

        Raises:
            Exception: whatever procrastinate raises.
        """
        waiting = await self._locks(self._copy_job_task, ["todo"])
        for job in jobs:
            lock = self._lock(job.resource)
            if lock not in waiting:
                await self._copy_job_task.configure(lock=lock).defer_async(job=job.to_json())

    async def unfinished(self) -> int:
        """How many tasks wait or are being done.

        Raises:
            Exception: whatever procrastinate raises.
        """
        tasks = (self._copy_job_task, self._copy_part_task)
        return sum([len(await self._listed(task, ["todo", "doing"])) for task in tasks])

    async def resume(self, *, after: float = _HEARTBEATS_MISSED) -> int:
        """How many tasks are done again: those of workers that gave no sign of life for so many seconds.

        The workers do this by themselves every minute.

        Raises:
            Exception: whatever procrastinate raises.
        """
        names = {self._copy_job_task.name, self._copy_part_task.name}
        stalled = await self._app.job_manager.get_stalled_jobs(queue=self._name, seconds_since_heartbeat=after)
        mine = [job for job in stalled if job.task_name in names]
        for job in mine:
            await self._app.job_manager.retry_job(job)
        return len(mine)

    # --- what the workers do -----------------------------------------------------------------------------------------

    async def _copy_job(self, job: Job) -> None:
        """Copy a job, or have its parts copied."""
        async with self._opened(job, job.resource) as (copy, store):
            parts = await copy.divide(store, self._rows)
            report = await copy.run(store) if parts is None else None
        if report is not None:
            _log_end(job.resource, report)
        if parts is not None:
            _LOGGER.info("%s: %d parts to copy", job.resource, len(parts))
            await self._defer_parts(job, parts)

    async def _copy_part(self, job: Job, part: Part) -> None:
        """Copy a part; where it is a window of time, its job has to see whether it was the last one."""
        async with self._opened(job, part.name) as (copy, store):
            report = await copy.run_part(part, store)
        _log_end(part.name, report)
        if part.window is not None:
            await self.defer([job])

    async def _defer_parts(self, job: Job, parts: Sequence[Part]) -> None:
        taken = await self._locks(self._copy_part_task, ["todo", "doing"])
        for part in parts:
            lock = self._lock(part.name)
            if lock not in taken:
                await self._copy_part_task.configure(lock=lock).defer_async(job=job.to_json(), part=part.to_json())

    @asynccontextmanager
    async def _opened(self, job: Job, part: str) -> AsyncIterator[tuple[CollectionCopy, OpenTarget]]:
        """What copies a job, and the target for one part of it."""
        async with self._session() as kantata:
            resource = getattr(kantata, job.resource, None)
            if not isinstance(resource, Resource):
                raise UsageError(f"a session has no {job.resource!r} that could be copied")
            copy, store = CollectionCopy(connection_of(kantata), resource, job), OpenTarget(self._target.of_part(part))
            await store.open()
            try:
                with own_turn():
                    yield copy, store
            finally:
                await store.close()

    # --- the queue ---------------------------------------------------------------------------------------------------

    def _lock(self, part: str) -> str:
        """The lock by which the tasks of one part are done one after the other."""
        return f"{self._name} {part}"

    async def _locks(self, task: Task[..., Any, Any], statuses: Iterable[str]) -> Collection[str | None]:
        """The locks of the tasks of a kind that are in one of these states."""
        return {job.lock for job in await self._listed(task, statuses)}

    async def _listed(self, task: Task[..., Any, Any], statuses: Iterable[str]) -> list[QueuedJob]:
        manager = self._app.job_manager
        return [job for status in statuses for job in await manager.list_jobs_async(task=task.name, status=status)]


def _log_end(part: str, report: JobReport) -> None:
    """Log what a task came to.

    Raises:
        Exception: what stopped the task.
    """
    if report.error is not None:
        raise report.error
    _LOGGER.info(
        "%s: %d read, %d new, %d changed, %d deleted, %d requests, %.1f s",
        part, report.read, report.new, report.changed, report.deleted, report.requests, report.seconds,
    )  # fmt: skip
