"""What every attempt of a session passes before it goes on the wire: a place, its turn, and the limits."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Final, Self
from weakref import WeakKeyDictionary

from .account import Account, LimitState, Unlimited, local_account, token_digest
from .endpoints import buckets_of
from .line import Leave, Line, Places, line_to
from .rate import RateLimitSetting, RedisRateLimit


class Limiter:
    """Lets attempts of one session go: at most `concurrency` at a time, in turn with others, no faster than the limits.

    Make it in the event loop that uses it, and close it there.

    Args:
        concurrency: how many attempts may be under way at once.
        account: whose limits they count against; None for none.
    """

    def __init__(self, concurrency: int, account: Account | None = None) -> None:
        self._places: Final = Places(concurrency)
        self._account: Final = account
        self._line: Final = Line(Unlimited()) if account is None else line_to(account)

    @property
    def limited(self) -> bool:
        """Whether there are limits, which then also say when a refused request goes again."""
        return self._account is not None

    @property
    def states(self) -> dict[str, LimitState]:
        """How every limit stands that was asked for so far, by name."""
        return {state.name: state for state in self._line.account.states(self._line.waiting_for)}

    def slot(self, method: str, path: str, again: Leave | None = None) -> Slot:
        """One attempt's leave: `async with limiter.slot(…) as slot:` around it, never around a wait between two.

        Args:
            method: of the request.
            path: of the request, below the base URL.
            again: the `leave` of the slot in which it was refused.
        """
        return Slot(self._line, self._places, buckets_of(method, path), again)

    async def close(self) -> None:
        """Let go of what the account holds of the event loop."""
        await self._line.account.close()


class Slot:
    """Held while one attempt is under way; `names` are those of the limits that it counts against."""

    __slots__ = ("_again", "_line", "_places", "leave", "names")

    leave: Leave

    def __init__(self, line: Line, places: Places, names: tuple[str, ...], again: Leave | None) -> None:
        self._line = line
        self._places = places
        self.names = names
        self._again = again

    async def __aenter__(self) -> Self:
        line, names, places, again = self._line, self.names, self._places, self._again
        leave = line.enter_now(names, places, again=again)
        self.leave = leave if leave is not None else await line.enter(names, places, again=again)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.leave(self._places)

    def unused(self) -> None:
        """The attempt never reached the server: it is not counted."""
        self._line.account.give_back(self.names)

    async def answered(self, *, refused: bool, retry_after: float | None) -> None:
        """The server answered. What that changes for those in line, they see when the slot is left.

        Args:
            refused: with 429.
            retry_after: seconds it asked for; None where it did not.
        """
        await self._line.account.answered(self.names, self.leave.left, refused=refused, retry_after=retry_after)


_owners: Final[WeakKeyDictionary[object, bytes]] = WeakKeyDictionary()


def account_for(setting: RateLimitSetting, token: str | object, base_url: str) -> Account:
    """The account whose limits a session shares: the one of its token, base URL and setting.

    Where tokens are fetched, whatever stands for who fetches them stands for the account.

    Raises:
        UsageError: the setting asks for Redis and the client for it is not installed.
    """
    if isinstance(setting, RedisRateLimit):
        from .redis_account import redis_account  # noqa: PLC0415 - an extra

        return redis_account(setting, token, base_url)
    identity = token_digest(token) if isinstance(token, str) else _owners.setdefault(token, os.urandom(32))
    return local_account(identity, base_url, setting)
