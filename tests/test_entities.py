"""A single entity: the values that it holds, as they came and as they are read, and its manners as an object."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

import attrs
import pytest
from envelopes import ADA, DEEP, LEAD, Json, envelope, only

from kantata_async import Entity, InvalidResponseError, NotLoadedError, Ref, UsageError, normalize
from kantata_async.api import entity_class
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
)

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
    assert [one.id for one in page.items] == ["1", "2"]


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
