"""Provisioning on a sandbox: planned, applied, applied again, through faults, and from a file."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import short_sleep, until_seen

from kantata_async import KantataSession, UsageError
from kantata_async.errors import BulkError
from kantata_async.provision import Applied, Plan, PlanOutdatedError, Roster, plan
from kantata_async.sandbox import Fault, Sandbox, Switches

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
PLAN = """{
 "kantata_plan": 2, "kind": "roster", "account": {"base_url": "https://x.example", "user": "1"},
 "projects": [{"id": "2", "title": "Data Platform", "subunits": 100}],
 "labels": {"project_role": {"3": "Architect"}},
 "wanted": [{"project": "2", "subject": "4", "name": "Ann", "lines": [2], "if_absent": "add", "note": null,
   "terms": {"values": {"bill_rate": 5}, "includes": {"permissions": ["edit"]}, "excludes": {}}}],
 "rules": {"remove_others": true, "caller": "1", "held": {"2": "line 3 cannot be done"}},
 "entries": [{"action": "change", "project": "2", "subject": "4", "name": "Ann", "lines": [2], "held": "50",
   "changes": [{"field": "bill_rate", "before": 4, "after": 5}], "note": null}],
 "problems": [{"line": 3, "reason": "no", "project": "2"}], "notes": ["read as it is"]
}"""

EMPTY = "2"
STAFFED = "1"
ARCHIVED = "10"
DISABLED = "40"

ROWS: list[dict[str, Any]] = [
    {
        "project": EMPTY,
        "person": 4,
        "team_lead": True,
        "bill_rate": 120.5,
        "cost_rate": 80,
        "project_role": "Architect",
    },
    {"project": EMPTY, "person": 5, "access_level": "view_tasks"},
    {"project": "Lumen Telecom:  erp migration", "person": 5, "role": "buyer"},
    {"project": "Lumen Telecom: ERP Migration", "person": 6, "permissions": "edit can_post"},
]


def roster(rows: Iterable[Mapping[str, object]] = ROWS) -> Roster:
    return Roster.from_rows(rows)


def team(sandbox: Sandbox, project: str) -> list[dict[str, Any]]:
    """The participations of a project, from the store."""
    return [one for one in sandbox.store.all("participations") if one["workspace_id"] == project]


def people(sandbox: Sandbox, project: str) -> Counter[str]:
    return Counter(one["user_id"] for one in team(sandbox, project))


def writes(sandbox: Sandbox) -> int:
    return sum(request.method != "GET" for request in sandbox.requests)


async def test_a_plan_writes_nothing(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Planning only reads, in as many requests as its documentation says."""
    made = await plan(kantata, roster())
    assert [entry.action for entry in made.entries] == ["add"] * 4
    assert writes(kantata_sandbox) == 0
    counts = Counter(request.path for request in kantata_sandbox.requests)
    assert counts == {"/users/me": 1, "/workspaces": 2, "/users": 1, "/roles": 1, "/participations": 2}


async def test_what_is_applied_is_so(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Everything that a line can say arrives, one create for all of them and an update where a create cannot set it."""
    report = await (await plan(kantata, roster())).apply()
    assert report.ok
    assert str(report) == "4 added"
    first, second = team(kantata_sandbox, EMPTY)
    assert (first["user_id"], first["role"], first["is_team_lead"]) == ("4", "maven", True)
    assert (first["rate_in_cents"], first["cost_in_cents"], first["workspace_role_id"]) == (12050, 8000, "3")
    assert (second["user_id"], second["access_level"]) == ("5", "view_tasks")
    assert {one["user_id"]: one["role"] for one in team(kantata_sandbox, "3")} == {"5": "buyer", "6": "maven"}
    assert (kantata_sandbox.count("POST"), kantata_sandbox.count("PUT")) == (1, 1)


async def test_twice_does_nothing_the_second_time(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """The plan applied again, and a new plan, write nothing."""
    made = await plan(kantata, roster())
    await made.apply()
    kantata_sandbox.clear_log()
    assert str(await made.apply()) == "4 kept"
    again = await plan(kantata, roster())
    assert (again.to_do, again.ok) == (0, True)
    assert writes(kantata_sandbox) == 0


async def test_lines_that_cannot_be_done(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Each is told with its number and the reason, and the good ones go."""
    kantata_sandbox.store.update("workspaces", "6", {"title": "Twin"})
    kantata_sandbox.store.update("workspaces", "7", {"title": "twin"})
    made = await plan(
        kantata,
        roster(
            [
                {"project": "Twin", "person": 4},
                {"project": EMPTY, "person": "nobody@x.example"},
                {"project": EMPTY, "person": DISABLED},
                {"project": ARCHIVED, "person": 4},
                {"project": "No such", "person": 4},
                {"project": 999, "person": 4},
                {"project": "ref:crm:Deal:1", "person": 4},
                {"project": EMPTY, "person": 4, "project_role": "Cook"},
                {"project": EMPTY, "person": 999},
                {"project": EMPTY, "person": 7, "role": "chief"},
                {"project": EMPTY, "person": 8},
            ]
        ),
    )
    reasons = dict(
        enumerate(("ambiguous: 6, 7", "nobody has the e-mail address nobody@x.example", "is disabled"), 1)
    ) | {
        4: "archived",
        5: "there is no project 'No such'",
        6: "there is no project 999",
        7: "there is no project with the reference 'crm:Deal:1'",
        8: "there is no project role 'Cook'",
        9: "nobody has the id 999",
        10: "there is no 'chief'",
    }
    assert [problem.line for problem in made.problems] == list(reasons)
    for problem in made.problems:
        assert reasons[problem.line] in problem.reason
        assert f"line {problem.line}: " in str(made)
    report = await made.apply()
    assert not report.ok
    assert people(kantata_sandbox, EMPTY) == {"8": 1}


async def test_projects_by_external_reference_and_people_by_address(
    kantata: KantataSession, kantata_sandbox: Sandbox
) -> None:
    """A reference names a project; the case of an address and of a title does not matter."""
    store = kantata_sandbox.store
    subject = {"key": "workspaces", "id": EMPTY}
    reference = {"service_name": "crm", "service_model": "Deal", "service_model_ref": "d:1", "subject_ref": subject}
    store.add("external_references", reference)
    address = str(store.records("users")["4"]["email_address"])
    made = await plan(kantata, roster([{"project": "ref:crm:Deal:d:1", "person": address.upper()}]))
    assert [(entry.project, entry.person) for entry in made.entries] == [(EMPTY, "4")]


async def test_titles_take_the_fewer_requests(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """One title is searched for; several on a few pages are read from the list, on many they are searched for."""
    kantata_sandbox.reset(projects=450)
    titles = [one["title"] for one in kantata_sandbox.store.all("workspaces") if not one["archived"]]

    async def requests(count: int) -> int:
        kantata_sandbox.clear_log()
        made = await plan(kantata, roster({"project": title, "person": 4} for title in titles[:count]))
        assert len(made.entries) == count
        return kantata_sandbox.count("GET", "/workspaces")

    assert [await requests(count) for count in (1, 2, 3, 12)] == [1, 3, 3, 3]


async def test_others_are_removed_only_when_asked(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Without remove_others nobody goes; with it the team is exactly the roster, and the token's own user stays."""
    kantata_sandbox.store.add("participations", {"workspace_id": STAFFED, "user_id": "1", "role": "maven"})
    before = people(kantata_sandbox, STAFFED)
    rows = [{"project": STAFFED, "person": 30}]
    await (await plan(kantata, roster(rows))).apply()
    assert people(kantata_sandbox, STAFFED) == before | {"30": 1}
    made = await plan(kantata, roster(rows), remove_others=True)
    assert len(made.of("remove")) == before.total() - 1
    report = await made.apply()
    assert (report.ok, len(report.of("removed"))) == (True, before.total() - 1)
    assert people(kantata_sandbox, STAFFED) == {"1": 1, "30": 1}


async def test_a_bad_line_removes_nobody(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """An address with a typing error may mean somebody who is there: the project keeps everybody."""
    before = people(kantata_sandbox, STAFFED)
    rows = [{"project": STAFFED, "person": 30}, {"project": STAFFED, "person": "tpyo@x.example"}]
    made = await plan(kantata, roster(rows), remove_others=True)
    assert made.of("remove") == []
    await made.apply()
    assert people(kantata_sandbox, STAFFED) == before | {"30": 1}


async def test_a_plan_refuses_teams_that_changed(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Somebody changed a rate since: nothing is written, unless told to plan anew."""
    one = team(kantata_sandbox, STAFFED)[0]
    rows = [{"project": STAFFED, "person": one["user_id"], "bill_rate": 1}, {"project": STAFFED, "person": 30}]
    made = await plan(kantata, roster(rows))
    kantata_sandbox.store.update("participations", one["id"], {"rate_in_cents": 7})
    kantata_sandbox.clear_log()
    with pytest.raises(PlanOutdatedError, match="bill_rate is 7") as raised:
        await made.apply()
    assert len(raised.value.reasons) == 1
    assert writes(kantata_sandbox) == 0
    assert (await made.apply(replan=True)).ok
    assert kantata_sandbox.store.records("participations")[one["id"]]["rate_in_cents"] == 100


@pytest.mark.parametrize(
    ("change", "message"),
    [({"archived": True}, "project 2 is archived"), ({"title": "Another"}, "is called 'Another' now")],
)
async def test_a_plan_refuses_projects_that_changed(
    kantata: KantataSession, kantata_sandbox: Sandbox, change: dict[str, Any], message: str
) -> None:
    """An id with another title may be another account's: not even replan=True goes on."""
    made = await plan(kantata, roster([{"project": EMPTY, "person": 4}]))
    kantata_sandbox.store.update("workspaces", EMPTY, change)
    with pytest.raises(PlanOutdatedError, match=message):
        await made.apply(replan=True)
    assert writes(kantata_sandbox) == 0


async def test_somebody_on_the_project_with_another_role(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """The API changes no role, so the line is told as not possible, with its number, and the others go."""
    present = team(kantata_sandbox, STAFFED)[0]["user_id"]
    made = await plan(kantata, roster([{"project": STAFFED, "person": present, "role": "buyer"}, ROWS[1]]))
    report = await made.apply()
    (refused,) = report.of("refused")
    assert refused.entry.lines == (1,)
    assert "on the project as maven" in str(refused.reason)
    assert f"! {refused.entry.name} on project 1 (line 1) refused: " in str(report)
    assert people(kantata_sandbox, EMPTY) == {"5": 1}


async def test_what_the_api_shows_otherwise_is_told(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """A permission that another one takes away again is done as far as the API does it, and said."""
    present = team(kantata_sandbox, STAFFED)[0]
    rows = [{"project": STAFFED, "person": present["user_id"], "permissions": "edit view_only"}]
    (changed,) = (await (await plan(kantata, roster(rows))).apply()).of("changed")
    assert str(changed.reason).startswith("the API accepted it, and still shows permissions without ")


async def test_permissions_are_given_beside_those_there_are(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """The API may take what is sent for all there is: what somebody has goes along, and is not lost."""
    present = team(kantata_sandbox, STAFFED)[0]
    lacking = {"can_invite": False, "can_post": False}
    kantata_sandbox.store.update("participations", present["id"], lacking)
    rows = [{"project": STAFFED, "person": present["user_id"], "permissions": "can_invite"}]
    (changed,) = (await (await plan(kantata, roster(rows))).apply()).of("changed")
    assert changed.reason is None
    held = kantata_sandbox.store.records("participations")[present["id"]]
    assert [held[name] for name in ("can_invite", "can_edit", "can_edit_time", "can_post")] == [True, True, True, False]


# --- faults ---


@pytest.mark.session(sleep=short_sleep)
@pytest.mark.parametrize(
    "faults",
    [
        [Fault("disconnect", when="after", method="POST")],
        [Fault("disconnect", when="before", method="POST")],
        [Fault("disconnect", when="after", method="PUT")],
        [Fault("status", status=503, times=3)],
        [Fault("status", status=429, times=3)],
        [Fault("proxy", status=502, when="after", method="POST"), Fault("proxy", status=504, method="PUT")],
        [Fault("proxy", status=503, method="DELETE", when="after"), Fault("disconnect", method="DELETE")],
        [Fault("status", status=503, method="POST", times=6)],
        [Fault("disconnect", when="after", times=None, probability=0.15)],
    ],
    ids=lambda faults: "-".join(f"{fault.kind}-{fault.when}-{fault.method}" for fault in faults),
)
async def test_faults_leave_exactly_the_roster(
    kantata: KantataSession, kantata_sandbox: Sandbox, faults: list[Fault]
) -> None:
    """Lost answers, 429 and 503: applied until it is done, the teams are the roster, and nobody is there twice."""
    rows = [{"project": project, "person": id, "bill_rate": id} for project in (EMPTY, STAFFED) for id in range(20, 30)]
    made = await plan(kantata, roster(rows), remove_others=True)
    kantata_sandbox.faults.add(*faults)
    for _ in range(10):
        report = await made.apply()
        if report.ok:
            break
    for project in (EMPTY, STAFFED):
        assert people(kantata_sandbox, project) == {str(id): 1 for id in range(20, 30)}
        assert all(one["rate_in_cents"] == int(one["user_id"]) * 100 for one in team(kantata_sandbox, project))


@pytest.mark.session(sleep=short_sleep)
async def test_a_refusal_is_told_with_its_line(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """One person whom the API refuses does not keep the others out."""
    made = await plan(kantata, roster([{"project": EMPTY, "person": id} for id in (4, 5, 6)]))
    kantata_sandbox.store.delete("users", "5")
    report = await made.apply()
    assert people(kantata_sandbox, EMPTY) == {"4": 1, "6": 1}
    (refused,) = report.of("refused")
    assert (refused.entry.lines, refused.entry.person) == ((2,), "5")
    assert "line 2" in str(report)
    assert "refused" in str(report)


@pytest.mark.session(sleep=short_sleep)
async def test_added_but_for_what_an_update_sets(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """A created participation whose update is refused is told, and found as a change by the next plan."""
    made = await plan(kantata, roster(ROWS[:1]))
    kantata_sandbox.faults.add(Fault("status", status=422, method="PUT", times=None))
    report = await made.apply()
    assert [one.status for one in report.applied] == ["refused"]
    assert people(kantata_sandbox, EMPTY) == {"4": 1}
    kantata_sandbox.faults.clear()
    again = await plan(kantata, roster(ROWS[:1]))
    assert [entry.action for entry in again.entries] == ["change"]
    assert (await made.apply()).ok
    assert (await plan(kantata, roster(ROWS[:1]))).to_do == 0


async def test_somebody_else_was_faster(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Who was put on the project since the plan was made is not added again, and gets what the line says."""
    switches = Switches(unique_participations=True)
    kantata_sandbox.switches = switches
    made = await plan(kantata, roster(ROWS[:2]))
    kantata_sandbox.store.add("participations", {"workspace_id": EMPTY, "user_id": "4", "role": "maven"})
    assert (await made.apply()).ok
    assert people(kantata_sandbox, EMPTY) == {"4": 1, "5": 1}
    assert (await plan(kantata, roster(ROWS[:2]))).to_do == 0


async def test_a_revoked_token_ends_it(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """401: nothing more is sent, and what was done before has been told."""
    made = await plan(kantata, roster())
    kantata_sandbox.faults.add(Fault("status", status=401, method="PUT", times=None))
    progress: list[Applied] = []
    with pytest.raises(BulkError, match="401"):
        await made.apply(progress=progress.append)
    assert [one.status for one in progress] == ["added"] * 3


async def test_cancelled_and_applied_again(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Cancelled after any number of requests, it leaves only the rest to do."""
    rows = [{"project": EMPTY, "person": id, "bill_rate": id} for id in range(2, 32)]
    made = await plan(kantata, roster(rows))
    kantata_sandbox.latency = 0.02
    for requests in (1, 3, 4, 5, 20):
        kantata_sandbox.clear_log()
        applying = asyncio.create_task(made.apply())
        await until_seen(kantata_sandbox, requests)
        applying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await applying
    kantata_sandbox.latency = 0
    assert (await made.apply()).ok
    assert people(kantata_sandbox, EMPTY) == {str(id): 1 for id in range(2, 32)}
    assert all(one["rate_in_cents"] == int(one["user_id"]) * 100 for one in team(kantata_sandbox, EMPTY))


# --- files ---


async def test_a_plan_survives_its_file(kantata: KantataSession, kantata_sandbox: Sandbox, tmp_path: Path) -> None:
    """Saved, read and applied: the same plan, the same end."""
    present = team(kantata_sandbox, STAFFED)[0]["user_id"]
    rows = [*ROWS, {"project": STAFFED, "person": present, "bill_rate": 5}, {"project": 1, "person": "?"}]
    made = await plan(kantata, roster(rows), remove_others=True)
    path = tmp_path / "plan.json"
    made.save(path)
    read = Plan.load(path)
    assert (read, str(read)) == (made, str(made))
    with pytest.raises(UsageError, match=r"needs a session: await plan\.apply\(kantata\)"):
        await read.apply()
    report = await read.apply(kantata)
    assert len(report.of("added")) == 4
    assert [problem.line for problem in report.problems] == [6]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(kantata_plan=1), "'kantata_plan' must be 2, not 1"),
        (lambda data: data.update(more=1), "extra fields found (more) @ plan"),
        (lambda data: data["entries"][0].update(action="delete"), "@ plan.entries[0].action"),
        (lambda data: data["entries"][0].pop("subject"), "required field missing @ plan.entries[0].subject"),
        (lambda data: data["wanted"][0].update(project="77"), "it names project '77', which is not among its projects"),
        (lambda data: data["wanted"][0].update(project=None), "a plan of a roster names no project"),
        (lambda data: data["wanted"][0]["terms"]["values"].update(rate=5), "there is no column 'rate'"),
        (lambda data: data.update(kind="teams"), "there is no kind 'teams'"),
        (lambda data: data["wanted"][0].update(lines=["x"]), "@ plan.wanted[0].lines[0]"),
        (lambda data: data.update(entries=5), "@ plan.entries"),
        (lambda data: data.update(account=None), "@ plan.account"),
    ],
)
async def test_a_file_that_is_no_plan(kantata: KantataSession, tmp_path: Path, change: Any, message: str) -> None:
    """What was edited into something else is refused with the file and the place."""
    path = tmp_path / "plan.json"
    data = json.loads((await plan(kantata, roster())).to_json())
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(UsageError, match=r"plan\.json") as raised:
        Plan.load(path)
    assert message in str(raised.value)


@given(st.data())
def test_no_plan_ends_in_another_error(data: st.DataObject) -> None:
    """A plan of which any part was replaced by anything is a plan, or a usage error."""
    parts: list[Any] = [json.loads(PLAN)]
    whole = parts[0]
    while isinstance(parts[-1], dict | list) and parts[-1] and (len(parts) == 1 or data.draw(st.booleans())):
        keys = list(parts[-1]) if isinstance(parts[-1], dict) else list(range(len(parts[-1])))
        key = data.draw(st.sampled_from(keys))
        owner = parts[-1]
        parts.append(owner[key])
    owner[key] = data.draw(JUNK)
    with suppress(UsageError):
        str(Plan.from_json(json.dumps(whole)))


@pytest.mark.parametrize("content", [b"{", b"[]", b"NaN", b"[" * 100_000, b"9" * 5_000, b"\xff", None])
def test_a_file_that_is_no_json(tmp_path: Path, content: bytes | None) -> None:
    """Neither JSON nor there."""
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"plan\.json"):
        Plan.load(path)


async def test_what_a_terminal_would_obey_is_not_printed(kantata: KantataSession, kantata_sandbox: Sandbox) -> None:
    """Names come from elsewhere: a control character in one stays out of the table."""
    kantata_sandbox.store.update("users", "4", {"full_name": "Eve\x1b[2J\nroot"})
    made = await plan(kantata, roster([{"project": EMPTY, "person": 4}]))
    assert "\x1b" not in str(made)
    assert "Eve\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}root" in str(made)
