"""The lock of a target that is a file or a directory: held by one process; the system releases it when that ends."""

from __future__ import annotations

from os import fsdecode
from typing import Any, Final

from ...errors import TargetError, UsageError
from ...model import brief_repr
from .driver import driver


def path_of(path: object) -> str:
    """A path as text.

    Raises:
        UsageError: it is no path.
    """
    try:
        text = fsdecode(path)  # type: ignore[arg-type]
    except TypeError:
        raise UsageError(
            f"a copy is kept in a file or a directory, and {brief_repr(path)} is the path of none"
        ) from None
    if "\0" in text:
        raise UsageError(f"no path has a NUL character: {brief_repr(text)}")
    return text


class FileLock:
    """A lock on a file beside the target, with `.lock` after its name."""

    def __init__(self, path: str) -> None:
        self._path: Final = path
        self._lock: Any = None

    def take(self) -> None:
        """Take the lock.

        Raises:
            TargetError: another process has it, or another run of this one.
        """
        filelock = driver("filelock", "sync")
        self._lock = filelock.FileLock(f"{self._path}.lock", timeout=0)
        try:
            self._lock.acquire()
        except filelock.Timeout:
            self._lock = None
            raise TargetError(f"{self._path} is being written by another run; wait for it, or end it") from None
        except OSError as error:
            self._lock = None
            raise TargetError(f"{self._path} cannot be locked: {error.strerror or error}") from error

    def release(self) -> None:
        """Release the lock, where it is held."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
