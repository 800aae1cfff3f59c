"""The access token: where it comes from, when it is fetched anew, and how it is kept out of sight."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import weakref
from collections.abc import Awaitable, Callable
from typing import Final

import attrs

from ..callables import fault_in_calling
from ..errors import UsageError
from .hidden import HiddenToken
from .network import Network
from .profiles import Profile, kept_profile
from .redaction import Redaction
from .renewal import renewed_profile

ENVIRONMENT_VARIABLE: Final = "KANTATA_TOKEN"

Token = str | Callable[[], Awaitable[str]] | Profile
"""A token as such, an async function that fetches one, or the profile of a sign-in."""

_VISIBLE_ASCII: Final = re.compile(r"[!-~]+")
_WAYS: Final = (
    f"pass token='…', pass token=an async function that returns one, set the environment variable "
    f"{ENVIRONMENT_VARIABLE}, or sign in with `kantata-async login`"
)


@attrs.define(eq=False)
class TokenOwner:
    """A stand-in for the object whose tokens a function fetches: any object can have one, hashable or not."""

    subject: object = attrs.field(repr=False, default=None)


class TokenSource:
    """The source of a session's token, which redacts every token that it has given.

    No error is raised before `open`, so that no frame above holds a token when one is.

    Args:
        token: the token; or an async function, called when the first token is needed and again when the API refuses
            one; or a profile, renewed where it can be when the API refuses its token; or None for the environment
            variable KANTATA_TOKEN or the profile of a sign-in, read by `open`.
    """

    def __init__(self, token: Token | None = None) -> None:
        self.redact: Final = Redaction()
        self._function: Callable[[], Awaitable[str]] | None = None
        self._profile: Profile | None = None
        self._token: HiddenToken | None = None
        self._refused: HiddenToken | None = None
        self._fault: str | None = None
        self._flight: asyncio.Task[None] | None = None
        self._network = Network()
        if callable(token):
            self._function = token
            fault = fault_in_calling(token)
            self._fault = None if fault is None else f"KantataSession: token {fault}"
        elif isinstance(token, Profile):
            self._fault = self._use(token)
        elif token is not None:
            self._fault = self._take(token)

    def __repr__(self) -> str:
        if self._profile is not None:
            return f"<TokenSource: the profile {self._profile.name!r}>"
        return f"<TokenSource: {'an async function' if self.renewable else 'a fixed token'}>"

    @property
    def renewable(self) -> bool:
        """Whether a refused token can be replaced."""
        return self._function is not None or (self._profile is not None and self._profile.refresh_token is not None)

    @property
    def origin(self) -> str | TokenOwner:
        """What identifies the token's owner: a fixed token, or the owner of a function or profile; set by `open`."""
        if self._function is not None:
            return owner_of(self._function)
        if self._profile is not None and self.renewable:
            return _profile_owners.setdefault((self._profile.name, self._profile.base_url), TokenOwner())
        return "" if self._token is None else self._token.value

    def check(self) -> None:
        """Refuse a token that cannot be used.

        Raises:
            UsageError: the token is neither text nor a function that is called without arguments, or holds something
                that an HTTP header cannot carry.
        """
        if self._fault is not None:
            raise UsageError(self._fault)

    def open(self, base_url: str, network: Network = Network()) -> None:  # noqa: B008 - frozen
        """Find a token if none was given: in the environment variable, else in the profile of a sign-in.

        Args:
            base_url: the API that the token is to be sent to; a profile's token goes to no other than its own.
            network: how the authorization server is reached that renews a profile.

        Raises:
            UsageError: there is no token, none that can be sent, or only one for another API.
        """
        self.check()
        self._network = network
        if self._profile is not None:
            _check_address(self._profile, base_url)
        if self._function is not None or self._token is not None:
            return
        if os.environ.get(ENVIRONMENT_VARIABLE):
            fault = self._take(os.environ[ENVIRONMENT_VARIABLE])
            if fault is not None:
                raise UsageError(f"{ENVIRONMENT_VARIABLE}: {fault}")
            return
        kept = kept_profile()
        if kept is None:
            raise UsageError(f"no access token: {_WAYS}")
        _check_address(kept, base_url)
        self._fault = self._use(kept)
        self.check()

    async def current(self) -> HiddenToken:
        """The token to send; it is fetched first where there is none yet.

        Raises:
            UsageError: there is no token, or the function gave something that is not one.
        """
        while self._token is None:
            await self._fetched()
        return self._token

    async def renew(self, stale: HiddenToken) -> HiddenToken:
        """A token to use in place of one that the API refused; requests refused together share one renewal.

        Args:
            stale: the refused token. Where it has been replaced already, the replacement is returned.

        Raises:
            UsageError: the token is fixed, or the function gave something that is not one.
            SignInError: the profile's sign-in has ended.
        """
        if not self.renewable:
            raise UsageError("a fixed token cannot be renewed: pass token=an async function that fetches one")
        if self._token is stale:
            self._token, self._refused = None, stale
        return await self.current()

    async def close(self) -> None:
        """Stop a call of the function that is still under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)

    async def _fetched(self) -> None:
        # Runs as a separate task: the caller that started it may be cancelled while others wait.
        if self._flight is None:
            self._flight = asyncio.get_running_loop().create_task(self._call(), name="kantata-token")
            self._flight.add_done_callback(self._landed)
        flight = self._flight
        await asyncio.wait([flight])
        if flight.cancelled():
            raise UsageError("the token function was cancelled before it gave a token")
        flight.result()

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flight = None
        # Reading the exception keeps asyncio from reporting one whose waiters were all cancelled.
        if not flight.cancelled():
            flight.exception()

    async def _call(self) -> None:
        if self._profile is not None and self._refused is not None:
            fault = self._use(await renewed_profile(self._profile, self._refused, self._network))
            if fault is not None:
                raise UsageError(fault)
            return
        if self._function is None:
            raise UsageError(f"no access token: {_WAYS}")
        awaitable = self._function()
        if not inspect.isawaitable(awaitable):
            kind = type(awaitable).__name__
            del awaitable
            raise UsageError(
                f"token must be a str or an async function; calling it gave a {kind}, which cannot be awaited"
            )
        fault = self._take(await awaitable)
        if fault is not None:
            raise UsageError(fault)

    def _use(self, profile: Profile) -> str | None:
        """What is wrong with a profile; None where it and its token are used from here on."""
        self._profile = profile
        if profile.refresh_token is not None:
            self.redact.add(profile.refresh_token)
        fault = self._take(profile.access_token)
        return None if fault is None else f"the profile {profile.name!r}: {fault}"

    def _take(self, token: object) -> str | None:
        """What is wrong with a token; None where it is used from here on."""
        if not isinstance(token, str):
            return f"a token must be a str, not {type(token).__name__}: {_WAYS}"
        if not token:
            return f"the token is empty: {_WAYS}"
        if not _VISIBLE_ASCII.fullmatch(token):
            return (
                "the token holds white space, a line break, a control character or a character outside ASCII: "
                "none can be sent in a header"
            )
        self.redact.add(str(token))
        self._token = HiddenToken(str(token))
        return None


def _check_address(profile: Profile, base_url: str) -> None:
    if profile.base_url.rstrip("/") != base_url.rstrip("/"):
        raise UsageError(
            f"the profile {profile.name!r} is for {profile.base_url}, and its token goes nowhere else: "
            f"say so with base_url= or KANTATA_BASE_URL"
        )


_owners: Final[dict[int, tuple[weakref.ref[object], TokenOwner]]] = {}
_profile_owners: Final[dict[tuple[str, str], TokenOwner]] = {}
_kept_owners: Final[weakref.WeakValueDictionary[int, TokenOwner]] = weakref.WeakValueDictionary()


def owner_of(function: Callable[[], Awaitable[str]]) -> TokenOwner:
    """The owner of a function: for a method the object it belongs to, for anything else the function itself."""
    subject: object = getattr(function, "__self__", function)
    key = id(subject)
    if key in _owners:
        return _owners[key][1]
    try:
        reference = weakref.ref(subject, lambda _: _owners.pop(key, None))
    except TypeError:
        # The owner holds it, so that its memory address is not reused.
        owner = _kept_owners.get(key) or TokenOwner(subject)
        _kept_owners[key] = owner
        return owner
    owner = TokenOwner()
    _owners[key] = reference, owner
    return owner
