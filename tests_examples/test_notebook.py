"""The notebook, run in a kernel from its first cell to its last."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import nbformat
import pytest
from nbclient import NotebookClient
from serving import ROOT

NOTEBOOK: Final = ROOT / "examples" / "notebook" / "people.ipynb"


# What the notebook's own libraries warn of is not ours to mend.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_notebook_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every cell, with `await` at its top; the table has a row for each member, and nothing is left open."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTHONWARNINGS", "error:Unclosed")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    assert [one for one in outputs if one.output_type == "stream" and one.name == "stderr"] == []
    shown = ["".join(one.data.get("text/plain", "")) for one in outputs if one.output_type == "execute_result"]
    assert shown[0].startswith("<User 1 ")
    assert shown[1].count("<User ") == len(shown[2].splitlines()) - 1 > 0
    assert shown[3] == "'39 people, 6 projects'"


def test_it_is_kept_without_its_results() -> None:
    """What a run showed is not in the repository."""
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert [cell for cell in cells if cell.outputs or cell.execution_count] == []
