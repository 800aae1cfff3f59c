"""The authorization server: OAuth 2.0 authorization codes with PKCE, tokens for them, their renewal and revocation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import math
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
_CONSENT_HEADERS: Final = {**_UNSTORED, "Content-Security-Policy": "frame-ancestors 'none'"}
_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Kantata sandbox</title>
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">
<style>body {{ font: 1.2rem/1.5 system-ui; margin: 4rem auto; max-width: 30rem; padding: 0 1rem }}
button {{ font: inherit; padding: .4rem 1.2rem }}</style>
<p>Let <b>{client}</b> act for you in the sandbox?</p>
<form method="post"><input type="hidden" name="request" value="{request}">
<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>"""


@attrs.frozen
class OAuthApplication:
    """The application that people allow to act for them, as registered with the server.

    Without a `client_secret` it is public, and has to use PKCE. A redirect may always go to a loopback address. Its
    access tokens last for ever, as Kantata's do; or for `token_lasts` seconds, each with a refresh token.
    """

    client_id: str = "kantata-sandbox"
    client_secret: str | None = attrs.field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    token_lasts: float | None = None


class _RefusedError(Exception):
    """An OAuth error, which the answer carries as its status and its JSON."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        self.error, self.description, self.status = error, description, status
        super().__init__(error)

    def answer(self) -> Answer:
        return _json({"error": self.error, "error_description": self.description}, self.status)


@attrs.define
class _SignedIn:
    """What a person's consent has come to: the newest tokens given for it, the only valid ones."""

    access_token: str
    refresh_token: str | None = None


@attrs.define
class _ConsentAsked:
    """What a person is asked to agree to, the code that they gave for it, and what it was exchanged for."""

    redirect_uri: str
    state: str | None
    challenge: str | None
    given_at: float = 0.0
    signed_in: _SignedIn | None = None


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
        self._issued: dict[str, float] = {}
        """When each token that was issued expires."""
        self._refreshing: dict[str, _SignedIn] = {}
        """The sign-in of each refresh token, used ones too."""
        self._revoked: set[str] = set()
        self._waiting: dict[str, _ConsentAsked] = {}
        self._codes: dict[str, _ConsentAsked] = {}

    def accepts(self, token: str, known: str) -> bool:
        """Whether a token is valid: known beforehand, or issued and not expired; and not revoked."""
        now = self.clock.timestamp()
        lasting = (one for one, ends in self._issued.items() if now < ends)
        valid = (one for one in (known, *lasting) if one not in self._revoked)
        return any(hmac.compare_digest(token.encode(), one.encode()) for one in valid)

    def issue(self) -> str:
        """Another valid token, without a sign-in."""
        return self._issue(math.inf)

    def revoke(self, token: str) -> None:
        """Make a token invalid, and with a refresh token its access token; one that is not valid stays so."""
        if token in self._refreshing:
            self._end(self._refreshing[token])
        self._issued.pop(token, None)
        self._revoked.add(token)

    def answer(self, request: OAuthRequest, consent: Consent) -> Answer:
        """The answer to a request; `consent` is what a person sent here does: "ask" shows them a page."""
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
        asked = _ConsentAsked(redirect_uri, query.get("state"), query.get("code_challenge"))
        if (problem := self._problem(query)) is not None:
            return _redirect(asked, {"error": problem[0], "error_description": problem[1]})
        request = secrets.token_urlsafe(16)
        self._waiting[request] = asked
        if consent != "ask":
            return self._decide(request, consent)
        page = _PAGE.format(client=html.escape(self.application.client_id), request=request)
        return Answer(200, page.encode(), _HTML, _CONSENT_HEADERS)

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
        match request.form.get("grant_type"):
            case "authorization_code":
                return self._granted(self._for_code(request.form))
            case "refresh_token":
                return self._granted(self._refreshed(str(request.form.get("refresh_token", ""))))
            case _:
                raise _RefusedError("unsupported_grant_type", "grant_type must be authorization_code or refresh_token")

    def _for_code(self, form: Mapping[str, Any]) -> _SignedIn:
        asked = self._codes.get(str(form.get("code", "")))
        if asked is None:
            raise _RefusedError("invalid_grant", "There is no such code")
        if asked.signed_in is not None:
            # Somebody else may have used it: the tokens that it was exchanged for are revoked (RFC 6749, 4.1.2).
            self._end(asked.signed_in)
            raise _RefusedError("invalid_grant", "The code has been used")
        if self.clock.timestamp() - asked.given_at > CODE_LASTS:
            raise _RefusedError("invalid_grant", "The code has expired")
        if form.get("redirect_uri") != asked.redirect_uri:
            raise _RefusedError("invalid_grant", "The redirect_uri is not the one that was asked with")
        if asked.challenge is not None and not _proves(asked.challenge, str(form.get("code_verifier", ""))):
            raise _RefusedError("invalid_grant", "The code_verifier does not prove who asked")
        asked.signed_in = _SignedIn("")
        self._give(asked.signed_in)
        return asked.signed_in

    def _refreshed(self, refresh_token: str) -> _SignedIn:
        signed_in = self._refreshing.get(refresh_token)
        if signed_in is None:
            raise _RefusedError("invalid_grant", "There is no such refresh token")
        if refresh_token != signed_in.refresh_token:
            # A thief and the owner hold it, and nobody knows which of them asks: neither goes on (RFC 9700, 4.14.2).
            self._end(signed_in)
            raise _RefusedError("invalid_grant", "The refresh token has been used, or was revoked")
        self._issued.pop(signed_in.access_token, None)
        self._give(signed_in)
        return signed_in

    def _give(self, signed_in: _SignedIn) -> None:
        """Give a sign-in new tokens in place of those that it had."""
        lasts = self.application.token_lasts
        signed_in.access_token = self._issue(math.inf if lasts is None else self.clock.timestamp() + lasts)
        if lasts is not None:
            signed_in.refresh_token = secrets.token_urlsafe(24)
            self._refreshing[signed_in.refresh_token] = signed_in

    def _issue(self, ends: float) -> str:
        token = secrets.token_urlsafe(24)
        self._issued[token] = ends
        return token

    def _end(self, signed_in: _SignedIn) -> None:
        self._issued.pop(signed_in.access_token, None)
        signed_in.refresh_token = None

    def _granted(self, signed_in: _SignedIn) -> Answer:
        answer: dict[str, Any] = {"access_token": signed_in.access_token, "token_type": "bearer"}
        if self.application.token_lasts is not None:
            answer |= {"expires_in": self.application.token_lasts, "refresh_token": signed_in.refresh_token}
        return _json(answer)

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
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
    }


def _json(payload: Any, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(payload), JSON, _UNSTORED)


def _redirect(asked: _ConsentAsked, given: Mapping[str, str]) -> Answer:
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
