"""List queries: nothing is sent until one is awaited or iterated; pages are fetched ahead and come in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import aclosing
from copy import copy
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from ..bounds import positive_count
from ..decoding import Envelope
from ..errors import InvalidResponseError, UsageError
from ..model import Entity, Graph, Page
from .concurrency import together
from .connection import Connection
from .deeper_includes import check_path, follow, in_batches
from .operation import MAX_ONLY, MAX_PER_PAGE, Operation, check_call
from .parameters import check_id

if TYPE_CHECKING:
    import pyarrow as pa

E = TypeVar("E", bound=Entity)
T = TypeVar("T")

_BLOCK = 1024
_ID = attrgetter("id")


class Seen:
    """The ids that have come: as texts while they are few, which is quicker; beyond that numeric ones as bits.

    A million neighbouring ids take some 200 kB that way.
    """

    def __init__(self, most_texts: int = 20_000) -> None:
        self._most_texts = most_texts
        self._texts: set[str] = set()
        self._bits: dict[int, int] = {}
        self._packed = False

    def new_of(self, come: Sequence[T], id_of: Callable[[T], str] = _ID) -> Sequence[T]:
        """Those that have not come before; they have now."""
        if len(self._texts) > self._most_texts and not self._packed:
            self._pack()
        ids = set(map(id_of, come))
        if self._packed or len(ids) < len(come) or not self._texts.isdisjoint(ids):
            return [one for one in come if self._add(id_of(one))]
        self._texts |= ids
        return come

    def _add(self, id: str) -> bool:
        if not self._packed or not (id.isascii() and id.isdigit() and (len(id) == 1 or id[0] != "0")):
            new = id not in self._texts
            self._texts.add(id)
            return new
        block, bit = divmod(int(id), _BLOCK)
        held = self._bits.get(block, 0)
        self._bits[block] = held | 1 << bit
        return not held >> bit & 1

    def _pack(self) -> None:
        texts, self._texts, self._packed = self._texts, set(), True
        for id in texts:
            self._add(id)


class Found(list[E]):
    """The entities found by id, in the order asked; `missing` are the ids that the API did not answer."""

    missing: tuple[str, ...] = ()


class ListQuery(Generic[E]):
    """A list of the API with its filters, not yet sent.

    ``await`` it (or `collect`) for all entities at once, linked in one graph; iterate it for a stream of any length.
    Pages are read ahead, as many at once as the session's concurrency allows, and always come in order. Paging is by
    number over live data: an object that shifts between two pages while they are read comes once; one that shifts out
    of the pages not read yet is missed, as the API has no way to tell (API facts, "Asking"). Sorting by something that
    does not change, such as `created_at`, avoids that where the list offers it.
    """

    def __init__(self, connection: Connection, operation: Operation[E], arguments: Mapping[str, Any]) -> None:
        self._connection = connection
        self._operation = operation
        self._call = check_call(operation, (), arguments)
        for steps in self._call.inclusion.deeper:
            check_path(connection, operation.collection or "", steps)

    def __repr__(self) -> str:
        return f"<ListQuery {self._call.path} {dict(self._call.query)}>"

    def __await__(self) -> Generator[Any, None, list[E]]:
        return self.collect().__await__()

    async def __aiter__(self) -> AsyncGenerator[E, None]:
        """Every entity of every page, each once, in the API's order."""
        seen = Seen()
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                for one in seen.new_of(page.items):
                    yield one

    async def collect(self) -> list[E]:
        """Every entity of every page, each once, in the API's order, linked in one graph."""
        graph = Graph()
        found: dict[str, E] = {}
        async with aclosing(self._ahead()) as envelopes:
            async for envelope in envelopes:
                found.update((one.id, one) for one in self._connection.read(envelope, self._call, graph).items)
        graph.link()
        await follow(self._connection, found.values(), self._call.inclusion.deeper)
        return list(found.values())

    async def first(self) -> E | None:
        """The first entity, None when nothing matches; one request for one object."""
        page = await self._followed(self._page(await self._fetch(1, per_page=1)))
        return page.items[0] if page.items else None

    async def count(self) -> int:
        """How many match, from the envelope of a page of one. Raises InvalidResponseError when it does not say."""
        page = self._page(await self._fetch(1, per_page=1))
        if page.count is None:
            raise InvalidResponseError(f"{self._operation}: the answer has no count")
        return page.count

    async def page(self, number: int) -> Page[E]:
        """One page by its number, from 1; a page past the end has no items."""
        if isinstance(number, bool) or number < 1:
            raise UsageError(f"pages are numbered from 1, not {number!r}")
        if number > 1 and not self._operation.paging:
            raise UsageError(f"{self._operation} has no pages")
        return await self._followed(self._page(await self._fetch(number)))

    async def pages(self) -> AsyncGenerator[Page[E], None]:
        """Every page in order, as the server cuts them, each with a graph of its own."""
        async with aclosing(self._ahead()) as envelopes:
            async for envelope in envelopes:
                yield await self._followed(self._page(envelope))

    async def batches(self, *, rows: int = 10_000) -> AsyncGenerator[pa.RecordBatch, None]:
        """Every match of every page, each once, as batches of so many rows, the last one smaller.

        Their schema is the same from run to run, and comes from the catalogue: ids are text, points in time
        ``timestamp[us, UTC]``, dates ``date32``, cents ``int64``, lists of ids ``list<string>``, objects inside objects
        JSON text. Null stands for null and for what was not sent. What the catalogue does not know, or came in another
        form than it says, is in `_extra` as JSON text. No entities are made, and included objects are left out.

        Raises:
            UsageError: pyarrow is not installed (``pip install 'kantata-async[arrow]'``), `rows` is no positive
                number, or an include goes deeper than the answer itself.
        """
        from ..tables import BatchStream, reader_for, table_of  # noqa: PLC0415 - pyarrow is an extra

        positive_count("batches", "rows", rows)
        if self._call.inclusion.deeper:
            raise UsageError("batches hold the matches alone: nothing deeper can be included")
        collection, class_of = self._operation.collection or "", self._connection.reader.class_of
        stream = BatchStream(table_of(collection, class_of(collection)), rows)
        spelt = copy(self)
        spelt._connection = attrs.evolve(self._connection, reader=reader_for(class_of))
        seen = Seen()
        async with aclosing(spelt._ahead()) as envelopes:
            async for envelope in envelopes:
                ids = [id for key, run in envelope.matches if key == collection for id in run]
                for batch in stream.take(envelope, seen.new_of(ids, str)):
                    yield batch
        for batch in stream.rest():
            yield batch

    def _page(self, data: Any) -> Page[E]:
        return self._connection.read(data, self._call)

    async def _followed(self, page: Page[E]) -> Page[E]:
        await follow(self._connection, page.items, self._call.inclusion.deeper)
        return page

    async def _fetch(self, number: int, *, per_page: int | None = None) -> Any:
        query = dict(self._call.query)
        if self._operation.paging:
            query["page"] = str(number)
            query["per_page"] = str(per_page or query.get("per_page", MAX_PER_PAGE))
        elif number > 1:
            query["page"] = str(number)
        return await self._connection.ask(attrs.evolve(self._call, query=query))

    async def _ahead(self) -> AsyncGenerator[Envelope, None]:
        """The answers of the pages, in order, a window of them fetched ahead."""

        async def fetched(number: int) -> Envelope:
            return self._connection.open(await self._fetch(number))

        envelope = await fetched(1)
        last = _page_count(envelope)
        yield envelope
        # Twice what can be under way: the next ones stand in line, so that no place is empty while a page is used.
        window = 2 * self._connection.transport.concurrency
        ahead: deque[asyncio.Task[Envelope]] = deque()
        asked = 1

        def ask_ahead() -> None:
            nonlocal asked
            while asked < last and len(ahead) < window:
                asked += 1
                ahead.append(self._connection.transport.spawn(fetched(asked)))

        try:
            ask_ahead()
            while ahead:
                envelope = await ahead.popleft()
                last = _page_count(envelope)
                ask_ahead()
                yield envelope
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)


def _page_count(envelope: Envelope) -> int:
    """How many pages there are now: as the meta of an answer says, else by its count and the size of this page."""
    meta, size = envelope.meta, sum(len(ids) for _, ids in envelope.matches)
    if meta.page_count is not None:
        return meta.page_count
    return -(-meta.count // size) if meta.count is not None and size else 1


async def get_many(
    connection: Connection, operation: Operation[E], ids: Iterable[object], arguments: Mapping[str, Any]
) -> Found[E]:
    """Any number of entities by id through `only`: see the `get_many` of a resource."""
    refused = {"only", "order", "search", "per_page"} & arguments.keys()
    if refused:
        raise UsageError(f"get_many takes no {min(refused)!r}: it gives the ids in the order asked")
    asked = [check_id(id) for id in ids]
    calls = [
        check_call(operation, (), {**arguments, "only": batch, "per_page": MAX_PER_PAGE})
        for batch in in_batches(list(dict.fromkeys(asked)), MAX_ONLY)
    ]
    deeper = calls[0].inclusion.deeper if calls else ()
    for steps in deeper:
        check_path(connection, operation.collection or "", steps)
    graph = Graph()
    found: dict[str, E] = {}
    for call, data in zip(calls, await together(connection.ask(call) for call in calls), strict=True):
        found.update((one.id, one) for one in connection.read(data, call, graph).items)
    graph.link()
    await follow(connection, found.values(), deeper)
    result: Found[E] = Found(found[id] for id in asked if id in found)
    result.missing = tuple(dict.fromkeys(id for id in asked if id not in found))
    return result
