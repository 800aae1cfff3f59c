"""Custom fields by name: values read and set as Python values, checked before anything is sent, and never twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import short_sleep
from wire import Server, json_answer

from kantata_async import (
    BulkError,
    ErrorDetail,
    InvalidResponseError,
    KantataSession,
    Money,
    RequestEvent,
    UsageError,
    bulk_result,
    fields_result,
)
from kantata_async.custom_fields.definitions import DefinedFields, FieldDefinition, define
from kantata_async.custom_fields.values import identity_of_value, read_value, wire_value
from kantata_async.normalizer import normalize
from kantata_async.sandbox import Fault, Sandbox

pytestmark = pytest.mark.company(people=24, projects=8)

STEPS = {"attempt_started", "attempt_finished"}
MISSING = object()
CHOICES = {"11": "EMEA", "12": "APAC", "13": "APAC"}


def listed(key: str, *objects: dict[str, Any]) -> bytes:
    """An answer with these objects, and no more."""
    results = [{"key": key, "id": one["id"]} for one in objects]
    return json_answer({"count": len(objects), "results": results, key: {one["id"]: one for one in objects}})


def field(kind: str, choices: dict[str, str] | None = None) -> FieldDefinition:
    return FieldDefinition("7", "Field", "Field", kind, choices or {})


# --- money ---


@pytest.mark.parametrize(
    ("amount", "currency", "cents", "shown"),
    [
        ("1250.50", "EUR", 125_050, "1,250.50 EUR"),
        (Decimal("-0.01"), "USD", -1, "-0.01 USD"),
        (5000, "JPY", 5000, "5,000 JPY"),
        ("1.234", "KWD", 1234, "1.234 KWD"),
    ],
)
def test_money_of_an_amount_is_its_smallest_units(amount: Any, currency: str, cents: int, shown: str) -> None:
    """Currencies have two digits behind the point, or none, or three."""
    money = Money.of(amount, currency)
    assert (money, money.amount, str(money)) == (Money(cents, currency), Decimal(str(amount)), shown)


@pytest.mark.parametrize("amount", ["", "x", "1.005", 1.5, None, "NaN", "Infinity", [1]])
def test_what_is_no_amount_is_refused(amount: Any) -> None:
    """Floats are, too: 0.1 is no number of cents."""
    with pytest.raises(UsageError, match="an amount of EUR"):
        Money.of(amount, "EUR")


@pytest.mark.parametrize(("cents", "currency"), [(1.5, "EUR"), (True, "EUR"), (2**63, "EUR"), (1, "eur"), (1, None)])
def test_money_has_whole_cents_and_a_code(cents: Any, currency: Any) -> None:
    """Neither is mended."""
    with pytest.raises(UsageError, match="of money"):
        Money(cents, currency)


# --- values ---


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.dates(), st.text(min_size=1), st.sampled_from(["EUR", "JPY"]))
def test_a_value_that_is_set_reads_as_it_was(number: int, day: date, text: str, currency: str) -> None:
    """On the wire and back, for every kind."""
    money = Money(number, currency)
    for kind, value in (("number", number), ("date", day), ("currency", money), ("string", f"a{text.strip()}")):
        if kind != "string" or value.isprintable():  # type: ignore[union-attr]
            assert read_value(kind, wire_value(field(kind), value), {}) == value
    assert read_value("single", wire_value(field("single", CHOICES), "EMEA"), CHOICES) == "EMEA"
    assert wire_value(field("multi", CHOICES), ["EMEA", "EMEA"]) == [11]


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        ("string", 7, "takes text"),
        ("string", "  ", "None clears it"),
        ("number", "7", "takes a whole number"),
        ("number", 7.5, "takes a whole number"),
        ("number", True, "takes a whole number"),
        ("date", "1.2.2026", "takes a date"),
        ("date", datetime(2026, 1, 1, 8, 30), "takes a date"),
        ("currency", 12.5, "takes money such as"),
        ("currency", (12.5, "EUR"), "cents of money are a whole number"),
        ("currency", "12 EUR", "takes money such as"),
        ("single", ["EMEA"], "takes the label of one"),
        ("single", "emea", "no choice 'emea'; there are EMEA, APAC"),
        ("single", "APAC", "has 2 choices 'APAC'"),
        ("multi", "EMEA", "takes a list of labels"),
        ("multi", ["EMEA", "Mars"], "no choice 'Mars'"),
        ("multi", [None], "no choice None"),
        ("formula", "x", "of the kind formula"),
    ],
)
def test_what_a_field_does_not_take_is_refused(kind: str, value: Any, complaint: str) -> None:
    """The message names the field, and what it takes."""
    with pytest.raises(UsageError, match=f"^Field .*{complaint}|^Field: {complaint}"):
        wire_value(field(kind, CHOICES), value)


def test_of_many_choices_the_nearest_is_offered() -> None:
    """A list of them all would hide it."""
    with pytest.raises(UsageError, match="no choice 'Lin 7'; did you mean 'Line 7'"):
        wire_value(field("single", {str(number): f"Line {number}" for number in range(50)}), "Lin 7")


@pytest.mark.parametrize(
    ("kind", "sent", "value"),
    [
        ("string", "", None),
        ("multi", [], None),
        ("number", "7", 7),
        ("number", 12.5, 12.5),
        ("number", "many", "many"),
        ("date", "soon", "soon"),
        ("currency", ["5", "USD"], Money(5, "USD")),
        ("currency", 5, 5),
        ("single", [99], [99]),
        ("multi", ["11", 12], ["EMEA", "APAC"]),
        ("formula", {"a": 1}, {"a": 1}),
    ],
)
def test_what_is_not_as_its_kind_stays_as_it_came(kind: str, sent: Any, value: Any) -> None:
    """Nothing that the API sends makes reading fail."""
    assert read_value(kind, sent, CHOICES) == value


def test_the_same_value_is_known_however_it_is_spelt() -> None:
    """Choices have no order, ids are numbers or text, and servers strip texts."""
    assert identity_of_value("multi", [1, "2"]) == identity_of_value("multi", ["2", "1"])
    assert identity_of_value("string", "a ") == identity_of_value("string", "a")
    assert identity_of_value("string", "a") != identity_of_value("string", "A")
    assert identity_of_value("number", "3") == identity_of_value("number", 3)
    assert identity_of_value("currency", [1, "EUR"]) != identity_of_value("currency", [1, "USD"])


# --- names ---


def defined(*fields: tuple[str, str, str]) -> DefinedFields:
    """The fields of projects, each an id, a title and the name of its set."""
    payload = {
        "count": len(fields),
        "results": [{"key": "custom_fields", "id": id} for id, _, _ in fields],
        "custom_fields": {
            id: {"id": id, "name": title, "value_type": "string", "custom_field_set_id": held}
            for id, title, held in fields
        },
        "custom_field_sets": {held: {"id": held, "name": held} for _, _, held in fields},
    }
    return define("Workspace", normalize(payload).items)


def test_fields_of_one_title_are_told_apart_by_their_sets_and_then_by_their_ids() -> None:
    """Every field has its own name; a title that two have is refused, and their names said."""
    fields = defined(
        ("1", "Region", "Sales"), ("2", "Region", "Delivery"), ("3", "Risk", "Sales"), ("4", "Risk", "Sales")
    )
    assert [one.name for one in fields.fields] == ["Region (Sales)", "Region (Delivery)", "Risk (#3)", "Risk (#4)"]
    assert fields.named("Region (Sales)").id == "1"
    with pytest.raises(UsageError, match=r"2 fields 'Region': say 'Region \(Sales\)' or 'Region \(Delivery\)'"):
        fields.named("Region")


def test_a_title_that_looks_like_a_name_made_of_two_is_told_apart_as_well() -> None:
    """No field hides behind the name made for another."""
    fields = defined(("1", "Region", "Sales"), ("2", "Region", "Delivery"), ("3", "Region (Sales)", "Other"))
    assert len(fields.by_name) == 3


@pytest.mark.parametrize("odd", [None, 5, {"a": 1}, ["x"], True])
def test_fields_that_do_not_say_what_they_are_have_their_ids(odd: Any) -> None:
    """Nothing that the API withholds, or sends as something else, makes reading the fields fail."""
    payload = {
        "count": 2,
        "results": [{"key": "custom_fields", "id": "1"}, {"key": "custom_fields", "id": "2"}],
        "custom_fields": {
            "1": {"id": "1", "name": odd, "value_type": odd, "custom_field_set_id": "9", "choice_ids": ["3"]},
            "2": {"id": "2", "value_type": "single", "choice_ids": ["3", "4"]},
        },
        "custom_field_sets": {"9": {"id": "9", "name": odd}},
        "choices": {"3": {"id": "3", "label": odd, "position": odd}, "4": {"id": "4", "label": "EMEA"}},
    }
    fields = define("Workspace", normalize(payload, include=["choices", "custom_field_set"]).items)
    assert [(one.name, one.kind) for one in fields.fields] == [("#1", "string"), ("#2", "single")]
    with pytest.raises(UsageError, match="no custom field"):
        fields.named(odd)


def test_a_field_that_is_not_there_is_refused_with_the_nearest() -> None:
    """So is any field of a kind of object that has none."""
    with pytest.raises(UsageError, match="Workspace has no custom field 'region'; did you mean 'Region'"):
        defined(("1", "Region", "Sales")).named("region")
    with pytest.raises(UsageError, match="has no custom fields that you may see"):
        DefinedFields("User", ()).named("Region")


# --- on a company ---


async def values_in(kantata: KantataSession, subject_type: Any, *ids: int) -> dict[int, dict[str, Any]]:
    return await kantata.custom_fields.of(subject_type, list(ids))


async def test_every_field_of_an_object_has_a_value_or_none(kantata: KantataSession) -> None:
    """Objects of any kinds at once, given as entities, as they are made, or by ids; keys are what was given."""
    projects = await kantata.workspaces.list()
    people = await kantata.users.list().limit(2)
    values = await kantata.custom_fields.of([*projects, *people, projects[0]])
    assert list(values) == [*projects, *people]
    assert list(values[projects[0]]) == [
        "Budget code", "Contract value", "Go-live", "Health score", "Region", "Services",
    ]  # fmt: skip
    assert list(values[people[0]]) == ["Employee number", "Hired on", "Languages", "T-shirt size", "Training budget"]
    kinds = {type(value) for held in values.values() for value in held.values()}
    assert kinds == {str, int, date, list, Money, type(None)}
    streamed = await kantata.custom_fields.of(kantata.workspaces.list())
    assert streamed == {project: values[project] for project in projects}
    by_id = await kantata.custom_fields.of("Workspace", [int(one.id) for one in projects])
    assert by_id == {int(one.id): values[one] for one in projects}


async def test_objects_of_every_kind_hold_values(kantata: KantataSession) -> None:
    """By their collections, and by the names that the API has for their kinds."""
    for objects, name in (
        (await kantata.estimates.list(), "Win probability"),
        (await kantata.workspace_resources.list(), "Desk"),
        (await kantata.workspace_groups.list(), "Industry"),
        (await kantata.stories.list().limit(5), "Risk"),
    ):
        values = await kantata.custom_fields.of(objects)
        assert any(held[name] is not None for held in values.values())


async def test_what_can_have_no_fields_is_refused(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Before anything is sent."""
    roles = await kantata.roles.list().limit(1)
    sent = len(kantata_sandbox.requests)
    fields: Any = kantata.custom_fields
    for arguments, complaint in (
        ((roles,), "can have no custom fields"),
        (([7],), "entities are expected here, not 7"),
        ((roles[0],), "an iterable is expected"),
        (("Workspaces", [7]), "did you mean 'Workspace'"),
        (("Workspace", ["../7"]), "takes an id"),
    ):
        with pytest.raises(UsageError, match=complaint):
            await fields.of(*arguments)
    for arguments, complaint in (
        (([7],), "takes a mapping"),
        (("Workspace", {7: "EMEA"}), "Workspace 7: a mapping of values"),
        (("Workspace", {7: {}, "7": {}}), "an object is given twice"),
    ):
        with pytest.raises(UsageError, match=complaint):
            await fields.set(*arguments)
    assert len(kantata_sandbox.requests) == sent


async def test_values_are_created_changed_cleared_and_left_alone(
    kantata: KantataSession, kantata_sandbox: Sandbox
) -> None:
    """What differs is sent, in one request each for values and for deletions; then nothing is."""
    before = {
        "Region": "EMEA",
        "Go-live": None,
        "Contract value": Money(5, "EUR"),
        "Services": ["Build"],
        "Health score": 3,
    }
    await kantata.custom_fields.set("Workspace", {1: before, 2: before})
    after = {
        "Region": "APAC",
        "Go-live": date(2026, 9, 1),
        "Contract value": Money.of("1250.50", "EUR"),
        "Services": ["Training", "Design"],
        "Health score": None,
    }

    def writes() -> list[int]:
        return [kantata_sandbox.count(method, "/custom_field_values") for method in ("POST", "DELETE")]

    posts, deletes = writes()
    result = await kantata.custom_fields.set("Workspace", {1: after, "2": {"Region": "EMEA", "Go-live": None}})
    assert writes() == [posts + 1, deletes + 1]
    assert [(one.object, one.field, one.status) for one in result] == [
        (1, "Region", "changed"),
        (1, "Go-live", "created"),
        (1, "Contract value", "changed"),
        (1, "Services", "changed"),
        (1, "Health score", "cleared"),
        ("2", "Region", "unchanged"),
        ("2", "Go-live", "unchanged"),
    ]
    assert result[0].before == "EMEA"
    assert repr(result) == "<FieldsResult: 3 changed, 1 created, 1 cleared, 2 unchanged>"
    result.raise_for_errors()
    held = (await values_in(kantata, "Workspace", 1))[1]
    assert {name: sorted(value) if isinstance(value, list) else value for name, value in held.items()} == {
        **after,
        "Services": ["Design", "Training"],
        "Budget code": held["Budget code"],
    }
    changes = sum(request.method != "GET" for request in kantata_sandbox.requests)
    again = await kantata.custom_fields.set("Workspace", {1: {**after, "Services": ["Design", "Training"]}})
    assert len(again.unchanged) == 5
    assert sum(request.method != "GET" for request in kantata_sandbox.requests) == changes


async def test_every_mistake_is_told_at_once(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """One line a mistake, however many objects it is made for, and nothing is sent."""
    projects = await kantata.workspaces.list()
    wrong: dict[str, Any] = {"Regoin": "EMEA", "Region": "EMAE", "Go-live": 7, "Health score": 5}
    with pytest.raises(UsageError) as caught:
        await kantata.custom_fields.set(dict.fromkeys(projects, wrong))
    lines = str(caught.value).splitlines()
    assert lines[0] == "nothing was sent, as there are 3 mistakes:"
    assert f"no custom field 'Regoin'; did you mean 'Region'? ({projects[0]!r} and 7 more)" in lines[1]
    assert len(lines) == 4
    assert all(request.method == "GET" for request in kantata_sandbox.requests)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_is_looked_into(kantata: KantataSession, kantata_sandbox: Sandbox, when: Any) -> None:
    """What was carried out is not sent again; what was not, is. So it is with what is cleared."""
    await kantata.custom_fields.set("Workspace", {1: {"Region": "EMEA"}, 2: {"Region": "EMEA", "Health score": 7}})
    kantata_sandbox.faults.add(
        Fault("disconnect", when=when, method="POST"), Fault("reset", when=when, method="DELETE")
    )
    posts, deletes = (kantata_sandbox.count(method, "/custom_field_values") for method in ("POST", "DELETE"))
    result = await kantata.custom_fields.set(
        "Workspace", {1: {"Region": "APAC"}, 2: {"Region": "APAC", "Health score": None}}
    )
    assert [one.status for one in result] == ["changed", "changed", "cleared"]
    held = await values_in(kantata, "Workspace", 1, 2)
    assert [(one["Region"], one["Health score"]) for one in held.values()][1] == ("APAC", None)
    times = 1 if when == "after" else 2
    assert kantata_sandbox.count("POST", "/custom_field_values") - posts == times
    assert kantata_sandbox.count("DELETE", "/custom_field_values") - deletes == times


async def test_a_value_that_is_refused_leaves_the_others(kantata: KantataSession) -> None:
    """Only the API knows that a number is taken: its refusal is of that one value."""
    people = await kantata.users.list().limit(6)
    taken = (await kantata.custom_fields.of(people[:1]))[people[0]]["Employee number"]
    wanted: dict[Any, dict[str, Any]] = {one: {"Employee number": f"N-{one.id}"} for one in people[1:]}
    wanted[people[3]] = {"Employee number": taken, "Hired on": date(2020, 1, 1)}
    result = await kantata.custom_fields.set(wanted)
    (refused,) = [one for one in result if not one.done]
    assert (refused.object, refused.status) == (people[3], "rejected")
    assert all(isinstance(error, ErrorDetail) for error in refused.errors)
    with pytest.raises(
        BulkError, match=r"Employee number of <User .* is rejected: value has already been taken"
    ) as caught:
        result.raise_for_errors()
    assert caught.value.result is result
    held = await kantata.custom_fields.of(people[1:])
    assert {one.id: held[one]["Employee number"] for one in people[1:] if one != people[3]} == {
        one.id: f"N-{one.id}" for one in people[1:] if one != people[3]
    }


async def test_a_field_that_may_not_be_written_leaves_the_others(
    kantata: KantataSession, kantata_sandbox: Sandbox
) -> None:
    """A batch that is forbidden as a whole goes again field by field."""
    kantata_sandbox.faults.add(Fault("status", status=403, method="POST", times=2))
    result = await kantata.custom_fields.set("Workspace", {1: {"Budget code": "n1", "Health score": 101}})
    assert sorted(one.status for one in result) in (["changed", "rejected"], ["created", "rejected"])


async def test_a_token_that_is_refused_ends_it_with_what_became_of_each(
    kantata: KantataSession, kantata_sandbox: Sandbox
) -> None:
    """What was as it should be is so, and what waited for its turn was not sent."""
    await kantata.custom_fields.set("Workspace", {1: {"Region": "EMEA", "Health score": 1}})
    kantata_sandbox.faults.add(Fault("status", status=401, method="POST", times=None))
    with pytest.raises(BulkError) as caught:
        await kantata.custom_fields.set(
            "Workspace", {1: {"Region": "EMEA", "Budget code": "new", "Health score": None}}
        )
    assert [one.status for one in caught.value.result] == ["unchanged", "not_sent", "not_sent"]


@pytest.mark.parametrize("lacking", ["subject_id", "custom_field_id"])
@pytest.mark.parametrize("odd", [None, ["1"], {}, MISSING])
async def test_a_value_that_does_not_say_whose_it_is_is_not_taken_for_none(lacking: str, odd: Any) -> None:
    """Otherwise a field that is to be cleared would be told as unchanged, with its value still there."""
    value = {"id": "5", "subject_type": "Workspace", "subject_id": 7, "custom_field_id": "1", "value": "EMEA"}
    shown = {name: odd if name == lacking else one for name, one in value.items()}
    answers = [
        listed("custom_fields", {"id": "1", "name": "Region", "value_type": "string"}),
        listed("custom_field_values", {name: one for name, one in shown.items() if one is not MISSING}),
    ]
    async with Server(answers) as server, KantataSession(token="x", base_url=server.url) as kantata:
        with pytest.raises(InvalidResponseError, match="does not show which field of which object"):
            await kantata.custom_fields.set("Workspace", {7: {"Region": None}})
    assert server.methods == ["GET", "GET"]


@pytest.mark.parametrize("until", range(1, 5))
async def test_whatever_interrupts_it_tells_of_each_value(kantata_sandbox: Sandbox, until: int) -> None:
    """The first write is what sets values, the second what clears them: each as it is sent, and as it is answered."""
    setting: asyncio.Future[Any] | None = None
    steps = 0

    def count(event: RequestEvent) -> None:
        nonlocal steps
        if setting is not None and event.method != "GET" and event.kind in STEPS:
            steps += 1
            if steps == until:
                setting.cancel()

    wishes = {2: {"Region": "APAC", "Budget code": None}, 3: {"Health score": 5, "Go-live": None}}
    before = {2: {"Region": "EMEA", "Budget code": "B"}, 3: {"Health score": 1, "Go-live": date(2026, 9, 1)}}
    async with KantataSession(token=kantata_sandbox.token, base_url=kantata_sandbox.url, on_event=count) as kantata:
        (await kantata.custom_fields.set("Workspace", before)).raise_for_errors()
        setting = asyncio.ensure_future(kantata.custom_fields.set("Workspace", wishes))
        with pytest.raises(asyncio.CancelledError) as caught:
            await setting
        values = await values_in(kantata, "Workspace", 2, 3)
    result = fields_result(caught.value)
    assert result is not None
    assert [(one.object, one.field) for one in result] == [(id, name) for id in wishes for name in wishes[id]]
    for one in result:
        is_so = values[one.object][one.field] == one.value
        assert one.status == "unknown" or one.done == is_so, one
    assert len(result.unknown) <= 2
    assert bulk_result(caught.value) is not None


async def test_cells_of_a_data_frame_are_taken_as_they_are(kantata: KantataSession) -> None:
    """An empty cell leaves its field as it is, a whole float is a number, and a Timestamp at midnight a day."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"Health score": [3.0, float("nan")], "Go-live": pandas.to_datetime(["2026-09-01", None])}, index=[1, 2]
    )
    rows: dict[Any, Any] = frame.to_dict(orient="index")
    before = await values_in(kantata, "Workspace", 2)
    result = await kantata.custom_fields.set("Workspace", rows)
    assert {one.object for one in result} == {1}
    held = await values_in(kantata, "Workspace", 1, 2)
    assert (held[1]["Health score"], held[1]["Go-live"]) == (3, date(2026, 9, 1))
    assert held[2] == before[2]


async def test_many_objects_are_asked_for_200_at_a_time(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """And written 100 values a request."""
    tasks = kantata_sandbox.store.count("stories")
    ids = list(range(1, tasks + 1))
    sent = kantata_sandbox.count("GET", "/custom_field_values")
    await kantata.custom_fields.of("Story", ids)
    assert kantata_sandbox.count("GET", "/custom_field_values") - sent <= -(-tasks // 200) * 4
    posts = kantata_sandbox.count("POST", "/custom_field_values")
    result = await kantata.custom_fields.set("Story", {id: {"Story points": 1000 + id} for id in ids})
    assert result.summary().count("changed") + result.summary().count("created") >= 1
    assert all(one.done for one in result)
    assert kantata_sandbox.count("POST", "/custom_field_values") - posts == -(-tasks // 100)


async def test_low_level_values_go_as_what_they_are(kantata: KantataSession) -> None:
    """`custom_field_values.create` sends numbers, money, dates and choices, not texts of them."""
    fields = {one.name: one for one in await kantata.custom_fields.list(subject_type="Workspace", include=["choices"])}
    for name, value in (("Health score", 9), ("Contract value", [5, "EUR"]), ("Go-live", date(2026, 5, 1))):
        made = await kantata.custom_field_values.create(
            subject_type="Workspace",
            subject_id=1,
            custom_field_id=fields[name].id,
            value=value,
            include=["custom_field"],
        )
        assert made.value == (value.isoformat() if isinstance(value, date) else value)
    project = await kantata.workspaces.update(
        1, custom_fields=[{"custom_field_id": fields["Region"].id, "value": [fields["Region"].choices[0].id]}]
    )
    assert (await kantata.custom_fields.of([project]))[project]["Region"] == fields["Region"].choices[0].label


@pytest.mark.session(sleep=short_sleep)
@pytest.mark.parametrize("seed", range(3))
async def test_what_is_reported_is_so_however_much_goes_wrong(
    kantata: KantataSession, kantata_sandbox: Sandbox, seed: int
) -> None:
    """Answers lost before and after, refusals of the server and of a proxy: what is done is done, and done once."""
    chance = random.Random(seed)
    ids = [str(one.id) for one in await kantata.stories.list().limit(150)]
    days = [None, date(2026, 1, 1), date(2026, 2, 2)]
    wanted = {
        id: {
            "Risk": chance.choice(["Low", "High", None]),
            "Story points": chance.randint(1, 3),
            "Review on": chance.choice(days),
        }
        for id in ids
    }
    for fault in (
        Fault("disconnect", when="after", probability=0.15, times=None),
        Fault("reset", when="before", probability=0.1, times=None),
        Fault("proxy", when="after", status=502, probability=0.1, times=None),
        Fault("status", status=503, probability=0.1, times=None),
        Fault("cut", when="after", probability=0.1, times=None),
    ):
        kantata_sandbox.faults.add(fault)
    result = await kantata.custom_fields.set("Story", wanted)
    kantata_sandbox.faults.clear()
    held = await kantata.custom_fields.of("Story", ids)
    assert all(held[one.object][one.field] == one.value for one in result if one.done)
    assert all(held[one.object][one.field] == one.before for one in result if one.status == "not_sent")
    values = Counter(
        (one["subject_ref"]["key"], one["subject_ref"]["id"], one["custom_field_id"])
        for one in kantata_sandbox.store.all("custom_field_values")
    )
    assert max(values.values()) == 1
    assert len([one for one in result if one.done]) > len(result) / 2


async def test_an_account_may_have_any_number_of_fields(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Where there are many, no request names them all: its address would be too long."""
    made = await kantata.custom_fields.create_many([{"name": f"Field {number}"} for number in range(60)])
    made.raise_for_errors()
    wanted = {f"Field {number}": f"value {number}" for number in range(60)}
    result = await kantata.custom_fields.set("Workspace", {1: wanted})
    assert len(result.created) == 60
    held = (await values_in(kantata, "Workspace", 1))[1]
    assert {name: held[name] for name in wanted} == wanted
    assert all("with_custom_field_id" not in request.query for request in kantata_sandbox.requests)
