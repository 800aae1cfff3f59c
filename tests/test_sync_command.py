"""``kantata-async sync``, run as a person or a script runs it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from waiting import until

from chaos._live_server import World, living
from kantata_async.cli import main


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with living(World(seed=3, objects=1000, haste=0, faults=0)) as address:
        yield address


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command to its end; gives its exit code, and what it wrote to both streams."""
    monkeypatch.setenv("KANTATA_TOKEN", "x")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["sync", *arguments, "--base-url", f"{url}/api/v1"])
        said, complained = capsys.readouterr()
        return code, said, complained

    return run


async def start(url: str, *arguments: str) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "kantata_async", "sync", *arguments, "--base-url", f"{url}/api/v1")
    environment = {"KANTATA_TOKEN": "x", "PYTHONPATH": str(Path(__file__).parents[1])}
    return await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environment)


def test_a_copy_and_its_proof(run: Run, tmp_path: Path) -> None:
    """A plan that copies nothing, a run that says what it did, and a comparison that finds nothing."""
    to = ("--to", str(tmp_path / "copy.db"))
    code, said, _ = run(*to, "--plan", "users", "participations")
    assert (code, "through workspaces" in said) == (0, True)
    code, said, complained = run(*to, "users", "time_entries")
    assert (code, complained) == (0, "")
    assert said.splitlines()[0].split() == ["read", "new", "changed", "deleted", "requests", "seconds", "behind"]
    assert said.splitlines()[2].split()[:3] == ["time_entries", "600", "600"]
    code, said, _ = run(*to, "--verify", "users", "time_entries")
    assert (code, said.splitlines()[-2:]) == (0, ["users: equal", "time_entries: equal"])
    with closing(sqlite3.connect(tmp_path / "copy.db")) as database:
        database.execute("INSERT INTO users (id, _listed) VALUES ('nobody', 1)")
        database.execute("INSERT INTO time_entries (id, _listed, created_at) VALUES ('no', 1, '2999-01-01')")
        database.commit()
    code, said, _ = run(*to, "--verify", "users", "time_entries")
    assert (code, said.splitlines()[-1]) == (1, "time_entries: 1 extra")


def test_what_a_program_reads(run: Run, tmp_path: Path) -> None:
    """With --json, a line for each run, and nothing else."""
    code, said, complained = run("--to", str(tmp_path / "lake"), "--json", "--verify", "users")
    jobs, difference = map(json.loads, said.splitlines())
    assert (code, complained) == (0, "")
    assert (jobs[0]["name"], jobs[0]["new"], jobs[0]["error"]) == ("users", 5, None)
    assert difference == {"users": {"missing": [], "extra": [], "stale": []}}
    assert list((tmp_path / "lake" / "users").glob("*.parquet"))


@pytest.mark.parametrize(
    ("to", "options", "file"),
    [
        ("copy.duckdb", [], "copy.duckdb"),
        ("copy/", ["--format", "jsonl"], "copy/users/00000001.jsonl"),
        ("copy.sqlite", [], "copy.sqlite"),
        ("there", [], "there"),
    ],
)
def test_where_it_goes(run: Run, tmp_path: Path, to: str, options: list[str], file: str) -> None:
    """The name says what kind of copy it is, and where it has no ending, what is there."""
    (tmp_path / "there").touch()
    code, _, complained = run("--to", f"{tmp_path}/{to}", *options, "users")
    assert (code, complained) == (0, "")
    assert (tmp_path / file).exists()


def test_since_then_alone(run: Run, tmp_path: Path) -> None:
    """--since leaves out what was not updated since."""
    code, said, _ = run("--to", str(tmp_path / "copy.db"), "--since", "2100-01-01", "--json", "time_entries")
    assert (code, json.loads(said)[0]["read"]) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["usr"], "did you mean 'users'"),
        (["attachments"], "cannot be listed"),
        (["--follow", "0s", "users"], "not a duration"),
        (["--since", "tomorrow", "users"], "not a date"),
        (["--follow", "1s", "--verify", "users"], "give one of them"),
        (["--format", "jsonl", "users"], "--to names none"),
        (["--to", "", "users"], "empty"),
        (["--to", "sqlite:///copy.db", "users"], "no sqlite:// address"),
        (["--to", "MySQL://me:secret@host/x", "users"], "no MySQL:// address"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage(run: Run, tmp_path: Path, arguments: list[str], complaint: str) -> None:
    """Exit code 2, and what would be right."""
    code, _, complained = run("--to", str(tmp_path / "copy.db"), *arguments)
    assert code == 2
    assert complaint in complained
    assert "secret" not in complained


def test_what_cannot_be_copied(run: Run, tmp_path: Path) -> None:
    """Exit code 1, with what stopped it; the other collections are there. A target in use says so."""
    code, said, _ = run("--to", str(tmp_path / "copy.db"), "roles", "users")
    assert code == 1
    assert re.search(r"^roles failed: 127\.0\.0\.1:\d+ has nothing at /roles, or does not show it", said, re.MULTILINE)
    (tmp_path / "copy.db").write_text("no database" * 1000)
    for more in ("-wal", "-shm"):
        (tmp_path / f"copy.db{more}").unlink(missing_ok=True)
    code, _, complained = run("--to", str(tmp_path / "copy.db"), "users")
    assert code == 1
    assert "copy.db is there already and not a database" in complained
    (tmp_path / "roster.csv").write_text("x")
    assert run("--to", str(tmp_path / "roster.csv"), "users")[0] == 1
    assert (tmp_path / "roster.csv").read_text() == "x"


async def test_following_ends_with_an_interrupt(url: str, tmp_path: Path) -> None:
    """It runs again and again, until Ctrl-C; then the exit code says that it was interrupted."""
    running = await start(url, "--to", str(tmp_path / "copy.db"), "--json", "--follow", "0.2s", "users")
    assert running.stdout is not None
    lines = [json.loads(await running.stdout.readline()) for _ in range(3)]
    running.send_signal(signal.SIGINT)
    await until(lambda: running.returncode is not None)
    assert [line[0]["new"] for line in lines] == [5, 0, 0]
    assert running.returncode == 130
    await running.communicate()
