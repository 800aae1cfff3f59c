"""The benchmarks are programs too: each runs, in its shortest form, and gives figures."""

from __future__ import annotations

from importlib import import_module

import pytest

pytest.importorskip("msgspec")
pytest.importorskip("pydantic")

from benchmarks._figures import Figure, table


@pytest.mark.parametrize(
    "name", ["bulk", "calls", "growth", "imports", "lists", "memory", "normalize", "sync", "sync_memory"]
)
def test_a_benchmark_runs(name: str) -> None:
    """And gives figures with what is to be reached, which a table shows."""
    figures = import_module(f"benchmarks.{name}").main(True)
    assert any(figure.goal for figure in figures)
    assert len(table(figures).splitlines()) == len(figures) + 2


def test_a_table_names_what_is_measured_once() -> None:
    """One line a figure, in columns."""
    figures = [
        Figure("a call", "bare", 200.04, "µs"),
        Figure("a call", "ours", 1234.5, "µs", 1.254, 0.011, "≤ 1.25"),
        Figure("a page", "ours", 0.5678, "s"),
    ]
    assert table(figures).splitlines() == [
        "|        |      |   median | ratio |    ± |   goal |",
        "| ------ | ---- | -------: | ----: | ---: | -----: |",
        "| a call | bare |   200 µs |       |      |        |",
        "|        | ours | 1,234 µs |  1.25 | 0.01 | ≤ 1.25 |",
        "| a page | ours |  0.568 s |       |      |        |",
    ]
