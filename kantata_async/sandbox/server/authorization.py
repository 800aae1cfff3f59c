"""The authorization server: OAuth 2.0 authorization codes with PKCE, tokens for them, and their revocation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import attrs
import msgspec

from ..backend import JSON, Answer, Clock, Consent
from .origins import LOOPBACK

METADATA: Final = "/.well-known/oauth-authorization-server"
AUTHORIZE: Final = "/oauth/authorize"
TOKEN: Final = "/oauth/token"  # noqa: S105 - a path
REVOKE: Final = "/oauth/revoke"
PATHS: Final = frozenset({METADATA, AUTHORIZE, TOKEN, REVOKE})

CODE_LASTS: Final = 300.0
_UNSTORED: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_HTML: Final = "text/html; charset=utf-8"
_PAGE: Final = """<!doctype html><meta charset="utf-8"><title>Kantata sandbox</title>
<p>Let <b>{client}</b> act for you in the sandbox?</p>
<form method="post"><input type="hidden" name="request" value="{request}">
<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>"""


@attrs.frozen
class OAuthApplication:
    """The application that people allow to act for them, as it is registered with the server.

    Without a `client_secret` it is public, and has to use PKCE. A redirect may always go to a loopback address.
    """

    client_id: str = "kantata-sandbox"
    client_secret: str | None = attrs.field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = attrs.field(default=(), converter=tuple)


class _RefusedError(Exception):
    """An OAuth error, which the answer carries as its status and its JSON."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        self.error, self.description, self.status = error, description, status
        super().__init__(error)

    def answer(self) -> Answer:
        return _json({"error": self.error, "error_description": self.description}, self.status)


@attrs.define
class _Asked:
    """What a person is asked to agree to, and the code that they gave for it."""

    redirect_uri: str
    state: str | None
    challenge: str | None
    given_at: float = 0.0
    token: str | None = None


@attrs.frozen(kw_only=True)
class OAuthRequest:
    """A request to one of `PATHS`; `authorization` is its header, by which an application may say who it is."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, Any]
    authorization: str
    origin: str


class AuthorizationServer:
    """An authorization server: the tokens that it issued and revoked, and how to get one.

    Args:
        application: The one application that is registered.
        clock: The server's clock, by which codes expire.
    """

    def __init__(self, application: OAuthApplication, clock: Clock) -> None:
        self.application = application
        self.clock = clock
        self._issued: set[str] = set()
        self._revoked: set[str] = set()
        self._waiting: dict[str, _Asked] = {}
        self._codes: dict[str, _Asked] = {}

    def accepts(self, token: str, known: str) -> bool:
        """Whether a token is valid: one that is known beforehand, or that was issued, and neither was revoked."""
        valid = (one for one in (known, *self._issued) if one not in self._revoked)
        return any(hmac.compare_digest(token.encode(), one.encode()) for one in valid)

    def issue(self) -> str:
        """Another valid token, without a sign-in."""
        token = secrets.token_urlsafe(24)
        self._issued.add(token)
        return token

    def revoke(self, token: str) -> None:
        """Make a token invalid; one that is not valid stays so."""
        self._issued.discard(token)
        self._revoked.add(token)

    def answer(self, request: OAuthRequest, consent: Consent) -> Answer:
        """Answer a request; `consent` is what a person does who is sent here: "ask" shows them a page."""
        try:
            return self._answered(request, consent)
        except _RefusedError as refused:
            return refused.answer()

    def _answered(self, request: OAuthRequest, consent: Consent) -> Answer:
        match request.method, request.path:
            case "GET", "/.well-known/oauth-authorization-server":
                return _json(_metadata(request.origin))
            case "GET", "/oauth/authorize":
                return self._ask(request.query, consent)
            case "POST", "/oauth/authorize":
                return self._decide(str(request.form.get("request", "")), str(request.form.get("decision", "")))
            case "POST", "/oauth/token":
                return self._exchange(request)
            case "POST", "/oauth/revoke":
                self._identify(request)
                self.revoke(str(request.form.get("token", "")))
                return _json({})
            case method, path:
                raise _RefusedError("invalid_request", f"{method} is not for {path}", 405)

    def _ask(self, query: Mapping[str, str], consent: Consent) -> Answer:
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != self.application.client_id:
            raise _RefusedError("invalid_client", "There is no application of this client_id", 401)
        if not self._may_redirect(redirect_uri):
            raise _RefusedError("invalid_request", "The redirect_uri is not one of the application's")
        asked = _Asked(redirect_uri, query.get("state"), query.get("code_challenge"))
        if (problem := self._problem(query)) is not None:
            return _redirect(asked, {"error": problem[0], "error_description": problem[1]})
        request = secrets.token_urlsafe(16)
        self._waiting[request] = asked
        if consent != "ask":
            return self._decide(request, consent)
        page = _PAGE.format(client=html.escape(self.application.client_id), request=request)
        return Answer(200, page.encode(), _HTML, _UNSTORED)

    def _problem(self, query: Mapping[str, str]) -> tuple[str, str] | None:
        if query.get("response_type") != "code":
            return "unsupported_response_type", "response_type must be code"
        challenge, method = query.get("code_challenge"), query.get("code_challenge_method", "plain")
        if challenge and method != "S256":
            return "invalid_request", "code_challenge_method must be S256"
        if not challenge and self.application.client_secret is None:
            return "invalid_request", "code_challenge is required"
        return None

    def _may_redirect(self, address: str) -> bool:
        parts = urlsplit(address)
        loopback = parts.scheme == "http" and parts.hostname in LOOPBACK
        return (loopback or address in self.application.redirect_uris) and not parts.fragment

    def _decide(self, request: str, decision: str) -> Answer:
        asked = self._waiting.pop(request, None)
        if asked is None:
            raise _RefusedError("invalid_request", "Nothing was asked, or it was decided already")
        if decision != "allow":
            return _redirect(asked, {"error": "access_denied", "error_description": "The person did not agree"})
        code = secrets.token_urlsafe(24)
        asked.given_at = self.clock.timestamp()
        self._codes[code] = asked
        return _redirect(asked, {"code": code})

    def _exchange(self, request: OAuthRequest) -> Answer:
        self._identify(request)
        form = request.form
        if form.get("grant_type") != "authorization_code":
            raise _RefusedError("unsupported_grant_type", "grant_type must be authorization_code")
        asked = self._codes.get(str(form.get("code", "")))
        if asked is None:
            raise _RefusedError("invalid_grant", "There is no such code")
        if asked.token is not None:
            # Somebody else may have used it: what it was exchanged for is revoked (RFC 6749, 4.1.2).
            self.revoke(asked.token)
            raise _RefusedError("invalid_grant", "The code has been used")
        if self.clock.timestamp() - asked.given_at > CODE_LASTS:
            raise _RefusedError("invalid_grant", "The code has expired")
        if form.get("redirect_uri") != asked.redirect_uri:
            raise _RefusedError("invalid_grant", "The redirect_uri is not the one that was asked with")
        if asked.challenge is not None and not _proves(asked.challenge, str(form.get("code_verifier", ""))):
            raise _RefusedError("invalid_grant", "The code_verifier does not prove who asked")
        asked.token = self.issue()
        return _json({"access_token": asked.token, "token_type": "bearer"})

    def _identify(self, request: OAuthRequest) -> None:
        form = request.form
        given = _basic(request.authorization) or (str(form.get("client_id", "")), form.get("client_secret") or None)
        if given != (self.application.client_id, self.application.client_secret):
            raise _RefusedError("invalid_client", "The application did not say who it is", 401)


def _metadata(origin: str) -> dict[str, Any]:
    return {
        "issuer": origin,
        "authorization_endpoint": f"{origin}{AUTHORIZE}",
        "token_endpoint": f"{origin}{TOKEN}",
        "revocation_endpoint": f"{origin}{REVOKE}",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
    }


def _json(payload: Any, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(payload), JSON, _UNSTORED)


def _redirect(asked: _Asked, given: Mapping[str, str]) -> Answer:
    state = {} if asked.state is None else {"state": asked.state}
    parts = urlsplit(asked.redirect_uri)
    query = "&".join(part for part in (parts.query, urlencode({**given, **state})) if part)
    return Answer(302, headers={**_UNSTORED, "Location": urlunsplit(parts._replace(query=query))})


def _proves(challenge: str, verifier: str) -> bool:
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, challenge.encode())


def _basic(header: str) -> tuple[str, str | None] | None:
    kind, _, credentials = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        identity, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return None
    return identity, secret or None
