"""The documentation for assistants: `python -m codegen.assistants docs build/site`, once the site is built.

`llms.txt` (llmstxt.org) lists what there is; each page stands as Markdown beside its HTML, and says the same.
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .reference import OTHERS, Page, pages

INDEX = "reference/resources/index.md"
_OTHERS = f"- [Objects without operations](reference/resources/{OTHERS}.md): what comes with others alone"


def write(configuration: Path, docs: Path, site: Path) -> None:
    """Write llms.txt into a site, and copy the pages that it is built from."""
    project: dict[str, Any] = tomllib.loads(configuration.read_text(encoding="utf-8"))["project"]
    for page in docs.rglob("*.md"):
        copy = site / page.relative_to(docs)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, copy)
    lines = [f"# {project['site_name']}", "", f"> {project['site_description']}"]
    lines += _section("Documentation", project["nav"])
    lines += ["", "## Resources", "", *(_resource(page) for page in pages()), _OTHERS]
    (site / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _section(title: str, entries: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A heading with the pages below it, and then the sections among them."""
    named = [item for entry in entries for item in entry.items()]
    yield from ("", f"## {title}", "")
    yield from (f"- [{name}]({page})" for name, page in named if isinstance(page, str) and page != INDEX)
    for name, below in named:
        if not isinstance(below, str):
            yield from _section(name, below)


def _resource(page: Page) -> str:
    calls = ", ".join(f"`{page.name}.{call.name}`" for call in page.calls)
    return f"- [{page.title}](reference/resources/{page.name}.md): {calls}"


if __name__ == "__main__":
    write(Path("zensical.toml"), Path(sys.argv[1]), Path(sys.argv[2]))
