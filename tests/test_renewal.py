"""Sign-ins whose tokens end: renewed by the refresh token, once for all who wait, and kept for all who share it."""

from __future__ import annotations

import asyncio
import stat
import traceback
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest
from waiting import until
from wire import Connection, Server, json_answer

from kantata_async import AuthenticationError, KantataSession, SignInError
from kantata_async.sandbox import OAuthApplication, Sandbox
from kantata_async.signin import Application, Profile, delete_profile, discover, exchange, load_profile, save_profile

LASTS = 600
BACK = "http://127.0.0.1:8912/callback"


pytestmark = pytest.mark.company(people=3, projects=1, application=OAuthApplication(token_lasts=LASTS))
"""Its tokens last ten minutes."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where profiles are kept, with no token in the environment."""
    monkeypatch.setenv("KANTATA_CONFIG_DIR", str(tmp_path))
    for name in ("KANTATA_TOKEN", "KANTATA_PROFILE", "KANTATA_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "profiles"


@pytest.fixture
async def profile(sandbox: Sandbox) -> Profile:
    """Somebody signed in, with everybody's consent, and kept as the default profile."""
    sandbox.switches.consent = "allow"
    server = await discover(sandbox.url)
    application = Application("kantata-sandbox", BACK)
    authorization = application.begin(server)
    async with aiohttp.ClientSession() as browser, browser.get(authorization.url, allow_redirects=False) as redirect:
        token = await exchange(application, server, authorization, redirect.headers["Location"])
    assert token.refresh_token is not None
    assert token.refresh_token not in repr(token)
    profile = Profile(
        "default",
        sandbox.url,
        token.value,
        application.client_id,
        server.revoke_url,
        refresh_token=token.refresh_token,
        token_url=server.token_url,
    )
    save_profile(profile)
    return profile


def modes_in(folder: Path) -> set[int]:
    """The permissions of the files in a folder."""
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def session(sandbox: Sandbox, **settings: Any) -> KantataSession:
    return KantataSession(base_url=sandbox.url, rate_limit=None, **settings)


async def test_many_requests_meet_the_end_of_a_token_and_renew_it_once(
    sandbox: Sandbox, profile: Profile, folder: Path
) -> None:
    """Ten requests, one renewal; the new tokens are kept for their owner alone, the old ones are worthless."""
    async with session(sandbox) as kantata:
        await kantata.users.me()
        sandbox.clock.advance(LASTS)
        sandbox.clear_log()
        await asyncio.gather(*(kantata.users.me() for _ in range(10)))
    assert sandbox.count("POST", "/oauth/token") == 1
    kept = load_profile("default")
    assert kept is not None
    assert kept.access_token != profile.access_token
    assert kept.refresh_token != profile.refresh_token
    assert attrs.evolve(kept, access_token=profile.access_token, refresh_token=profile.refresh_token) == profile
    assert modes_in(folder) == {0o600}
    async with session(sandbox, token=profile) as kantata:
        assert await kantata.users.me()
    delete_profile(kept)
    assert modes_in(folder) == set()


async def test_sessions_that_share_a_profile_renew_it_once(sandbox: Sandbox, profile: Profile) -> None:
    """A refresh token works once: the second session takes what the first has kept, as another process would."""
    async with session(sandbox, token=profile) as one, session(sandbox, token=profile) as other:
        sandbox.clock.advance(LASTS)
        await asyncio.gather(*(kantata.users.me() for kantata in (one, other) for _ in range(3)))
        sandbox.clock.advance(LASTS)
        await asyncio.gather(one.users.me(), other.users.me())
    assert sandbox.count("POST", "/oauth/token") == 1 + 2


async def test_a_renewal_is_ended_though_nobody_waits_for_it(sandbox: Sandbox, profile: Profile) -> None:
    """What the server gave is kept, or the sign-in would be lost with the refresh token that it took."""
    answered = asyncio.Event()

    async def slowly(connection: Connection) -> None:
        await answered.wait()
        connection.writer.write(json_answer({"access_token": "NEW", "refresh_token": "NEXT"}))

    async with Server([slowly]) as slow:
        save_profile(attrs.evolve(profile, token_url=slow.url))
        sandbox.clock.advance(LASTS)
        async with session(sandbox) as kantata:
            asking = asyncio.create_task(kantata.users.me())
            await until(lambda: len(slow.received) == 1)
            asking.cancel()
            closing = asyncio.create_task(kantata.close())
            answered.set()
            await asyncio.gather(asking, closing, return_exceptions=True)
    kept = load_profile("default")
    assert kept is not None
    assert (kept.access_token, kept.refresh_token) == ("NEW", "NEXT")


async def test_a_sign_in_that_was_ended(sandbox: Sandbox, profile: Profile) -> None:
    """A refresh token that somebody else used is refused: sign in again, says the error, and shows nothing."""
    form = {"grant_type": "refresh_token", "refresh_token": profile.refresh_token, "client_id": "kantata-sandbox"}
    async with aiohttp.ClientSession() as thief:
        await (await thief.post(str(profile.token_url), data=form)).read()
    async with session(sandbox) as kantata:
        with pytest.raises(SignInError, match=r"\(invalid_grant\): sign in again with `kantata-async login`") as caught:
            await kantata.users.me()
    assert caught.value.code == "invalid_grant"
    assert load_profile("default") == profile
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__) if frame.f_globals is not globals()]
    shown = {frame.f_code.co_name: repr(frame.f_locals) for frame in frames}
    assert "_exchanged" in shown
    assert not any(profile.access_token in held or str(profile.refresh_token) in held for held in shown.values())


async def test_a_sign_out_meanwhile(sandbox: Sandbox, profile: Profile) -> None:
    """A profile that is gone is not brought back."""
    async with session(sandbox) as kantata:
        delete_profile(profile)
        sandbox.clock.advance(LASTS)
        with pytest.raises(SignInError, match="was signed out"):
            await kantata.users.me()
    assert load_profile("default") is None


async def test_a_profile_without_a_refresh_token(sandbox: Sandbox, profile: Profile) -> None:
    """Its token is refused for good, as any other."""
    save_profile(attrs.evolve(profile, refresh_token=None))
    sandbox.clock.advance(LASTS)
    async with session(sandbox) as kantata:
        with pytest.raises(AuthenticationError):
            await kantata.users.me()
    assert sandbox.count("POST", "/oauth/token") == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (json_answer({"error": "invalid_client"}, 401), "invalid_client"),
        (json_answer({"error": "SECRET"}, 400), "the server answered 400"),
        (json_answer({"access_token": 5}), "the server answered 200"),
        (json_answer(["SECRET"], 503), "the server answered 503"),
    ],
)
async def test_odd_answers_to_a_renewal(sandbox: Sandbox, profile: Profile, answer: Any, reason: str) -> None:
    """An error of ours, which tells nothing that it need not, and the profile stays as it was."""
    async with Server([answer]) as odd:
        kept = attrs.evolve(profile, token_url=odd.url)
        save_profile(kept)
        sandbox.clock.advance(LASTS)
        async with session(sandbox) as kantata:
            with pytest.raises(SignInError) as caught:
                await kantata.users.me()
    assert f"({reason})" in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert load_profile("default") == kept


async def test_the_secret_of_an_application_comes_from_the_environment(
    sandbox: Sandbox, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not kept beside the tokens."""
    monkeypatch.setenv("KANTATA_CLIENT_SECRET", "guessed")
    sandbox.clock.advance(LASTS)
    async with session(sandbox) as kantata:
        with pytest.raises(SignInError, match="invalid_client"):
            await kantata.users.me()
