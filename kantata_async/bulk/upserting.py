"""Setting many objects by their keys, where a create replaces what is there: sent again, it does no harm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs

from ..calls import Connection, Operation, check_call
from ..errors import AuthenticationError, KantataError
from ..model import Entity
from .fate import MOST_SENDINGS, SETTLING, Fate, errors_of, wait_asked_for, wait_before_looking
from .ledger import Ledger, errors_by_row
from .looking import Look
from .matching import match_rows
from .rows import Row

E = TypeVar("E", bound=Entity)

Holds = Callable[[Mapping[str, Any], Any], bool]
"""Whether an object is as the fields of a row say."""


@attrs.frozen
class Upsert(Generic[E]):
    """How objects come to hold what the rows with their keys say; no two rows have the same key.

    Attributes:
        connection: the way to the server.
        create: the operation, which replaces the object that has the key of a row.
        look: how to find the objects of rows.
        holds: whether an object is as its row says.
        scope: what rows have in common that may be refused together.
    """

    connection: Connection
    create: Operation[E]
    look: Look[E]
    holds: Holds
    scope: Callable[[Any], Hashable]

    async def settle(self, rows: Sequence[Row], ledger: Ledger[E]) -> None:
        """Bring every row to its outcome.

        Raises:
            AuthenticationError: the API refuses the token, and would refuse every other row.
            UsageError: no row can be sent at all.
        """
        await self._put(rows, ledger)

    async def _put(self, rows: Sequence[Row], ledger: Ledger[E], *, sendings: int = 0) -> None:
        if not rows:
            return
        if sendings == MOST_SENDINGS:
            ledger.note(rows, "unknown", reason=f"it was sent {sendings} times in vain, and does not show")
            return
        ledger.sending(rows)
        try:
            entities = await self._send(rows)
        except KantataError as error:
            await self._after_error(rows, ledger, error, sendings)
        except BaseException as error:
            ledger.interrupted(rows, error)
            raise
        else:
            await self._after_answer(rows, ledger, entities)

    async def _send(self, rows: Sequence[Row]) -> Sequence[E]:
        call = check_call(attrs.evolve(self.create, body=None), (), {})  # the rows were checked when they were taken in
        call = attrs.evolve(call, body={self.create.collection: [row.wired for row in rows]})
        answer = await self.connection.ask(call, looked_after=True)
        items: Sequence[E] = self.connection.read(answer, call).items
        return items

    async def _after_answer(self, rows: Sequence[Row], ledger: Ledger[E], entities: Sequence[E]) -> None:
        natural = self.create.natural_key
        mine = [one for one in entities if one.collection == self.create.collection]
        matched = match_rows([row.wired for row in rows], mine, natural.fields if natural is not None else ())
        for row, entity in zip(rows, matched, strict=True):
            if entity is not None:
                ledger.note([row], "updated", entity=entity)
        missing = [row for row, entity in zip(rows, matched, strict=True) if entity is None]
        if missing:
            ledger.note(missing, "unknown", reason="the answer has no object that is surely this row's")
            left = await self._not_held(missing, ledger)
            ledger.cannot_tell(left, "a look did not find it either")

    async def _after_error(self, rows: Sequence[Row], ledger: Ledger[E], error: KantataError, sendings: int) -> None:
        match ledger.ended(rows, error):
            case Fate.LOST | Fate.UNSEEN:
                await self.connection.sleep(SETTLING)
                await self._put(await self._not_held(rows, ledger), ledger, sendings=sendings + 1)
            case Fate.UNAVAILABLE:
                if wait_asked_for(error) > self.connection.options.retry.deadline:
                    return
                await self.connection.sleep(max(wait_before_looking(sendings + 1), wait_asked_for(error)))
                await self._put(await self._not_held(rows, ledger), ledger, sendings=sendings + 1)
            case Fate.TOO_LARGE | Fate.ROWS_REFUSED if len(rows) == 1:
                ledger.note(rows, "rejected", errors=errors_of(error), response=error.response)
            case Fate.TOO_LARGE:
                await self._apart(rows, ledger, ())
            case Fate.ROWS_REFUSED:
                await self._apart(await self._not_held(rows, ledger), ledger, errors_by_row(rows, error) or ())
            case Fate.REFUSED:
                await self._scopes_apart(rows, ledger)

    async def _not_held(self, rows: Sequence[Row], ledger: Ledger[E]) -> list[Row]:
        """The rows that a look shows must be sent again; those whose objects are as they should be are noted."""
        try:
            seen = await self.look(rows, lambda row, entity: self.holds(row.wired, entity))
        except AuthenticationError:
            raise
        except KantataError as error:
            ledger.note(rows, "unknown", reason=f"looking for it failed: {error}")
            return []
        left = []
        for row in rows:
            held = next((one for one in seen.objects.get(row.key, ()) if self.holds(row.wired, one)), None)
            if held is not None:
                ledger.note([row], "updated", entity=held)
            elif row.key in seen.faults:
                ledger.cannot_tell([row], seen.faults[row.key])
            else:
                left.append(row)
        return left

    async def _apart(self, rows: Sequence[Row], ledger: Ledger[E], named: Container[Row]) -> None:
        """Send a refused batch in parts: each row that the API named by itself, the others together or in halves."""
        suspects = [row for row in rows if row in named]
        others = [row for row in rows if row not in named]
        if suspects:
            parts = [*([row] for row in suspects), others]
        else:
            middle = len(others) // 2
            parts = [others[:middle], others[middle:]]
        for part in parts:
            await self._put(part, ledger)

    async def _scopes_apart(self, rows: Sequence[Row], ledger: Ledger[E]) -> None:
        """Send each scope of a refused batch by itself: what is forbidden for one may be allowed for another."""
        scopes: dict[Hashable, list[Row]] = defaultdict(list)
        for row in rows:
            scopes[self.scope(row.wired)].append(row)
        if len(scopes) > 1:
            for part in scopes.values():
                await self._put(part, ledger)
