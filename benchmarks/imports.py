"""What importing costs, each time in a Python of its own: against the interpreter alone and against aiohttp."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from typing import Final

from ._figures import Figure

_SESSION: Final = "from kantata_async import KantataSession"
_FIRST_CALL: Final = f"""{_SESSION}
from kantata_async import normalize
before = time.process_time()
kantata = KantataSession(token="none")
kantata.participations.list(workspace_id=7, include=["user"])
objects = {{str(id): {{"id": str(id), "user_id": "9", "created_at": "2026-01-05T10:20:30Z"}} for id in range(200)}}
results = [{{"key": "participations", "id": id}} for id in objects]
normalize({{"results": results, "participations": objects, "users": {{"9": {{"id": "9"}}}}}})
"""
_EVERYTHING: Final = f"""{_SESSION}
import kantata_async, kantata_async.entities, pkgutil, importlib
for name in kantata_async.__all__:
    getattr(kantata_async, name)
for module in pkgutil.iter_modules(importlib.import_module("kantata_async.api").__path__):
    importlib.import_module("kantata_async.api." + module.name)
"""

PROGRAMS: Final = {
    "the interpreter": "",
    "import aiohttp": "import aiohttp",
    "import kantata_async": "import kantata_async",
    _SESSION: _SESSION,
    "the first call of a resource": _FIRST_CALL,
    "everything": _EVERYTHING,
}


def main(quick: bool) -> list[Figure]:
    """Measure the processor's time of programs that import and end; of the first call, that call alone."""
    rounds = 1 if quick else 16  # of which the first one compiles
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as compiled:
        for _ in range(rounds):
            for name, program in PROGRAMS.items():
                taken[name].append(_milliseconds(program, compiled))
    medians = {name: statistics.median(times[1:] or times) for name, times in taken.items()}
    bare, aiohttp = medians["the interpreter"], medians["import aiohttp"]
    of = "processor's time of importing"
    return [
        Figure(of, "aiohttp, over the interpreter", aiohttp - bare, "ms"),
        Figure(of, "kantata_async, over the interpreter", medians["import kantata_async"] - bare, "ms"),
        Figure(of, "KantataSession, over aiohttp", medians[_SESSION] - aiohttp, "ms", goal="≤ 60"),
        Figure(of, "the first call of a resource", medians["the first call of a resource"], "ms", goal="≤ 15"),
        Figure(of, "everything, over the interpreter", medians["everything"] - bare, "ms", goal="≤ 400"),
    ]


def _milliseconds(program: str, compiled: str) -> float:
    """The time of a program whose modules are compiled already, by the first round: as an installed package is."""
    timed = f"import time\nbefore = 0.0\n{program}\nprint((time.process_time() - before) * 1000)"
    environment = os.environ | {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": "", "PYTHONDEVMODE": ""}
    done = subprocess.run(  # noqa: S603 - its own programs
        [sys.executable, "-c", timed], capture_output=True, text=True, check=True, env=environment
    )
    return float(done.stdout)
