"""People: users, account memberships, roles, skills, groups of users, organizations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from ..account import ACCOUNT, ME
from ..answer import Answer
from ..associations import first, inverse, through
from ..company import Company, ParsedRequest
from ..predicates import (
    FilterRule,
    Predicate,
    absent,
    among,
    beyond,
    containing,
    equal,
    everything,
    flag,
    joined,
    matching,
    outside,
    overlapping,
    present,
)
from ..refusals import invalid
from ..routes import route
from ..rules import CollectionRules, Finder, Guard, Hidden, Values, declare
from ..sort_keys import name_beyond, of_attribute
from ..standard_handlers import existing
from ..store import Record, Store
from ..uploads import UploadedFile
from ..writing import deleted_now
from .organizations import belonging_to, in_an_organization
from .setting import setting

USER_NAME = beyond("users", "user_id", containing("full_name"))


def is_disabled(store: Store, user_id: str | None) -> bool:
    """Whether a user's membership of the account is disabled."""
    memberships = store.records("account_memberships")
    found = store.referring("account_memberships", "user_id", user_id)
    return any(memberships[identity]["disabled_at"] for identity in found)


def is_member(store: Store, user: Record) -> bool:
    """Whether a user is a member of the account."""
    return bool(store.referring("account_memberships", "user_id", user["id"]))


def _visible_users(store: Store, given: Values) -> Predicate:
    return everything if given.get("show_disabled") else lambda record: not is_disabled(store, record["id"])


def _of_membership(attribute: str) -> Finder:
    return first(through("account_memberships", "user_id", attribute))


def _possible_managers(store: Store, record: Record) -> list[str]:
    return [
        membership["user_id"]
        for membership in store.records("account_memberships").values()
        if membership["is_project_lead"] and membership["user_id"] != record["user_id"]
    ]


def _possible_managees(store: Store, record: Record) -> list[str]:
    memberships = store.records("account_memberships").values()
    return [membership["user_id"] for membership in memberships if membership["user_id"] != record["user_id"]]


def _membership(store: Store, user: Record) -> Record:
    """A user's membership of the account, where there is one."""
    found = store.referring("account_memberships", "user_id", user["id"])
    return next((store.records("account_memberships")[identity] for identity in found), {})


def _of_account(store: Store, value: Any) -> Predicate:
    return lambda user: str(value) == ACCOUNT and is_member(store, user)


def _projects_of(store: Store, user: str) -> set[str | None]:
    participations = store.records("participations")
    found = store.referring("participations", "user_id", user)
    return {participations[identity]["workspace_id"] for identity in found}


def _shares_a_project(store: Store, user: Record) -> bool:
    return not _projects_of(store, user["id"]).isdisjoint(_projects_of(store, ME))


def _member_or_participant(store: Store, value: Any) -> Predicate:
    return lambda user: is_member(store, user) or str(value) in _projects_of(store, user["id"])


def _participations_in(store: Store, workspace: Any, condition: Callable[[Record], Any]) -> set[str | None]:
    """The users who take part in a project in a certain way."""
    participations = store.records("participations")
    found = (participations[identity] for identity in store.referring("participations", "workspace_id", str(workspace)))
    return {participation["user_id"] for participation in found if condition(participation)}


def _participating(condition: Callable[[Record], Any]) -> FilterRule:
    def rule(store: Store, value: Any) -> Predicate:
        users = _participations_in(store, value, condition)
        return lambda user: user["id"] in users

    return rule


def _assignable_to_resource(store: Store, value: Any) -> Predicate:
    """Members of the account who are not on the resource's project in the same role already."""
    resources = store.records("workspace_resources")
    wanted = resources.get(str(value), {})
    found = store.referring("workspace_resources", "workspace_id", wanted.get("workspace_id"))
    beside = (resources[identity] for identity in found)
    taken = {other["user_id"] for other in beside if other["role_id"] == wanted.get("role_id")}
    return lambda user: bool(wanted) and is_member(store, user) and user["id"] not in taken


def _potential_followers(store: Store, value: Any) -> Predicate:
    story = store.records("stories").get(str(value), {})
    follows = store.records("story_follows")
    following = {follows[link]["follower_id"] for link in store.referring("story_follows", "story_id", str(value))}
    there = _participations_in(store, story.get("workspace_id"), lambda _: True)
    return lambda user: user["id"] in there - following


def _by_name_or_role(store: Store, value: Any) -> Predicate:
    wanted = str(value).casefold()

    def keep(user: Record) -> bool:
        role = store.records("roles").get(_membership(store, user).get("default_role_id") or "", {})
        return wanted in str(user["full_name"]).casefold() or wanted in str(role.get("name") or "").casefold()

    return keep


def _skilled(own: str) -> FilterRule:
    """Records whose user has skills at levels: ``{"7": [4, 5], "9": [], "operation": "or"}``, as text."""

    def rule(store: Store, value: Any) -> Predicate:
        asked = msgspec.json.decode(str(value))
        combine = any if asked.pop("operation", "and") == "or" else all
        memberships = store.records("skill_memberships")

        def keep(record: Record) -> bool:
            found = (memberships[link] for link in store.referring("skill_memberships", "user_id", record[own]))
            levels = {held["skill_id"]: held["level"] for held in found}
            return combine(
                skill in levels and (not wanted or levels[skill] in {int(level) for level in wanted})
                for skill, wanted in asked.items()
            )

        return keep

    return rule


def _without_submission(store: Store, value: Any) -> Predicate:
    """The participants of a project without a timesheet in a span of days: ``project:from:to``."""
    workspace, first, last = str(value).split(":")
    there = _participations_in(store, workspace, lambda _: True)
    submissions = store.records("timesheet_submissions")
    covering = overlapping("start_date", "end_date")(store, f"{first}:{last}")
    found = (submissions[link] for link in store.referring("timesheet_submissions", "workspace_id", workspace))
    submitted = {sheet["user_id"] for sheet in found if covering(sheet)}
    return lambda user: user["id"] in there - submitted


declare(
    "users",
    CollectionRules(
        filters={
            "account_id": _of_account,
            "account_role_ids": joined("account_memberships", "default_role_id", "user_id"),
            "all_contacts": flag(lambda store, user: is_member(store, user) or _shares_a_project(store, user)),
            "assignable_to_resource": _assignable_to_resource,
            "belonging_to_orgs": belonging_to("user"),
            "by_email_addresses": among("email_address"),
            "by_full_name_or_account_role": _by_name_or_role,
            "can_be_approver_in_workspace": _participating(lambda participation: participation["role"] == "maven"),
            "can_view_reports": matching(lambda store, user: _membership(store, user).get("can_view_reports")),
            "clients_only": flag(lambda store, user: not is_member(store, user)),
            "consultants_only": flag(is_member),
            "contacts_on_different_account": flag(
                lambda store, user: not is_member(store, user) and _shares_a_project(store, user)
            ),
            "is_project_lead": matching(lambda store, user: _membership(store, user).get("is_project_lead")),
            "managers": flag(lambda store, r: store.referring("account_memberships", "manager_id", r["id"])),
            "not_assigned_to": joined("assignments", "story_id", "assignee_id", negated=True),
            "not_following": joined("story_follows", "story_id", "follower_id", negated=True),
            "not_on_calendars": joined("holiday_calendar_memberships", "holiday_calendar_id", "user_id", negated=True),
            "not_participant_in": joined("participations", "workspace_id", "user_id", negated=True),
            "on_my_account": flag(is_member),
            "on_my_account_or_participant_in_workspace": _member_or_participant,
            "only_possible_managees": flag(lambda store, user: is_member(store, user) and user["id"] != ME),
            "only_possible_managers": flag(lambda store, user: _membership(store, user).get("is_project_lead")),
            "participant_in": joined("participations", "workspace_id", "user_id"),
            "potential_followers_for_story": _potential_followers,
            "provider_leads_on_account_projects": flag(
                lambda store, user: store.referring("workspaces", "primary_maven_id", user["id"])
            ),
            "show_users_in_insights_groups": flag(
                lambda store, user: store.referring("insights_access_group_memberships", "user_id", user["id"])
            ),
            "with_created_estimates": flag(lambda store, r: store.referring("estimates", "creator_id", r["id"])),
            "with_organizations": matching(in_an_organization("user")),
            "with_skills": _skilled("id"),
            "with_users": among("id"),
            "without_timesheet_submission": _without_submission,
            "without_skills": joined("skill_memberships", "skill_id", "user_id", negated=True),
            "without_users": outside("id"),
            "write_access_in": _participating(lambda participation: participation["can_edit"]),
        },
        hidden=Hidden(_visible_users, ("show_disabled",)),
        associations={
            "account_membership_id": first(inverse("account_memberships", "user_id")),
            "manager_id": _of_membership("manager_id"),
            "role_id": _of_membership("default_role_id"),
            "skill_ids": through("skill_memberships", "user_id", "skill_id"),
        },
        files=("photo_path",),
    ),
)

declare(
    "account_memberships",
    CollectionRules(
        filters={
            "by_full_name": USER_NAME,
            "can_log_in": equal("can_log_in"),
            "only_active": flag(absent("disabled_at")),
            "only_inactive": flag(present("disabled_at")),
            "with_skills": _skilled("user_id"),
            "with_user_ids": among("user_id"),
        },
        sort_keys={
            "bill_rate": of_attribute("bill_rate_in_cents"),
            "cost_rate": of_attribute("cost_rate_in_cents"),
            "full_name": name_beyond("users", "user_id"),
            "role": name_beyond("roles", "default_role_id"),
        },
        associations={
            "backup_approver_association_ids": inverse("backup_approver_associations", "approver_id", "user_id"),
            "managee_ids": through("account_memberships", "manager_id", "user_id", own="user_id"),
            "possible_managee_ids": _possible_managees,
            "possible_manager_ids": _possible_managers,
            "skill_membership_ids": inverse("skill_memberships", "user_id", "user_id"),
        },
        guard=Guard(lambda _, record: record["is_owner"], "The account owner cannot be removed"),
    ),
)


def _marked_while_in_use(store: Store, record: Record) -> Values | None:
    used = (
        ("account_memberships", "default_role_id"),
        ("workspace_resources", "role_id"),
        ("rate_card_roles", "role_id"),
    )
    in_use = any(store.referring(collection, attribute, record["id"]) for collection, attribute in used)
    return deleted_now(store, record) if in_use else None


def _of_versions(store: Store, versions: Iterable[str]) -> set[str | None]:
    """The roles for which versions of rate cards have rates."""
    rates = store.records("rate_card_roles")
    return {
        rates[found]["role_id"]
        for version in versions
        for found in store.referring("rate_card_roles", "rate_card_version_id", version)
    }


def _on_rate_card(store: Store, card: str | None) -> Predicate:
    roles = _of_versions(store, store.referring("rate_card_versions", "rate_card_id", card))
    return lambda role: role["id"] in roles


def _on_rate_card_of(collection: str) -> FilterRule:
    return lambda store, value: _on_rate_card(store, store.records(collection).get(str(value), {}).get("rate_card_id"))


def _not_on_set_version(store: Store, value: Any) -> Predicate:
    roles = _of_versions(store, store.referring("rate_card_versions", "rate_card_set_version_id", str(value)))
    return lambda role: role["id"] not in roles


declare(
    "roles",
    CollectionRules(
        filters={
            "for_rate_card": lambda store, value: _on_rate_card(store, str(value)),
            "for_scenario_rate_card": _on_rate_card_of("estimate_scenarios"),
            "for_workspace": joined("workspace_resources", "workspace_id", "role_id"),
            "for_workspace_rate_card": _on_rate_card_of("workspaces"),
            "not_on_rate_card_set_version": _not_on_set_version,
            "only_active": flag(absent("deleted_at")),
        },
        marked=_marked_while_in_use,
    ),
)

declare(
    "skills",
    CollectionRules(
        filters={
            "except": outside("id"),
            "for_users": joined("skill_memberships", "user_id", "skill_id"),
            "skill_category_ids": among("skill_category_id"),
            "unassigned_skills_for_estimate_scenario_resource": joined(
                "estimate_scenario_resource_skills", "estimate_scenario_resource_id", "skill_id", negated=True
            ),
            "unassigned_skills_for_project_template_assignment": joined(
                "project_template_assignment_skills", "project_template_assignment_id", "skill_id", negated=True
            ),
            "unassigned_skills_for_user": joined("skill_memberships", "user_id", "skill_id", negated=True),
            "unassigned_skills_for_workspace_resource": joined(
                "workspace_resource_skills", "workspace_resource_id", "skill_id", negated=True
            ),
        },
        belongings=(("skill_memberships", "skill_id"),),
    ),
)

declare(
    "skill_memberships",
    CollectionRules(
        filters={
            "active_account_members_only": flag(lambda store, record: not is_disabled(store, record["user_id"])),
            "by_user_name": USER_NAME,
            "workspace_id": joined("participations", "workspace_id", "user_id", own="user_id"),
        },
        sort_keys={"full_name": name_beyond("users", "user_id"), "skill_name": name_beyond("skills", "skill_id")},
    ),
)

declare("user_group_memberships", CollectionRules(filters={"group_ids": among("workspace_group_id")}))
declare(
    "insights_access_group_memberships",
    CollectionRules(filters={"by_access_group_id": equal("insights_access_group_id")}),
)

route("PUT", "/account_memberships/{id}/enable")(setting(disabled_at=None, can_log_in=True))


@route("PUT", "/account_memberships/{id}/disable")
def disable(company: Company, call: ParsedRequest) -> Answer:
    """Disable a member of the account."""
    existing(company, "account_memberships", call.id)
    disabled = {"disabled_at": company.store.clock.tick(), "can_log_in": False}
    company.store.update("account_memberships", call.id, disabled)
    return company.changed(call, call.id)


@route("GET", "/users/me")
def me(company: Company, call: ParsedRequest) -> Answer:
    """The user to whom the token belongs."""
    return company.present(call, [ME])


@route("POST", "/users/{id}/profile_photo")
def set_profile_photo(company: Company, call: ParsedRequest) -> Answer:
    """Make an uploaded photo the user's."""
    existing(company, "users", call.id)
    photo = company.checked(call, "users").get("profile_photo_attachment_file")
    if not isinstance(photo, UploadedFile):
        raise invalid("profile_photo_attachment_file can't be blank", "profile_photo_attachment_file")
    path = company.files.put("photos", call.id, photo.filename, photo.content, photo.content_type)
    company.store.update("users", call.id, {"photo_path": path})
    return company.present(call, [call.id])


@route("DELETE", "/users/{id}/profile_photo")
def reset_profile_photo(company: Company, call: ParsedRequest) -> Answer:
    """Remove the user's photo."""
    existing(company, "users", call.id)
    company.files.remove("photos", call.id)
    company.store.update("users", call.id, {"photo_path": None})
    return Answer(call.operation.status)
