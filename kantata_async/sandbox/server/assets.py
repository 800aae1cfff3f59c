"""The sandbox's page for the browser: a few files, which load nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..backend import Answer

_FOLDER: Final = Path(__file__).parent / "page"
_START: Final = "page.html"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
# No script runs but the page's own, whatever a record or a request says, and no other page shows it in a frame.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def asset(path: str) -> Answer | None:
    """The file of the page at a path, ``/`` for the page itself; None where there is none."""
    name = path.removeprefix("/") or _START
    if name not in {file.name for file in _FOLDER.iterdir()}:
        return None
    file = _FOLDER / name
    return Answer(200, file.read_bytes(), _TYPES[file.suffix], _HEADERS)
