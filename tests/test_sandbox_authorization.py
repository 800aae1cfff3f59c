"""The sandbox as authorization server: agreeing, exchanging, refusing, growing old and taking back."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from kantata_async import AuthenticationError, KantataSession
from kantata_async.sandbox import Fault, OAuthApplication, Sandbox

pytestmark = pytest.mark.company(people=3, projects=1)

BACK = "http://127.0.0.1:8123/back?from=kantata"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-as-it-should"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "response_type": "code",
    "client_id": "kantata-sandbox",
    "redirect_uri": BACK,
    "state": "s1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
EXCHANGE = {
    "grant_type": "authorization_code",
    "client_id": "kantata-sandbox",
    "redirect_uri": BACK,
    "code_verifier": VERIFIER,
}


def origin(sandbox: Sandbox) -> str:
    return sandbox.url.removesuffix("/api/v1")


async def sent_back(
    sandbox: Sandbox, anonymous: aiohttp.ClientSession, asked: dict[str, str] | None = None
) -> dict[str, str]:
    """What the redirect tells the application."""
    address = f"{origin(sandbox)}/oauth/authorize"
    async with anonymous.get(address, params=asked or ASKED, allow_redirects=False) as response:
        assert response.status == 302, await response.text()
        return query_of(response.headers["Location"])


def query_of(location: str) -> dict[str, str]:
    assert location.startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def exchanged(
    sandbox: Sandbox, anonymous: aiohttp.ClientSession, code: str, header: str | None = None, **changes: Any
) -> tuple[int, Any]:
    form = {name: value for name, value in {**EXCHANGE, "code": code, **changes}.items() if value is not None}
    headers = {"Authorization": header} if header else {}
    async with anonymous.post(f"{origin(sandbox)}/oauth/token", data=form, headers=headers) as response:
        assert response.headers["Cache-Control"] == "no-store"
        return response.status, await response.json()


async def is_taken(sandbox: Sandbox, anonymous: aiohttp.ClientSession, token: str) -> bool:
    async with anonymous.get(f"{sandbox.url}/users/me", headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status in {200, 401}
        return response.status == 200


async def test_the_metadata_says_where_everything_is(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """RFC 8414, at the well-known place."""
    async with anonymous.get(f"{origin(sandbox)}/.well-known/oauth-authorization-server") as response:
        metadata = await response.json()
    assert metadata["issuer"] == origin(sandbox)
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization", "token", "revocation"):
        async with anonymous.put(metadata[f"{name}_endpoint"]) as response:
            assert response.status == 405


async def test_a_person_agrees_on_a_page(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """The page asks, a button answers, the code comes back with the state, and its token is taken."""
    address = f"{origin(sandbox)}/oauth/authorize"
    async with anonymous.get(address, params=ASKED) as response:
        assert response.content_type == "text/html"
        assert response.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        page = await response.text()
    (request,) = re.findall(r'name="request" value="([^"]+)"', page)
    decision = {"request": request, "decision": "allow"}
    async with anonymous.post(address, data=decision, allow_redirects=False) as response:
        back = query_of(response.headers["Location"])
    assert (back["state"], back["from"]) == ("s1", "kantata")
    status, answer = await exchanged(sandbox, anonymous, back["code"])
    assert (status, answer["token_type"]) == (200, "bearer")
    assert await is_taken(sandbox, anonymous, answer["access_token"])
    async with anonymous.post(address, data=decision, allow_redirects=False) as response:
        assert response.status == 400


async def test_a_person_does_not_agree(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """The application is told, with its state."""
    sandbox.switches.consent = "deny"
    back = await sent_back(sandbox, anonymous)
    assert (back["error"], back["state"]) == ("access_denied", "s1")


async def test_a_code_is_good_once(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """Used again it is refused, and what it was exchanged for is taken back."""
    sandbox.switches.consent = "allow"
    code = (await sent_back(sandbox, anonymous))["code"]
    _, answer = await exchanged(sandbox, anonymous, code)
    assert await is_taken(sandbox, anonymous, answer["access_token"])
    assert (await exchanged(sandbox, anonymous, code))[1]["error"] == "invalid_grant"
    assert not await is_taken(sandbox, anonymous, answer["access_token"])
    assert await is_taken(sandbox, anonymous, sandbox.token)


async def test_a_code_is_good_for_five_minutes(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """By the server's clock."""
    sandbox.switches.consent = "allow"
    early, late = [(await sent_back(sandbox, anonymous))["code"] for _ in range(2)]
    sandbox.clock.advance(290)
    assert (await exchanged(sandbox, anonymous, early))[0] == 200
    sandbox.clock.advance(20)
    status, answer = await exchanged(sandbox, anonymous, late)
    assert (status, answer["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code": "made-up"}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:9/other"}, 400, "invalid_grant"),
        ({"code_verifier": "another"}, 400, "invalid_grant"),
        ({"code_verifier": None}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_id": "somebody"}, 401, "invalid_client"),
        ({"client_secret": "guessed"}, 401, "invalid_client"),
    ],
)
async def test_exchanges_that_are_refused(
    sandbox: Sandbox, anonymous: aiohttp.ClientSession, changes: dict[str, Any], status: int, error: str
) -> None:
    """With what OAuth calls it; and the code is still good for the one who asked."""
    sandbox.switches.consent = "allow"
    code = (await sent_back(sandbox, anonymous))["code"]
    found, answer = await exchanged(sandbox, anonymous, **{"code": code, **changes})
    assert (found, answer["error"]) == (status, error)
    assert (await exchanged(sandbox, anonymous, code))[0] == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
    ],
)
async def test_questions_that_the_application_is_told_of(
    sandbox: Sandbox, anonymous: aiohttp.ClientSession, changes: dict[str, str], error: str
) -> None:
    """It is known where to send the answer: the error goes there."""
    back = await sent_back(sandbox, anonymous, ASKED | changes)
    assert (back["error"], back["state"]) == (error, "s1")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_id": "somebody"}, 401),
        ({"redirect_uri": "https://elsewhere.example/back"}, 400),
        ({"redirect_uri": "http://127.0.0.1.elsewhere.example/"}, 400),
        ({"redirect_uri": ""}, 400),
    ],
)
async def test_nobody_is_sent_where_the_application_is_not(
    sandbox: Sandbox, anonymous: aiohttp.ClientSession, changes: dict[str, str], status: int
) -> None:
    """An unknown application, or an address that is not its own, gets no redirect."""
    address = f"{origin(sandbox)}/oauth/authorize"
    async with anonymous.get(address, params=ASKED | changes, allow_redirects=False) as response:
        assert response.status == status
        assert "Location" not in response.headers


async def test_an_application_with_a_secret(anonymous: aiohttp.ClientSession) -> None:
    """It says who it is in the body or in the header, has its own address, and may do without PKCE."""
    back = "https://app.example/back"
    application = OAuthApplication("ours", "secret", [back])
    async with Sandbox(people=3, projects=1, application=application) as sandbox:
        sandbox.switches.consent = "allow"
        asked = {"response_type": "code", "client_id": "ours", "redirect_uri": back}
        address = f"{origin(sandbox)}/oauth/authorize"
        basic = f"Basic {base64.b64encode(b'ours:secret').decode()}"
        for header, given in ((None, {"client_secret": "secret"}), (basic, {})):
            async with anonymous.get(address, params=asked, allow_redirects=False) as response:
                code = parse_qs(urlsplit(response.headers["Location"]).query)["code"][0]
            changes: dict[str, Any] = {"client_id": "ours", "redirect_uri": back, "code_verifier": None}
            assert (await exchanged(sandbox, anonymous, code, None, **changes))[0] == 401
            assert (await exchanged(sandbox, anonymous, code, header, **changes, **given))[0] == 200
    assert "secret" not in repr(application)


async def test_revoked_tokens(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """A token that was given back is a 401, the sandbox's own too; giving back nothing known is no error."""
    issued = sandbox.authorization.issue()
    for token in (issued, "unknown", sandbox.token):
        form = {"client_id": "kantata-sandbox", "token": token}
        async with anonymous.post(f"{origin(sandbox)}/oauth/revoke", data=form) as response:
            assert response.status == 200
        assert not await is_taken(sandbox, anonymous, token)
    async with anonymous.post(f"{origin(sandbox)}/oauth/revoke", data={"token": "x"}) as response:
        assert response.status == 401


async def test_many_requests_meet_a_revoked_token_and_renew_it_once(sandbox: Sandbox) -> None:
    """A session asks for one other token, whatever the number of those that were refused."""
    issued = [sandbox.authorization.issue()]

    async def token() -> str:
        return issued[-1]

    async def renewed() -> str:
        if not sandbox.authorization.accepts(issued[-1], known=""):
            issued.append(sandbox.authorization.issue())
        return await token()

    async with KantataSession(token=renewed, base_url=sandbox.url) as kantata:
        await kantata.users.me()
        sandbox.authorization.revoke(issued[-1])
        await asyncio.gather(*(kantata.users.me() for _ in range(10)))
        assert len(issued) == 2
    async with KantataSession(token="unknown", base_url=sandbox.url) as kantata:
        with pytest.raises(AuthenticationError):
            await kantata.users.me()


async def test_the_log_knows_no_secret(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """Codes, verifiers and tokens are not in it; faults strike the authorization server as they do the API."""
    sandbox.switches.consent = "allow"
    code = (await sent_back(sandbox, anonymous))["code"]
    sandbox.faults.add(Fault("status", status=503, path="/oauth/token"))
    async with anonymous.post(f"{origin(sandbox)}/oauth/token", data={**EXCHANGE, "code": code}) as response:
        assert response.status == 503
    _, answer = await exchanged(sandbox, anonymous, code)
    log = repr(sandbox.requests)
    assert sandbox.count("POST", "/oauth/token") == 2
    assert not any(secret in log for secret in (code, VERIFIER, CHALLENGE, answer["access_token"]))
    sandbox.reset()
    assert not await is_taken(sandbox, anonymous, answer["access_token"])


async def test_tokens_that_end_are_renewed_by_what_came_with_them(anonymous: aiohttp.ClientSession) -> None:
    """They last as the application says; a refresh token used twice, or revoked, ends the whole sign-in."""
    async with Sandbox(people=3, projects=1, application=OAuthApplication(token_lasts=60)) as sandbox:
        sandbox.switches.consent = "allow"

        async def refreshed(token: str) -> tuple[int, Any]:
            changes = {"grant_type": "refresh_token", "refresh_token": token, "redirect_uri": None}
            return await exchanged(sandbox, anonymous, "", **changes)

        first = (await exchanged(sandbox, anonymous, (await sent_back(sandbox, anonymous))["code"]))[1]
        assert first["expires_in"] == 60
        sandbox.clock.advance(59)
        assert await is_taken(sandbox, anonymous, first["access_token"])
        sandbox.clock.advance(1)
        assert not await is_taken(sandbox, anonymous, first["access_token"])
        status, second = await refreshed(first["refresh_token"])
        assert status == 200
        assert await is_taken(sandbox, anonymous, second["access_token"])
        assert (await refreshed(first["refresh_token"]))[1]["error"] == "invalid_grant"
        assert not await is_taken(sandbox, anonymous, second["access_token"])
        assert (await refreshed(second["refresh_token"]))[1]["error"] == "invalid_grant"
        assert (await refreshed("made-up"))[1]["error"] == "invalid_grant"

        third = (await exchanged(sandbox, anonymous, (await sent_back(sandbox, anonymous))["code"]))[1]
        sandbox.authorization.revoke(third["refresh_token"])
        assert not await is_taken(sandbox, anonymous, third["access_token"])
        assert (await refreshed(third["refresh_token"]))[0] == 400
