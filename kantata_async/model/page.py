"""One answer as a caller gets it: what matched, what the answer says about paging, and the graph it came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs

from .entity import Entity
from .graph import Graph

E_co = TypeVar("E_co", bound=Entity, covariant=True)


@attrs.frozen
class Meta:
    """What the answer says about paging; None where it says nothing."""

    count: int | None = None
    page_count: int | None = None
    page_number: int | None = None
    page_size: int | None = None


@attrs.frozen
class Page(Generic[E_co]):
    """One answer: the entities that matched, in the API's order, and the graph that links them to the rest.

    `count` is the number of matches on all pages, None where the answer does not say; `extra` holds top-level values
    that are no collection.
    """

    items: Sequence[E_co]
    meta: Meta
    graph: Graph
    extra: Mapping[str, Any]

    @property
    def count(self) -> int | None:
        """The number of matches on all pages."""
        return self.meta.count
