"""Resourcing: assignments, allocations, resources, requests, working hours, holidays and time off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from ..account import ME
from ..answer import Answer, json_answer
from ..company import Company, ParsedRequest
from ..predicates import (
    Predicate,
    absent,
    among,
    beyond,
    equal,
    everything,
    flag,
    in_force,
    joined,
    matching,
    overlapping,
    present,
    where,
)
from ..refusals import invalid
from ..routes import route
from ..rules import CollectionRules, Hidden, Values, declare, nested_field
from ..sort_keys import name_beyond
from ..standard_handlers import existing
from ..store import Record, Store
from .organizations import organizations_of
from .projects import is_archived
from .tasks import is_archived_story, story_of

WORKDAY_HOURS: Final = 8


def _resource(store: Store, record: Record, ref: str) -> Record | None:
    return store.records("workspace_resources").get(record.get(ref) or "")


def _unnamed(store: Store, record: Record) -> bool:
    resource = _resource(store, record, "resource_id")
    return resource is not None and not resource["user_id"]


def _unnamed_allocation(store: Store, record: Record) -> bool:
    resource = _resource(store, record, "workspace_resource_id")
    return resource is not None and not resource["user_id"]


def _visible_assignments(store: Store, given: Values) -> Predicate:
    return everything if given.get("include_unnamed") else lambda record: not _unnamed(store, record)


def _plannable(store: Store, assignment: Record) -> bool:
    """Whether hours can be planned for an assignment: it is current, and its task has both its dates."""
    story = story_of(store, assignment)
    return bool(assignment["current"] and story.get("start_date") and story.get("due_date"))


def _visible_days(store: Store, given: Values) -> Predicate:
    assignments = store.records("assignments")
    unnamed, only_members = given.get("include_unnamed"), given.get("only_my_account")

    def keep(record: Record) -> bool:
        assignment = assignments.get(record["assignment_id"] or "", {})
        if not unnamed and _unnamed(store, assignment):
            return False
        return not only_members or bool(
            store.referring("account_memberships", "user_id", assignment.get("assignee_id"))
        )

    return keep


declare(
    "assignments",
    CollectionRules(
        filters={
            "in_unarchived_stories": flag(lambda store, r: not is_archived_story(store, r["story_id"])),
            "in_unarchived_workspaces": flag(
                lambda store, r: not is_archived(store, story_of(store, r).get("workspace_id"))
            ),
            "plannable": matching(_plannable),
            "uncurrent": flag(absent("current")),
            "workspace_id": beyond("stories", "story_id", equal("workspace_id")),
        },
        hidden=Hidden(_visible_assignments, ("include_unnamed",)),
        marked=lambda _, __: {"current": False},
    ),
)

declare(
    "story_allocation_days",
    CollectionRules(
        filters={
            "assignee_id": beyond("assignments", "assignment_id", equal("assignee_id")),
            "in_unarchived_stories": flag(lambda store, r: not is_archived_story(store, r["story_id"])),
            "in_unarchived_workspaces": flag(lambda store, r: not is_archived(store, r["workspace_id"])),
            "uncurrent": flag(absent("current")),
        },
        hidden=Hidden(_visible_days, ("include_unnamed", "only_my_account")),
    ),
)

declare(
    "workspace_allocations",
    CollectionRules(
        filters={
            "named_resources_only": flag(lambda store, record: not _unnamed_allocation(store, record)),
            "overlaps_with_date_range": overlapping("start_date", "end_date"),
            "type": lambda _, value: lambda record: bool(record["hard"]) is (value == "hard"),
            "unnamed_resources_only": flag(_unnamed_allocation),
            "user_ids": beyond("workspace_resources", "workspace_resource_id", among("user_id")),
            "workspace_ids": beyond("workspace_resources", "workspace_resource_id", among("workspace_id")),
        },
        renamed={"resource_id": "workspace_resource_id"},
    ),
)


def _in_organization(store: Store, resource: Record) -> bool:
    return bool(resource.get("organization_membership_id")) or bool(
        resource["user_id"] and organizations_of(store, "user", resource["user_id"])
    )


def _of_story(store: Store, value: Any) -> Predicate:
    """The resources of a task's project that are not assigned to it yet."""
    story = store.records("stories").get(str(value), {})
    assignments = store.records("assignments")
    taken = {assignments[link]["resource_id"] for link in store.referring("assignments", "story_id", str(value))}
    return lambda resource: resource["workspace_id"] == story.get("workspace_id") and resource["id"] not in taken


def _named_of_story(store: Store, value: Any) -> Predicate:
    assignable = _of_story(store, value)
    return lambda resource: bool(resource["user_id"]) and assignable(resource)


def _for_reassignment(store: Store, value: Any) -> Predicate:
    """The resources that could take over an assignment: those that are not assigned to its task."""
    assignment = store.records("assignments").get(str(value), {})
    return _of_story(store, assignment.get("story_id"))


def _provider_or_unnamed(store: Store, resource: Record) -> bool:
    participation = store.records("participations").get(resource["participation_id"] or "", {})
    return not resource["user_id"] or participation.get("role") == "maven"


declare(
    "workspace_resources",
    CollectionRules(
        filters={
            "include_unnamed": lambda _, value: everything if value else lambda resource: bool(resource["user_id"]),
            "only_unnamed": flag(absent("user_id")),
            "potential_workspace_resource_for_story_with_unnamed_resources": _of_story,
            "potential_workspace_resources_for_reassignment": _for_reassignment,
            "potential_workspace_resources_for_story": _named_of_story,
            "providers": flag(present("user_id")),
            "providers_with_unnamed": flag(_provider_or_unnamed),
            "with_organizations": matching(_in_organization),
        },
        names={"display_label": "user_id", "full_name": "user_id"},
        belongings=(("assignments", "resource_id"), ("workspace_allocations", "workspace_resource_id")),
    ),
)

declare("workspace_resource_skills", CollectionRules(sort_keys={"skill_name": name_beyond("skills", "skill_id")}))

declare(
    "resource_requests",
    CollectionRules(
        filters={
            "pending_requests_only": flag(where("status", "new")),
            "requests_for_approver": among("approver_ids"),
        },
    ),
)

_PARTICIPANTS: Final = joined("participations", "workspace_id", "user_id", own="user_id")

declare("workweeks", CollectionRules(filters={"effective_date": in_force("start_date", "end_date")}))
declare(
    "workweek_memberships",
    CollectionRules(
        filters={
            "effective_date": in_force("start_date", "end_date"),
            "participants_for_workspace_id": _PARTICIPANTS,
            "participating_with": flag(where("user_id", ME)),
        },
    ),
)
declare(
    "holidays",
    CollectionRules(
        filters={
            "not_on_calendars": joined(
                "holiday_calendar_associations", "holiday_calendar_id", "holiday_id", negated=True
            ),
        },
    ),
)
declare("holiday_calendars", CollectionRules(belongings=(("holiday_calendar_memberships", "holiday_calendar_id"),)))
declare(
    "time_off_entries",
    CollectionRules(
        filters={
            "end_date": lambda _, value: lambda record: str(record["requested_date"]) <= value.isoformat(),
            "start_date": lambda _, value: lambda record: str(record["requested_date"]) >= value.isoformat(),
            "workspace_id": _PARTICIPANTS,
        },
    ),
)


@nested_field("holiday_calendar_ids")
def _calendars(store: Store, _: str, identity: str, value: list[int]) -> None:
    for association in store.referring("holiday_calendar_associations", "holiday_id", identity):
        store.delete("holiday_calendar_associations", association)
    for calendar in value:
        store.add("holiday_calendar_associations", {"holiday_id": identity, "holiday_calendar_id": calendar})


@route("GET", "/users/{id}/capacity")
def capacity(company: Company, call: ParsedRequest) -> Answer:
    """A user's working hours, day by day."""
    existing(company, "users", ME if call.id == "me" else call.id)
    start: date = call.asked.filters["start_date"]
    end: date = call.asked.filters["end_date"]
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    hours = {day.isoformat(): WORKDAY_HOURS if day.weekday() < 5 else 0 for day in days}
    return json_answer({"start_date": start.isoformat(), "end_date": end.isoformat(), "hours": hours})


@route("POST", "/workspace_resources/allocations_matching_scheduled_hours")
def match_all_scheduled_hours(company: Company, call: ParsedRequest) -> Answer:
    """Set the allocations of the named resources to their scheduled hours."""
    rows = company.rows(call, "workspace_resources")
    named = [str(identity) for row in rows for identity in row["resource_ids"]]
    for identity in named:
        existing(company, "workspace_resources", identity)
    for identity in named:
        _match_hours(company, identity)
    return json_answer({"success": True})


@route("POST", "/workspace_resources/{id}/allocations_matching_scheduled_hours")
def match_scheduled_hours(company: Company, call: ParsedRequest) -> Answer:
    """Set the allocations of one resource to its scheduled hours."""
    existing(company, "workspace_resources", call.id)
    company.rows(call, "workspace_resources")
    _match_hours(company, call.id)
    return json_answer({"success": True})


def _match_hours(company: Company, identity: str) -> None:
    store = company.store
    assignments = store.referring("assignments", "resource_id", identity)
    minutes = sum(store.records("assignments")[found]["allocated_minutes"] or 0 for found in assignments)
    for found in store.referring("workspace_allocations", "workspace_resource_id", identity):
        store.update("workspace_allocations", found, {"minutes": minutes})


@route("PUT", "/workspace_allocations/split")
def split_allocation(company: Company, call: ParsedRequest) -> Answer:
    """Split an allocation in two, the second from a date on; the minutes are divided by days."""
    store, asked = company.store, call.asked.filters
    allocation = existing(company, "workspace_allocations", str(asked["workspace_allocation_id"]))
    start, end = (date.fromisoformat(allocation[name]) for name in ("start_date", "end_date"))
    split: date = asked["split_date"]
    if not start < split <= end:
        raise invalid("split_date must lie within the allocation", "split_date")
    later = allocation["minutes"] * ((end - split).days + 1) // ((end - start).days + 1)
    rest = {name: value for name, value in allocation.items() if name not in {"id", "created_at", "updated_at"}}
    made = store.add("workspace_allocations", {**rest, "start_date": split.isoformat(), "minutes": later})
    before = {"end_date": (split - timedelta(days=1)).isoformat(), "minutes": allocation["minutes"] - later}
    store.update("workspace_allocations", allocation["id"], before)
    return company.present(call, [allocation["id"], made])


@route("PUT", "/resource_requests/{id}")
def resolve_request(company: Company, call: ParsedRequest) -> Answer:
    """Approve, reject or cancel a resource request."""
    existing(company, "resource_requests", call.id)
    values = company.checked(call, "resource_requests")
    statuses = {"approve": "approved", "reject": "rejected", "cancel": "cancelled"}
    wanted = values["request_resolution_status"]
    if wanted not in statuses:
        raise invalid("request_resolution_status is not one of approve, reject, cancel", "request_resolution_status")
    company.store.update("resource_requests", call.id, {"status": statuses[wanted]})
    return company.changed(call, call.id)


@route("PUT", "/resource_requests/{id}/update_approver")
def update_approver(company: Company, call: ParsedRequest) -> Answer:
    """Change the approvers of a resource request."""
    existing(company, "resource_requests", call.id)
    approvers = [str(user) for user in company.checked(call, "resource_requests")["new_approver_id"]]
    company.store.update("resource_requests", call.id, {"approver_ids": approvers})
    return company.changed(call, call.id)


@route("PUT", "/workweek_memberships/standardize_to_default")
def standardize_workweek(company: Company, call: ParsedRequest) -> Answer:
    """Put a user on the account's default workweek from a date on."""
    store, values = company.store, company.checked(call, "workweek_memberships")
    default = next(iter(store.records("workweeks")), None)
    given = {"user_id": values.get("user_id", ME), "start_date": values.get("start_date")}
    return company.present(call, [store.add("workweek_memberships", {**given, "workweek_id": default})])
