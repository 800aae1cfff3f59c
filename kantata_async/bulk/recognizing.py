"""Whether objects that are there are what this call made of its rows: by when they were made, and what they show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Generic, TypeVar

import attrs

from ..calls import Connection
from ..errors import AuthenticationError, KantataError, RateLimitError, ServerError, TransportError
from ..model import Entity
from .claims import Claims
from .comparing import agreement
from .fate import SETTLING
from .finding import (
    CLOCK_MARGIN,
    SHORT_MARGIN,
    WIDE_MARGIN,
    Finding,
    Presence,
    can_be_dated,
    findings,
    was_made_before,
    with_presence,
)
from .ledger import Ledger
from .looking import Look, Sightings, Suffices
from .rows import Row

E = TypeVar("E", bound=Entity)


@attrs.frozen
class Recognition(Generic[E]):
    """Tells the objects that a bulk create made from those of others.

    Attributes:
        connection: the way to the server, whose clock dates what it made.
        look: how to find the objects of rows; None where there is no way.
        claims: the objects that belong to rows already.
    """

    connection: Connection
    look: Look[E] | None
    claims: Claims

    async def findings(self, rows: Sequence[Row], ledger: Ledger[E], is_ours: Suffices) -> dict[Row, Finding[E]]:
        """What is known of the objects of rows that can be looked for."""
        if self.look is None or not rows:
            return {}
        try:
            seen = await self._seen(self.look, rows, is_ours)
        except AuthenticationError:
            raise
        except KantataError as error:
            return {row: Finding(Presence.UNSURE, reason=f"looking for it failed: {error}") for row in rows}
        found = findings(
            rows, seen.objects, seen.faults, is_free=lambda entity: entity not in self.claims, is_ours=is_ours
        )
        ledger.note_absent(with_presence(Presence.ABSENT, found))
        return found

    async def _seen(self, look: Look[E], rows: Sequence[Row], is_ours: Suffices) -> Sightings[E]:
        """What a look sees; one that fails for now is made once more."""

        def suffices(row: Row, entity: E) -> bool:
            return entity not in self.claims and is_ours(row, entity)

        try:
            return await look(rows, suffices)
        except (RateLimitError, ServerError, TransportError):
            await self.connection.sleep(2 * SETTLING)
            return await look(rows, suffices)

    def is_what_was_sent(self, ledger: Ledger[E]) -> Suffices:
        """The test whether an object may have been made by a sending whose answer does not show it."""

        def is_ours(row: Row, entity: E) -> bool:
            is_older = self.is_older_than(ledger.first_sent(row))(entity)
            if is_older is None:
                is_older = can_be_dated(entity) and not ledger.was_absent(row)
            return not is_older and not agreement(row.wired, entity).differ

        return is_ours

    def is_what_was_refused(self, began: float) -> Suffices:
        """The test whether a refused sending made an object: it is more likely that it was there before."""
        is_older = self.is_older_than(began, SHORT_MARGIN)

        def is_ours(row: Row, entity: E) -> bool:
            return is_older(entity) is False and not agreement(row.wired, entity).differ

        return is_ours

    def is_older_than(self, moment: float, margin: timedelta = CLOCK_MARGIN) -> Callable[[Entity], bool | None]:
        """The test whether an object is older than a moment on the event loop's clock; None where it does not say."""
        dated = self.connection.transport.server_time(moment)
        if dated is None:
            passed = timedelta(seconds=asyncio.get_running_loop().time() - moment)
            dated, margin = datetime.now(UTC) - passed, WIDE_MARGIN
        return partial(was_made_before, moment=dated, margin=margin)
