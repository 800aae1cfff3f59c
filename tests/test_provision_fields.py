"""Custom fields as columns of people and groups: read as text, planned, applied, and applied again without a change."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from waiting import short_sleep

from kantata_async import KantataSession, Money, UsageError
from kantata_async.cli import main
from kantata_async.custom_fields import DefinedFields, FieldDefinition, text_of_value, value_from_text
from kantata_async.errors import KantataError
from kantata_async.provision import CLEAR, Groups, People, Plan, Problem, Roster, plan, report_of
from kantata_async.sandbox import Fault, Sandbox

pytestmark = [pytest.mark.company(people=12, projects=4), pytest.mark.session(sleep=short_sleep)]

CHOICES = {"1": "Red", "2": "Blue, light", "3": "Green"}


@pytest.mark.parametrize(
    ("kind", "text", "value", "again"),
    [
        ("string", "1001", "1001", "1001"),
        ("number", "42", 42, "42"),
        ("date", "2026-09-01", None, "2026-09-01"),
        ("currency", "1250.5 eur", Money(125_050, "EUR"), "1250.50 EUR"),
        ("currency", "JPY 5000", Money(5000, "JPY"), "5000 JPY"),
        ("currency", "1.250,50 EUR", Money(125_050, "EUR"), "1250.50 EUR"),
        ("currency", "-12,50 CHF", Money(-1250, "CHF"), "-12.50 CHF"),
        ("currency", "USD 1,234,567", Money(123_456_700, "USD"), "1234567.00 USD"),
        ("currency", "1.250 KWD", Money(1250, "KWD"), "1.250 KWD"),
        ("currency", "92233720368547758.07 EUR", Money(2**63 - 1, "EUR"), "92233720368547758.07 EUR"),
        ("single", "red", "Red", "Red"),
        ("single", "Blue, light", "Blue, light", "Blue, light"),
        ("multi", "Green; red", ["Green", "Red"], "Green; Red"),
        ("multi", "green,red", ["Green", "Red"], "Green; Red"),
        ("multi", "Blue, light", ["Blue, light"], "Blue, light"),
        ("multi", "Red|Blue, light", ["Red", "Blue, light"], "Blue, light; Red"),
    ],
)
def test_the_text_of_a_cell_is_a_value(kind: str, text: str, value: Any, again: str) -> None:
    """And the text of that value is read as the same one."""
    field = FieldDefinition("7", "Field", "Field", kind, CHOICES)
    read = value_from_text(field, text)
    assert value is None or read == value
    assert text_of_value(read) == again
    assert text_of_value(value_from_text(field, again)) == again


@pytest.mark.parametrize(
    ("kind", "text", "complaint"),
    [
        ("number", "4.5", "a whole number"),
        ("date", "1.9.2026", "takes a date"),
        ("currency", "1250", "an amount with its currency"),
        ("currency", "EUR 12 EUR", "an amount with its currency"),
        ("currency", "12.505 EUR", "could be thousands or decimals"),
        ("currency", "1,250 KWD", "could be thousands or decimals"),
        ("currency", "1.2505 EUR", "whole cents"),
        ("currency", "$12.50", "an amount with its currency"),
        ("currency", "1.2.3 EUR", "an amount with its currency"),
        ("single", "Rot", "no choice 'Rot'; there are Red"),
        ("multi", "Red; Rot", "no choice 'Rot'"),
    ],
)
def test_a_text_that_is_no_value_is_refused(kind: str, text: str, complaint: str) -> None:
    """The message says what the field takes."""
    with pytest.raises(UsageError, match=complaint):
        value_from_text(FieldDefinition("7", "Field", "Field", kind, CHOICES), text)


PEOPLE = """person;T-shirt size;languages;Training budget;Hired on;Employee-Number
2;xl;French, German;1250.50 EUR;2020-02-03;N-2
3;;;;;N-3
4;XXL;;;;
"""


async def of(kantata: KantataSession, id: str) -> dict[str, Any]:
    return (await kantata.custom_fields.of("User", [id]))[id]


async def test_columns_of_people_set_custom_fields(
    kantata: KantataSession, kantata_sandbox: Sandbox, tmp_path: Path
) -> None:
    """What is empty is left as it is, a wrong choice is a problem of its line, and a lost answer is looked into."""
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    fields = await kantata.custom_fields.defined("User")
    await kantata.custom_fields.set("User", {2: {"T-shirt size": "S", "Hired on": None}, 3: {"T-shirt size": "M"}})
    people = People.read(path, custom_fields=fields)
    assert [one.reason for one in people.problems] == ["T-shirt size: has no choice 'XXL'; there are S, M, L, XL"]
    made = await plan(kantata, people)
    assert "T-shirt size S -> XL" in str(made)
    assert "Hired on none -> 2020-02-03" in str(made)
    kantata_sandbox.faults.add(Fault("disconnect", when="after", method="POST", path="/custom_field_values"))
    report = await Plan.from_json(made.to_json()).apply(kantata)
    assert report.ok is False  # the line that cannot be done
    assert {one.status for one in report.applied} == {"changed"}
    assert kantata_sandbox.count("POST", "/custom_field_values") == 2
    held = await of(kantata, "2")
    assert (held["T-shirt size"], held["Training budget"], held["Employee number"]) == (
        "XL",
        Money(125_050, "EUR"),
        "N-2",
    )
    assert set(held["Languages"]) == {"French", "German"}
    other = await of(kantata, "3")
    assert (other["T-shirt size"], other["Employee number"]) == ("M", "N-3")
    again = await plan(kantata, People.read(path, custom_fields=fields))
    assert again.to_do == 0


async def test_a_value_that_is_refused_is_told(kantata: KantataSession) -> None:
    """An employee number that somebody else has: the API alone can tell."""
    taken = (await of(kantata, "5"))["Employee number"]
    fields = await kantata.custom_fields.defined("User")
    rows = [{"person": 6, "Employee number": taken}, {"person": 7, "Employee number": "N-7"}]
    report = await (await plan(kantata, People.from_rows(rows, custom_fields=fields))).apply()
    assert [one.status for one in report.applied] == ["refused", "changed"]
    assert "already been taken" in str(report)


async def test_fields_that_cannot_be_read_for_a_while_are_set_later(
    kantata: KantataSession, kantata_sandbox: Sandbox
) -> None:
    """Nothing was sent meanwhile; a refused token ends it, and the report says so."""
    fields = await kantata.custom_fields.defined("User")
    people = People.from_rows([{"person": 6, "Employee number": "N-6"}], custom_fields=fields)
    made = await plan(kantata, people)
    kantata_sandbox.faults.add(Fault("status", status=403, method="GET", path="/custom_fields", skip=1))
    assert (await made.apply()).ok
    assert not kantata_sandbox.faults
    assert (await of(kantata, "6"))["Employee number"] == "N-6"
    changed = await plan(kantata, People.from_rows([{"person": 6, "Employee number": "N-7"}], custom_fields=fields))
    kantata_sandbox.faults.add(Fault("status", status=401, method="POST", times=None))
    with pytest.raises(KantataError) as caught:
        await changed.apply()
    report = report_of(caught.value)
    assert report is not None
    assert not report.ok


async def test_columns_of_groups_set_custom_fields(kantata: KantataSession) -> None:
    """Of a group that the plan makes, too."""
    fields = await kantata.custom_fields.defined("WorkspaceGroup")
    groups = Groups.from_rows(
        [{"group": "New & Co", "Industry": "Energy", "Annual revenue": "5 USD", "notes": "new"}], custom_fields=fields
    )
    made = await plan(kantata, groups)
    assert "+ New & Co" in str(made)
    assert "Industry Energy" in str(made)
    assert (await made.apply()).ok
    (group,) = await kantata.workspace_groups.list(matching="New & Co")
    values = (await kantata.custom_fields.of([group]))[group]
    assert (values["Industry"], values["Annual revenue"]) == ("Energy", Money(500, "USD"))
    assert (await plan(kantata, groups)).to_do == 0


def test_wrong_columns_are_told_with_the_nearest_field(tmp_path: Path) -> None:
    """All at once; a column of the sheet's own is never a custom field; rosters have none."""
    named = ("Region", "Go-live", "Go live", "headline")
    fields = DefinedFields("User", tuple(FieldDefinition(str(id), one, one, "string") for id, one in enumerate(named)))
    path = tmp_path / "people.csv"
    path.write_text("person,Regoin,go_live,headline\n2,a,b,c\n")
    with pytest.raises(UsageError, match=r"'Regoin'; did you mean 'Region'.*'go_live' could be Go-live or Go live"):
        People.read(path, custom_fields=fields)
    path.write_text("person,Region\n2,a\n")
    with pytest.raises(UsageError, match="no column 'Region'"):
        People.from_csv(path)
    (line,) = People.from_rows([{"person": 2, "headline": "x", "region": "EMEA"}], custom_fields=fields).lines
    assert (line.headline, line.custom_fields) == ("x", {"Region": "EMEA"})
    assert People.from_rows([{"person": 2, "Regoin": 1}], custom_fields=fields).problems == (
        Problem(1, "there is no column 'Regoin'; did you mean 'Region'?"),
    )
    with pytest.raises(UsageError, match="a roster has no custom fields"):
        Roster.from_rows([], custom_fields=fields)
    with pytest.raises(UsageError, match="groups have the custom fields of WorkspaceGroup, not User"):
        Groups.from_rows([], custom_fields=fields)


def test_the_command_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --custom-fields; without, they are wrong columns."""
    (tmp_path / "people.csv").write_text("person,T-shirt size,Hired on\n2,XL,2020-02-03\n")
    with Sandbox.in_thread(people=4, projects=1) as sandbox:
        monkeypatch.setenv("KANTATA_TOKEN", sandbox.token)
        monkeypatch.setenv("KANTATA_BASE_URL", sandbox.url)
        arguments = ["provision", str(tmp_path / "people.csv")]
        for options, code in (
            (["--custom-fields", "--apply", "--yes"], 0),
            (["--custom-fields", "--check"], 0),
            ([], 2),
        ):
            assert main([*arguments, *options]) == code
    said, complained = capsys.readouterr()
    assert "T-shirt size" in said
    assert "no column 'T-shirt size'" in complained
    assert "a custom field is a column where the sheet is read with custom fields (--custom-fields)" in complained


CLEARING = """person;headline;manager;role;T-shirt size;Languages;Hired on;Employee number
2;(clear);(Clear);(clear); (CLEAR) ;(clear);;(clear)
3;;;;;;;
"""


async def test_a_cell_clears_a_value_where_it_says_so(kantata: KantataSession, tmp_path: Path) -> None:
    """The plan shows what would go by its name, also once it was saved; an empty cell beside it leaves its value."""
    path = tmp_path / "people.csv"
    path.write_text(CLEARING)
    fields = await kantata.custom_fields.defined("User")
    (membership,) = await kantata.account_memberships.list(with_user_ids=[2])
    await kantata.account_memberships.update(membership.id, default_role_id=5, manager_id=3)
    await kantata.users.update(2, headline="Designer")
    values = {"T-shirt size": "S", "Languages": ["French"], "Hired on": date(2020, 2, 3), "Employee number": "N-2"}
    await kantata.custom_fields.set("User", {2: values, 3: values | {"Employee number": "N-3"}})
    role, manager = await kantata.roles.get(5), await kantata.users.get(3)
    made = Plan.from_json((await plan(kantata, People.read(path, custom_fields=fields))).to_json())
    for change in (
        "headline Designer -> none",
        f"role {role.name} -> none",
        f"manager {manager.full_name} -> none",
        "T-shirt size S -> none",
        "Languages French -> none",
        "Employee number N-2 -> none",
    ):
        assert change in str(made)
    assert (await made.apply(kantata)).ok
    held = await of(kantata, "2")
    assert {name: held[name] for name in values} == {**dict.fromkeys(values), "Hired on": date(2020, 2, 3)}
    assert (await of(kantata, "3"))["T-shirt size"] == "S"
    (membership,) = await kantata.account_memberships.list(with_user_ids=[2], include=["manager", "default_role"])
    assert (membership.manager, membership.default_role) == (None, None)
    assert not (await kantata.users.get(2)).headline
    assert (await plan(kantata, People.read(path, custom_fields=fields))).to_do == 0


async def test_groups_and_rosters_clear_what_can_be_cleared(kantata: KantataSession) -> None:
    """What is made anew has nothing to clear; a column that can hold no nothing is a problem of its line."""
    fields = await kantata.custom_fields.defined("WorkspaceGroup")
    texts = ("contact_name", "phone_number", "address", "website", "notes")
    rows = [
        {"group": "Old", "email": "a@x.example", "Industry": "Energy", **dict.fromkeys(texts, "x")},
        {"group": "New", "email": CLEAR, "Industry": CLEAR, **dict.fromkeys(texts, CLEAR)},
    ]
    made = await plan(kantata, Groups.from_rows(rows, custom_fields=fields))
    assert (await made.apply()).ok
    clearing = Groups.from_rows([{**rows[1], "group": name} for name in ("Old", "New")], custom_fields=fields)
    made = await plan(kantata, clearing)
    assert [entry.action for entry in made.entries] == ["change", "keep"]
    assert (await made.apply()).ok
    (group,) = await kantata.workspace_groups.list(matching="Old")
    assert {getattr(group, name) for name in (*texts, "email")} == {None}
    assert (await kantata.custom_fields.of([group]))[group]["Industry"] is None
    assert (await plan(kantata, clearing)).to_do == 0
    (member,) = await kantata.participations.list(workspace_id=1, include=["user", "workspace_role"]).limit(1)
    row = {"project": 1, "person": member.user_id, "project_role": CLEAR}
    made = await plan(kantata, Roster.from_rows([row]))
    assert f"project_role {member.workspace_role and member.workspace_role.name} -> none" in str(made)
    assert (await made.apply()).ok
    assert (await kantata.participations.get(member.id, include=["workspace_role"])).workspace_role is None


@pytest.mark.parametrize(
    ("kind", "row", "reason"),
    [
        (Roster, {"project": 1, "person": 2, "bill_rate": CLEAR}, "bill_rate: it cannot be cleared"),
        (Roster, {"project": CLEAR, "person": 2}, "project: it cannot be cleared"),
        (People, {"person": CLEAR}, "person: it cannot be cleared"),
        (People, {"person": 2, "permission": CLEAR}, "permission: it cannot be cleared"),
        (Groups, {"group": "A", "name": CLEAR}, "name: it cannot be cleared"),
        (Groups, {"group": "A", "projects": CLEAR}, "projects: it cannot be cleared"),
    ],
)
def test_what_cannot_be_cleared_is_refused(kind: Any, row: dict[str, Any], reason: str) -> None:
    """It is never taken for a title, a name or a text."""
    assert kind.from_rows([row]).problems == (Problem(1, reason),)


def test_rows_take_what_custom_fields_hold() -> None:
    """Values as `of` gives them, labels with commas and lists of projects are read as they are."""
    kinds = {"Budget": "currency", "Colours": "multi", "Size": "number", "Since": "date"}
    defined = [FieldDefinition(name, name, name, kind, CHOICES) for name, kind in kinds.items()]
    values = {"Budget": Money.of("1250.50", "EUR"), "Colours": ["Red", "Blue, light"], "Since": date(2026, 9, 1)}
    (line,) = People.from_rows(
        [{"person": 2, "Size": 3.0, **values}], custom_fields=DefinedFields("User", tuple(defined))
    ).lines
    assert line.custom_fields == {
        "Budget": "1250.50 EUR",
        "Colours": "Blue, light; Red",
        "Size": "3",
        "Since": "2026-09-01",
    }
    (group,) = Groups.from_rows([{"group": "A", "projects": [1, "Data, Platform"]}]).lines
    assert [name.text for name in group.projects] == ["1", "Data, Platform"]
