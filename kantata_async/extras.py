"""What only an extra installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import UsageError


@contextmanager
def from_extra(name: str, purpose: str) -> Iterator[None]:
    """A block that imports what an extra installs, as xlsx for "reading workbooks".

    Raises:
        UsageError: a module is not installed; the message says what to install, and what for.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise UsageError(f"{purpose} needs {missing}: pip install 'kantata-async[{name}]'") from None
