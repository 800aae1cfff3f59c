"""``kill -9`` at random moments of ``kantata-async provision --apply``, started again until it ends.

A sandbox in another process takes its time over every answer and loses some of them. However often the command is
killed, the teams are exactly the roster afterwards: nobody missing, nobody twice, nobody else, all on the terms told.
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
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import attrs

from kantata_async import KantataSession

from ._server import serving

PEOPLE: Final = 240
PROJECTS: Final = 12
STAFFED: Final = ("1", "5", "9")
EMPTY: Final = ("2", "3", "4")
TEAM: Final = 25
LATENCY: Final = 0.1
KILLS: Final = 3
MOST_STARTS: Final = 20
MOMENTS: Final = (0.5, 6.0)
"""Seconds after the start between which a kill comes: a run that is left alone takes about so long."""
FAULTS: Final = (
    {"kind": "disconnect", "when": "after", "method": "POST", "times": None, "probability": 0.1},
    {"kind": "disconnect", "when": "after", "method": "PUT", "times": None, "probability": 0.03},
    {"kind": "disconnect", "when": "after", "method": "DELETE", "times": None, "probability": 0.05},
    {"kind": "status", "status": 429, "times": None, "probability": 0.01},
    {"kind": "status", "status": 503, "times": None, "probability": 0.02},
)


@attrs.frozen
class Row:
    """A line of the roster."""

    project: str
    person: str
    team_lead: str
    bill_rate: str


@attrs.frozen
class Kill:
    """When the command was killed, in seconds from its start, and how many lines of the roster were so by then."""

    moment: float
    done: int

    def __str__(self) -> str:
        return f"after {self.moment:.1f} s with {self.done} done"


def main(seeds: int) -> None:
    """Run the scenario with each seed; three kills each."""
    kills = sum(_run(seed) for seed in range(seeds))
    print(f"{kills} kills in {seeds} runs: the teams were exactly the roster every time", flush=True)


def _run(seed: int) -> int:
    """One roster, killed at random moments until it ends; gives how many kills there were."""
    chance = random.Random(seed)
    with serving(people=PEOPLE, projects=PROJECTS, latency=LATENCY, seed=seed) as (url, token):
        if seed % 2:
            _order_faults(url)
        disabled = {str(number + 1) for number in range(PEOPLE) if number % 40 == 39}
        rows = _roster(chance, sorted({str(id) for id in range(1, PEOPLE + 1)} - disabled))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "roster.csv"
            _write(path, rows)
            kills = _start_until_it_ends(path, rows, url, token, chance)
        _forget_faults(url)
        _check(rows, url, token, seed)
    print(f"seed {seed}: {len(rows)} lines, killed {'; '.join(map(str, kills))}", flush=True)
    return len(kills)


def _roster(chance: random.Random, people: Sequence[str]) -> list[Row]:
    return [
        Row(project, person, "yes" if number == 0 else "no", chance.choice(("90", "120.5", "150")))
        for project in (*STAFFED, *EMPTY)
        for number, person in enumerate(_team(chance, people))
    ]


def _team(chance: random.Random, people: Sequence[str]) -> list[str]:
    """The token's own user, who would not be removed, and others."""
    return ["1", *chance.sample([person for person in people if person != "1"], TEAM - 1)]


def _write(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in attrs.fields(Row)])
        writer.writeheader()
        writer.writerows(attrs.asdict(row) for row in rows)


def _start_until_it_ends(path: Path, rows: Sequence[Row], url: str, token: str, chance: random.Random) -> list[Kill]:
    """Start the command again and again until it ends well; the first few times, kill it."""
    kills: list[Kill] = []
    output = path.with_suffix(".out")
    for _ in range(MOST_STARTS):
        with output.open("wb") as file:
            process = _start(path, url, token, file)
            moment = chance.uniform(*MOMENTS)
            if len(kills) < KILLS and _killed(process, moment):
                kills.append(Kill(moment, (Counter(rows) & asyncio.run(_read(url, token))).total()))
            elif process.wait(timeout=300) == 0:
                return kills
        assert "Traceback" not in output.read_text(), output.read_text()
    raise AssertionError(f"it did not end in {MOST_STARTS} starts: {output.read_text()}")


def _start(path: Path, url: str, token: str, output: BinaryIO) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "kantata_async", "provision", str(path)]
    command += ["--apply", "--remove-others", "--yes", "--base-url", url]
    environment = {**os.environ, "KANTATA_TOKEN": token}
    return subprocess.Popen(  # noqa: S603 - this package's own command
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
    )


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


def _check(rows: Sequence[Row], url: str, token: str, seed: int) -> None:
    wanted, found = Counter(rows), asyncio.run(_read(url, token))
    assert not wanted - found, f"seed {seed}: missing {wanted - found}"
    assert not found - wanted, f"seed {seed}: twice, or not in the roster {found - wanted}"


async def _read(url: str, token: str) -> Counter[Row]:
    """The teams as lines of a roster, read without any of what provisioning knows of them."""
    async with KantataSession(token=token, base_url=url) as kantata:
        rows = [
            Row(project, str(one.user_id), "yes" if one.is_team_lead else "no", f"{(one.rate_in_cents or 0) / 100:g}")
            for project in (*STAFFED, *EMPTY)
            for one in await kantata.participations.list(workspace_id=project, include=["user"])
        ]
    return Counter(rows)
