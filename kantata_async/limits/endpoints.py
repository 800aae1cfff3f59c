"""The operations that have a separate rate limit beside the general one (API facts, "Limits")."""

from __future__ import annotations

from typing import Final

GENERAL: Final = "general"

OWN_LIMITS: Final = (
    "GET /custom_field_values",
    "GET /workspaces",
    "POST /account_invitations",
    "POST /custom_field_values",
    "POST /project_snapshots",
    "POST /workspaces",
    "POST /workspaces/{id}/invite",
    "PUT /account_invitations/{id}/resend",
)

_ALONE: Final = (GENERAL,)
_TOGETHER: Final = {name: (GENERAL, name) for name in OWN_LIMITS}


def limits_of(method: str, path: str) -> tuple[str, ...]:
    """The names of the limits that a request counts against: the general one, and that of its endpoint if it has one.

    Args:
        method: in capitals.
        path: below the base URL, with or without ".json".
    """
    path = path.removesuffix(".json")
    if path.count("/") == 3:
        _, collection, _, action = path.split("/")
        path = f"/{collection}/{{id}}/{action}"
    return _TOGETHER.get(f"{method} {path}", _ALONE)
