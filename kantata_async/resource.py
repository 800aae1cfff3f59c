"""The base of every generated resource: from checked parameters to entities."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from .calls import Call, Connection, Feed, Found, ListQuery, Operation, check_call, check_path, follow, get_many
from .errors import AmbiguousWriteError, InvalidResponseError
from .model import Entity, Page

if TYPE_CHECKING:
    from .bulk import BulkResult, Items, Outcome

E = TypeVar("E", bound=Entity)
R = TypeVar("R")

_READS = frozenset({"GET"})


class Resource:
    """A collection of the API with its operations; an attribute of the session.

    Bulk writes are loaded by the first one: most programs make none.
    """

    operations: ClassVar[Mapping[str, Operation[Any]]] = {}

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self.operations)}>"

    def _list(self, operation: Operation[E], arguments: Mapping[str, Any]) -> ListQuery[E]:
        return ListQuery(self._connection, operation, arguments)

    async def _one(self, operation: Operation[E], ids: Sequence[object], arguments: Mapping[str, Any]) -> E:
        call = self._checked(operation, ids, arguments)
        data = await self._connection.ask(call)
        if data is None and operation.method == "PUT" and "get" in self.operations:
            # A success may have no body (API facts, "Access"): what was changed is read anew.
            taken = {name: arguments[name] for name in ("include", "optional_fields") if name in arguments}
            return await self._one(self.operations["get"], ids, taken)
        page = await self._linked(operation, call, data)
        if len(page.items) != 1:
            raise _unreadable(operation, f"one object was expected, not {len(page.items)}")
        return page.items[0]

    async def _page(self, operation: Operation[E], ids: Sequence[object], arguments: Mapping[str, Any]) -> Page[E]:
        call = self._checked(operation, ids, arguments)
        data = await self._connection.ask(call)
        return await self._linked(operation, call, data)

    async def _csv(self, operation: Operation[E], ids: Sequence[object], arguments: Mapping[str, Any]) -> Page[E] | str:
        call = self._checked(operation, ids, arguments)
        data = await self._connection.ask(call)
        return data if isinstance(data, str) else await self._linked(operation, call, data)

    async def _data(self, operation: Operation[R], ids: Sequence[object], arguments: Mapping[str, Any]) -> R:
        data: R = await self._connection.send(self._checked(operation, ids, arguments))
        return data

    async def _nothing(self, operation: Operation[Any], ids: Sequence[object], arguments: Mapping[str, Any]) -> None:
        await self._connection.send(self._checked(operation, ids, arguments))

    async def _get_many(self, operation: Operation[E], ids: Iterable[object], arguments: Mapping[str, Any]) -> Found[E]:
        return await get_many(self._connection, operation, ids, arguments)

    def _follow(
        self, operation: Operation[E], arguments: Mapping[str, Any], since: datetime | str, every: float | None
    ) -> Feed[E]:
        return Feed(self._connection, operation, arguments, since=since, every=every)

    async def _create_many(self, rows: Items, options: Mapping[str, Any]) -> BulkResult[Any]:
        from .bulk import create_many

        return await create_many(self._connection, self.operations, rows, **options)

    def _create_stream(self, rows: Items, options: Mapping[str, Any]) -> AsyncGenerator[Outcome[Any], None]:
        from .bulk import create_stream

        return create_stream(self._connection, self.operations, rows, **options)

    async def _update_many(self, rows: Items, options: Mapping[str, Any]) -> BulkResult[Any]:
        from .bulk import update_many

        return await update_many(self._connection, self.operations, rows, **options)

    async def _delete_many(self, ids: Items) -> BulkResult[Any]:
        from .bulk import delete_many

        return await delete_many(self._connection, self.operations, ids)

    def _checked(self, operation: Operation[Any], ids: Sequence[object], arguments: Mapping[str, Any]) -> Call:
        call = check_call(operation, ids, arguments)
        for steps in call.inclusion.deeper:
            check_path(self._connection, operation.collection or "", steps)
        return call

    async def _linked(self, operation: Operation[E], call: Call, data: Any) -> Page[E]:
        try:
            page: Page[E] = self._connection.read(data, call)
        except InvalidResponseError as error:
            raise _unreadable(operation, str(error)) from error
        if call.inclusion.deeper:
            await follow(self._connection, page.items, call.inclusion.deeper)
        return page


def _unreadable(operation: Operation[Any], why: str) -> InvalidResponseError | AmbiguousWriteError:
    """The error for an answer that cannot be read: after a write, it may have been carried out all the same."""
    if operation.method in _READS:
        return InvalidResponseError(f"{operation}: {why}")
    return AmbiguousWriteError(
        f"{operation} was answered, and may have been carried out, but the answer cannot be read: {why}",
        method=operation.method,
        path=operation.path,
    )
