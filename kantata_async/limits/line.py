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

    def enter_now(self, slot: Slot) -> bool:
        """Whether a slot was let go at once: nobody is before it, and nothing makes it wait."""
        return not self._turns.waiting and slot.limiter.places > 0 and self._let_go(slot)

    async def wait(self, slot: Slot) -> None:
        """Wait for a turn, a place and all the limits.

        Raises:
            RateLimitError: a limit lets none through for longer than the slot's patience.
        """
        slot.since = self.account.clock()
        slot.granted = granted = asyncio.get_running_loop().create_future()
        self._turns.add(slot)
        try:
            if slot.limiter.places > 0:
                self._stir()
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled() and granted.exception() is None:
                self.account.give_back(slot.names)
                slot.limiter.places += 1
            self._turns.leave(slot)
            self._stir()
            raise

    def leave(self, slot: Slot) -> None:
        """Give a slot's place back."""
        slot.limiter.places += 1
        self._stir()

    def waiting_for(self, name: str) -> int:
        """How many wait that count against a limit."""
        return sum(name in slot.names for slot in self._turns)

    def _stir(self) -> None:
        """Something changed that those in the line may have waited for."""
        if self._server is None:
            if self._turns.waiting and not self._served_now():
                self._server = asyncio.get_running_loop().create_task(self._serve(), name="kantata-line")
        elif self._turns.waiting:
            self._stirred.set()
        else:
            self._server.cancel()
            self._server = None

    def _candidates(self) -> Iterator[Slot]:
        """Those that wait for nothing but the limits, the first of each lane, in turn."""
        return (slot for slot in self._turns.firsts() if slot.may_go)

    def _served_now(self) -> bool:
        """Let all go that nothing makes wait; whether the others wait for nothing but a place."""
        while slot := next(self._candidates(), None):
            if not self._let_go(slot):
                return False
        return True

    async def _serve(self) -> None:
        while self._turns.waiting:
            self._stirred.clear()
            wait = await self._let_one_go()
            if wait > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._stirred.wait()
        self._server = None

    async def _let_one_go(self) -> float:
        """Let the first one go that may: seconds until one may, 0 when it is worth another look at once."""
        soonest = _LONGEST_WAIT
        for slot in self._candidates():
            if self._let_go(slot):
                return 0.0
            try:
                wait = self.account.wait(slot.names, again=slot.again, waiting=self._turns.depth(slot.lane))
                if wait <= 0:
                    await self.account.reserve(slot.names, again=slot.again)
                    return 0.0
            except Exception as error:  # noqa: BLE001 - raised where the request waits
                self._turns.leave(slot)
                slot.fail(error)
                return 0.0
            self._give_up(slot, wait)
            soonest = min(soonest, wait)
        return soonest

    def _let_go(self, slot: Slot) -> bool:
        """Whether the limits let a slot go now, and it went."""
        left = self.account.take_now(slot.names, again=slot.again) if slot.names else 0.0
        if left is None:
            return False
        slot.left = left
        slot.limiter.places -= 1
        if slot.granted is not None:
            self._turns.take(slot)
            slot.granted.set_result(None)
        return True

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
