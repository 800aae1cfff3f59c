"""Reading what matches some filters of a list as a whole, or with the reason why it cannot be known to be all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, Generic, TypeVar

import attrs

from ..calls import Connection, ListQuery, Operation, PageCount
from ..model import Entity
from .survey import Survey

E = TypeVar("E", bound=Entity)

MOST_READINGS: Final = 5
"""How often a list is read at most that changes while it is read."""

Enough = Callable[[Iterable[Any]], bool]
"""Takes the objects as they come; True when no more are wanted."""


@attrs.frozen
class Reading(Generic[E]):
    """What a list holds.

    Attributes:
        entities: those that came.
        fault: why others may be there all the same; None where these are all.
    """

    entities: Sequence[E]
    fault: str | None = None


async def read_whole(
    connection: Connection,
    listing: Operation[E],
    filters: Mapping[str, Any],
    enough: Enough | None = None,
) -> Reading[E]:
    """Everything that a list holds, also what it leaves out by default; or as much of it as is `enough`.

    It is read again where it changed meanwhile.

    Raises:
        KantataError: a request failed.
    """
    query = ListQuery(connection, listing, {**listing.reveal, **filters})
    found: dict[str, E] = {}
    earlier: Survey | None = None
    for _ in range(MOST_READINGS):
        survey = Survey()
        async with aclosing(_pages(query, listing, survey)) as pages:
            async for page in pages:
                found.update((one.id, one) for one in page)
                if enough is not None and enough(page):
                    return Reading(list(found.values()))
        if survey.is_whole or (earlier is not None and survey.confirms(earlier)):
            return Reading(list(found.values()))
        if survey.fault is not None:
            return Reading(list(found.values()), f"{listing} cannot be read as a whole: {survey.fault}")
        earlier = survey
    return Reading(list(found.values()), f"{listing} kept changing while it was read, or does not show all it counts")


async def _pages(query: ListQuery[E], listing: Operation[E], survey: Survey) -> AsyncGenerator[Sequence[E], None]:
    """The objects of each page, one page after the other: pages read ahead would leave more time for changes."""
    pages = PageCount(paged=listing.paging)
    number = 0
    while number < pages.last and survey.fault is None:
        number += 1
        page = await query.page(number)
        pages.take(page.meta, len(page.items))
        survey.take(page.meta, (one.id for one in page.items))
        yield page.items


def brought_by(
    operation: Operation[Any], asked: Mapping[str, Sequence[str]], include: Sequence[str] = ()
) -> dict[str, list[str]]:
    """What an operation can bring of the includes and optional fields asked for, and of some more includes."""
    wanted = {
        "include": [name for name in (*asked.get("include", ()), *include) if name in operation.includes],
        "optional_fields": [name for name in asked.get("optional_fields", ()) if name in operation.optional_fields],
    }
    return {name: list(dict.fromkeys(names)) for name, names in wanted.items() if names}
