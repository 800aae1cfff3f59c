"""Where the requests of one event loop wait until it is their turn and the limits let them go."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from ..errors import ErrorDetail, RateLimitError
from ..limits import AccountLimits
from .order import Turns

if TYPE_CHECKING:
    from .limiter import Slot

_LONGEST_WAIT: Final = 1.0
"""Seconds: sessions of other event loops may have changed what was waited for."""


class WaitingLine:
    """The line for one account in one event loop; sessions that share the account share it.

    Whoever gives a place back lets the next one go. Where those in line wait for something else, a limit or an account
    outside this process, the line is looked at again when that is over.
    """

    def __init__(self, account: AccountLimits) -> None:
        self.account: Final = account
        self._turns: Final[Turns[Slot]] = Turns()
        self._alarm: asyncio.TimerHandle | None = None

    def enter_now(self, slot: Slot) -> bool:
        """Whether a slot was let go at once: nobody is before it, and nothing makes it wait."""
        return not self._turns.waiting and slot.limiter.places > 0 and self._let_go(slot, 1) <= 0

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
                self._look_again(0)
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled() and granted.exception() is None:
                self.account.give_back(slot.names)
                slot.limiter.places += 1
            self._turns.leave(slot)
            self.look()
            raise

    def leave(self, slot: Slot) -> None:
        """Give a slot's place back: another one may go that waited for it."""
        slot.limiter.places += 1
        if self._turns.waiting and slot.limiter.places == 1:
            self.look()

    def look(self) -> None:
        """Let all go that may, and look again when the next one may."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        while (wait := self._let_one_go()) <= 0:
            pass
        if wait < math.inf:
            self._look_again(wait)

    def waiting_for(self, name: str) -> int:
        """How many wait that count against a limit."""
        return sum(name in slot.names for slot in self._turns)

    def _look_again(self, wait: float) -> None:
        """Look in so many seconds at the latest."""
        loop = asyncio.get_running_loop()
        due = loop.time() + wait
        if self._alarm is None or due < self._alarm.when():
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = loop.call_at(due, self.look)

    def _let_one_go(self) -> float:
        """Let the first one go that may: seconds until one may, 0 when one went, infinity where all want a place."""
        soonest = math.inf
        for slot in self._turns.firsts():
            if slot.limiter.places <= 0 or (slot.granted is not None and slot.granted.done()):
                continue
            try:
                wait = self._let_go(slot, self._turns.depth(slot.lane))
            except Exception as error:  # noqa: BLE001 - raised where the request waits
                self._fail(slot, error)
                return 0.0
            if wait <= 0:
                return 0.0
            self._give_up(slot, wait)
            soonest = min(soonest, wait, _LONGEST_WAIT)
        return soonest

    def _let_go(self, slot: Slot, waiting: int) -> float:
        """Seconds until it is worth another try for a slot, of so many in its lane; 0 when it went."""
        if slot.names:
            wait = self.account.take(slot.names, again=slot.again, waiting=waiting, then=self.look)
            if wait > 0:
                return wait
            slot.left = self.account.clock()
        slot.limiter.places -= 1
        if slot.granted is not None:
            self._turns.take(slot)
            slot.granted.set_result(None)
        return 0.0

    def _give_up(self, first: Slot, wait: float) -> None:
        """Fail those in a lane whose patience ends before the limits that refuse them let one go."""
        refused = self.account.refused_since(first.names)
        if refused is None:
            return
        resumes = self.account.clock() + wait
        for slot in [slot for slot in self._turns if slot.lane == first.lane]:
            if resumes > max(slot.since, refused) + slot.patience:
                why = f"not sent: the API has refused every request, and will for more than {slot.patience:g} s"
                self._fail(slot, RateLimitError(429, [ErrorDetail(why)], method=slot.method, path=slot.path))

    def _fail(self, slot: Slot, error: Exception) -> None:
        """Raise an error where a slot waits."""
        self._turns.leave(slot)
        if slot.granted is not None and not slot.granted.done():
            slot.granted.set_exception(error)


_lines: Final[WeakValueDictionary[tuple[asyncio.AbstractEventLoop, AccountLimits], WaitingLine]] = WeakValueDictionary()


def line_to(account: AccountLimits) -> WaitingLine:
    """The line for an account in the running event loop, as long-lived as the sessions that use it."""
    here = asyncio.get_running_loop(), account
    line = _lines.get(here) or WaitingLine(account)
    _lines[here] = line
    return line
