"""How many requests a part is going to take, as far as can be known before it is read."""

from __future__ import annotations

from ..calls import MAX_PER_PAGE, pages_for
from .reading import MOST_PAGES
from .ways import By, Deletions, Way


def is_small(held: int | None) -> bool:
    """Whether a part of a kind, of which so many objects are held, is likely to come in one answer."""
    return held is not None and held <= MAX_PER_PAGE


def requests_for(rows: int, way: Way, held: int | None = None, *, is_first: bool = False) -> int:
    """About how many requests it takes to read so many objects in some way, and to find what is gone.

    Args:
        rows: how many there are to read.
        way: how they are read.
        held: how many are held of a kind; None for a list that is read without kinds.
        is_first: whether nothing was read before.
    """
    pages = max(1, pages_for(rows, MAX_PER_PAGE))
    if way.by is By.NOTHING or (is_small(held) and pages == 1):
        return pages
    looks = 0
    if is_small(held) or (held is not None and way.newest is not None and not is_first):
        looks = 1
        if rows == 0:
            return looks
    return looks + _by_windows(pages, way)


def _by_windows(pages: int, way: Way) -> int:
    counting = 1 if way.deletions in {Deletions.HALVING, Deletions.COUNTING} else 0
    if pages == 1:
        return pages + counting
    # The first page says how much there is, and one more read shows what has changed since.
    return 1 + _in_windows(pages) + 1 + counting


def _in_windows(pages: int) -> int:
    """The requests for the pages of a window that is halved until no page lies deep."""
    windows = 1
    while pages > windows * MOST_PAGES:
        windows *= 2
    # Each cut asks for a count, and the last page of each window is half empty on average.
    return pages + (windows - 1) + (windows - 1) // 2
