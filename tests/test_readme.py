"""The README says what is so: its snippets run, its commands are the ones CI runs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
from snippets import Block, blocks_in, run_as_file

ROOT: Final = Path(__file__).parents[1]
README: Final = ROOT / "README.md"


PROGRAMS: Final = [pytest.param(block, id=f"line {block.line}") for block in blocks_in(README, "python")]


@pytest.mark.parametrize("block", PROGRAMS)
def test_a_program_runs(block: Block, tmp_path: Path) -> None:
    """Every block of Python is a file, and runs as one."""
    assert run_as_file(block, tmp_path)


def test_it_is_a_screen_and_a_half() -> None:
    """What is longer belongs into the documentation."""
    assert len(README.read_text(encoding="utf-8").split()) < 700


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
    assert commands == [block.code for block in blocks_in(README, "sh")]
    assert commands[0].strip().endswith("kantata-async demo")
    assert commands[1].strip().endswith("-m pytest")


def test_the_two_commands_are_one_line_each() -> None:
    """Command one and command two, no other step."""
    assert [block.code.count("\n") for block in blocks_in(README, "sh")] == [1, 1]


def test_the_table_of_modules_names_modules_that_there_are() -> None:
    """What the README says lives somewhere does."""
    section = README.read_text(encoding="utf-8").partition("## Where things live")[2].partition("\n## ")[0]
    named = re.findall(r"`([./a-z_]+(?:\.py|/))`", section)
    assert len(named) > 12
    assert [name for name in named if not (ROOT / "kantata_async" / name).exists()] == []
