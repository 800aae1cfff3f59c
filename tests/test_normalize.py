"""`normalize`: from an answer that somebody fetched to linked entities, and what it says of answers that are none."""

from __future__ import annotations

import json
from collections import OrderedDict
from types import MappingProxyType
from typing import Any, Final

import pytest
from envelopes import ADA, DEEP, LEAD, MEMBERSHIP, envelope, only

from kantata_async import InvalidResponseError, NotLoadedError, Page, Ref, UsageError, normalize
from kantata_async.api import entity_class
from kantata_async.decoding.reader import Reader
from kantata_async.entities import (
    Participation,
    Role,
    UnknownEntity,
    User,
    Workspace,
)
from kantata_async.model.graph import Graph, Unresolved


def ids(page: Page[Any]) -> list[str]:
    """The ids of the matches."""
    return [one.id for one in page.items]


# --- matches and their order -----------------------------------------------------------------------------------------


def test_matches_come_in_the_order_of_results() -> None:
    """A collection is a JSON object: its order says nothing."""
    page = normalize(envelope([("users", "3"), ("users", "1"), ("users", "2")], users=[{"id": i} for i in "123"]))
    assert ids(page) == ["3", "1", "2"]
    assert [one.id for one in page.graph.all(User)] == ["1", "2", "3"]


def test_objects_that_are_no_match_are_in_the_graph_alone() -> None:
    """`results` alone says what matched: a sub-story is in `stories` all the same."""
    parent = {"id": "1", "sub_story_ids": ["3", "2"]}
    children = [{"id": "2", "parent_id": "1"}, {"id": "3", "parent_id": "1"}]
    page = normalize(envelope([("stories", "1")], stories=[*children, parent]))
    assert ids(page) == ["1"]
    assert [one.id for one in page.items[0].sub_stories] == ["3", "2"]
    assert page.items[0].sub_stories[0].parent is page.items[0]
    assert page.count == 1


def test_users_and_their_managers_mix() -> None:
    """A manager may be a match too, and one's own."""
    people = [
        {"id": "1", "manager_id": "2"},
        {"id": "2", "manager_id": "2"},
        {"id": "3", "manager_id": "4"},
        {"id": "4"},
    ]
    page = normalize(envelope([("users", "3"), ("users", "1")], users=people))
    third, first = page.items
    assert isinstance(first, User)
    assert isinstance(third, User)
    assert third.manager.id == "4"
    assert first.manager is first.manager.manager
    assert page.graph.unresolved == []


def test_matches_of_several_collections_keep_their_order() -> None:
    """Each result has its own key."""
    page = normalize(
        envelope(
            [("users", "1"), ("roles", "1"), ("users", "2")], roles=[{"id": "1"}], users=[{"id": "2"}, {"id": "1"}]
        )
    )
    assert [(type(one), one.id) for one in page.items] == [(User, "1"), (Role, "1"), (User, "2")]


def test_a_result_that_comes_twice_is_one_object_at_two_places() -> None:
    """Nothing that matched is dropped."""
    page = normalize(envelope([("users", "1"), ("users", "2"), ("users", "1")], users=[{"id": "1"}, {"id": "2"}]))
    assert ids(page) == ["1", "2", "1"]
    assert page.items[0] is page.items[2]


def test_no_match_is_an_empty_page() -> None:
    """With or without its collection."""
    for payload in (envelope([]), envelope([], users=[]), {"results": [], "users": None}):
        page = normalize(payload)
        assert list(page.items) == []
        assert len(page.graph) == 0


def test_meta_is_told() -> None:
    """The count at the top wins: it is the one that every answer has."""
    payload = envelope([], users=[]) | {"count": 45, "meta": {"count": 44, "page_count": 3, "page_number": 2}}
    meta = normalize(payload).meta
    assert (meta.count, meta.page_count, meta.page_number, meta.page_size) == (45, 3, 2, None)
    assert normalize({"results": [], "meta": {"count": 7}}).count == 7
    assert normalize({"results": []}).count is None


# --- links -----------------------------------------------------------------------------------------------------------


def test_associations_go_by_the_catalogue_and_not_by_name() -> None:
    """`workspace_role_id` is the id of a role, and an unknown `car_id` of nothing."""
    membership = MEMBERSHIP | {"car_id": "9"}
    item = only(envelope([("participations", "42")], participations=[membership], users=[ADA], roles=[LEAD]))
    assert isinstance(item.user, User)
    assert item.user.full_name == "Ada Lovelace"
    assert isinstance(item.workspace_role, Role)
    assert item.extra == {"car_id": "9"}
    assert not hasattr(item, "car")


def test_many_keep_the_order_of_their_ids() -> None:
    """As the API lists them, each as often as it is listed."""
    story = {"id": "1", "assignee_ids": ["3", "9", "3"]}
    item = only(envelope([("stories", "1")], stories=[story], users=[ADA, {"id": "3"}]))
    assert [one.id for one in item.assignees] == ["3", "9", "3"]
    assert item.assignee_ids == ("3", "9", "3")
    assert only(envelope([("stories", "1")], stories=[{"id": "1", "assignee_ids": []}])).assignees == ()


@pytest.mark.parametrize("key", ["workspaces", "stories", "users"])
def test_a_polymorphic_reference_names_its_collection(key: str) -> None:
    """Key and id come as an object."""
    post = {"id": "1", "subject_ref": {"key": key, "id": 7}}
    item = only(envelope([("posts", "1")], posts=[post], **{key: [{"id": "7"}]}))
    assert item.subject_ref == Ref(key, "7")
    assert type(item.subject) is entity_class(key)
    assert item.to_dict() == {"id": "1", "subject_ref": {"key": key, "id": "7"}}


def test_a_polymorphic_reference_may_name_an_unknown_collection() -> None:
    """What the catalogue does not know is linked all the same."""
    post = {"id": "1", "subject_ref": {"key": "gadgets", "id": "7"}}
    item = only(envelope([("posts", "1")], posts=[post], gadgets=[{"id": "7", "wheels": 4}]))
    assert isinstance(item.subject, UnknownEntity)
    assert item.subject.collection == "gadgets"
    assert item.subject.extra["wheels"] == 4


def test_cycles_are_fine() -> None:
    """A workspace's participants, their participations, its workspace."""
    page = normalize(
        envelope(
            [("workspaces", "7")],
            workspaces=[{"id": "7", "title": "Apollo", "participation_ids": ["42"], "participant_ids": ["9"]}],
            participations=[MEMBERSHIP | {"workspace_id": "7"}],
            users=[ADA | {"manager_id": "9"}],
        )
    )
    project = page.items[0]
    assert isinstance(project, Workspace)
    member = project.participations[0]
    assert member.workspace is project
    assert member.user is project.participants[0]
    assert member.user.manager.manager is member.user
    assert repr(project) == "<Workspace 7 'Apollo'>"
    assert hash(project) == hash(member.workspace)


def test_the_graph_answers_by_class_and_id() -> None:
    """Matches and associated ones; an id is taken as a number too."""
    page = normalize(envelope([("participations", "42")], participations=[MEMBERSHIP], users=[ADA]))
    found = page.graph.get(User, "9")
    assert found is page.graph.get(User, 9)
    assert found is page.items[0].user  # type: ignore[attr-defined]
    assert page.graph.get(User, 10) is None
    assert page.graph.get(Role, 9) is None
    assert page.graph.all(User) == [found]
    assert page.graph.all(Role) == []
    assert page.graph.find(Ref("users", "9")) is found
    assert page.graph.collection("users") == [found]
    assert len(page.graph) == len(list(page.graph)) == 2


# --- an object that comes twice --------------------------------------------------------------------------------------


@pytest.mark.parametrize("richer_first", [True, False])
def test_an_object_that_comes_twice_is_one_with_the_union(richer_first: bool) -> None:
    """Once as a match with all it has, once as somebody's association with less."""
    rich = envelope([("users", "9")], users=[ADA | {"headline": "Analyst", "role_id": "5", "shoe": 38}], roles=[LEAD])
    poor = envelope([("participations", "42")], participations=[MEMBERSHIP], users=[{"id": "9", "city": "London"}])
    graph = Graph()
    for payload in (rich, poor) if richer_first else (poor, rich):
        Reader(entity_class).page(payload, graph=graph)
    ada = graph.get(User, "9")
    member = graph.get(Participation, "42")
    assert ada is not None
    assert member is not None
    assert member.user is ada
    assert (ada.full_name, ada.headline, ada.city, ada.extra["shoe"]) == ("Ada Lovelace", "Analyst", "London", 38)
    assert ada.role is member.workspace_role
    assert len(graph.all(User)) == 1


def test_an_object_that_comes_again_takes_the_newer_value() -> None:
    """A value, a null and a value of an unknown attribute; what comes no more stays."""
    graph = Graph()
    Reader(entity_class).page(envelope([("users", 9)], users=[ADA | {"city": "London", "a": 1, "b": 1}]), graph=graph)
    before = graph.get(User, 9)
    again = {"id": 9, "full_name": "Ada King", "city": None, "a": 2}
    page = Reader(entity_class).page(envelope([("users", 9)], users=[again]), graph=graph)
    assert page.items == [before]
    assert page.items[0] is before
    assert before is not None
    assert before.to_dict() == {"id": "9", "full_name": "Ada King", "city": None, "a": 2, "b": 1}


def test_a_page_that_is_refused_changes_nothing() -> None:
    """The graph is as it was: the envelope is checked before it is taken in."""
    graph = Graph()
    Reader(entity_class).page(envelope([("users", "9")], users=[ADA]), graph=graph)
    broken = envelope([("users", "9"), ("users", "8")], users=[ADA | {"full_name": "somebody else"}])
    with pytest.raises(InvalidResponseError, match="results names users 8"):
        Reader(entity_class).page(broken, graph=graph)
    ada = graph.get(User, "9")
    assert ada is not None
    assert ada.full_name == "Ada Lovelace"
    assert graph.notes == []


# --- null, not sent, named but missing -------------------------------------------------------------------------------


def test_null_is_none() -> None:
    """An attribute, a reference and a list of references."""
    item = only(
        envelope([("stories", "1")], stories=[{"id": "1", "title": None, "parent_id": None, "assignee_ids": None}])
    )
    assert (item.title, item.parent_id, item.parent, item.assignee_ids, item.assignees) == (None, None, None, None, ())


@pytest.mark.parametrize(
    ("name", "asks_for"),
    [
        ("access_level", r"optional_fields=\['access_level'\]"),
        ("user_id", r"include=\['user'\]"),
        ("user", r"include=\['user'\]"),
        ("active_role_ids", r"include=\['active_roles'\]"),
        ("active_roles", r"include=\['active_roles'\]"),
        ("cost_in_cents", "needs? a permission"),
    ],
)
def test_what_was_not_sent_says_what_to_ask_for(name: str, asks_for: str) -> None:
    """It is an AttributeError too, so that hasattr and getattr with a default work."""
    item = only(envelope([("participations", "1")], participations=[{"id": "1"}]))
    with pytest.raises(NotLoadedError, match=asks_for) as caught:
        getattr(item, name)
    assert isinstance(caught.value, AttributeError)
    assert caught.value.obj is item
    assert str(caught.value).startswith("Participation.")
    assert not hasattr(item, name)
    assert getattr(item, name, "nothing") == "nothing"
    assert name not in item.to_dict()


def test_an_association_that_was_not_included_says_so() -> None:
    """The id alone is there; both ways to get the object are named."""
    item = only(envelope([("participations", "42")], participations=[MEMBERSHIP]))
    message = r"Participation\.user was not sent.*users 9.*include=\['user'\].*load\(…, 'user'\)"
    with pytest.raises(NotLoadedError, match=message):
        _ = item.user
    assert item.user_id == "9"
    item = only(envelope([("stories", "1")], stories=[{"id": "1", "assignee_ids": ["9"]}]))
    with pytest.raises(NotLoadedError, match=r"Story\.assignees .*include=\['assignees'\]"):
        _ = item.assignees


def test_an_included_object_that_the_answer_lacks_reads_as_none() -> None:
    """It may be hidden from the caller; the graph lists it."""
    payload = envelope([("participations", "42")], participations=[MEMBERSHIP])
    page = normalize(payload, include=["user"])
    item = page.items[0]
    assert isinstance(item, Participation)
    assert item.user is None
    assert page.graph.unresolved == [Unresolved(item, "user", Ref("users", "9"))]
    with pytest.raises(NotLoadedError, match="workspace_role"):
        _ = item.workspace_role


def test_of_many_those_that_the_answer_lacks_are_left_out() -> None:
    """In the order of the others."""
    story = {"id": "1", "assignee_ids": ["3", "8", "9"]}
    page = normalize(envelope([("stories", "1")], stories=[story], users=[ADA, {"id": "3"}]), include=["assignees"])
    assert [one.id for one in page.items[0].assignees] == ["3", "9"]  # type: ignore[attr-defined]
    assert [one.target.id for one in page.graph.unresolved] == ["8"]


def test_without_include_an_answer_speaks_for_itself() -> None:
    """Users in the answer beside the matches: they were asked for, so one that lacks is missing and not left out."""
    other = {"id": "43", "user_id": "10"}
    page = normalize(
        envelope([("participations", i) for i in (42, 43)], participations=[MEMBERSHIP, other], users=[ADA])
    )
    first, second = page.items
    assert isinstance(first, Participation)
    assert isinstance(second, Participation)
    assert first.user.full_name == "Ada Lovelace"
    assert second.user is None
    with pytest.raises(NotLoadedError):
        _ = first.workspace_role
    assert page.graph.unresolved == [Unresolved(second, "user", Ref("users", "10"))]


def test_without_include_a_collection_of_matches_alone_does_not_speak() -> None:
    """Users that all matched say nothing of managers; one that did not match says that managers were asked for."""
    people = [{"id": "1", "manager_id": "8"}, {"id": "2", "manager_id": "3"}]
    item = normalize(envelope([("users", "1"), ("users", "2"), ("users", "2")], users=people)).items[0]
    assert isinstance(item, User)
    with pytest.raises(NotLoadedError, match="users 8"):
        _ = item.manager
    item = normalize(envelope([("users", "1"), ("users", "2")], users=[*people, {"id": "3"}])).items[0]
    assert isinstance(item, User)
    assert item.manager is None


def test_an_associated_object_was_not_asked_for_its_own_associations() -> None:
    """One level of includes: a manager's manager is not sent, which is not the same as missing."""
    people = [{"id": "1", "manager_id": "2"}, {"id": "2", "manager_id": "3"}]
    for include in (None, ["manager"]):
        item = only(envelope([("users", "1")], users=people), include=include)
        assert item.manager.id == "2"
        with pytest.raises(NotLoadedError, match=r"User\.manager was not sent, only that it is users 3"):
            _ = item.manager.manager


def test_include_is_a_list() -> None:
    """A text would be taken for a list of its letters."""
    with pytest.raises(UsageError, match=r"include=\['user'\]"):
        normalize(envelope([]), include="user")


def test_a_name_that_there_is_not_offers_the_nearest() -> None:
    """And is no NotLoadedError: nothing would bring it."""
    item = only(envelope([("users", "9")], users=[ADA]))
    with pytest.raises(AttributeError, match="User has no attribute 'ful_name'; did you mean 'full_name'") as caught:
        _ = item.ful_name
    assert not isinstance(caught.value, NotLoadedError)
    with pytest.raises(AttributeError, match=r"User has no attribute 'zzz'$"):
        _ = item.zzz


# --- what the catalogue does not know --------------------------------------------------------------------------------


def test_unknown_attributes_are_kept() -> None:
    """Whatever they are called; `extra` cannot be written to."""
    odd = {"_graph": 1, "_extra": 2, "collection": 3, "to_dict": 4, "__class__": 5, "manager": 6, "extra": 7, "": 8}
    item = only(envelope([("users", "9")], users=[ADA | odd]))
    assert item.extra == odd
    assert item.to_dict() == ADA | odd
    assert item.collection == "users"
    with pytest.raises(TypeError):
        item.extra["x"] = 1


def test_an_unknown_collection_is_kept() -> None:
    """As entities by id, also when they are the matches."""
    page = normalize(envelope([("gadgets", 2), ("gadgets", 1)], gadgets=[{"id": 1, "x": [1]}, {"id": "2"}]))
    assert ids(page) == ["2", "1"]
    second, first = page.items
    assert isinstance(first, UnknownEntity)
    assert (first.collection, first.extra, repr(first)) == ("gadgets", {"x": [1]}, "<UnknownEntity 1>")
    assert page.graph.collection("gadgets") == [first, second]
    assert first.to_dict() == {"id": "1", "x": [1]}
    assert first != second


def test_top_level_values_that_are_no_collection_are_kept() -> None:
    """In `extra` of the page; null, an empty object and a mixed one among them."""
    odd = {"errors": [], "note": "x", "nothing": None, "empty": {}, "mixed": {"1": {}, "2": 3}}
    page = normalize(envelope([("users", "9")], users=[ADA]) | odd)
    assert page.extra == odd
    assert ids(page) == ["9"]


# --- answers that are no envelope ------------------------------------------------------------------------------------

USERS: Final = {"users": {"9": ADA}}
NO_ENVELOPE: Final[list[tuple[str, Any, str]]] = [
    ("null", None, "an object with results was expected, not nothing"),
    ("a list", [], r"an object with results was expected, not list \[\]"),
    ("a text", '"it\'s me"', "an object with results was expected, not str"),
    ("a number", b"7", "an object with results was expected, not int 7"),
    ("an empty object", {}, "results should be a list, not nothing"),
    ("results null", {"results": None}, "results should be a list, not nothing"),
    ("results an object", {"results": {"0": {}}}, "results should be a list, not dict"),
    ("results a text", {"results": "users"}, "results should be a list, not str 'users'"),
    ("a result a text", {"results": ["9"]}, "a result should be an object with key and id, not str '9'"),
    ("a result null", {"results": [None]}, "a result should be an object with key and id, not nothing"),
    ("a result without key", {"results": [{"id": "9"}], **USERS}, "a result should be an object with key and id"),
    ("a result with a number for key", {"results": [{"key": 9, "id": "9"}]}, "a result should be an object with key"),
    ("a result without id", {"results": [{"key": "users"}], **USERS}, "a result of users: an id is a string, not None"),
    ("a result with a bool for id", {"results": [{"key": "users", "id": True}]}, "a result of users: .* not True"),
    ("a result with a float for id", {"results": [{"key": "users", "id": 9.0}]}, "a result of users: .* not 9.0"),
    ("a result too long", {"results": [{"key": "users", "id": 10**5000}]}, "a result of users: .*too large to show"),
    ("a result nested deep", {"results": [{"key": "users", "id": DEEP}]}, "a result of users: an id is a string"),
    ("results nested deep", {"results": DEEP}, "results should be a list, not dict"),
    ("no such collection", {"results": [{"key": "users", "id": "9"}]}, "names users 9, and the answer has no such"),
    ("no such object", {"results": [{"key": "users", "id": "8"}], **USERS}, "results names users 8"),
    ("an empty collection", {"results": [{"key": "users", "id": "8"}], "users": None}, "results names users 8"),
    ("of another collection", {"results": [{"key": "roles", "id": "9"}], **USERS}, "results names roles 9"),
    ("results as a key", {"results": [{"key": "results", "id": "9"}]}, "results names results 9"),
    ("meta as a key", {"results": [{"key": "meta", "id": "9"}], "meta": {"9": {}}}, "results names meta 9"),
    ("a collection a list", {"results": [], "users": [ADA]}, "users should map ids to objects, not be list"),
    ("a collection a number", {"results": [], "users": 3}, "users should map ids to objects, not be int 3"),
    (
        "a matched unknown collection a list",
        {"results": [{"key": "x", "id": 1}], "x": []},
        "x should map ids to objects",
    ),
    ("an object a list", {"results": [], "users": {"9": []}}, r"users 9 should be an object, not list \[\]"),
    ("an object null", {"results": [], "users": {"9": None}}, "users 9 should be an object, not nothing"),
    ("another id", {"results": [], "users": {"8": ADA}}, "users 8 says that its id is '9'"),
    ("a null id", {"results": [], "users": {"9": {"id": None}}}, "users 9 says that its id is None"),
    ("a null id as text", {"results": [], "users": {"None": {"id": None}}}, "users None says that its id is None"),
    ("a float id", {"results": [], "x": {"9.0": {"id": 9.0}}}, "x 9.0 says that its id is 9.0"),
    ("a list id", {"results": [], "x": {"[]": {"id": []}}}, r"x \[\] says that its id is \[\]"),
    ("a deep id", {"results": [], "users": {"9": {"id": DEEP}}}, "users 9 says that its id is"),
    ("a long id", {"results": [], "users": {"9": {"id": 10**5000}}}, "users 9 says that its id is <int too large"),
    ("a key that is no text", {"results": [], "users": {9: ADA}}, "ids are strings, not int 9"),
    ("meta a list", {"results": [], "meta": []}, r"meta should be an object, not list \[\]"),
    ("a text count", {"results": [], "count": "1"}, "count should be a whole number, not str '1'"),
    ("a bool count", {"results": [], "count": True}, "count should be a whole number, not bool True"),
    ("a float count", {"results": [], "meta": {"count": 1.0}}, "meta.count should be a whole number, not float 1.0"),
    ("a text page count", {"results": [], "meta": {"page_count": "1"}}, "meta.page_count should be a whole number"),
    ("a page number", {"results": [], "meta": {"page_number": [1]}}, "meta.page_number should be a whole number"),
    ("a page size", {"results": [], "meta": {"page_size": DEEP}}, "meta.page_size should be a whole number"),
]


@pytest.mark.parametrize(
    ("payload", "says"), [(payload, says) for _, payload, says in NO_ENVELOPE], ids=[name for name, _, _ in NO_ENVELOPE]
)
def test_a_malformed_envelope_says_what_is_wrong(payload: Any, says: str) -> None:
    """In a line that can be read, however large the value."""
    with pytest.raises(InvalidResponseError, match=says) as caught:
        normalize(payload)
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


GOOD: Final = json.dumps(envelope([("users", "9")], users=[ADA]))


WHY_NO_JSON: Final = r".*\(byte \d+\)|.*\(its length is \d+\)|.*out of range|nested too deep|not UTF-8"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        GOOD[:-1],
        GOOD[: len(GOOD) // 2],
        GOOD + "}",
        '{"results": [NaN]}',
        '{"results": [], "count": Infinity}',
        '{"results": [], "count": 1e400}',
        '{"results": [], "count": ' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"results": [], "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "{'results': []}",
        "<html><body>502 Bad Gateway</body></html>",
        '{"results": [], "x": "\\ud800"}',
        "\ud800",
    ],
    ids=range(15),
)
def test_what_is_no_json_says_why(text: str) -> None:
    """As text and as bytes; the message does not quote the answer at length."""
    payloads = [text, text.encode(errors="surrogatepass")]
    for payload in payloads:
        with pytest.raises(InvalidResponseError, match=f"the answer is not JSON: {WHY_NO_JSON}") as caught:
            normalize(payload)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "payload",
    [
        GOOD,
        GOOD.encode(),
        bytearray(GOOD.encode()),
        memoryview(GOOD.encode()),
        json.loads(GOOD),
        OrderedDict(json.loads(GOOD)),
        MappingProxyType(json.loads(GOOD)),
        f" \n{GOOD}\r\n",
    ],
    ids=["str", "bytes", "bytearray", "memoryview", "dict", "OrderedDict", "MappingProxyType", "spaces around"],
)
def test_decoded_or_not(payload: Any) -> None:
    """An answer is taken in any form in which it may be at hand."""
    item = only(payload)
    assert isinstance(item, User)
    assert item.full_name == "Ada Lovelace"


def test_an_answer_nested_as_deep_as_json_may_be_is_read() -> None:
    """Where the catalogue expects nothing, and where it expects an id."""
    nested = json.dumps(DEEP)
    page = normalize(f'{{"results": [], "x": {nested}, "users": {{"9": {{"a": {nested}, "manager_id": {nested}}}}}}}')
    assert len(page.graph.notes) == 1
