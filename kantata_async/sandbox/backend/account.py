"""The account of the sandbox, and the administrator whose token it is."""

from __future__ import annotations

from typing import Final

ACCOUNT: Final = "1"
ME: Final = "1"
