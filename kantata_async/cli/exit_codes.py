"""The exit codes of `kantata-async`, which a script can use."""

from __future__ import annotations

from typing import Final

FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130

EXIT_CODES: Final = """\b
Exit codes:
  0    done
  1    failed, and said why
  2    wrong usage, or something is not installed
  130  interrupted
"""
