"""Names of test cases that are the same in every process, as xdist needs them."""

from __future__ import annotations

import re


def without_address(value: object) -> str:
    """The repr of a value, without where in memory it lies."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
