"""Who may control the sandbox: programs on this machine, and its own page; never a page from elsewhere.

A browser sends requests for any page that asks. It says in `Origin` which page that was, and in `Host` under which name
it found this machine: a name that somebody else made lead here would pass every check of the origin alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from ..backend import Refusal

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def refuse_foreign(headers: Mapping[str, str]) -> None:
    """Refuse a request that was sent under a foreign name, or for a page of another origin.

    Raises:
        Refusal: 403.
    """
    host = headers.get("Host", "")
    if _hostname(f"//{host}") not in LOOPBACK:
        raise _forbidden(f"The sandbox is controlled from this machine only, not as {host!r}")
    origin = headers.get("Origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        raise _forbidden(f"The sandbox is not controlled by pages of {origin!r}")


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _forbidden(message: str) -> Refusal:
    return Refusal(403, [{"type": "system", "message": message}])
