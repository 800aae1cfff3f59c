"""What is installed: all that the package needs, and nothing shadows it while it is under test."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

import kantata_async

CHECKOUT: Final = Path(__file__).parents[1]
PACKAGE: Final = Path(kantata_async.__file__).parent


def test_what_is_tested_is_what_was_installed() -> None:
    """A wheel is imported from where it was installed, here and in programs that tests start."""
    installed = distribution("kantata-async")
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    started = subprocess.run(
        [sys.executable, "-c", "import kantata_async; print(kantata_async.__file__)"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(started.stdout.strip()).parent == PACKAGE
    if not origin.get("dir_info", {}).get("editable"):
        assert Path(str(installed.locate_file("kantata_async"))) == PACKAGE


def test_everything_that_is_needed_is_installed() -> None:
    """Each file of the package but the catalogue's sources, from which catalogue.json is made."""
    there = {path.relative_to(CHECKOUT / "kantata_async") for path in (CHECKOUT / "kantata_async").rglob("*.*")}
    shipped = {path for path in there if "__pycache__" not in path.parts and path.suffix != ".yaml"}
    shipped -= {Path("catalogue", "README.md")}
    assert {Path("py.typed"), Path("catalogue", "catalogue.json")} <= shipped
    assert [str(path) for path in sorted(shipped) if not (PACKAGE / path).is_file()] == []


def test_every_dependency_has_a_floor_and_a_ceiling() -> None:
    """What a release was tested on is said from both sides, or it is one version alone."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [Requirement(one) for some in (project["dependencies"], *extras) for one in some]
    operators = {one.name: {part.operator for part in one.specifier} for one in wanted}
    assert operators.pop("kantata-async") == set()
    assert {name: found for name, found in operators.items() if found not in ({">=", "<"}, {"=="})} == {}
