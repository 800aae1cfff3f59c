"""Where to sign in: the addresses of an authorization server, Kantata's own or one that describes itself (RFC 8414)."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
import attrs
import msgspec
from yarl import URL

from ..errors import SignInError
from ..transport import answer_to, checked_base_url

_METADATA_PATH: Final = "/.well-known/oauth-authorization-server"


@attrs.frozen
class AuthorizationEndpoints:
    """The addresses of an authorization server.

    Attributes:
        authorize_url: where a person is sent to agree.
        token_url: where a code is exchanged for a token.
        revoke_url: where a token is given back.

    Raises:
        UsageError: an address is neither https nor on this machine.
    """

    authorize_url: str = attrs.field(converter=checked_base_url)
    token_url: str = attrs.field(converter=checked_base_url)
    revoke_url: str = attrs.field(converter=checked_base_url)


KANTATA: Final = AuthorizationEndpoints(
    authorize_url="https://app.mavenlink.com/oauth/authorize",
    token_url="https://app.mavenlink.com/oauth/token",  # noqa: S106 - an address
    revoke_url="https://api.mavenlink.com/oauth/revoke",
)
"""Kantata's own addresses (API facts, "Access")."""


async def discover(base_url: str) -> AuthorizationEndpoints:
    """The authorization server of an API, by the metadata at its host.

    Args:
        base_url: of the API, as a session takes it.

    Raises:
        UsageError: `base_url` is not a base URL.
        SignInError: the host has no such metadata, or names addresses at other hosts.
    """
    origin = URL(checked_base_url(base_url)).origin()
    metadata = await _fetched(origin / _METADATA_PATH.removeprefix("/"))
    addresses = [metadata.get(f"{name}_endpoint") for name in ("authorization", "token", "revocation")]
    if not all(isinstance(one, str) and _has_origin(one, origin) for one in addresses):
        raise SignInError(f"{origin} does not describe its own authorization server at {_METADATA_PATH}")
    return AuthorizationEndpoints(*addresses)


def _has_origin(address: str, origin: URL) -> bool:
    try:
        return URL(address).origin() == origin
    except ValueError:
        return False


async def _fetched(url: URL) -> dict[str, Any]:
    """The metadata at an address.

    Raises:
        SignInError: there is none, or the host cannot be reached.
    """
    try:
        status, content = await answer_to("GET", url)
        metadata = msgspec.json.decode(content) if status == 200 else None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise SignInError(f"{url.origin()} cannot be asked where to sign in: {type(error).__name__}") from None
    except (msgspec.MsgspecError, UnicodeError):
        metadata = None
    if not isinstance(metadata, dict):
        raise SignInError(f"{url.origin()} does not say where to sign in ({_METADATA_PATH})")
    return metadata
