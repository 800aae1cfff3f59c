"""The command line: `kantata-async`. It runs the commands, or says what has to be installed for them.

commands     the commands, and the exit code of each run
lazy_group   commands that are imported only when they run
connecting   with which token a command reaches Kantata, and where
objects      `list`, `get`, `create`, `update` and `delete`
resources    `resources`: the collections of the API, and what can be done with them
call         `call`: any request
files        `download` and `export`
provision    `provision`: teams, people and groups as a sheet says
roster       `roster`: the teams as they are, as a sheet
sync         `sync`: a copy of collections
signin       `login`, `logout`, `whoami` and `profiles`
demo         `demo`: what it does
demo_facts   … what it finds out
demo_view    … how it looks
assignments  pure: what is typed as NAME=VALUE, as values
columns      pure: entities as rows of cells
output       entities written as a table, as JSON lines or as CSV
printable    pure: JSON, made safe for a terminal
sentences    pure: errors as sentences
wrong_usage  errors about what was typed, as errors of the command line
terminal     lines and progress bars
awaiting     a coroutine run by a command
exit_codes   the exit codes
"""

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
