"""How each list is read: a table of the catalogue's lists, and what must hold of all of them."""

from __future__ import annotations

import pytest

from kantata_async import KantataSession
from kantata_async.api import RESOURCES, entity_class, resource_class
from kantata_async.calls import check_call
from kantata_async.sync.job import connection_of
from kantata_async.sync.listing import narrowed
from kantata_async.sync.parents import Kinds, parents_of
from kantata_async.sync.planning import requests_for
from kantata_async.sync.spans import EARLIEST, Span, merged
from kantata_async.sync.ways import By, Deletions, way_of

LISTS = {
    collection: resource.operations["list"]
    for collection in RESOURCES
    if (resource := resource_class(collection)) is not None and "list" in resource.operations
}


@pytest.mark.parametrize(
    ("collection", "by", "deletions", "order", "shows_deleted"),
    [
        ("time_entries", By.UPDATE, Deletions.HALVING, "created_at:asc", False),
        ("stories", By.UPDATE, Deletions.HALVING, "created_at:asc", True),
        ("users", By.UPDATE, Deletions.COUNTING, None, False),
        ("story_dependencies", By.UPDATE, Deletions.HALVING, None, False),
        ("subscribed_events", By.CREATION, Deletions.NEVER, "created_at:asc", False),
        ("roles", By.UPDATE, Deletions.HALVING, None, False),
        ("holidays", By.NOTHING, Deletions.ABSENCE, None, False),
        ("workspace_baselines", By.NOTHING, Deletions.ABSENCE, "created_at:asc", False),
    ],
)
def test_how_a_list_is_read(
    collection: str, by: By, deletions: Deletions, order: str | None, shows_deleted: bool
) -> None:
    """By windows of updates where it has them, of creations where it has only those, else whole."""
    way = way_of(LISTS[collection], entity_class(collection))
    assert (way.by, way.deletions, way.order, way.shows_deleted) == (by, deletions, order, shows_deleted)


def test_every_list_has_a_way() -> None:
    """51 lists have windows of updates, one of creations alone, and the others are read whole."""
    ways = [way_of(operation, entity_class(collection)) for collection, operation in LISTS.items()]
    assert sum(way.by is By.UPDATE for way in ways) >= 50
    assert sum(way.by is By.CREATION for way in ways) == 1
    assert all("deleted" in str(way) or "deletions" in str(way) for way in ways)


def test_hidden_rows_are_revealed() -> None:
    """What a list leaves out by default is asked for, but not deleted objects that nothing tells from others."""
    assert way_of(LISTS["stories"], entity_class("stories")).reveal == LISTS["stories"].reveal
    tasks = way_of(LISTS["story_tasks"], entity_class("story_tasks"))
    assert "show_deleted" not in tasks.reveal
    assert tasks.reveal["show_archived"] is True


@pytest.mark.parametrize(
    ("collection", "kinds"),
    [("custom_field_values", {"Story", "User", "Workspace"}), ("external_references", {"Role"})],
)
def test_a_list_by_kind_is_read_for_every_kind(collection: str, kinds: set[str]) -> None:
    """The kinds of subjects are those that the catalogue names, each of which the list takes."""
    connection = connection_of(KantataSession(token="x"))
    through = parents_of(connection, LISTS[collection], {})
    assert isinstance(through, Kinds)
    assert kinds <= set(through.values)
    assert through.sample in through.values
    for kind in through.values:
        assert check_call(LISTS[collection], (), {"subject_type": kind}).query["subject_type"] == kind
    assert parents_of(connection, LISTS[collection], {"subject_type": through.sample}) is None


def test_a_span_is_halved_until_it_cannot_be() -> None:
    """Halves meet, and one without an end or of one second has none."""
    early, late = Span(None, EARLIEST + 10).halves or (None, None)
    assert (early, late) == (Span(None, EARLIEST + 5), Span(EARLIEST + 5, EARLIEST + 10))
    assert Span(5).halves is None
    assert Span(5, 6).halves is None
    assert Span(5, 7).halves == (Span(5, 6), Span(6, 7))


def test_a_span_is_covered_whether_or_not_its_edges_are_taken_in() -> None:
    """The second before it is asked for too, and the one after it is left to the next span."""
    assert list(Span(1_000_000_000, 1_000_000_060).covering("updated")) == [
        ("updated_after", "2001-09-09T01:46:39Z"),
        ("updated_before", "2001-09-09T01:47:40Z"),
    ]


@pytest.mark.parametrize(
    ("counts", "most", "expected"),
    [
        ([], 5, []),
        ([9], 5, ["0-1"]),
        ([2, 3, 1], 5, ["0-2", "2-3"]),
        ([0, 0, 7, 0, 0], 5, ["0-2", "2-3", "3-5"]),
        ([5, 0, 5], 5, ["0-2", "2-3"]),
    ],
)
def test_small_spans_that_follow_each_other_are_made_one(counts: list[int], most: int, expected: list[str]) -> None:
    """As many as hold so many objects together at most; nothing between them is lost."""
    spans = merged([(Span(place, place + 1), count) for place, count in enumerate(counts)], most)
    assert [f"{span.after}-{span.before}" for span in spans] == expected


@pytest.mark.parametrize(
    ("given", "asked", "expected"),
    [
        ("2025-01-01T00:00:00Z", "2024-06-01T00:00:00Z", "2025-01-01T00:00:00Z"),
        ("2025-01-01T00:00:00+02:00", "2024-12-31T23:00:00Z", "2024-12-31T23:00:00Z"),
        ("2025-01-01", "2024-06-01T00:00:00Z", "2025-01-01"),
    ],
)
def test_what_begins_twice_begins_at_the_later_time(given: str, asked: str, expected: str) -> None:
    """What a job was given holds beside what a window asks for; other filters are the window's."""
    query = narrowed({"updated_after": given, "page": "1"}, [("updated_after", asked), ("page", "2")])
    assert query == {"updated_after": expected, "page": "2"}


@pytest.mark.parametrize(
    ("collection", "rows", "requests"),
    [
        ("holidays", 0, 1),
        ("holidays", 1001, 6),
        ("subscribed_events", 200, 1),
        ("time_entries", 0, 2),
        ("time_entries", 200, 2),
        ("time_entries", 201, 2 + 3),
        ("time_entries", 5000, 25 + 3),
        ("time_entries", 5001, 26 + 3 + 1),
        ("time_entries", 20_000, 100 + 3 + 3 + 1),
    ],
)
def test_how_many_requests_it_takes(collection: str, rows: int, requests: int) -> None:
    """A page for 200 objects; what fits no page is read in a closed window, halved until no page lies deep."""
    assert requests_for(rows, way_of(LISTS[collection], entity_class(collection))) == requests
