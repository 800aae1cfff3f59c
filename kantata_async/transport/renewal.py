"""The token of a profile renewed by its refresh token, when the API refuses it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import attrs
import msgspec

from ..errors import SignInError
from ..extras import from_extra
from .hidden import HiddenForm, HiddenToken
from .network import Network
from .profiles import Profile, load_profile, lock_path, save_profile
from .token_server import OAUTH_REFUSALS, post_form

SECRET_VARIABLE: Final = "KANTATA_CLIENT_SECRET"  # noqa: S105 - the name of a variable
_SECONDS_FOR_ANOTHER_PROCESS: Final = 60


class _Granted(msgspec.Struct, frozen=True):
    """What a refresh token is exchanged for; the server may replace the refresh token too."""

    access_token: str
    refresh_token: str | None = None


class _Refused(msgspec.Struct, frozen=True):
    error: str = ""


async def renewed_profile(profile: Profile, refused: HiddenToken, network: Network) -> Profile:
    """The profile with a token other than the refused one, asked for over a network, as it is kept from here on.

    A refresh token works once. So the processes that share a profile renew it one after the other, and one that finds
    it renewed takes what is there; and a renewal, once begun, is completed even if whoever waits for it is cancelled.

    Raises:
        SignInError: the server refused, or the profile was signed out meanwhile.
        UsageError: the profile cannot be read or written, or filelock is not installed.
    """
    renewing = asyncio.create_task(_renewed(profile, refused, network), name="kantata-renewal")
    try:
        return await asyncio.shield(renewing)
    except asyncio.CancelledError:
        await asyncio.gather(renewing, return_exceptions=True)
        raise


async def _renewed(profile: Profile, refused: HiddenToken, network: Network) -> Profile:
    async with _alone_with(profile):
        kept = load_profile(profile.name)
        if kept is None or kept.base_url != profile.base_url:
            raise SignInError(f"the profile {profile.name!r} was signed out: sign in again with `kantata-async login`")
        if kept.access_token == refused.value:
            kept = await _exchanged(kept, network)
            save_profile(kept)
        return kept


async def _exchanged(profile: Profile, network: Network) -> Profile:
    """The profile with what the authorization server gives for its refresh token."""
    if profile.refresh_token is None or profile.token_url is None:
        raise SignInError(f"the token of the profile {profile.name!r} ended: sign in again with `kantata-async login`")
    status, content = await post_form(profile.token_url, _form_of(profile), network)
    try:
        granted = msgspec.json.decode(content, type=_Granted)
    except msgspec.MsgspecError:
        granted = None
    if status == 200 and granted is not None:
        kept_on = granted.refresh_token or profile.refresh_token
        return attrs.evolve(profile, access_token=granted.access_token, refresh_token=kept_on)
    reason = _refusal(content) or f"the server answered {status}"
    # The answer may hold a token, and a traceback may show what a frame holds.
    del content, granted
    raise SignInError(
        f"the profile {profile.name!r} was not renewed ({reason}): sign in again with `kantata-async login`",
        code=reason if reason in OAUTH_REFUSALS else None,
    )


def _form_of(profile: Profile) -> HiddenForm:
    fields = {"grant_type": "refresh_token", "refresh_token": profile.refresh_token, "client_id": profile.client_id}
    fields["client_secret"] = os.environ.get(SECRET_VARIABLE)
    return HiddenForm({name: value for name, value in fields.items() if value})


def _refusal(content: str) -> str | None:
    """The OAuth error code of an answer, where it has one."""
    try:
        code = msgspec.json.decode(content, type=_Refused).error
    except msgspec.MsgspecError:
        return None
    return code if code in OAUTH_REFUSALS else None


@asynccontextmanager
async def _alone_with(profile: Profile) -> AsyncIterator[None]:
    """A block in which no other process renews the profile; the system releases its lock with the process."""
    with from_extra("signin", "renewing a token"):
        from filelock import AsyncFileLock, Timeout  # noqa: PLC0415 - an extra
    lock = AsyncFileLock(lock_path(profile.name), timeout=_SECONDS_FOR_ANOTHER_PROCESS, mode=0o600)
    try:
        await lock.acquire()
    except Timeout:
        raise SignInError(f"another process does not finish renewing the profile {profile.name!r}") from None
    try:
        yield
    finally:
        await lock.release()
