"""Copies, deep copies and pickles of what was read: all that is linked goes along, however much and however deep."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import attrs
import pandas as pd
import pytest
from envelopes import Json, envelope

from kantata_async import Found, NotLoadedError, Page, normalize
from kantata_async.api import entity_class
from kantata_async.decoding import Reader
from kantata_async.entities import Participation, Story, User
from kantata_async.model import Graph, graph_of

Carry = Callable[[Any], Any]


def pickled(one: Any) -> Any:
    """What arrives in another process."""
    return pickle.loads(pickle.dumps(one))


def pickled_by_old(one: Any) -> Any:
    """The same by the first protocol, which the pickler of Python itself speaks too."""
    return pickle._loads(pickle._dumps(one, 0))  # type: ignore[attr-defined]


ways: Final = pytest.mark.parametrize("carried", [pickled, pickled_by_old, copy.deepcopy])

TEAM: Final = envelope(
    [("participations", "1"), ("participations", "2")],
    participations=[
        {"id": "1", "user_id": "9", "workspace_id": "3", "active_role_ids": ["5", "6"]},
        {"id": "2", "user_id": "8", "workspace_id": "3", "active_role_ids": ["5"]},
    ],
    users=[{"id": "9", "full_name": "Ada", "manager_id": "9"}, {"id": "8", "full_name": "Grace", "manager_id": "7"}],
    workspaces=[{"id": "3", "title": "Engine"}],
    roles=[{"id": "5", "name": "Lead"}],
    gadgets=[{"id": "1", "size": {"x": [1]}}],
)
INCLUDED: Final = ("user", "workspace", "active_roles")


def team() -> list[Any]:
    """Two participations whose graph is gone."""
    return list(normalize(TEAM, include=INCLUDED).items)


def chain(length: int) -> list[Any]:
    """Stories that are each the parent of the one before."""
    stories: list[Json] = [
        {"id": str(n), "parent_id": str(n + 1), "sub_story_ids": [str(n - 1)]} for n in range(length)
    ]
    stories[0]["sub_story_ids"] = []
    stories[-1]["parent_id"] = None
    return list(normalize(envelope([("stories", one["id"]) for one in stories], stories=stories)).items)


@ways
def test_a_list_of_entities_keeps_its_links(carried: Carry) -> None:
    """What two of them are linked to is one object afterwards too; a circle stays one."""
    before = team()
    first, second = carried(before)
    assert first is not before[0]
    assert first.user.full_name == "Ada"
    assert first.user.manager is first.user
    assert first.workspace is second.workspace
    assert first.active_roles[0] is second.active_roles[0]
    assert [one.to_dict() for one in (first, second)] == [one.to_dict() for one in before]


@ways
def test_what_is_not_linked_reads_as_before(carried: Carry) -> None:
    """Asked for and not sent is None or left out; not asked for says so."""
    _, second = carried(team())
    first = carried(team()[0])
    assert [role.name for role in first.active_roles] == ["Lead"]
    with pytest.raises(NotLoadedError, match="users 7"):
        _ = second.user.manager
    lonely = envelope([("participations", "1")], participations=[{"id": "1", "user_id": "9"}])
    assert carried(normalize(lonely, include=["user"]).items[0]).user is None


@ways
def test_a_page_arrives_with_its_graph(carried: Carry) -> None:
    """Its matches are the objects of that graph, and what is loaded into it is linked to them."""
    beside = {"errors": [{"message": "slow"}], "stories": {"1": {"due_date": ["odd"]}}}
    page = normalize(TEAM | beside, include=INCLUDED)
    other: Page[Any] = carried(page)
    assert (other.meta, other.extra) == (page.meta, page.extra)
    assert other.graph.notes == page.graph.notes
    assert other.items[0] is other.graph.get(Participation, "1")
    assert [one.to_dict() for one in other.graph.collection("gadgets")] == [{"id": "1", "size": {"x": [1]}}]
    assert repr(other.graph.unresolved) == repr(page.graph.unresolved)
    Reader(entity_class).page(envelope([("users", "7")], users=[{"id": "7", "full_name": "Edith"}]), graph=other.graph)
    other.graph.link()
    assert other.items[1].user.manager.full_name == "Edith"
    assert graph_of(other.items[0]) is other.graph


@ways
def test_what_was_found_by_id_keeps_what_is_missing(carried: Carry) -> None:
    """The list is one of its own kind."""
    found: Found[Any] = Found(team())
    found.missing = ("4",)
    other = carried(found)
    assert (type(other), other.missing) == (Found, ("4",))
    assert other[0].workspace is other[1].workspace


@ways
def test_what_is_in_two_places_is_one_object(carried: Carry) -> None:
    """In a set, as a key, and linked to."""
    first, second = team()
    users, by_user, both = carried(({first.user}, {first.user: 1}, [second, first]))
    (user,) = users
    assert user is next(iter(by_user)) is both[1].user


@ways
@pytest.mark.parametrize("start", [0, 750, 1499])
def test_a_chain_may_be_longer_than_calls_go_deep(carried: Carry, start: int) -> None:
    """Wherever one takes hold of it."""
    one: Story = carried(chain(1500)[start])
    assert len(graph_of(one)) == 1500
    assert one.parent is None or one.parent.sub_stories[0] is one


def nested(depth: int) -> Any:
    """Lists and objects inside each other."""
    value: Any = "inmost"
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    return value


def depth_of(value: Any) -> int:
    """How many containers are inside each other."""
    depth = 0
    while isinstance(value, list | dict):
        value = value["in"] if isinstance(value, dict) else value[0]
        depth += 1
    return depth


@ways
def test_values_may_be_nested_as_deep_as_they_come(carried: Carry) -> None:
    """An attribute, an unknown one, one that could not be read, and something beside the objects."""
    deep = nested(900)
    story = {"id": "1", "description": deep, "brand_new": deep, "due_date": deep}
    page = normalize(envelope([("stories", "1")], stories=[story]) | {"beside": deep})
    for one in (page, carried(page)):
        data = one.items[0].to_dict()
        (note,) = one.graph.notes
        assert {name: depth_of(value) for name, value in data.items()} == dict.fromkeys(story, 900) | {"id": 0}
        assert depth_of(one.extra["beside"]) == depth_of(note.value) == 900


def test_a_copy_is_the_entity_itself() -> None:
    """Nobody can change it; a page and a list are copied as ever."""
    (first, _) = items = team()
    assert copy.copy(first) is first
    assert copy.copy(items)[0] is first
    page = normalize(TEAM)
    assert copy.copy(page).graph is page.graph


def test_a_deep_copy_shares_nothing_that_can_be_changed() -> None:
    """What is nested is copied with it."""
    (one,) = normalize(envelope([("stories", "1")], stories=[{"id": "1", "brand_new": {"a": [1]}}])).items
    other = copy.deepcopy(one)
    other.extra["brand_new"]["a"].append(2)
    assert one.to_dict()["brand_new"] == {"a": [1]}


def test_a_dump_that_goes_on_carries_what_came_since() -> None:
    """A pickler remembers what it carried; what was linked after that comes with the next object."""
    graph = Graph()
    reader = Reader(entity_class)
    (one,) = reader.page(envelope([("stories", "1")], stories=[{"id": "1", "parent_id": "2"}]), graph=graph).items
    memo: dict[int, Any] = {}
    copy.deepcopy(one, memo)
    (two,) = reader.page(envelope([("stories", "2")], stories=[{"id": "2", "parent_id": "1"}]), graph=graph).items
    graph.link()
    assert copy.deepcopy(two, memo).parent.id == "1"
    assert copy.deepcopy(one).parent.id == "2"


@pytest.mark.parametrize("read_all", [attrs.asdict, attrs.astuple, partial(attrs.asdict, recurse=False)])
@pytest.mark.parametrize("data", [{"id": "1"}, {"id": "1", "shoe": 38}])
def test_what_reads_every_field_is_told_what_to_use(read_all: Carry, data: Json) -> None:
    """Also where there are unknown attributes."""
    with pytest.raises(AttributeError, match=r"use entity\.to_dict\(\)"):
        read_all(User.from_dict(data))


def test_a_list_of_entities_is_no_table() -> None:
    """Pandas would make one column of objects of it: the error says what to write."""
    with pytest.raises(TypeError, match=r"DataFrame\(columns\(users\)\)"):
        pd.DataFrame(team())
