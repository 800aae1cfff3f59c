"""The command line as a person or a script runs it: in a process of its own, where that is what is looked at."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import pytest
from command_line import run
from rich.console import Console
from waiting import until

from kantata_async import __version__
from kantata_async.cli.commands import program
from kantata_async.cli.demo import company_of, demonstrate
from kantata_async.cli.demo_facts import Scale
from kantata_async.cli.demo_view import DemoView
from kantata_async.sandbox import Fault, Sandbox

COMMAND: Final = [sys.executable, "-m", "kantata_async"]
QUICK: Final = ("--latency", "0.01")


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without what would change how output looks, in Python's development mode."""
    swayed = {"FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "KANTATA_TOKEN"}
    kept = {name: value for name, value in os.environ.items() if name not in swayed}
    return kept | {"PYTHONDEVMODE": "1"} | changes


def without_debug_notes(stderr: str) -> str:
    """What was written to standard error, but for what asyncio's debug mode says of anything that took 0.1 s."""
    return "".join(line for line in stderr.splitlines(keepends=True) if not line.startswith("Executing <"))


def kantata_async(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        env=environment(**changes),
        check=False,
    )


def without(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line where a module is not installed."""
    code = f"import sys; sys.modules[{module!r}] = None; from kantata_async.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        check=False,
    )


def test_the_version() -> None:
    """--version says which one, and exits 0."""
    done = kantata_async("--version")
    assert (done.returncode, done.stdout) == (0, f"kantata-async {__version__}\n")


@pytest.mark.parametrize("command", [(), ("demo",), ("sandbox",), ("provision",), ("roster",)])
def test_help_documents_the_exit_codes(command: tuple[str, ...]) -> None:
    """A script's author finds the exit codes in the help of every command."""
    done = run(*command, "--help", environment={})
    assert done.code == 0
    assert re.findall(r"^    (\d+)  +\w", done.out, re.MULTILINE) == ["0", "1", "2", "3", "130", "143"]


def modules_of(code: str) -> set[str]:
    """What a new process has imported after some code."""
    code += "; import sys; print(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_help_of_every_command_comes_at_once() -> None:
    """It imports what click imports, and beside that only modules of the command line."""
    commands = [[], *([name] for name in program.list_commands(click.Context(program)))]
    asked = f"for asked in {commands}: main([*asked, '--help'])"
    clicks = modules_of("import click; click.Command('some', help='text').main(['--help'], standalone_mode=False)")
    shown = modules_of(f"from kantata_async.cli import main\n{asked}\npass")
    beside = {name for name in shown - clicks if not name.startswith("kantata_async.cli")}
    assert beside == {"kantata_async", "kantata_async._version"}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_once_it_is_told_to() -> None:
    """By the line of the documentation."""
    typed = (
        'eval "$(_KANTATA_ASYNC_COMPLETE=bash_source kantata-async)"\n'
        "COMP_WORDS=(kantata-async list curr) COMP_CWORD=2\n"
        "_kantata_async_completion kantata-async\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc"],
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}"),
        check=False,
    )
    assert (done.stdout, done.returncode) == ("currencies\n", 0), done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("demonstrate",), ("demo", "--people", "0"), ("demo", "--latency", "0"), ("sandbox", "--port", "70000")],
)
def test_wrong_usage_exits_2(arguments: tuple[str, ...]) -> None:
    """A wrong command or value is told on standard error."""
    done = run(*arguments, environment={})
    assert done.code == 2
    assert "Error: " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("module", ["click", "rich"])
def test_a_missing_extra_is_named(module: str) -> None:
    """Without the extra `cli` one line says how to get it, and the exit code is 2."""
    done = without(module, "demo")
    assert done.returncode == 2
    assert without_debug_notes(done.stderr).count("\n") == 1
    assert "pip install 'kantata-async[cli]'" in done.stderr


def test_any_other_missing_module_is_a_bug() -> None:
    """What is not part of the extra is not blamed on it."""
    done = without("aiohttp", "demo")
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


def test_the_demo_creates_what_it_says_and_says_what_it_took() -> None:
    """250 people on three projects, three requests for it, and a check against the store."""
    done = kantata_async("demo", *QUICK)
    assert (done.returncode, without_debug_notes(done.stderr)) == (0, "")
    assert "Put 250 people on 3 projects" in done.stdout
    assert "250 created" in done.stdout
    assert re.search(r"Put 250 people on 3 projects +3 +\d+\.\d\d s +250 ", done.stdout)
    assert sum(int(size) for size in re.findall(r"\((\d+) people\)", done.stdout)) == 250
    assert re.search(r"Created 250 participations on 3 projects\. All steps together took \d+ requests", done.stdout)
    assert "Checked" in done.stdout
    assert "kantata-async sandbox" in done.stdout


def test_a_piped_demo_is_plain() -> None:
    """No control characters and no bars where nobody watches."""
    done = kantata_async("demo", *QUICK, "--people", "5")
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout) is None
    assert "━" not in done.stdout


def test_the_demo_writes_what_the_encoding_allows() -> None:
    """Output that cannot write every character loses those, not the run."""
    done = kantata_async("demo", *QUICK, "--people", "5", PYTHONIOENCODING="ascii")
    assert (done.returncode, without_debug_notes(done.stderr)) == (0, "")
    assert done.stdout.isascii()


@pytest.mark.parametrize(("people", "projects"), [(1, 1), (2, 3), (101, 8)])
def test_the_demo_at_other_scales(people: int, projects: int) -> None:
    """One person, more projects than people, and more teams than are shown."""
    scale = ("--people", str(people), "--projects", str(projects), "--seed", "5")
    done = run("demo", *QUICK, *scale, environment={})
    assert done.code == 0
    assert "Checked" in done.out


async def test_a_wrong_team_fails_the_demo() -> None:
    """The check is one: somebody whom nobody put on a project is found, and the demonstration fails."""
    scale = Scale(people=10, latency=0.001)
    console = Console(record=True, width=80, file=io.StringIO())
    company = company_of(scale)
    demonstration = asyncio.create_task(demonstrate(company, scale, DemoView(console)))
    await until(lambda: company.committed == 1)
    (creating,) = [one for one in company.requests if one.method == "POST"]
    project = creating.body["participations"][0]["workspace_id"]
    company.store.add("participations", {"workspace_id": project, "user_id": "1"})
    assert await demonstration is False
    assert "Wrong: 1 participations are in the store that nobody asked for" in console.export_text()


def test_an_error_is_one_line() -> None:
    """A KantataError ends a command with exit code 1 and one line on standard error."""
    with Sandbox.in_thread(people=3, projects=1) as sandbox:
        sandbox.faults.add(Fault("status", status=403, method="GET"))
        reaching = {"KANTATA_TOKEN": sandbox.token, "KANTATA_BASE_URL": sandbox.url}
        done = run("get", "users", "1", environment=reaching)
    assert done.code == 1
    assert done.err.startswith("Error: 127.0.0.1:")
    assert "The server answered 403" in done.err
    assert done.err.count("\n") == 1


@contextmanager
def running_sandbox(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The `sandbox` command once it listens, and what it has printed."""
    process = subprocess.Popen(
        [*COMMAND, "sandbox", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        printed = ""
        for line in process.stdout:
            printed += line
            if line.startswith("Ctrl-C"):
                break
        yield process, printed
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_the_sandbox_answers_until_it_is_interrupted() -> None:
    """It prints where it is and the token, answers to that, and exits 0 on Ctrl-C."""
    with running_sandbox("--port", "0", "--people", "7", "--projects", "2") as (process, printed):
        url = re.search(r"listens on (\S+)", printed)
        token = re.search(r"export KANTATA_TOKEN=(\S+) KANTATA_BASE_URL=(\S+)", printed)
        assert url is not None
        assert token is not None
        assert token[2] == url[1]
        request = urllib.request.Request(f"{url[1]}/users", headers={"Authorization": f"Bearer {token[1]}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)["count"] == 7
        page = re.search(r"In a browser.*\n\s+(\S+)", printed)
        assert page is not None
        with urllib.request.urlopen(page[1], timeout=10) as answer:
            assert b"<h1>Kantata sandbox</h1>" in answer.read()
        process.send_signal(signal.SIGINT)
        rest, stderr = process.communicate(timeout=10)
    assert (process.returncode, rest, without_debug_notes(stderr)) == (0, "Ended.\n", "")


def test_a_port_in_use_is_told() -> None:
    """A port that something else listens on is one clear line and exit code 1."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        done = run("sandbox", "--port", port, environment={})
    assert done.code == 1
    assert done.err == f"Error: port {port} is in use; choose another with --port, or any free one with --port 0\n"


def test_an_interrupted_demo_exits_130() -> None:
    """Ctrl-C ends a demonstration with the exit code of an interrupt and without a traceback."""
    process = subprocess.Popen(
        [*COMMAND, "demo", "--latency", "30"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "users.me" in line:
            break
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=10)
    assert (process.returncode, without_debug_notes(stderr).strip()) == (130, "Interrupted.")
