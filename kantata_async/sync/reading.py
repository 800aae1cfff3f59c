"""Pages of live data read so that no object is lost that stays in the list all the while.

Pages are numbered over live data: an object that leaves moves every later one a place forward, maybe across a page's
edge and past a reader on its way up. So pages that were read at once count only where all of them gave the same number
of objects. Otherwise the list is read downwards: what moves then moves to where the reader is still to come.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

from ..calls import Standstill, pages_for, together
from ..errors import InvalidResponseError

MOST_PAGES: Final = 25
"""Pages read at once; of a list cut by time no page lies deeper, as deep ones cost the server more and more."""


class Answered(Protocol):
    """One page of a list."""

    @property
    def ids(self) -> Sequence[str]:
        """The objects of the page."""
        ...

    @property
    def count(self) -> int:
        """How many objects the list has on all pages."""
        ...


A = TypeVar("A", bound=Answered)

Fetch = Callable[[int], Coroutine[Any, Any, A]]
"""Asks for a page by its number, from 1."""

Take = Callable[[Sequence[A]], Awaitable[None]]
"""Takes pages as they were read; of an object that comes twice, the later one counts."""


async def read_all(fetch: Fetch[A], first: A, take: Take[A], size: int) -> bool:
    """Whether nothing left a list while the pages after its first one were read.

    Raises:
        InvalidResponseError: there is no end to it, as the same page comes whichever is asked for.
    """
    counts = {first.count}
    await take([first])
    number, last = 2, pages_for(first.count, size)
    standstill = Standstill()
    while number <= last:
        answers = await together(map(fetch, range(number, min(last, number + MOST_PAGES - 1) + 1)))
        await take(answers)
        counts.update(answer.count for answer in answers)
        number += len(answers)
        last = pages_for(max(answer.count for answer in answers), size)
        if any(standstill.take(answer.ids) for answer in answers) and number <= last:
            raise InvalidResponseError("a list cannot be read: the same page comes whichever is asked for")
    if len(counts) == 1:
        return True
    await _read_downwards(fetch, take, last)
    return False


async def _read_downwards(fetch: Fetch[A], take: Take[A], last: int) -> None:
    for number in range(last, 0, -1):
        await take([await fetch(number)])
