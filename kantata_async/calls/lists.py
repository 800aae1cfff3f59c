"""List queries: nothing is sent until one is awaited or iterated; pages are fetched ahead and come in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from contextlib import aclosing
from typing import Any, Generic, TypeVar

import attrs

from ..decoding import Envelope
from ..errors import InvalidResponseError, UsageError
from ..model import Entity, Graph, Page
from .concurrency import together
from .connection import Connection
from .deeper_includes import check_path, follow, in_batches
from .operation import MAX_ONLY, MAX_PER_PAGE, Operation, check_call
from .page_count import PageCount
from .parameters import check_id
from .seen_ids import SeenIds

E = TypeVar("E", bound=Entity)


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
        seen = SeenIds()
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

        pages = PageCount(paged=self._operation.paging)
        # Twice what can be under way: the next ones stand in line, so that no place is empty while a page is used.
        window = 2 * self._connection.transport.concurrency
        ahead: deque[asyncio.Task[Envelope]] = deque()
        asked = 1
        envelope = await fetched(1)
        try:
            while True:
                pages.take(envelope.meta, sum(len(ids) for _, ids in envelope.matches))
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
