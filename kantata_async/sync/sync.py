"""Copies of any set of collections, kept current."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from ..bounds import positive_number
from ..callables import check_function
from ..calls import together
from ..errors import SyncError, UsageError
from ..model import brief_repr
from ..resource import Resource
from ..session import KantataSession
from ..turns import job as own_turn
from .job import CollectionCopy, Progress, connection_of, job_of
from .part import LAG, Job
from .report import Difference, JobReport, Report, SyncPlan
from .store import OpenTarget, refuse_no_target
from .targets import Target
from .views import FieldViews


class Sync:
    """A copy of collections: ``Sync(kantata, SQLiteTarget("kantata.db"))``.

    Args:
        kantata: an open session; its rate limit, retries and errors are the copy's too.
        target: what the copy is written to.
        lag: seconds for which a write may be under way on the server before it can be seen. The copy stays that far
            behind. The API cuts a request off after 180 s.
        custom_fields: give each collection whose objects can have custom fields a view beside its table, such as
            ``workspaces_with_custom_fields``, with their values in columns by the names of the fields. The fields,
            their choices and values are copied for it. Databases have views; files have none.

    Each collection is a job; all jobs run at once, and take turns with each other and with whatever else the session
    does. A run may be stopped anywhere, and the next one goes on from there: what was read is stored together with how
    far the copy has come.
    """

    def __init__(
        self, kantata: KantataSession, target: Target, *, lag: float = LAG, custom_fields: bool = False
    ) -> None:
        refuse_no_target(target)
        if lag != 0:
            positive_number("Sync", "lag", lag)
        self._connection: Final = connection_of(kantata)
        self._target: Final = target
        self._lag: Final = int(lag)
        self._copies: Final[dict[str, CollectionCopy]] = {}
        self._views: Final = FieldViews(kantata, target) if custom_fields else None

    def __repr__(self) -> str:
        return f"<Sync of {', '.join(self._copies) or 'nothing yet'}>"

    def add(self, resource: Resource, *, sweep: timedelta | None = None, **arguments: Any) -> None:
        """Add a collection: ``sync.add(kantata.time_entries, updated_after=…, include=["user"])``.

        Args:
            resource: any that has a list. One that needs a parent or a kind is read for all of them.
            sweep: how often it is read from the beginning, for what changes without a new `updated_at` (a permission,
                a total). Never unless given.
            **arguments: what its list takes, but for how it is ordered and paged. What it hides by default is copied
                too, unless a filter says otherwise. What is included goes into its own collection.

        Raises:
            UsageError: it has no list, was added already, or an argument is not the list's.
        """
        if not isinstance(resource, Resource):
            raise UsageError(f"a copy is made of a resource such as kantata.users, not of {brief_repr(resource)}")
        if sweep is not None and not isinstance(sweep, timedelta):
            raise UsageError(f"sweep is a timedelta, not {brief_repr(sweep)}")
        seconds = None if sweep is None else int(sweep.total_seconds())
        asked = arguments if self._views is None else self._views.arguments(resource, arguments)
        job = job_of(self._connection, resource, asked, lag=self._lag, sweep=seconds)
        if job.resource in self._copies:
            raise UsageError(f"{job.resource} was added already: one target holds one copy of it")
        self._copies[job.resource] = CollectionCopy(self._connection, resource, job)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What was added, as values that another process can be given."""
        return tuple(copy.job for copy in self._copies.values())

    async def plan(self) -> SyncPlan:
        """How each job will be read, and in about how many requests; this counts, and reads no objects but parents.

        Raises:
            KantataError: a request failed.
            TargetError: the target cannot be opened or read.
        """
        async with self._opened() as store:
            return SyncPlan(await together(copy.plan(store) for copy in self._copies.values()))

    async def run(self, *, progress: Progress | None = None) -> Report:
        """The report of bringing the copy up to date: what each job came to.

        Args:
            progress: called with the report of a job so far, each time something was stored.

        Raises:
            UsageError: `progress` cannot be called so.
            SyncError: some jobs did not come to their end; the others did. The report is on it.
            TargetError: the target cannot be opened or written; every job stops.
        """
        report = await self._run(progress)
        failed = [job for job in report if job.error is not None]
        if failed:
            reasons = "; ".join(f"{job.name}: {job.error}" for job in failed)
            raise SyncError(f"{len(failed)} of {len(report.jobs)} jobs failed: {reasons}", report=report) from (
                failed[0].error
            )
        return report

    async def verify(self, *, values: bool = False) -> Difference:
        """Where the copy differs from the server; false where it does not.

        Reads every list to its end, and compares the ids and when they were updated. What was updated since the last
        run is not looked at.

        Args:
            values: compare every value too. This also finds what was altered in the target, and what changes on the
                server without a new `updated_at`, such as totals.

        Raises:
            KantataError: a request failed.
            TargetError: the target cannot be opened or read.
        """
        async with self._opened() as store:
            found = await together(copy.verify(store, values=values) for copy in self._copies.values())
            return Difference(dict(zip(self._copies, found, strict=True)))

    async def follow(
        self, *, every: float | timedelta, progress: Progress | None = None
    ) -> AsyncGenerator[Report, None]:
        """The report of one run after the other, so many seconds from start to start; ends when it is closed.

        A job that fails is in the report with its error, and is tried again in the next run.

        Raises:
            TargetError: the target cannot be opened or written.
        """
        seconds = every.total_seconds() if isinstance(every, timedelta) else every
        positive_number("follow", "every", seconds)
        while True:
            began = time.monotonic()
            yield await self._run(progress)
            await self._connection.sleep(max(0.0, seconds - (time.monotonic() - began)))

    async def _run(self, progress: Progress | None) -> Report:
        if progress is not None:
            check_function("run", "progress", progress, "the report of a job")

        async def run(copy: CollectionCopy, store: OpenTarget) -> JobReport:
            with own_turn():
                return await copy.run(store, progress)

        async with self._opened() as store:
            reports = await together(run(copy, store) for copy in self._copies.values())
            views = [] if self._views is None else [await self._views.run(store, self._copies)]
            return Report([*reports, *views])

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[OpenTarget]:
        if not self._copies:
            raise UsageError("nothing to copy: add a collection first, as in sync.add(kantata.users)")
        for name, resource in ({} if self._views is None else self._views.resources).items():
            if name not in self._copies:
                self.add(resource)
        store = OpenTarget(self._target)
        await store.open()
        try:
            yield store
        finally:
            await store.close()
