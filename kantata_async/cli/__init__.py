"""The entry point of `kantata-async`: it runs the commands, or says what has to be installed for them."""

from __future__ import annotations

import sys
from typing import Final

_EXTRA: Final = frozenset({"click", "oauthlib", "platformdirs", "rich"})


def main() -> int:
    """The exit code of the command line, once it has run."""
    try:
        from .commands import run  # noqa: PLC0415 - what it imports may be missing, which is handled below

        return run()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(f"kantata-async: {error.name} is not installed: pip install 'kantata-async[cli]'\n")
        return 2
