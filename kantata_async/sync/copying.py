"""The copy of a part brought up to date: what changed is read and stored, and what is gone is found."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Final

import attrs

from ..calls import MAX_PER_PAGE, together
from ..tables import Batch, Table, joined
from .deletions import Counted, HeldIds, find_deleted
from .feed import DeletionFeed
from .listing import Listing, ListPage
from .part import Checkpoint, Job, Part
from .planning import is_small
from .reading import MOST_PAGES
from .spans import Span, merged, wire
from .store import OpenTarget, Scope
from .targets import Rows, Step, Written
from .ways import By, Deletions

_SPANS_AT_ONCE: Final = 2
"""One is stored while another is read."""

_CLOCKS_APART: Final = 60
"""Seconds by which the clocks of an API's servers may differ."""


class JobTally:
    """What a job has come to so far.

    Attributes:
        read: how many objects came.
        written: what became of them, by collection.
    """

    def __init__(self) -> None:
        self.read = 0
        self.written: Final[dict[str, Written]] = {}
        self._watcher: Callable[[], object] | None = None

    def watch(self, watcher: Callable[[], object]) -> None:
        """Have a function called each time something was stored."""
        self._watcher = watcher

    def add(self, written: Mapping[str, Written]) -> None:
        """Count what a step came to."""
        for collection, one in written.items():
            self.written[collection] = self.written.get(collection, Written()) + one
        if self._watcher is not None:
            self._watcher()


class Copying:
    """The copy of one part.

    Args:
        listing: the part on the server.
        store: where the copy is.
        tally: counts what comes of it.
        job: how far behind the copy stays, and when it is read again.
        feed: names deletions, where it can.
    """

    def __init__(self, listing: Listing, store: OpenTarget, tally: JobTally, job: Job, feed: DeletionFeed) -> None:
        self._listing: Final = listing
        self._store: Final = store
        self._tally: Final = tally
        self._job: Final = job
        self._feed: Final = feed
        self._field: Final = listing.way.by.value
        self._spans: Final = asyncio.Semaphore(_SPANS_AT_ONCE)
        self._state = self._kept()
        self._since: Final = self._state.through
        self._second = self._state.through or 0

    @property
    def behind(self) -> int:
        """Seconds by which the copy stays behind the server."""
        return max(0, self._second - (self._state.through or 0))

    def _kept(self) -> Checkpoint:
        """The checkpoint to go on from."""
        part = self._listing.part
        kept = self._store.checkpoint(part)
        columns = self._listing.table.digest
        if kept.serves(part, columns) and not self._store.was_widened(self._listing.table):
            return attrs.evolve(kept, columns=columns)
        return Checkpoint(part.query, of=kept.of, columns=columns)

    async def run(self) -> None:
        """Bring it up to date.

        Raises:
            KantataError: a request failed.
            TargetError: the copy cannot be read or written.
        """
        if self._listing.part.window is not None:
            await self._read_own_window(self._listing.part.window)
            return
        if self._listing.way.by is By.NOTHING:
            await self._copy_whole()
            return
        await self._take_over()
        if self._state.pending:
            await self._read_pending({})
        self._forget_when_due()
        if self._listing.part.of and await self._is_settled_by_one_answer():
            return
        await self._read_changes()
        if self._listing.way.deletions is Deletions.HALVING:
            await self._find_deleted()
        elif self._listing.way.deletions is Deletions.COUNTING:
            await self._compare_count()

    async def divide(self, most: int) -> Sequence[Part] | None:
        """The windows that are to be read, each as a part that others can copy; None for `most` objects or fewer.

        Raises:
            KantataError: a request failed.
            TargetError: the copy cannot be read or written.
        """
        await self._take_over()
        if not self._state.pending:
            self._forget_when_due()
            through = self._state.through
            first = await self._listing.page(1, Span(through).covering(self._field), size=1)
            if first.count <= most:
                return None
            self._aim(first)
            windows = await self._cut(Span(through, self._state.goal), first.count, most)
            self._state = attrs.evolve(self._state, pending=tuple(merged(windows, most)))
            await self._keep([], with_checkpoint=True)
        return [self._listing.part.within(window) for window in self._state.pending]

    async def _take_over(self) -> None:
        """Note the windows that others have copied as separate parts."""
        parts = {window: self._listing.part.within(window) for window in self._state.pending}
        copied = [window for window, part in parts.items() if self._store.checkpoint(part).completes(part)]
        if copied:
            for window in copied:
                self._finish(window)
            await self._keep([], with_checkpoint=True, over=[parts[window].name for window in copied])

    def _forget_when_due(self) -> None:
        """Have everything read again when a sweep is due."""
        through, swept, sweep = self._state.through, self._state.swept, self._job.sweep
        if None not in {sweep, through, swept} and through - swept >= sweep:  # type: ignore[operator]
            self._state = attrs.evolve(self._state, through=None)

    # --- what changed ------------------------------------------------------------------------------------------------

    def _is_set_back(self, answer: ListPage) -> bool:
        """Whether the server's clock was ahead when the copy came as far as it is."""
        return answer.second + _CLOCKS_APART < (self._state.through or 0)

    def _aim(self, first: ListPage) -> None:
        """Note up to when everything is going to be read."""
        through = None if self._is_set_back(first) else self._state.through
        goal = max(first.second - self._job.lag, through or 0)
        self._state = attrs.evolve(self._state, goal=goal, swept=goal if through is None else self._state.swept)

    async def _is_settled_by_one_answer(self) -> bool:
        """Whether one answer was enough to bring it up to date.

        A list that is read for each kind costs a request a kind at least, and most kinds have few objects or none.
        """
        held = await self._store.count(self._held())
        if is_small(held):
            return await self._is_one_page()
        if self._listing.way.newest is None or self._state.through is None:
            return False
        newest = await self._listing.newest()
        updated = newest.updated
        if newest.count != held or updated is None or updated >= self._state.through or self._is_set_back(newest):
            return False
        await self._settle(newest, [])
        return True

    async def _is_one_page(self) -> bool:
        """Whether a page holds everything; if so it is stored, and what it lacks is gone."""
        page = await self._listing.page()
        if not page.whole:
            return False
        held = (await self._store.read(self._held(), ["id"])).column("id").to_pylist()
        await self._settle(page, [page], {id for id in held if id not in page.ids})
        return True

    async def _settle(self, answer: ListPage, pages: Sequence[ListPage], gone: Collection[str] = ()) -> None:
        """Store what an answer came to that showed the list at one moment, and that all of it is copied."""
        self._aim(answer)
        self._state = attrs.evolve(self._state, through=self._state.goal, goal=None, pending=())
        await self._keep(pages, gone, with_checkpoint=True)

    async def _read_changes(self) -> None:
        """Read what changed since the last time: at once where it fits a page, else by closed windows."""
        first = await self._listing.page(1, Span(self._state.through).covering(self._field))
        if self._is_set_back(first):
            # What was written since then may bear times that were thought to lie behind.
            self._state = attrs.evolve(self._state, through=None)
            first = await self._listing.page()
        through = self._state.through
        if first.whole:
            # One answer shows one moment: nothing can have moved, and everything up to it is there.
            await self._settle(first, [first])
            return
        self._aim(first)
        goal = self._state.goal
        window = Span(through, goal)
        self._state = attrs.evolve(self._state, pending=(window,))
        await self._read_pending({window: first.count})
        # What changed since then is read again next time; what can be had already, the copy gets sooner this way.
        await self._read_span(Span(goal), is_pending=False)

    async def _read_own_window(self, window: Span) -> None:
        """Read the window that the part is, unless it has been."""
        if self._state.completes(self._listing.part):
            return
        if not self._state.pending:
            self._state = attrs.evolve(self._state, goal=window.before, pending=(window,))
        await self._read_pending({})

    async def _read_pending(self, counts: Mapping[Span, int]) -> None:
        await together(self._read_window(span, counts.get(span)) for span in self._state.pending)

    async def _read_window(self, window: Span, count: int | None) -> None:
        """Read a closed window, in parts where its pages would lie deep."""
        if count is None:
            count = (await self._listing.page(1, window.covering(self._field), size=1)).count
        if count == 0:
            # Objects only leave a closed window: it stays empty.
            self._finish(window)
            await self._keep([], with_checkpoint=not self._state.pending)
            return
        halves = window.halves
        if count <= MOST_PAGES * MAX_PER_PAGE or halves is None:
            await self._read_span(window, is_pending=True)
            return
        early, late = halves
        pending = [span for span in self._state.pending if span != window]
        self._state = attrs.evolve(self._state, pending=(*pending, early, late))
        in_early, in_late = await self._shared(early, count)
        await together([self._read_window(early, in_early), self._read_window(late, in_late)])

    async def _shared(self, early: Span, count: int) -> tuple[int, int]:
        """How many of the objects of a window are in its earlier half, and how many at most in its later one."""
        # Objects only leave a closed window: the later half has at most what the earlier one leaves over.
        in_early = (await self._listing.page(1, early.covering(self._field), size=1)).count
        return in_early, max(0, count - in_early)

    async def _cut(self, window: Span, count: int, most: int) -> list[tuple[Span, int]]:
        """A closed window, cut where it can be into windows of at most so many objects; each with its number."""
        halves = window.halves
        if count <= most or halves is None:
            return [(window, count)]
        shares = await self._shared(halves[0], count)
        cut = await together(self._cut(half, share, most) for half, share in zip(halves, shares, strict=True))
        return [*cut[0], *cut[1]]

    async def _read_span(self, span: Span, *, is_pending: bool) -> None:
        pages: list[ListPage] = []

        async def take(some: Sequence[ListPage]) -> None:
            pages.extend(some)
            if len(pages) > MOST_PAGES:
                await self._keep(pages)
                pages.clear()

        async with self._spans:
            await self._listing.read(tuple(span.covering(self._field)), take)
            if is_pending:
                self._finish(span)
            # That nothing lies in a span can be found out again: it is noted with what is stored next.
            has_something = any(page.ids for page in pages)
            await self._keep(pages, with_checkpoint=is_pending and (has_something or not self._state.pending))

    def _finish(self, span: Span) -> None:
        """Note that a span has been read."""
        pending = tuple(one for one in self._state.pending if one != span)
        if pending:
            self._state = attrs.evolve(self._state, pending=pending)
        else:
            self._state = attrs.evolve(self._state, through=self._state.goal, goal=None, pending=())

    # --- what is gone ------------------------------------------------------------------------------------------------

    async def _find_deleted(self) -> None:
        """Count what was created until then, and halve where the copy has another number."""
        until = self._state.through or 0
        counted = await self._listing.count([("created_before", wire(until))])
        if await self._holds(counted.count, until):
            return
        rows = await self._store.read(self._held(before=until), ["created_at", "id"])
        created = rows.column("created_at").cast("int64").to_pylist()
        held = HeldIds([instant // 1_000_000 for instant in created], rows.column("id").to_pylist())
        gone = await self._named_deleted(held, counted.count)
        if len(held.ids) - len(gone) != counted.count:
            gone |= await find_deleted(held.without(gone), Span(None, until), counted.count, self._ask, self._read_ids)
        await self._keep([], gone)

    async def _named_deleted(self, held: HeldIds, count: int) -> set[str]:
        """The ids that the change feed names and the copy holds, but the server does not have."""
        if self._since is None or not self._listing.way.by_id:
            return set()
        if not self._feed.is_worth_asking(len(held.ids), len(held.ids) - count):
            return set()
        named, requests = await self._feed.named(self._since)
        self._listing.requests += requests
        named.intersection_update(held.ids)
        # The feed has events late and out of order: what it says was deleted may be there again.
        there = await self._listing.by_id(sorted(named))
        await self._keep(there)
        return named - {id for page in there for id in page.listed.rows.column("id").to_pylist()}

    async def _ask(self, span: Span) -> Counted:
        page = await self._listing.living(span.between(By.CREATION.value))
        await self._keep([page])
        created = page.created
        in_order = self._listing.way.sorted_by_creation and created is not None
        return Counted(page.count, dict.fromkeys(page.ids, 0) if created is None else created, in_order=in_order)

    async def _read_ids(self, span: Span) -> Collection[str]:
        ids: set[str] = set()

        async def take(pages: Sequence[ListPage]) -> None:
            ids.update(id for page in pages for id in page.ids)
            await self._keep(pages)

        await self._listing.read_living(tuple(span.between(By.CREATION.value)), take)
        return ids

    async def _compare_count(self) -> None:
        """Count everything, and read everything where the copy has another number."""
        counted = await self._listing.count()
        if not await self._holds(counted.count):
            await self._copy_whole()

    async def _holds(self, count: int, until: int | None = None) -> bool:
        """Whether so many objects are held, created before a second."""
        # It is not documented whether the API includes the seconds that it is given.
        ends = (None,) if until is None else (until, until + 1)
        for end, shift in product(ends, (0, -1) if self._listing.part.begins else (0,)):
            if count == await self._store.count(self._held(before=end, shift=shift)):
                return True
        return False

    def _held(self, *, before: int | None = None, shift: int = 0) -> Scope:
        return attrs.evolve(held_of(self._listing, self._state, shift), before=before)

    # --- everything --------------------------------------------------------------------------------------------------

    async def _copy_whole(self) -> None:
        """Read everything; what is held and did not come is gone."""
        ids: set[str] = set()
        pages = 0

        async def take(some: Sequence[ListPage]) -> None:
            nonlocal pages
            pages += len(some)
            for page in some:
                ids.update(page.listed.rows.column("id").to_pylist())
            await self._keep(some)

        await self._listing.read((), take)
        held = (await self._store.read(self._held(), ["id"])).column("id").to_pylist()
        gone = {id for id in held if id not in ids}
        if gone and (pages > 1 or tells_no_time(self._listing)) and self._listing.way.by_id:
            # One that is there may have been missed while others came and went, and moved it from page to page. Or it
            # was copied when more was asked for.
            found = await self._listing.by_id(sorted(gone))
            await self._keep(found)
            gone.difference_update(id for page in found for id in page.ids)
        if self._listing.way.by is By.NOTHING:
            self._state = attrs.evolve(self._state, through=self._second, swept=self._second)
        await self._keep([], gone, with_checkpoint=True)

    # --- what is stored ----------------------------------------------------------------------------------------------

    async def _keep(
        self,
        pages: Sequence[ListPage],
        gone: Collection[str] = (),
        *,
        with_checkpoint: bool = False,
        over: Sequence[str] = (),
    ) -> None:
        """Store what pages hold and what is gone, and if asked to, how far the copy has come with it.

        The checkpoints of parts that are `over` are removed with it.
        """
        self._tally.read += sum(len(page.ids) for page in pages)
        self._second = max([self._second, *(page.second for page in pages)])
        self._note_spelling(pages)
        gone = {*gone, *(id for page in pages for id in page.gone)}
        rows = rows_of(pages)
        if not (rows or gone or with_checkpoint):
            return
        step = Step(
            datetime.fromtimestamp(self._second, UTC),
            rows,
            {self._listing.table: sorted(gone)} if gone else {},
            {self._listing.part.name: self._state.to_json(), **dict.fromkeys(over)} if with_checkpoint else {},
        )
        self._tally.add(await self._store.write(step))

    def _note_spelling(self, pages: Sequence[ListPage]) -> None:
        """Note how objects spell the values that mark them as those of this part."""
        come = next((page.listed.rows for page in pages if page.listed.rows.num_rows), None)
        if come is not None and not self._state.of:
            names = [name for name, _ in self._listing.part.of if name in come.schema.names]
            carried = ((name, come.column(name)[0].as_py()) for name in names)
            self._state = attrs.evolve(self._state, of=tuple((name, value) for name, value in carried if value))


def held_of(listing: Listing, state: Checkpoint, shift: int = 0) -> Scope:
    """What the copy holds of a part; what was copied when more was asked for is not meant.

    Where it begins, the second that is named is left out: whether the API gives it is not known. A shift of -1 takes
    it in.
    """
    begins = {name: at + 1 + shift for name, at in listing.part.begins.items() if name in listing.table.kinds}
    return Scope(listing.table, state.holds(listing.part), begins=begins)


def tells_no_time(listing: Listing) -> bool:
    """Whether what is held cannot be told by its times from what was copied when more was asked for."""
    return bool(listing.part.begins.keys() - listing.table.kinds.keys())


async def not_found(listing: Listing, ids: Sequence[str]) -> Sequence[str]:
    """Those of the objects that are not there, whenever they were updated or created."""
    there = {id for page in await listing.by_id(ids) for id in page.ids}
    return [id for id in ids if id not in there]


def rows_of(pages: Sequence[ListPage]) -> list[Rows]:
    """What pages hold as rows to store: first what came along, then what was listed, which takes precedence."""
    beside: dict[tuple[Table, frozenset[str]], list[Batch]] = defaultdict(list)
    for page in pages:
        for batch in page.beside:
            beside[batch.table, batch.sent].append(batch)
    listed = [page.listed for page in pages if page.listed.rows.num_rows]
    rows = [Rows(table, joined(batches).rows, sent, listed=False) for (table, sent), batches in beside.items()]
    if listed:
        whole = joined(listed)
        rows.append(Rows(whole.table, whole.rows, whole.sent, listed=True))
    return rows
