"""The examples for those who run an orchestrator: each does what it says, on a sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kantata_async import KantataSession
from kantata_async.sandbox import Sandbox, ThreadedSandbox

EXAMPLES = Path(__file__).parents[1] / "examples"
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedSandbox]:
    """A sandbox that the environment names, with the examples at hand."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    with ThreadedSandbox(Sandbox(people=20, projects=4)) as running:
        monkeypatch.setenv("KANTATA_TOKEN", running.token)
        monkeypatch.setenv("KANTATA_BASE_URL", running.url)
        yield running


async def entries_there(sandbox: ThreadedSandbox) -> int:
    """How many time entries the server has."""
    async with KantataSession(token=sandbox.token, base_url=sandbox.url) as kantata:
        return await kantata.time_entries.list().count()


def rows_in(path: Path, table: str) -> int:
    with contextlib.closing(sqlite3.connect(path)) as database:
        count: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return count


@pytest.mark.filterwarnings("default")  # dlt warns of its own ways with SQLAlchemy
def test_dlt_is_handed_what_changed(sandbox: ThreadedSandbox, tmp_path: Path) -> None:
    """Everything the first time; then what was updated since, less a few minutes, over what is there."""
    import dlt
    from dlt_resource import changes

    destination = dlt.destinations.sqlalchemy(f"sqlite:///{tmp_path}/copy.db")
    pipeline = dlt.pipeline("kantata", pipelines_dir=str(tmp_path), destination=destination, dataset_name="kantata")
    pipeline.run(changes("time_entries"))
    path, there = next(tmp_path.glob("*kantata.db")), asyncio.run(entries_there(sandbox))
    assert there > 10
    assert rows_in(path, "time_entries") == there
    pipeline.run(changes("time_entries"))
    assert rows_in(path, "time_entries") == there
    counts = pipeline.last_trace.last_normalize_info
    assert counts is not None
    assert counts.row_counts.get("time_entries", 0) < there


def test_dagster_makes_the_copy(sandbox: ThreadedSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The asset is made, and tells what each job came to."""
    import dagster
    from dagster_asset import kantata_copy

    monkeypatch.setenv("COPY_PATH", str(tmp_path / "copy.db"))
    result = dagster.materialize([kantata_copy])
    assert result.success
    (event,) = result.get_asset_materialization_events()
    metadata = event.step_materialization_data.materialization.metadata
    there = asyncio.run(entries_there(sandbox))
    assert rows_in(tmp_path / "copy.db", "time_entries") == there
    assert metadata["time_entries"].value["new"] == there


def test_the_examples_are_typed() -> None:
    """As strictly as the package."""
    files = ["dlt_resource.py", "dagster_asset.py", "distributed/workers.py"]
    for checker in (["-m", "mypy", "--strict"], ["-m", "pyright", "--pythonpath", sys.executable]):
        done = subprocess.run(
            [sys.executable, *checker, *files], cwd=EXAMPLES, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
