"""One answer as a caller gets it: what matched, what the answer says about paging, and the graph it came in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

import attrs

from ..response import Response
from .entity_class import Entity
from .graph import Graph
from .nesting import flattened, restored

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
    """One answer: the entities that matched, in the API's order, and the graph that links them to associated objects.

    A page iterates over its entities, counts them with `len` and is indexed like a list. `count` is the number of
    matches on all pages, None where the answer does not say; `extra` holds top-level values that are no collection,
    such as the `errors` of a success. `response` is the answer beside all that, None where it was fetched elsewhere.
    """

    items: Sequence[E_co]
    meta: Meta
    graph: Graph
    extra: Mapping[str, Any]
    response: Response | None = attrs.field(default=None, eq=False)

    def __iter__(self) -> Iterator[E_co]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> E_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[E_co]: ...
    def __getitem__(self, index: int | slice) -> E_co | Sequence[E_co]:
        return self.items[index]

    @property
    def count(self) -> int | None:
        """The number of matches on all pages."""
        return self.meta.count

    def __reduce__(self) -> tuple[Callable[..., Page[Any]], tuple[Any, ...]]:
        return _page, (self.items, self.meta, self.graph, flattened(dict(self.extra)), self.response)


def _page(items: Sequence[Any], meta: Meta, graph: Graph, extra: Any, response: Response | None) -> Page[Any]:
    return Page(items, meta, graph, restored(extra), response)
