"""Blocks of code in Markdown, and how a reader would run them."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from kantata_async import KantataSession
from kantata_async.sandbox import Sandbox

_FENCE: Final = r"^```{language}(?P<info>[^\n]*)\n(?P<code>.*?)^```$"
_TITLE: Final = re.compile(r'title="([^"]+)"')


@attrs.frozen
class Block:
    """A block of code: where it stands, what file it is said to be, and what it holds."""

    page: Path
    line: int
    title: str | None
    code: str


def blocks_in(page: Path, language: str) -> Iterator[Block]:
    """The blocks of a language on a page, in order."""
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(_FENCE.format(language=language), text, flags=re.DOTALL | re.MULTILINE):
        title = _TITLE.search(match["info"])
        yield Block(page, text.count("\n", 0, match.start("code")) + 1, title[1] if title else None, match["code"])


def run_as_file(block: Block, folder: Path) -> str:
    """Save a program as what it is called, and run it in development mode, where a warning is an error.

    Gives what it printed.
    """
    file = folder / str(block.title)
    file.write_text(block.code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        check=False,
    )
    # asyncio's debug mode says of anything that took 0.1 s.
    said = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    assert (done.returncode, said) == (0, [])
    return done.stdout


async def run_at_prompt(
    code: str, folder: Path, kantata: KantataSession, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run what a reader types in a folder where `await` works, on a sandbox in place of the account; then its tests."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KANTATA_TOKEN", sandbox.token)
    monkeypatch.setenv("KANTATA_BASE_URL", sandbox.url)
    names: dict[str, Any] = {"kantata": kantata}
    compiled = compile(code, "snippet", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(compiled, names)
    if inspect.isawaitable(result):
        await result
    given = {"kantata": kantata, "kantata_sandbox": sandbox}
    for name, test in names.items():
        if name.startswith("test_"):
            await _with_fixtures(test, given)


async def _with_fixtures(test: Callable[..., Awaitable[None]], given: dict[str, Any]) -> None:
    """Call a test with the fixtures that it names, on a sandbox as it was."""
    given["kantata_sandbox"].reset()
    await test(**{name: given[name] for name in inspect.signature(test).parameters})
