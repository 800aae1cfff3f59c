"""The exit codes of `kantata-async`, which a script can use."""

from __future__ import annotations

from typing import Final

FAILED: Final = 1
WRONG_USAGE: Final = 2
TO_DO: Final = 3
INTERRUPTED: Final = 130
TERMINATED: Final = 143

EXIT_CODES: Final = """\b
Exit codes:
  0    done
  1    failed, and said why
  2    wrong usage, or something is not installed
  3    checked, and there is something to do
  130  interrupted
  143  terminated
"""
