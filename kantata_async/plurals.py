"""Numbers with their nouns."""

from __future__ import annotations


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun: ``1 line``, ``2,000 lines``.

    Args:
        count: the number.
        one: the noun for one.
        many: the noun for any other number; by default with an s.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
