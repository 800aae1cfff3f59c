"""The terminal: lines for people to read, and bars while somebody waits."""

from __future__ import annotations

import io
import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text


def console() -> Console:
    """The console on standard output; without colors when piped or when NO_COLOR is set."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal's encoding cannot write costs a character, not the run.
        sys.stdout.reconfigure(errors="replace")
    return Console(highlight=False)


class _Amount(ProgressColumn):
    """How much of a task is done; empty while the total is unknown."""

    def render(self, task: Task) -> Text:
        """The text of the column."""
        return Text("" if task.total is None else f"{task.completed:,.0f} of {task.total:,.0f}")


def bars(on: Console) -> Progress:
    """Progress bars that go away when the work is done; none where they cannot be drawn over."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        _Amount(),
        TimeElapsedColumn(),
        console=on,
        transient=True,
        disable=not on.is_interactive,
    )
