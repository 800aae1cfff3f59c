"""Deleted objects found by counting and halving: what is held is set against what the server counts, range by range.

Each question costs a request, and its answer brings a page of the range asked for. So p pages with one deletion among
them are settled by about log2(p) questions, and k deletions by k times as many at most.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

import attrs

from ..calls import pages_for
from .spans import Span

PAGE: Final = 200


@attrs.frozen
class Counted:
    """What the server says about a range.

    Attributes:
        count: how many objects lie in it.
        created: those of one page of it: the second of their creation, by id.
        in_order: whether the page is the first one by creation.
    """

    count: int
    created: Mapping[str, int]
    in_order: bool = True

    @property
    def whole(self) -> bool:
        """Whether the page holds all of the range."""
        return self.count <= len(self.created)

    def before(self, second: int) -> int:
        """How many on the page were created before a second."""
        return sum(created < second for created in self.created.values())


@attrs.frozen
class HeldIds:
    """What the copy holds, sorted by creation: the seconds and, at the same places, the ids."""

    seconds: Sequence[int]
    ids: Sequence[str]
    page: int = PAGE

    def within(self, span: Span) -> range:
        """The places of what lies in a span."""
        low = 0 if span.after is None else bisect_left(self.seconds, span.after)
        high = len(self.seconds) if span.before is None else bisect_left(self.seconds, span.before)
        return range(low, max(low, high))

    def halved(self, span: Span) -> tuple[Span, Span] | None:
        """A span cut at a second in which nothing lies, as near to the middle of what it holds as can be.

        The cut falls between pages. None where there is no such second.
        """
        places = self.within(span)
        pages = pages_for(len(places), self.page)
        middle = places.start + (pages + 1) // 2 * self.page if pages > 1 else places.start + len(places) // 2
        for distance in range(len(places)):
            for place in (middle - distance, middle + distance):
                if places.start < place < places.stop and self._may_be_cut(place):
                    cut = self.seconds[place - 1] + 1
                    return Span(span.after, cut), Span(cut, span.before)
        return None

    def compared(self, span: Span, counted: Counted) -> Span | None:
        """The part of a span of which a page has everything, up to a second in which nothing lies; None for no part."""
        if counted.whole:
            return span
        if not counted.in_order:
            return None
        places = self.within(span)
        # Of the last second on the page there may be more on the next one.
        place = bisect_left(self.seconds, max(counted.created.values()), places.start, places.stop)
        while place > places.start and not self._may_be_cut(place):
            place -= 1
        return Span(span.after, self.seconds[place - 1] + 1) if place > places.start else None

    def _may_be_cut(self, place: int) -> bool:
        """Whether a second without anything lies between a place and the one before."""
        return place == len(self.seconds) or self.seconds[place] - self.seconds[place - 1] > 1

    def without(self, ids: Collection[str]) -> HeldIds:
        """The same without some ids."""
        kept = [(second, id) for second, id in zip(self.seconds, self.ids, strict=True) if id not in ids]
        return HeldIds([second for second, _ in kept], [id for _, id in kept], self.page)

    def lacking(self, places: range, ids: Collection[str]) -> set[str]:
        """The ids at these places that are not among those given."""
        return {id for id in self.ids[places.start : places.stop] if id not in ids}


Ask = Callable[[Span], Awaitable[Counted]]
"""Asks the server how many objects were created in a span, between two seconds in which nothing held lies."""

ReadIds = Callable[[Span], Awaitable[Collection[str]]]
"""Reads all ids of a span, however many there are."""


async def find_deleted(held: HeldIds, span: Span, count: int, ask: Ask, read_ids: ReadIds) -> set[str]:
    """The ids in a span that are held and gone, where the server counts so many in it."""
    gone: set[str] = set()
    waiting = [(span, count)]
    while waiting:
        one, there = waiting.pop()
        places = held.within(one)
        if len(places) == there:
            continue
        halves = held.halved(one) if max(len(places), there) > held.page else None
        if there <= 0:
            # The difference of two counts, between which an object may have come: checked before it is believed.
            gone |= held.lacking(places, await read_ids(one))
        elif halves is None:
            gone |= held.lacking(places, await _all_ids(one, there, held.page, ask, read_ids))
        else:
            first, second = halves
            counted = await ask(first)
            waiting.append((second, there - counted.count))
            compared = held.compared(first, counted)
            if compared is None:
                waiting.append((first, counted.count))
                continue
            gone |= held.lacking(held.within(compared), counted.created)
            if compared.before != first.before and compared.before is not None:
                left = counted.count - counted.before(compared.before)
                waiting.append((Span(compared.before, first.before), left))
    return gone


async def _all_ids(span: Span, there: int, page: int, ask: Ask, read_ids: ReadIds) -> Collection[str]:
    """The ids that the server has in a span."""
    if there <= page:
        counted = await ask(span)
        if counted.whole:
            return counted.created.keys()
    return await read_ids(span)
