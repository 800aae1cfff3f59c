"""Tokens at rest: kept for their owner alone, read back whole, and refused where others could have touched them."""

from __future__ import annotations

import stat
import traceback
from collections.abc import Iterator
from pathlib import Path

import attrs
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError
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
from kantata_async.transport import require_keyring


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


class Ring(KeyringBackend):
    """A keyring in memory, which may be locked."""

    priority = 1  # type: ignore[assignment] - keyring makes it a property of the class

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._refuse_if_locked("")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._refuse_if_locked(password)
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.held.pop((service, username), None) is None:
            raise PasswordDeleteError("there is none")

    def _refuse_if_locked(self, password: str) -> None:
        if self.is_locked:
            raise KeyringLocked(f"not while it is locked {password}")


@pytest.fixture
def ring() -> Iterator[Ring]:
    """The system's keyring, for this test."""
    before, ours = keyring.get_keyring(), Ring()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


def test_tokens_in_the_keyring(ring: Ring) -> None:
    """Both tokens are there and not in the file, are read back, and are gone in the end, whichever is left."""
    kept = attrs.evolve(WORK, refresh_token="SECRET-REFRESH", in_keyring=True)
    path = save_profile(kept)
    assert "SECRET" not in path.read_text()
    assert sorted(ring.held.values()) == ["SECRET-REFRESH", "SECRET-TOKEN"]
    assert load_profile("work") == kept
    del ring.held["kantata-async", "work"]
    with pytest.raises(UsageError, match="keyring has no token"):
        load_profile("work")
    delete_profile(kept)
    assert ring.held == {}
    assert not path.exists()


def test_a_keyring_that_cannot_be_used(ring: Ring) -> None:
    """It is an error of ours, in which no frame shows the token that was to be kept."""
    kept = attrs.evolve(WORK, in_keyring=True)
    ring.is_locked = True
    with pytest.raises(UsageError, match=r"no keyring that can be used \(KeyringLocked\)") as caught:
        save_profile(kept)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "SECRET" not in shown
    assert caught.value.__context__ is None
    with pytest.raises(UsageError, match="no keyring"):
        require_keyring()
