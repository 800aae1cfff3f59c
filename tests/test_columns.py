"""Entities as columns: of one type each, by paths over associations, and taken by the libraries for tables."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any, Final

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from envelopes import Json, envelope
from hypothesis import given
from hypothesis import strategies as st

from kantata_async import KantataSession, NotLoadedError, UsageError, columns, normalize
from kantata_async.entities import CustomFieldValue, Story, TimeEntry, UnknownEntity, User

TEAM: Final = [
    {"id": "1", "user_id": "9", "role": "maven", "rate_in_cents": 12000, "created_at": "2026-01-05T10:20:30-08:00"},
    {"id": "2", "user_id": None, "role": "buyer", "rate_in_cents": None, "created_at": "2026-01-05T10:20:30+01:00"},
    {"id": "3", "user_id": "8", "role": "maven"},
]
PEOPLE: Final = [
    {"id": "9", "full_name": "Ada Lovelace", "manager_id": "8"},
    {"id": "8", "full_name": "Grace", "manager_id": None},
]


def team(**options: Any) -> Any:
    """Three participations and the users of two."""
    answer = envelope([("participations", id) for id in "123"], participations=TEAM, users=PEOPLE)
    return normalize(answer, **{"include": ["user"], **options}).items


def stories(*values: Json) -> list[Story]:
    """Stories that carry these values."""
    return [Story.from_dict({"id": str(number), **one}) for number, one in enumerate(values)]


def test_a_path_leads_over_associations() -> None:
    """To the attribute of whatever is linked; null and nobody are None."""
    assert columns(team(), "id", "user.full_name", "user.id") == {
        "id": ["1", "2", "3"],
        "user.full_name": ["Ada Lovelace", None, "Grace"],
        "user.id": ["9", None, "8"],
    }


def test_a_path_over_many_is_a_list() -> None:
    """Of what each of them has; null among them too."""
    answer = envelope(
        [("stories", "1"), ("stories", "2")],
        stories=[{"id": "1", "assignee_ids": ["9", "8"]}, {"id": "2", "assignee_ids": []}],
        users=PEOPLE,
    )
    items = normalize(answer, include=["assignees"]).items
    assert columns(items, "assignees.full_name", "assignee_ids") == {
        "assignees.full_name": [["Ada Lovelace", "Grace"], []],
        "assignee_ids": [["9", "8"], []],
    }


def test_without_paths_there_is_a_column_for_all_that_was_sent() -> None:
    """By any of the rows, unknown attributes too; what a row was not sent with is None."""
    people = [User.from_dict({"id": 1, "shoe.size": 38}), User.from_dict({"id": 2, "full_name": "Ada"})]
    assert columns(people) == {"full_name": [None, "Ada"], "id": ["1", "2"], "shoe.size": [38, None]}
    assert columns([]) == {}
    assert columns([], "user.full_name") == {"user.full_name": []}


def test_points_in_time_are_in_utc() -> None:
    """Whatever offset each came with: a column has one time zone."""
    assert columns(team(), "created_at")["created_at"] == [
        datetime(2026, 1, 5, 18, 20, 30, tzinfo=UTC),
        datetime(2026, 1, 5, 9, 20, 30, tzinfo=UTC),
        None,
    ]


@pytest.mark.parametrize(
    ("sent", "column"),
    [
        ([1, 2.5, None], [1.0, 2.5, None]),
        ([True, False], [True, False]),
        ([True, 1], ["true", "1"]),
        ([1, "one"], ["1", "one"]),
        ([10**30, 1], [str(10**30), "1"]),
        ([{"a": [1]}, None], ['{"a": [1]}', None]),
        ([["a"], [], None], [["a"], [], None]),
        ([["a", 1], []], [["a", "1"], []]),
        ([[["a"]]], ['[["a"]]']),
        ([None, None], [None, None]),
    ],
)
def test_a_column_is_of_one_type(sent: list[Any], column: list[Any]) -> None:
    """As the values allow, else text."""
    values = [CustomFieldValue.from_dict({"id": str(number), "value": one}) for number, one in enumerate(sent)]
    (got,) = columns(values, "value").values()
    assert [(type(one), one) for one in got] == [(type(one), one) for one in column]


def test_days_and_points_in_time_together_are_days() -> None:
    """The day where the server is; and what could not be read as either makes all of them text."""
    together = stories({"due_date": "2026-01-05"}, {"due_date": "2026-01-05T23:00:00-08:00"})
    assert columns(together, "due_date") == {"due_date": [date(2026, 1, 5)] * 2}
    odd = stories({"due_date": "2026-01-05"}, {"due_date": "soon"})
    assert columns(odd, "due_date") == {"due_date": ["2026-01-05", "soon"]}


def test_the_ends_of_time_are_text() -> None:
    """In UTC they would be before the first year."""
    odd = stories({"created_at": "0001-01-01T00:00:00+05:00"}, {"created_at": None})
    assert columns(odd, "created_at") == {"created_at": ["0001-01-01T00:00:00+05:00", None]}


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("user.ful_name", "these entities have no 'ful_name'; did you mean 'full_name'"),
        ("usr.full_name", "these entities have no 'usr'; did you mean 'user'"),
        ("user", "'user' leads to an object: name one of its attributes, such as 'user.id'"),
        ("role.title", "goes on after 'role', which is a value"),
        ("", "these entities have no ''"),
        ("user.", "these entities have no ''"),
    ],
)
def test_a_wrong_path_is_refused(path: str, says: str) -> None:
    """With the nearest name that there is."""
    with pytest.raises(UsageError, match=says):
        columns(team(), path)


def test_an_association_that_was_not_included_is_no_empty_column() -> None:
    """It says what to ask for, as reading it does."""
    answer = envelope([("participations", 1)], participations=[{"id": 1, "workspace_id": 3}])
    with pytest.raises(NotLoadedError, match=r"include=\['workspace'\]"):
        columns(normalize(answer).items, "workspace.title")


def test_an_included_object_that_the_answer_lacks_is_none() -> None:
    """As it reads."""
    answer = envelope([("participations", "1")], participations=TEAM[:1])
    assert columns(normalize(answer, include=["user"]).items, "user.full_name") == {"user.full_name": [None]}


def test_objects_of_unknown_collections_have_columns_too() -> None:
    """All they carry is unknown."""
    gadgets = [UnknownEntity.from_dict({"id": "1", "size": 3}, "gadgets")]
    assert columns(gadgets) == {"id": ["1"], "size": [3]}
    assert columns(gadgets, "size") == {"size": [3]}


def test_a_path_is_a_text() -> None:
    """Paths given as one list are a slip that is easily made."""
    with pytest.raises(UsageError, match="a column is named by a path"):
        columns(team(), ["id", "role"])  # type: ignore[arg-type]


def test_pandas_takes_columns_as_they_are() -> None:
    """Points in time as such, whole numbers and texts too."""
    frame = pd.DataFrame(columns(team(), "id", "created_at", "user.full_name"))
    assert frame.shape == (3, 3)
    assert str(frame["created_at"].dt.tz) == "UTC"
    assert frame["user.full_name"].isna().tolist() == [False, True, False]
    entries = [TimeEntry.from_dict({"id": "1", "time_in_minutes": 90, "billable": True})]
    frame = pd.DataFrame(columns(entries))
    assert frame.dtypes["time_in_minutes"] == "int64"
    assert frame.dtypes["billable"] == "bool"


def test_polars_and_arrow_take_columns_as_they_are() -> None:
    """A list of ids, a number and a point in time."""
    taken = columns(team(), "id", "rate_in_cents", "created_at", "user.full_name")
    table = pa.table(taken)
    assert [str(one) for one in table.schema.types] == ["string", "int64", "timestamp[us, tz=UTC]", "string"]
    frame = pl.DataFrame(taken)
    assert frame.schema["created_at"] == pl.Datetime("us", "UTC")
    assert frame.rows() == list(zip(*taken.values(), strict=True))


def test_entities_that_are_taken_for_rows_say_what_to_write() -> None:
    """Whether they are asked for their values or for their keys; polars asks for neither."""
    with pytest.raises(TypeError, match=r"not a row: columns\(entities\) gives the columns"):
        pd.DataFrame(team())
    with pytest.raises(AttributeError, match=r"not a row: columns\(entities\) gives the columns"):
        pa.Table.from_pylist(team())
    assert not hasattr(team()[0], "keys")


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
)


@given(st.lists(anything, max_size=6))
def test_whatever_comes_is_of_one_type(sent: list[Any]) -> None:
    """And nothing but null is None."""
    values = [CustomFieldValue.from_dict({"id": str(number), "value": one}) for number, one in enumerate(sent)]
    (got,) = columns(values, "value").values()
    assert [one is None for one in got] == [one is None for one in sent]
    there = [one for one in got if one is not None]
    assert len({type(one) for one in there}) <= 1
    if there and isinstance(there[0], list):
        assert len({type(part) for one in there for part in one if part is not None}) <= 1
    json.dumps(got)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ([{"id": "1"}], r"\{'id': '1'\}"),
        ([User.from_dict({"id": "1"}), None], "None"),
        (3, "3"),
        (KantataSession(token="x").users.list(), "<ListQuery /users"),
    ],
    ids=["dicts", "none", "number", "list that was not awaited"],
)
def test_what_is_no_entity_has_no_columns(given: Any, named: str) -> None:
    """The message says what to give."""
    with pytest.raises(UsageError, match=f"columns takes entities, such as those of an awaited list, .*, not {named}"):
        columns(given, "id")
