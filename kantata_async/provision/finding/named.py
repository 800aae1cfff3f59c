"""Objects by their names: searched for one by one, or read from the whole list where that takes fewer requests."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import attrs

from ...calls import ListQuery, PageCount, together
from ...model import Entity, text_of
from ..texts import Spellings, folded
from .missing import MOST_HINTED, Missing

E = TypeVar("E", bound=Entity)


@attrs.frozen
class SearchableList(Generic[E]):
    """A list that can be searched by name.

    Attributes:
        query: gives the list with more filters.
        attribute: the name's attribute.
    """

    query: Callable[..., ListQuery[E]]
    attribute: str


@attrs.frozen
class FoundByName(Generic[E]):
    """What was found by names."""

    by_name: Mapping[str, Sequence[E]]
    near: Mapping[str, Sequence[str]]
    """Existing names that are similar to one that was not found."""
    withheld: bool
    """Whether objects came without their names."""

    def of(self, name: str) -> Sequence[E]:
        """The objects of a name."""
        return self.by_name.get(folded(name), ())

    def missing(self, name: str, called: str) -> Missing:
        """Why there is no object of a name."""
        if self.withheld:
            why = f"the names of {called}s are not shown to the token's user, so {name!r} cannot be found; give an id"
            return Missing(why)
        near = self.near.get(name, ())
        meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        why = f"there is no {called} {name!r}, or the token's user may not see it{meant}"
        return Missing(why, absent=True, near=tuple(near))


async def find_named(listing: SearchableList[E], names: Sequence[str]) -> FoundByName[E]:
    """The objects of each name, whatever the case, the spaces and the form of the letters.

    The whole list is read where it has no more pages than there are names, and for names that no search finds.
    """
    objects: list[E] = []
    is_whole = False
    if len(names) > 1:
        first = await listing.query(order="created_at:asc").page(1)
        pages = PageCount(paged=True)
        pages.take(first.meta, len(first.items))
        if pages.last - 1 <= len(names):
            objects = [*first.items, *await _pages(listing, range(2, pages.last + 1))]
            is_whole = True
    if not is_whole:
        objects = await _searched(listing, names)
        by_name = _indexed(objects, listing.attribute)
        if any(folded(name) not in by_name for name in names):
            objects = await listing.query(order="created_at:asc")
    by_name = _indexed(objects, listing.attribute)
    missing = [name for name in names if folded(name) not in by_name][:MOST_HINTED]
    spellings = Spellings(text_of(one, listing.attribute) for found in by_name.values() for one in found)
    withheld = not all(isinstance(getattr(one, listing.attribute, None), str) for one in objects)
    return FoundByName(by_name, {name: spellings.near(name) for name in missing}, withheld)


async def _pages(listing: SearchableList[E], numbers: Iterable[int]) -> list[E]:
    everything = listing.query(order="created_at:asc")
    return [one for page in await together(everything.page(number) for number in numbers) for one in page.items]


async def _searched(listing: SearchableList[E], names: Sequence[str]) -> list[E]:
    """What the server's own search gives; it compares letters as they are stored, composed or not."""
    forms = {form: None for name in names for form in (name, unicodedata.normalize("NFD", name))}
    found = await together(listing.query(matching=form).collect() for form in forms)
    return [one for objects in found for one in objects]


def _indexed(objects: Iterable[E], attribute: str) -> dict[str, list[E]]:
    held: dict[str, dict[str, E]] = defaultdict(dict)
    for one in objects:
        if isinstance(getattr(one, attribute, None), str):
            held[folded(text_of(one, attribute))][one.id] = one
    return {name: list(found.values()) for name, found in held.items()}
