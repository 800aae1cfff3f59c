"""Where the requests of one event loop wait until it is their turn and the limits let them go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from .account import AccountLimits
from .turns import Turns

if TYPE_CHECKING:
    from .limiter import Slot

_LONGEST_WAIT: Final = 1.0
"""Seconds: sessions of other event loops may have changed what was waited for."""


class WaitingLine:
    """The line for one account in one event loop; sessions that share the account share it.

    Whoever gives a place back lets the next one go. Only where there is something else to wait for, a limit or an
    account outside this process, does a task serve the line until it is empty.
    """

    def __init__(self, account: AccountLimits) -> None:
        self.account: Final = account
        self._turns: Final[Turns[Slot]] = Turns()
        self._stirred: Final = asyncio.Event()
        self._server: asyncio.Task[None] | None = None

    async def enter(self, slot: Slot) -> None:
        """Wait for a turn, a place and all the limits.

        Raises:
            RateLimitError: a limit lets none through for longer than the slot's patience.
        """
        if not self._turns and slot.limiter.places > 0:
            left = await self.account.take_now(slot.names, again=slot.again)
            if left is not None:
                slot.order = slot.rank, 0, 0
                self._let_go(slot, left)
                return
        slot.since = self.account.clock()
        slot.granted = granted = asyncio.get_running_loop().create_future()
        self._turns.add(slot)
        try:
            if slot.limiter.places > 0:
                await self._stir()
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled() and granted.exception() is None:
                self.account.give_back(slot.names)
                slot.limiter.places += 1
            self._turns.leave(slot)
            await self._stir()
            raise

    async def leave(self, slot: Slot) -> None:
        """Give a slot's place back."""
        slot.limiter.places += 1
        await self._stir()

    def waiting_for(self, name: str) -> int:
        """How many wait that count against a limit."""
        return sum(name in slot.names for slot in self._turns)

    async def _stir(self) -> None:
        """Something changed that those in the line may have waited for. This never suspends."""
        if self._server is not None and self._turns:
            self._stirred.set()
        elif self._server is not None:
            self._server.cancel()
            self._server = None
        elif self._turns and not await self._served_now():
            self._server = asyncio.get_running_loop().create_task(self._serve(), name="kantata-line")

    def _candidates(self) -> Iterator[Slot]:
        """Those that wait for nothing but the limits, the first of each lane, in turn."""
        return (slot for slot in self._turns.firsts() if slot.limiter.places > 0 and not _is_done(slot))

    async def _served_now(self) -> bool:
        """Let all go that the account lets go without a wait; whether the others wait for nothing but a place."""
        while slot := next(self._candidates(), None):
            left = await self.account.take_now(slot.names, again=slot.again)
            if left is None:
                return False
            self._let_go(slot, left)
        return True

    async def _serve(self) -> None:
        while self._turns:
            self._stirred.clear()
            wait = await self._let_one_go()
            if wait > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._stirred.wait()
        self._server = None

    async def _let_one_go(self) -> float:
        """Let the first one go that may: seconds until one may, 0 when one went."""
        soonest = _LONGEST_WAIT
        for slot in self._candidates():
            try:
                wait, left = await self.account.take(slot.names, again=slot.again, waiting=self._turns.depth(slot.lane))
            except Exception as error:  # noqa: BLE001 - raised where the request waits
                self._turns.leave(slot)
                slot.fail(error)
                return 0.0
            if wait <= 0:
                self._let_first_go(slot, left)
                return 0.0
            self._give_up(slot, wait)
            soonest = min(soonest, wait)
        return soonest

    def _let_first_go(self, asked: Slot, left: float) -> None:
        """Let the first one go that waits for the same limits: while they were asked, others may have come or gone."""
        for slot in self._candidates():
            if (slot.names, slot.again) == (asked.names, asked.again):
                self._let_go(slot, left)
                return
        self.account.give_back(asked.names)

    def _let_go(self, slot: Slot, left: float) -> None:
        self._turns.take(slot)
        slot.left = left
        slot.limiter.places -= 1
        if slot.granted is not None:
            slot.granted.set_result(None)

    def _give_up(self, first: Slot, wait: float) -> None:
        """Fail those in a lane whose patience ends before the limits that refuse them let one go."""
        refused = self.account.refused_since(first.names)
        if refused is None:
            return
        resumes = self.account.clock() + wait
        for slot in [slot for slot in self._turns if slot.lane == first.lane]:
            if resumes > max(slot.since, refused) + slot.patience:
                self._turns.leave(slot)
                slot.give_up()


def _is_done(slot: Slot) -> bool:
    return slot.granted is not None and slot.granted.done()
