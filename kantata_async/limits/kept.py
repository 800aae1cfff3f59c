"""The rates at which an account's limits were met, kept in a file for the processes that come later.

The file is in the user's cache directory and readable by its owner alone. Its name is a digest of the account. Keeping
never fails: a file that cannot be read, or that something else wrote, counts as none.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from ..private_files import write_privately
from .curve import SLOWEST

DIRECTORY_VARIABLE: Final = "KANTATA_CACHE_DIR"
THREAD: Final = "kantata_async keeps a limit"
BELIEVED_SECONDS: Final = 30 * 24 * 3600

_LOGGER: Final = logging.getLogger("kantata_async.limits")
_MOST_BYTES: Final = 65_536
_writing: Final = threading.Lock()


class _Met(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests a second at which a limit was met, and when, in seconds since 1970."""

    rate: Annotated[float, msgspec.Meta(ge=SLOWEST)]
    at: float


class _KeptFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    limits: dict[str, _Met]


def kept_rates(account: str) -> dict[str, float]:
    """Requests a second at which each limit of an account's digest was last met, where that was not too long ago."""
    return {name: met.rate for name, met in _read(account).items()}


def keep_rate(account: str, name: str, rate: float) -> None:
    """Keep the rate at which a limit was met now. A thread writes it, so that no event loop waits for a disk."""
    # At the end of the interpreter no thread begins any more.
    with suppress(RuntimeError):
        threading.Thread(target=_write, args=(account, name, _Met(rate, time.time())), name=THREAD).start()


def _read(account: str) -> dict[str, _Met]:
    try:
        path = _path_of(account)
        # To open a pipe would be to wait for whoever writes into it.
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return {}
        file = msgspec.json.decode(path.read_bytes(), type=_KeptFile)
    except (OSError, RuntimeError, msgspec.MsgspecError):
        return {}
    now = time.time()
    return {name: met for name, met in file.limits.items() if 0 <= now - met.at <= BELIEVED_SECONDS}


def _write(account: str, name: str, met: _Met) -> None:
    try:
        with _writing:
            path = _path_of(account)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_privately(path, msgspec.json.encode(_KeptFile(1, _read(account) | {name: met})))
    except (OSError, RuntimeError) as error:
        _LOGGER.debug("what was learnt of the limits cannot be kept: %s", error)


def _path_of(account: str) -> Path:
    """Where an account's rates are kept: below KANTATA_CACHE_DIR, else below the user's cache directory.

    Raises:
        RuntimeError: the user has no home.
    """
    chosen = os.environ.get(DIRECTORY_VARIABLE)
    return (Path(chosen) if chosen else _cache_of_user()) / "limits" / f"{account}.json"


def _cache_of_user() -> Path:
    from platformdirs import user_cache_path  # noqa: PLC0415 - a start that keeps nothing does not need it

    return in_a_home(user_cache_path("kantata-async", appauthor=False))


def in_a_home(directory: Path) -> Path:
    """A directory of the user's, as the platform names it.

    Raises:
        RuntimeError: it is not absolute, as where the user has no home: it would be made where the program runs.
    """
    if not directory.is_absolute():
        raise RuntimeError(f"no home directory: {directory}")
    return directory
