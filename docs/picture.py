"""Draws the picture of the demonstration in the README: `python docs/picture.py` runs it and writes assets/demo.svg."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

from rich.console import Console

from kantata_async.cli.demo import company_of, demonstrate
from kantata_async.cli.demo_facts import Scale
from kantata_async.cli.demo_view import DemoView

PICTURE = Path(__file__).with_name("assets") / "demo.svg"


def draw() -> None:
    """Run the demonstration on a console that keeps what it shows, and write that down."""
    console = Console(
        record=True, width=96, highlight=False, file=io.StringIO(), force_terminal=True, force_interactive=False
    )
    scale = Scale(people=250, projects=3, latency=0.2)
    asyncio.run(demonstrate(company_of(scale), scale, DemoView(console)))
    picture = console.export_svg(title="kantata-async demo")
    PICTURE.parent.mkdir(exist_ok=True)
    # Whoever looks at the picture asks nobody for a font.
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    draw()
