"""Batches: objects as columns of one schema for ever, whatever form they came in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantata_async import KantataSession, UsageError, path
from kantata_async.api import ENTITIES, entity_class, entity_named
from kantata_async.sandbox import Sandbox
from kantata_async.tables import EXTRA, Batch, ColumnKind, joined, read_batch, read_batches, reader_for, table_of

TIME_ENTRIES = table_of("time_entries", entity_class("time_entries"))


pytestmark = pytest.mark.company(people=450, projects=10)


def batch_of(*objects: Mapping[str, Any], collection: str = "time_entries") -> Batch:
    """Objects as they come in an answer, read as a batch; what reads it has seen such answers before."""
    ids = [one["id"] for one in objects]
    envelope: dict[str, Any] = {
        "count": len(ids),
        "results": [{"key": collection, "id": id} for id in ids],
        collection: {one["id"]: dict(one) for one in objects},
    }
    reader = reader_for(entity_class)
    return read_batch(
        table_of(collection, entity_class(collection)), reader.open(reader.decode(json.dumps(envelope))), ids
    )


def row(**attributes: Any) -> dict[str, Any]:
    """The row of one time entry, without what is null."""
    (made,) = batch_of({"id": "1", **attributes}).rows.to_pylist()
    return {name: value for name, value in made.items() if value is not None and name != "id"}


# --- the schema ------------------------------------------------------------------------------------------------------


def test_types_come_from_the_catalogue() -> None:
    """Ids are text, instants UTC, dates dates, cents whole numbers, lists of ids lists, nested objects JSON."""
    types = {field.name: str(field.type) for field in TIME_ENTRIES.schema}
    assert types["id"] == types["user_id"] == types["notes"] == "string"
    assert types["created_at"] == "timestamp[us, tz=UTC]"
    assert types["date_performed"] == "date32[day]"
    assert types["rate_in_cents"] == "int64"
    assert types["billable"] == "bool"
    assert types["external_reference_ids"] == "list<item: string>"
    assert types["_extra"] == "string"
    workspaces = table_of("workspaces", entity_class("workspaces")).kinds
    assert workspaces["status"] is ColumnKind.JSON
    assert table_of("custom_field_values", entity_class("custom_field_values")).kinds["value"] is ColumnKind.JSON
    assert table_of("posts", entity_class("posts")).kinds["subject_ref"] is ColumnKind.JSON


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_every_collection_has_a_schema(name: str) -> None:
    """Its id comes first, `_extra` last, the others by name, and it is the same one each time."""
    cls = entity_named(name)
    names = table_of(cls.collection, cls).schema.names
    assert (names[0], names[-1]) == ("id", EXTRA)
    assert names[1:-1] == sorted(names[1:-1])
    assert table_of(cls.collection, cls) is table_of(cls.collection, cls)


# --- the values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"user_id": 7}, {"user_id": "7"}),
        ({"rate_in_cents": 12_500}, {"rate_in_cents": 12_500}),
        ({"rate_in_cents": 12.0}, {"rate_in_cents": 12}),
        ({"rate_in_cents": 12.5}, {EXTRA: '{"rate_in_cents":12.5}'}),
        ({"rate_in_cents": True}, {EXTRA: '{"rate_in_cents":true}'}),
        ({"rate_in_cents": "12"}, {EXTRA: '{"rate_in_cents":"12"}'}),
        ({"rate_in_cents": 2**63 - 1}, {"rate_in_cents": 2**63 - 1}),
        ({"billable": False}, {"billable": False}),
        ({"billable": 1}, {EXTRA: '{"billable":1}'}),
        ({"billable": "yes"}, {EXTRA: '{"billable":"yes"}'}),
        ({"date_performed": "2026-02-03"}, {"date_performed": date(2026, 2, 3)}),
        ({"date_performed": "2026-02-03T01:02:03Z"}, {EXTRA: '{"date_performed":"2026-02-03T01:02:03Z"}'}),
        ({"date_performed": "soon"}, {EXTRA: '{"date_performed":"soon"}'}),
        ({"created_at": "2020-02-10T19:12:32-08:00"}, {"created_at": datetime(2020, 2, 11, 3, 12, 32, tzinfo=UTC)}),
        ({"created_at": "2020-02-10t19:12:32z"}, {"created_at": datetime(2020, 2, 10, 19, 12, 32, tzinfo=UTC)}),
        ({"created_at": "2020-02-10T19:12:32"}, {"created_at": datetime(2020, 2, 10, 19, 12, 32, tzinfo=UTC)}),
        ({"created_at": "2020-02-10"}, {EXTRA: '{"created_at":"2020-02-10"}'}),
        ({"created_at": 5}, {EXTRA: '{"created_at":5}'}),
        ({"external_reference_ids": ["1", 2]}, {"external_reference_ids": ["1", "2"]}),
        ({"external_reference_ids": []}, {"external_reference_ids": []}),
        ({"external_reference_ids": "1,2"}, {EXTRA: '{"external_reference_ids":"1,2"}'}),
        ({"strange": {"deep": [1, None]}, "odd": 1}, {EXTRA: '{"odd":1,"strange":{"deep":[1,null]}}'}),
        ({"strange": None}, {EXTRA: '{"strange":null}'}),
        ({"notes": "\ud83d\ude00 \x00 '"}, {"notes": "\U0001f600 \x00 '"}),
        ({"notes": None, "user_id": None}, {}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_values_keep_what_they_are(sent: dict[str, Any], stored: dict[str, Any]) -> None:
    """What a column holds is in it; what it does not is in `_extra`, as it came; the third time as the first."""
    for _ in range(3):
        assert row(**sent) == stored


def test_nested_objects_are_json() -> None:
    """An object inside an object is its JSON text, and null is null."""
    batch = batch_of(
        {"id": "1", "status": {"key": 305, "message": "In Progress"}},
        {"id": "2", "status": None},
        collection="workspaces",
    )
    assert batch.rows.column("status").to_pylist() == ['{"key":305,"message":"In Progress"}', None]


TEXT = st.text("a1'\"\\\0-:TZ \u00e9\U0001f600", max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(
    st.lists(
        st.dictionaries(st.sampled_from([*TIME_ENTRIES.schema.names[1:-1], "unknown", "another"]), JSON, max_size=6),
        min_size=1,
        max_size=5,
    )
)
def test_nothing_that_came_is_lost(objects: list[dict[str, Any]]) -> None:
    """Whatever JSON comes: the batch has the schema, and each value is in its column or in `_extra`."""
    batch = batch_of(*({**one, "id": str(number)} for number, one in enumerate(objects)))
    assert batch.rows.schema.equals(TIME_ENTRIES.schema)
    for one, made in zip(objects, batch.rows.to_pylist(), strict=True):
        beside = json.loads(made[EXTRA] or "{}")
        for name, value in one.items():
            if name in beside:
                assert beside[name] == value
            elif value is not None:
                assert made[name] is not None, (name, value)


# --- answers ---------------------------------------------------------------------------------------------------------


def test_objects_that_came_with_different_attributes_are_kept_apart() -> None:
    """Each batch holds those that came with the same ones, so that a missing one is not taken for null."""
    objects = [{"id": "1", "notes": "a"}, {"id": "2"}, {"id": "3", "notes": None}]
    reader = reader_for(entity_class)
    envelope = {
        "results": [{"key": "time_entries", "id": one["id"]} for one in objects],
        "time_entries": {one["id"]: one for one in objects},
    }
    batches = read_batches(TIME_ENTRIES, reader.open(envelope), ["1", "2", "3"])
    found = {tuple(batch.rows.column("id").to_pylist()): "notes" in batch.sent for batch in batches}
    assert found == {("1", "3"): True, ("2",): False}


def test_objects_of_several_classes_are_one_batch() -> None:
    """Receipts among other attachments: all have the columns of the collection, in the order asked for."""
    attachments = [{"id": str(number), "filename": f"{number}.pdf", "odd": number} for number in range(6)]
    del attachments[4]["odd"]
    expenses = {"1": {"id": "1", "receipt_id": "3"}, "2": {"id": "2", "receipt_id": "4"}}
    envelope = {
        "results": [{"key": "expenses", "id": id} for id in expenses],
        "expenses": expenses,
        "attachments": {str(one["id"]): one for one in attachments},
    }
    opened = reader_for(entity_class).open(envelope)
    assert len(opened.collections["attachments"]) > 1
    batch = read_batch(table_of("attachments", entity_class("attachments")), opened, ["5", "4", "0", "3", "0"])
    rows = batch.rows.select(["id", "filename", EXTRA]).to_pylist()
    assert [(row["id"], row["filename"], row[EXTRA]) for row in rows] == [
        ("5", "5.pdf", '{"odd":5}'),
        ("4", "4.pdf", None),
        ("0", "0.pdf", '{"odd":0}'),
        ("3", "3.pdf", '{"odd":3}'),
        ("0", "0.pdf", '{"odd":0}'),
    ]


def test_what_no_layout_holds_is_extra() -> None:
    """Attributes in numbers beyond what is learnt, and names that no decoder takes, are in `_extra` like others."""
    odd = {f"unknown_{number}": number for number in range(700)} | {'a "name"': 1}
    batch = batch_of({"id": "1", **odd}, {"id": "2"})
    first, second = batch.rows.column(EXTRA).to_pylist()
    assert (json.loads(first), second) == (odd, None)


def test_joined_batches_have_each_object_as_it_came_last() -> None:
    """An object that moved from page to page comes twice; the later one holds."""
    batches = [batch_of({"id": "1", "notes": "old"}, {"id": "2", "notes": "x"}), batch_of({"id": "1", "notes": "new"})]
    rows = joined(batches).rows.select(["id", "notes"]).to_pylist()
    assert rows == [{"id": "2", "notes": "x"}, {"id": "1", "notes": "new"}]


# --- lists -----------------------------------------------------------------------------------------------------------


async def test_batches_of_a_list(kantata: KantataSession) -> None:
    """Every match once, in order, in batches of so many rows, with what the entities say."""
    users = await kantata.users.list(include=["account_membership"])
    batches = [batch async for batch in kantata.users.list(include=["account_membership"]).batches(rows=70)]
    assert {batch.num_rows for batch in batches[:-1]} == {70}
    assert all(batch.schema.equals(batches[0].schema) for batch in batches)
    table = pa.Table.from_batches(batches)
    assert table.column("id").to_pylist() == [one.id for one in users]
    assert table.column("full_name").to_pylist() == [one.full_name for one in users]
    assert table.column("account_membership_id").to_pylist() == [one.account_membership_id for one in users]


@pytest.mark.parametrize("limit", [1, 70, 201])
async def test_a_limit_bounds_batches(kantata_sandbox: Sandbox, kantata: KantataSession, limit: int) -> None:
    """So many matches come, in as few requests as hold them."""
    before = kantata_sandbox.count()
    batches = [batch async for batch in kantata.users.list().limit(limit).batches(rows=50)]
    assert sum(batch.num_rows for batch in batches) == limit
    assert kantata_sandbox.count() - before == -(-limit // 200)


async def test_batches_stream(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """The first batch comes before the last page is asked for, and leaving ends the reading."""
    stream = kantata.users.list(per_page=5).batches(rows=5)
    assert (await anext(stream)).num_rows == 5
    await stream.aclose()
    assert kantata_sandbox.count() < 40


async def test_an_empty_list_has_no_batches(kantata: KantataSession) -> None:
    """Nothing matches, and nothing comes."""
    assert [batch async for batch in kantata.users.list(by_full_name="Nobody at all").batches()] == []


@pytest.mark.parametrize("rows", [0, -1, True])
async def test_rows_are_a_positive_number(kantata: KantataSession, rows: int) -> None:
    """Batches of nothing are refused."""
    with pytest.raises(UsageError, match="rows"):
        await anext(kantata.users.list().batches(rows=rows))


async def test_batches_go_no_deeper(kantata: KantataSession) -> None:
    """What follow-up requests would bring has no place in a batch, and is refused instead of left out."""
    query = kantata.participations.list(workspace_id=1, include=[path("user.account_membership")])
    with pytest.raises(UsageError, match="deeper"):
        await anext(query.batches())
