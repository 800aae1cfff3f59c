"""What every attempt of a session passes before it goes on the wire: a place, its turn, and the limits."""

from __future__ import annotations

import math
from types import TracebackType
from typing import Final, Self

from ..errors import ErrorDetail, RateLimitError
from .account import Account, LimitState
from .endpoints import limits_of
from .line import Leave, Line, Places, StillRefusedError
from .registry import line_to


class Limiter:
    """Lets attempts of one session go: at most `concurrency` at a time, in turn with others, no faster than the limits.

    Make, open and close it in the event loop that uses it.

    Args:
        concurrency: how many attempts may be under way at once.
        account: whose limits they count against; None for none.
    """

    def __init__(self, concurrency: int, account: Account | None = None) -> None:
        self._places: Final = Places(concurrency)
        self._line: Final = Line(Account(None)) if account is None else line_to(account)
        self.limited: Final = account is not None
        """Whether there are limits, which then also say when a refused request goes again."""

    async def open(self) -> None:
        """Make ready.

        Raises:
            UsageError: the limits cannot be kept as the setting says.
        """
        await self._line.account.open(self)

    async def close(self) -> None:
        """Let go of what the account holds of the event loop."""
        await self._line.account.close(self)

    @property
    def states(self) -> dict[str, LimitState]:
        """How every limit stands that was asked for so far, by name."""
        return {state.name: state for state in self._line.account.states(self._line.waiting_for)}

    def slot(self, method: str, path: str, again: Leave | None = None, *, patience: float = math.inf) -> Slot:
        """One attempt's leave: `async with limiter.slot(…) as slot:` around it, never around a wait between two.

        Entering it raises `RateLimitError` where a limit lets no request through for longer than the patience.

        Args:
            method: of the request.
            path: of the request, below the base URL.
            again: the `leave` of the slot in which it was refused.
            patience: seconds that it waits for a limit that lets none through.
        """
        return Slot(self._line, self._places, method, path, again, patience)


class Slot:
    """Held while one attempt is under way; `names` are those of the limits that it counts against."""

    __slots__ = ("_again", "_line", "_method", "_path", "_patience", "_places", "leave", "names")

    leave: Leave

    def __init__(
        self, line: Line, places: Places, method: str, path: str, again: Leave | None, patience: float
    ) -> None:
        self._line = line
        self._places = places
        self._method = method
        self._path = path
        self._again = again
        self._patience = patience
        self.names = limits_of(method, path)

    async def __aenter__(self) -> Self:
        try:
            self.leave = await self._line.enter(self.names, self._places, again=self._again, patience=self._patience)
        except StillRefusedError:
            waited = f"not sent: the API has refused every request, and will for more than {self._patience:g} s"
            raise RateLimitError(429, [ErrorDetail(waited)], method=self._method, path=self._path) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._line.leave(self._places)

    def unused(self) -> None:
        """The attempt never reached the server: it is not counted."""
        self._line.account.give_back(self.names)

    def answered(self, *, refused: bool, retry_after: float | None) -> None:
        """The server answered. What that changes for those in line, they see when the slot is left.

        Args:
            refused: with 429.
            retry_after: seconds it asked for; None where it did not, or for longer than anybody waits.
        """
        self._line.account.answered(self.names, self.leave.left, refused=refused, retry_after=retry_after)
