"""Access tokens kept on disk: a profile for each sign-in, in a file that its owner alone can read.

A profile says which API its token is for, so that the token goes nowhere else.
"""

from __future__ import annotations

import os
import re
import stat
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import attrs
import msgspec

from ..errors import UsageError
from ..extras import from_extra
from ..private_files import write_privately
from .hidden import HiddenToken

PROFILE_VARIABLE: Final = "KANTATA_PROFILE"
DIRECTORY_VARIABLE: Final = "KANTATA_CONFIG_DIR"
DEFAULT_PROFILE: Final = "default"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_VERSION: Final = 1
_KEYRING_SERVICE: Final = "kantata-async"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@attrs.frozen
class Profile:
    """A sign-in that is kept.

    Attributes:
        name: of the profile.
        base_url: the API that the token is for.
        access_token: sent with each request.
        client_id: of the application that signed in; None where the token was brought along.
        revoke_url: where the token is given back; None where it cannot be.
        refresh_token: what a refused access token is replaced with; None where the server gave none.
        token_url: where that is done.
        in_keyring: whether the token is kept in the system's keyring instead of the file.
    """

    name: str
    base_url: str
    access_token: str = attrs.field(repr=False)
    client_id: str | None = None
    revoke_url: str | None = None
    refresh_token: str | None = attrs.field(default=None, repr=False)
    token_url: str | None = None
    in_keyring: bool = False


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    """A profile as its file holds it; without the tokens where the keyring has them."""

    version: int
    base_url: str
    access_token: str | None = None
    client_id: str | None = None
    revoke_url: str | None = None
    refresh_token: str | None = None
    token_url: str | None = None


def chosen_profile(name: str | None = None) -> str:
    """The name of the profile to use: the one given, else that of KANTATA_PROFILE, else "default".

    Raises:
        UsageError: the name cannot be that of a profile.
    """
    chosen = name or os.environ.get(PROFILE_VARIABLE) or DEFAULT_PROFILE
    if not _NAME.fullmatch(chosen):
        raise UsageError(f"the name of a profile must be up to 64 letters, digits, '.', '_' and '-', not {chosen!r}")
    return chosen


def profile_names() -> list[str]:
    """The names of all profiles that are kept, sorted."""
    return sorted(path.stem for path in profiles_directory().glob("*.json") if _NAME.fullmatch(path.stem))


def kept_profile() -> Profile | None:
    """The profile that a program without a token uses; None where nobody has signed in.

    Raises:
        UsageError: as from `load_profile`.
    """
    chosen = os.environ.get(PROFILE_VARIABLE) or os.environ.get(DIRECTORY_VARIABLE)
    if not chosen and find_spec("platformdirs") is None:
        # Without platformdirs, nobody can have signed in.
        return None
    return load_profile(chosen_profile())


def load_profile(name: str) -> Profile | None:
    """The profile of this name; None where there is none.

    Raises:
        UsageError: its file can be read by others, is not what `save_profile` writes, or its token is not in the
            keyring any more.
    """
    path = _path_of(name)
    try:
        with path.open("rb") as file:
            _refuse_shared(path, os.fstat(file.fileno()))
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"the profile {name!r} cannot be read: {error.strerror}: {path}") from None
    try:
        stored = msgspec.json.decode(content, type=_Stored)
    except msgspec.MsgspecError:
        stored = None
    # Raised outside the handler: the decoder's error may quote what it read.
    if stored is None or stored.version != _VERSION:
        raise UsageError(f"{path} is not a profile of this version: sign in again with `kantata-async login`")
    token = stored.access_token or _ask_keyring("get_password", name)
    if not token:
        raise UsageError(f"the keyring has no token for the profile {name!r}: sign in again with `kantata-async login`")
    in_keyring = stored.access_token is None
    refresh_token = _ask_keyring("get_password", _refresh_of(name)) if in_keyring else stored.refresh_token
    return Profile(
        name,
        stored.base_url,
        token,
        stored.client_id,
        stored.revoke_url,
        refresh_token=refresh_token,
        token_url=stored.token_url,
        in_keyring=in_keyring,
    )


def save_profile(profile: Profile) -> Path:
    """The file of a profile, which replaces any of the same name; its owner alone can read it.

    Raises:
        UsageError: it cannot be written.
    """
    path = _path_of(profile.name)
    if profile.in_keyring:
        _keep_in_keyring(profile)
    stored = _Stored(
        _VERSION,
        profile.base_url,
        None if profile.in_keyring else profile.access_token,
        profile.client_id,
        profile.revoke_url,
        None if profile.in_keyring else profile.refresh_token,
        profile.token_url,
    )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_privately(path, msgspec.json.encode(stored))
    except OSError as error:
        raise UsageError(f"the profile {profile.name!r} cannot be kept: {error.strerror}: {path}") from None
    return path


def delete_profile(profile: Profile) -> None:
    """Forget a profile, and its tokens in the keyring.

    Raises:
        UsageError: the keyring that has them cannot be used.
    """
    if profile.in_keyring:
        for entry in (profile.name, _refresh_of(profile.name)):
            if _ask_keyring("get_password", entry) is not None:
                _ask_keyring("delete_password", entry)
    _path_of(profile.name).unlink(missing_ok=True)
    lock_path(profile.name).unlink(missing_ok=True)


def lock_path(name: str) -> Path:
    """The file that is locked while the profile of this name is renewed."""
    return _path_of(name).with_suffix(".lock")


def profiles_directory() -> Path:
    """Where profiles are kept: KANTATA_CONFIG_DIR, else the user's configuration directory of the platform."""
    chosen = os.environ.get(DIRECTORY_VARIABLE)
    if chosen:
        return Path(chosen) / "profiles"
    from platformdirs import user_config_path  # noqa: PLC0415 - what signs in with a token does not need it

    return user_config_path("kantata-async", appauthor=False) / "profiles"


def _path_of(name: str) -> Path:
    return profiles_directory() / f"{chosen_profile(name)}.json"


def _refuse_shared(path: Path, status: os.stat_result) -> None:
    """Refuse a file that others can read, where the system shows permissions."""
    if os.name == "posix" and status.st_mode & _OTHERS:
        raise UsageError(f"others can read {path}, which holds a token: run chmod 600 on it, or sign in again")


def _keep_in_keyring(profile: Profile) -> None:
    # The refresh token first: it alone can replace the other.
    if profile.refresh_token is not None:
        _ask_keyring("set_password", _refresh_of(profile.name), HiddenToken(profile.refresh_token))
    _ask_keyring("set_password", profile.name, HiddenToken(profile.access_token))


def _refresh_of(name: str) -> str:
    """The name under which the keyring has the refresh token of a profile: one that no profile can have."""
    return f"{name} (refresh)"


def require_keyring() -> None:
    """Refuse to go on where no token can be kept in the system's keyring.

    Raises:
        UsageError: keyring is not installed, or this system has no keyring that can be used.
    """
    _ask_keyring("get_password", DEFAULT_PROFILE)


def _ask_keyring(method: str, entry: str, *token: HiddenToken) -> str | None:
    """What the system's keyring has under the name of an entry, or None once it did what it was asked to do.

    Raises:
        UsageError: as from `require_keyring`.
    """
    with from_extra("keyring", "keeping tokens in the keyring"):
        import keyring  # noqa: PLC0415 - an extra
        from keyring.errors import KeyringError  # noqa: PLC0415 - as above
    try:
        found: str | None = getattr(keyring, method)(_KEYRING_SERVICE, entry, *(one.value for one in token))
    except KeyringError as error:
        failed = type(error).__name__
    else:
        return found
    # Raised outside the handler: the frames of the error above hold the token.
    raise UsageError(f"this system has no keyring that can be used ({failed}): sign in without --keyring")
