"""How long objects live: what is linked outlives its page, and what is let go of is freed without the collector."""

from __future__ import annotations

import asyncio
import gc
import pickle
import random
import weakref
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import pytest
from envelopes import Json, envelope

from kantata_async import KantataSession, NotLoadedError, normalize
from kantata_async.api import entity_class
from kantata_async.decoding.reader import Reader
from kantata_async.entities import Participation, Story, User
from kantata_async.model.graph import Graph, graph_of

ADA: Final = {"id": "9", "full_name": "Ada Lovelace", "manager_id": "10"}
LEAD: Final = {"id": "5", "name": "Lead"}
TEAM: Final = [
    {"id": "1", "user_id": "9", "active_role_ids": ["5", "6"], "workspace_id": "3"},
    {"id": "2", "user_id": "8", "active_role_ids": ["5"], "workspace_id": "3"},
]


@pytest.fixture
def collector_off() -> Iterator[None]:
    """What is freed is freed by counting references alone."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def team() -> Json:
    """An answer that was asked for users and active roles, and lacks one of each."""
    return envelope([("participations", "1"), ("participations", "2")], participations=TEAM, users=[ADA], roles=[LEAD])


LeftOver = Callable[[type[Any]], list[Any]]


@pytest.fixture
def left_over(collector_off: None) -> LeftOver:
    """The objects of a class that were made since the test began and are still there."""
    before = {id(one): one for one in gc.get_objects()}  # held, so that no new object takes the id of one that went
    return lambda kind: [one for one in gc.get_objects() if type(one) is kind and id(one) not in before]


def test_what_is_let_go_of_is_freed_at_once(left_over: LeftOver) -> None:
    """A page, its graph and its objects: no circle keeps them until the collector comes by."""
    page = normalize(team(), include=["user", "active_roles"])
    graph = weakref.ref(page.graph)
    assert [one.id for one in left_over(Participation)] == ["1", "2"]
    del page
    assert graph() is None
    assert left_over(Participation) == left_over(User) == []


def test_an_object_keeps_what_it_is_linked_to_and_no_more(left_over: LeftOver) -> None:
    """The rest of its page is freed."""
    second = normalize(team(), include=["user", "active_roles"]).items[1]
    assert isinstance(second, Participation)
    assert [one.name for one in second.active_roles] == ["Lead"]
    assert left_over(Participation) == [second]
    assert left_over(User) == []


def test_associations_read_the_same_when_the_page_is_gone() -> None:
    """What was sent, what was asked for and not sent, and what was not asked for."""
    first, second = normalize(team(), include=["user", "active_roles"]).items
    assert isinstance(first, Participation)
    assert isinstance(second, Participation)
    assert first.user.full_name == "Ada Lovelace"
    assert second.user is None
    assert [role.name for role in first.active_roles] == ["Lead"]
    assert first.active_roles[0] is second.active_roles[0]
    with pytest.raises(NotLoadedError, match="workspaces 3"):
        _ = first.workspace
    with pytest.raises(NotLoadedError, match="users 10"):
        _ = first.user.manager


def test_what_came_later_is_linked_once_asked() -> None:
    """An object of one answer that refers to one of the next, which holds when their graph is gone."""
    graph = Graph()
    story = {"id": "1", "parent_id": "2", "sub_story_ids": ["2", "3"]}
    (one,) = Reader(entity_class).page(envelope([("stories", "1")], stories=[story]), graph=graph).items
    Reader(entity_class).page(envelope([("stories", "2")], stories=[{"id": "2"}]), graph=graph)
    graph.link()
    assert isinstance(one, Story)
    parent = graph.get(Story, "2")
    del graph
    assert one.parent is parent
    with pytest.raises(NotLoadedError, match="sub_stories was not sent"):
        _ = one.sub_stories


def test_a_reference_that_changes_is_linked_anew() -> None:
    """Also to nobody, to somebody who is not there, and to what cannot be read."""
    graph = Graph()
    (one,) = (
        Reader(entity_class)
        .page(
            envelope([("participations", "1")], participations=[{"id": "1", "user_id": "9"}], users=[ADA, {"id": "8"}]),
            graph=graph,
            includes=["user"],
        )
        .items
    )
    assert isinstance(one, Participation)
    for user_id, expected in (("8", graph.get(User, "8")), (None, None), ("7", None), (["odd"], None)):
        again = envelope([("participations", "1")], participations=[{"id": "1", "user_id": user_id}])
        Reader(entity_class).page(again, graph=graph)
        assert one.user is expected


def test_objects_without_a_graph_get_one_again() -> None:
    """With all that they are linked to; the same graph as long as it lasts."""
    first, second = normalize(team(), include=["user", "active_roles"]).items
    graph = graph_of(first)
    assert {one.id for one in graph} == {"1", "9", "5"}
    assert graph_of(second) is graph
    assert graph_of(first) is graph


def test_twins_tell_each_other_what_they_know() -> None:
    """One object of the API that came twice, before and after its graph was gone: both Python objects have all."""
    answer = envelope([("participations", "1")], participations=[TEAM[0]], users=[ADA | {"shoe": 38}])
    (first,) = normalize(answer, include=["user"]).items
    assert isinstance(first, Participation)
    user = first.user
    graph = Graph()
    (twin,) = Reader(entity_class).page(envelope([("users", 9)], users=[{"id": 9, "hat": "L"}]), graph=graph).items
    graph.adopt([first])
    graph.link()
    assert twin is not user
    assert first.user is twin
    assert user.to_dict() == twin.to_dict()
    assert (user.full_name, user.extra) == ("Ada Lovelace", {"shoe": 38, "hat": "L"})
    Reader(entity_class).page(envelope([("users", 9)], users=[{"id": 9, "city": "London"}]), graph=graph)
    graph.link()
    assert user.city == "London"


def test_a_reference_that_comes_as_a_number_is_linked() -> None:
    """Also for those who keep the object alone."""
    answer = envelope([("participations", 1)], participations=[{"id": 1, "user_id": 9}], users=[ADA])
    (one,) = normalize(answer, include=["user"]).items
    assert isinstance(one, Participation)
    assert one.user_id == "9"
    assert one.user.full_name == "Ada Lovelace"


def test_a_page_survives_pickling() -> None:
    """With its graph, which finds its objects again; these are linked to nothing, as all that is made of plain data."""
    page = pickle.loads(pickle.dumps(normalize(team(), include=["user", "active_roles"])))
    assert page.graph.get(User, "9").full_name == "Ada Lovelace"
    assert [one.id for one in page.items] == ["1", "2"]


async def team_of(kantata: KantataSession) -> list[Participation]:
    """The largest team there is."""
    teams = [
        await kantata.participations.list(workspace_id=project.id, include=["user"])
        for project in await kantata.workspaces.list()
    ]
    return max(teams, key=len)


async def test_what_is_loaded_in_parts_is_one_object(kantata: KantataSession) -> None:
    """Two halves of a team, loaded one after the other when their page is gone, and then all of them a level deeper."""
    people = await team_of(kantata)
    for half in (people[:2], people[2:]):
        await kantata.load(half, "workspace")
    await kantata.load(people, "workspace.creator")
    assert len({id(one.workspace) for one in people}) == 1
    assert people[0].workspace.creator.full_name


async def test_loads_side_by_side_fill_all(kantata: KantataSession) -> None:
    """Each of them makes its entities part of the same graph."""
    people = await team_of(kantata)
    await asyncio.gather(*(kantata.load(one, "workspace", "workspace.creator") for one in people))
    assert all(one.workspace.creator.full_name for one in people)
    assert people[0].workspace is people[-1].workspace


async def test_what_was_asked_for_one_object_is_not_said_of_another(kantata: KantataSession) -> None:
    """The team of a project that a member of the same team leads to: its users were never asked for."""
    people = await team_of(kantata)
    await kantata.load(people[0], "workspace.participations.user")
    team = people[0].workspace.participations
    assert len(team) == len(people)
    assert all(one.user.full_name for one in team)
    await kantata.load(people, "workspace.creator")
    assert people[-1].workspace.creator is people[0].workspace.creator


async def test_a_load_does_not_bring_back_an_older_state(kantata: KantataSession) -> None:
    """What was read anew stays, whichever part of a list it was read for."""
    people = await team_of(kantata)
    await kantata.load(people[2:], "workspace")
    await kantata.workspaces.update(people[2].workspace.id, title="new")
    fresh = await kantata.participations.get(people[0].id, include=["workspace"])
    await kantata.load(people[:2], "workspace")
    title = people[0].workspace.title
    await kantata.load([*people, fresh], "user.account_membership")
    assert people[0].workspace.title == people[-1].workspace.title == title
    assert fresh.workspace.title == "new"


async def test_the_same_objects_however_they_are_loaded(kantata: KantataSession) -> None:
    """At random: parts of lists that were collected, streamed or asked by id, loaded in any order."""
    chance = random.Random(7)
    people = await team_of(kantata)
    await kantata.load(people[0], "workspace")
    project = people[0].workspace.id
    paths = (
        "user.account_membership",
        "workspace.creator",
        "workspace.participations",
        "workspace.participations.user",
    )
    await kantata.load(people, *paths)
    expected = {(one.id, path): ids_along(one, path) for one in people for path in paths}
    ways: list[Callable[[], Awaitable[list[Participation]]]] = [
        lambda: kantata.participations.list(workspace_id=project).collect(),
        lambda: kantata.participations.list(workspace_id=project, include=["user"], per_page=2).collect(),
        lambda: streamed(kantata, project),
        lambda: kantata.participations.get_many([one.id for one in people], workspace_id=project),
    ]
    for _ in range(40):
        team = await chance.choice(ways)()
        loaded: list[tuple[Participation, str]] = []
        for _ in range(chance.randint(1, 5)):
            part = chance.sample(team, chance.randint(1, len(team)))
            chosen = chance.sample(paths, chance.randint(1, 2))
            await kantata.load(part, *chosen)
            loaded += [(one, path) for one in part for path in chosen]
            assert all(ids_along(one, path) == expected[one.id, path] for one, path in loaded)


def ids_along(value: Any, path: str) -> Any:
    """The ids along a path of associations."""
    if isinstance(value, tuple):
        return sorted(ids_along(one, path) for one in value)
    step, _, deeper = path.partition(".")
    return (value.id, ids_along(getattr(value, step), deeper)) if step else value.id


async def streamed(kantata: KantataSession, project: str) -> list[Participation]:
    """The members of a team, of small pages of which nothing else is kept."""
    query = kantata.participations.list(workspace_id=project, include=["workspace"], per_page=3)
    return [one async for one in query]
