"""The list of a part as the server has it: its pages and counts, and the server's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs

from ..calls import MAX_PER_PAGE, Call, Connection, Operation, in_batches, query_of
from ..decoding import Envelope
from ..errors import InvalidResponseError
from ..tables import EXTRA, Batch, Table, read_batch, read_batches, table_of
from .part import Part
from .reading import Take, read_all
from .spans import second_of
from .ways import Way

Filters = Iterable[tuple[str, str]]

_AFTER: Final = ("updated_after", "created_after")


@attrs.frozen
class ListPage:
    """One page of a list.

    Attributes:
        ids: the objects of the page.
        count: how many objects the list has on all pages.
        second: the server's time when it was asked.
        size: how many objects a page of the list has at most.
        listed: the objects of the page that are there.
        gone: those that the list shows although they are deleted.
        beside: the objects that came along without matching, by collection and by the attributes they came with.
    """

    ids: Sequence[str]
    count: int
    second: int
    size: int
    listed: Batch = attrs.field(repr=False)
    gone: frozenset[str] = frozenset()
    beside: Sequence[Batch] = attrs.field(default=(), repr=False)

    @property
    def updated(self) -> int | None:
        """The second in which its first object was updated; None where the answer does not say."""
        instant = self.listed.rows.column("updated_at")[0] if self.listed.rows.num_rows else None
        return None if instant is None or not instant.is_valid else int(instant.value // 1_000_000)

    @property
    def whole(self) -> bool:
        """Whether it holds all of the list."""
        return self.count <= len(self.ids)

    @property
    def created(self) -> Mapping[str, int] | None:
        """The second in which each of the objects was created, by id; None where the answer does not say so for all."""
        instants = self.listed.rows.column("created_at")
        if instants.null_count or self.gone:
            return None
        return dict(zip(self.ids, (instant.value // 1_000_000 for instant in instants), strict=True))


class Listing:
    """The list of a part, which counts the requests that it makes."""

    def __init__(self, connection: Connection, part: Part, operation: Operation[Any], way: Way) -> None:
        self.part: Final = part
        self.way: Final = way
        self.requests = 0
        self.not_sent: frozenset[str] | None = None
        self._connection: Final = connection
        self._operation: Final = operation
        self._collection: Final = operation.collection or ""
        self.table: Final = self.table_of(self._collection)
        order = {} if way.order is None else {"order": way.order}
        self._call: Final = Call(
            operation.method, operation.path, {**dict(query_of(way.reveal)), **order, **dict(part.query)}
        )
        self._count_hides: Final = {"show_deleted": "false"} if way.shows_deleted else {}

    def table_of(self, collection: str) -> Table:
        """The table of a collection."""
        return table_of(collection, self._connection.reader.class_of(collection))

    async def page(self, number: int = 1, filters: Filters = (), *, size: int = MAX_PER_PAGE) -> ListPage:
        """A page of the list, in the order that keeps objects in their places.

        Raises:
            KantataError: as from any read of a list.
        """
        query = narrowed(self._call.query, filters)
        if self.way.paged or number > 1:
            query |= {"page": str(number), "per_page": str(size)}
        return await self._asked(attrs.evolve(self._call, query=query))

    async def count(self, filters: Filters = ()) -> ListPage:
        """A page of one object that is not deleted; its count is of all of them."""
        return await self.page(1, [*filters, *self._count_hides.items()], size=1)

    async def newest(self) -> ListPage:
        """A page of the object that was updated last; its count is of all of them."""
        return await self.page(1, [("order", self.way.newest or "")], size=1)

    async def living(self, filters: Filters) -> ListPage:
        """A page of objects that are not deleted."""
        return await self.page(1, [*filters, *self._count_hides.items()])

    async def read(self, filters: Filters, take: Take[ListPage], first: ListPage | None = None) -> bool:
        """Whether nothing left the list while all its pages were read."""
        filters = tuple(filters)
        first = await self.page(1, filters) if first is None else first
        # Of a list that is not known to have pages, the first one says how large they are.
        size = MAX_PER_PAGE if self.way.paged else first.size
        return await read_all(partial(self._numbered, filters, size), first, take, first.size)

    async def read_living(self, filters: Filters, take: Take[ListPage]) -> bool:
        """Whether nothing left the list while all pages of objects that are not deleted were read."""
        return await self.read([*filters, *self._count_hides.items()], take)

    async def _numbered(self, filters: Filters, size: int, number: int) -> ListPage:
        return await self.page(number, filters, size=size)

    async def by_id(self, ids: Sequence[str]) -> list[ListPage]:
        """The pages of those among the objects that are there, whenever they were updated or created."""
        query = {name: value for name, value in self._call.query.items() if not name.endswith(_AFTER)}
        asked = [
            {**query, "only": ",".join(some), "page": "1", "per_page": str(MAX_PER_PAGE)}
            for some in in_batches(list(ids), MAX_PER_PAGE)
        ]
        return [await self._asked(attrs.evolve(self._call, query=one)) for one in asked]

    async def _asked(self, call: Call) -> ListPage:
        self.requests += 1
        asked = asyncio.get_running_loop().time()
        answer = await self._connection.ask(call)
        # When it was asked, not when it was answered: in between the server may have looked at any moment.
        now = self._connection.transport.server_time(asked)
        if now is None:
            raise InvalidResponseError(f"{self._operation}: the answer has no Date header, and a copy goes by it")
        envelope = self._connection.open(answer)
        ids = [id for key, run in envelope.matches if key == self._collection for id in run]
        count = envelope.meta.count
        if count is None:
            if self.way.paged:
                raise InvalidResponseError(f"{self._operation}: the answer has no count")
            count = len(ids)
        listed = self._listed(envelope, ids)
        gone = self._gone(listed)
        if gone:
            listed = self._listed(envelope, [id for id in ids if id not in gone])
        # What the answer says of its size is believed only of a page without objects, all of which may be hidden.
        size = len(ids) or envelope.meta.page_size or MAX_PER_PAGE
        beside = tuple(self._beside(envelope, ids))
        return ListPage(ids, count, int(now.timestamp()), size, listed, gone, beside)

    def _listed(self, envelope: Envelope, ids: Sequence[str]) -> Batch:
        batch = read_batch(self.table, envelope, ids).given(dict(self.part.of))
        if ids:
            absent = frozenset(self.table.kinds) - batch.sent - {EXTRA}
            self.not_sent = absent if self.not_sent is None else self.not_sent & absent
        return batch

    def _gone(self, listed: Batch) -> frozenset[str]:
        if not self.way.shows_deleted or not listed.rows.num_rows:
            return frozenset()
        columns = listed.rows.select(["id", "deleted_at"]).to_pydict()
        return frozenset(id for id, at in zip(columns["id"], columns["deleted_at"], strict=True) if at is not None)

    def _beside(self, envelope: Envelope, ids: Sequence[str]) -> Iterator[Batch]:
        matched = set(ids)
        for collection in envelope.collections:
            along = [id for id in envelope.ids_of(collection) if collection != self._collection or id not in matched]
            if along and self._connection.reader.class_of(collection) is not None:
                yield from read_batches(self.table_of(collection), envelope, along)


def narrowed(query: Mapping[str, str], filters: Filters) -> dict[str, str]:
    """A query with more filters: where both begin at some time, at the later one."""
    both = dict(query)
    for name, value in filters:
        begins = name.endswith("_after") and name in query
        both[name] = max(query[name], value, key=second_of) if begins else value
    return both
