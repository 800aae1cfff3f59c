"""The README says what is so: its snippets run, its commands are the ones CI runs."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest

from kantata_async import KantataSession
from kantata_async.sandbox import Sandbox

ROOT: Final = Path(__file__).parents[1]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[tuple[int, str]]:
    """The README's blocks of a language, each with the line it begins at."""
    found = re.finditer(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    return [(README.count("\n", 0, match.start(1)) + 1, match[1]) for match in found]


SNIPPETS: Final = [pytest.param(code, id=f"line {line}") for line, code in blocks("python")]


@pytest.mark.parametrize("code", SNIPPETS)
async def test_a_snippet_runs(
    code: str, kantata: KantataSession, kantata_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every Python block runs as it stands, on a sandbox in place of the account; the tests among them pass."""
    monkeypatch.setenv("KANTATA_TOKEN", kantata_sandbox.token)
    defaults = KantataSession.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "base_url", kantata_sandbox.url)
    given = {"kantata": kantata, "kantata_sandbox": kantata_sandbox}
    names: dict[str, Any] = {"kantata": kantata}
    await run(code, names)
    for name, test in names.items():
        if name.startswith("test_"):
            await with_fixtures(test, given)


async def run(code: str, names: dict[str, Any]) -> None:
    """Execute code that awaits at its top level."""
    compiled = compile(code, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(compiled, names)
    if inspect.isawaitable(result):
        await result


async def with_fixtures(test: Callable[..., Awaitable[None]], given: dict[str, Any]) -> None:
    """Call a test with the fixtures that it names, on a sandbox as it was."""
    given["kantata_sandbox"].reset()
    await test(**{name: given[name] for name in inspect.signature(test).parameters})


def test_ci_runs_the_two_commands_of_the_readme() -> None:
    """CI takes the commands out of the README, so what it runs is what a reader types."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    extract = re.search(r"^readme_command\(\) \{.*?^\}$", script, flags=re.DOTALL | re.MULTILINE)
    assert extract is not None
    commands = [
        subprocess.run(
            ["bash", "-c", f"{extract[0]}\nreadme_command {number}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for number in (1, 2)
    ]
    assert commands == [code for _, code in blocks("sh")]
    assert commands[0].strip().endswith("kantata-async demo")
    assert commands[1].strip().endswith("-m pytest")


def test_the_two_commands_are_one_line_each() -> None:
    """Command one and command two, no other step."""
    assert [code.count("\n") for _, code in blocks("sh")] == [1, 1]


def test_the_table_of_modules_names_modules_that_there_are() -> None:
    """What the README says lives somewhere does."""
    section = README.partition("## Where things live")[2].partition("\n## ")[0]
    named = re.findall(r"`([./a-z_]+(?:\.py|/))`", section)
    assert len(named) > 12
    assert [name for name in named if not (ROOT / "kantata_async" / name).exists()] == []
