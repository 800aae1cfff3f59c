"""The bulk writes of a resource: what its generated methods call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, TypeVar

import attrs

from ..calls import (
    Connection,
    Inclusion,
    Operation,
    check_call,
    check_id,
    check_path,
    check_row,
    follow,
    read_inclusion,
)
from ..errors import UsageError
from ..model import Entity, brief_repr
from .by_id import LookById
from .changing import Delete, Update
from .creation import Creation, IfExists
from .interruption import carrying
from .looking import Find, Key, look_for, scope_of
from .outcome import BulkResult, Outcome
from .rows import Items, Row, RowSource
from .run import run_all
from .stream import run_stream
from .upserting import Holds, Upsert

E = TypeVar("E", bound=Entity)

Operations = Mapping[str, Operation[Any]]

_IF_EXISTS: Final = ("skip", "update", "reject")
_BULK_DELETE: Final = 100


async def create_many(
    connection: Connection,
    operations: Operations,
    items: Items,
    *,
    include: Sequence[str] = (),
    optional_fields: Sequence[str] = (),
    key: Key | None = None,
    find: Find | None = None,
    if_exists: IfExists | None = None,
) -> BulkResult[Any]:
    """The outcomes of creating any number of objects, one a row, in the order of the rows.

    Rows go in batches of the operation's `bulk_max` (singly where there is no bulk create), as many at once as the
    session's concurrency allows. A row that the API refuses is separated from the others of its batch by the position
    that the API names, or by sending parts of the batch. Before any row is sent a second time, the SDK looks whether it
    is there: by its external reference, by the natural key of the resource, or as `key` and `find` say; where there is
    no way to look, it is not sent again, and its outcome says so.

    Args:
        connection: the way to the server.
        operations: those of the resource.
        items: mappings, from an iterable or an async iterable of any length. A list or a tuple is checked as a whole
            before anything is sent; what is made one by one is taken as it is needed, and checked then.
        include: associations for the entities of the outcomes.
        optional_fields: fields for them that come only when asked for.
        key: what makes a row and an entity the same: a function of the mapping of either, in place of the natural key.
        find: an async function that is given items and gives the entities that may be theirs.
        if_exists: given, a look comes before the first sending too. With ``skip``, a row that is there is existing;
            with ``update``, it is updated with the fields of the row; with ``reject``, it is rejected. Without it, rows
            that turn out to have been there before are existing.

    Raises:
        UsageError: a row or an option is wrong; the message names the position of the row.
        BulkError: nothing more could be sent (401), with the outcomes so far as `result`.

    A cancellation, a timeout and an error of the caller's own iterator pass as they are; `bulk_result` gives the
    outcomes so far that travel with them, also where only deeper includes were still to come.
    """
    inclusion = _inclusion(connection, operations["create"], include)
    creation = _creation(connection, operations, inclusion, optional_fields, key, find, if_exists)
    result = await run_all(connection, _source(creation, items), creation.settle)
    await _follow(connection, result, inclusion)
    return result


async def create_stream(
    connection: Connection,
    operations: Operations,
    items: Items,
    *,
    include: Sequence[str] = (),
    optional_fields: Sequence[str] = (),
    key: Key | None = None,
    find: Find | None = None,
    if_exists: IfExists | None = None,
) -> AsyncGenerator[Outcome[Any], None]:
    """As `create_many`, for any number of rows: yields outcomes as they come, in no order, and keeps none.

    A slow consumer holds the writing back; leaving the loop ends it. An exception, of the stream or in the loop over
    it, carries only the outcomes that were not yielded: `bulk_result` gives them.

    Raises:
        UsageError: a row or an option is wrong; the message names the position of the row.
        BulkError: as `create_many`.
    """
    inclusion = _inclusion(connection, operations["create"], include)
    if inclusion.deeper:
        raise UsageError("create_stream includes one level; load what goes deeper from the entities it yields")
    with connection.calling(in_steps=True) as within:
        creation = _creation(within, operations, inclusion, optional_fields, key, find, if_exists)
        async with aclosing(run_stream(within, _source(creation, items), creation.settle)) as outcomes:
            async for outcome in outcomes:
                yield outcome


async def _follow(connection: Connection, result: BulkResult[Any], inclusion: Inclusion) -> None:
    """Fetch deeper includes; whatever interrupts that carries the outcomes."""
    with carrying(lambda: result, "deeper includes were not fetched, but the rows were written"):
        await follow(connection, (one.entity for one in result if one.entity is not None), inclusion.deeper)


def _inclusion(connection: Connection, create: Operation[Any], include: Sequence[str]) -> Inclusion:
    inclusion = read_inclusion(include, create.includes)
    for steps in inclusion.deeper:
        check_path(connection, create.collection or "", steps)
    return inclusion


def _creation(
    connection: Connection,
    operations: Operations,
    inclusion: Inclusion,
    optional_fields: Sequence[str],
    key: Key | None,
    find: Find | None,
    if_exists: IfExists | None,
) -> Creation[Any]:
    _check_if_exists(if_exists)
    create = operations["create"]
    asked = _asked(create, inclusion.names, optional_fields)
    look = look_for(connection, create, operations.get("list"), key=key, find=find, asked=asked)
    if if_exists is not None and key is None and find is None and create.natural_key is None:
        raise UsageError(f"{create}: nothing identifies an object of this kind, so if_exists needs find= and key=")
    if if_exists == "update" and "update" not in operations:
        raise UsageError(f"{create}: the API has no update for these, so if_exists='update' is not possible")
    return Creation(
        connection=connection,
        create=create,
        update=_update(connection, operations, asked) if "update" in operations else None,
        asked=asked,
        look=look,
        if_exists=if_exists,
    )


def _check_if_exists(given: object) -> None:
    if given is not None and not (isinstance(given, str) and given in _IF_EXISTS):
        raise UsageError(f"if_exists takes 'skip', 'update' or 'reject', not {brief_repr(given)}")


def _asked(operation: Operation[Any], include: Sequence[str], optional_fields: Any) -> dict[str, Any]:
    """What the answers are to carry: what the caller wants, and the references and fields that identify rows."""
    if not isinstance(optional_fields, Sequence) or optional_fields:
        # Refuses an unknown optional field before anything is sent.
        check_call(attrs.evolve(operation, path="/", body=None), (), {"optional_fields": optional_fields})
    fields = operation.body if isinstance(operation.body, Mapping) else {}
    references = [name for name in operation.includes if f"{name}_id" in fields]
    telling = [field for field in operation.optional_fields if field in fields]
    asked = {
        "include": list(dict.fromkeys([*include, *references])),
        "optional_fields": list(dict.fromkeys([*optional_fields, *telling])),
    }
    return {name: names for name, names in asked.items() if names}


def _source(creation: Creation[Any], items: Items) -> RowSource:
    create, look = creation.create, creation.look

    def check(item: Any, index: int) -> Row:
        fields = check_row(create, item, index)
        try:
            return Row(index, item, fields, None if look is None else look.key_of(fields))
        except UsageError as error:
            raise UsageError(f"row {index}: {error}") from error

    return RowSource(items, check, create.bulk_max or 1, scope_of(create.natural_key))


async def upsert_many(
    connection: Connection, operations: Operations, items: Sequence[Mapping[str, Any]], *, holds: Holds
) -> BulkResult[Any]:
    """The outcomes of bringing any number of objects to hold what rows say, for a create that replaces what is there.

    Every row that is carried out is updated, whether or not there was an object with its key. After a lost answer the
    objects are looked at, and only rows that they do not hold are sent again. No two rows may have the same key.

    Args:
        connection: the way to the server.
        operations: those of a resource whose create takes many rows and has a natural key.
        items: the rows.
        holds: whether an object is as the fields of a row say.

    Raises:
        UsageError: a row is wrong; the message names its position.
        BulkError: as `create_many`.
    """
    create = operations["create"]
    look = look_for(connection, create, operations.get("list"), key=None, find=None, asked={})
    scope = scope_of(create.natural_key)
    if look is None or scope is None or create.bulk_max is None:
        raise UsageError(f"{create}: there is no way to set many objects of this kind by their keys")

    def check(item: Any, index: int) -> Row:
        fields = check_row(create, item, index)
        return Row(index, item, fields, look.key_of(fields))

    upsert = Upsert(connection, create, look, holds, scope)
    return await run_all(connection, RowSource(items, check, create.bulk_max, scope), upsert.settle)


async def update_many(
    connection: Connection,
    operations: Operations,
    items: Items,
    *,
    include: Sequence[str] = (),
    optional_fields: Sequence[str] = (),
) -> BulkResult[Any]:
    """The outcomes of updating any number of objects by id, one request and one outcome a row.

    After a lost answer the object is looked at: it is sent again only when it does not show the fields of the row. The
    arguments are those of `create_many`; each item is a mapping with the id and the fields to change.

    Raises:
        UsageError: a row or an option is wrong; the message names the position of the row.
        BulkError: as `create_many`.
    """
    update = operations["update"]
    inclusion = _inclusion(connection, update, include)
    changing = _update(connection, operations, _asked(update, inclusion.names, optional_fields))
    source = RowSource(items, lambda item, index: Row(index, item, _identified(update, item, index)), 1)
    result = await run_all(connection, source, changing.settle)
    await _follow(connection, result, inclusion)
    return result


def _update(connection: Connection, operations: Operations, asked: Mapping[str, Sequence[str]]) -> Update[Any]:
    return Update(connection, operations["update"], _look_by_id(connection, operations), asked)


def _look_by_id(connection: Connection, operations: Operations) -> LookById[Any]:
    return LookById(connection, operations.get("list"), operations.get("get"))


def _identified(update: Operation[Any], item: Any, index: int) -> tuple[str, dict[str, Any]]:
    """The id of a row of an update, and its fields as they go on the wire."""
    if not isinstance(item, Mapping):
        raise UsageError(f"row {index} must be a mapping, not {brief_repr(item)}")
    if "id" not in item:
        raise UsageError(f"row {index} needs an id")
    fields = {name: value for name, value in item.items() if name != "id"}
    if not fields:
        raise UsageError(f"row {index} changes nothing")
    return check_id(item["id"], f"row {index}: id"), check_row(update, fields, index)


async def delete_many(connection: Connection, operations: Operations, ids: Items) -> BulkResult[Any]:
    """The outcomes of deleting any number of objects by id, one an id.

    Where the API has a bulk delete, 100 ids go in a request; it is all or nothing, so when it refuses, the ids that are
    not there are rejected and the others are sent again.

    Raises:
        UsageError: an id is wrong; the message names its position.
        BulkError: as `create_many`.
    """
    bulk = operations.get("bulk_delete")
    delete: Delete[Any] = Delete(
        connection=connection,
        bulk=bulk,
        single=operations.get("delete"),
        look=_look_by_id(connection, operations),
    )
    size = _BULK_DELETE if bulk is not None else 1
    source = RowSource(
        ids,
        lambda item, index: Row(index, item, check_id(item, f"id {index}")),
        size,
        expects="ids must be an iterable of numbers or texts",
    )
    return await run_all(connection, source, delete.settle)
