"""`kantata-async login`, `whoami`, `profiles` and `logout`, as a person would type them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import attrs
import pytest
from command_line import Ended, run_beside
from oauth_server import OAuthServer
from waiting import until

from kantata_async.sandbox import OAuthApplication, Sandbox


@attrs.frozen
class Terminal:
    """Runs commands with a configuration directory of their own, at an authorization server of the test's."""

    oauth: OAuthServer
    config: Path

    async def start(
        self,
        *arguments: str,
        stdin: int = asyncio.subprocess.PIPE,
        start_new_session: bool = False,
        **environment: str,
    ) -> asyncio.subprocess.Process:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KANTATA_")}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kantata_async",
            *arguments,
            stdin=stdin,
            start_new_session=start_new_session,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**kept, "KANTATA_CONFIG_DIR": str(self.config), **environment},
        )

    async def run(self, *arguments: str, typed: str = "", **environment: str) -> Ended:
        given = {"KANTATA_CONFIG_DIR": str(self.config), **environment}
        return await run_beside(*arguments, typed=typed, environment=given)

    async def log_in(self, *arguments: str, agreeing: bool = True, **environment: str) -> Ended:
        """Log in; the person at the browser agrees, or refuses."""
        asked = ("login", "--client-id", "our-application", "--base-url", self.oauth.url)
        process = await self.start(*asked, "--no-browser", "--port", "0", *arguments, **environment)
        assert process.stdout is not None
        await process.stdout.readline()
        url = (await process.stdout.readline()).decode().strip()
        back = self.oauth.agree(url) if agreeing else self.oauth.refuse(url)
        async with aiohttp.ClientSession() as browser, browser.get(back) as page:
            assert "Back to the terminal" in await page.text()
        return await ended(process)


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    """A terminal, with nobody signed in."""
    async with OAuthServer() as oauth:
        yield Terminal(oauth, tmp_path / "config")


async def test_signing_in_and_out(terminal: Terminal) -> None:
    """Logged in, named, listed and logged out; the token is never printed, and given back in the end."""
    signed_in = await terminal.log_in()
    (token,) = terminal.oauth.tokens
    assert signed_in.code == 0, signed_in.err
    assert "Signed in as Ada Moreau <ada@example.com>" in signed_in.out
    (file,) = (terminal.config / "profiles").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    who = await terminal.run("whoami")
    assert (who.code, who.out) == (
        0,
        f"Ada Moreau <ada@example.com>, at {terminal.oauth.url} (the token of the profile 'default')\n",
    )
    listed = await terminal.run("profiles")
    assert listed.out == f"default  {terminal.oauth.url}\n"

    signed_out = await terminal.run("logout")
    assert signed_out.code == 0, signed_out.err
    assert terminal.oauth.revoked == [token]
    assert list((terminal.config / "profiles").iterdir()) == []
    for one in (signed_in, who, listed, signed_out):
        assert token not in one.out + one.err


async def test_a_person_who_refuses_is_not_signed_in(terminal: Terminal) -> None:
    """The command fails, and keeps nothing."""
    refused = await terminal.log_in(agreeing=False)
    assert refused.code == 1
    assert "access_denied" in refused.err
    assert not (terminal.config / "profiles").exists()


async def test_profiles_side_by_side(terminal: Terminal) -> None:
    """Two sign-ins keep two tokens; the environment chooses as the option does."""
    await terminal.log_in("--profile", "work")
    await terminal.log_in("--profile", "night")
    assert len(terminal.oauth.tokens) == 2
    assert (await terminal.run("whoami", "--profile", "work")).code == 0
    assert (await terminal.run("whoami", KANTATA_PROFILE="night")).code == 0
    missing = await terminal.run("whoami")
    assert missing.code == 2
    assert "kantata-async login" in missing.err


async def test_a_token_that_is_brought_along(terminal: Terminal) -> None:
    """From standard input, so that it is in no history and no list of processes; a wrong one is not kept."""
    terminal.oauth.tokens.add("brought-along")
    here = ("login", "--with-token", "--base-url", terminal.oauth.url)
    kept = await terminal.run(*here, typed="brought-along\n")
    assert kept.code == 0, kept.err
    assert (await terminal.run("whoami")).code == 0
    assert (await terminal.run("logout")).code == 0
    assert terminal.oauth.revoked == []
    assert (await terminal.run(*here, typed="of-nobody\n")).code == 1
    assert (await terminal.run(*here, typed="\n")).code == 2
    assert (await terminal.run("profiles")).out == ""


async def test_logging_in_needs_to_know_as_what(terminal: Terminal) -> None:
    """Without an application's id the command says both ways."""
    asked = await terminal.run("login")
    assert asked.code == 2
    assert "--client-id" in asked.err
    assert "--with-token" in asked.err


async def test_a_sign_in_whose_tokens_end(terminal: Terminal) -> None:
    """It goes on by its refresh token, until both are given back."""
    async with Sandbox(people=3, projects=1, application=OAuthApplication(token_lasts=60)) as sandbox:
        sandbox.switches.consent = "allow"
        here = ("--base-url", sandbox.url)
        process = await terminal.start("login", "--client-id", "kantata-sandbox", "--no-browser", "--port", "0", *here)
        assert process.stdout is not None
        await process.stdout.readline()
        url = (await process.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession() as browser, browser.get(url) as page:
            assert "Back to the terminal" in await page.text()
        assert (await ended(process)).code == 0
        for _ in range(2):
            sandbox.clock.advance(60)
            assert (await terminal.run("whoami")).code == 0
        assert sandbox.count("POST", "/oauth/token") == 3
        assert (await terminal.run("logout")).code == 0
        assert sandbox.count("POST", "/oauth/revoke") == 2
    assert list((terminal.config / "profiles").iterdir()) == []


async def test_as_whom_the_commands_act(terminal: Terminal) -> None:
    """KANTATA_TOKEN goes before a profile that is kept, and `login` says so; --profile goes before both."""
    terminal.oauth.tokens |= {"of-the-profile", "of-the-environment"}
    environment = {"KANTATA_TOKEN": "of-the-environment", "KANTATA_BASE_URL": terminal.oauth.url}
    kept = await terminal.run("login", "--with-token", typed="of-the-profile\n", **environment)
    assert kept.err == "KANTATA_TOKEN is set, and is used instead: unset it, or name the profile.\n"
    who = await terminal.run("whoami", **environment)
    assert who.out.endswith(f", at {terminal.oauth.url} (KANTATA_TOKEN)\n")
    who = await terminal.run("whoami", "--profile", "default", **environment)
    assert who.out.endswith("(the token of the profile 'default')\n")


async def test_a_profile_that_cannot_be_used_hides_no_other(terminal: Terminal) -> None:
    """One broken file is told of, and the rest are listed."""
    terminal.oauth.tokens.add("good")
    await terminal.run("login", "--with-token", "--base-url", terminal.oauth.url, typed="good\n")
    (terminal.config / "profiles" / "broken.json").touch(0o600)
    listed = await terminal.run("profiles")
    assert (listed.code, listed.out) == (0, f"default  {terminal.oauth.url}\n")
    assert listed.err.startswith("broken  cannot be used: ")


@pytest.mark.skipif(sys.platform == "win32", reason="a script without an ending is no program there")
async def test_a_browser_that_is_not_closed(terminal: Terminal, tmp_path: Path) -> None:
    """A browser is not waited for: the sign-in ends when the person comes back."""
    browser, opened, closed = tmp_path / "browser", tmp_path / "opened", tmp_path / "closed"
    browser.write_text(
        f'#!/bin/sh\nexec </dev/null >/dev/null 2>&1\necho "$1" > {opened}\n'
        f"while [ ! -e {closed} ]; do sleep 0.05; done\n"
    )
    browser.chmod(0o700)
    asked = ("login", "--client-id", "our-application", "--base-url", terminal.oauth.url, "--port", "0")
    process = await terminal.start(*asked, BROWSER=f"{browser} %s")
    await until(lambda: opened.exists() and opened.read_text().endswith("\n"))
    async with aiohttp.ClientSession() as web, web.get(terminal.oauth.agree(opened.read_text().strip())):
        pass
    try:
        async with asyncio.timeout(30):
            assert (await ended(process)).code == 0
    finally:
        closed.touch()


async def test_a_name_that_would_command_a_terminal(terminal: Terminal) -> None:
    """The name and the address of a person are shown without control characters."""
    terminal.oauth.tokens.add("good")
    terminal.oauth.name = "Ada\x1b]0;owned\x07\x9b31m"
    kept = await terminal.run("login", "--with-token", "--base-url", terminal.oauth.url, typed="good\n")
    who = await terminal.run("whoami")
    assert "Signed in as Ada ]0;owned  31m <ada@example.com>" in kept.out
    assert who.out.startswith("Ada ]0;owned  31m <ada@example.com>, at ")


async def test_without_a_keyring(terminal: Terminal) -> None:
    """Said before anybody is asked to sign in."""
    terminal.oauth.tokens.add("good")
    here = ("login", "--with-token", "--keyring", "--base-url", terminal.oauth.url)
    process = await terminal.start(*here, PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")
    done = await ended(process)
    assert (done.code, done.out) == (2, "")
    assert (
        done.err == "Error: this system has no keyring that can be used (NoKeyringError): sign in without --keyring\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals there")
async def test_a_token_that_is_typed_is_not_shown(terminal: Terminal) -> None:
    """At a terminal `--with-token` asks for it, and what is typed is not echoed."""
    terminal.oauth.tokens.add("typed-by-hand")
    keyboard, stdin = os.openpty()
    asked = ("login", "--with-token", "--base-url", terminal.oauth.url)
    process = await terminal.start(*asked, stdin=stdin, start_new_session=True)
    assert process.stderr is not None
    assert await process.stderr.readuntil(b"Access token: ")
    os.write(keyboard, b"typed-by-hand\n")
    out, _ = await process.communicate()
    assert out.startswith(b"Signed in as Ada Moreau")
    os.set_blocking(keyboard, False)
    with contextlib.suppress(BlockingIOError):
        assert b"typed" not in os.read(keyboard, 1000)
    os.close(keyboard)
    os.close(stdin)
