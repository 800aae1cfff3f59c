"""Amounts as people write them: decimal points or commas, and thousands where they cannot be decimals. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_NUMBER: Final = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,6})?", re.ASCII)
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(?:([.,'\s])[0-9]{3})(?:\1[0-9]{3})*(?:([.,])[0-9]{1,2})?", re.ASCII)
_DECIMAL_COMMA: Final = re.compile(r"[0-9]{1,18},[0-9]{1,2}", re.ASCII)
_EITHER: Final = re.compile(r"[0-9]{1,3}[.,][0-9]{3}", re.ASCII)


def is_ambiguous(text: str) -> bool:
    """Whether an amount could have thousands as well as decimals, as 1,200 and 1.200 do."""
    return _EITHER.fullmatch(text) is not None


def read_amount(text: str) -> Decimal | None:
    """The amount that a text says: 120, 120.50, 120,50 or 1,200.50; None where it is none.

    Of an amount that is ambiguous, the point is taken for that of decimals.
    """
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    if _DECIMAL_COMMA.fullmatch(text):
        return Decimal(text.replace(",", "."))
    grouped = _THOUSANDS.fullmatch(text)
    if grouped and grouped[1] != grouped[2]:
        return Decimal(text.replace(grouped[1], "").replace(",", "."))
    return None
