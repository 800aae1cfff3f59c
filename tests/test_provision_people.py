"""People and groups on a sandbox: planned, applied, applied again, through faults; and invitations."""

from __future__ import annotations

import asyncio
import csv
import io
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from waiting import short_sleep, until_seen

from kantata_async import KantataSession, UsageError
from kantata_async.errors import KantataError
from kantata_async.provision import (
    Groups,
    People,
    Plan,
    PlanOutdatedError,
    Report,
    Roster,
    export_teams,
    plan,
    report_of,
)
from kantata_async.sandbox import Fault, Sandbox, Switches

EMPTY = "2"
DISABLED = "40"
Rows = Iterable[Mapping[str, object]]

pytestmark = pytest.mark.session(sleep=short_sleep)


def user(sandbox: Sandbox, id: str) -> dict[str, Any]:
    return dict(sandbox.store.records("users")[id])


def membership(sandbox: Sandbox, id: str) -> dict[str, Any]:
    (found,) = sandbox.store.referring("account_memberships", "user_id", id)
    return dict(sandbox.store.records("account_memberships")[found])


def references(sandbox: Sandbox, key: str, id: str) -> Counter[str]:
    held = sandbox.store.records("external_references").values()
    return Counter(
        f"{one['service_name']}:{one['service_model']}:{one['service_model_ref']}"
        for one in held
        if one["subject_ref"] == {"key": key, "id": id}
    )


def group(sandbox: Sandbox, name: str) -> dict[str, Any]:
    (found,) = [one for one in sandbox.store.all("workspace_groups") if one["name"] == name]
    return dict(found)


def projects_of(sandbox: Sandbox, group: str) -> set[str]:
    return {one["id"] for one in sandbox.store.all("workspaces") if group in one["workspace_group_ids"]}


def writes(sandbox: Sandbox) -> list[str]:
    return sorted(f"{one.method} {one.path}" for one in sandbox.requests if one.method != "GET")


# --- people ---


async def test_all_that_a_line_of_people_says(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """What is of the user and what is of the membership arrive, an update each, and the reference; then nothing."""
    line = {
        "person": 4,
        "full_name": "Noah M. Mitchell",
        "headline": "Principal",
        "role": "Architect",
        "permission": "Project Lead",
        "bill_rate": "155,50",
        "cost_rate": 61,
        "manager": user(kantata_sandbox, "5")["email_address"],
        "billability": "85 %",
        "reference": "hr:Employee:E 17",
    }
    made = await plan(kantata, People.from_rows([line]))
    assert [entry.action for entry in made.entries] == ["change"]
    assert writes(kantata_sandbox) == []
    assert str(await made.apply()) == "1 changed"
    assert writes(kantata_sandbox) == [
        "POST /external_references/create_or_update",
        "PUT /account_memberships/4",
        "PUT /users/4",
    ]
    assert (user(kantata_sandbox, "4")["full_name"], user(kantata_sandbox, "4")["headline"]) == (
        "Noah M. Mitchell",
        "Principal",
    )
    held = membership(kantata_sandbox, "4")
    assert (held["permission"], held["bill_rate_in_cents"], held["cost_rate_in_cents"]) == ("project_lead", 15550, 6100)
    assert (held["manager_id"], held["billability_target"], held["default_role_id"]) == ("5", 85, "3")
    assert references(kantata_sandbox, "users", "4") == {"hr:Employee:E 17": 1}
    kantata_sandbox.clear_log()
    assert str(await made.apply()) == "1 kept"
    assert (await plan(kantata, People.from_rows([line]))).to_do == 0
    assert writes(kantata_sandbox) == []


async def test_roles_on_projects_stay(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """A default role is sent with the option that keeps the roles on projects: without it the API adds one there."""
    sent: list[Any] = []
    await (await plan(kantata, People.from_rows([{"person": 4, "role": "Architect"}]))).apply()
    sent = [one.body for one in kantata_sandbox.requests if one.method == "PUT"]
    assert sent == [{"account_membership": {"default_role_id": 3, "change_role_option": "keep_existing_role"}}]


async def test_people_whose_lines_cannot_be_done(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Each says why, and the others go; near addresses and roles are offered."""
    address = user(kantata_sandbox, "5")["email_address"]
    rows: Rows = [
        {"person": 999, "headline": "x"},
        {"person": DISABLED, "headline": "x"},
        {"person": address.replace("wong", "wnog"), "headline": "x"},
        {"person": 4, "role": "Architct"},
        {"person": 4, "manager": "nobody@x.example"},
        {"person": 6, "bill_rate": "0.12345"},
        {"person": 7, "headline": "one"},
        {"person": 7, "headline": "two"},
        {"person": 8, "headline": "fine"},
    ]
    made = await plan(kantata, People.from_rows(rows))
    reasons = {problem.line: problem.reason for problem in made.problems}
    assert list(reasons) == [1, 2, 3, 4, 5, 6, 7, 8]
    for line, part in {
        1: "nobody has the id 999",
        2: "is disabled",
        3: f"did you mean {address}?",
        4: "there is no role 'Architct'; did you mean 'Architect'?",
        5: "nobody has the e-mail address nobody@x.example",
        6: "more decimals than the currency of the account",
        7: "is listed with different values in line 8",
    }.items():
        assert part in reasons[line]
    assert not (await made.apply()).ok
    assert user(kantata_sandbox, "8")["headline"] == "fine"


async def test_people_without_an_account_membership(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """A client's contact is a user of another account: there is no membership to write."""
    contact = kantata_sandbox.store.add("users", {"full_name": "A Contact", "email_address": "contact@client.example"})
    made = await plan(kantata, People.from_rows([{"person": contact, "headline": "x"}]))
    assert [(entry.action, entry.note) for entry in made.entries] == [("blocked", "is not a member of the account")]
    assert not made.ok


# --- groups ---


GROUPS: list[dict[str, Any]] = [
    {
        "group": "Aurora Energy",
        "company": "Ja",
        "contact": "Ann Lee",
        "e-mail": "ann@aurora.example",
        "phone": "+1 555 0100",
        "address": "1 Main St",
        "website": "https://aurora.example",
        "notes": "since 2020",
        "reference": "crm:Account:A1",
        "projects": "2; Lumen Telecom: ERP Migration",
    },
    {"group": 1, "notes": "changed", "projects": "2", "projects_out": "1"},
]


async def test_all_that_a_line_of_groups_says(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """A group is made with everything, another is changed and takes projects in and out; then nothing."""
    before = kantata_sandbox.store.records("workspace_groups")["1"]["name"]
    made = await plan(kantata, Groups.from_rows(GROUPS))
    assert [entry.action for entry in made.entries] == ["add", "change"]
    report = await made.apply()
    assert (report.ok, str(report)) == (True, "1 added, 1 changed")
    held = group(kantata_sandbox, "Aurora Energy")
    assert (held["company"], held["contact_name"], held["email"]) == (True, "Ann Lee", "ann@aurora.example")
    assert (held["phone_number"], held["address"], held["website"]) == (
        "+1 555 0100",
        "1 Main St",
        "https://aurora.example",
    )
    assert (held["notes"], projects_of(kantata_sandbox, held["id"])) == ("since 2020", {"2", "3"})
    assert references(kantata_sandbox, "workspace_groups", held["id"]) == {"crm:Account:A1": 1}
    assert (group(kantata_sandbox, before)["notes"], "1" in projects_of(kantata_sandbox, "1")) == ("changed", False)
    assert "2" in projects_of(kantata_sandbox, "1")
    kantata_sandbox.clear_log()
    assert str(await made.apply()) == "2 kept"
    assert (await plan(kantata, Groups.from_rows(GROUPS))).to_do == 0
    assert writes(kantata_sandbox) == []


async def test_a_group_that_is_called_otherwise(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Renamed by its old name, it is found by the new one afterwards; one that is not there is made by the new one."""
    old = kantata_sandbox.store.records("workspace_groups")["1"]["name"]
    sheet = Groups.from_rows([{"group": old, "name": "Renamed AG"}, {"group": "Not there", "name": "Made GmbH"}])
    assert (await (await plan(kantata, sheet)).apply()).ok
    assert kantata_sandbox.store.records("workspace_groups")["1"]["name"] == "Renamed AG"
    assert group(kantata_sandbox, "Made GmbH")
    again = await plan(kantata, sheet)
    assert [entry.action for entry in again.entries] == ["keep", "keep"]


async def test_an_update_sends_the_name_as_it_is_now(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """The API takes no update without a name: the one that it has by then, not the one that was planned with."""
    made = await plan(kantata, Groups.from_rows([{"group": 1, "notes": "x"}]))
    kantata_sandbox.store.update("workspace_groups", "1", {"name": "Renamed meanwhile"})
    await made.apply()
    held = kantata_sandbox.store.records("workspace_groups")["1"]
    assert (held["name"], held["notes"]) == ("Renamed meanwhile", "x")


async def test_groups_whose_lines_cannot_be_done(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Each says why; a new group beside one of nearly its name is told."""
    name = kantata_sandbox.store.records("workspace_groups")["1"]["name"]
    rows: Rows = [
        {"group": "id:999"},
        {"group": "ref:crm:Account:0"},
        {"group": "New", "projects": "No such project"},
        {"group": "New too", "projects": "2", "projects_out": "2"},
        {"group": f"{name}s"},
    ]
    made = await plan(kantata, Groups.from_rows(rows))
    reasons = {problem.line: problem.reason for problem in made.problems}
    for line, part in {
        1: "there is no group 999",
        2: "there is no group with the reference 'crm:Account:0'",
        3: "there is no project 'No such project'",
        4: "project 2 should be both in and out of the group",
    }.items():
        assert part in reasons[line]
    (entry,) = made.entries
    assert (entry.action, entry.note) == ("add", f"new, beside {name!r}")


async def test_somebody_else_made_the_group(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """A group of that name that came since is the group: none is made twice, and it gets what the line says."""
    made = await plan(kantata, Groups.from_rows(GROUPS[:1]))
    kantata_sandbox.store.add("workspace_groups", {"name": "aurora energy", "company": False})
    assert (await made.apply()).ok
    (held,) = [one for one in kantata_sandbox.store.all("workspace_groups") if one["name"].lower() == "aurora energy"]
    assert (held["company"], held["notes"]) == (True, "since 2020")


# --- invitations ---


async def test_people_are_invited_only_when_asked(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """With the terms of their line; each address once; afterwards they are waited for."""
    line = {"person": "New@x.example", "full_name": "New One", "permission": "collaborator", "bill_rate": 90}
    sheet = People.from_rows([line, {"person": "other@x.example"}])
    made = await plan(kantata, sheet)
    assert (made.to_do, [problem.line for problem in made.problems]) == (0, [1, 2])
    made = await plan(kantata, sheet, invite=True)
    assert [problem.reason for problem in made.problems] == ["an invitation for other@x.example needs their full_name"]
    report = await made.apply()
    assert [one.status for one in report.applied] == ["invited"]
    (sent,) = [one for one in kantata_sandbox.store.all("account_invitations") if one["full_name"] == "New One"]
    assert (sent["email_address"], sent["permission"], sent["bill_rate_in_cents"]) == (
        "new@x.example",
        "collaborator",
        9000,
    )
    kantata_sandbox.clear_log()
    assert [one.status for one in (await made.apply()).applied] == ["waiting"]
    again = await plan(kantata, sheet, invite=True)
    assert ([entry.action for entry in again.entries], again.to_do) == (["wait"], 0)
    assert writes(kantata_sandbox) == []


async def test_a_roster_invites_each_address_once(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Somebody new on two projects gets one e-mail; a later plan puts them there once they have joined."""
    new = {"person": "new@x.example", "full_name": "New One"}
    sheet = Roster.from_rows(
        [{"project": 2, **new}, {"project": 3, **new, "bill_rate": 5}, {"project": 2, "person": 4}]
    )
    made = await plan(kantata, sheet, invite=True)
    assert Counter(entry.action for entry in made.entries) == {"invite": 2, "add": 1}
    assert "@ New One        new@x.example (on the project by a later plan, once they have joined)" in str(made)
    report = await made.apply()
    assert Counter(one.status for one in report.applied) == {"invited": 2, "added": 1}
    assert kantata_sandbox.count("POST", "/account_invitations") == 1
    joined = kantata_sandbox.store.add("users", {"full_name": "New One", "email_address": "new@x.example"})
    kantata_sandbox.store.add("account_memberships", {"user_id": joined})
    assert {one.reason for one in (await made.apply(replan=True)).of("refused")} == {
        "has joined the account since: make a new plan"
    }
    assert (await (await plan(kantata, sheet, invite=True)).apply()).ok
    on = [one["workspace_id"] for one in kantata_sandbox.store.all("participations") if one["user_id"] == joined]
    assert sorted(on) == ["2", "3"]


async def test_an_invitation_near_somebody_says_so(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """An address that is nearly somebody's may be a slip: the plan says whose."""
    address = user(kantata_sandbox, "5")["email_address"]
    slip = address.replace("wong", "wnog")
    made = await plan(kantata, People.from_rows([{"person": slip, "full_name": "M W"}]), invite=True)
    assert made.entries[0].note == f"{address} is in the account"


@pytest.mark.parametrize(
    ("sheet", "options", "reason"),
    [
        (People.from_rows([]), {"remove_others": True}, "nobody is removed by people"),
        (Groups.from_rows([]), {"remove_others": True}, "nobody is removed by groups"),
        (Groups.from_rows([]), {"invite": True}, "groups invite nobody"),
    ],
)
async def test_what_a_kind_does_not_do(kantata: KantataSession, sheet: Any, options: Any, reason: str) -> None:
    """A usage error, before anything is asked."""
    with pytest.raises(UsageError, match=reason):
        await plan(kantata, sheet, **options)


async def test_what_is_no_sheet(kantata: KantataSession) -> None:
    """A path is no sheet yet: the error says how to read it."""
    with pytest.raises(UsageError, match=r"not str: Roster\.read\(path\)"):
        await plan(kantata, "roster.csv")  # type: ignore[arg-type]


# --- faults ---


PEOPLE: list[dict[str, Any]] = [
    {"person": id, "headline": f"No. {id}", "bill_rate": id, "reference": f"hr:Employee:{id}"} for id in range(2, 14)
]
MORE_GROUPS: list[dict[str, Any]] = [
    {
        "group": f"Group {number}",
        "notes": f"No. {number}",
        "projects": str(number),
        "reference": f"crm:Account:{number}",
    }
    for number in range(1, 8)
]


async def apply_until_done(made: Plan) -> None:
    for _ in range(30):
        if (await report_in_any_case(made)).ok:
            return
    pytest.fail("it did not come to its end")


async def report_in_any_case(made: Plan) -> Report:
    """The report of an apply, also of one that an error ended."""
    try:
        return await made.apply()
    except KantataError as error:
        report = report_of(error)
        if report is None:
            raise
        return report


@pytest.mark.parametrize("seed", range(6))
async def test_faults_leave_exactly_the_sheets(kantata: KantataSession, kantata_sandbox: Sandbox, seed: int) -> None:
    """Lost answers, 429, 502 and 503 at random: applied until it is done, all is as said, nothing twice."""
    chance = random.Random(seed)
    plans = [await plan(kantata, People.from_rows(PEOPLE)), await plan(kantata, Groups.from_rows(MORE_GROUPS))]
    kantata_sandbox.faults.add(
        *(
            Fault(chance.choice(["disconnect", "reset"]), when=when, times=None, probability=0.12)
            for when in ("before", "after")
        ),
        Fault("status", status=chance.choice([429, 503]), times=None, probability=0.1),
        Fault("proxy", status=502, when="after", method="POST", times=None, probability=0.1),
    )
    for made in plans:
        await apply_until_done(made)
    for id in range(2, 14):
        key = str(id)
        assert user(kantata_sandbox, key)["headline"] == f"No. {id}"
        assert membership(kantata_sandbox, key)["bill_rate_in_cents"] == 100 * id
        assert references(kantata_sandbox, "users", key) == {f"hr:Employee:{id}": 1}
    for number in range(1, 8):
        held = group(kantata_sandbox, f"Group {number}")
        assert (held["notes"], projects_of(kantata_sandbox, held["id"])) == (f"No. {number}", {str(number)})
        assert references(kantata_sandbox, "workspace_groups", held["id"]).keys() == {f"crm:Account:{number}"}


@pytest.mark.parametrize("sheet", [People.from_rows(PEOPLE), Groups.from_rows(MORE_GROUPS)], ids=["people", "groups"])
@pytest.mark.parametrize("requests", [1, 4, 9, 16])
async def test_an_interruption_carries_the_report(
    kantata: KantataSession, kantata_sandbox: Sandbox, sheet: Any, requests: int
) -> None:
    """Cancelled at any moment: every entry is in the report, none told as done that is not; the rest is done later."""
    made = await plan(kantata, sheet)
    kantata_sandbox.latency = 0.02
    kantata_sandbox.clear_log()
    applying = asyncio.create_task(made.apply())
    await until_seen(kantata_sandbox, requests)
    applying.cancel()
    with pytest.raises(asyncio.CancelledError) as raised:
        await applying
    report = report_of(raised.value)
    assert report is not None
    assert [one.entry for one in report.applied] == list(made.entries)
    kantata_sandbox.latency = 0
    now = {entry.subject: entry.action for entry in (await plan(kantata, sheet)).entries}
    for one in report.applied:
        if one.done and sheet.kind == "people":
            assert now[one.entry.subject] == "keep"
    assert (await made.apply()).ok


# --- files and accounts ---


@pytest.mark.parametrize("sheet", [People.from_rows(PEOPLE), Groups.from_rows(GROUPS)], ids=["people", "groups"])
async def test_a_plan_survives_its_json(kantata: KantataSession, sheet: Any) -> None:
    """Written and read, it is the same plan, shown alike, and applied by a session of the same account."""
    made = await plan(kantata, sheet)
    read = Plan.from_json(made.to_json())
    assert (read, str(read)) == (made, str(made))
    assert (await read.apply(kantata)).ok


async def test_a_plan_is_for_one_account(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Another server, and another account on the same one, refuse it; a colleague's token does not."""
    made = Plan.from_json((await plan(kantata, People.from_rows([{"person": 4, "headline": "x"}]))).to_json())
    async with Sandbox() as other, KantataSession(token=other.token, base_url=other.url) as session:
        with pytest.raises(UsageError, match="the plan was made for Karim Jackson at http") as raised:
            await made.apply(session)
    report = report_of(raised.value)
    assert report is not None
    assert [one.status for one in report.applied] == ["not_sent"]
    stranger = made.to_json().replace('"user": "1"', '"user": "987"')
    with pytest.raises(UsageError, match="and this is Karim Jackson"):
        await Plan.from_json(stranger).apply(kantata)
    colleague = made.to_json().replace('"user": "1"', '"user": "2"')
    assert (await Plan.from_json(colleague).apply(kantata)).ok


async def test_what_changed_since_is_told(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Drift of people, without any project in its words."""
    made = await plan(kantata, People.from_rows([{"person": 4, "headline": "new"}]))
    kantata_sandbox.store.update("users", "4", {"headline": "meanwhile"})
    with pytest.raises(PlanOutdatedError, match="Noah Mitchell: the plan says change, now it is change") as raised:
        await made.apply()
    assert "headline is meanwhile" in str(raised.value)
    assert "project" not in str(raised.value)


# --- what is withheld ---


WITHHELD = [
    *(f"users.{name}" for name in ("full_name", "headline", "email_address", "account_membership_id")),
    *(f"workspaces.{name}" for name in ("title", "archived", "currency_base_unit", "external_reference_ids")),
    *(f"account_memberships.{name}" for name in ("user_id", "disabled_at", "bill_rate_in_cents", "manager_id")),
    *(f"participations.{name}" for name in ("role", "user_id", "rate_in_cents", "can_post", "workspace_role_id")),
    *(f"workspace_groups.{name}" for name in ("name", "notes", "workspace_ids", "external_reference_ids")),
    *(f"external_references.{name}" for name in ("service_name", "service_model", "service_model_ref")),
    *("roles.name", "roles.deleted_at", "account_invitations.email_address"),
]


@pytest.mark.parametrize("attribute", WITHHELD)
async def test_what_is_withheld_ends_no_plan(kantata: KantataSession, kantata_sandbox: Sandbox, attribute: str) -> None:
    """A permission that is lacking costs lines, never the plan: no error leaves planning, showing or exporting."""
    kantata_sandbox.store.add(
        "external_references",
        {
            "service_name": "crm",
            "service_model": "Deal",
            "service_model_ref": "1",
            "subject_ref": {"key": "workspaces", "id": EMPTY},
        },
    )
    address = user(kantata_sandbox, "5")["email_address"]
    name = kantata_sandbox.store.records("workspace_groups")["1"]["name"]
    kantata_sandbox.switches = Switches(withheld_attributes=[attribute])
    sheets: list[Any] = [
        Roster.from_rows(
            [
                {"project": "Lumen Telecom: ERP Migration", "person": 4, "bill_rate": 5},
                {
                    "project": 1,
                    "person": address,
                    "project_role": "Architect",
                    "role": "maven",
                    "permissions": "can_post",
                },
                {"project": "ref:crm:Deal:1", "person": "new@x.example", "full_name": "N"},
            ]
        ),
        People.from_rows([{"person": 4, "headline": "x", "bill_rate": 5, "manager": address, "reference": "a:b:c"}]),
        Groups.from_rows([{"group": name, "notes": "x", "projects": "2", "reference": "a:b:c"}, {"group": 1}]),
    ]
    for sheet in sheets:
        made = await plan(kantata, sheet, invite=not isinstance(sheet, Groups), remove_others=isinstance(sheet, Roster))
        assert str(made)
        assert len(made.entries) + len(made.problems) >= len(sheet.lines)


ODDLY_SENT = [
    *(f"users.{name}" for name in ("full_name", "headline", "email_address")),
    *(f"workspaces.{name}" for name in ("title", "currency_base_unit")),
    *(f"account_memberships.{name}" for name in ("bill_rate_in_cents", "cost_rate_in_cents", "billability_target")),
    *(f"participations.{name}" for name in ("role", "access_level", "rate_in_cents", "cost_in_cents", "team_lead")),
    *("workspace_groups.name", "workspace_groups.notes", "roles.name"),
]


@pytest.mark.parametrize("attribute", ODDLY_SENT)
async def test_what_is_sent_as_something_else_ends_no_plan(
    kantata: KantataSession, kantata_sandbox: Sandbox, attribute: str
) -> None:
    """It counts as not shown: no error leaves planning, showing or exporting."""
    collection, name = attribute.split(".")
    sheets: list[Any] = [
        Roster.from_rows([{"project": 1, "person": 4, "bill_rate": 5, "project_role": "Architect"}]),
        People.from_rows([{"person": 4, "headline": "x", "bill_rate": 5, "role": "Architect"}]),
        Groups.from_rows([{"group": 1, "notes": "x", "projects": "2"}]),
    ]
    for odd in (7, "x", ["x"], {"x": 1}, True):
        for record in kantata_sandbox.store.records(collection).values():
            record[name] = odd
        for sheet in sheets:
            made = await plan(kantata, sheet)
            assert str(made)
            assert len(made.entries) + len(made.problems) >= len(sheet.lines)
        assert (await export_teams(kantata, ["1"])).text


@pytest.mark.parametrize(
    ("attribute", "row", "reason"),
    [
        ("users.email_address", {"person": "{5}"}, "e-mail addresses are not shown to the token's user"),
        ("workspaces.title", {"project": "Lumen Telecom: ERP Migration"}, "names of projects are not shown"),
        ("workspaces.currency_base_unit", {"bill_rate": 5}, "currency of 'Juniper Hotels: Data Platform' is not shown"),
        ("roles.name", {"project_role": "Architect"}, "the names of roles are not shown to the token's user"),
    ],
)
async def test_the_line_says_what_could_not_be_seen(
    kantata: KantataSession, kantata_sandbox: Sandbox, attribute: str, row: dict[str, Any], reason: str
) -> None:
    """Not that it is not there: that it is not shown."""
    address = str(user(kantata_sandbox, "5")["email_address"])
    kantata_sandbox.switches = Switches(withheld_attributes=[attribute])
    given = {name: value.replace("{5}", address) if isinstance(value, str) else value for name, value in row.items()}
    (problem,) = (await plan(kantata, Roster.from_rows([{"project": 2, "person": 4} | given]))).problems
    assert reason in problem.reason


async def test_a_role_that_is_not_shown(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Somebody who is on the project, in a role that is not shown, is kept, and that is said."""
    present = next(one for one in kantata_sandbox.store.all("participations") if one["workspace_id"] == "1")
    kantata_sandbox.switches = Switches(withheld_attributes=["participations.role"])
    sheet = Roster.from_rows([{"project": 1, "person": present["user_id"], "role": "buyer"}])
    (entry,) = (await plan(kantata, sheet)).entries
    assert (entry.action, entry.note) == ("keep", "role not shown to the token's user")


# --- names that are nearly so ---


async def test_contradictions_grow_with_the_file(kantata: KantataSession) -> None:
    """3,000 lines that contradict each other are told in lines of one length."""
    rows = [{"project": EMPTY, "person": 4, "bill_rate": number} for number in range(3_000)]
    shown = str(await plan(kantata, Roster.from_rows(rows)))
    assert shown.count("\n  ! line ") == 3_000
    assert len(shown) < 3_000 * 150
    assert "in lines 1, 2, 3, 4 and 2,995 more" in shown


async def test_near_titles_are_offered(kantata: KantataSession) -> None:
    """A slip in a title is told with the title that is near."""
    made = await plan(kantata, Roster.from_rows([{"project": "Lumen Telecom: ERP Migraton", "person": 4}]))
    assert "; did you mean 'Lumen Telecom: ERP Migration'?" in made.problems[0].reason


# --- the teams as they are ---


@pytest.mark.parametrize("subunits", [1, 100, 1000])
async def test_rates_of_any_currency_are_read_back(
    kantata: KantataSession, kantata_sandbox: Sandbox, subunits: int
) -> None:
    """However many decimals a currency has, what is written is what is read."""
    kantata_sandbox.store.update("workspaces", "1", {"currency_base_unit": subunits})
    for number, one in enumerate(kantata_sandbox.store.all("participations")):
        kantata_sandbox.store.update("participations", one["id"], {"rate_in_cents": 1234 + number, "cost_in_cents": 7})
    teams = await export_teams(kantata, "1")
    sheet = Roster.from_rows(list(csv.DictReader(io.StringIO(teams.text.removeprefix("\ufeff")))))
    made = await plan(kantata, sheet, remove_others=True)
    assert (made.problems, {entry.action for entry in made.entries}) == ((), {"keep"})


async def test_who_is_not_shown_is_told(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """People of a team whom the token's user may not see are left out, and that is said."""
    kantata_sandbox.switches = Switches(withheld_attributes=["participations.user_id"])
    teams = await export_teams(kantata, ["1"])
    (note,) = teams.notes
    assert note == "Ironbridge Steel: CRM Rollout: 6 on the team are not shown to the token's user, and left out"
    with pytest.raises(UsageError, match="whose team"):
        await export_teams(kantata, [])
    with pytest.raises(UsageError, match="an id is digits"):
        await export_teams(kantata, ["id:x"])


async def test_invitations_have_a_limit_of_their_own(kantata_sandbox: Sandbox) -> None:
    """The session meters them apart from everything else."""
    async with KantataSession(token=kantata_sandbox.token, base_url=kantata_sandbox.url) as session:
        rows = [{"person": f"p{number}@x.example", "full_name": f"P {number}"} for number in range(60)]
        sheet = People.from_rows(rows)
        assert (await (await plan(session, sheet, invite=True)).apply()).ok
        assert "POST /account_invitations" in session.limits
    assert kantata_sandbox.count("POST", "/account_invitations") == 2
