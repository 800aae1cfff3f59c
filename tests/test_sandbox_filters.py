"""What the filters keep whose meaning is not spelled out by their names alone, each on a few objects made for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sandbox_calls import Caller, ids

from kantata_async.catalogue import load
from kantata_async.sandbox import Sandbox

pytestmark = pytest.mark.company(people=12, projects=3)


class Scene:
    """A project with a team, a task, rates, tags and organizations, whose ids have names."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.store = store = sandbox.store
        self.guest = store.add("users", {"full_name": "Gast Visitor", "email_address": "gast@client.example"})
        self.stranger = store.add("users", {"full_name": "Zed Stranger", "email_address": "zed@other.example"})
        self.shop = store.add("workspaces", {"title": "Shop", "access_level": "open", "percentage_complete": 55})
        self.mine = store.add("workspaces", {"title": "Mine", "account_id": 2, "approver_ids": ["1"]})
        on = {"workspace_id": self.shop}
        store.add("participations", {"workspace_id": self.mine, "user_id": 1, "role": "maven", "access_level": "admin"})
        store.add("participations", {"workspace_id": self.mine, "user_id": self.guest, "role": "buyer"})
        store.add("participations", {**on, "user_id": 2, "role": "maven"})
        store.add("participations", {**on, "user_id": 3, "role": "maven", "can_edit": False})
        store.add("participations", {**on, "user_id": self.stranger, "role": "buyer", "can_edit": False})
        self.named = store.add("workspace_resources", {**on, "user_id": 2, "role_id": 1})
        self.idle = store.add("workspace_resources", {**on, "user_id": 3, "role_id": 1})
        self.unnamed = store.add("workspace_resources", {**on, "role_id": 2})
        dates = {"start_date": "2026-03-02", "due_date": "2026-03-09", "project_plan": True}
        self.task = store.add(
            "stories", {**on, **dates, "title": "Paint", "state": "completed", "time_trackable": True}
        )
        self.child = store.add("stories", {**on, "parent_id": self.task, "title": "Prime", "project_plan": True})
        self.assignment = store.add(
            "assignments", {"story_id": self.task, "assignee_id": 2, "resource_id": self.named, "current": True}
        )
        self.floating = store.add("assignments", {"story_id": self.child, "resource_id": self.unnamed})
        store.add("story_follows", {"story_id": self.task, "follower_id": 2})
        red, blue = (store.add("tags", {"name": name}) for name in ("red", "blue"))
        store.update("stories", self.task, {"tag_ids": [red, blue]})
        store.update("stories", self.child, {"tag_ids": [blue]})
        self.place = store.add("organizations", {"name": "Oslo", "type": "Geography"})
        self.team = store.add("organizations", {"name": "Design", "type": "Department"})
        store.add(
            "organization_memberships",
            {"member_type": "User", "member_id": 1, "geography_id": self.place, "department_id": self.team},
        )
        store.add("organization_memberships", {"member_type": "User", "member_id": 4, "geography_id": self.place})
        store.add(
            "organization_memberships", {"member_type": "Workspace", "member_id": self.shop, "geography_id": self.place}
        )
        self.rates()
        self.sheets()

    def rates(self) -> None:
        store = self.store
        self.cards = store.add("rate_card_sets", {"title": "Nordic"})
        self.card = store.add("rate_cards", {"rate_card_set_id": self.cards, "rate_card_set_title": "Nordic"})
        self.old, self.new = (
            store.add("rate_card_set_versions", {"rate_card_set_id": self.cards, "effective_date": day, "active": True})
            for day in ("2026-01-01", "2026-06-01")
        )
        self.first, self.second = (
            store.add("rate_card_versions", {"rate_card_id": self.card, "rate_card_set_version_id": version})
            for version in (self.old, self.new)
        )
        store.add("rate_card_roles", {"rate_card_version_id": self.first, "role_id": 1, "rate": 100})
        store.update("workspaces", self.shop, {"rate_card_id": self.card})
        self.scenario = store.add("estimate_scenarios", {"rate_card_id": self.card})

    def sheets(self) -> None:
        week = {"start_date": "2026-03-02", "end_date": "2026-03-08", "workspace_id": self.shop}
        self.sheet = self.store.add("timesheet_submissions", {**week, "user_id": 2, "status": "pending"})
        self.withdrawn = self.store.add("timesheet_submissions", {**week, "user_id": 3, "status": "cancelled"})
        self.report = self.store.add(
            "expense_report_submissions", {"workspace_id": self.shop, "user_id": 2, "status": "approved"}
        )
        self.entry = self.store.add(
            "time_entries", {"workspace_id": self.mine, "user_id": self.guest, "location_id": 1}
        )
        self.expense = self.store.add("expenses", {"workspace_id": self.mine, "user_id": self.guest, "approved": True})
        self.file = self.store.add("attachments", {"filename": "Sketch.pdf"})
        asset = {"key": "attachments", "id": self.file}
        self.association = self.store.add(
            "user_file_associations", {"asset_object_ref": asset, "workspace_id": self.shop}
        )


# path, filters, and the objects of the scene that are answered, and those that are not.
CASES: list[tuple[str, dict[str, Any], set[str], set[str]]] = [
    ("/users", {"account_id": 1}, set(), {"guest"}),
    ("/users", {"all_contacts": True}, {"guest"}, {"stranger"}),
    ("/users", {"clients_only": True}, {"guest", "stranger"}, set()),
    ("/users", {"contacts_on_different_account": True}, {"guest"}, {"stranger"}),
    ("/users", {"by_full_name_or_account_role": "gast"}, {"guest"}, {"stranger"}),
    ("/users", {"on_my_account_or_participant_in_workspace": "shop"}, {"stranger"}, {"guest"}),
    ("/users", {"only_possible_managees": True}, set(), {"guest"}),
    ("/users", {"only_possible_managers": True}, set(), {"guest"}),
    ("/users", {"with_organizations": False}, {"guest"}, set()),
    ("/users", {"with_organizations": True}, set(), {"guest"}),
    ("/users", {"potential_followers_for_story": "task"}, {"stranger"}, {"guest"}),
    ("/users", {"without_timesheet_submission": "shop:2026-03-01:2026-03-31"}, {"stranger"}, {"guest"}),
    ("/users", {"write_access_in": "shop"}, set(), {"stranger"}),
    ("/users", {"can_be_approver_in_workspace": "shop"}, set(), {"stranger"}),
    ("/users", {"can_view_reports": False}, {"guest"}, set()),
    ("/users", {"is_project_lead": True}, set(), {"guest"}),
    ("/users", {"assignable_to_resource": "named"}, set(), {"guest"}),
    ("/users", {"provider_leads_on_account_projects": True}, set(), {"guest"}),
    ("/users", {"show_users_in_insights_groups": True}, set(), {"guest"}),
    ("/users", {"not_on_calendars": "1"}, {"guest"}, set()),
    ("/organizations", {"for_current_user": True}, {"place", "team"}, set()),
    ("/workspaces", {"on_my_account": True}, {"shop"}, {"mine"}),
    ("/workspaces", {"on_my_account": False}, {"mine"}, {"shop"}),
    ("/workspaces", {"only_joinable": True}, {"shop"}, {"mine"}),
    ("/workspaces", {"only_participating_or_joinable": True}, {"shop", "mine"}, set()),
    ("/workspaces", {"only_project_manager_in": True}, {"mine"}, {"shop"}),
    ("/workspaces", {"participant_or_org_member_in": True}, {"mine", "shop"}, set()),
    ("/workspaces", {"financials_viewable_by_user": True}, {"mine", "shop"}, set()),
    ("/workspaces", {"financials_viewable_by_user": False}, {"mine", "shop"}, set()),
    ("/workspaces", {"on_account_by_orgs": True}, {"shop"}, {"mine"}),
    ("/workspaces", {"with_organizations": True}, {"shop"}, {"mine"}),
    ("/workspaces", {"with_organizations": False}, {"mine"}, {"shop"}),
    ("/workspaces", {"milestone_weight_percentage_complete": "50,60"}, {"shop"}, {"mine"}),
    ("/workspaces", {"pending_timesheet_submissions": "2026-03-01;2026-03-31"}, {"shop"}, {"mine"}),
    ("/workspaces", {"pending_timesheet_submissions": "2026-04-01;2026-04-30"}, set(), {"shop", "mine"}),
    ("/workspaces", {"viewable_for_time_administration": True}, {"mine"}, {"shop"}),
    ("/stories", {"by_any_tag": "red,green"}, {"task"}, {"child"}),
    ("/stories", {"by_tag_name": "red,blue"}, {"task"}, {"child"}),
    ("/stories", {"by_tag_name": "blue"}, {"task", "child"}, set()),
    ("/stories", {"by_subtask_count": 1}, {"task"}, {"child"}),
    ("/stories", {"time_trackable_on_workspace_id": "shop"}, {"task"}, {"child"}),
    ("/stories", {"with_start_or_due_date": "2026-03-02"}, {"task"}, {"child"}),
    ("/stories", {"with_start_or_due_date": "2026-03-08:2026-03-10"}, {"task"}, {"child"}),
    ("/stories", {"with_start_or_due_date": "2026-03-04:2026-03-05"}, set(), {"task", "child"}),
    ("/stories", {"without_past_completed": True}, {"child"}, {"task"}),
    ("/stories", {"all_on_account": True}, {"task"}, set()),
    ("/stories", {"search": "Shop"}, {"task", "child"}, set()),
    ("/stories", {"search": "Shop", "exclude_workspace_title_from_search": True}, set(), {"task", "child"}),
    ("/assignments", {"plannable": True}, {"assignment"}, {"floating"}),
    ("/assignments", {"plannable": False, "include_unnamed": True}, {"floating"}, {"assignment"}),
    ("/workspace_resources", {"include_unnamed": False}, {"named", "idle"}, {"unnamed"}),
    ("/workspace_resources", {"providers_with_unnamed": True}, {"unnamed"}, set()),
    ("/workspace_resources", {"potential_workspace_resources_for_story": "task"}, {"idle"}, {"named", "unnamed"}),
    (
        "/workspace_resources",
        {"potential_workspace_resource_for_story_with_unnamed_resources": "task"},
        {"idle", "unnamed"},
        {"named"},
    ),
    ("/workspace_resources", {"potential_workspace_resources_for_reassignment": "assignment"}, {"idle"}, {"named"}),
    ("/workspace_resources", {"with_organizations": False}, {"named", "unnamed"}, set()),
    ("/rate_card_sets", {"active": True}, {"cards"}, set()),
    ("/rate_cards", {"active": True}, {"card"}, set()),
    ("/rate_cards", {"matching": "nord"}, {"card"}, set()),
    ("/rate_card_versions", {"effective_on_date": "2026-03-01"}, {"first"}, {"second"}),
    ("/rate_card_versions", {"effective_on_date": "2026-07-01"}, {"second"}, {"first"}),
    ("/timesheet_submissions", {"active": True}, {"sheet"}, {"withdrawn"}),
    ("/timesheet_submissions", {"active": False}, {"withdrawn"}, {"sheet"}),
    ("/expense_report_submissions", {"active": True, "all_on_account": True}, {"report"}, set()),
    ("/expense_report_submissions", {}, set(), {"report"}),
    ("/time_entries", {}, set(), {"entry"}),
    ("/time_entries", {"on_my_account": False}, {"entry"}, set()),
    ("/expenses", {}, set(), {"expense"}),
    ("/expenses", {"on_my_account": False, "approved": True}, {"expense"}, set()),
    ("/expenses", {"on_my_account": False, "approved": False}, set(), {"expense"}),
    ("/expenses", {"on_my_account": False, "with_expense_approvals": True}, set(), {"expense"}),
    ("/user_file_associations", {"filename": "sketch"}, {"association"}, set()),
    ("/user_file_associations", {"filename": "plan"}, set(), {"association"}),
]


@pytest.mark.parametrize(("path", "filters", "kept", "left_out"), CASES)
async def test_what_a_filter_keeps(
    sandbox: Sandbox, call: Caller, path: str, filters: dict[str, Any], kept: set[str], left_out: set[str]
) -> None:
    """Of the scene's objects, those that the filter is about are answered and the others are not."""
    scene = Scene(sandbox)
    named = {name: _with_ids(value, scene) for name, value in filters.items()}
    status, payload = await call("GET", path, per_page=200, **named)
    assert status == 200, payload
    found = set(ids(payload))
    assert {getattr(scene, name) for name in kept} <= found
    assert found.isdisjoint({getattr(scene, name) for name in left_out})


def _with_ids(value: Any, scene: Scene) -> Any:
    if isinstance(value, str):
        first, colon, rest = value.partition(":")
        return f"{getattr(scene, first, first)}{colon}{rest}"
    return value


async def test_roles_by_rate_card(sandbox: Sandbox, call: Caller) -> None:
    """Roles on a card, whoever uses it, and those that a version of its set lacks."""
    scene = Scene(sandbox)

    async def found(**filters: Any) -> set[str]:
        return set(ids((await call("GET", "/roles", per_page=200, **filters))[1]))

    for name, value in (("", scene.card), ("workspace_", scene.shop), ("scenario_", scene.scenario)):
        assert await found(**{f"for_{name}rate_card": value}) == {"1"}
    assert "1" in await found(for_workspace=scene.shop)
    assert "1" not in await found(not_on_rate_card_set_version=scene.old)
    assert "1" in await found(not_on_rate_card_set_version=scene.new)


async def test_people_by_skills_and_organizations(sandbox: Sandbox, call: Caller) -> None:
    """Any or all of some skills, at some levels; a geography, a department, or both."""
    scene = Scene(sandbox)
    guest = scene.guest
    for skill, level in ((1, 5), (2, 1)):
        sandbox.store.add("skill_memberships", {"user_id": guest, "skill_id": skill, "level": level})

    async def has(**asked: Any) -> bool:
        return guest in ids((await call("GET", "/users", per_page=200, with_skills=json.dumps(asked)))[1])

    assert await has(**{"1": [4, 5], "2": []})
    assert not await has(**{"1": [4], "2": [1]})
    assert await has(**{"1": [4], "2": [1], "operation": "or"})
    assert not await has(**{"9": [], "operation": "or"})
    assert (await call("GET", "/users", with_skills="not JSON"))[0] == 422

    async def of(organizations: str) -> set[str]:
        return set(ids((await call("GET", "/users", per_page=200, belonging_to_orgs=organizations))[1]))

    assert await of(scene.place) == {"1", "4"}
    assert await of(f"{scene.place};{scene.team}") == {"1"}
    assert await of(f";{scene.team}") == {"1"}


async def test_allocations_by_type_and_weeks_by_day(sandbox: Sandbox, call: Caller) -> None:
    """Hard or soft; in force on a day; the caller's own."""
    store = sandbox.store
    hard, soft = (store.add("workspace_allocations", {"workspace_resource_id": 1, "hard": value}) for value in (1, 0))
    _, payload = await call("GET", "/workspace_allocations", type="hard", per_page=200)
    assert hard in ids(payload)
    assert soft not in ids(payload)
    week = {"workweek_id": 1, "start_date": "2026-01-01", "end_date": "2026-06-30"}
    own = store.add("workweek_memberships", {**week, "user_id": 1})
    other = store.add("workweek_memberships", {**week, "user_id": 2})
    _, payload = await call("GET", "/workweek_memberships", effective_date="2026-07-01", per_page=200)
    assert set(ids(payload)).isdisjoint({own, other})
    _, payload = await call(
        "GET", "/workweek_memberships", effective_date="2026-06-30", participating_with=True, per_page=200
    )
    assert own in ids(payload)
    assert other not in ids(payload)
    assert "1" in ids((await call("GET", "/workweeks", effective_date="2026-01-01", per_page=200))[1])
    assert "1" not in ids((await call("GET", "/workweeks", effective_date="2019-01-01", per_page=200))[1])


async def test_choices_of_each_field(sandbox: Sandbox, call: Caller) -> None:
    """At most so many choices of every field."""
    _, payload = await call("GET", "/custom_field_choices", per_custom_field=2, include="custom_field", per_page=200)
    held = [choice["custom_field_id"] for choice in payload["custom_field_choices"].values()]
    assert {held.count(field) for field in held} == {2}
    assert ids((await call("GET", "/custom_field_choices", active=False))[1]) == []


# Defaults that leave rows out and that no `reveal` of the catalogue lifts.
LIFTED = (("on_my_account", "true", "false"), ("all_on_account", "false", "true"))


@pytest.mark.parametrize("moment", ["created", "updated"])
async def test_lists_by_the_time_of_a_change(sandbox: Sandbox, call: Caller, moment: str) -> None:
    """Every list that can be asked for what was created or updated in a span of time answers that, and no more."""
    early, late = "2021-03-01T12:00:00-07:00", "2021-03-03T12:00:00-07:00"
    checked = 0
    for operation in load().operations.values():
        filters = {field.name: field for field in operation.filters}
        if operation.method != "GET" or f"{moment}_after" not in filters or operation.path == "/subscribed_events":
            continue
        collection = str(operation.collection)
        records = sandbox.store.records(collection)
        first, *others = list(records)
        for identity, at in ((first, early), *((identity, late) for identity in others)):
            sandbox.store.update(collection, identity, {f"{moment}_at": at, "updated_at": at})
        asked: dict[str, Any] = {name: records[first][name] for name, field in filters.items() if field.required}
        defaults = {name: field.default for name, field in filters.items()}
        asked |= operation.reveal
        asked |= {name: lifted for name, default, lifted in LIFTED if defaults.get(name) == default}
        span = {f"{moment}_after": "2021-02-28T00:00:00Z", f"{moment}_before": "2021-03-02T00:00:00Z"}
        status, payload = await call("GET", operation.path, per_page=200, **asked, **span)
        assert status == 200, payload
        assert ids(payload) == [first], operation.path
        checked += 1
    assert checked == 51
