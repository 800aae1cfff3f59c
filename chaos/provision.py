"""``kill -9`` at random moments of ``kantata-async provision --apply``, started again until it ends.

A sandbox in another process takes its time over every answer and loses some of them. However often the command is
killed, the teams, the people and the groups are exactly as the sheet says afterwards: nobody missing, nobody twice,
nobody else, all on the terms told, with their custom fields set and cleared.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import attrs

from kantata_async import KantataSession

from ._server import serving
from ._sheets import SHEETS, Row, Sheet

PEOPLE: Final = 240
PROJECTS: Final = 12
LATENCY: Final = 0.1
KILLS: Final = 3
MOST_STARTS: Final = 20
MOMENTS: Final = (0.0, 6.0)
"""Seconds after the plan was shown between which a kill comes: writing takes about so long, when it is left alone."""
FAULTS: Final = (
    {"kind": "disconnect", "when": "after", "method": "POST", "times": None, "probability": 0.1},
    {"kind": "disconnect", "when": "after", "method": "PUT", "times": None, "probability": 0.03},
    {"kind": "disconnect", "when": "after", "method": "DELETE", "times": None, "probability": 0.05},
    {"kind": "status", "status": 429, "times": None, "probability": 0.01},
    {"kind": "status", "status": 503, "times": None, "probability": 0.02},
)


@attrs.frozen
class Kill:
    """When the command was killed, in seconds of its writing, and how many lines of the sheet were so by then."""

    moment: float
    done: int

    def __str__(self) -> str:
        return f"after {self.moment:.1f} s with {self.done} done"


def main(seeds: int) -> None:
    """Run the scenario with each seed, for teams, people and groups; three kills each."""
    kills = sum(_run(name, seed) for seed in range(seeds) for name in SHEETS)
    print(f"{kills} kills in {seeds * len(SHEETS)} runs: all was exactly as the sheet said every time", flush=True)


def _run(name: str, seed: int) -> int:
    """One sheet, killed at random moments until it ends; gives how many kills there were."""
    chance, sheet = random.Random(seed), SHEETS[name]
    with serving(people=PEOPLE, projects=PROJECTS, latency=LATENCY, seed=seed) as (url, token):
        disabled = {str(number + 1) for number in range(PEOPLE) if number % 40 == 39}
        people = sorted({str(id) for id in range(1, PEOPLE + 1)} - disabled)
        rows = asyncio.run(_drawn(sheet, chance, people, url, token))
        if seed % 2:
            _order_faults(url)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.csv"
            _write(path, sheet, rows)
            kills = _start_until_it_ends(path, sheet, rows, url, token, chance)
        _forget_faults(url)
        _check(sheet, rows, url, token, f"{name}, seed {seed}")
    print(f"{name}, seed {seed}: {len(rows)} lines, killed {'; '.join(map(str, kills))}", flush=True)
    return len(kills)


async def _drawn(sheet: Sheet, chance: random.Random, people: Sequence[str], url: str, token: str) -> list[Row]:
    async with KantataSession(token=token, base_url=url) as kantata:
        return await sheet.rows(chance, people, kantata)


def _write(path: Path, sheet: Sheet, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([sheet.columns, *rows])


def _start_until_it_ends(
    path: Path, sheet: Sheet, rows: Sequence[Row], url: str, token: str, chance: random.Random
) -> list[Kill]:
    """Start the command again and again until it ends well; the first few times, kill it."""
    kills: list[Kill] = []
    output = path.with_suffix(".out")
    for _ in range(MOST_STARTS):
        with output.open("wb") as file:
            process = _start(path, sheet, url, token, file)
            moment = chance.uniform(*MOMENTS)
            if len(kills) < KILLS and _writes(process, output) and _killed(process, moment):
                kills.append(Kill(moment, (Counter(rows) & asyncio.run(_read(sheet, rows, url, token))).total()))
            elif process.wait(timeout=300) == 0:
                return kills
        assert "Traceback" not in output.read_text(), output.read_text()
    raise AssertionError(f"it did not end in {MOST_STARTS} starts: {output.read_text()}")


def _start(path: Path, sheet: Sheet, url: str, token: str, output: BinaryIO) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "kantata_async", "provision", str(path)]
    command += ["--apply", *sheet.options, "--yes", "--base-url", url]
    environment = {**os.environ, "KANTATA_TOKEN": token}
    return subprocess.Popen(  # noqa: S603 - this package's own command
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
    )


def _writes(process: subprocess.Popen[bytes], output: Path) -> bool:
    """Wait until the command has shown its plan, after which it writes; False when it ended before."""
    while process.poll() is None:
        if output.stat().st_size:
            return True
        time.sleep(0.01)
    return False


def _killed(process: subprocess.Popen[bytes], moment: float) -> bool:
    """Kill a process after some seconds; False when it ended before."""
    try:
        process.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def _order_faults(url: str) -> None:
    for fault in FAULTS:
        _control(url, "POST", "faults", fault)


def _forget_faults(url: str) -> None:
    _control(url, "DELETE", "faults")


def _control(url: str, method: str, call: str, body: Any = None) -> None:
    """Call the sandbox's own controls."""
    data = None if body is None else json.dumps(body).encode()
    address = url.replace("/api/v1", f"/_sandbox/{call}")
    request = urllib.request.Request(  # noqa: S310 - loopback, over http
        address, data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - as above
        pass


def _check(sheet: Sheet, rows: Sequence[Row], url: str, token: str, run: str) -> None:
    wanted, found = Counter(rows), asyncio.run(_read(sheet, rows, url, token))
    assert not wanted - found, f"{run}: missing {wanted - found}"
    assert not found - wanted, f"{run}: twice, or not in the sheet {found - wanted}"


async def _read(sheet: Sheet, rows: Sequence[Row], url: str, token: str) -> Counter[Row]:
    """What is there as lines of the sheet, read without any of what provisioning knows of it."""
    async with KantataSession(token=token, base_url=url) as kantata:
        return await sheet.read(rows, kantata)
