"""The command line, run in this process: a process of its own takes twenty times as long to say the same."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Final

import attrs
from click.testing import CliRunner

from kantata_async.cli import main

_SWAYING: Final = ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
"""The variables that change how output looks."""


@attrs.frozen
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


def run(*arguments: str, typed: str | bytes = "", environment: Mapping[str, str]) -> Ended:
    """Run a command without a terminal to its end. Of the variables of Kantata's it sees only those that are given."""
    without = dict.fromkeys(name for name in os.environ if name.startswith("KANTATA_") or name in _SWAYING)
    with CliRunner().isolation(typed, env={**without, **environment}) as (out, err, _):
        code = main(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        return Ended(code, out.getvalue().decode(), err.getvalue().decode())


async def run_beside(*arguments: str, typed: str | bytes = "", environment: Mapping[str, str]) -> Ended:
    """Run a command in another thread, while servers answer in the event loop of this one."""
    return await asyncio.to_thread(run, *arguments, typed=typed, environment=environment)
