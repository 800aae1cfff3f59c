"""Files of this machine: read as a whole; written readable by their owner alone, and whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from ..errors import UsageError
from ..model import brief_repr
from ..private_files import write_privately


def read_file(path: str | PathLike[str]) -> bytes:
    """The content of a file.

    Raises:
        UsageError: the file cannot be read.
    """
    with _path_errors(path):
        return Path(path).read_bytes()


@contextmanager
def _path_errors(path: object) -> Iterator[None]:
    """Turn the errors of a path, or of something that is no path, into UsageError."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    except (TypeError, ValueError) as error:
        raise UsageError(f"{brief_repr(path)} is not the path of a file: {error}") from error


def write_private(path: str | PathLike[str], text: str) -> None:
    """Write a file that only its owner can read (0600), in place of the one that was there.

    It is written beside it first and moved there as a whole, so that an interruption leaves the old one. What is no
    regular file, such as ``/dev/stdout``, is written to as it is.

    Raises:
        UsageError: it cannot be written.
    """
    with _path_errors(path):
        target = Path(path).resolve()
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8")
        else:
            write_privately(target, text.encode())
