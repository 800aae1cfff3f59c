"""The account of the sandbox, and the administrator to whom its token belongs."""

from __future__ import annotations

from typing import Final

ACCOUNT: Final = "1"
ME: Final = "1"
