"""Tokens at rest: kept for their owner alone, read back whole, and refused where others could have touched them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from wire import Server, json_answer

from kantata_async import KantataSession, UsageError
from kantata_async.signin import (
    Profile,
    chosen_profile,
    delete_profile,
    load_profile,
    profile_names,
    save_profile,
)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration directory of the test's own."""
    monkeypatch.setenv("KANTATA_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("KANTATA_PROFILE", raising=False)
    return tmp_path / "config" / "profiles"


WORK = Profile(
    "work", "https://api.mavenlink.com/api/v1", "SECRET-TOKEN", "our-application", "https://x.example/revoke"
)


def test_what_is_kept_is_read_back() -> None:
    """All of it, until it is deleted; and its repr shows no token."""
    save_profile(WORK)
    assert load_profile("work") == WORK
    assert profile_names() == ["work"]
    assert "SECRET" not in repr(WORK)
    delete_profile(WORK)
    assert load_profile("work") is None
    assert profile_names() == []


def test_only_its_owner_can_read_it(directory: Path) -> None:
    """File 0600, directory 0700, and nothing else is left there."""
    path = save_profile(WORK)
    save_profile(WORK)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert list(directory.iterdir()) == [path]


def test_a_file_that_others_can_read_is_refused() -> None:
    """A token that others may have read is not used silently."""
    path = save_profile(WORK)
    path.chmod(0o640)
    with pytest.raises(UsageError, match="others can read"):
        load_profile("work")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json SECRET-TOKEN",
        b"[]",
        b'{"version": 2, "base_url": "https://x.example", "access_token": "SECRET-TOKEN"}',
        b'{"version": 1, "base_url": 5, "access_token": "SECRET-TOKEN"}',
    ],
)
def test_a_file_that_is_no_profile(content: bytes) -> None:
    """Said, with what to do, and without what it holds."""
    path = save_profile(WORK)
    path.write_bytes(content)
    with pytest.raises(UsageError, match="kantata-async login") as caught:
        load_profile("work")
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["../other", "a/b", ".hidden", "a b", "x" * 65, "é"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    """A profile's name is a file's name and nothing more."""
    with pytest.raises(UsageError, match="the name of a profile must be"):
        chosen_profile(name)
    with pytest.raises(UsageError, match="the name of a profile must be"):
        load_profile(name)


def test_which_profile_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one given, else the environment's, else "default"."""
    assert chosen_profile() == "default"
    monkeypatch.setenv("KANTATA_PROFILE", "night")
    assert chosen_profile() == "night"
    assert chosen_profile("work") == "work"


def test_a_directory_that_cannot_be_written(directory: Path) -> None:
    """Said as it is."""
    directory.parent.mkdir()
    directory.write_text("in the way")
    with pytest.raises(UsageError, match="cannot be kept"):
        save_profile(WORK)


async def test_a_session_without_a_token_finds_it_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever signed in needs no variable; KANTATA_TOKEN goes first, and another API never gets the token."""
    monkeypatch.delenv("KANTATA_TOKEN", raising=False)
    answer = {"results": [{"key": "users", "id": "1"}], "users": {"1": {"id": "1"}}}
    async with Server([json_answer(answer), json_answer(answer)]) as server:
        with pytest.raises(UsageError, match="kantata-async login"):
            await KantataSession(base_url=server.url).open()
        save_profile(Profile("default", server.url, "KEPT-TOKEN"))
        async with KantataSession(base_url=server.url, rate_limit=None) as kantata:
            await kantata.users.get(1)
        monkeypatch.setenv("KANTATA_TOKEN", "OF-THE-ENVIRONMENT")
        async with KantataSession(base_url=server.url, rate_limit=None) as kantata:
            await kantata.users.get(1)
        monkeypatch.delenv("KANTATA_TOKEN")
        with pytest.raises(UsageError, match="goes nowhere else") as caught:
            await KantataSession(base_url="https://elsewhere.example").open()
    assert [one.headers["authorization"] for one in server.received] == [
        "Bearer KEPT-TOKEN",
        "Bearer OF-THE-ENVIRONMENT",
    ]
    assert "KEPT-TOKEN" not in str(caught.value)
