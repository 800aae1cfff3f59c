"""What stands at the top of the repository, as pages of the documentation: `python -m codegen.about docs/about`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

ABOUT: Final = ("CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md")


def write(repository: Path, folder: Path) -> None:
    """Write the pages into a folder below docs, with their links led to where the other pages are from there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ABOUT:
        text = (repository / name).read_text(encoding="utf-8").replace("](docs/", "](../")
        (folder / name.lower()).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(), Path(sys.argv[1]))
