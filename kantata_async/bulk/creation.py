"""Creating the rows of a batch, each once: sent, matched with the answer, looked for before anything is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Generic, Literal, TypeVar

import attrs

from ..calls import Connection, Operation, check_call
from ..errors import AuthenticationError, ErrorDetail, KantataError
from ..model import Entity
from .fate import MOST_SENDINGS, SETTLING, Fate, errors_of
from .ledger import Ledger
from .looking import Look
from .matching import match_rows
from .rows import Row

E = TypeVar("E", bound=Entity)

IfExists = Literal["skip", "update", "reject"]

_ABOUT_ROWS: Final = frozenset({400, 409, 413, 422})
"""Statuses that may be about single rows."""


@attrs.frozen
class Creation(Generic[E]):
    """How the rows of one bulk create are brought to their outcomes.

    Attributes:
        connection: the way to the server.
        create: the operation.
        update: the operation for rows that are there, with ``if_exists="update"``.
        asked: what the answers are to carry.
        look: how to find the objects of rows; None where there is no way.
        if_exists: what becomes of rows that were there before; None: they are told, and no look is made for them
            before the first sending.
        began: when the bulk write began, on the event loop's clock.
    """

    connection: Connection
    create: Operation[E]
    update: Operation[E] | None
    asked: Mapping[str, Any]
    look: Look[E] | None
    if_exists: IfExists | None
    began: float

    async def settle(self, rows: Sequence[Row], ledger: Ledger[E]) -> None:
        """Bring every row to its outcome. Raises AuthenticationError: nothing else would go through either."""
        if self.if_exists is not None and self.look is not None:
            found = await self._found([row for row in rows if self.look.covers(row)], ledger)
            for row, entity in found.items():
                await self._exists(row, entity, ledger)
            rows = [row for row in rows if row not in found]
        await self._create(rows, ledger)

    # --- sending ---

    async def _create(self, rows: Sequence[Row], ledger: Ledger[E], *, sendings: int = 0) -> None:
        if not rows:
            return
        if sendings == MOST_SENDINGS:
            ledger.note(rows, "not_sent", reason=f"its answer was lost {sendings} times; it is not there")
            return
        ledger.note(rows, "unknown", reason="it was interrupted while it was being sent")
        try:
            entities = await self._send(rows)
        except KantataError as error:
            match ledger.ended(rows, error):
                case Fate.LOST:
                    await self._after_lost_answer(rows, ledger, sendings)
                case Fate.REFUSED:
                    await self._after_refusal(rows, ledger, error)
        else:
            self._note_created(rows, ledger, entities)

    async def _send(self, rows: Sequence[Row]) -> Sequence[E]:
        without_body = attrs.evolve(self.create, body=None)  # the rows were checked when they were taken in
        call = check_call(without_body, (), self.asked)
        wired = [row.wired for row in rows]
        if self.create.bulk_max is None:
            call = attrs.evolve(call, body={self.create.body_key: wired[0]})
        else:
            call = attrs.evolve(call, body={self.create.collection: wired})
        items: Sequence[E] = self.connection.read(await self.connection.ask(call), call).items
        return items

    def _note_created(self, rows: Sequence[Row], ledger: Ledger[E], entities: Sequence[E]) -> None:
        for row, entity in zip(rows, match_rows([row.wired for row in rows], entities), strict=True):
            if entity is None:
                ledger.note([row], "unknown", reason="the answer has no object that could be this row's")
            else:
                ledger.note([row], "created", entity=entity)  # type: ignore[arg-type]  # one of `entities`

    # --- after a lost answer ---

    async def _after_lost_answer(self, rows: Sequence[Row], ledger: Ledger[E], sendings: int) -> None:
        covered = [row for row in rows if self.look is not None and self.look.covers(row)]
        if not covered:
            return
        await asyncio.sleep(SETTLING)
        found = await self._found(covered, ledger)
        for row, entity in found.items():
            if self._was_there_before(entity, refused=False):
                await self._exists(row, entity, ledger)
            else:
                ledger.note([row], "created", entity=entity)
        await self._create(self._absent(covered, found, ledger), ledger, sendings=sendings + 1)

    # --- after a refusal ---

    async def _after_refusal(self, rows: Sequence[Row], ledger: Ledger[E], error: KantataError) -> None:
        told = _by_position(rows, error)
        if len(rows) == 1 and not told:
            told = {rows[0]: errors_of(error)}
        for row in rows:
            ledger.note([row], "rejected" if row in told else "unknown", errors=told.get(row, ()), reason=str(error))
        covered = [row for row in rows if self.look is not None and self.look.covers(row)]
        found = await self._found(covered, ledger)
        for row, entity in found.items():
            if self._was_there_before(entity, refused=row in told):
                await self._exists(row, entity, ledger)
            else:
                ledger.note([row], "created", entity=entity)
        left = [row for row in self._absent(covered, found, ledger) if row not in told]
        if not left:
            return
        if told or found:
            await self._create(left, ledger)
        elif getattr(error, "status", None) in _ABOUT_ROWS:
            await self._split(left, ledger)
        else:
            ledger.note(left, "rejected", errors=errors_of(error))

    async def _split(self, rows: Sequence[Row], ledger: Ledger[E]) -> None:
        """Send the halves of a batch that was refused without saying for which row.

        When nothing in the first half is refused, the reason is in the second: that is not sent whole again.
        """
        middle = len(rows) // 2
        first, second = rows[:middle], rows[middle:]
        await self._create(first, ledger)
        if len(second) > 1 and not ledger.rejected(first):
            await self._split(second, ledger)
        else:
            await self._create(second, ledger)

    # --- looking ---

    async def _found(self, rows: Sequence[Row], ledger: Ledger[E]) -> dict[Row, E]:
        """The rows whose objects are there. A look that fails leaves its rows as they are, with the reason added."""
        if self.look is None or not rows:
            return {}
        try:
            entities = await self.look(rows)
        except AuthenticationError:
            raise
        except KantataError as error:
            ledger.cannot_tell(rows, f"looking for it failed: {error}")
            return {}
        return {row: entity for row, entity in zip(rows, entities, strict=True) if entity is not None}

    def _absent(self, rows: Sequence[Row], found: Mapping[Row, E], ledger: Ledger[E]) -> list[Row]:
        """The rows that a look covered and did not find: surely not there, so they may be sent again."""
        return [row for row in rows if row not in found and not ledger.told_nothing(row)]

    def _was_there_before(self, entity: E, *, refused: bool) -> bool:
        """Whether an object that was found is older than this bulk write."""
        created = getattr(entity, "created_at", None)
        began = self.connection.transport.server_time(self.began)
        if isinstance(created, datetime) and began is not None:
            return created < began.replace(microsecond=0)
        return refused

    # --- rows that were there before ---

    async def _exists(self, row: Row, entity: E, ledger: Ledger[E]) -> None:
        match self.if_exists:
            case "reject":
                ledger.note([row], "rejected", entity=entity, errors=[ErrorDetail(f"there already: {entity!r}")])
            case "update" if self.update is not None:
                await self._update(row, entity, ledger)
            case _:
                ledger.note([row], "existing", entity=entity)

    async def _update(self, row: Row, entity: E, ledger: Ledger[E]) -> None:
        operation = self.update
        if operation is None or not isinstance(operation.body, Mapping):
            ledger.note([row], "existing", entity=entity)
            return
        fields = {name: value for name, value in row.wired.items() if name in operation.body}
        wanted = {"include": operation.includes, "optional_fields": operation.optional_fields}
        asked = {name: [one for one in names if one in wanted[name]] for name, names in self.asked.items()}
        ledger.note([row], "unknown", entity=entity, reason="it was interrupted while it was being updated")
        call = check_call(operation, (entity.id,), {**fields, **asked})
        try:
            data = await self.connection.ask(call)
            updated = entity if data is None else self.connection.read(data, call).items[0]
        except KantataError as error:
            ledger.ended([row], error, entity=entity)
        else:
            ledger.note([row], "existing", entity=updated)


def _by_position(rows: Sequence[Row], error: KantataError) -> dict[Row, tuple[ErrorDetail, ...]]:
    """The errors of each row that the API names by its position in the array sent."""
    told: dict[Row, tuple[ErrorDetail, ...]] = {}
    for detail in errors_of(error):
        if detail.index is not None and 0 <= detail.index < len(rows):
            row = rows[detail.index]
            told[row] = (*told.get(row, ()), detail)
    return told
