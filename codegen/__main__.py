"""``python -m codegen``: write the generated modules; ``python -m codegen FOLDER``: write them below FOLDER instead."""

from __future__ import annotations

import sys
from pathlib import Path

from .catalogue import read
from .render import format_sources, render
from .stored import as_json


def main(folder: Path) -> None:
    """Write every generated module below `folder`, in place of those that were there."""
    api = folder / "api"
    api.mkdir(parents=True, exist_ok=True)
    for stale in api.glob("*.py"):
        stale.unlink()
    catalogue = read()
    (folder / "catalogue").mkdir(exist_ok=True)
    (folder / "catalogue" / "catalogue.json").write_bytes(as_json(catalogue))
    for path, source in render(catalogue).items():
        (folder / path).write_text(source, encoding="utf-8")
    format_sources(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "kantata_async")
