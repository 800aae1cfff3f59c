"""Whether a list that was read page by page was read as a whole: pure.

Paging is by number over live data (API facts, "Asking"): what is deleted or sorted anew between two pages shifts the
others, and one of them can be on no page that was read. What is on none of the pages is surely not there only where the
pages prove to be all there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from ..model import Meta

_MOST_STALE: Final = 3
"""Pages in a row that may bring nothing new: what others add meanwhile moves what came to the pages after it."""


@attrs.define
class Survey:
    """One reading of a list, from its first page on.

    Attributes:
        ids: of the objects that came.
        fault: why it can never be read as a whole; None as long as nothing speaks against it.
    """

    ids: set[str] = attrs.field(factory=set)
    fault: str | None = None
    _counts: list[int | None] = attrs.field(factory=list)
    _filled: int = 0
    _stale: int = 0

    def take(self, meta: Meta, ids: Iterable[str]) -> None:
        """Take note of the next page."""
        coming = set(ids)
        self._stale = self._stale + 1 if coming and coming <= self.ids else 0
        if self._stale == _MOST_STALE:
            self.fault = "its pages bring nothing but what came before"
        self._counts.append(meta.count)
        self._filled += bool(coming)
        self.ids |= coming

    @property
    def lacks(self) -> bool:
        """Whether there were more objects at its first page than came in all."""
        return self._counts[0] is not None and len(self.ids) < self._counts[0]

    @property
    def is_whole(self) -> bool:
        """Whether this reading alone proves that all was read: one page, or a count that was and stayed right."""
        if self.fault is not None or self.lacks:
            return False
        return self._filled <= 1 or set(self._counts) == {len(self.ids)}

    def confirms(self, earlier: Survey) -> bool:
        """Whether it, read after another one, shows that nothing slipped by: all that came before came again."""
        return self.fault is None and not self.lacks and earlier.ids <= self.ids
