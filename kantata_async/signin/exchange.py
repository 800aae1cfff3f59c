"""An authorization code exchanged for an access token, and a token given back: requests outside any session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import attrs
import msgspec
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

from ..errors import SignInError
from ..transport import HiddenForm, post_form
from .application import Application, Authorization, code_of, refusal, secured
from .server import AuthorizationEndpoints


@attrs.frozen
class AccessToken:
    """The access token that a sign-in gives.

    Attributes:
        value: what a session takes as its token.
        expires_at: when it ends; None for never, as Kantata's own (API facts, "Access").
        refresh_token: what it can be replaced with, once; None where the server gave none, as Kantata's own.
    """

    value: str = attrs.field(repr=False)
    expires_at: dt.datetime | None = None
    refresh_token: str | None = attrs.field(default=None, repr=False)


async def exchange(
    application: Application, server: AuthorizationEndpoints, authorization: Authorization, redirect: str
) -> AccessToken:
    """The access token for the code that a person came back with; a code works once, for five minutes.

    Args:
        application: the one that signs in.
        server: where it signs in.
        authorization: what `Application.begin` gave.
        redirect: the whole address that the person was sent back to.

    Raises:
        SignInError: the person or the server refused, the redirect belongs to another sign-in, or the server cannot be
            reached.
    """
    client = WebApplicationClient(application.client_id)
    secret: dict[str, Any] = {} if application.client_secret is None else {"client_secret": application.client_secret}
    form = _form(
        client.prepare_request_body(
            code_of(authorization, redirect), application.redirect_uri, code_verifier=authorization.verifier, **secret
        )
    )
    _, content = await post_form(server.token_url, form)
    try:
        token: Mapping[str, object] = client.parse_request_body_response(_plain_fields(content))
    except OAuth2Error as error:
        message, code = refusal(error)
    except ValueError:
        message, code = "no token was given: the answer is not what OAuth 2.0 promises", None
    else:
        return _token_of(token)
    # Raised outside the handler: the errors above may hold the answer, and with it a token.
    raise SignInError(message, code=code)


async def revoke(application: Application, revoke_url: str, token: str) -> None:
    """Revoke a token; one that is no longer valid is accepted too (RFC 7009).

    Args:
        application: the one that the token was given to.
        revoke_url: where the server that gave it takes it back.
        token: the one to give back.

    Raises:
        SignInError: the server refused, or cannot be reached.
    """
    client = WebApplicationClient(application.client_id)
    _, _, body = client.prepare_token_revocation_request(
        secured(revoke_url), token, client_id=application.client_id, client_secret=application.client_secret or ""
    )
    status, _ = await post_form(revoke_url, _form(body))
    if status != 200:
        raise SignInError(f"the token was not revoked: the server answered {status}")


def _plain_fields(content: str) -> str:
    """The texts and numbers of a JSON object, as JSON.

    Raises:
        ValueError: it is no object.
    """
    fields = msgspec.json.decode(content, type=dict[str, Any])
    plain = {name: value for name, value in fields.items() if isinstance(value, str | int | float)}
    return msgspec.json.encode(plain).decode()


def _token_of(token: Mapping[str, object]) -> AccessToken:
    value, ends, refreshing = token.get("access_token"), token.get("expires_at"), token.get("refresh_token")
    if not isinstance(value, str):
        raise SignInError("no token was given: the answer has none that can be sent")
    return AccessToken(
        value,
        dt.datetime.fromtimestamp(ends, dt.UTC) if isinstance(ends, int | float) else None,
        refreshing if isinstance(refreshing, str) and refreshing else None,
    )


def _form(body: str) -> HiddenForm:
    return HiddenForm(dict(parse_qsl(body)))
