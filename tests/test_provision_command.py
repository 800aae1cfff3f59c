"""``kantata-async provision``, run as a person or a script runs it, against a sandbox."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from waiting import until_seen

from kantata_async.cli.provision import provision
from kantata_async.provision import Groups, People, Roster
from kantata_async.sandbox import Fault, Sandbox

COMMAND: Final = (sys.executable, "-m", "kantata_async", "provision")
ROSTER: Final = """\
project,person,role,bill_rate
2,4,,120.50
2,5,,
Lumen Telecom: ERP Migration,6,buyer,
2,7,chief,
2,nobody@x.example,,
"""
GOOD: Final = "".join(ROSTER.splitlines(keepends=True)[:4])


class Run:
    """The command in a process of its own, with the sandbox in this one."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder

    def write(self, text: str) -> str:
        path = self.folder / "roster.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    async def start(self, *arguments: str, **options: Any) -> asyncio.subprocess.Process:
        swayed = {"FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "PYTHONASYNCIODEBUG"}
        kept = {name: value for name, value in os.environ.items() if name not in swayed}
        pipes = {
            "stdin": asyncio.subprocess.DEVNULL,
            "stdout": asyncio.subprocess.PIPE,
            "stderr": asyncio.subprocess.PIPE,
        }
        return await asyncio.create_subprocess_exec(
            *COMMAND,
            "--base-url",
            self.sandbox.url,
            *arguments,
            # Development mode tells of slow callbacks among the errors: on a busy machine that is any of them.
            env=kept | {"KANTATA_TOKEN": self.sandbox.token, "PYTHONDEVMODE": ""},
            **{**pipes, **options},
        )

    async def __call__(self, *arguments: str) -> tuple[int | None, str, str]:
        process = await self.start(*arguments)
        output, errors = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, output.decode(), errors.decode()

    def people(self, project: str) -> Counter[str]:
        found = self.sandbox.store.all("participations")
        return Counter(one["user_id"] for one in found if one["workspace_id"] == project)


def say_somebody_was_there(path: str) -> None:
    """Edit a saved plan, so that it was made when its first person was on the project already."""
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    data["entries"][0].update(action="keep", changes=[])
    Path(path).write_text(json.dumps(data), encoding="utf-8")


@pytest.fixture
def run(kantata_sandbox: Sandbox, tmp_path: Path) -> Run:
    return Run(kantata_sandbox, tmp_path)


async def test_the_plan_is_shown_and_nothing_written(run: Run) -> None:
    """Without --apply it is a plan; bad lines are listed by number and make the exit code 1."""
    code, output, errors = await run(run.write(ROSTER))
    assert (code, errors) == (1, "")
    assert re.search(r"^  \+ Noah Mitchell +role maven, bill_rate 120\.50$", output, re.MULTILINE)
    assert "! line 5: role: there is no 'chief'" in output
    assert "! line 6: nobody has the e-mail address nobody@x.example" in output
    assert "3 to add, 0 as it should be, 2 lines cannot be done" in output
    assert all(request.method == "GET" for request in run.sandbox.requests)


async def test_bad_lines_are_told_and_the_good_ones_go(run: Run) -> None:
    """A line for each person who is added, and the exit code for lines that are not; again, nothing happens."""
    code, output, _ = await run(run.write(ROSTER), "--apply", "--yes")
    assert code == 1
    assert "+ Noah Mitchell on project 2 (line 2) added" in output
    assert output.endswith("3 added, 2 lines cannot be done\n")
    assert (run.people("2"), run.people("3")) == ({"4": 1, "5": 1}, {"6": 1})
    code, output, errors = await run(run.write(GOOD), "--apply", "--yes")
    assert (code, errors) == (0, "")
    assert output.endswith("3 as it should be\n3 kept\n")


async def test_a_saved_plan_is_applied(run: Run) -> None:
    """Planned into a file, looked at, applied from there; refused when the teams changed, unless told otherwise."""
    path = str(run.folder / "plan.json")
    assert (await run(run.write(GOOD), "--plan", path))[0] == 0
    shown = await run("--plan", path)
    assert (shown[0], "3 to add" in shown[1], run.people("2")) == (0, True, {})
    assert (await run("--plan", path, "--apply", "--yes"))[0] == 0
    changed = next(one for one in run.sandbox.store.all("participations") if one["workspace_id"] == "2")
    run.sandbox.store.delete("participations", changed["id"])
    say_somebody_was_there(path)
    code, _, errors = await run("--plan", path, "--apply", "--yes")
    assert (code, "the plan is out of date" in errors) == (1, True)
    assert (await run("--plan", path, "--apply", "--yes", "--replan"))[0] == 0
    assert run.people("2") == {"4": 1, "5": 1}


async def test_an_apply_needs_somebody_who_agrees(run: Run) -> None:
    """Where nobody can be asked, it needs --yes."""
    before = run.people("1")
    path = run.write("project,person\n1,30\n")
    code, _, errors = await run(path, "--apply", "--remove-others")
    assert (code, "--apply needs --yes" in errors, run.people("1")) == (2, True, before)
    assert (await run(path, "--apply", "--remove-others", "--yes"))[0] == 0
    assert run.people("1") == {"30": 1}


@pytest.mark.parametrize(("answer", "code", "people"), [(b"n\n", 1, {}), (b"y\n", 0, {"4": 1, "5": 1})])
async def test_a_person_is_asked(run: Run, answer: bytes, code: int, people: dict[str, int]) -> None:
    """On a terminal the plan is shown and agreed to before anything is written."""
    ours, theirs = pty.openpty()
    try:
        process = await run.start(run.write(GOOD), "--apply", stdin=theirs)
        os.write(ours, answer)
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (process.returncode, run.people("2")) == (code, people)
    assert "Apply?" in output.decode()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "give a FILE, or a plan that was saved"),
        (("--plan", "plan.json", "--remove-others"), "--remove-others is settled when a plan is made"),
        (("no.csv",), "no.csv: No such file"),
        (("roster.pdf",), "a roster is a .csv, an .xlsx or a .jsonl file, not .pdf"),
        (("--base-url", "http://kantata.example", "roster.csv"), "https"),
        (("roster.csv",), "KANTATA_TOKEN"),
    ],
)
def test_wrong_usage_exits_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    """What is wrong is told on standard error; a token goes nowhere unencrypted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KANTATA_TOKEN", raising=False)
    Path("roster.csv").write_text(GOOD, encoding="utf-8")
    Path("roster.pdf").write_text("%PDF-1.7", encoding="utf-8")
    result = CliRunner().invoke(provision, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_help() -> None:
    """The help tells the columns and the exit codes."""
    result = CliRunner().invoke(provision, "--help")
    assert result.exit_code == 0
    assert re.findall(r"^    (\d+)  +\w", result.stdout, re.MULTILINE) == ["0", "1", "2", "3", "130", "143"]
    for column in (one for kind in (Roster, People, Groups) for one in kind.columns.by_name):
        assert column in result.stdout


async def test_interrupted_and_started_again(run: Run) -> None:
    """Ctrl-C exits 130 and says how far it came; started again, only the rest happens."""
    lines = "".join(f"2,{id},,{id}\n" for id in range(2, 18))
    path = run.write("project,person,role,bill_rate\n" + lines)
    run.sandbox.latency = 0.05
    process = await run.start(path, "--apply", "--yes")
    await until_seen(run.sandbox, 3, "PUT")
    process.send_signal(signal.SIGINT)
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 130
    assert "Start it again, and only the rest happens." in output.decode()
    assert errors.decode().strip() == "Interrupted."
    assert (await run(path, "--apply", "--yes"))[0] == 0
    assert run.people("2") == {str(id): 1 for id in range(2, 18)}


async def test_killed_and_started_again(run: Run) -> None:
    """``kill -9`` while it writes, an answer lost too; a small part of the chaos session."""
    lines = "".join(f"{project},{id},,{id}\n" for project in (2, 3) for id in range(2, 10))
    path = run.write("project,person,role,bill_rate\n" + lines)
    run.sandbox.latency = 0.02
    run.sandbox.faults.add(Fault("disconnect", when="after", method="POST"))
    for method, count in (("POST", 1), ("PUT", 2), ("PUT", 5)):
        run.sandbox.clear_log()
        process = await run.start(path, "--apply", "--yes")
        await until_seen(run.sandbox, count, method)
        process.kill()
        await process.communicate()
    assert (await run(path, "--apply", "--yes"))[0] == 0
    for project in ("2", "3"):
        assert run.people(project) == {str(id): 1 for id in range(2, 10)}
        team = [one for one in run.sandbox.store.all("participations") if one["workspace_id"] == project]
        assert all(one["rate_in_cents"] == int(one["user_id"]) * 100 for one in team)


async def test_a_revoked_token(run: Run) -> None:
    """401 is told in a line, and exits 1."""
    process = await run.start(run.write(GOOD))
    run.sandbox.token = "another"
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert errors.decode().startswith("Error: 401 on GET /users/me")
