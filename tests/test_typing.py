"""What mypy --strict and pyright say of typical uses, of the calls that docstrings show, and of mistakes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from docstring_examples import as_program

HERE: Final = Path(__file__).parent
USES: Final = HERE / "typing_uses.py"
MISTAKES: Final = HERE / "typing_mistakes.py"
EXAMPLES: Final = "docstring_examples_program.py"
PROJECT: Final = HERE.parent / "pyproject.toml"

Errors = dict[Path, dict[int, str]]
"""The first message of each line that has one, by file."""


def run(*arguments: str) -> str:
    """What a tool of this interpreter prints; it ends with 1 where it finds errors."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=HERE.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def by_mypy(examples: Path) -> Errors:
    """The errors of mypy."""
    found: Errors = {USES: {}, MISTAKES: {}, examples: {}}
    output = run(
        "mypy",
        "--config-file",
        str(PROJECT),
        "--strict",
        "--no-pretty",
        "--show-absolute-path",
        str(USES),
        str(MISTAKES),
        str(examples),
    )
    for line in output.splitlines():
        if matched := re.match(r"(?P<path>.+?):(?P<line>\d+): error: (?P<message>.*)", line):
            found.setdefault(Path(matched["path"]), {}).setdefault(int(matched["line"]), matched["message"])
    return found


def by_pyright(examples: Path) -> Errors:
    """The errors of pyright."""
    found: Errors = {USES: {}, MISTAKES: {}, examples: {}}
    files = map(str, (USES, MISTAKES, examples))
    output = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, *files))
    for one in output["generalDiagnostics"]:
        if one["severity"] == "error":
            line = one["range"]["start"]["line"] + 1
            found.setdefault(Path(one["file"]), {}).setdefault(line, one["message"])
    return found


@pytest.fixture(name="errors", scope="module", params=[by_mypy, by_pyright], ids=["mypy", "pyright"])
def the_errors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Errors:
    """The errors of one type checker, run once for all files."""
    examples = tmp_path_factory.mktemp("typing") / EXAMPLES
    examples.write_text(as_program(), encoding="utf-8")
    found: Errors = request.param(examples)
    return found


def test_typical_uses_are_accepted(errors: Errors) -> None:
    """Without one error."""
    assert errors[USES] == {}


def test_the_calls_that_docstrings_show_are_accepted(errors: Errors) -> None:
    """Without one error."""
    assert [found for path, found in errors.items() if path.name == EXAMPLES] == [{}]


def test_each_mistake_is_refused(errors: Errors) -> None:
    """On its own line; what is right beside it is not."""
    lines = MISTAKES.read_text(encoding="utf-8").splitlines()
    marked = {number: line.strip() for number, line in enumerate(lines, start=1) if line.endswith("# refused")}
    assert len(marked) > 100
    assert {number: line for number, line in marked.items() if number not in errors[MISTAKES]} == {}
    assert {number: found for number, found in errors[MISTAKES].items() if number not in marked} == {}


def test_nothing_else_is_found(errors: Errors) -> None:
    """The package itself has no error that a user's checker would show."""
    assert {
        path: found for path, found in errors.items() if path not in {USES, MISTAKES} and path.name != EXAMPLES
    } == {}
