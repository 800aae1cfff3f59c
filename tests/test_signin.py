"""Signing in: the address, the redirect, the exchange, giving back, and every way in which that is refused."""

from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from oauth_server import OAuthServer

from kantata_async import KantataSession, UsageError
from kantata_async.signin import (
    KANTATA,
    Application,
    AuthorizationEndpoints,
    SignInError,
    discover,
    exchange,
    receive_redirect,
    revoke,
)

HERE = "http://127.0.0.1:8912/callback"


def application(**changes: Any) -> Application:
    return Application(**{"client_id": "our-application", "redirect_uri": HERE} | changes)


async def test_signing_in_gives_a_token_that_works_until_it_is_given_back() -> None:
    """The whole flow, with a secret and without one."""
    for secret in (None, "a secret"):
        async with OAuthServer(client_secret=secret) as oauth:
            ours = application(client_secret=secret)
            server = await discover(oauth.url)
            authorization = ours.begin(server)
            token = await exchange(ours, server, authorization, oauth.agree(authorization.url))
            async with KantataSession(token=token.value, base_url=oauth.url) as kantata:
                assert (await kantata.users.me()).full_name == "Ada Moreau"
            await revoke(ours, server.revoke_url, token.value)
            assert oauth.revoked == [token.value]
            assert token.expires_at is None


def test_the_address_to_send_a_person_to() -> None:
    """Kantata's own address, with a state and a challenge that differ each time, and never the verifier."""
    first, second = (application().begin(KANTATA) for _ in range(2))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(first.url).query).items()}
    assert first.url.startswith("https://app.mavenlink.com/oauth/authorize?")
    assert asked["redirect_uri"] == HERE
    assert asked["code_challenge_method"] == "S256"
    assert first.state in first.url
    assert first.verifier not in first.url
    assert (first.state, first.verifier) != (second.state, second.verifier)


async def test_a_code_works_once() -> None:
    """A code that was used, or is too old, is refused with OAuth's own word for it."""
    async with OAuthServer() as oauth:
        server = await discover(oauth.url)
        authorization = application().begin(server)
        redirect = oauth.agree(authorization.url)
        await exchange(application(), server, authorization, redirect)
        with pytest.raises(SignInError, match="invalid_grant") as caught:
            await exchange(application(), server, authorization, redirect)
        assert caught.value.code == "invalid_grant"


async def test_a_redirect_of_another_sign_in_is_refused() -> None:
    """A wrong state ends it before anything is sent: the code may be somebody else's."""
    async with OAuthServer() as oauth:
        server = await discover(oauth.url)
        mine, other = application().begin(server), application().begin(server)
        with pytest.raises(SignInError, match="state differs"):
            await exchange(application(), server, mine, oauth.agree(other.url))


async def test_a_person_who_refuses() -> None:
    """What that means is told in words of ours, not in the server's."""
    async with OAuthServer() as oauth:
        server = await discover(oauth.url)
        authorization = application().begin(server)
        with pytest.raises(SignInError, match=r"did not agree \(access_denied\)$") as caught:
            await exchange(application(), server, authorization, oauth.refuse(authorization.url))
        assert caught.value.code == "access_denied"


@pytest.mark.parametrize(
    "redirect", ["", "nonsense", HERE, f"{HERE}?state=x", f"{HERE}?code=", f"{HERE}?code=x", "http://[::1"]
)
async def test_a_redirect_that_brings_nothing(redirect: str) -> None:
    """Whatever a person pastes is answered with an error of ours."""
    with pytest.raises(SignInError):
        await exchange(application(), KANTATA, application().begin(KANTATA), redirect)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": 5, "token_type": "bearer"},
        {"access_token": None, "refresh_token": "SECRET-TOKEN"},
        {"access_token": ["SECRET-TOKEN"]},
        {"access_token": "SECRET-TOKEN", "expires_in": "soon", "token_type": "bearer"},
        {"error": "invalid_request", "error_description": {"odd": "SECRET-TOKEN"}},
        {"error": ["odd"]},
    ],
)
async def test_an_answer_that_is_no_token(answer: dict[str, Any]) -> None:
    """An odd answer is an error of ours, which shows no token and holds none."""
    async with OAuthServer(token_answer=answer) as oauth:
        server = await discover(oauth.url)
        authorization = application().begin(server)
        with pytest.raises(SignInError) as caught:
            await exchange(application(), server, authorization, oauth.agree(authorization.url))
        assert "SECRET-TOKEN" not in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("name", ["error", "error_description", "error_uri"])
async def test_a_server_that_quotes_what_it_was_sent(name: str) -> None:
    """Of a refusal nothing is shown that the server may have copied from the request: code, verifier, secret."""
    async with OAuthServer() as oauth:
        server = await discover(oauth.url)
        ours = application(client_secret="a-secret")
        authorization = ours.begin(server)
        redirect = oauth.agree(authorization.url)
        (code,) = oauth.codes
        oauth.token_answer = {"error": "invalid_grant"} | {name: f"{code} {authorization.verifier} a-secret"}
        with pytest.raises(SignInError) as caught:
            await exchange(ours, server, authorization, redirect)
    shown = "".join(traceback.format_exception(caught.value))
    assert [one for one in (code, authorization.verifier, "a-secret") if one in shown] == []
    assert caught.value.code == (None if name == "error" else "invalid_grant")


async def test_a_token_that_ends() -> None:
    """Another server's token may end; when is told, and its repr shows nothing."""
    answer = {"access_token": "SECRET-TOKEN", "token_type": "bearer", "expires_in": 3600, "odd": [1]}
    async with OAuthServer(token_answer=answer) as oauth:
        server = await discover(oauth.url)
        authorization = application().begin(server)
        token = await exchange(application(), server, authorization, oauth.agree(authorization.url))
    assert token.value == "SECRET-TOKEN"
    assert token.expires_at is not None
    assert timedelta(minutes=50) < token.expires_at - datetime.now(UTC) < timedelta(minutes=70)
    assert "SECRET-TOKEN" not in repr(token)


async def test_a_server_that_cannot_be_reached() -> None:
    """A closed port is an error of ours, for each of the three requests."""
    nowhere = AuthorizationEndpoints(*[f"http://127.0.0.1:1/oauth/{step}" for step in ("authorize", "token", "revoke")])
    authorization = application().begin(nowhere)
    with pytest.raises(SignInError, match="cannot be reached"):
        await exchange(application(), nowhere, authorization, f"{HERE}?code=c&state={authorization.state}")
    with pytest.raises(SignInError, match="cannot be reached"):
        await revoke(application(), nowhere.revoke_url, "t")
    with pytest.raises(SignInError, match="cannot be asked"):
        await discover("http://127.0.0.1:1/api/v1")


async def test_a_server_that_describes_another_host_is_refused() -> None:
    """Metadata that leads elsewhere would send the code there."""
    async with OAuthServer() as oauth:
        oauth_origin, oauth.origin = oauth.origin, "https://elsewhere.example"
        with pytest.raises(SignInError, match="its own authorization server"):
            await discover(f"{oauth_origin}/api/v1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": ""},
        {"client_id": 5},
        {"redirect_uri": "http://elsewhere.example/callback"},
        {"redirect_uri": "ftp://127.0.0.1/"},
        {"redirect_uri": None},
    ],
)
def test_an_application_that_cannot_be(wrong: dict[str, Any]) -> None:
    """Said before anything is sent."""
    with pytest.raises(UsageError):
        application(**wrong)


def test_nothing_secret_is_shown() -> None:
    """A repr may end up in a log."""
    ours = application(client_secret="SECRET")
    authorization = ours.begin(KANTATA)
    assert "SECRET" not in repr(ours)
    assert authorization.verifier not in repr(authorization)


async def test_the_redirect_is_received() -> None:
    """The browser comes back, perhaps after other requests, and the whole address is given."""
    async with receive_redirect() as (address, redirect), aiohttp.ClientSession() as browser:
        async with browser.get(address.replace("callback", "favicon.ico")) as response:
            assert response.status == 404
        async with browser.get(address) as response:
            assert response.status == 200
        waiting = asyncio.ensure_future(redirect(5))
        async with browser.get(f"{address}?code=c&state=s") as response:
            assert "Back to the terminal" in await response.text()
            assert response.headers["Referrer-Policy"] == "no-referrer"
        assert await waiting == f"{address}?code=c&state=s"


async def test_nobody_comes_back() -> None:
    """The wait has an end."""
    async with receive_redirect() as (_, redirect):
        with pytest.raises(SignInError, match="nobody came back"):
            await redirect(0.01)


async def test_a_port_that_is_taken() -> None:
    """Said as it is."""
    async with receive_redirect() as (address, _):
        port = urlsplit(address).port
        assert port is not None
        with pytest.raises(SignInError, match=f"^cannot listen on port {port}: Address already in use; choose"):
            async with receive_redirect(port):
                pass


def test_without_the_extra_it_says_what_to_install() -> None:
    """To whoever imports it, and on the command line."""
    missing = "import sys; sys.modules['oauthlib'] = None; "
    run = functools.partial(subprocess.run, capture_output=True, text=True, check=False)
    imported = run([sys.executable, "-c", f"{missing}import kantata_async.signin"])
    assert imported.stderr.endswith(
        "ModuleNotFoundError: signing in needs oauthlib: pip install 'kantata-async[signin]'\n"
    )
    command = "from kantata_async.cli import main; sys.argv[1:] = ['profiles']; sys.exit(main())"
    typed = run([sys.executable, "-c", missing + command])
    assert typed.returncode == 2
    assert typed.stderr == "kantata-async: oauthlib is not installed: pip install 'kantata-async[cli]'\n"
