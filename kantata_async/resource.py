"""The bases of every generated resource: from checked parameters to entities."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import wraps
from inspect import iscoroutinefunction
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from .calls import (
    OMITTED,
    Call,
    Connection,
    Feed,
    Found,
    ListQuery,
    Operation,
    check_call,
    check_id,
    check_path,
    did_you_mean,
    follow,
    get_many,
)
from .errors import AmbiguousWriteError, InvalidResponseError, KantataError, UsageError, note_interruption
from .model import Entity, Page
from .response import Response
from .transport import Success

if TYPE_CHECKING:
    from .bulk import BulkResult, Find, Ids, IfExists, Key, Outcome, Rows

E = TypeVar("E", bound=Entity)
R = TypeVar("R")
RowT = TypeVar("RowT")
IncludeT = TypeVar("IncludeT", bound=str)
FieldT = TypeVar("FieldT", bound=str)

_READS = frozenset({"GET"})


def _names_checked(method: FunctionType) -> Callable[..., Any]:
    """A method whose wrong and missing names raise UsageError, with the nearest right name, instead of TypeError."""
    code = method.__code__
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    known = frozenset(parameters[max(1, code.co_posonlyargcount) :])
    optional = method.__kwdefaults__ or {}
    needed = [name for name in parameters[code.co_argcount :] if name not in optional]

    def check(resource: Resource, arguments: Mapping[str, Any]) -> None:
        call = f"{type(resource).__name__}.{method.__name__}"
        for name in arguments:
            if name not in known:
                raise UsageError(f"{call} takes no {name!r}{did_you_mean(name, known)}")
        missing = [name for name in needed if name not in arguments]
        if missing:
            raise UsageError(f"{call} needs {' and '.join(missing)}")

    if iscoroutinefunction(method):

        @wraps(method)
        async def checked_async(self: Resource, *args: Any, **arguments: Any) -> Any:
            if not self._connection.transport.watched:
                try:
                    called = method(self, *args, **arguments)
                except TypeError:
                    check(self, arguments)
                    raise
                return await called
            check(self, arguments)
            with self._named(method.__name__)._connection.calling() as connection:
                return await method(self._over(connection), *args, **arguments)

        return checked_async

    @wraps(method)
    def checked(self: Resource, *args: Any, **arguments: Any) -> Any:
        check(self, arguments)
        resource = self._named(method.__name__) if self._connection.watched else self
        return method(resource, *args, **arguments)

    return checked


class Resource:
    """A collection of the API with its operations; an attribute of the session.

    Its methods take what an operation takes by name, and raise UsageError for a wrong or missing one before anything
    is sent.
    """

    operations: ClassVar[Mapping[str, Operation[Any]]] = {}

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, member in list(vars(cls).items()):
            if isinstance(member, FunctionType) and not name.startswith("_"):
                setattr(cls, name, _names_checked(member))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self.operations)}>"

    def _named(self, method: str) -> Self:
        """This resource over the connection for what the program calls by this method."""
        name = type(self).__module__.rpartition(".")[2]
        return self._over(self._connection.named(f"{name}.{method}"))

    def _over(self, connection: Connection) -> Self:
        """This resource over a connection."""
        resource = copy(self)
        resource._connection = connection
        return resource

    # Each method below takes the local variables of a generated method, which are the parameters of the call by name.

    def _list(self, operation: Operation[E], parameters: Mapping[str, Any]) -> ListQuery[E]:
        return ListQuery(self._connection, operation, _given(parameters))

    async def _get_many(self, operation: Operation[E], parameters: Mapping[str, Any]) -> Found[E]:
        arguments = _given(parameters)
        return await get_many(self._connection, operation, arguments.pop("ids", OMITTED), arguments)

    def _follow(self, operation: Operation[E], parameters: Mapping[str, Any]) -> Feed[E]:
        arguments = _given(parameters)
        since, every = arguments.pop("since", OMITTED), arguments.pop("every", OMITTED)
        return Feed(self._connection, operation, arguments, since=since, every=every)

    def _one(self, operation: Operation[E], parameters: Mapping[str, Any]) -> Coroutine[Any, Any, E]:
        return self._single(operation, *_apart(operation, parameters))

    async def _page(self, operation: Operation[E], parameters: Mapping[str, Any]) -> Page[E]:
        call = self._checked(operation, *_apart(operation, parameters))
        return await self._linked(operation, call, await self._connection.ask(call))

    async def _csv(self, operation: Operation[E], parameters: Mapping[str, Any]) -> Page[E] | str:
        call = self._checked(operation, *_apart(operation, parameters))
        answer = await self._connection.ask(call)
        return answer.data if isinstance(answer.data, str) else await self._linked(operation, call, answer)

    async def _data(self, operation: Operation[R], parameters: Mapping[str, Any]) -> R:
        answer = await self._connection.send(self._checked(operation, *_apart(operation, parameters)))
        data: R = answer.data
        return data

    async def _nothing(self, operation: Operation[Any], parameters: Mapping[str, Any]) -> None:
        await self._connection.send(self._checked(operation, *_apart(operation, parameters)))

    async def _single(self, operation: Operation[E], ids: Sequence[object], arguments: Mapping[str, Any]) -> E:
        call = self._checked(operation, ids, arguments)
        answer = await self._connection.ask(call)
        if answer.data is None and operation.method == "PUT" and "get" in self.operations:
            # A success may have no body (API facts, "Access"), so the changed object is read anew.
            wanted = {name: arguments[name] for name in ("include", "optional_fields") if name in arguments}
            with _after(operation, answer.response, "the object cannot be read"):
                return await self._single(self.operations["get"], ids, wanted)
        page = await self._linked(operation, call, answer)
        if len(page.items) != 1:
            raise _unreadable(operation, f"one object was expected, not {len(page.items)}", answer.response)
        found = page.items[0]
        if found.collection != operation.collection and operation.collection is not None:
            expected = f"one of {operation.collection} was expected"
        elif operation.names_one_object and found.id != call.path.rpartition("/")[2]:
            expected = f"{operation.collection} {check_id(ids[-1])} was asked for"
        else:
            return found
        shown = self._connection.transport.redact(repr(found))
        raise _unreadable(operation, f"{expected}, not {shown}", answer.response)

    def _checked(self, operation: Operation[Any], ids: Sequence[object], arguments: Mapping[str, Any]) -> Call:
        call = check_call(operation, ids, arguments)
        for steps in call.inclusion.deeper:
            check_path(self._connection, operation.collection or "", steps)
        return call

    async def _linked(self, operation: Operation[E], call: Call, answer: Success) -> Page[E]:
        try:
            page: Page[E] = self._connection.read(answer, call)
        except InvalidResponseError as error:
            raise _unreadable(operation, str(error), answer.response) from error
        if call.inclusion.deeper:
            with _after(operation, answer.response, "what it includes cannot be fetched"):
                await follow(self._connection, page.items, call.inclusion.deeper)
        return page


# Loaded with the first bulk write, as most programs make none.


class CreatesMany(Resource, Generic[E, RowT, IncludeT, FieldT]):
    """A resource that creates any number of objects.

    Its rows are the TypedDict `RowT`; what their answers can carry is `IncludeT` and `FieldT`, Never for nothing.
    """

    async def create_many(
        self,
        rows: Rows[RowT],
        *,
        include: Sequence[IncludeT] = (),
        optional_fields: Sequence[FieldT] = (),
        key: Key | None = None,
        find: Find | None = None,
        if_exists: IfExists | None = None,
    ) -> BulkResult[E]:
        """What became of each row, in the order of the rows; its `entities` are the objects.

        Rows are mappings of the fields that `create` takes, any number of them, from a list, a generator or an async
        generator. They go in batches where the API has a bulk create, else one a request, as many at once as the
        session's concurrency allows. Before a row is sent a second time, the SDK looks whether it is there: by its
        external reference, by what makes an object of this kind the same, or as `key` and `find` say; where there is
        no way to look it is not sent again, and its outcome says so.

        Args:
            rows: a list or a tuple is checked as a whole before anything is sent; what is made one by one is taken as
                it is needed, and checked then.
            include: associations for the entities.
            optional_fields: attributes for them that come only when asked for.
            key: what makes a row and an entity the same: a function of the mapping of either.
            find: an async function that is given rows and gives the entities that may be theirs.
            if_exists: what becomes of a row whose object is there: with ``skip`` it is existing, with ``update`` it is
                updated with the fields of the row, with ``reject`` it is rejected. For that it looks before it sends
                anything. Without it, a row is existing only if a look after a lost answer finds an older object.

        Raises:
            UsageError: a row or an option is wrong; the message names the position of the row.
            BulkError: nothing more could be sent (401); the outcomes so far are its `result`.
        """
        from .bulk import create_many

        return await create_many(
            self._connection,
            self.operations,
            rows,
            include=include,
            optional_fields=optional_fields,
            key=key,
            find=find,
            if_exists=if_exists,
        )

    def create_stream(
        self,
        rows: Rows[RowT],
        *,
        include: Sequence[IncludeT] = (),
        optional_fields: Sequence[FieldT] = (),
        key: Key | None = None,
        find: Find | None = None,
        if_exists: IfExists | None = None,
    ) -> AsyncGenerator[Outcome[E], None]:
        """The outcomes of `create_many` as they come, in no order: none is kept, for any number of rows.

        A slow consumer holds the writing back; leaving the loop ends it.
        """
        from .bulk import create_stream

        return create_stream(
            self._connection,
            self.operations,
            rows,
            include=include,
            optional_fields=optional_fields,
            key=key,
            find=find,
            if_exists=if_exists,
        )


class UpdatesMany(Resource, Generic[E, RowT, IncludeT, FieldT]):
    """A resource that updates any number of objects; its type parameters are those of `CreatesMany`."""

    async def update_many(
        self, rows: Rows[RowT], *, include: Sequence[IncludeT] = (), optional_fields: Sequence[FieldT] = ()
    ) -> BulkResult[E]:
        """What became of each row, in the order of the rows; its `entities` are the objects as changed.

        Rows are mappings of an `id` and the fields to change, as `update` takes them, one a request. After a lost
        answer the object is looked at, and sent again only when it does not show the fields of its row.

        Args:
            rows: taken as `create_many` takes them.
            include: associations for the entities.
            optional_fields: attributes for them that come only when asked for.

        Raises:
            UsageError: a row is wrong; its position is in the message.
            BulkError: nothing more could be sent (401); the outcomes so far are its `result`.
        """
        from .bulk import update_many

        return await update_many(
            self._connection, self.operations, rows, include=include, optional_fields=optional_fields
        )


class DeletesMany(Resource):
    """A resource that deletes any number of objects."""

    async def delete_many(self, ids: Ids) -> BulkResult[Any]:
        """What became of each id, in the order of the ids. Deletes cannot be undone.

        Where the API has a bulk delete, 100 ids go in a request: it is all or nothing, so when it refuses, the ids that
        are not there are rejected and the others are sent again.

        Raises:
            UsageError: an id is wrong; its position is in the message.
            BulkError: nothing more could be sent (401); the outcomes so far are its `result`.
        """
        from .bulk import delete_many

        return await delete_many(self._connection, self.operations, ids)


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a call that were given."""
    return {name: value for name, value in parameters.items() if value is not OMITTED and name != "self"}


def _apart(operation: Operation[Any], parameters: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The ids for the path of an operation, and the other parameters that were given."""
    given = _given(parameters)
    return [given.pop(name, OMITTED) for name in operation.in_path], given


def _unreadable(operation: Operation[Any], why: str, response: Response) -> InvalidResponseError | AmbiguousWriteError:
    """The error for an answer that cannot be read: after a write, it may have been carried out all the same."""
    if operation.method not in _READS:
        return _ambiguous(
            operation,
            f"{operation} was answered, and may have been carried out, but the answer cannot be read: {why}",
            response,
        )
    error = InvalidResponseError(f"{operation}: {why}")
    error.response = response
    return error


def _ambiguous(operation: Operation[Any], message: str, response: Response) -> AmbiguousWriteError:
    error = AmbiguousWriteError(message, method=operation.method, path=operation.path, request_id=response.request_id)
    error.response = response
    return error


@contextmanager
def _after(operation: Operation[Any], response: Response, fault: str) -> Iterator[None]:
    """Have whatever ends the block say that a write before it was carried out; after a read there is nothing to say.

    Raises:
        AmbiguousWriteError: a request in the block failed.
    """
    try:
        yield
    except KantataError as error:
        if operation.method in _READS:
            raise
        raise _ambiguous(operation, f"{operation} was carried out, but {fault}: {error}", response) from error
    except BaseException as error:
        if operation.method not in _READS:
            note_interruption(error, str(operation), may_be_carried_out=True)
        raise
