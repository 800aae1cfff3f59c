"""What a benchmark found, and all of it as one table."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import attrs


@attrs.frozen
class Figure:
    """One way to do something, measured.

    Attributes:
        of: what is done.
        side: the way to do it.
        value: the median.
        unit: of the value.
        ratio: to the side it is compared with; None for that side, and where there is none.
        noise: half the distance between the quartiles of the ratio.
        goal: what is to be reached, as text.
    """

    of: str
    side: str
    value: float
    unit: str
    ratio: float | None = None
    noise: float | None = None
    goal: str = ""


_HEADS = ("", "", "median", "ratio", "±", "goal")


def table(figures: Iterable[Figure]) -> str:
    """Figures as a table in Markdown, wide enough to be read as plain text."""
    rows = [_HEADS]
    for _, group in groupby(figures, lambda figure: figure.of):
        for number, figure in enumerate(group):
            rows.append((figure.of if number == 0 else "", *_cells(figure)))
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]  # Markdown rules are three long
    ruler = tuple("-" * (width - 1) + (":" if place > 1 else "-") for place, width in enumerate(widths))
    return "\n".join(_line(row, widths) for row in (rows[0], ruler, *rows[1:]))


def _cells(figure: Figure) -> tuple[str, str, str, str, str]:
    return (
        figure.side,
        f"{_shown(figure.value)} {figure.unit}".rstrip(),
        "" if figure.ratio is None else f"{figure.ratio:,.2f}",
        "" if figure.noise is None else f"{figure.noise:.2f}",
        figure.goal,
    )


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{value:.3g}"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    shown = [
        f"{cell:<{width}}" if place < 2 else f"{cell:>{width}}"
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(shown)} |"
