"""Projects (workspaces), their groups, and who takes part in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..account import ACCOUNT, ME
from ..answer import Answer, json_answer
from ..associations import inverse, latest, through
from ..company import Company, ParsedRequest
from ..predicates import (
    Predicate,
    among,
    chosen,
    equal,
    everything,
    flag,
    joined,
    matching,
    outside,
    overlapping,
    present,
    where,
)
from ..refusals import invalid_field
from ..routes import Handler, route
from ..rules import CollectionRules, Hidden, Values, declare, nested_field
from ..sort_keys import name_beyond, of_attribute
from ..standard_handlers import existing
from ..store import Record, Store
from ..switches import Switches
from ..writing import create
from .organizations import in_an_organization, organizations_of
from .people import USER_NAME
from .setting import setting

_FINANCIAL: Final = frozenset({"admin", "edit_financials", "financial", "view_financials"})


def is_archived(store: Store, identity: str | None) -> bool:
    """Whether a project is archived."""
    workspace = store.records("workspaces").get(identity or "")
    return workspace is not None and bool(workspace["archived"])


def outside_the_archive(store: Store, given: Values) -> Predicate:
    """Records of projects that are not archived, unless `from_archived_workspaces` asks for it."""
    if given.get("from_archived_workspaces"):
        return everything
    return lambda record: not is_archived(store, record["workspace_id"])


def _visible_workspaces(store: Store, given: Values) -> Predicate:
    wanted = given.get("archived") or ("include" if given.get("include_archived") else "exclude")
    return chosen("archived")(store, wanted)


def _current_user_participates(store: Store, value: Any) -> Predicate:
    return joined("participations", "user_id", "workspace_id")(store, ME) if value else everything


def _current_participation(store: Store, record: Record) -> str | None:
    participations = store.records("participations")
    found = store.referring("participations", "workspace_id", record["id"])
    return next((identity for identity in found if participations[identity]["user_id"] == ME), None)


def _on_account(_: Store, workspace: Record) -> bool:
    return bool(workspace["account_id"] == ACCOUNT)


def of_account(store: Store, record: Record) -> bool:
    """Whether a record belongs to the account: by its project, or by the person it is about."""
    workspace = store.records("workspaces").get(record.get("workspace_id") or "")
    if workspace is not None and _on_account(store, workspace):
        return True
    return bool(store.referring("account_memberships", "user_id", record.get("user_id")))


def _own_participation(store: Store, workspace: Record) -> Record:
    """The caller's participation in a project, where there is one."""
    found = _current_participation(store, workspace)
    return store.records("participations")[found] if found else {}


def _participates(store: Store, workspace: Record) -> bool:
    return _current_participation(store, workspace) is not None


def _is_open(workspace: Record) -> bool:
    return bool(workspace["access_level"] == "open")


def _manages(store: Store, workspace: Record) -> bool:
    participation = _own_participation(store, workspace)
    return participation.get("role") == "maven" and participation.get("access_level") in _FINANCIAL


def _approves_time(store: Store, workspace: Record) -> bool:
    return ME in (workspace["approver_ids"] or ()) or bool(_own_participation(store, workspace).get("is_team_lead"))


def _shares_an_organization(store: Store, workspace: Record) -> bool:
    own = organizations_of(store, "user", ME)
    return not own.isdisjoint(organizations_of(store, "workspace", workspace["id"]))


def _weighted(_: Store, value: Any) -> Predicate:
    least, most = (float(end) for end in str(value).split(","))
    return lambda workspace: least <= (workspace["percentage_complete"] or 0) <= most


def _with_pending_timesheets(store: Store, value: Any) -> Predicate:
    covering = overlapping("start_date", "end_date")(store, str(value).replace(";", ":"))
    sheets = store.records("timesheet_submissions").values()
    found = {sheet["workspace_id"] for sheet in sheets if sheet["status"] == "pending" and covering(sheet)}
    return lambda workspace: workspace["id"] in found


def _meant_by_workspace(_: Store, values: Values) -> Values:
    meant: Values = {}
    if values.get("status_key") is not None:
        meant["status"] = {"color": "green", "key": str(values["status_key"]), "message": "Active"}
    if values.get("price") is not None:
        meant |= {"price": str(values["price"]), "price_in_cents": int(values["price"]) * 100}
    if values.get("primary_workspace_group_id") is not None and not values.get("workspace_group_ids"):
        meant["workspace_group_ids"] = [values["primary_workspace_group_id"]]
    return meant


def _join_own_workspace(store: Store, identity: str, _: Values) -> None:
    store.update("workspaces", identity, {"primary_maven_id": ME})
    lead = {"role": "maven", "is_team_lead": True, "access_level": "admin"}
    create(store, "participations", {"workspace_id": identity, "user_id": ME, **lead})


declare(
    "workspaces",
    CollectionRules(
        filters={
            "account_color_ids": among("account_color_id"),
            "creator": among("creator_id"),
            "current_user_is_maven_participant": _current_user_participates,
            "except": outside("id"),
            "financials_viewable_by_user": flag(
                lambda store, r: _on_account(store, r) or _own_participation(store, r).get("access_level") in _FINANCIAL
            ),
            "for_approver": among("approver_ids"),
            "has_approvers": matching(present("approver_ids")),
            "has_maven_participant": joined("participations", "user_id", "workspace_id"),
            "has_participant": joined("participations", "user_id", "workspace_id"),
            "has_participation": _current_user_participates,
            "milestone_weight_percentage_complete": _weighted,
            "on_account_by_orgs": flag(
                lambda store, r: _on_account(store, r) and in_an_organization("workspace")(store, r)
            ),
            "on_my_account": matching(_on_account),
            "only_joinable": flag(lambda store, r: _is_open(r) and not _participates(store, r)),
            "only_participating_or_joinable": flag(lambda store, r: _is_open(r) or _participates(store, r)),
            "only_project_manager_in": flag(_manages),
            "participant_or_org_member_in": flag(
                lambda store, r: _participates(store, r) or _shares_an_organization(store, r)
            ),
            "pending_timesheet_submissions": _with_pending_timesheets,
            "provider_lead": among("primary_maven_id"),
            "requiring_expense_approval": equal("require_expense_approvals"),
            "user_not_participating": joined("participations", "user_id", "workspace_id", negated=True),
            "viewable_for_time_administration": flag(_approves_time),
            "with_organizations": matching(in_an_organization("workspace")),
            "workspace_groups": among("workspace_group_ids"),
        },
        hidden=Hidden(_visible_workspaces, ("archived", "include_archived")),
        sort_keys={
            "color_name": name_beyond("account_colors", "account_color_id"),
            "last_viewed": of_attribute("updated_at"),
            "price": of_attribute("price_in_cents"),
            "provider_lead_name": name_beyond("users", "primary_maven_id"),
            "status": lambda _, record: (record["status"] or {}).get("message"),
            "task_status_set": of_attribute("task_status_set_name"),
        },
        associations={
            "current_status_report_id": latest(inverse("status_reports", "workspace_id")),
            "current_user_participation_id": _current_participation,
            "participant_ids": through("participations", "workspace_id", "user_id"),
            "possible_approver_ids": through("participations", "workspace_id", "user_id"),
            "workspace_resource_ids": through(
                "workspace_resources", "workspace_id", "id", keep=lambda link: link["user_id"]
            ),
        },
        renamed={"change_orders": "change_orders_enabled"},
        meaning=_meant_by_workspace,
        created=_join_own_workspace,
        belongings=(
            ("participations", "workspace_id"),
            ("stories", "workspace_id"),
            ("posts", "workspace_id"),
            ("time_entries", "workspace_id"),
            ("expenses", "workspace_id"),
            ("workspace_resources", "workspace_id"),
        ),
    ),
)


_WORK_PERMISSIONS: Final = ("can_edit", "can_post", "can_edit_expense", "can_edit_time")
_SCHEDULING_PERMISSIONS: Final = ("can_invite", "can_schedule_their_hours", "can_schedule_team_hours")
_PERMISSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "edit": _WORK_PERMISSIONS,
    "view_only": (),
    "view_and_post": ("can_post",),
    **{name: (name,) for name in (*_WORK_PERMISSIONS, *_SCHEDULING_PERMISSIONS)},
}


def _named_permissions(values: Values) -> list[str]:
    given = values.get("permissions")
    return [name.strip() for name in given.split(",") if name.strip()] if given else []


def _unknown_permissions(_: Store, values: Values) -> list[Values]:
    unknown = [name for name in _named_permissions(values) if name not in _PERMISSIONS]
    return [invalid_field(f"permissions has unknown values: {', '.join(unknown)}", "permissions")] if unknown else []


def _granted(values: Values) -> Values:
    """The `can_*` fields that `permissions` turns on; a `can_*` field in the body takes precedence."""
    named = _named_permissions(values)
    if not named:
        return {}
    allowed = {permission for name in named for permission in _PERMISSIONS[name]}
    work: Values = {name: name in allowed for name in _WORK_PERMISSIONS}
    label = "edit" if all(work.values()) else "view_with_custom" if any(work.values()) else "view_only"
    granted = (name for name in _SCHEDULING_PERMISSIONS if name in allowed and values.get(name) is None)
    scheduling: Values = dict.fromkeys(granted, True)
    return {**work, **scheduling, "permissions_label": label, "show_as_read_only": label == "view_only"}


def _meant_by_participation(store: Store, values: Values) -> Values:
    return {**_default_role(store, values), **_granted(values)}


def _default_role(store: Store, values: Values) -> Values:
    if values.get("user_id") is None:
        return {}
    memberships = store.records("account_memberships")
    found = store.referring("account_memberships", "user_id", str(values["user_id"]))
    role = next((memberships[identity]["default_role_id"] for identity in found), None)
    return {"primary_role_id": role, "workspace_role_id": role}


def _become_resource(store: Store, identity: str, _: Values) -> None:
    participation = store.records("participations")[identity]
    shared = {name: participation[name] for name in ("workspace_id", "user_id")}
    role = participation["primary_role_id"]
    store.add("workspace_resources", {**shared, "participation_id": identity, "role_id": role})


def _participates_already(store: Store, switches: Switches, values: Values, earlier: list[Values]) -> list[Values]:
    if not switches.unique_participations:
        return []
    who = _who_and_where(values)
    participations = store.records("participations")
    there = (participations[found] for found in store.referring("participations", "workspace_id", who[1]))
    if who in map(_who_and_where, there) or who in map(_who_and_where, earlier):
        return [invalid_field("user is already a participant of the workspace", "user_id")]
    return []


def _who_and_where(values: Values) -> tuple[str, str]:
    return str(values.get("user_id") or ME), str(values.get("workspace_id"))


declare(
    "participations",
    CollectionRules(
        filters={
            "by_user": equal("user_id"),
            "by_user_full_name": USER_NAME,
            "mavens_only": flag(where("role", "maven")),
            "not_assigned_to_story": joined("assignments", "story_id", "assignee_id", own="user_id", negated=True),
            "not_following_story": joined("story_follows", "story_id", "follower_id", own="user_id", negated=True),
        },
        sort_keys={"user_name": name_beyond("users", "user_id")},
        associations={"active_role_ids": through("workspace_resources", "participation_id", "role_id")},
        has_owner=True,
        renamed={"team_lead": "is_team_lead"},
        meaning=_meant_by_participation,
        check=_unknown_permissions,
        check_new=_participates_already,
        created=_become_resource,
        belongings=(("workspace_resources", "participation_id"),),
    ),
)

declare(
    "workspace_groups",
    CollectionRules(
        filters={"companies_only": flag(present("company"))},
        associations={
            "rate_card_set_ids": inverse("rate_card_sets", "workspace_group_ids"),
            "workspace_ids": inverse("workspaces", "workspace_group_ids"),
        },
    ),
)


def _change_status(store: Store, _: str, values: Values) -> None:
    status = {"color": "green", "key": str(values["to_status_key"]), "message": "Changed"}
    store.update("workspaces", str(values["workspace_id"]), {"status": status})


declare(
    "workspace_status_changes",
    CollectionRules(
        meaning=lambda _, values: {"to_status_key": str(values["to_status_key"])},
        created=_change_status,
    ),
)
declare("project_snapshots", CollectionRules(renamed={"replace_baseline": "is_baseline"}))


@nested_field("add_workspace_ids")
def _add_workspaces(store: Store, _: str, identity: str, value: list[Any]) -> None:
    for workspace in map(str, value):
        groups = store.records("workspaces")[workspace]["workspace_group_ids"]
        if identity not in groups:
            store.update("workspaces", workspace, {"workspace_group_ids": [*groups, identity]})


@nested_field("remove_workspace_ids")
def _remove_workspaces(store: Store, _: str, identity: str, value: list[Any]) -> None:
    for workspace in map(str, value):
        groups = store.records("workspaces")[workspace]["workspace_group_ids"]
        store.update("workspaces", workspace, {"workspace_group_ids": [group for group in groups if group != identity]})


@nested_field("participations")
def _gather_team(store: Store, _: str, identity: str, value: list[Values]) -> None:
    for member in value:
        made = {"workspace_id": identity, "user_id": member.get("user_id"), "access_level": member.get("access")}
        create(store, "participations", {**made, "role": "maven"})


route("PUT", "/workspaces/{id}/unarchive_with_approvals")(setting(archived=False))


def _toggling(attribute: str) -> Handler:
    def handle(company: Company, call: ParsedRequest) -> Answer:
        workspace = existing(company, "workspaces", call.id)
        enable = company.checked(call, "workspaces").get("enable", not workspace[attribute])
        company.store.update("workspaces", call.id, {attribute: enable})
        return company.changed(call, call.id)

    return handle


route("PUT", "/workspaces/{id}/toggle_expense_approvals")(_toggling("require_expense_approvals"))
route("PUT", "/workspaces/{id}/toggle_time_approvals")(_toggling("require_time_approvals"))


@route("POST", "/workspaces/{id}/invite")
def invite(company: Company, call: ParsedRequest) -> Answer:
    """Invite a person by e-mail address; one who has an account joins at once."""
    store = company.store
    existing(company, "workspaces", call.id)
    values = company.checked(call, "workspaces")
    for user in store.referring("users", "email_address", values["email_address"]):
        create(store, "participations", {"workspace_id": call.id, "user_id": user, "role": values["invitee_role"]})
    made = create(store, "workspace_invitations", {**values, "workspace_id": call.id, "inviter_id": ME})
    return company.present(call, [made])


@route("GET", "/workspaces/{id}/permissions")
def permissions(company: Company, call: ParsedRequest) -> Answer:
    """What the caller, an administrator, may do to a project: everything."""
    existing(company, "workspaces", call.id)
    shape = call.operation.response_other
    return json_answer({field.name: True for field in shape.fields} if shape else {})


@route("PUT", "/workspace_task_status_sets/bulk_update")
def set_status_sets(company: Company, call: ParsedRequest) -> Answer:
    """Give projects their task status sets, all or none."""
    store = company.store
    made = []
    for row in company.rows(call, "workspace_task_status_sets"):
        store.update("workspaces", str(row["workspace_id"]), {"task_status_set_id": row["status_set_id"]})
        for old in store.referring("workspace_task_status_sets", "workspace_id", str(row["workspace_id"])):
            store.delete("workspace_task_status_sets", old)
        made.append(store.add("workspace_task_status_sets", row))
    return company.present(call, made)
