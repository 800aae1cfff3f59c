"""What every attempt of a session passes before it goes on the wire: a place, its turn, and the limits."""

from __future__ import annotations

import asyncio
import math
from types import TracebackType
from typing import Final, Self

import attrs

from ..limits import AccountLimits, LimitState
from .job import current_job, current_rank
from .line import WaitingLine, line_to
from .order import Turn


class Limiter:
    """Lets attempts of one session go: at most `concurrency` at a time, in turn with others, no faster than the limits.

    Make, open and close it in the event loop that uses it.

    Args:
        concurrency: how many attempts may be under way at once.
        account: whose limits they count against; None for none.

    Attributes:
        limited: whether there are limits, which then also say when a refused request goes again.
        line: where attempts wait, in line with those of other sessions.
        places: how many more attempts may be under way.
    """

    def __init__(self, concurrency: int, account: AccountLimits | None = None) -> None:
        self.limited: Final = account is not None
        self.line: Final = WaitingLine(AccountLimits(None)) if account is None else line_to(account)
        self.places = concurrency

    async def open(self) -> None:
        """Make ready.

        Raises:
            UsageError: the limits cannot be kept as the setting says.
        """
        await self.line.account.open(self)

    async def close(self) -> None:
        """Let go of what the account holds of the event loop."""
        await self.line.account.close(self)

    @property
    def states(self) -> dict[str, LimitState]:
        """The state of every limit that was used so far, by name."""
        return {state.name: state for state in self.line.account.states(self.line.waiting_for)}

    def slot(self, method: str, path: str, refused: Slot | None = None, *, patience: float = math.inf) -> Slot:
        """A slot for one attempt, to be entered.

        Args:
            method: in capitals.
            path: below the base URL.
            refused: the slot in which the request was refused before, whose place in the line it keeps.
            patience: seconds that it waits for a limit that lets none through.
        """
        return Slot(
            limiter=self,
            method=method,
            path=path,
            names=self.line.account.limits_of(method, path) if self.limited else (),
            again=refused is not None,
            # One that was refused and had not waited comes before all others.
            order=None if refused is None else refused.order or (current_rank(), 0, 0),
            patience=patience,
        )


@attrs.define(eq=False, kw_only=True)
class Slot(Turn):
    """Held while one attempt is under way: `async with limiter.slot(…):` around it, never around a wait between two.

    Entering it raises `RateLimitError` where a limit lets no request through for longer than the patience.

    Attributes:
        names: the limits it counts against.
        again: whether its request was refused before.
        since: when it began to wait, on the clock of the account.
        left: when it was let go, on the clock of the account.
        granted: done when it may go; None where it did not have to wait.
    """

    limiter: Limiter
    method: str
    path: str
    names: tuple[str, ...]
    again: bool
    patience: float
    since: float = 0.0
    left: float = 0.0
    granted: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        if not self.limiter.line.enter_now(self):
            self.lane = self.names, self.again, self.limiter
            self.job, self.rank = current_job(), current_rank()
            await self.limiter.line.wait(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.limiter.line.leave(self)

    def unused(self) -> None:
        """Take back an attempt that never reached the server: it does not count."""
        if self.names:
            self.limiter.line.account.give_back(self.names)
            self.limiter.line.look()

    def answered(self, *, refused: bool, retry_after: float | None) -> None:
        """Learn from the server's answer.

        Args:
            refused: with 429.
            retry_after: seconds it asked for; None where it asked for nothing, or for longer than anybody waits.
        """
        line = self.limiter.line
        if self.names and line.account.answered(self.names, self.left, refused=refused, retry_after=retry_after):
            line.look()
