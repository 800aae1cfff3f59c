"""Custom fields in the sandbox: a company that uses them, and values checked as the API checks them."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_calls import Caller, ids

from kantata_async.sandbox import Sandbox

pytestmark = pytest.mark.company(people=40, projects=12)


def field(sandbox: Sandbox, name: str) -> dict[str, Any]:
    return next(one for one in sandbox.store.all("custom_fields") if one["name"] == name)


def choices(sandbox: Sandbox, name: str) -> list[int]:
    found = sandbox.store.referring("custom_field_choices", "custom_field_id", field(sandbox, name)["id"])
    return [int(choice) for choice in found]


def value_of(sandbox: Sandbox, name: str, collection: str, identity: str) -> dict[str, Any] | None:
    held = field(sandbox, name)["id"]
    values = sandbox.store.all("custom_field_values")
    about = {"key": collection, "id": identity}
    return next((v for v in values if v["custom_field_id"] == held and v["subject_ref"] == about), None)


def body(sandbox: Sandbox, name: str, value: Any, subject_type: str = "Workspace", subject: int = 1) -> dict[str, Any]:
    about = {"subject_type": subject_type, "subject_id": subject}
    return {**about, "custom_field_id": int(field(sandbox, name)["id"]), "value": value}


def test_the_company_has_fields_of_every_kind_on_everything_that_can_have_some(sandbox: Sandbox) -> None:
    """A dozen and more, of six kinds, on six sorts of objects, with values on most of these."""
    fields = sandbox.store.all("custom_fields")
    assert len(fields) >= 12
    assert {one["value_type"] for one in fields} == {"string", "date", "number", "currency", "single", "multi"}
    sets = {one["id"]: one["subject_type"] for one in sandbox.store.all("custom_field_sets")}
    on = {sets[one["custom_field_set_id"]] for one in fields}
    assert on == {"Workspace", "User", "Story", "WorkspaceGroup", "Estimate", "Resource"}
    held = {(v["subject_ref"]["key"], v["subject_ref"]["id"]) for v in sandbox.store.all("custom_field_values")}
    for collection in ("workspaces", "users", "stories", "workspace_groups"):
        having = sum(key == collection for key, _ in held)
        assert having > sandbox.store.count(collection) / 2


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Budget code", "B-7", "B-7"),
        ("Go-live", "2027-02-01", "2027-02-01"),
        ("Health score", 42, "42"),
        ("Contract value", [123_450, "EUR"], "€1,234.50"),
        ("Contract value", [5000, "JPY"], "¥5,000"),
    ],
)
async def test_values_show_as_their_kind_does(
    sandbox: Sandbox, call: Caller, name: str, value: Any, shown: str
) -> None:
    """A value comes back as it was given, with a text for people, the field's name and its type."""
    status, made = await call("POST", "/custom_field_values", {"custom_field_value": body(sandbox, name, value)})
    assert status == 200
    answered = made["custom_field_values"][ids(made)[0]]
    assert (answered["value"], answered["display_value"], answered["custom_field_name"]) == (value, shown, name)
    assert answered["type"] == field(sandbox, name)["value_type"]


async def test_choices_are_ids_in_an_array(sandbox: Sandbox, call: Caller) -> None:
    """The value names the choices, which can be included; its text is their labels."""
    first, _, third, _ = choices(sandbox, "Services")
    made = await call(
        "POST",
        "/custom_field_values",
        {"custom_field_value": body(sandbox, "Services", [third, first])},
        include="selected_choices",
    )
    answered = made[1]["custom_field_values"][ids(made[1])[0]]
    assert answered["value"] == [third, first]
    assert answered["selected_choice_ids"] == [str(third), str(first)]
    assert answered["display_value"] == "Support, Design"
    assert made[1]["custom_field_choices"].keys() == {str(first), str(third)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Budget code", 7),
        ("Budget code", ["7"]),
        ("Go-live", "1 February 2027"),
        ("Go-live", "2027-02-30"),
        ("Health score", "42"),
        ("Health score", 4.5),
        ("Health score", True),
        ("Contract value", 100),
        ("Contract value", [1.5, "USD"]),
        ("Contract value", [100, "XXX"]),
        ("Contract value", [100]),
        ("Region", [999]),
        ("Region", "EMEA"),
        ("Services", [1.0]),
    ],
)
async def test_a_value_of_another_kind_is_refused(sandbox: Sandbox, call: Caller, name: str, value: Any) -> None:
    """422, with the field named, and nothing changed; for new values, changed ones, and those inside an object."""
    version = sandbox.store.version
    one = body(sandbox, name, value)
    status, refused = await call("POST", "/custom_field_values", {"custom_field_value": one})
    assert (status, refused["errors"][0]["field"]) == (422, "value")
    inside = {"custom_fields": [{"custom_field_id": one["custom_field_id"], "value": value}]}
    assert (await call("PUT", "/workspaces/1", {"workspace": inside}))[0] == 422
    assert (await call("POST", "/workspaces", {"workspace": {"title": "New", "creator_role": "maven", **inside}}))[
        0
    ] == 422
    held = value_of(sandbox, name, "workspaces", "1")
    if held is not None:
        changed = await call("PUT", f"/custom_field_values/{held['id']}", {"custom_field_value": {"value": value}})
        assert changed[0] == 422
    assert sandbox.store.version == version


async def test_one_choice_alone_and_of_the_field_itself(sandbox: Sandbox, call: Caller) -> None:
    """A single choice is one; no choice of another field will do, nor the same one twice."""
    region = choices(sandbox, "Region")
    sizes = choices(sandbox, "T-shirt size")
    for name, value in (
        ("Region", region[:2]),
        ("Region", sizes[:1]),
        ("Services", choices(sandbox, "Services")[:1] * 2),
    ):
        status, _ = await call("POST", "/custom_field_values", {"custom_field_value": body(sandbox, name, value)})
        assert status == 422, (name, value)


async def test_a_field_belongs_to_one_kind_of_object(sandbox: Sandbox, call: Caller) -> None:
    """A person has no region, and nobody has a value of a field that there is not."""
    wrong = body(sandbox, "Region", choices(sandbox, "Region")[:1], "User", 2)
    status, refused = await call("POST", "/custom_field_values", {"custom_field_value": wrong})
    assert (status, refused["errors"][0]["field"]) == (422, "custom_field_id")
    inside = {"custom_fields": [{"custom_field_id": wrong["custom_field_id"], "value": wrong["value"]}]}
    assert (await call("PUT", "/stories/1", {"story": inside}))[0] == 422


async def test_a_second_value_takes_the_place_of_the_first(sandbox: Sandbox, call: Caller) -> None:
    """Creating is an upsert under a new id; two values of one field in one request contradict each other."""
    before = value_of(sandbox, "Budget code", "workspaces", "1")
    assert before is not None
    _, made = await call("POST", "/custom_field_values", {"custom_field_value": body(sandbox, "Budget code", "B-9")})
    after = value_of(sandbox, "Budget code", "workspaces", "1")
    assert after is not None
    assert after["id"] == ids(made)[0] != before["id"]
    assert (await call("GET", f"/custom_field_values/{before['id']}"))[0] == 404
    twice = [body(sandbox, "Budget code", text) for text in ("B-1", "B-2")]
    status, refused = await call("POST", "/custom_field_values", {"custom_field_values": twice})
    assert (status, refused["errors"][0]["index"]) == (422, 1)


async def test_unique_fields(sandbox: Sandbox, call: Caller) -> None:
    """What another object has cannot be given again; an object may be given what it has."""
    number = value_of(sandbox, "Employee number", "users", "2")
    assert number is not None
    same = body(sandbox, "Employee number", number["value"], "User", 2)
    other = body(sandbox, "Employee number", number["value"], "User", 3)
    assert (await call("POST", "/custom_field_values", {"custom_field_value": other}))[0] == 422
    assert (await call("POST", "/custom_field_values", {"custom_field_value": same}))[0] == 200
    both = [body(sandbox, "Employee number", "N-1", "User", user) for user in (4, 5)]
    assert (await call("POST", "/custom_field_values", {"custom_field_values": both}))[0] == 422


async def test_values_inside_an_object(sandbox: Sandbox, call: Caller) -> None:
    """A project's body sets values, changes them, and clears those that are empty."""
    code, score = (int(field(sandbox, name)["id"]) for name in ("Budget code", "Health score"))
    given = [{"custom_field_id": code, "value": "X-1"}, {"custom_field_id": score, "value": 7}]
    status, _ = await call("PUT", "/workspaces/2", {"workspace": {"custom_fields": given}})
    assert status == 200
    held = value_of(sandbox, "Health score", "workspaces", "2")
    assert held is not None
    assert held["value"] == 7
    cleared = [{"custom_field_id": score, "value": None}]
    assert (await call("PUT", "/workspaces/2", {"workspace": {"custom_fields": cleared}}))[0] == 200
    assert value_of(sandbox, "Health score", "workspaces", "2") is None
    kept = value_of(sandbox, "Budget code", "workspaces", "2")
    assert kept is not None
    assert kept["value"] == "X-1"


async def test_fields_and_their_choices(sandbox: Sandbox, call: Caller) -> None:
    """A new field lands in the set for projects; its choices are overwritten as a whole, and values lose those gone."""
    new = {"name": "Tier", "value_type": "single", "choices": [{"label": "Gold"}, {"label": "Silver"}]}
    status, made = await call("POST", "/custom_fields", {"custom_field": new}, include="choices,custom_field_set")
    assert status == 200
    tier = made["custom_fields"][ids(made)[0]]
    assert made["custom_field_sets"][tier["custom_field_set_id"]]["subject_type"] == "Workspace"
    gold, silver = tier["choice_ids"]
    for workspace, choice in ((1, gold), (2, silver)):
        value = body(sandbox, "Tier", [int(choice)], subject=workspace)
        assert (await call("POST", "/custom_field_values", {"custom_field_value": value}))[0] == 200
    left = {"choices": [{"label": "Bronze"}, {"id": int(silver), "label": "Sterling"}]}
    _, changed = await call("PUT", f"/custom_fields/{tier['id']}", {"custom_field": left}, include="choices")
    labels = {choice["label"] for choice in changed["custom_field_choices"].values()}
    assert labels == {"Bronze", "Sterling"}
    assert value_of(sandbox, "Tier", "workspaces", "1") is None
    kept = value_of(sandbox, "Tier", "workspaces", "2")
    assert kept is not None
    assert kept["display_value"] == "Sterling"
    text = {"name": "Motto", "choices": [{"label": "Onwards"}]}
    assert (await call("POST", "/custom_fields", {"custom_field": text}))[0] == 422
    motto = ids((await call("POST", "/custom_fields", {"custom_field": {"name": "Motto"}}))[1])[0]
    onwards = {"choices": [{"label": "Onwards"}]}
    assert (await call("PUT", f"/custom_fields/{motto}", {"custom_field": onwards}))[0] == 422
    assert (await call("DELETE", f"/custom_fields/{tier['id']}"))[0] == 204
    assert not [v for v in sandbox.store.all("custom_field_values") if v["custom_field_id"] == tier["id"]]


async def test_values_go_with_their_object(sandbox: Sandbox, call: Caller) -> None:
    """Nothing is about a project that was deleted."""
    assert value_of(sandbox, "Budget code", "workspaces", "3") is not None
    assert (await call("DELETE", "/workspaces/3"))[0] == 204
    assert value_of(sandbox, "Budget code", "workspaces", "3") is None


async def test_filters_by_values(sandbox: Sandbox, call: Caller) -> None:
    """Projects by the values of their fields: of one, of several, of either, and of none."""
    for workspace in (1, 2, 3):
        for held in ("Budget code", "Health score", "Contract value", "Go-live", "Region"):
            there = value_of(sandbox, held, "workspaces", str(workspace))
            if there is not None:
                sandbox.store.delete("custom_field_values", there["id"])
    emea, apac, _ = choices(sandbox, "Region")
    given = [
        body(sandbox, "Budget code", "Alpha", subject=1),
        body(sandbox, "Budget code", "Beta", subject=2),
        body(sandbox, "Health score", 101, subject=1),
        body(sandbox, "Health score", 120, subject=2),
        body(sandbox, "Contract value", [20_020, "USD"], subject=1),
        body(sandbox, "Go-live", "2031-05-01", subject=1),
        body(sandbox, "Go-live", "2031-06-01", subject=2),
        body(sandbox, "Region", [emea], subject=1),
        body(sandbox, "Region", [apac], subject=2),
    ]
    assert (await call("POST", "/custom_field_values", {"custom_field_values": given}))[0] == 200
    code, score, money, live, region = (
        field(sandbox, name)["id"] for name in ("Budget code", "Health score", "Contract value", "Go-live", "Region")
    )

    async def found(**filters: str) -> set[str]:
        _, payload = await call("GET", "/workspaces", per_page=200, include_archived=True, **filters)
        return set(ids(payload)) & {"1", "2", "3"}

    assert await found(by_custom_text_value=f"{code}:alpha") == {"1"}
    assert await found(by_custom_text_value=f"({code}:Alpha):({code}:Beta)") == {"1", "2"}
    assert await found(by_custom_text_value=code) == {"1", "2"}
    assert await found(by_custom_number_value=f"{score}:101") == {"1"}
    assert await found(custom_integer_ranges=f"{score}:110:") == {"2"}
    assert await found(custom_integer_ranges=f"{score}:100:130") == {"1", "2"}
    assert await found(by_custom_currency_value=f"({money}:200.20:USD)") == {"1"}
    assert await found(by_custom_currency_value=f"{money}:200.2:EUR") == set()
    assert await found(by_custom_date_value=f"({live}:2031-05-15:)") == {"2"}
    assert await found(custom_date_range=f"{live}::2031-05-15") == {"1"}
    assert await found(by_custom_choice_value=f"{region}:{emea},{apac}") == {"1", "2"}
    assert await found(by_custom_choice_value=f"{region}:{emea};{score}:blank") == set()
    assert await found(by_custom_choice_value=f"{region}:blank") == {"3"}
    assert await found(selected_choices=f"{region}:none") == {"3"}


async def test_the_kind_of_subject_can_be_asked_for_in_both_spellings(call: Caller) -> None:
    """As the documentation spells it, and as answers do."""
    found = [
        set(ids((await call("GET", "/custom_field_values", subject_type=kind, per_page=200))[1]))
        for kind in ("WorkspaceGroup", "workspace_group")
    ]
    assert found[0] == found[1] != set()
