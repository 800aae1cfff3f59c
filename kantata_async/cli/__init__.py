"""The entry point of `kantata-async`: it runs the commands, or says what has to be installed for them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

_EXTRA: Final = frozenset({"click", "oauthlib", "platformdirs", "rich"})


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of a command line, by default that of the process, once it has run."""
    try:
        from .commands import run  # noqa: PLC0415 - what it imports may be missing, which is handled below

        return run(arguments)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(f"kantata-async: {error.name} is not installed: pip install 'kantata-async[cli]'\n")
        return 2
