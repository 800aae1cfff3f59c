"""Updating and deleting many objects by id, each with an outcome of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import attrs

from ..calls import Connection, Operation, asks_by_id, check_call, get_many
from ..errors import AuthenticationError, ErrorDetail, KantataError, NotFoundError
from ..model import Entity
from .fate import MOST_SENDINGS, SETTLING, Fate, errors_of
from .ledger import Ledger
from .matching import comparable
from .rows import Row

E = TypeVar("E", bound=Entity)

_NOT_SHOWN: Final = object()
_NOT_THERE: Final = ErrorDetail("there is no such object")


@attrs.frozen
class Update(Generic[E]):
    """How rows with an id are updated, one request each; their wire form is (id, fields)."""

    connection: Connection
    update: Operation[E]
    get: Operation[E] | None
    asked: Mapping[str, Any]

    async def settle(self, rows: Sequence[Row], ledger: Ledger[E]) -> None:
        """Bring every row to its outcome. Raises AuthenticationError."""
        for row in rows:
            await self._update(row, ledger)

    async def _update(self, row: Row, ledger: Ledger[E], *, sendings: int = 0) -> None:
        id, fields = row.wired
        if sendings == MOST_SENDINGS:
            ledger.note([row], "not_sent", reason=f"its answer was lost {sendings} times; it is as it was")
            return
        ledger.note([row], "unknown", reason="it was interrupted while it was being sent")
        call = check_call(self.update, (id,), {**fields, **self.asked})
        try:
            data = await self.connection.ask(call)
            entity = None if data is None else self.connection.read(data, call).items[0]
        except KantataError as error:
            if ledger.ended([row], error) is Fate.LOST:
                await self._after_lost_answer(row, ledger, sendings)
        else:
            ledger.note([row], "updated", entity=entity)

    async def _after_lost_answer(self, row: Row, ledger: Ledger[E], sendings: int) -> None:
        if self.get is None:
            return
        await asyncio.sleep(SETTLING)
        id, fields = row.wired
        call = check_call(self.get, (id,), self.asked)
        try:
            entity = self.connection.read(await self.connection.ask(call), call).items[0]
        except AuthenticationError:
            raise
        except NotFoundError as missing:
            ledger.note([row], "rejected", errors=errors_of(missing))
        except KantataError as failed:
            ledger.cannot_tell([row], f"looking at it failed: {failed}")
        else:
            match _as_wanted(entity, fields):
                case True:
                    ledger.note([row], "updated", entity=entity)
                case False:
                    await self._update(row, ledger, sendings=sendings + 1)
                case None:
                    ledger.cannot_tell([row], "the object does not show the fields that were sent")


def _as_wanted(entity: Entity, fields: Mapping[str, Any]) -> bool | None:
    """Whether an object shows the fields as they were sent; None when it does not show all of them."""
    sent = entity.to_dict()
    shown = {name: sent.get(name, sent.get(f"is_{name}", _NOT_SHOWN)) for name in fields}
    if _NOT_SHOWN in shown.values():
        return None
    return all(comparable(shown[name]) == comparable(value) for name, value in fields.items())


@attrs.frozen
class Delete(Generic[E]):
    """How ids are deleted: in batches where the API has a bulk delete, which is all or nothing, else one by one."""

    connection: Connection
    bulk: Operation[Any] | None
    single: Operation[Any] | None
    listing: Operation[E] | None
    get: Operation[E] | None

    async def settle(self, rows: Sequence[Row], ledger: Ledger[E]) -> None:
        """Bring every row to its outcome. Raises AuthenticationError."""
        await self._delete(rows, ledger)

    async def _delete(self, rows: Sequence[Row], ledger: Ledger[E], *, sendings: int = 0) -> None:
        if not rows:
            return
        if sendings == MOST_SENDINGS:
            ledger.note(rows, "not_sent", reason=f"its answer was lost {sendings} times; it is still there")
            return
        ledger.note(rows, "unknown", reason="it was interrupted while it was being sent")
        try:
            await self._send(rows)
        except KantataError as error:
            match ledger.ended(rows, error):
                case Fate.LOST:
                    await self._after_lost_answer(rows, ledger, sendings)
                case Fate.REFUSED:
                    await self._after_refusal(rows, ledger, error)
        else:
            ledger.note(rows, "deleted")

    async def _send(self, rows: Sequence[Row]) -> None:
        ids = [row.wired for row in rows]
        if self.bulk is not None:
            await self.connection.send(check_call(self.bulk, (), {"ids": ids}))
        elif self.single is not None:
            await self.connection.send(check_call(self.single, ids, {}))

    async def _after_lost_answer(self, rows: Sequence[Row], ledger: Ledger[E], sendings: int) -> None:
        await asyncio.sleep(SETTLING)
        there = await self._there(rows, ledger)
        if there is None:
            return
        gone = [row for row in rows if row not in there]
        if there:
            # All or nothing: one that is still there means that nothing was deleted, and the others never were there.
            ledger.note(gone, "rejected", errors=[_NOT_THERE])
        else:
            ledger.note(gone, "deleted")
        await self._delete([row for row in rows if row in there], ledger, sendings=sendings + 1)

    async def _after_refusal(self, rows: Sequence[Row], ledger: Ledger[E], error: KantataError) -> None:
        if len(rows) == 1:
            return
        ledger.note(rows, "not_sent", reason=f"the batch was refused: {error}")
        there = await self._there(rows, ledger)
        if there is None:
            return
        gone = [row for row in rows if row not in there]
        ledger.note(gone, "rejected", errors=[_NOT_THERE])
        left = [row for row in rows if row in there]
        if gone:
            await self._delete(left, ledger)
            return
        middle = len(left) // 2
        await self._delete(left[:middle], ledger)
        await self._delete(left[middle:], ledger)

    async def _there(self, rows: Sequence[Row], ledger: Ledger[E]) -> set[Row] | None:
        """The rows whose objects are still there; None, with the reason noted, when that cannot be found out."""
        try:
            if self.listing is not None and asks_by_id(self.listing):
                found = await get_many(self.connection, self.listing, [row.wired for row in rows], {})
                ids = {entity.id for entity in found}
                return {row for row in rows if row.wired in ids}
            if self.get is not None:
                return {row for row in rows if await self._exists(self.get, row)}
        except AuthenticationError:
            raise
        except KantataError as error:
            ledger.cannot_tell(rows, f"looking for it failed: {error}")
            return None
        ledger.cannot_tell(rows, "the API has no way to look for it")
        return None

    async def _exists(self, get: Operation[E], row: Row) -> bool:
        try:
            await self.connection.send(check_call(get, (row.wired,), {}))
        except NotFoundError:
            return False
        return True
