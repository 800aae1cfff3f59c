"""How many pages a list has, as its answers say, and whether they can be believed: pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from ..model import Meta

_MOST_ALIKE: Final = 10
"""Pages in a row that may hold the same: others' objects move the pages while they are read, but not that often."""


def pages_for(count: int, size: int) -> int:
    """How many pages of a size so many objects take."""
    return -(-count // size)


@attrs.define
class PageCount:
    """The number of the last page worth asking for, learnt from the pages that came.

    Attributes:
        paged: whether the list is known to have pages; any other list has as many as its answers say.
        limit: how many matches are wanted; None for all.
        last: the last page to ask for.
    """

    paged: bool
    limit: int | None = None
    last: int = 1
    _taken: int = 0
    _largest: int = 0
    _matches: int = 0

    def take(self, meta: Meta, size: int) -> None:
        """Learn from the next page, which comes in order, and from how many matches are on it.

        An empty page ends the list, whatever its answers say: only the pages asked for ahead of it are still
        awaited, and one of these with matches takes the list up again.
        """
        self._taken += 1
        self._largest = max(self._largest, size)
        self._matches += size
        if not size:
            self.last = self._taken
        else:
            self.last = self._promised(meta)
        if self.limit is not None and size:
            wanted = pages_for(max(0, self.limit - self._matches), self._largest)
            self.last = min(self.last, self._taken + wanted)

    def _promised(self, meta: Meta) -> int:
        """The last page by what an answer says; a count or a number of pages that cannot be is as good as none."""
        count, size, pages = map(_possible, (meta.count, meta.page_size, meta.page_count))
        if pages:
            return max(pages, pages_for(count, size)) if size else pages
        if count:
            # A page may be short because something on it is hidden; the largest shows how the server cuts them.
            return pages_for(count, self._largest)
        return self._taken + 1 if self.paged else self._taken


def _possible(number: int | None) -> int:
    """A number of an answer about a page that holds something, where it can be right; else 0."""
    return max(0, number or 0)


@attrs.define
class Standstill:
    """Whether a server gives the same page again and again, whichever is asked for."""

    _last: Sequence[object] | None = None
    _alike: int = 0

    def take(self, page: Sequence[object]) -> bool:
        """Take note of what the next page holds; True where reading on would never end."""
        self._alike = self._alike + 1 if page == self._last else 1
        self._last = page
        return self._alike >= _MOST_ALIKE
