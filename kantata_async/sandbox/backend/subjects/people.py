"""People: users, account memberships, roles, skills, groups of users, organizations."""

from __future__ import annotations

from ..account import ME
from ..answer import Answer
from ..associations import first, inverse, through
from ..company import Call, Company
from ..predicates import (
    Predicate,
    absent,
    among,
    beyond,
    containing,
    equal,
    everything,
    flag,
    joined,
    outside,
    present,
)
from ..routes import route
from ..rules import Finder, Guard, Hidden, Values, declare, part
from ..sort_keys import name_beyond, of_attribute
from ..standard_handlers import existing
from ..store import Record, Store
from ..uploads import UploadedFile
from ..writing import deleted_now, update
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


def _photo(_: Store, values: Values) -> Values:
    photo = values.get("profile_photo_attachment_file")
    return {"photo_path": f"https://photos.example/{photo.filename}"} if isinstance(photo, UploadedFile) else {}


declare(
    "users",
    filters={
        "account_role_ids": joined("account_memberships", "default_role_id", "user_id"),
        "by_email_addresses": among("email_address"),
        "consultants_only": flag(is_member),
        "managers": flag(lambda store, r: store.referring("account_memberships", "manager_id", r["id"])),
        "not_assigned_to": joined("assignments", "story_id", "assignee_id", negated=True),
        "not_following": joined("story_follows", "story_id", "follower_id", negated=True),
        "not_participant_in": joined("participations", "workspace_id", "user_id", negated=True),
        "on_my_account": flag(is_member),
        "participant_in": joined("participations", "workspace_id", "user_id"),
        "with_created_estimates": flag(lambda store, r: store.referring("estimates", "creator_id", r["id"])),
        "with_users": among("id"),
        "without_skills": joined("skill_memberships", "skill_id", "user_id", negated=True),
        "without_users": outside("id"),
    },
    hidden=Hidden(_visible_users, ("show_disabled",)),
    associations={
        "account_membership_id": first(inverse("account_memberships", "user_id")),
        "manager_id": _of_membership("manager_id"),
        "role_id": _of_membership("default_role_id"),
        "skill_ids": through("skill_memberships", "user_id", "skill_id"),
    },
    meaning=_photo,
)

declare(
    "account_memberships",
    filters={
        "by_full_name": USER_NAME,
        "can_log_in": equal("can_log_in"),
        "matching": USER_NAME,
        "only_active": flag(absent("disabled_at")),
        "only_inactive": flag(present("disabled_at")),
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
)


def _marked_while_in_use(store: Store, record: Record) -> Values | None:
    used = (
        ("account_memberships", "default_role_id"),
        ("workspace_resources", "role_id"),
        ("rate_card_roles", "role_id"),
    )
    in_use = any(store.referring(collection, attribute, record["id"]) for collection, attribute in used)
    return deleted_now(store, record) if in_use else None


declare("roles", filters={"only_active": flag(absent("deleted_at"))}, marked=_marked_while_in_use)

declare(
    "skills",
    filters={
        "except": outside("id"),
        "for_users": joined("skill_memberships", "user_id", "skill_id"),
        "skill_category_ids": among("skill_category_id"),
        "unassigned_skills_for_user": joined("skill_memberships", "user_id", "skill_id", negated=True),
        "unassigned_skills_for_workspace_resource": joined(
            "workspace_resource_skills", "workspace_resource_id", "skill_id", negated=True
        ),
    },
    belongings=(("skill_memberships", "skill_id"),),
)

declare(
    "skill_memberships",
    filters={
        "active_account_members_only": flag(lambda store, record: not is_disabled(store, record["user_id"])),
        "by_user_name": USER_NAME,
        "workspace_id": joined("participations", "workspace_id", "user_id", own="user_id"),
    },
    sort_keys={"full_name": name_beyond("users", "user_id"), "skill_name": name_beyond("skills", "skill_id")},
)

declare("user_group_memberships", filters={"group_ids": among("workspace_group_id")})
declare("organizations", filters={"type": equal("type")})


@part("organizations")
def _join_organizations(store: Store, _: str, identity: str, value: list[Values]) -> None:
    for membership in value:
        store.add("organization_memberships", {**membership, "member_id": identity, "member_type": "workspace"})


route("PUT", "/account_memberships/{id}/enable")(setting(disabled_at=None, can_log_in=True))


@route("PUT", "/account_memberships/{id}/disable")
def disable(company: Company, call: Call) -> Answer:
    """Disable a member of the account."""
    existing(company, "account_memberships", call.id)
    disabled = {"disabled_at": company.store.clock.tick(), "can_log_in": False}
    company.store.update("account_memberships", call.id, disabled)
    return company.changed(call, call.id)


@route("GET", "/users/me")
def me(company: Company, call: Call) -> Answer:
    """The user whose token it is."""
    return company.present(call, [ME])


@route("POST", "/users/{id}/profile_photo")
def set_profile_photo(company: Company, call: Call) -> Answer:
    """Take an uploaded photo as the user's."""
    existing(company, "users", call.id)
    update(company.store, "users", call.id, company.checked(call, "users"))
    return company.present(call, [call.id])


@route("DELETE", "/users/{id}/profile_photo")
def reset_profile_photo(company: Company, call: Call) -> Answer:
    """Go back to having no photo."""
    existing(company, "users", call.id)
    company.store.update("users", call.id, {"photo_path": None})
    return Answer(call.operation.status)
