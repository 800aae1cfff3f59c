"""The access token: where it comes from, when it is fetched anew, and how it is kept out of sight."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
from collections.abc import Awaitable, Callable
from typing import Final

from ..errors import UsageError

ENVIRONMENT_VARIABLE: Final = "KANTATA_TOKEN"

Token = str | Callable[[], Awaitable[str]]
"""A token as such, or an async function that fetches one."""

_VISIBLE_ASCII: Final = re.compile(r"[!-~]+")
_WAYS: Final = (
    f"pass token='…', pass token=an async function that returns one, or set the environment variable "
    f"{ENVIRONMENT_VARIABLE}"
)


class TokenSource:
    """Gives the token of a session, and remembers every one it gave so that none is ever shown.

    Args:
        token: the token; or an async function, called when the first token is needed and again when the API refuses
            one; or None for the environment variable KANTATA_TOKEN, which is read by `open`.

    Raises:
        UsageError: the token is neither, or holds something an HTTP header cannot carry.
    """

    def __init__(self, token: Token | None = None) -> None:
        self._function: Callable[[], Awaitable[str]] | None = None
        self._token: str | None = None
        self._flight: asyncio.Task[str] | None = None
        self._seen: list[str] = []
        if callable(token):
            self._function = token
        elif token is not None:
            self._token = self._accepted(token)

    def __repr__(self) -> str:
        return f"<TokenSource: {'an async function' if self.renewable else 'a fixed token'}>"

    @property
    def renewable(self) -> bool:
        """Whether a refused token can be replaced."""
        return self._function is not None

    @property
    def origin(self) -> str | Callable[[], Awaitable[str]]:
        """What stands for whose token it is: the fixed token, or the function that fetches them. Open it first."""
        return self._function if self._function is not None else self._token or ""

    def open(self) -> None:
        """Read the environment variable if nothing was given.

        Raises:
            UsageError: there is no token, or not one that can be sent.
        """
        if self._function is not None or self._token is not None:
            return
        found = os.environ.get(ENVIRONMENT_VARIABLE)
        if not found:
            raise UsageError(f"no access token: {_WAYS}")
        self._token = self._accepted(found)

    async def current(self) -> str:
        """The token to send now; fetched first where none has been.

        Raises:
            UsageError: there is no token, or the function gave something that is not one.
        """
        return self._token if self._token is not None else await self._fetched()

    async def renew(self, stale: str) -> str:
        """A token to use in place of one that the API refused; requests refused together share one call.

        Args:
            stale: the refused token. Where it has been replaced already, the replacement is returned.

        Raises:
            UsageError: the token is fixed, or the function gave something that is not one.
        """
        if not self.renewable:
            raise UsageError("a fixed token cannot be renewed: pass token=an async function that fetches one")
        if self._token == stale:
            self._token = None
        return await self.current()

    async def close(self) -> None:
        """Stop a call of the function that is still under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)

    def redact(self, text: str) -> str:
        """The text with every token given so far replaced by ***."""
        for token in self._seen:
            text = text.replace(token, "***")
        return text

    async def _fetched(self) -> str:
        # A task of its own, shielded: the caller that started the call may be cancelled while others wait for it.
        if self._flight is None:
            self._flight = asyncio.get_running_loop().create_task(self._call(), name="kantata-token")
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    def _landed(self, flight: asyncio.Task[str]) -> None:
        self._flight = None
        # Reading the exception keeps asyncio from reporting one whose waiters were all cancelled.
        if not flight.cancelled():
            flight.exception()

    async def _call(self) -> str:
        if self._function is None:
            raise UsageError(f"no access token: {_WAYS}")
        awaitable = self._function()
        if not inspect.isawaitable(awaitable):
            raise UsageError(
                f"token must be a str or an async function; calling it gave a {type(awaitable).__name__}, "
                "which cannot be awaited"
            )
        self._token = self._accepted(await awaitable)
        return self._token

    def _accepted(self, token: object) -> str:
        if not isinstance(token, str):
            raise UsageError(f"a token must be a str, not {type(token).__name__}: {_WAYS}")
        if not token:
            raise UsageError(f"the token is empty: {_WAYS}")
        if not _VISIBLE_ASCII.fullmatch(token):
            raise UsageError(
                "the token holds white space, a line break, a control character or a character outside ASCII: "
                "none can be sent in a header"
            )
        if token not in self._seen:
            self._seen.append(token)
            # The longest first: a token may begin with another one.
            self._seen.sort(key=len, reverse=True)
        return token
