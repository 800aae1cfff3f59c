"""The copy of one collection: its parts, and how each is brought up to date, counted beforehand, and compared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any, Final

import attrs

from ..calls import Connection, Operation, check_call, together
from ..errors import (
    APIError,
    BadRequestError,
    KantataError,
    NotFoundError,
    PermissionDeniedError,
    SyncError,
    TargetError,
    UsageError,
    ValidationError,
)
from ..model import brief_repr
from ..resource import Resource
from ..session import KantataSession
from ..tables import reader_for, table_of
from .comparing import values_by_id
from .copying import Copying, JobTally, held_of, not_found, tells_no_time
from .family import Family
from .feed import DeletionFeed
from .listing import Listing, ListPage
from .parents import Kinds, Parents, parents_of
from .part import Job, Part
from .planning import is_small, requests_for
from .report import JobDifference, JobPlan, JobReport
from .spans import Span
from .store import OpenTarget
from .targets import Written
from .ways import By, Deletions, way_of

_REFUSED: Final = ("order", "only", "search", "per_page", "updated_before", "created_before")
_PARTS_AT_ONCE: Final = 4
_MOST_SHOWN: Final = 3
_REFUSALS: Final = (BadRequestError, PermissionDeniedError, NotFoundError, ValidationError)
"""What the server says to one part may not be so for the others."""

Progress = Callable[[JobReport], object]
"""Called with the report of a job so far, each time something of it was stored."""


def job_of(
    connection: Connection, resource: Resource, arguments: Mapping[str, Any], *, lag: int, sweep: int | None
) -> Job:
    """The job of copying what a resource lists with some arguments.

    Raises:
        UsageError: the resource has no list, or its list does not take the arguments.
    """
    name, operation = _name_of(resource), _list_of(resource)
    for refused in _REFUSED:
        if refused in arguments:
            raise UsageError(f"a copy of {name} takes no {refused!r}: it chooses how to read the list itself")
    through = parents_of(connection, operation, arguments)
    sample = {} if through is None else {through.filter: through.sample}
    query = check_call(operation, (), {**arguments, **sample}).query
    return Job(name, tuple(sorted((key, value) for key, value in query.items() if key not in sample)), lag, sweep)


def connection_of(kantata: KantataSession) -> Connection:
    """The connection of a session, whose answers are read into columns.

    Raises:
        UsageError: it is no session.
    """
    if not isinstance(kantata, KantataSession):
        raise UsageError(f"a copy is made through a KantataSession, not {brief_repr(kantata)}")
    connection = kantata._connection
    return attrs.evolve(connection.named("sync"), reader=reader_for(connection.reader.class_of))


def _name_of(resource: Resource) -> str:
    return type(resource).__module__.rpartition(".")[2]


def _list_of(resource: Resource) -> Operation[Any]:
    operation = resource.operations.get("list")
    if operation is None or operation.collection is None:
        raise UsageError(f"{_name_of(resource)} has no list that could be copied")
    return operation


class _Course:
    """How far the copying of a job, or of a part of one, has come."""

    def __init__(self, job: Job, collection: str) -> None:
        self.tally: Final = JobTally()
        self.listings: Final[list[Listing]] = []
        self.behind: Final[list[int]] = []
        self._job: Final = job
        self._collection: Final = collection
        self._began: Final = time.monotonic()

    def report(self, error: Exception | None = None, *, done: bool = False) -> JobReport:
        """What it has come to so far."""
        mine = self.tally.written.get(self._collection, Written())
        absent = [one.not_sent for one in self.listings if one.not_sent is not None]
        return JobReport(
            self._job.resource, self.tally.read, mine.new, mine.changed, mine.deleted,
            sum(one.requests for one in self.listings), time.monotonic() - self._began,
            timedelta(seconds=max(self.behind, default=0)) if done else None,
            tuple(sorted(frozenset.intersection(*absent))) if absent else (), error,
        )  # fmt: skip


class CollectionCopy:
    """The copy of one collection, as a job says.

    Raises:
        UsageError: the resource has no list.
    """

    def __init__(self, connection: Connection, resource: Resource, job: Job) -> None:
        self.job: Final = job
        self._connection: Final = connection
        self._operation: Final[Operation[Any]] = _list_of(resource)
        self._cls: Final = connection.reader.class_of(self._operation.collection or "")
        self._through: Final = parents_of(connection, self._operation, dict(job.query))
        way = way_of(self._operation, self._cls)
        whole = isinstance(self._through, Parents)
        self._way: Final = attrs.evolve(way, by=By.NOTHING, deletions=Deletions.ABSENCE) if whole else way
        self._table: Final = table_of(self._operation.collection or "", self._cls)
        self._feed: Final = DeletionFeed(connection, self._cls)

    # --- its parts ---------------------------------------------------------------------------------------------------

    def _part(self, of: str | None = None) -> Part:
        """What belongs to a parent, or is of a kind; all of it for None."""
        mine = () if self._through is None or of is None else ((self._through.filter, of),)
        return Part(self.job.resource, tuple(sorted((*self.job.query, *mine))), mine)

    def _listing(self, part: Part) -> Listing:
        return Listing(self._connection, part, self._operation, self._way)

    def _family(self, through: Parents) -> Family:
        include = {} if through.include is None else {"include": [through.include]}
        way = attrs.evolve(way_of(through.operation, None), by=By.NOTHING, deletions=Deletions.ABSENCE)
        parents = through.operation.collection or ""
        query = tuple(sorted(check_call(through.operation, (), include).query.items()))
        listing = Listing(self._connection, Part(parents, query), through.operation, way)
        return Family(through, listing, self._table)

    # --- what is done ------------------------------------------------------------------------------------------------

    async def run(self, store: OpenTarget, progress: Progress | None = None) -> JobReport:
        """The report of bringing the copy up to date; an error that is not the target's is in it.

        Raises:
            TargetError: the copy cannot be read or written.
        """

        async def copy(course: _Course) -> None:
            await store.look_at(self._table)
            parts = await self._due_parts(store, course)
            at_once = asyncio.Semaphore(_PARTS_AT_ONCE)
            refused: dict[Part, APIError] = {}

            async def in_turn(part: Part) -> None:
                async with at_once:
                    try:
                        await self._copy(part, store, course)
                    except _REFUSALS as error:
                        if not part.of:
                            raise
                        refused[part] = error

            await together(map(in_turn, parts))
            await self._settle_refused(refused, len(parts), course)

        return await self._reported(copy, progress)

    async def _settle_refused(self, refused: Mapping[Part, APIError], parts: int, course: _Course) -> None:
        """See whether the parts that the server refused are those of parents that were deleted meanwhile.

        Raises:
            SyncError: others are among them.
        """
        if refused and isinstance(self._through, Parents):
            # What belonged to a parent that is no longer there is found to be gone by the next run.
            family = self._family(self._through)
            course.listings.append(family.listing)
            found = await family.listing.by_id([of for part in refused for _, of in part.of])
            family.listing.not_sent = None
            there = {id for page in found for id in page.ids}
            refused = {part: error for part, error in refused.items() if dict(part.of)[self._through.filter] in there}
        if refused:
            shown = "; ".join(f"{part.name}: {error}" for part, error in list(refused.items())[:_MOST_SHOWN])
            more = "" if len(refused) <= _MOST_SHOWN else f" and {len(refused) - _MOST_SHOWN} more"
            message = f"{len(refused)} of {parts} parts were refused: {shown}{more}"
            raise SyncError(message, report=course.report()) from next(iter(refused.values()))

    async def run_part(self, part: Part, store: OpenTarget, progress: Progress | None = None) -> JobReport:
        """The report of bringing one part up to date; an error that is not the target's is in it.

        Raises:
            TargetError: the copy cannot be read or written.
        """

        async def copy(course: _Course) -> None:
            await store.look_at(self._table)
            await self._copy(part, store, course)

        return await self._reported(copy, progress)

    async def divide(self, store: OpenTarget, most: int) -> Sequence[Part] | None:
        """The parts that are to be copied; None where it is best copied as one, with so many objects to read at most.

        Raises:
            KantataError: a request failed.
            TargetError: the copy cannot be read or written.
        """
        course = _Course(self.job, "")
        await store.look_at(self._table)
        if self._through is not None:
            return await self._due_parts(store, course)
        if self._way.by is By.NOTHING:
            return None
        return await Copying(self._listing(self._part()), store, course.tally, self.job, self._feed).divide(most)

    async def _reported(
        self, copy: Callable[[_Course], Coroutine[Any, Any, None]], progress: Progress | None
    ) -> JobReport:
        course = _Course(self.job, self._operation.collection or "")
        if progress is not None:
            course.tally.watch(lambda: progress(course.report()))
        try:
            await copy(course)
        except TargetError:
            raise
        except KantataError as error:
            return course.report(error)
        return course.report(done=True)

    async def _due_parts(self, store: OpenTarget, course: _Course) -> Sequence[Part]:
        """The parts of which the copy may lack something."""
        match self._through:
            case None:
                return [self._part()]
            case Kinds(values=values):
                return [self._part(kind) for kind in values]
            case Parents() as through:
                family = self._family(through)
                course.listings.append(family.listing)
                await self._look(family, store)
                await family.bury(store, course.tally)
                # What the parents' list carried says nothing about what the list itself carries.
                family.listing.not_sent = None
                return [self._part(parent) for parent in family.changed]

    async def _look(self, family: Family, store: OpenTarget) -> None:
        """Find the parents for which something changed, on the server or in what is asked for."""

        def is_outdated(parent: str) -> bool:
            part = self._part(parent)
            kept = store.checkpoint(part)
            return kept.through is not None and not kept.serves(part, self._table.digest)

        await family.look(store, is_outdated)

    async def _copy(self, part: Part, store: OpenTarget, course: _Course) -> None:
        listing = self._listing(part)
        course.listings.append(listing)
        copying = Copying(listing, store, course.tally, self.job, self._feed)
        await copying.run()
        course.behind.append(0 if listing.way.by is By.NOTHING else copying.behind)

    async def plan(self, store: OpenTarget) -> JobPlan:
        """How it is going to be read; one request for each part or for 200 parents, and none for objects."""
        await store.look_at(self._table)
        match self._through:
            case None:
                rows, requests = await self._planned(store, self._listing(self._part()))
            case Kinds(values=values):
                parts = await together([self._planned(store, self._listing(self._part(kind))) for kind in values])
                rows, requests = sum(part[0] for part in parts), sum(part[1] for part in parts)
            case Parents() as through:
                family = self._family(through)
                await self._look(family, store)
                sizes = family.sizes()
                rows = sum(sizes)
                requests = family.listing.requests + sum(requests_for(size, self._way) for size in sizes)
        through_what = "" if self._through is None else f"{self._through}; "
        return JobPlan(self.job.resource, f"{through_what}{self._way}", rows, requests)

    async def _planned(self, store: OpenTarget, listing: Listing) -> tuple[int, int]:
        kept = store.checkpoint(listing.part)
        since = (
            None
            if store.was_widened(self._table) or not kept.serves(listing.part, self._table.digest)
            else kept.through
        )
        held = await store.count(held_of(listing, kept)) if listing.part.of else None
        by_change = self._way.by is not By.NOTHING and not is_small(held)
        span = Span(since) if by_change else Span()
        rows = (await listing.page(1, span.covering(self._way.by.value), size=1)).count
        return rows, requests_for(rows, self._way, held, is_first=since is None)

    async def verify(self, store: OpenTarget, *, values: bool) -> JobDifference:
        """Where the copy differs from the server, in what it should hold already.

        Args:
            store: where the copy is.
            values: compare all values, not only when objects were updated.
        """
        match self._through:
            case None:
                parts = [self._part()]
            case Kinds(values=kinds):
                parts = [self._part(kind) for kind in kinds]
            case Parents() as through:
                parts = [self._part(parent) for parent in await self._family(through).parents()]
        at_once = asyncio.Semaphore(_PARTS_AT_ONCE)

        async def compared(part: Part) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
            async with at_once:
                return await self._compared(store, self._listing(part), values=values)

        found = await together(map(compared, parts))
        return JobDifference(*(tuple(sorted(chain.from_iterable(ids))) for ids in zip(*found, strict=True)))

    async def _compared(
        self, store: OpenTarget, listing: Listing, *, values: bool
    ) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
        """The ids that are missing, extra and stale."""
        there: dict[str, Any] = {}
        sent: dict[str, int] = {}
        dated = "updated_at" in listing.table.kinds

        async def take(pages: Sequence[ListPage]) -> None:
            for page in pages:
                columns = page.listed.rows.select(["id", "updated_at"] if dated else ["id"]).to_pydict()
                there.update(zip(columns["id"], columns.get("updated_at", [None] * len(columns["id"])), strict=True))
                if values:
                    sent.update(values_by_id(listing.table, page.listed.rows))

        await listing.read((), take)
        kept = store.checkpoint(listing.part)
        scope = held_of(listing, kept)
        rows = await store.read(scope, ["id", "updated_at"])
        held = dict(zip(rows.column("id").to_pylist(), rows.column("updated_at").to_pylist(), strict=True))
        stored = (
            values_by_id(listing.table, await store.read(scope, list(listing.table.kinds))) if values and held else {}
        )

        def due(id: str) -> bool:
            at = there[id]
            return at is None or kept.through is None or at.timestamp() < kept.through

        missing = [id for id in there if id not in held and due(id)]
        shared = [id for id in there if id in held and due(id)]
        stale = [id for id in shared if held[id] != there[id] or (values and sent[id] != stored[id])]
        extra = [id for id in held if id not in there]
        return missing, await not_found(listing, extra) if tells_no_time(listing) else extra, stale
