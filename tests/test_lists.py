"""Lists: pages fetched ahead and in order, entities once, and associations beyond the first level."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import until

from kantata_async import KantataSession, NotFoundError, NotLoadedError, NotOneError, UsageError, path
from kantata_async.calls.seen_ids import SeenIds
from kantata_async.entities import User
from kantata_async.sandbox import Fault, Sandbox, Switches

pytestmark = pytest.mark.company(people=450, projects=10)


async def test_every_page_in_order(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Awaiting, iterating and paging give the same entities in the same order."""
    collected = await kantata.users.list(per_page=30)
    streamed = [user async for user in kantata.users.list(per_page=30)]
    paged = [user async for page in kantata.users.list(per_page=30).pages() for user in page.items]
    assert len(collected) > 400
    assert [one.id for one in collected] == [one.id for one in streamed] == [one.id for one in paged]
    names = [one.full_name for one in collected]
    assert all(earlier <= later for earlier, later in pairwise(names))
    assert len({one.id for one in collected}) == len(collected)


async def test_slow_pages_keep_their_place(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """A page that must be asked for again comes in its place all the same."""
    expected = [one.id for one in await kantata.users.list()]
    kantata_sandbox.faults.add(Fault("status", status=503, skip=3, times=4), Fault("reset", skip=2, times=3))
    assert [one.id async for one in kantata.users.list(per_page=10)] == expected


async def test_nothing_is_sent_until_it_is_needed(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Building a query sends nothing; first and count take one small request; page takes one."""
    query = kantata.users.list(order="alphabetical:desc")
    assert kantata_sandbox.requests == []
    first = await query.first()
    count = await query.count()
    page = await query.page(2)
    assert first is not None
    assert count == page.count
    assert [one.query["per_page"] for one in kantata_sandbox.requests] == ["1", "1", "200"]
    assert page.meta.page_number == 2
    assert (await query.page(99)).items == []
    assert await kantata.users.list(by_full_name="Nobody at all").first() is None


async def test_leaving_early_stops_the_reading(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Breaking out of a list ends the pages read ahead: no more than the window is asked for."""
    kantata_sandbox.latency = 0.01
    before = asyncio.all_tasks()
    async for _ in kantata.users.list(per_page=5):
        break
    await until(lambda: not [task for task in asyncio.all_tasks() - before if "kantata_async/calls" in repr(task)])
    assert len(kantata_sandbox.requests) <= 1 + 10


async def test_an_error_on_a_late_page(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """A page that cannot be had is an error, after the pages before it."""
    kantata_sandbox.faults.add(Fault("status", status=404, skip=3, times=1))
    seen: list[str] = []

    async def read() -> None:
        async for user in kantata.users.list(per_page=10):
            seen.append(user.id)

    with pytest.raises(NotFoundError, match="404"):
        await read()
    assert len(seen) in {10 * pages for pages in range(1, 11)}


@pytest.mark.parametrize("number", [0, -1, True])
async def test_page_numbers(kantata: KantataSession, number: int) -> None:
    """Pages are numbered from 1."""
    with pytest.raises(UsageError, match="numbered from 1"):
        await kantata.users.list().page(number)


async def test_a_page_is_a_sequence_of_its_entities(kantata: KantataSession) -> None:
    """It iterates, counts and indexes, by position and by slice; an empty one is false, as an empty list is."""
    page = await kantata.users.list(per_page=5).page(2)
    assert list(page) == list(page.items)
    assert len(page) == 5
    assert page[0] is page.items[0]
    assert page[-1] is page.items[-1]
    assert list(page[1:3]) == list(page.items[1:3])
    assert page[0] in page
    assert list(reversed(page)) == list(page.items)[::-1]
    assert page
    assert not await kantata.users.list(by_full_name="Nobody at all").page(1)
    with pytest.raises(IndexError):
        _ = page[5]


async def test_the_only_one(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """One request for the one that matches, with what it includes; none or several are an error that says so."""
    users = kantata_sandbox.store.all("users")
    one = await kantata.users.list(by_email_address=users[0]["email_address"], include=["account_membership"]).one()
    assert one.id == users[0]["id"]
    assert one.account_membership.id == one.account_membership_id
    assert [request.query["per_page"] for request in kantata_sandbox.requests] == ["2"]
    with pytest.raises(NotOneError, match=r"GET /users: nothing matches, but one\(\) needs exactly one") as none:
        await kantata.users.list(by_full_name="Nobody at all").one()
    assert none.value.count == 0
    with pytest.raises(NotOneError, match=r"GET /users: \d{3} match, but one\(\) needs exactly one") as several:
        await kantata.users.list().one()
    assert several.value.count == await kantata.users.list().count()
    with pytest.raises(NotOneError):
        await kantata.users.list(per_page=1).one()


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1]), (7, [7]), (200, [200]), (201, [200, 200]), (10_000, [200] * 3)])
async def test_a_limit(kantata_sandbox: Sandbox, kantata: KantataSession, limit: int, sizes: list[int]) -> None:
    """The first ones alone, awaited, iterated or by pages, in as few requests as hold them."""
    everyone = [one.id for one in await kantata.users.list()]
    query = kantata.users.list()
    for ids in (
        [one.id for one in await query.limit(limit)],
        [one.id async for one in query.limit(limit)],
        [one.id async for page in query.limit(limit).pages() for one in page],
    ):
        assert ids == everyone[:limit]
    kantata_sandbox.clear_log()
    await query.limit(limit)
    assert [int(request.query["per_page"]) for request in kantata_sandbox.requests] == sizes
    assert await query.limit(limit).count() == len(everyone)
    assert len(await query) == len(everyone)


async def test_a_limit_keeps_a_page_size_that_was_given(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """And follows the deeper includes of what is kept alone."""
    found = await kantata.users.list(per_page=10, include=[path("manager.role")]).limit(25)
    assert len(found) == 25
    assert [one.query["per_page"] for one in kantata_sandbox.requests if "per_page" in one.query][:3] == ["10"] * 3
    assert len([one for one in kantata_sandbox.requests if "page" in one.query and "only" not in one.query]) == 3


@pytest.mark.parametrize("number", [0, -1, True, 1.5, "10", None])
async def test_what_is_no_limit(kantata: KantataSession, number: Any) -> None:
    """It would read nothing, or everything."""
    with pytest.raises(UsageError, match="limit must be a whole number of at least 1, not"):
        kantata.users.list().limit(number)


async def test_everything_lifts_the_default_filters(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Of a list, and of many by id; without it, an object that a default filter hides is missing."""
    active = {one.id for one in await kantata.users.list()}
    everyone = {one.id for one in await kantata.users.list(everything=True)}
    assert active < everyone
    hidden = min(everyone - active)
    assert (await kantata.users.get_many([hidden])).missing == (hidden,)
    found = await kantata.users.get_many([hidden], everything=True)
    assert [one.id for one in found] == [hidden]
    assert found.missing == ()
    archived = {one.id for one in await kantata.workspaces.list(everything=True)}
    assert archived == {one["id"] for one in kantata_sandbox.store.all("workspaces")}


async def test_collected_entities_are_linked_in_one_graph(kantata: KantataSession) -> None:
    """Across the pages of a collected list, an object is one Python object."""
    stories = await kantata.stories.list(include=["workspace"], per_page=5)
    workspaces = {story.workspace.id: story.workspace for story in stories}
    assert len(workspaces) > 1
    assert all(story.workspace is workspaces[story.workspace_id] for story in stories)


async def test_get_many(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """By id in the order asked, 200 a request, each id once; the ids that are not answered are told."""
    ids = [*range(300, 0, -1), 300, 999_999]
    found = await kantata.users.get_many(ids)
    missing = {int(one) for one in found.missing}
    assert 999_999 in missing
    assert [int(one.id) for one in found] == [id for id in ids if id not in missing]
    asked = [one.query["only"].split(",") for one in kantata_sandbox.requests]
    assert [len(only) for only in asked] == [200, 101]
    assert await kantata.users.get_many([]) == []
    with pytest.raises(UsageError, match="order"):
        await kantata.users.get_many([1], order="alphabetical")


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ("12", "get_many takes an iterable of ids, not '12'"),
        (7, "get_many takes an iterable of ids, not 7"),
        (None, "get_many takes an iterable of ids, not None"),
        ([1, "2,3"], "id 1 takes an id such as 42"),
    ],
)
async def test_what_are_no_ids(kantata: KantataSession, ids: Any, says: str) -> None:
    """A text is not taken for its characters."""
    with pytest.raises(UsageError, match=says):
        await kantata.users.get_many(ids)
    if not isinstance(ids, list):
        with pytest.raises(UsageError, match=r"^ids must be an iterable of numbers or texts, not "):
            await kantata.time_entries.delete_many(ids)


async def test_nested_includes(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """A path is one include and a request for each further step: each id once, 200 a request."""
    deep = path("user.account_membership.default_role")
    workspace = kantata_sandbox.store.all("participations")[0]["workspace_id"]
    team = await kantata.participations.list(workspace_id=workspace, include=[deep, path("user.manager")])
    assert team
    for one in team:
        assert one.user.account_membership.default_role.name
        assert one.user.manager is None or one.user.manager.full_name
    users, memberships = kantata_sandbox.requests[1:]
    assert users.query["include"] == "account_membership,manager"
    assert memberships.path == "/account_memberships"
    assert sorted(users.query["only"].split(",")) == sorted({one.user_id for one in team})


async def test_load(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """What was not included is fetched after the fact into the same entities, and not fetched twice."""
    people = await kantata.users.list()
    with pytest.raises(NotLoadedError, match="include=\\['manager'\\]"):
        _ = people[0].manager
    kantata_sandbox.clear_log()
    await kantata.load(people, "manager.role")
    managed = [person for person in people if person.manager is not None]
    assert managed
    assert all(person.manager.role.name for person in managed)
    only = [id for one in kantata_sandbox.requests for id in one.query["only"].split(",")]
    assert all(len(one.query["only"].split(",")) <= 200 for one in kantata_sandbox.requests)
    asked = len(kantata_sandbox.requests)
    await kantata.load(people, "manager.role")
    assert len(kantata_sandbox.requests) == asked
    assert len(only) <= len(people) + len({person.manager.id for person in managed})


async def test_each_id_is_fetched_once(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Paths that meet in the same objects fetch them together, whichever way they came."""
    kantata_sandbox.switches = Switches(references_without_include=True)
    projects = await kantata.workspaces.list(per_page=200)
    kantata_sandbox.clear_log()
    await kantata.load(projects, "creator.account_membership", "primary_maven.account_membership", "creator.manager")
    users = [one for one in kantata_sandbox.requests if one.path == "/users"]
    assert len(users) == 1
    ids = users[0].query["only"].split(",")
    assert len(ids) == len(set(ids))
    assert all(project.creator.account_membership is not None for project in projects)


@pytest.mark.parametrize("always", [True, False])
async def test_load_with_and_without_references(
    kantata_sandbox: Sandbox, kantata: KantataSession, always: bool
) -> None:
    """Whether or not references come without an include, the associations are found."""
    kantata_sandbox.switches = Switches(references_without_include=always, associated_references=always)
    people = await kantata.users.list(per_page=200)
    await kantata.load(people[:5], "account_membership.default_role")
    assert all(person.account_membership.default_role.name for person in people[:5])


async def test_load_through_a_list_that_needs_a_filter(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Participations cannot be listed without a project: their own associations are fetched all the same."""
    held = kantata_sandbox.store.all("participations")[0]
    projects = await kantata.workspaces.get_many([held["workspace_id"]], include=["participations"])
    await kantata.load(projects, "participations.user")
    assert all(one.user.full_name for project in projects for one in project.participations)


async def test_an_object_that_may_not_be_seen(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """An included object that the answer lacks reads as None and is listed; so it is after a load, which asks once."""
    manager = next(one.manager.id for one in await kantata.users.list(include=["manager"]) if one.manager is not None)
    kantata_sandbox.switches = Switches(invisible_objects=frozenset({f"users.{manager}"}))
    page = await kantata.users.list(include=["manager"]).page(1)
    managed = [person for person in page.items if person.manager_id == manager]
    assert managed
    assert all(person.manager is None for person in managed)
    assert {one.target.id for one in page.graph.unresolved} == {manager}
    people = await kantata.users.list()
    await kantata.load(people, "manager")
    asked = len(kantata_sandbox.requests)
    await kantata.load(people, "manager")
    assert len(kantata_sandbox.requests) == asked


@pytest.mark.parametrize(
    ("steps", "hint"),
    [("manger", "manager"), ("manager.rol", "role"), ("manager.role.users", "no association"), ("a..b", "dots")],
)
async def test_wrong_paths(kantata_sandbox: Sandbox, kantata: KantataSession, steps: str, hint: str) -> None:
    """A wrong step is refused before anything is sent, with the nearest right one."""
    people = await kantata.users.list()
    kantata_sandbox.clear_log()
    with pytest.raises(UsageError, match=hint):
        await kantata.load(people, steps)
    with pytest.raises(UsageError, match=hint):
        kantata.users.list(include=[steps])  # type: ignore[list-item]
    assert kantata_sandbox.requests == []


async def test_load_takes_entities_of_a_graph(kantata: KantataSession) -> None:
    """What from_dict made is in no graph, and nothing can be loaded into it."""
    person = User.from_dict({"id": 1, "manager_id": 2})
    with pytest.raises(UsageError, match="from_dict"):
        await kantata.load(person, "manager")
    with pytest.raises(UsageError, match="takes the associations"):
        await kantata.load(person)


IDS = st.one_of(st.integers(0, 30).map(str), st.integers(0, 10**9).map(str), st.text("0123:ab", min_size=1, max_size=3))


@given(st.lists(st.lists(IDS, max_size=6)), st.integers(0, 12))
def test_ids_are_seen_once(pages: list[list[str]], most_texts: int) -> None:
    """The set of ids is one, and stays one when it becomes a compact one."""
    seen = SeenIds(most_texts)
    known: set[str] = set()
    for ids in pages:
        new = [one.id for one in seen.new_of([User.from_dict({"id": id}) for id in ids])]
        assert new == list(dict.fromkeys(id for id in ids if id not in known))
        known.update(ids)
