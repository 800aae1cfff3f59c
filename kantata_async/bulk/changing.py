"""Updating and deleting many objects by id, each with a separate outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import attrs

from ..calls import Connection, Operation, check_call
from ..errors import ErrorDetail, KantataError, NotFoundError
from ..model import Entity
from ..response import Response
from .by_id import LookById, the_object
from .claims import KeyTurns
from .comparing import agreement
from .fate import MOST_SENDINGS, SETTLING, Fate
from .ledger import Ledger
from .outcome import Status
from .reading import brought_by
from .rows import Row

E = TypeVar("E", bound=Entity)

_NOT_THERE: Final = ErrorDetail("there is no such object")


@attrs.frozen
class Update(Generic[E]):
    """How rows with an id are updated, one request each; their wire form is (id, fields).

    Those with the same id are updated in their order, so that the last one counts.
    """

    connection: Connection
    update: Operation[E]
    look: LookById[E]
    asked: Mapping[str, Sequence[str]]
    _turns: KeyTurns = attrs.field(factory=KeyTurns, init=False)

    async def settle(self, rows: Sequence[Row], ledger: Ledger[E]) -> None:
        """Bring every row to its outcome.

        Raises:
            AuthenticationError: the API refuses the token, and would refuse every other row.
            UsageError: no row can be sent at all.
        """
        async with self._turns.of(row.wired[0] for row in rows):
            for row in rows:
                id, fields = row.wired
                await self.change(row, id, fields, ledger)

    async def change(
        self,
        row: Row,
        id: str,
        fields: Mapping[str, Any],
        ledger: Ledger[E],
        *,
        done: Status = "updated",
        entity: E | None = None,
    ) -> None:
        """Change an object to be as a row says.

        Args:
            row: that says so.
            id: of the object.
            fields: of the row; those that an update does not take are left out.
            ledger: of its batch.
            done: the status of the row when that is done.
            entity: the object as it was, where it is known.
        """
        taken = self.update.body if isinstance(self.update.body, Mapping) else {}
        changes = {name: value for name, value in fields.items() if name in taken}
        for _ in range(MOST_SENDINGS):
            if not await self._has_to_go_again(row, id, changes, ledger, done, entity):
                return
        ledger.note([row], "not_sent", entity=entity, reason="its answer was lost each time; it is unchanged")

    async def _has_to_go_again(
        self, row: Row, id: str, changes: Mapping[str, Any], ledger: Ledger[E], done: Status, entity: E | None
    ) -> bool:
        """Send an update; True when its answer was lost and it was not carried out."""
        ledger.sending([row], entity=entity)
        call = check_call(self.update, (id,), {**changes, **brought_by(self.update, self.asked)})
        try:
            answer = await self.connection.ask(call)
            changed = entity
            if answer.data is not None:
                changed = the_object(self.connection.read(answer, call).items, self.update, id)
        except KantataError as error:
            if ledger.ended([row], error, entity=entity) in (Fate.LOST, Fate.UNSEEN):
                return await self._is_as_before(row, id, changes, ledger, done)
        except BaseException as error:
            ledger.interrupted([row], error, entity=entity)
            raise
        else:
            ledger.note([row], done, entity=changed, response=answer.response)
        return False

    async def _is_as_before(
        self, row: Row, id: str, changes: Mapping[str, Any], ledger: Ledger[E], done: Status
    ) -> bool:
        """Whether a look shows that an update whose answer was lost was not carried out."""
        await self.connection.sleep(SETTLING)
        seen = await self.look([id], self.asked)
        entity = seen.objects.get(id)
        if entity is None:
            if seen.fault is None:
                ledger.note([row], "rejected", errors=[_NOT_THERE])
            else:
                ledger.cannot_tell([row], seen.fault)
            return False
        shown = agreement(changes, entity)
        if shown.differ:
            return True
        if shown.agree == changes.keys():
            ledger.note([row], done, entity=entity)
        else:
            ledger.cannot_tell([row], "the object does not show the fields that were sent")
        return False


@attrs.frozen
class Delete(Generic[E]):
    """How ids are deleted: in batches where the API has a bulk delete, which is all or nothing, else one by one."""

    connection: Connection
    bulk: Operation[Any] | None
    single: Operation[Any] | None
    look: LookById[E]

    async def settle(self, rows: Sequence[Row], ledger: Ledger[E]) -> None:
        """Bring every row to its outcome.

        Raises:
            AuthenticationError: the API refuses the token, and would refuse every other row.
            UsageError: no row can be sent at all.
        """
        await self._delete(rows, ledger)

    async def _delete(self, rows: Sequence[Row], ledger: Ledger[E], *, sendings: int = 0) -> None:
        if not rows:
            return
        if sendings == MOST_SENDINGS:
            ledger.note(rows, "not_sent", reason=f"its answer was lost {sendings} times; it is still there")
            return
        ledger.sending(rows)
        try:
            response = await self._send(rows)
        except KantataError as error:
            match ledger.ended(rows, error):
                case Fate.LOST | Fate.UNSEEN:
                    await self._after_lost_answer(rows, ledger, sendings)
                case Fate.REFUSED | Fate.ROWS_REFUSED | Fate.TOO_LARGE:
                    await self._after_refusal(rows, ledger, error)
        except BaseException as error:
            ledger.interrupted(rows, error)
            raise
        else:
            ledger.note(rows, "deleted", response=response)

    async def _send(self, rows: Sequence[Row]) -> Response | None:
        ids = [row.wired for row in rows]
        if self.bulk is not None:
            return (await self.connection.send(check_call(self.bulk, (), {"ids": ids}))).response
        if self.single is not None:
            return (await self.connection.send(check_call(self.single, ids, {}))).response
        return None

    async def _after_lost_answer(self, rows: Sequence[Row], ledger: Ledger[E], sendings: int) -> None:
        await self.connection.sleep(SETTLING)
        seen = await self.look([row.wired for row in rows], {})
        there = [row for row in rows if row.wired in seen.objects]
        gone = [row for row in rows if row.wired not in seen.objects]
        if seen.fault is not None:
            ledger.cannot_tell(gone, seen.fault)
        elif there:
            # A batch is all or nothing: with one object still there, nothing was deleted; the others never existed.
            ledger.note(gone, "rejected", errors=[_NOT_THERE])
        else:
            ledger.note(gone, "deleted", reason="its answer was lost; it is not there any more")
        await self._delete(there, ledger, sendings=sendings + 1)

    async def _after_refusal(self, rows: Sequence[Row], ledger: Ledger[E], error: KantataError) -> None:
        """Settle a refused batch, of which nothing was done: the ids that are not there, and then the others."""
        if len(rows) == 1:
            if isinstance(error, NotFoundError) and ledger.was_lost(rows[0]):
                ledger.note(rows, "deleted", reason="its answer was lost; it is not there any more")
            return
        ledger.note(rows, "not_sent", reason=f"the batch was refused: {error}")
        seen = await self.look([row.wired for row in rows], {})
        left = [row for row in rows if row.wired in seen.objects or seen.fault is not None]
        ledger.note([row for row in rows if row not in left], "rejected", errors=[_NOT_THERE])
        if len(left) < len(rows):
            await self._delete(left, ledger)
            return
        middle = len(left) // 2
        await self._delete(left[:middle], ledger)
        await self._delete(left[middle:], ledger)
