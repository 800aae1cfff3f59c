"""When a list that was read page by page is known to have been read as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantata_async.bulk.survey import Survey
from kantata_async.model import Meta

Pages = Sequence[tuple[int | None, str]]
"""The count that each page tells, and its ids as letters."""


def surveyed(pages: Pages) -> Survey:
    """What such pages come to."""
    survey = Survey()
    for count, ids in pages:
        survey.take(Meta(count=count), ids)
    return survey


WHOLE: Final[dict[str, Pages]] = {
    "nothing there": [(0, "")],
    "one page": [(3, "abc")],
    "one page without a count": [(None, "abc")],
    "one page, and an empty one to see that": [(None, "abc"), (None, "")],
    "pages that add up": [(5, "ab"), (5, "cd"), (5, "e")],
}

NOT_WHOLE: Final[dict[str, Pages]] = {
    "one page that counts more": [(4, "abc")],
    "pages without a count": [(None, "ab"), (None, "cd"), (None, "")],
    "one was removed meanwhile": [(5, "ab"), (4, "de")],
    "one was edited and moved to the front": [(5, "ab"), (5, "bd"), (5, "e")],
    "one was added meanwhile": [(4, "ab"), (5, "bc"), (5, "d")],
    "an empty page before the end": [(5, "ab"), (5, ""), (5, "e")],
}


@pytest.mark.parametrize("pages", WHOLE.values(), ids=WHOLE)
def test_pages_that_are_all_there_is(pages: Pages) -> None:
    """One reading proves it."""
    assert surveyed(pages).is_whole


@pytest.mark.parametrize("pages", NOT_WHOLE.values(), ids=NOT_WHOLE)
def test_pages_that_may_not_be_all(pages: Pages) -> None:
    """One reading does not prove it."""
    assert not surveyed(pages).is_whole


def test_a_second_reading_confirms_the_first() -> None:
    """When all that came comes again, and no fewer than are counted."""
    first = surveyed([(None, "ab"), (None, "cd"), (None, "")])
    assert surveyed([(None, "ab"), (None, "cde"), (None, "")]).confirms(first)
    assert not surveyed([(None, "ab"), (None, "ce"), (None, "")]).confirms(first)
    assert not surveyed([(9, "abc"), (9, "de")]).confirms(first)


def test_a_list_that_does_not_turn_its_pages_is_told() -> None:
    """The same page three times over is no list; one that others pushed down is."""
    assert surveyed([(None, "ab"), (None, "ab"), (None, "ab"), (None, "ab")]).fault is not None
    assert surveyed([(9, "ab"), (9, "ab"), (9, "cd"), (9, "cd")]).fault is None


@given(st.integers(1, 12), st.integers(1, 5), st.data())
def test_what_slips_by_is_never_taken_for_read(total: int, size: int, data: st.DataObject) -> None:
    """Objects are removed or moved to the front between two pages: whoever was there all along is seen, or it shows."""
    held = [chr(ord("a") + number) for number in range(total)]
    stayed, survey, number = set(held), Survey(), 0
    while True:
        page = held[number * size : (number + 1) * size]
        survey.take(Meta(count=len(held)), page)
        number += 1
        if number * size >= len(held) or not page:
            break
        change = data.draw(st.sampled_from(["nothing", "nothing", "removed", "moved"]))
        if change != "nothing" and held:
            one = held.pop(data.draw(st.integers(0, len(held) - 1)))
            if change == "moved":
                held.insert(0, one)
            else:
                stayed.discard(one)
    assert not survey.is_whole or stayed <= survey.ids
