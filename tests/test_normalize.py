"""`normalize`: from an answer that somebody fetched to linked entities, and what it says of answers that are none."""

from __future__ import annotations

import copy
import json
import pickle
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, Final

import attrs
import pytest
from envelopes import Json, envelope

from kantata_async import Entity, InvalidResponseError, NotLoadedError, Page, Ref, UsageError, normalize
from kantata_async.api import entity_class
from kantata_async.decoding.reader import Reader
from kantata_async.entities import (
    Attachment,
    CustomFieldValue,
    Participation,
    Post,
    Role,
    Story,
    TimeEntry,
    UnknownEntity,
    User,
    Workspace,
)
from kantata_async.model.graph import Graph, Unresolved

ADA: Final = {"id": "9", "full_name": "Ada Lovelace"}
LEAD: Final = {"id": "5", "title": "Lead"}
MEMBERSHIP: Final = {"id": "42", "user_id": "9", "workspace_role_id": "5", "role": "maven"}


def only(payload: Any, **options: Any) -> Any:
    """The one match of an answer."""
    (item,) = normalize(payload, **options).items
    return item


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
    """Each result has a key of its own."""
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


# --- values ----------------------------------------------------------------------------------------------------------


def test_ids_are_texts() -> None:
    """Numbers become text, composite ones stay as they are."""
    value = {"id": "42:percent_complete", "custom_field_id": 7, "subject_ref": {"key": "stories", "id": 42}}
    page = normalize(envelope([("custom_field_values", "42:percent_complete")], custom_field_values=[value]))
    item = page.items[0]
    assert isinstance(item, CustomFieldValue)
    assert (item.id, item.custom_field_id, item.subject_ref) == ("42:percent_complete", "7", Ref("stories", "42"))
    story = only(envelope([("stories", 1)], stories=[{"id": 1, "assignee_ids": [3, "9"]}], users=[{"id": 3}, ADA]))
    assert story.assignee_ids == ("3", "9")
    assert [one.id for one in story.assignees] == ["3", "9"]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-05T10:20:30Z", datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)),
        ("2026-01-05T10:20:30-08:00", datetime(2026, 1, 5, 10, 20, 30, tzinfo=timezone(timedelta(hours=-8)))),
        ("2026-01-05T10:20:30+0530", datetime(2026, 1, 5, 10, 20, 30, tzinfo=timezone(timedelta(minutes=330)))),
        ("2026-01-05T10:20:30.125Z", datetime(2026, 1, 5, 10, 20, 30, 125000, tzinfo=UTC)),
        ("2026-01-05T10:20:30.123456Z", datetime(2026, 1, 5, 10, 20, 30, 123456, tzinfo=UTC)),
        ("2026-01-05 10:20:30", datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)),
        ("2026-01-05T10:20Z", datetime(2026, 1, 5, 10, 20, tzinfo=UTC)),
    ],
)
def test_points_in_time_are_aware(text: str, instant: datetime) -> None:
    """One without an offset is taken as UTC; the offset that came is kept."""
    item = only(envelope([("participations", "1")], participations=[{"id": "1", "created_at": text}]))
    assert item.created_at == instant
    assert item.created_at.utcoffset() == instant.utcoffset()
    assert item.to_dict()["created_at"] == instant.isoformat()


def test_days_are_dates() -> None:
    """And a point in time where the API sends that instead."""
    story = {"id": "1", "start_date": "2026-01-05", "due_date": "2026-01-05T10:20:30Z"}
    item = only(envelope([("stories", "1")], stories=[story]))
    assert type(item.start_date) is date
    assert item.start_date == date(2026, 1, 5)
    assert item.due_date == datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)
    assert item.to_dict() == story | {"due_date": "2026-01-05T10:20:30+00:00"}


DEEP: Final[Any] = json.loads('{"a": ' * 900 + "1" + "}" * 900)

MALFORMED: Final[list[tuple[str, str, Any]]] = [
    (collection, name, value)
    for collection, name, values in [
        (
            "participations",
            "created_at",
            [
                "",
                "soon",
                "0000-00-00T00:00:00Z",
                "2026-13-01T00:00:00Z",
                "2026-01-05",
                1767600000,
                1.5,
                True,
                [],
                {},
                DEEP,
            ],
        ),
        ("time_entries", "date_performed", ["", "soon", "2026-02-30", 20260105, False, ["2026-01-05"], DEEP]),
        ("expenses", "receipt_id", [10**5000, 1.5, True, ["5"]]),
        ("participations", "user_id", [1.5, True, [], ["9"], {"id": "9"}, 10**5000, DEEP]),
        ("stories", "assignee_ids", ["9", 9, {"9": {}}, [None], ["9", None], [["9"]], [True], [DEEP], 10**5000]),
        ("posts", "subject_ref", ["9", 9, [], {}, {"key": "users"}, {"id": "9"}, {"key": 1, "id": "9"}, [DEEP]]),
        (
            "posts",
            "subject_ref",
            [{"key": "users", "id": None}, {"key": "users", "id": True}, {"key": None, "id": "9"}],
        ),
    ]
    for value in values
]


@pytest.mark.parametrize(
    ("collection", "name", "value"),
    MALFORMED,
    ids=[f"{name}-{number}" for number, (_, name, _) in enumerate(MALFORMED)],
)
def test_a_malformed_value_is_kept_as_it_came_with_a_note(collection: str, name: str, value: Any) -> None:
    """One bad value does not lose the page."""
    page = normalize(envelope([(collection, 1), (collection, 2)], **{collection: [{"id": 1, name: value}, {"id": 2}]}))
    item = page.items[0]
    assert getattr(item, name) is value
    (note,) = page.graph.notes
    assert (note.collection, note.id, note.attribute) == (collection, "1", name)
    assert note.value is value
    assert 0 < len(note.reason) < 200
    assert ids(page) == ["1", "2"]


@pytest.mark.parametrize(
    ("collection", "name", "value"),
    [
        ("participations", "user", [1.5]),
        ("participations", "user", {"id": "9"}),
        ("stories", "assignees", [None]),
        ("stories", "assignees", [["9"]]),
        ("stories", "assignees", {"9": {}}),
        ("posts", "subject", "9"),
        ("posts", "subject", {"key": "users"}),
        ("posts", "subject", [{"key": "users", "id": "9"}]),
    ],
)
def test_a_malformed_reference_names_nothing(collection: str, name: str, value: Any) -> None:
    """The association is empty, and the note says why."""
    association = entity_class(collection).associations[name]  # type: ignore[union-attr]
    page = normalize(envelope([(collection, 1)], **{collection: [{"id": 1, association.ref: value}]}, users=[ADA]))
    assert getattr(page.items[0], name) == (() if name == "assignees" else None)
    assert len(page.graph.notes) == 1
    assert page.graph.unresolved == []


def test_a_note_names_the_object_also_when_that_does_not_say_its_id() -> None:
    """The key under which it came is its id."""
    payload = {"results": [{"key": "participations", "id": "7"}], "participations": {"7": {"created_at": "soon"}}}
    page = normalize(payload)
    assert [note.id for note in page.graph.notes] == ["7"]
    assert page.items[0].to_dict() == {"id": "7", "created_at": "soon"}


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), ("yes", "'yes'"), (None, "None"), ([1], "[1]"), ({"a": 1}, "{'a': 1}")]
)
def test_what_needs_no_reading_is_kept_as_it_comes(value: Any, text: str) -> None:
    """A new type of value, or a new word of an enumeration, does not break reading."""
    item = only(envelope([("participations", "1")], participations=[{"id": "1", "can_edit": value, "role": value}]))
    assert repr(item.can_edit) == repr(item.role) == text


@pytest.mark.parametrize(
    ("collection", "name", "value"),
    [
        ("participations", "role", ["a"]),
        ("custom_field_values", "value", ["a"]),
        ("stories", "assignee_ids", ["9"]),
        ("participations", "created_at", {"a": [1]}),
        ("participations", "brand_new", {"a": [1]}),
    ],
)
def test_nobody_changes_an_entity_through_its_plain_data(collection: str, name: str, value: Any) -> None:
    """`to_dict` copies what is mutable, also where a text was expected."""
    item = only(envelope([(collection, "1")], **{collection: [{"id": "1", name: value}]}))
    before = json.dumps(item.to_dict())
    got = item.to_dict()[name]
    got.clear()
    assert json.dumps(item.to_dict()) == before


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
        '{"results": [], "x": ' + "[" * 2000 + "]" * 2000 + "}",
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


# --- entities as Python objects --------------------------------------------------------------------------------------


@pytest.fixture(name="ada")
def the_entity() -> User:
    """A user with a role and an unknown attribute, in a graph."""
    raw = ADA | {"role_id": "5", "last_site_activity": "2026-01-05T10:20:30Z", "skill_ids": ["1"], "shoe": [38]}
    item = only(envelope([("users", "9")], users=[raw], roles=[LEAD]))
    assert isinstance(item, User)
    return item


def test_an_entity_is_frozen_and_slotted(ada: User) -> None:
    """Nothing is assigned, deleted or added."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        ada.full_name = "x"  # type: ignore[misc]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del ada.full_name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        ada.brand_new = "x"  # type: ignore[attr-defined]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        ada.role = None  # type: ignore[misc,assignment]
    assert not hasattr(ada, "__dict__")
    assert attrs.has(type(ada))


def test_an_entity_is_not_made_by_hand() -> None:
    """It comes from an answer or from plain data."""
    with pytest.raises(UsageError, match=r"User\.from_dict"):
        User()


def test_entities_are_equal_when_they_are_the_same_object_of_the_api(ada: User) -> None:
    """By collection and id, whatever each carries."""
    same = User.from_dict({"id": 9})
    assert ada == same
    assert hash(ada) == hash(same)
    assert len({ada, same, User.from_dict({"id": 10})}) == 2
    assert ada != User.from_dict({"id": 10})
    assert ada != Role.from_dict({"id": "9"})
    assert ada != "9"
    assert ada != {"id": "9"}


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"id": "9"}, "<User 9>"),
        ({"id": "9", "full_name": "Ada"}, "<User 9 'Ada'>"),
        ({"id": "9", "full_name": None}, "<User 9>"),
        ({"id": "9", "full_name": 7}, "<User 9>"),
        ({"id": "9", "full_name": "x" * 500}, f"<User 9 '{'x' * 39}…'>"),
        ({"id": "9", "full_name": "a\nb"}, r"<User 9 'a\nb'>"),
    ],
)
def test_a_repr_is_short(data: Json, shown: str) -> None:
    """Class, id and what the object is called."""
    assert repr(User.from_dict(data)) == shown


def pickled(one: Any) -> Any:
    """The entity after a trip through pickle."""
    return pickle.loads(pickle.dumps(one))


@pytest.mark.parametrize("carried", [pickled, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_an_entity_can_be_carried_elsewhere(ada: User, carried: Callable[[Any], Any]) -> None:
    """With what it holds and what it is linked to; what was not sent is still not there."""
    other = carried(ada)
    assert type(other) is User
    assert other == ada
    assert other.to_dict() == ada.to_dict()
    assert other.last_site_activity == ada.last_site_activity
    assert other.skill_ids == ("1",)
    assert other.extra == {"shoe": [38]}
    assert other.role.to_dict() == LEAD
    with pytest.raises(NotLoadedError, match=r"User\.skills was not sent"):
        _ = other.skills


@pytest.mark.parametrize("carried", [pickled, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_an_unknown_entity_can_be_carried_elsewhere(carried: Callable[[Any], Any]) -> None:
    """It stays an object of its collection."""
    one = only(envelope([("gadgets", "1")], gadgets=[{"id": "1", "x": [1]}]))
    other = carried(one)
    assert type(other) is UnknownEntity
    assert other == one
    assert hash(other) == hash(one)
    assert (other.collection, other.to_dict(), repr(other)) == ("gadgets", one.to_dict(), repr(one))
    assert other != UnknownEntity.from_dict({"id": "1"}, "gizmos")


def test_plain_data_makes_an_entity_and_comes_back() -> None:
    """`from_dict` reads as an answer is read, `to_dict` writes what JSON carries."""
    data = {"id": 9, "full_name": "Ada", "last_site_activity": "2026-01-05T10:20:30Z", "role_id": 5, "shoe": 38}
    one = User.from_dict(data)
    assert one.last_site_activity == datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)
    assert one.to_dict() == data | {"id": "9", "role_id": "5", "last_site_activity": "2026-01-05T10:20:30+00:00"}
    assert User.from_dict(one.to_dict()).to_dict() == one.to_dict()
    assert next(iter(one.to_dict())) == "id"
    entry = TimeEntry.from_dict({"id": "1", "date_performed": "2026-01-05"})
    assert entry.date_performed == date(2026, 1, 5)


@pytest.mark.parametrize(
    "data", [{}, {"id": None}, {"id": True}, {"id": 1.0}, {"id": []}, {"id": 10**5000}, [], None, "x"]
)
@pytest.mark.parametrize("kind", [User, Attachment, UnknownEntity])
def test_plain_data_without_an_id_is_refused(kind: type[Entity], data: Any) -> None:
    """There is no entity without one."""
    with pytest.raises(InvalidResponseError, match=f"{kind.__name__}: an object with an id was expected"):
        kind.from_dict(data)


def test_a_class_tells_its_attributes_and_associations() -> None:
    """So that a program can look at what there is."""
    assert Story.associations["parent"].ref == "parent_id"
    assert Post.associations["subject"].key is None
    assert set(Participation.associations) >= {"user", "workspace", "workspace_role"}
    assert Participation.attributes["access_level"].optional
