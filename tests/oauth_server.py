"""An authorization server of the tests' own: codes for a person who agrees, tokens for codes, and refusals."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web


@dataclass
class OAuthServer:
    """`async with OAuthServer() as server`, then `server.url`; `agree` plays the person at the browser."""

    client_id: str = "our-application"
    client_secret: str | None = None
    token_answer: dict[str, Any] | None = None
    """What every exchange is answered with, in place of a token."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    name: str = "Ada Moreau"
    revoked: list[str] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/.well-known/oauth-authorization-server", self._metadata)
        application.router.add_post("/oauth/token", self._token)
        application.router.add_post("/oauth/revoke", self._revoke)
        application.router.add_get("/api/v1/users/me", self._me)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.url = f"{self.origin}/api/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def agree(self, url: str) -> str:
        """The address that a person who agrees is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["client_id"] == self.client_id
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def refuse(self, url: str) -> str:
        """The address that a person who refuses is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        query = {"error": "access_denied", "error_description": "No\x1b[31m thanks", "state": asked["state"]}
        return f"{asked['redirect_uri']}?{urlencode(query)}"

    async def _metadata(self, _request: web.Request) -> web.Response:
        names = {"authorization": "authorize", "token": "token", "revocation": "revoke"}
        return web.json_response({f"{name}_endpoint": f"{self.origin}/oauth/{path}" for name, path in names.items()})

    async def _token(self, request: web.Request) -> web.Response:
        if self.token_answer is not None:
            return web.json_response(self.token_answer)
        form = await request.post()
        asked = self.codes.pop(str(form["code"]), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest()).rstrip(b"=")
        if (
            asked is None
            or asked["code_challenge"] != challenge.decode()
            or asked["redirect_uri"] != form["redirect_uri"]
            or form["client_id"] != self.client_id
        ):
            return web.json_response({"error": "invalid_grant", "error_description": "used or expired"}, status=400)
        if form.get("client_secret") != self.client_secret:
            return web.json_response({"error": "invalid_client"}, status=401)
        token = secrets.token_urlsafe(24)
        self.tokens.add(token)
        return web.json_response({"access_token": token, "token_type": "bearer"})

    async def _revoke(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.revoked.append(str(form["token"]))
        self.tokens.discard(str(form["token"]))
        return web.Response()

    async def _me(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if token not in self.tokens:
            return web.json_response({"errors": [{"type": "oauth", "message": "Invalid OAuth 2 Request"}]}, status=401)
        me = {"id": "1", "full_name": self.name, "email_address": "ada@example.com"}
        return web.json_response({"count": 1, "results": [{"key": "users", "id": "1"}], "users": {"1": me}})
