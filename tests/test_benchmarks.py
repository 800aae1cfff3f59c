"""The benchmarks are programs too: each runs, in its shortest form, and gives figures."""

from __future__ import annotations

from importlib import import_module

import pytest

pytest.importorskip("msgspec")
pytest.importorskip("pydantic")


@pytest.mark.parametrize("name", ["bulk", "calls", "growth", "imports", "lists", "memory", "normalize"])
def test_a_benchmark_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And prints a table of what it gives."""
    figures = import_module(f"benchmarks.{name}").main(True)
    assert figures
    assert len(capsys.readouterr().out.splitlines()) > len(figures)
