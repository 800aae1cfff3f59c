"""How the sandbox answers: envelope, includes, filters, sorting, paging, writes and their switches."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import aiohttp
import pytest
from sandbox_calls import Caller, ids

from kantata_async.sandbox import Sandbox, Switches, UploadedFile
from kantata_async.sandbox.backend.rules import rules_of

pytestmark = pytest.mark.company(people=50, projects=12)


def participation(user: int, workspace: int = 2) -> dict[str, Any]:
    return {"workspace_id": workspace, "user_id": user, "role": "maven"}


async def test_token_is_required_and_stays_out_of_the_repr(sandbox: Sandbox) -> None:
    """Without the token, or with another, 401 in the API's words; the token shows nowhere."""
    async with aiohttp.ClientSession() as anonymous:
        for headers in ({}, {"Authorization": "Bearer other"}):
            async with anonymous.get(f"{sandbox.url}/users", headers=headers) as response:
                assert response.status == 401
                assert (await response.json())["errors"][0]["type"] == "oauth"
                assert response.headers["x-request-id"]
    assert sandbox.token not in repr(sandbox)
    assert sandbox.token not in repr(sandbox.requests)


async def test_paths_and_methods(call: Caller) -> None:
    """`.json` is the same path; a static segment wins; unknown paths are 404, other methods 405."""
    assert (await call("GET", "/users.json"))[0] == 200
    assert ids((await call("GET", "/users/me"))[1]) == ["1"]
    assert (await call("GET", "/nothing"))[0] == 404
    assert (await call("PATCH", "/users/1"))[0] == 405
    assert (await call("GET", "/users/99999"))[0] == 404
    assert (await call("GET", "/workspace_allocations/split"))[0] == 404


async def test_associated_objects_are_poorer_than_matches(call: Caller) -> None:
    """A match carries the ids of what was included; an associated object none of its own, unless it is a match."""
    _, payload = await call("GET", "/users", include="manager", only="8,9")
    assert payload["users"]["8"]["manager_id"] in payload["users"]
    manager = payload["users"][payload["users"]["8"]["manager_id"]]
    assert "manager_id" not in manager
    assert "role_id" not in payload["users"]["8"]
    _, both = await call("GET", "/users", include="manager", only=f"8,{manager['id']}")
    assert "manager_id" in both["users"][manager["id"]]


async def test_switches_of_references(sandbox: Sandbox, call: Caller) -> None:
    """The ids of associations show without their include, or on associated objects, only by switch."""
    _, payload = await call("GET", "/participations", workspace_id=1)
    assert "user_id" not in next(iter(payload["participations"].values()))
    sandbox.switches = Switches(references_without_include=True, associated_references=True)
    _, payload = await call("GET", "/participations", workspace_id=1, include="user")
    shown = next(iter(payload["participations"].values()))
    assert shown["user_id"]
    assert shown["workspace_id"] == "1"
    assert "manager_id" in next(iter(payload["users"].values()))


async def test_optional_fields_come_when_asked_for(call: Caller) -> None:
    """An optional field shows on matches alone, and only when named."""
    _, payload = await call("GET", "/users/2", optional_fields="bio", include="manager")
    assert "bio" in payload["users"]["2"]
    assert "city" not in payload["users"]["2"]
    assert "bio" not in payload["users"][payload["users"]["2"]["manager_id"]]


async def test_unknown_names_are_ignored_silently(call: Caller) -> None:
    """An unknown include, optional field or sort field costs data, not an error; a space makes a name unknown."""
    status, payload = await call(
        "GET", "/users", include="nobody, manager", optional_fields="nothing", order="shoe:desc"
    )
    assert status == 200
    assert payload.keys() == {"count", "results", "users", "meta"}
    _, default = await call("GET", "/users")
    assert ids(payload) == ids(default)


async def test_unknown_parameters_and_fields(sandbox: Sandbox, call: Caller) -> None:
    """Unknown parameters are a 400 and unknown body fields a 422, unless the switch says otherwise."""
    assert (await call("GET", "/users", shoe_size=3))[0] == 400
    assert (await call("GET", "/users", participant_in="x"))[0] == 400
    assert (await call("GET", "/users", show_disabled="maybe"))[0] == 400
    assert (await call("GET", "/participations"))[0] == 400
    status, payload = await call("POST", "/participations", {"participation": {**participation(9), "hat": "top"}})
    assert status == 422
    assert payload["errors"][0] == {"type": "validation", "message": "hat is not a known field", "field": "hat"}
    sandbox.switches.refuse_unknown = False
    assert (await call("GET", "/users", shoe_size=3))[0] == 200
    assert (await call("POST", "/participations", {"participation": {**participation(9), "hat": "top"}}))[0] == 200


async def test_paging(call: Caller) -> None:
    """20 by default, 200 at most, from page 1; limit with offset wins; past the end there is nothing."""
    _, first = await call("GET", "/users", on_my_account=True)
    assert first["meta"] == {"count": first["count"], "page_count": 3, "page_number": 1, "page_size": 20}
    _, second = await call("GET", "/users", on_my_account=True, page=2)
    _, all_of_them = await call("GET", "/users", on_my_account=True, per_page=500)
    assert all_of_them["meta"]["page_size"] == 200
    assert ids(first) + ids(second) == ids(all_of_them)[:40]
    _, offset = await call("GET", "/users", on_my_account=True, limit=5, offset=3, page=2, per_page=50)
    assert ids(offset) == ids(all_of_them)[3:8]
    status, beyond = await call("GET", "/users", page=99)
    assert status == 200
    assert beyond["results"] == []
    assert beyond["users"] == {}
    _, negative = await call("GET", "/users", page=-1, per_page=-5, on_my_account=True)
    assert ids(negative) == ids(first)


async def test_only_never_answers_404(call: Caller) -> None:
    """`only` answers what there is, once, and keeps the default filters."""
    status, payload = await call("GET", "/users", only="3,2,99999,3")
    assert status == 200
    assert sorted(ids(payload)) == ["2", "3"]
    assert ids((await call("GET", "/users", only="3, 2"))[1]) == ["3"]


async def test_sorting_breaks_ties_by_id(sandbox: Sandbox, call: Caller) -> None:
    """Equal values keep the order of ids, in both directions; an undirected field with a direction is unknown."""
    for user in range(20, 30):
        made = sandbox.store.add("participations", {"workspace_id": 3, "user_id": user})
        sandbox.store.update("participations", made, {"updated_at": "2026-09-01T00:00:00-07:00"})
    for order in ("updated_at:asc", "updated_at:desc", "updated_at"):
        _, payload = await call("GET", "/participations", workspace_id=3, order=order)
        assert ids(payload) == sorted(ids(payload), key=int)
    _, payload = await call("GET", "/participations", workspace_id=3, order="user_name:desc", include="user")
    names = [payload["users"][payload["participations"][i]["user_id"]]["full_name"] for i in ids(payload)]
    assert names == sorted(names, reverse=True)
    _, bare = await call("GET", "/stories", order="position")
    _, directed = await call("GET", "/stories", order="position:asc")
    _, default = await call("GET", "/stories")
    assert ids(directed) == ids(default) != ids(bare)


async def test_default_filters_hide_from_lists_and_from_single_reads(sandbox: Sandbox, call: Caller) -> None:
    """An archived project, a disabled user and a deleted task are hidden until their filter is given."""
    archived = next(w["id"] for w in sandbox.store.all("workspaces") if w["archived"])
    assert archived not in ids((await call("GET", "/workspaces", per_page=200))[1])
    assert (await call("GET", f"/workspaces/{archived}"))[0] == 404
    assert archived in ids((await call("GET", "/workspaces", include_archived=True, per_page=200))[1])
    assert ids((await call("GET", "/workspaces", archived="only"))[1]) == [archived]
    disabled = next(m["user_id"] for m in sandbox.store.all("account_memberships") if m["disabled_at"])
    assert (await call("GET", f"/users/{disabled}"))[0] == 404
    assert ids((await call("GET", "/users", only=disabled, show_disabled=True))[1]) == [disabled]
    story = ids((await call("GET", "/stories"))[1])[0]
    assert (await call("DELETE", f"/stories/{story}"))[0] == 204
    assert (await call("GET", f"/stories/{story}"))[0] == 404
    assert (await call("GET", f"/stories/{story}", show_deleted=True))[0] == 200
    assert ids((await call("GET", "/stories", only_deleted=True))[1]) == [story]
    assert (await call("PUT", f"/workspaces/{archived}", {"workspace": {"archived": False}}))[0] == 200
    assert (await call("GET", f"/workspaces/{archived}"))[0] == 200


async def test_filters(sandbox: Sandbox, call: Caller) -> None:
    """Filters by reference, by address, by text and by time keep what they say."""
    team = {p["user_id"] for p in sandbox.store.all("participations") if p["workspace_id"] == "1"}
    assert set(ids((await call("GET", "/users", participant_in=1))[1])) <= team
    address = sandbox.store.all("users")[4]["email_address"]
    assert ids((await call("GET", "/users", by_email_address=address))[1]) == ["5"]
    assert ids((await call("GET", "/participations", workspace_id=2))[1]) == []
    member = min(team, key=int)
    assert len(ids((await call("GET", "/participations", workspace_id=1, by_user=member))[1])) == 1
    name = sandbox.store.all("users")[4]["full_name"]
    assert "5" in ids((await call("GET", "/users", search=name))[1])
    _, made = await call("POST", "/participations", {"participation": participation(9)})
    since = made["participations"][ids(made)[0]]["updated_at"]
    assert ids((await call("GET", "/participations", workspace_id=2, updated_after=since))[1]) == ids(made)
    reference = {"service_name": "erp", "service_model": "Assignment", "service_model_ref": "A1"}
    body = {"participation": {**participation(10), "external_reference": reference}}
    _, referenced = await call("POST", "/participations", body)
    found = await call("GET", "/participations", workspace_id=2, external_reference_service_name="erp")
    assert ids(found[1]) == ids(referenced)
    assert ids((await call("GET", "/participations", workspace_id=2, has_external_references=False))[1]) == ids(made)


async def test_filters_without_effect_are_listed(sandbox: Sandbox, call: Caller) -> None:
    """What is taken without effect is known by name."""
    assert ("/client_invoice_defaults", "workspace_id") in sandbox.filters_without_effect
    assert (await call("GET", "/client_invoice_defaults", workspace_id=1))[0] == 200


async def test_create_update_delete(sandbox: Sandbox, call: Caller) -> None:
    """One object's life: created with an id and its times, changed, and gone."""
    status, made = await call("POST", "/participations", {"participation": participation(9)}, include="user,workspace")
    identity = ids(made)[0]
    assert status == 200
    assert made["participations"][identity]["user_id"] == "9"
    assert made["users"]["9"]["id"] == "9"
    _, changed = await call("PUT", f"/participations/{identity}", {"participation": {"team_lead": True}})
    assert changed["participations"][identity]["is_team_lead"] is True
    stored = sandbox.store.records("participations")[identity]
    assert stored["updated_at"] > stored["created_at"]
    assert changed["participations"][identity]["updated_at"] == stored["updated_at"][:19] + stored["updated_at"][26:]
    assert (await call("DELETE", f"/participations/{identity}"))[0] == 204
    assert (await call("GET", f"/participations/{identity}"))[0] == 404
    assert (await call("DELETE", f"/participations/{identity}"))[0] == 404
    assert sandbox.committed == 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"workspace_id": None}, "workspace_id"),
        ({"workspace_id": 999}, "workspace_id"),
        ({"user_id": "x"}, "user_id"),
        ({"can_invite": "true"}, "can_invite"),
        ({"role": 7}, "role"),
    ],
)
async def test_validation(sandbox: Sandbox, call: Caller, changes: dict[str, Any], field: str) -> None:
    """A missing, wrong-typed or dangling value is a 422 that names the field, and nothing is created."""
    before = len(sandbox.store)
    status, payload = await call("POST", "/participations", {"participation": {**participation(9), **changes}})
    assert status == 422
    assert {"validation"} == {error["type"] for error in payload["errors"]}
    assert payload["errors"][0]["field"] == field
    assert len(sandbox.store) == before


async def test_bulk_create_is_atomic_with_an_index(sandbox: Sandbox, call: Caller) -> None:
    """One bad object fails the batch, and the error says which; by switch the good ones are created regardless."""
    rows = [participation(9), participation(10, workspace=999), participation(11)]
    status, payload = await call("POST", "/participations", {"participations": rows})
    assert status == 422
    assert [error["index"] for error in payload["errors"]] == [1]
    assert ids((await call("GET", "/participations", workspace_id=2))[1]) == []
    sandbox.switches = Switches(bulk_atomic=False, error_index=False)
    status, payload = await call("POST", "/participations", {"participations": rows})
    assert status == 422
    assert "index" not in payload["errors"][0]
    _, there = await call("GET", "/participations", workspace_id=2, include="user")
    assert {p["user_id"] for p in there["participations"].values()} == {"9", "11"}


async def test_bulk_order(sandbox: Sandbox, call: Caller) -> None:
    """Results come in the endpoint's order, which is not the order sent; the switch sends them so, or shuffles."""
    users = list(range(10, 20))

    async def order_of(workspace: int) -> list[str]:
        rows = [participation(user, workspace) for user in users]
        _, payload = await call("POST", "/participations", {"participations": rows}, include="user")
        return [payload["participations"][i]["user_id"] for i in ids(payload)]

    sent = [str(user) for user in users]
    assert await order_of(2) == sent[::-1]
    sandbox.switches.bulk_order = "sent"
    assert await order_of(3) == sent
    sandbox.switches.bulk_order = "shuffled"
    shuffled = await order_of(4)
    assert shuffled not in (sent, sent[::-1])
    assert sorted(shuffled) == sent


async def test_unique_participations(sandbox: Sandbox, call: Caller) -> None:
    """A person can be put on a project twice, unless the switch forbids it, within one batch too."""
    for _ in range(2):
        assert (await call("POST", "/participations", {"participation": participation(9)}))[0] == 200
    sandbox.switches.unique_participations = True
    assert (await call("POST", "/participations", {"participation": participation(9)}))[0] == 422
    twice = {"participations": [participation(12), participation(12)]}
    assert (await call("POST", "/participations", twice))[0] == 422
    assert sandbox.count("POST", "/participations") == 4
    assert sandbox.committed == 2


async def test_bulk_delete_is_all_or_nothing(sandbox: Sandbox, call: Caller) -> None:
    """One unknown id, or more than a hundred, and nothing is deleted."""
    count = sandbox.store.count("time_entries")
    assert (await call("DELETE", "/time_entries", ids="1,2,999999"))[0] == 404
    assert (await call("DELETE", "/time_entries", ids=",".join(map(str, range(1, 102)))))[0] == 422
    assert sandbox.store.count("time_entries") == count
    assert (await call("DELETE", "/time_entries", ids="1,2"))[0] == 204
    assert (await call("DELETE", "/time_entries", {"ids": "3,4"}))[0] == 204
    assert sandbox.store.count("time_entries") == count - 4


async def test_uploads(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    """Rails-style multipart is taken up to 10 MB, and JSON for a direct upload."""
    for size, status in ((100, 200), (10 * 1024 * 1024 + 1, 422)):
        form = aiohttp.FormData()
        form.add_field("attachment[data]", BytesIO(b"x" * size), filename="brief.pdf", content_type="application/pdf")
        form.add_field("attachment[type]", "receipt")
        async with session.post(f"{sandbox.url}/attachments", data=form) as response:
            payload = await response.json()
            assert response.status == status
        if status == 200:
            shown = payload["attachments"][ids(payload)[0]]
            assert (shown["filename"], shown["filesize"]) == ("brief.pdf", 100)
            form_logged = sandbox.requests[-1].form
            assert form_logged is not None
            assert form_logged["attachment"]["data"] == UploadedFile("brief.pdf", b"x" * 100, "application/pdf")
    direct = {"attachment": {"type": "receipt", "direct": True, "filename": "big.pdf"}}
    async with session.post(f"{sandbox.url}/attachments", json=direct) as response:
        assert response.status == 200
    photo = aiohttp.FormData()
    photo.add_field("user[profile_photo_attachment_file]", b"png", filename="me.png", content_type="image/png")
    async with session.post(f"{sandbox.url}/users/1/profile_photo", data=photo) as response:
        assert "me.png" in (await response.json())["users"]["1"]["photo_path"]


async def test_form_fields_mean_what_json_means(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    """Rails-style form fields create the same object as JSON."""
    fields = {"participation[workspace_id]": "2", "participation[user_id]": "9", "participation[role]": "maven"}
    async with session.post(f"{sandbox.url}/participations", data=fields) as response:
        assert response.status == 200
    async with session.post(
        f"{sandbox.url}/participations", data="{", headers={"Content-Type": "application/json"}
    ) as r:
        assert r.status == 400


async def test_integer_ids_and_withheld_attributes(sandbox: Sandbox, call: Caller) -> None:
    """Ids can be numbers, attributes withheld, referenced objects invisible, and updates without a body."""
    sandbox.switches = Switches(
        integer_ids=True, withheld_attributes=["users.email_address"], invisible_objects=["users.1"]
    )
    _, payload = await call("GET", "/users/2", include="manager")
    assert payload["results"] == [{"key": "users", "id": 2}]
    assert payload["users"]["2"]["manager_id"] == 1
    assert "email_address" not in payload["users"]["2"]
    assert "1" not in payload["users"]
    sandbox.switches.updates_without_body = True
    assert await call("PUT", "/users/2", {"user": {"headline": "Architect"}}) == (204, None)


async def test_ids_that_are_numbers_in_real_answers_are_numbers_here(sandbox: Sandbox, call: Caller) -> None:
    """The account, rate card and invoice preference of a project, and the subject of a post, arrive as numbers."""
    sandbox.store.update("workspaces", "1", {"rate_card_id": 2, "workspace_invoice_preference_id": 3})
    _, payload = await call("GET", "/workspaces/1", include="creator")
    shown = payload["workspaces"]["1"]
    assert [shown[f"{name}_id"] for name in ("account", "rate_card", "workspace_invoice_preference")] == [1, 2, 3]
    assert shown["creator_id"] == "1"
    _, posts = await call("GET", "/posts")
    assert all(isinstance(post["subject_id"], int) for post in posts["posts"].values())
    assert sandbox.store.records("workspaces")["1"]["rate_card_id"] == "2"


async def test_a_values_subject_type_is_spelled_as_in_real_answers(sandbox: Sandbox, call: Caller) -> None:
    """Requests say `WorkspaceGroup`, answers `workspace_group`."""
    manager = next(f["id"] for f in sandbox.store.all("custom_fields") if f["name"] == "Account manager")
    field = {"subject_type": "WorkspaceGroup", "subject_id": 1, "custom_field_id": int(manager), "value": "x"}
    _, payload = await call("POST", "/custom_field_values", {"custom_field_value": field})
    shown = payload["custom_field_values"][ids(payload)[0]]
    assert (shown["subject_type"], shown["subject_id"]) == ("workspace_group", 1)


async def test_polymorphic_references(call: Caller) -> None:
    """A polymorphic reference is a key and an id, and its object comes under that key."""
    _, payload = await call("GET", "/posts", include="subject")
    shown = payload["posts"][ids(payload)[0]]["subject_ref"]
    assert shown["id"] in payload[shown["key"]]
    _, bare = await call("GET", "/posts")
    assert "subject_ref" not in bare["posts"][ids(bare)[0]]


async def test_replies_belong_to_their_post(call: Caller) -> None:
    """A post about a post is a reply to it, and the newest one is known."""
    body = {"workspace_id": 1, "message": "Agreed.", "subject_type": "Post", "subject_id": 1}
    _, made = await call("POST", "/posts", {"post": body})
    _, post = await call("GET", "/posts/1", include="replies,newest_reply_user")
    assert post["posts"]["1"]["reply_ids"] == ids(made)
    assert post["posts"]["1"]["newest_reply_user_id"] == "1"
    assert ids(made)[0] not in ids((await call("GET", "/posts", parents_only=True, per_page=200))[1])


async def test_timesheets_are_approved_together(sandbox: Sandbox, call: Caller) -> None:
    """Several submissions are resolved at once, all or none, and what they hold is approved."""
    body = {"title": "Week 35", "workspace_id": 1, "line_item_ids": [1, 2]}
    _, made = await call("POST", "/timesheet_submissions", {"timesheet_submission": body}, include="time_entries")
    identity = ids(made)[0]
    assert made["timesheet_submissions"][identity]["time_entry_ids"] == ["1", "2"]
    both = {"resolution": {"submission_ids": [int(identity), 9999]}}
    assert (await call("POST", "/timesheet_approvals", both))[0] == 404
    assert sandbox.store.records("timesheet_submissions")[identity]["status"] == "pending"
    one = {"resolution": {"submission_ids": [int(identity)]}}
    _, resolved = await call("POST", "/timesheet_approvals", one)
    assert resolved["resolutions"][0]["target_id"] == int(identity)
    assert sandbox.store.records("time_entries")["1"]["approved"] is True
    assert (await call("POST", "/timesheet_approvals", one))[0] == 422


async def test_allocations_split_by_days(sandbox: Sandbox, call: Caller) -> None:
    """The minutes of an allocation are shared between the two that a split makes of it."""
    dates = {"start_date": "2026-09-01", "end_date": "2026-09-10", "minutes": 1000}
    made = sandbox.store.add("workspace_allocations", {"workspace_resource_id": 1, **dates})
    status, payload = await call(
        "PUT", "/workspace_allocations/split", workspace_allocation_id=made, split_date="2026-09-07"
    )
    assert status == 200
    spans = [(a["start_date"], a["end_date"], a["minutes"]) for a in payload["workspace_allocations"].values()]
    assert spans == [("2026-09-01", "2026-09-06", 600), ("2026-09-07", "2026-09-10", 400)]


async def test_csv_exports_and_the_removal_message(
    sandbox: Sandbox, session: aiohttp.ClientSession, call: Caller
) -> None:
    """Where the documentation says two things, a switch chooses."""
    export = f"{sandbox.url}/project_accounting_records/export_to_csv"
    async with session.get(export) as response:
        assert response.content_type == "text/csv"
        assert (await response.text()).startswith("id,")
    assert (await call("DELETE", "/access_group_memberships/1"))[0] == 200
    sandbox.switches = Switches(csv_export=False, access_group_message=False)
    async with session.get(export) as response:
        assert (await response.json())["results"]
    assert (await call("DELETE", "/access_group_memberships/2"))[0] == 204


@pytest.mark.parametrize(
    ("permissions", "allowed", "label"),
    [
        ("edit", {"can_edit", "can_post", "can_edit_expense", "can_edit_time"}, "edit"),
        ("view_only", set(), "view_only"),
        ("view_and_post", {"can_post"}, "view_with_custom"),
        ("can_post, can_edit_time", {"can_post", "can_edit_time"}, "view_with_custom"),
        (
            "can_edit,can_post,can_edit_expense,can_edit_time",
            {"can_edit", "can_post", "can_edit_expense", "can_edit_time"},
            "edit",
        ),
    ],
)
async def test_permissions_show_in_what_a_participant_can_do(
    call: Caller, permissions: str, allowed: set[str], label: str
) -> None:
    """`permissions` sets the four `can_*` of work, for a new participation and one that is changed."""
    work = ("can_edit", "can_post", "can_edit_expense", "can_edit_time")
    body = {**participation(9), "permissions": permissions}
    _, made = await call("POST", "/participations", {"participation": body}, optional_fields="permissions_label")
    shown = made["participations"][ids(made)[0]]
    assert {name for name in work if shown[name]} == allowed
    assert shown["permissions_label"] == label
    path = f"/participations/{ids(made)[0]}"
    for now, expected in (("edit", set(work)), (permissions, allowed)):
        _, changed = await call("PUT", path, {"participation": {"permissions": now}})
        assert {name for name in work if changed["participations"][ids(made)[0]][name]} == expected


async def test_unknown_permissions_are_refused_and_scheduling_is_granted(call: Caller) -> None:
    """A word that is no permission is a 422; `can_invite` among them grants it, unless its own field says no."""
    status, refused = await call(
        "POST", "/participations", {"participation": {**participation(9), "permissions": "all"}}
    )
    assert (status, refused["errors"][0]["field"]) == (422, "permissions")
    for own, expected in ((None, True), (False, False)):
        body = {**participation(9), "permissions": "edit,can_invite"} | ({} if own is None else {"can_invite": own})
        _, made = await call("POST", "/participations", {"participation": body})
        assert made["participations"][ids(made)[0]]["can_invite"] is expected


def test_every_filter_has_an_effect_or_a_reason(sandbox: Sandbox) -> None:
    """Two filters ask about what no operation tells; each says why."""
    for path, name in sandbox.filters_without_effect:
        assert rules_of(path.removeprefix("/")).without_effect[name]
    assert len(sandbox.filters_without_effect) == 2


async def test_fields_that_the_caller_may_not_set_are_ignored(sandbox: Sandbox, call: Caller) -> None:
    """They are checked all the same, and what else is in the body is done."""
    sandbox.switches.ignored_fields = frozenset({"workspaces.price"})
    before = sandbox.store.records("workspaces")["1"]["price"]
    assert (await call("PUT", "/workspaces/1", {"workspace": {"price": "much"}}))[0] == 422
    _, changed = await call("PUT", "/workspaces/1", {"workspace": {"price": 1, "title": "Renamed"}})
    assert (changed["workspaces"]["1"]["title"], changed["workspaces"]["1"]["price"]) == ("Renamed", before)
