"""List queries: nothing is sent until one is awaited or iterated; pages are fetched ahead and come in order."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Mapping
from contextlib import aclosing
from copy import copy
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

import attrs

from ..bounds import positive_count
from ..decoding import Envelope
from ..errors import InvalidResponseError, NotOneError, UsageError
from ..model import Entity, Graph, Page, brief_repr
from ..transport import Success
from .concurrency import together
from .connection import Connection
from .deeper_includes import check_path, follow, in_batches
from .entity_stream import EntityStream
from .operation import MAX_ONLY, MAX_PER_PAGE, Operation, check_call
from .page_count import PageCount, Standstill
from .parameters import check_id, is_iterable
from .seen_ids import SeenIds

if TYPE_CHECKING:
    import pyarrow as pa

E = TypeVar("E", bound=Entity)
Method = TypeVar("Method", bound=Callable[..., Coroutine[Any, Any, Any]])


def _one_call(method: Method) -> Method:
    """A method whose requests all belong to one call."""

    @wraps(method)
    async def called(query: ListQuery[Any], *args: Any, **arguments: Any) -> Any:
        with query._connection.calling() as connection:
            return await method(query._over(connection), *args, **arguments)

    # The same type, as jedi completes what it gives only so.
    return cast("Method", called)


class Found(list[E]):
    """The entities found by id, in the order asked.

    Attributes:
        missing: the ids for which the API gave no object. It does not say why: such an object may be deleted, hidden
            from the token's user, of another account, or left out by a filter, even one that applies by default;
            `everything=True` lifts those where a list has some.
    """

    missing: tuple[str, ...] = ()


class ListQuery(Generic[E]):
    """A list of the API with its filters, not yet sent.

    ``await`` it (or `collect`) for all entities at once, linked in one graph; iterate it for a stream of any length.
    Pages are read ahead, as many at once as the session's concurrency allows, and always come in order. Paging is by
    number over live data: an object that shifts between two pages while they are read comes once; one that shifts out
    of the pages still to be read is missed, as the API does not show it (API facts, "Asking"). Sorting by something
    that does not change, such as `created_at`, avoids that where the list offers it.
    """

    def __init__(self, connection: Connection, operation: Operation[E], arguments: Mapping[str, Any]) -> None:
        self._connection = connection
        self._operation = operation
        self._limit: int | None = None
        self._call = check_call(operation, (), arguments)
        for steps in self._call.inclusion.deeper:
            check_path(connection, operation.collection or "", steps)

    def __repr__(self) -> str:
        limit = "" if self._limit is None else f" limit {self._limit}"
        return f"<ListQuery {self._call.path} {dict(self._call.query)}{limit}>"

    def __await__(self) -> Generator[Any, None, list[E]]:
        return self.collect().__await__()

    def __aiter__(self) -> EntityStream[E]:
        """Every entity of every page, each once, in the API's order."""
        return self._each()

    async def _each(self) -> AsyncGenerator[E, None]:
        seen = SeenIds()
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                for one in seen.new_of(page.items):
                    yield one

    def limit(self, number: int) -> Self:
        """The same list, of which at most the first `number` entities are read, in as few requests as hold them.

        It bounds what is awaited, iterated, and read by pages or batches; `count` still counts all that match. Where an
        object comes twice because the pages shifted, there is one entity fewer.

        Raises:
            UsageError: `number` is not a whole number of at least 1.
        """
        if not _counts(number):
            raise UsageError(f"limit must be a whole number of at least 1, not {brief_repr(number)}")
        limited = copy(self)
        limited._limit = number
        return limited

    @_one_call
    async def collect(self) -> list[E]:
        """Every entity of every page, each once, in the API's order, linked in one graph."""
        graph = Graph()
        found: dict[str, E] = {}
        async with aclosing(self._ahead()) as envelopes:
            async for envelope in envelopes:
                found.update((one.id, one) for one in self._connection.read(envelope, self._call, graph).items)
        graph.link()
        entities = list(islice(found.values(), self._limit))
        await follow(self._connection, entities, self._call.inclusion.deeper)
        return entities

    @_one_call
    async def first(self) -> E | None:
        """The first entity, None when nothing matches; one request for one object."""
        page = await self._followed(self._page(await self._fetch(1, per_page=1)))
        return page.items[0] if page.items else None

    @_one_call
    async def one(self) -> E:
        """The only entity that matches; one request.

        Raises:
            NotOneError: none matches, or several do.
        """
        page = self._page(await self._fetch(1, per_page=2))
        if len(page) != 1 or (page.count or 1) > 1:
            number = page.count if page.count is not None else len(page)
            matched = "nothing matches" if not page else f"{number} match"
            raise NotOneError(f"{self._operation}: {matched}, but one() needs exactly one", count=number)
        return (await self._followed(page))[0]

    @_one_call
    async def count(self) -> int:
        """How many match, from the envelope of a page of one.

        Raises:
            InvalidResponseError: the answer does not say.
        """
        page = self._page(await self._fetch(1, per_page=1))
        if page.count is None:
            raise InvalidResponseError(f"{self._operation}: the answer has no count")
        return page.count

    @_one_call
    async def page(self, number: int) -> Page[E]:
        """One page by its number, from 1; a page past the end has no items.

        Raises:
            UsageError: `number` is not a whole number of at least 1, or the list has no pages.
        """
        if not _counts(number):
            raise UsageError(f"pages are numbered from 1, not {brief_repr(number)}")
        if number > 1 and not self._operation.paging:
            raise UsageError(f"{self._operation} has no pages")
        return await self._followed(self._page(await self._fetch(number)))

    async def pages(self) -> AsyncGenerator[Page[E], None]:
        """Every page in order, as the server cuts them, each with a separate graph."""
        left = self._limit
        with self._connection.calling(in_steps=True) as connection:
            query = self._over(connection)
            async with aclosing(query._ahead()) as envelopes:
                async for envelope in envelopes:
                    page = query._page(envelope)
                    if left is not None:
                        page = attrs.evolve(page, items=page.items[:left])
                        left -= len(page)
                    yield await query._followed(page)
                    if left == 0:
                        return

    async def batches(self, *, rows: int = 10_000) -> AsyncGenerator[pa.RecordBatch, None]:
        """Every match of every page, each once, as batches of so many rows, the last one smaller.

        Their schema is the same from run to run, and comes from the catalogue: ids are text, points in time
        ``timestamp[us, UTC]``, dates ``date32``, cents ``int64``, lists of ids ``list<string>``, objects inside objects
        JSON text. Null stands for null and for what was not sent. What the catalogue does not know, or came in another
        form than it says, is in `_extra` as JSON text. No entities are made, and included objects are left out.

        Raises:
            UsageError: pyarrow is not installed (``pip install 'kantata-async[arrow]'``), `rows` is not a positive
                number, or an include goes deeper than the answer itself.
        """
        from ..tables import BatchStream, reader_for, table_of  # noqa: PLC0415 - pyarrow is an extra

        positive_count("batches", "rows", rows)
        if self._call.inclusion.deeper:
            raise UsageError("batches hold the matches alone: nothing deeper can be included")
        collection, class_of = self._operation.collection or "", self._connection.reader.class_of
        stream = BatchStream(table_of(collection, class_of(collection)), rows)
        seen, left = SeenIds(), self._limit
        with self._connection.calling(in_steps=True) as connection:
            spelt = self._over(attrs.evolve(connection, reader=reader_for(class_of)))
            async with aclosing(spelt._ahead()) as envelopes:
                async for envelope in envelopes:
                    ids = [id for key, run in envelope.matches if key == collection for id in run][:left]
                    for batch in stream.take(envelope, seen.new_ids(ids)):
                        yield batch
                    if left is not None:
                        left -= len(ids)
                        if left == 0:
                            break
        for batch in stream.last():
            yield batch

    def _over(self, connection: Connection) -> Self:
        """The same list over a connection."""
        query = copy(self)
        query._connection = connection
        return query

    def _page(self, answer: Success | Envelope) -> Page[E]:
        return self._connection.read(_opened(self._connection, self._operation, answer), self._call)

    async def _followed(self, page: Page[E]) -> Page[E]:
        await follow(self._connection, page.items, self._call.inclusion.deeper)
        return page

    async def _fetch(self, number: int, *, per_page: int | None = None) -> Success:
        query = dict(self._call.query)
        if self._operation.paging:
            query["page"] = str(number)
            query["per_page"] = str(per_page or query.get("per_page", min(MAX_PER_PAGE, self._limit or MAX_PER_PAGE)))
        elif number > 1:
            query["page"] = str(number)
        return await self._connection.ask(attrs.evolve(self._call, query=query))

    async def _ahead(self) -> AsyncGenerator[Envelope, None]:
        """The answers of the pages, in order, a window of them fetched ahead.

        Raises:
            InvalidResponseError: there is no end to them, as the same page comes whichever is asked for.
        """

        async def fetched(number: int) -> Envelope:
            return _opened(self._connection, self._operation, await self._fetch(number))

        pages = PageCount(paged=self._operation.paging, limit=self._limit)
        standstill = Standstill()
        # Twice what can be under way, so that the next requests wait in line while the program uses a page.
        window = 2 * self._connection.transport.concurrency
        ahead: deque[asyncio.Task[Envelope]] = deque()
        asked = 1
        envelope = await fetched(1)
        try:
            while True:
                pages.take(envelope.meta, sum(len(ids) for _, ids in envelope.matches))
                if standstill.take(envelope.matches) and asked < pages.last:
                    raise InvalidResponseError(f"{self._operation}: the same page comes whichever is asked for")
                while asked < pages.last and len(ahead) < window:
                    asked += 1
                    ahead.append(self._connection.transport.spawn(fetched(asked)))
                yield envelope
                if not ahead:
                    return
                envelope = await ahead.popleft()
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)


def _opened(connection: Connection, operation: Operation[Any], answer: Success | Envelope) -> Envelope:
    """The answer to a list, taken apart.

    Raises:
        InvalidResponseError: it is malformed, or names objects of another kind, which could have the ids of its own.
    """
    envelope = connection.open(answer)
    for key, _ in envelope.matches:
        if key != operation.collection and operation.collection is not None:
            named = brief_repr(key, connection.transport.redact)
            error = InvalidResponseError(f"{operation}: its results name {named}, not {operation.collection}")
            error.response = envelope.response
            raise error
    return envelope


def _counts(number: Any) -> bool:
    """Whether this is a whole number of at least 1, and small enough to count with."""
    return isinstance(number, int) and not isinstance(number, bool) and 0 < number <= sys.maxsize


async def get_many(
    connection: Connection, operation: Operation[E], ids: Iterable[object], arguments: Mapping[str, Any]
) -> Found[E]:
    """Any number of entities by id through `only`: see the `get_many` of a resource.

    Raises:
        UsageError: `ids` is not an iterable of ids.
    """
    if isinstance(ids, str | bytes) or not is_iterable(ids):
        raise UsageError(f"get_many takes an iterable of ids, not {brief_repr(ids)}")
    asked = [check_id(id, f"id {position}") for position, id in enumerate(ids)]
    calls = [
        check_call(operation, (), {**arguments, "only": batch, "per_page": MAX_PER_PAGE})
        for batch in in_batches(list(dict.fromkeys(asked)), MAX_ONLY)
    ]
    deeper = check_call(operation, (), arguments).inclusion.deeper
    for steps in deeper:
        check_path(connection, operation.collection or "", steps)
    graph = Graph()
    found: dict[str, E] = {}
    for call, answer in zip(calls, await together(connection.ask(call) for call in calls), strict=True):
        envelope = _opened(connection, operation, answer)
        found.update((one.id, one) for one in connection.read(envelope, call, graph).items)
    graph.link()
    await follow(connection, found.values(), deeper)
    result: Found[E] = Found(found[id] for id in asked if id in found)
    result.missing = tuple(dict.fromkeys(id for id in asked if id not in found))
    return result
