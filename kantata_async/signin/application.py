"""What signs in: a registered application, the address to send a person to, and what comes back from there. Pure."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import attrs
from oauthlib.oauth2 import InsecureTransportError, MismatchingStateError, OAuth2Error, WebApplicationClient
from oauthlib.oauth2.rfc6749.errors import MissingCodeError

from ..errors import SignInError, UsageError
from ..transport import OAUTH_REFUSALS

if TYPE_CHECKING:
    from .server import AuthorizationEndpoints

_VERIFIER_BYTES: Final = 64


@attrs.frozen
class Authorization:
    """A sign-in under way: keep it until the person comes back.

    Attributes:
        url: where to send the person.
        state: what the redirect must bring back.
        verifier: the secret without which the code is worthless (PKCE).
    """

    url: str
    state: str = attrs.field(repr=False)
    verifier: str = attrs.field(repr=False)


def _is_text(_: object, field: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str):
        raise UsageError(f"Application: {field.name} must be a str, not {type(value).__name__}")


@attrs.frozen
class Application:
    """An application as it is registered with Kantata.

    Attributes:
        client_id: its public name.
        redirect_uri: where a person is sent back to: https, or http on this very machine.
        client_secret: None for an application that cannot keep one.

    Raises:
        UsageError: a value is wrong.
    """

    client_id: str = attrs.field(validator=_is_text)
    redirect_uri: str = attrs.field(validator=_is_text)
    client_secret: str | None = attrs.field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        if not self.client_id.strip():
            raise UsageError("Application: client_id must be the id that Kantata gave the application")
        if not _is_safe(self.redirect_uri):
            raise UsageError("Application: redirect_uri must be an https address, or http on 127.0.0.1")

    def begin(self, server: AuthorizationEndpoints) -> Authorization:
        """Begin to sign in at a server; nothing is sent."""
        client = WebApplicationClient(self.client_id)
        verifier = client.create_code_verifier(2 * _VERIFIER_BYTES)
        state = secrets.token_urlsafe(32)
        url = client.prepare_request_uri(
            secured(server.authorize_url),
            redirect_uri=self.redirect_uri,
            state=state,
            code_challenge=client.create_code_challenge(verifier, "S256"),
            code_challenge_method="S256",
        )
        return Authorization(server.authorize_url + url[len(secured(server.authorize_url)) :], state, verifier)


def code_of(authorization: Authorization, redirect: str) -> str:
    """The authorization code in the address that a person was sent back to.

    Raises:
        SignInError: the person or the server refused, or the redirect belongs to another sign-in.
    """
    client = WebApplicationClient("")
    try:
        found: str = client.parse_request_uri_response(secured(redirect), state=authorization.state)["code"]
    except MismatchingStateError:
        message, code = (
            "the redirect is not the answer to this sign-in (its state differs): start signing in again",
            None,
        )
    except (MissingCodeError, InsecureTransportError, ValueError):
        message, code = "the address holds no authorization code: give the whole of it", None
    except OAuth2Error as error:
        message, code = refusal(error)
    else:
        return found
    # Raised outside the handler: the errors above hold the redirect, and with it a code.
    raise SignInError(message, code=code)


def refusal(error: OAuth2Error) -> tuple[str, str | None]:
    """What to say of a refusal, and OAuth's code for it; None for a code that OAuth does not have."""
    code = str(error.error)
    if code not in OAUTH_REFUSALS:
        return "signing in was refused, for a reason that OAuth 2.0 does not have", None
    return f"signing in was refused: {OAUTH_REFUSALS[code]} ({code})", code


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"))


def secured(address: str) -> str:
    """An address in the form that oauthlib takes, which refuses http even on loopback, where RFC 8252 allows it."""
    return f"https{address[len('http') :]}" if address.startswith("http:") else address
