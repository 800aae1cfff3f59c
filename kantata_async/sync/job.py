"""One collection to copy: which parts it has, and how each is brought up to date, counted beforehand, and compared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any, Final

import attrs

from ..calls import MAX_PER_PAGE, Connection, Operation, check_call, pages_for, together
from ..errors import KantataError, TargetError, UsageError
from ..resource import Resource
from ..tables import table_of
from .copying import Copying, JobTally
from .family import Family
from .listing import Listing, ListPage
from .parents import Kinds, Parents, parents_of
from .part import Checkpoint, Part
from .reading import MOST_PAGES
from .report import JobDifference, JobPlan, JobReport
from .spans import Span
from .store import OpenTarget
from .targets import Written
from .ways import By, Deletions, Way, way_of

_REFUSED: Final = ("order", "only", "search", "per_page", "updated_before", "created_before")
_PARTS_AT_ONCE: Final = 4

Progress = Callable[[JobReport], object]
"""Told how far a job has come, each time something of it was stored."""


@attrs.frozen
class Pace:
    """How far behind a copy stays, and how often it is read from the beginning; in seconds."""

    lag: int
    sweep: int | None = None


class Job:
    """A collection to copy.

    Raises UsageError for a resource without a list, and for arguments that its list does not take.
    """

    def __init__(self, connection: Connection, resource: Resource, arguments: Mapping[str, Any], pace: Pace) -> None:
        self.name: Final = type(resource).__module__.rpartition(".")[2]
        operation = resource.operations.get("list")
        if operation is None or operation.collection is None:
            raise UsageError(f"{self.name} has no list that could be copied")
        for name in _REFUSED:
            if name in arguments:
                raise UsageError(f"a copy of {self.name} takes no {name!r}: it chooses how to read the list itself")
        self._operation: Final[Operation[Any]] = operation
        self._connection: Final = connection
        self._arguments: Final = dict(arguments)
        self._pace: Final = pace
        self._cls: Final = connection.reader.class_of(operation.collection)
        self._through: Final = parents_of(connection, operation, arguments)
        way = way_of(operation, self._cls)
        whole = isinstance(self._through, Parents)
        self._way: Final = attrs.evolve(way, by=By.NOTHING, deletions=Deletions.ABSENCE) if whole else way
        self._listing(None if self._through is None else self._through.sample)

    # --- its parts ---------------------------------------------------------------------------------------------------

    def _listing(self, of: str | None = None, way: Way | None = None) -> Listing:
        """The list of the part that belongs to a parent, or is of a kind; of the whole for None."""
        mine = {} if self._through is None or of is None else {self._through.filter: of}
        arguments = {**self._arguments, **mine}
        query = tuple(sorted(check_call(self._operation, (), arguments).query.items()))
        part = Part(self.name, query, tuple(mine.items()))
        return Listing(self._connection, part, self._operation, arguments, way or self._way)

    def _family(self, through: Parents) -> Family:
        include = {} if through.include is None else {"include": [through.include]}
        way = attrs.evolve(way_of(through.operation, None), by=By.NOTHING, deletions=Deletions.ABSENCE)
        parents = through.operation.collection or ""
        query = tuple(sorted(check_call(through.operation, (), include).query.items()))
        listing = Listing(self._connection, Part(parents, query), through.operation, include, way)
        return Family(through, listing, table_of(self._operation.collection or "", self._cls))

    # --- what is done ------------------------------------------------------------------------------------------------

    async def run(self, store: OpenTarget, progress: Progress | None) -> JobReport:
        """Bring the copy up to date. An error that is not the target's is in the report."""
        began = time.monotonic()
        tally, listings = JobTally(), list[Listing]()
        behind: list[int] = []

        def report(error: Exception | None = None, *, done: bool = False) -> JobReport:
            mine = tally.written.get(self._operation.collection or "", Written())
            absent = [one.not_sent for one in listings if one.not_sent is not None]
            return JobReport(
                self.name, tally.read, mine.new, mine.changed, mine.deleted, sum(one.requests for one in listings),
                time.monotonic() - began, timedelta(seconds=max(behind, default=0)) if done else None,
                tuple(sorted(frozenset.intersection(*absent))) if absent else (), error,
            )  # fmt: skip

        if progress is not None:
            tally.watch(lambda: progress(report()))
        try:
            await self._run(store, tally, listings, behind)
        except TargetError:
            raise
        except KantataError as error:
            return report(error)
        return report(done=True)

    async def _run(self, store: OpenTarget, tally: JobTally, listings: list[Listing], behind: list[int]) -> None:
        at_once = asyncio.Semaphore(_PARTS_AT_ONCE)

        async def copy(listing: Listing) -> None:
            listings.append(listing)
            async with at_once:
                copying = Copying(listing, store, tally, lag=self._pace.lag, sweep=self._pace.sweep)
                await copying.run()
            behind.append(0 if listing.way.by is By.NOTHING else copying.behind)

        match self._through:
            case None:
                await copy(self._listing())
            case Kinds(values=values):
                await together([copy(self._listing(kind)) for kind in values])
            case Parents() as through:
                family = self._family(through)
                listings.append(family.listing)
                await family.look(store)
                await together([copy(self._listing(parent)) for parent in family.changed])
                await family.bury(store, tally)
                # What the parents' list carried says nothing of what the list itself does.
                family.listing.not_sent = None

    async def plan(self, store: OpenTarget) -> JobPlan:
        """How it is going to be read; one request for each part, and none for objects."""
        match self._through:
            case None:
                rows, requests = await self._planned(store, self._listing())
            case Kinds(values=values):
                parts = await together([self._planned(store, self._listing(kind)) for kind in values])
                rows, requests = sum(part[0] for part in parts), sum(part[1] for part in parts)
            case Parents() as through:
                # Nobody counts the objects of all parents; each has a page at least.
                rows = (await self._family(through).listing.count()).count
                requests = rows + pages_for(rows, MAX_PER_PAGE)
        through_what = "" if self._through is None else f"{self._through}; "
        return JobPlan(self.name, f"{through_what}{self._way}", rows, requests)

    async def _planned(self, store: OpenTarget, listing: Listing) -> tuple[int, int]:
        text = store.checkpoints.get(listing.part.name)
        kept = Checkpoint() if text is None else Checkpoint.from_json(text)
        since = kept.through if kept.query == listing.part.query else None
        span = Span(since) if self._way.by is not By.NOTHING else Span()
        rows = (await listing.page(1, span.covering(self._way.by.value), size=1)).count
        pages = max(1, pages_for(rows, MAX_PER_PAGE))
        counting = 0 if self._way.deletions in {Deletions.ABSENCE, Deletions.NEVER} else 1
        cutting = 2 * (pages // MOST_PAGES) if self._way.by is not By.NOTHING else 0
        return rows, pages + counting + cutting

    async def verify(self, store: OpenTarget) -> JobDifference:
        """Where the copy differs from what the server has, of what the copy is to have by now."""
        match self._through:
            case None:
                found = [await self._compared(store, self._listing())]
            case Kinds(values=values):
                found = await together([self._compared(store, self._listing(kind)) for kind in values])
            case Parents() as through:
                parents = await self._family(through).parents()
                found = await together([self._compared(store, self._listing(parent)) for parent in parents])
        return JobDifference(*(tuple(sorted(chain.from_iterable(parts))) for parts in zip(*found, strict=True)))

    async def _compared(
        self, store: OpenTarget, listing: Listing
    ) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
        """The ids that are missing, extra and stale."""
        there: dict[str, Any] = {}
        dated = "updated_at" in listing.table.kinds

        async def take(pages: Sequence[ListPage]) -> None:
            for page in pages:
                columns = page.listed.rows.select(["id", "updated_at"] if dated else ["id"]).to_pydict()
                there.update(zip(columns["id"], columns.get("updated_at", [None] * len(columns["id"])), strict=True))

        await listing.read((), take)
        text = store.checkpoints.get(listing.part.name)
        kept = Checkpoint() if text is None else Checkpoint.from_json(text)
        rows = await store.read(listing.table, kept.holds(listing.part), ["id", "updated_at"])
        held = dict(zip(rows.column("id").to_pylist(), rows.column("updated_at").to_pylist(), strict=True))

        def due(id: str) -> bool:
            at = there[id]
            return at is None or kept.through is None or at.timestamp() < kept.through

        missing = [id for id in there if id not in held and due(id)]
        stale = [id for id, at in there.items() if id in held and due(id) and held[id] != at]
        return missing, [id for id in held if id not in there], stale
