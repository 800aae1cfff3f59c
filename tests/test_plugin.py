"""The pytest plugin: its fixtures, its cost, and a run that lacks what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from snippets import blocks_in

from kantata_async import KantataSession
from kantata_async.sandbox import Fault, Sandbox


async def test_the_session_is_opened_on_the_sandbox(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """What is written through one fixture is in the other."""
    role = await kantata.roles.create(name="Cartographer")
    stored = kantata_sandbox.store.get("roles", role.id)
    assert stored is not None
    assert stored["name"] == "Cartographer"


@pytest.mark.parametrize("_run", [1, 2])
async def test_every_test_has_a_sandbox_of_its_own(kantata: KantataSession, _run: int) -> None:
    """Nothing that one test writes is there in another."""
    assert "Glazier" not in [role.name for role in await kantata.roles.list()]
    await kantata.roles.create(name="Glazier")


async def test_a_retry_costs_no_time(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """The fixture's session retries as any other does, without the waits."""
    kantata_sandbox.faults.add(Fault("status", status=503, method="GET", times=3))
    await kantata.users.me()
    log = kantata_sandbox.requests
    assert len(log) == 4
    assert log[-1].at - log[0].at < 0.5


def test_a_new_project_tests_as_the_documentation_shows(tmp_path: Path) -> None:
    """The settings and the tests of the page, in a folder with nothing else, by pytest as it is."""
    page = Path(__file__).parents[1] / "docs" / "howto" / "testing.md"
    (tmp_path / "pyproject.toml").write_text(next(blocks_in(page, "toml")).code)
    (tmp_path / "test_ours.py").write_text(next(blocks_in(page, "python")).code)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env=clean,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter that loads no pytest plugin by itself."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        env=clean | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        check=False,
    )


def test_loading_the_plugin_loads_no_client(tmp_path: Path) -> None:
    """Every pytest run of everybody who has installed the package pays for what the plugin imports: next to nothing."""
    code = "import pytest, pytest_asyncio, sys; before = set(sys.modules); import kantata_async.pytest_plugin\n"
    done = python(code + "print(sorted(set(sys.modules) - before))", tmp_path)
    assert done.stdout == "['kantata_async', 'kantata_async._version', 'kantata_async.pytest_plugin']\n"


def test_an_overridden_sandbox_is_used(tmp_path: Path) -> None:
    """A fixture of the same name gives a company of another size, and the session is opened on that."""
    (tmp_path / "test_small.py").write_text(
        "import pytest_asyncio\n"
        "from kantata_async.sandbox import Sandbox\n"
        "@pytest_asyncio.fixture\n"
        "async def kantata_sandbox():\n"
        "    async with Sandbox(people=3) as sandbox:\n"
        "        yield sandbox\n"
        "async def test_small(kantata):\n"
        "    assert len(await kantata.users.list()) == 3\n"
    )
    plugins = "'-p', 'pytest_asyncio.plugin', '-p', 'kantata_async.pytest_plugin', '--asyncio-mode=auto'"
    done = python(f"import pytest, sys; sys.exit(pytest.main([{plugins}]))", tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_without_what_the_fixtures_need(tmp_path: Path) -> None:
    """Tests that do not use the fixtures run; one that does fails, and is told what to install."""
    (tmp_path / "test_it.py").write_text(
        "async def test_with(kantata): ...\ndef test_with_sandbox(kantata_sandbox): ...\ndef test_without(): ...\n"
    )
    plugins = "'-p', 'kantata_async.pytest_plugin'"
    code = f"import pytest, sys; sys.modules['pytest_asyncio'] = None; sys.exit(pytest.main([{plugins}]))"
    done = python(code, tmp_path)
    assert done.returncode == 1
    assert "1 passed" in done.stdout
    assert "2 errors" in done.stdout
    assert "pip install 'kantata-async[pytest]'" in done.stdout
