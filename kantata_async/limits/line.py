"""Where the requests of one event loop wait until it is their turn and the limits let them go."""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary, WeakValueDictionary

import attrs

from .account import Account
from .job import current_job, current_rank
from .turns import Order, Turn, Turns

_LONGEST_REST: Final = 1.0
"""Seconds: sessions of other event loops may have changed what was waited for."""


@attrs.define(eq=False)
class Places:
    """How many requests of one session may still be under way."""

    free: int


@attrs.define(eq=False)
class Leave:
    """What one attempt was given.

    Attributes:
        names: the limits it was taken from.
        left: when, on the clock of the account.
        order: where it stood in the line; before all others when it did not have to wait.
    """

    names: tuple[str, ...]
    left: float
    order: Order


Lane = tuple[tuple[str, ...], bool, Places]


class Line:
    """The line for one account in one event loop; sessions that share the account share it.

    Whoever gives a place back lets the next one go. Only where there is something else to be waited for, a limit or an
    account outside this process, a task serves the line until it is empty.
    """

    def __init__(self, account: Account) -> None:
        self.account: Final = account
        self._turns: Final[Turns[Lane, asyncio.Future[Leave]]] = Turns()
        self._stirred: Final = asyncio.Event()
        self._server: asyncio.Task[None] | None = None

    def enter_now(self, names: tuple[str, ...], places: Places, *, again: Leave | None) -> Leave | None:
        """As `enter`, if nothing has to be waited for; else None."""
        if self._turns or places.free <= 0:
            return None
        left = self.account.take_now(names, again=again is not None)
        if left is None:
            return None
        places.free -= 1
        return Leave(names, left, (current_rank(), 0, 0))

    async def enter(self, names: tuple[str, ...], places: Places, *, again: Leave | None) -> Leave:
        """Wait for a turn, a place and all the limits.

        Args:
            names: of the limits it counts against.
            places: of its session.
            again: what it was given when it was refused; it then keeps its place in the line.
        """
        future: asyncio.Future[Leave] = asyncio.get_running_loop().create_future()
        lane: Lane = (names, again is not None, places)
        order = None if again is None else again.order
        turn = self._turns.add(future, lane=lane, job=current_job(), rank=current_rank(), order=order)
        if places.free > 0:
            self.stirred()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.account.give_back(names)
                places.free += 1
            self._turns.leave(turn)
            self.stirred()
            raise

    def leave(self, places: Places) -> None:
        """Give a place back."""
        places.free += 1
        self.stirred()

    def stirred(self) -> None:
        """Something changed that those in the line may have waited for."""
        if not self._turns:
            return
        if self._server is not None:
            self._stirred.set()
        elif not self._served_now():
            self._server = asyncio.get_running_loop().create_task(self._serve(), name="kantata-line")
            self._server.add_done_callback(self._ended)

    def waiting_for(self, name: str) -> int:
        """How many wait that count against a limit."""
        return sum(name in turn.lane[0] for turn in self._turns)

    def _served_now(self) -> bool:
        """Let go whom the account lets go without a wait; whether the others wait for nothing but a place."""
        while turn := next((turn for turn in self._turns.firsts() if turn.lane[2].free > 0), None):
            names, again, _ = turn.lane
            left = self.account.take_now(names, again=again)
            if left is None:
                return False
            self._let_go(turn, left)
        return True

    def _ended(self, server: asyncio.Task[None]) -> None:
        self._server = None
        if not server.cancelled():
            self.stirred()

    async def _serve(self) -> None:
        while self._turns:
            self._stirred.clear()
            wait = await self._let_one_go()
            if wait > 0:
                await self._rest(wait)

    async def _let_one_go(self) -> float:
        """Let the first go that may; seconds until one may, 0 when one went."""
        soonest = _LONGEST_REST
        for turn in self._turns.firsts():
            names, again, places = turn.lane
            if places.free <= 0:
                continue
            try:
                wait, left = await self.account.take(names, again=again)
            except Exception as error:  # noqa: BLE001 - told to whoever waits
                self._turns.take(turn)
                if not turn.waiter.done():
                    turn.waiter.set_exception(error)
                return 0.0
            if wait <= 0:
                self._let_go(turn, left)
                return 0.0
            soonest = min(soonest, wait)
        return soonest

    def _let_go(self, turn: Turn[Lane, asyncio.Future[Leave]], left: float) -> None:
        names, _, places = turn.lane
        if turn.waiter.done():
            # It went away while the limits were asked.
            self.account.give_back(names)
            self._turns.leave(turn)
            return
        self._turns.take(turn)
        places.free -= 1
        turn.waiter.set_result(Leave(names, left, turn.order))

    async def _rest(self, seconds: float) -> None:
        alarm = asyncio.get_running_loop().call_later(seconds, self._stirred.set)
        try:
            await self._stirred.wait()
        finally:
            alarm.cancel()


# A line is as long-lived as the sessions that use it; what was learnt is the account's.
_lines: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[Account, Line]]] = WeakKeyDictionary()


def line_to(account: Account) -> Line:
    """The line for an account in the running event loop."""
    lines = _lines.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    line = lines.get(account)
    if line is None:
        line = lines[account] = Line(account)
    return line
