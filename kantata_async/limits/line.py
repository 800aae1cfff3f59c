"""Where the requests of one event loop wait until it is their turn and the limits let them go."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import attrs

from .account import Account
from .job import current_job, current_rank
from .turns import Order, Turn, Turns

_LONGEST_REST: Final = 1.0
"""Seconds: sessions of other event loops may have changed what was waited for."""


class StillRefusedError(Exception):
    """The limit has refused everything for as long as the request may wait, or goes on doing so for longer."""


@attrs.define(eq=False)
class Places:
    """How many more requests of one session may be under way."""

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


@attrs.frozen(eq=False)
class _Waiter:
    """A request in the line: what it waits on, since when on the clock of the account, and its patience in seconds."""

    future: asyncio.Future[Leave]
    since: float
    patience: float


_Lane = tuple[tuple[str, ...], bool, Places]


def _may_go(turn: Turn[_Lane, _Waiter]) -> bool:
    """Whether it waits for nothing but the limits."""
    return turn.lane[2].free > 0 and not turn.waiter.future.done()


class Line:
    """The line for one account in one event loop; sessions that share the account share it.

    Whoever gives a place back lets the next one go. Only where there is something else to be waited for, a limit or an
    account outside this process, a task serves the line until it is empty.
    """

    def __init__(self, account: Account) -> None:
        self.account: Final = account
        self._turns: Final[Turns[_Lane, _Waiter]] = Turns()
        self._stirred: Final = asyncio.Event()
        self._server: asyncio.Task[None] | None = None

    async def enter(self, names: tuple[str, ...], places: Places, *, again: Leave | None, patience: float) -> Leave:
        """Wait for a turn, a place and all the limits.

        Args:
            names: of the limits it counts against.
            places: of its session.
            again: what it was given when it was refused; it then keeps its place in the line.
            patience: seconds that it waits for a limit that lets none through.

        Raises:
            StillRefusedError: a limit lets none through for longer than that.
        """
        if not self._turns and places.free > 0:
            left = await self.account.take_now(names, again=again is not None)
            if left is not None:
                places.free -= 1
                return Leave(names, left, (current_rank(), 0, 0))
        waiter = _Waiter(asyncio.get_running_loop().create_future(), self.account.clock(), patience)
        lane: _Lane = (names, again is not None, places)
        order = None if again is None else again.order
        turn = self._turns.add(waiter, lane=lane, job=current_job(), rank=current_rank(), order=order)
        try:
            if places.free > 0:
                await self._stir()
            return await waiter.future
        except asyncio.CancelledError:
            if waiter.future.done() and not waiter.future.cancelled() and waiter.future.exception() is None:
                self.account.give_back(names)
                places.free += 1
            self._turns.leave(turn)
            await self._stir()
            raise

    async def leave(self, places: Places) -> None:
        """Give a place back."""
        places.free += 1
        await self._stir()

    def waiting_for(self, name: str) -> int:
        """How many wait that count against a limit."""
        return sum(name in turn.lane[0] for turn in self._turns)

    async def _stir(self) -> None:
        """Something changed that those in the line may have waited for. This never suspends."""
        if self._server is not None and self._turns:
            self._stirred.set()
        elif self._server is not None:
            self._server.cancel()
            self._server = None
        elif self._turns and not await self._served_now():
            self._server = asyncio.get_running_loop().create_task(self._serve(), name="kantata-line")

    async def _served_now(self) -> bool:
        """Let go whom the account lets go without a wait; whether the others wait for nothing but a place."""
        while turn := next(filter(_may_go, self._turns.firsts()), None):
            names, again, _ = turn.lane
            left = await self.account.take_now(names, again=again)
            if left is None:
                return False
            self._let_go(turn, left)
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
        """Let the first go that may; seconds until one may, 0 when one went."""
        soonest = _LONGEST_REST
        for turn in filter(_may_go, self._turns.firsts()):
            names, again, _ = turn.lane
            try:
                wait, left = await self.account.take(names, again=again, waiting=self._turns.depth(turn.lane))
            except Exception as error:  # noqa: BLE001 - told to whoever waits
                self._fail(turn, error)
                return 0.0
            if wait <= 0:
                self._let_first_go(names, left, again=again)
                return 0.0
            self._give_up(turn.lane, wait)
            soonest = min(soonest, wait)
        return soonest

    def _let_first_go(self, names: tuple[str, ...], left: float, *, again: bool) -> None:
        """Let the first go now that waits for these limits: while they were asked, others may have come or gone."""
        for turn in filter(_may_go, self._turns.firsts()):
            if turn.lane[:2] == (names, again):
                self._let_go(turn, left)
                return
        self.account.give_back(names)

    def _let_go(self, turn: Turn[_Lane, _Waiter], left: float) -> None:
        names, _, places = turn.lane
        self._turns.take(turn)
        places.free -= 1
        turn.waiter.future.set_result(Leave(names, left, turn.order))

    def _give_up(self, lane: _Lane, wait: float) -> None:
        """Fail those in a lane whose patience ends before the limits that refuse them let one go."""
        names, *_ = lane
        refused = self.account.refused_since(names)
        if refused is None:
            return
        resumes = self.account.clock() + wait
        for turn in self._turns.in_lane(lane):
            if resumes > max(turn.waiter.since, refused) + turn.waiter.patience:
                self._fail(turn, StillRefusedError())

    def _fail(self, turn: Turn[_Lane, _Waiter], error: Exception) -> None:
        self._turns.leave(turn)
        if not turn.waiter.future.done():
            turn.waiter.future.set_exception(error)
