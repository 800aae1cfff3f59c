"""What each filter of the catalogue keeps: explicit rules for those with a meaning of their own, then rules by name.

A filter that neither knows is taken and has no effect; `Filters.without_effect` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from kantata_async.catalogue import Catalogue, Field, Operation

from .parameters import moment, typed
from .references import ME
from .store import Record, Store, entries
from .words import collection_of_class

Predicate = Callable[[Record], bool]
Rule = Callable[[Store, Any], Predicate]
Values = Mapping[str, Any]


def _everything(_: Record) -> bool:
    return True


def _flag(keep: Callable[[Store, Record], Any]) -> Rule:
    """A boolean that narrows when true and does nothing when false."""
    return lambda store, value: (lambda record: bool(keep(store, record))) if value else _everything


def _equal(attribute: str) -> Rule:
    def rule(_: Store, value: Any) -> Predicate:
        wanted = value if isinstance(value, bool) else _comparable(value)
        return lambda record: any(_comparable(held) == wanted for held in entries(record.get(attribute)))

    return rule


def _among(attribute: str) -> Rule:
    def rule(_: Store, value: Any) -> Predicate:
        wanted = set(_texts(value))
        return lambda record: any(_comparable(held) in wanted for held in entries(record.get(attribute)))

    return rule


def _outside(attribute: str) -> Rule:
    return lambda _, value: lambda record: record.get(attribute) not in set(_texts(value))


def _containing(*attributes: str) -> Rule:
    def rule(_: Store, value: Any) -> Predicate:
        wanted = str(value).casefold()
        return lambda record: any(wanted in str(record.get(name) or "").casefold() for name in attributes)

    return rule


def _compared(attribute: str, after: bool) -> Rule:
    def rule(_: Store, value: Any) -> Predicate:
        def keep(record: Record) -> bool:
            held = _when(record.get(attribute), value)
            return held is not None and (held >= value if after else held <= value)

        return keep

    return rule


def _between(attribute: str) -> Rule:
    def rule(_: Store, value: Any) -> Predicate:
        first, _colon, last = str(value).partition(":")
        return lambda record: first <= str(record.get(attribute) or "")[:10] <= (last or "9")

    return rule


def _joined(collection: str, near: str, far: str, *, own: str = "id", negated: bool = False) -> Rule:
    """Records whose `own` is on the far side of a joining record that names the value on its near side."""

    def rule(store: Store, value: Any) -> Predicate:
        joining = store.records(collection)
        found = {
            joining[link].get(far) for wanted in _texts(value) for link in store.referring(collection, near, wanted)
        }
        return lambda record: (record.get(own) in found) is not negated

    return rule


def _beyond(collection: str, ref: str, rule: Rule) -> Rule:
    """A rule about the object that the record refers to."""

    def over(store: Store, value: Any) -> Predicate:
        keep, others = rule(store, value), store.records(collection)
        return lambda record: (other := others.get(record.get(ref) or "")) is not None and keep(other)

    return over


def _referenced(collection: str, attribute: str, *, negated: bool = False) -> Rule:
    def rule(store: Store, value: Any) -> Predicate:
        wanted = set(_texts(value))
        subjects = {
            reference["subject_ref"]["id"]
            for reference in store.records("external_references").values()
            if (reference.get("subject_ref") or {}).get("key") == collection and str(reference.get(attribute)) in wanted
        }
        return lambda record: (record["id"] in subjects) is not negated

    return rule


def _has_references(collection: str) -> Rule:
    def rule(store: Store, value: Any) -> Predicate:
        return lambda record: (
            bool(store.referring("external_references", "subject_ref", (collection, record["id"]))) is value
        )

    return rule


def _has_values(collection: str) -> Rule:
    def rule(store: Store, value: Any) -> Predicate:
        values = store.records("custom_field_values")
        subjects = {
            values[found]["subject_ref"]["id"]
            for field in _texts(value)
            for found in store.referring("custom_field_values", "custom_field_id", field)
            if values[found]["subject_ref"]["key"] == collection
        }
        return lambda record: record["id"] in subjects

    return rule


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(entry) for entry in value]
    return str(value).split(",")


def _comparable(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _when(held: Any, like: date) -> Any:
    if not held:
        return None
    return moment(held) if isinstance(like, datetime) else date.fromisoformat(held[:10])


def _disabled(store: Store, user_id: str | None) -> bool:
    memberships = store.records("account_memberships")
    found = store.referring("account_memberships", "user_id", user_id)
    return any(memberships[identity]["disabled_at"] for identity in found)


def _archived_workspace(store: Store, identity: str | None) -> bool:
    workspace = store.records("workspaces").get(identity or "")
    return workspace is not None and bool(workspace["archived"])


def _archived_story(store: Store, identity: str | None) -> bool:
    story = store.records("stories").get(identity or "")
    return story is not None and bool(story["archived"])


def _story(store: Store, record: Record) -> Record:
    return store.records("stories").get(record.get("story_id") or record.get("source_id") or "", {})


def _unnamed(store: Store, record: Record) -> bool:
    resource = store.records("workspace_resources").get(record.get("resource_id") or "")
    return resource is not None and not resource["user_id"]


def _unnamed_allocation(store: Store, record: Record) -> bool:
    resource = store.records("workspace_resources").get(record.get("workspace_resource_id") or "")
    return resource is not None and not resource["user_id"]


def _about(part: str) -> Rule:
    """Records about a subject, by its id or by its class."""

    def rule(_: Store, value: Any) -> Predicate:
        wanted = collection_of_class(value) if part == "key" else str(value)
        return lambda record: (record.get("subject_ref") or {}).get(part) == wanted

    return rule


def _is_manager(store: Store, record: Record) -> bool:
    return bool(store.referring("account_memberships", "manager_id", record["id"]))


def _has_estimates(store: Store, record: Record) -> bool:
    return bool(store.referring("estimates", "creator_id", record["id"]))


def _current_user_participates(store: Store, value: Any) -> Predicate:
    return _joined("participations", "user_id", "workspace_id")(store, ME) if value else _everything


def _where(attribute: str, *wanted: Any) -> Callable[[Store, Record], bool]:
    return lambda _, record: record.get(attribute) in wanted


def _set(attribute: str) -> Callable[[Store, Record], bool]:
    return lambda _, record: bool(record.get(attribute))


def _unset(attribute: str) -> Callable[[Store, Record], bool]:
    return lambda _, record: not record.get(attribute)


def _choice(attribute: str) -> Rule:
    """`only`, `exclude` or `include` of what an attribute marks."""

    def rule(_: Store, value: Any) -> Predicate:
        if value == "include":
            return _everything
        return lambda record: bool(record.get(attribute)) is (value == "only")

    return rule


def _covers(start: str, end: str) -> Rule:
    def rule(_: Store, value: Any) -> Predicate:
        first, _colon, last = str(value).partition(":")
        return lambda record: str(record.get(start) or "") <= (last or "9") and str(record.get(end) or "9") >= first

    return rule


def _effective(start: str) -> Rule:
    return lambda _, value: lambda record: str(record.get(start) or "") <= value.isoformat()


_USER_NAME: Final = _beyond("users", "user_id", _containing("full_name"))

_EXPLICIT: Final[dict[tuple[str, str], Rule]] = {
    ("account_colors", "enabled_only"): _flag(_set("enabled")),
    ("account_invitations", "only_pending"): _flag(_set("pending")),
    ("account_locations", "archived"): _choice("archived"),
    ("account_memberships", "by_full_name"): _USER_NAME,
    ("account_memberships", "can_log_in"): _equal("can_log_in"),
    ("account_memberships", "matching"): _USER_NAME,
    ("account_memberships", "only_active"): _flag(_unset("disabled_at")),
    ("account_memberships", "only_inactive"): _flag(_set("disabled_at")),
    ("account_memberships", "with_user_ids"): _among("user_id"),
    ("assignments", "in_unarchived_stories"): _flag(lambda store, r: not _archived_story(store, r["story_id"])),
    ("assignments", "in_unarchived_workspaces"): _flag(
        lambda store, r: not _archived_workspace(store, _story(store, r).get("workspace_id"))
    ),
    ("assignments", "uncurrent"): _flag(_unset("current")),
    ("assignments", "workspace_id"): _beyond("stories", "story_id", _equal("workspace_id")),
    ("assignments", "workspace_ids"): _beyond("stories", "story_id", _among("workspace_id")),
    ("custom_field_choices", "for_choice_ids"): _among("id"),
    ("custom_field_choices", "for_custom_fields"): _among("custom_field_id"),
    ("custom_field_choices", "per_custom_field"): _equal("custom_field_id"),
    ("custom_field_values", "with_custom_field_id"): _among("custom_field_id"),
    ("custom_field_values", "with_setter_id"): _among("setter_id"),
    ("custom_field_values", "with_subject_id"): _among("subject_id"),
    ("custom_fields", "subject_type"): _beyond("custom_field_sets", "custom_field_set_id", _equal("subject_type")),
    ("estimates", "creator"): _beyond("users", "creator_id", _containing("full_name")),
    ("estimates", "with_workspace_group_ids"): _among("workspace_group_id"),
    ("expense_categories", "only_active"): _flag(_unset("deleted_at")),
    ("expense_report_submissions", "not_cancelled"): _flag(lambda _, r: r["status"] != "cancelled"),
    ("expense_report_submissions", "statuses"): _among("status"),
    ("expenses", "created_by"): _equal("user_id"),
    ("expenses", "date_expensed_between"): _between("date"),
    ("expenses", "in_active_invoice_id"): _equal("invoice_id"),
    ("expenses", "invoiced"): _equal("is_invoiced"),
    ("expenses", "mine"): _flag(_where("user_id", ME)),
    ("expenses", "submitted"): _flag(_set("active_submission_id")),
    ("expenses", "uninvoiced"): _flag(_unset("is_invoiced")),
    ("expenses", "unsubmitted"): _flag(_unset("active_submission_id")),
    ("expenses", "with_expense_report_id"): _equal("recent_submission_id"),
    ("expenses", "with_recent_expense_report_ids"): _among("recent_submission_id"),
    ("external_references", "last_synced_after"): _compared("last_synced_at", after=True),
    ("external_references", "last_synced_before"): _compared("last_synced_at", after=False),
    ("holidays", "by_holiday_calendar_id"): _joined(
        "holiday_calendar_associations", "holiday_calendar_id", "holiday_id"
    ),
    ("invoices", "paid"): _flag(_where("status", "accepted payment")),
    ("invoices", "pending"): _flag(_where("status", "new")),
    ("invoices", "within_dates"): _between("invoice_date"),
    ("invoices", "without_drafts"): _flag(_unset("draft")),
    ("invoices", "workspace_id"): _among("workspace_ids"),
    ("organizations", "type"): _equal("type"),
    ("participations", "by_user"): _equal("user_id"),
    ("participations", "by_user_full_name"): _USER_NAME,
    ("participations", "mavens_only"): _flag(_where("role", "maven")),
    ("participations", "not_assigned_to_story"): _joined(
        "assignments", "story_id", "assignee_id", own="user_id", negated=True
    ),
    ("participations", "not_following_story"): _joined(
        "story_follows", "story_id", "follower_id", own="user_id", negated=True
    ),
    ("posts", "parents_only"): _flag(_unset("reply")),
    ("project_accounting_records", "ids"): _among("id"),
    ("project_accounting_records", "status"): _among("status"),
    ("project_templates", "mine"): _flag(_where("user_id", ME)),
    ("rate_card_set_versions", "effective_on_date"): _effective("effective_date"),
    ("rate_cards", "currencies"): _among("currency"),
    ("rate_cards", "matching_title_or_currency"): _containing("rate_card_set_title", "currency"),
    ("rate_card_sets", "has_active_currency"): _among("active_currencies"),
    ("rate_card_sets", "workspace_groups"): _among("workspace_group_ids"),
    ("resource_requests", "pending_requests_only"): _flag(_where("status", "new")),
    ("resource_requests", "requests_for_approver"): _among("approver_ids"),
    ("roles", "only_active"): _flag(_unset("deleted_at")),
    ("skill_memberships", "active_account_members_only"): _flag(lambda store, r: not _disabled(store, r["user_id"])),
    ("skill_memberships", "by_user_name"): _USER_NAME,
    ("skills", "except"): _outside("id"),
    ("skills", "for_users"): _joined("skill_memberships", "user_id", "skill_id"),
    ("skills", "skill_category_ids"): _among("skill_category_id"),
    ("skills", "unassigned_skills_for_user"): _joined("skill_memberships", "user_id", "skill_id", negated=True),
    ("skills", "unassigned_skills_for_workspace_resource"): _joined(
        "workspace_resource_skills", "workspace_resource_id", "skill_id", negated=True
    ),
    ("stories", "active_between"): _covers("start_date", "due_date"),
    ("stories", "archived"): _choice("archived"),
    ("stories", "assigned_to_current_user"): _flag(
        lambda store, r: (
            ME
            in {
                store.records("assignments")[link]["assignee_id"]
                for link in store.referring("assignments", "story_id", r["id"])
            }
        )
    ),
    ("stories", "by_status"): _among("status"),
    ("stories", "by_workspace_group"): _beyond("workspaces", "workspace_id", _among("workspace_group_ids")),
    ("stories", "completed"): _flag(_where("state", "completed")),
    ("stories", "creators"): _among("creator_id"),
    ("stories", "not_assigned_to_resource"): _joined("assignments", "resource_id", "story_id", negated=True),
    ("stories", "not_assigned_to_user"): _joined("assignments", "assignee_id", "story_id", negated=True),
    ("stories", "only_archived"): _flag(_set("archived")),
    ("stories", "only_deleted"): _flag(_set("deleted_at")),
    ("stories", "only_todos"): _flag(_unset("project_plan")),
    ("stories", "parents_only"): _flag(_unset("parent_id")),
    ("stories", "starting_between"): _between("start_date"),
    ("stories", "story_types"): _among("story_type"),
    ("stories", "uncompleted"): _flag(lambda _, r: r["state"] != "completed"),
    ("stories", "with_ancestry_depth"): _equal("ancestry_depth"),
    ("stories", "with_assignees"): _joined("assignments", "assignee_id", "story_id"),
    ("stories", "with_followers"): _joined("story_follows", "follower_id", "story_id"),
    ("stories", "with_projects"): _among("workspace_id"),
    ("story_allocation_days", "assignee_id"): _beyond("assignments", "assignment_id", _equal("assignee_id")),
    ("story_allocation_days", "in_unarchived_stories"): _flag(
        lambda store, r: not _archived_story(store, r["story_id"])
    ),
    ("story_allocation_days", "in_unarchived_workspaces"): _flag(
        lambda store, r: not _archived_workspace(store, r["workspace_id"])
    ),
    ("story_allocation_days", "uncurrent"): _flag(_unset("current")),
    ("survey_questions", "included_on_template"): lambda store, value: (
        lambda record: (
            record["id"] in (store.records("survey_templates").get(str(value)) or {}).get("survey_question_ids", ())
        )
    ),
    ("time_entries", "created_by"): _equal("user_id"),
    ("time_entries", "date_performed_between"): _between("date_performed"),
    ("time_entries", "in_active_invoice_id"): _equal("invoice_id"),
    ("time_entries", "in_active_submission"): lambda _, value: lambda r: bool(r["active_submission_id"]) is value,
    ("time_entries", "invoiced"): _equal("is_invoiced"),
    ("time_entries", "uninvoiced"): _flag(_unset("is_invoiced")),
    ("time_entries", "with_recent_timesheet_ids"): _among("recent_submission_id"),
    ("time_entries", "with_timesheet_id"): _equal("active_submission_id"),
    ("time_entries", "with_user_ids"): _among("user_id"),
    ("time_off_entries", "end_date"): lambda _, value: lambda r: str(r["requested_date"]) <= value.isoformat(),
    ("time_off_entries", "start_date"): lambda _, value: lambda r: str(r["requested_date"]) >= value.isoformat(),
    ("timesheet_submissions", "not_cancelled"): _flag(lambda _, r: r["status"] != "cancelled"),
    ("timesheet_submissions", "statuses"): _among("status"),
    ("user_group_memberships", "group_ids"): _among("workspace_group_id"),
    ("users", "account_role_ids"): _joined("account_memberships", "default_role_id", "user_id"),
    ("users", "by_email_addresses"): _among("email_address"),
    ("users", "consultants_only"): _flag(
        lambda store, r: bool(store.referring("account_memberships", "user_id", r["id"]))
    ),
    ("users", "managers"): _flag(_is_manager),
    ("users", "not_assigned_to"): _joined("assignments", "story_id", "assignee_id", negated=True),
    ("users", "not_following"): _joined("story_follows", "story_id", "follower_id", negated=True),
    ("users", "not_participant_in"): _joined("participations", "workspace_id", "user_id", negated=True),
    ("users", "on_my_account"): _flag(
        lambda store, r: bool(store.referring("account_memberships", "user_id", r["id"]))
    ),
    ("users", "participant_in"): _joined("participations", "workspace_id", "user_id"),
    ("users", "with_created_estimates"): _flag(_has_estimates),
    ("users", "with_users"): lambda _, value: lambda record: record["id"] in set(_texts(value)),
    ("users", "without_skills"): _joined("skill_memberships", "skill_id", "user_id", negated=True),
    ("users", "without_users"): _outside("id"),
    ("workspace_allocations", "overlaps_with_date_range"): _covers("start_date", "end_date"),
    ("workspace_allocations", "workspace_id"): _beyond(
        "workspace_resources", "workspace_resource_id", _equal("workspace_id")
    ),
    ("workspace_allocations", "workspace_ids"): _beyond(
        "workspace_resources", "workspace_resource_id", _among("workspace_id")
    ),
    ("workspace_groups", "companies_only"): _flag(_set("company")),
    ("workspace_resources", "only_unnamed"): _flag(_unset("user_id")),
    ("workspace_resources", "providers"): _flag(_set("user_id")),
    ("billing_milestones", "date_between"): _between("date_to_invoice"),
    ("project_accounting_records", "created_at"): _compared("created_at", after=True),
    ("rate_card_sets", "has_currency"): _joined("rate_cards", "currency", "rate_card_set_id"),
    ("rate_card_versions", "rate_card_set_id"): _beyond("rate_cards", "rate_card_id", _equal("rate_card_set_id")),
    ("skill_memberships", "workspace_id"): _joined("participations", "workspace_id", "user_id", own="user_id"),
    ("stories", "due_on"): _equal("due_date"),
    ("stories", "completed_between"): _between("completed_at"),
    ("story_dependencies", "workspace_id"): _beyond("stories", "source_id", _equal("workspace_id")),
    ("survey_responses", "subject_id"): _about("id"),
    ("survey_responses", "subject_type"): _about("key"),
    ("survey_templates", "subject_id"): _about("id"),
    ("survey_templates", "subject_type"): _about("key"),
    ("time_off_entries", "workspace_id"): _joined("participations", "workspace_id", "user_id", own="user_id"),
    ("workspace_allocations", "named_resources_only"): _flag(lambda store, r: not _unnamed_allocation(store, r)),
    ("workspace_allocations", "unnamed_resources_only"): _flag(_unnamed_allocation),
    ("workspace_allocations", "user_ids"): _beyond("workspace_resources", "workspace_resource_id", _among("user_id")),
    ("workspaces", "current_user_is_maven_participant"): _current_user_participates,
    ("holidays", "not_on_calendars"): _joined(
        "holiday_calendar_associations", "holiday_calendar_id", "holiday_id", negated=True
    ),
    ("workspaces", "account_color_ids"): _among("account_color_id"),
    ("workspaces", "creator"): _among("creator_id"),
    ("workspaces", "except"): _outside("id"),
    ("workspaces", "for_approver"): _among("approver_ids"),
    ("workspaces", "has_approvers"): lambda _, value: lambda r: bool(r["approver_ids"]) is value,
    ("workspaces", "has_maven_participant"): _joined("participations", "user_id", "workspace_id"),
    ("workspaces", "has_participant"): _joined("participations", "user_id", "workspace_id"),
    ("workspaces", "has_participation"): _current_user_participates,
    ("workspaces", "provider_lead"): _among("primary_maven_id"),
    ("workspaces", "requiring_expense_approval"): _equal("require_expense_approvals"),
    ("workspaces", "user_not_participating"): _joined("participations", "user_id", "workspace_id", negated=True),
    ("workspaces", "workspace_groups"): _among("workspace_group_ids"),
    ("workweek_memberships", "participants_for_workspace_id"): _joined(
        "participations", "workspace_id", "user_id", own="user_id"
    ),
}


def _visible_stories(store: Store, given: Values) -> Predicate:
    archived = given.get("show_archived") or given.get("only_archived") or "archived" in given
    elsewhere = given.get("show_from_archived_workspaces")
    todos = given.get("show_todos") or given.get("only_todos")
    deleted = given.get("show_deleted") or given.get("only_deleted")
    return lambda record: (
        (archived or not record["archived"])
        and (deleted or not record["deleted_at"])
        and (todos or record["project_plan"])
        and (elsewhere or not _archived_workspace(store, record["workspace_id"]))
    )


def _visible_with_their_story(store: Store, given: Values) -> Predicate:
    archived, deleted = given.get("show_archived"), given.get("show_deleted")
    elsewhere = given.get("show_from_archived_workspaces")

    def keep(record: Record) -> bool:
        story = _story(store, record)
        return (
            (archived or not story.get("archived"))
            and (deleted or not story.get("deleted_at"))
            and (elsewhere or not _archived_workspace(store, story.get("workspace_id")))
        )

    return keep


def _visible_workspaces(store: Store, given: Values) -> Predicate:
    return _choice("archived")(
        store, given.get("archived") or ("include" if given.get("include_archived") else "exclude")
    )


def _visible_outside_archived_workspaces(store: Store, given: Values) -> Predicate:
    if given.get("from_archived_workspaces"):
        return _everything
    return lambda record: not _archived_workspace(store, record["workspace_id"])


def _visible_users(store: Store, given: Values) -> Predicate:
    return _everything if given.get("show_disabled") else lambda record: not _disabled(store, record["id"])


def _visible_assignments(store: Store, given: Values) -> Predicate:
    return _everything if given.get("include_unnamed") else lambda record: not _unnamed(store, record)


def _visible_accounting(_: Store, given: Values) -> Predicate:
    return _everything if given.get("show_deleted") else lambda record: not record.get("deleted_at")


_VISIBILITY: Final[dict[str, tuple[Callable[[Store, Values], Predicate], tuple[str, ...]]]] = {
    "assignments": (_visible_assignments, ("include_unnamed",)),
    "expenses": (_visible_outside_archived_workspaces, ("from_archived_workspaces",)),
    "posts": (_visible_outside_archived_workspaces, ("from_archived_workspaces",)),
    "project_accounting_records": (_visible_accounting, ("show_deleted",)),
    "stories": (_visible_stories, ("show_archived", "show_deleted", "show_from_archived_workspaces", "show_todos")),
    "story_dependencies": (
        _visible_with_their_story,
        ("show_archived", "show_deleted", "show_from_archived_workspaces"),
    ),
    "story_tasks": (_visible_with_their_story, ("show_archived", "show_deleted", "show_from_archived_workspaces")),
    "time_entries": (_visible_outside_archived_workspaces, ("from_archived_workspaces",)),
    "users": (_visible_users, ("show_disabled",)),
    "workspaces": (_visible_workspaces, ("archived", "include_archived")),
}

_REFERENCE_FILTERS: Final = {
    "external_reference_external_message": "external_message",
    "external_reference_external_status": "external_status",
    "external_reference_service_model": "service_model",
    "external_reference_service_model_ref": "service_model_ref",
    "external_reference_service_model_refs": "service_model_ref",
    "external_reference_service_name": "service_name",
    "external_reference_status": "status",
}

_NAMES: Final = ("full_name", "name", "title", "label", "user_name", "cached_skill_name", "message", "filename")


class Filters:
    """The rule of every filter of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.lists = {
            str(operation.collection): operation
            for operation in catalogue.operations.values()
            if operation.method == "GET"
            and operation.collection
            and (operation.path.count("/") == 1 or "page" in operation.standard_params)
        }
        self._rules = {
            (collection, field.name): self._rule(collection, field)
            for collection, operation in self.lists.items()
            for field in operation.filters
        }

    @property
    def without_effect(self) -> tuple[tuple[str, str], ...]:
        """The (path, filter) pairs that are taken and change nothing, for want of the data they ask about."""
        return tuple(
            (self.lists[collection].path, name)
            for (collection, name), rule in self._rules.items()
            if rule is None and name not in _VISIBILITY.get(collection, (None, ()))[1]
        )

    def predicates(self, store: Store, operation: Operation, given: Values) -> list[Predicate]:
        """What an object must satisfy to be answered: the filters given, and the defaults of those that are not."""
        collection = str(operation.collection)
        listed = self.lists.get(collection)
        own = {field.name for field in operation.filters}
        kept = {
            **{f.name: typed(f.type, f.default) for f in (listed.filters if listed else ()) if f.default is not None},
            **{name: value for name, value in given.items() if name in own},
        }
        visible, _ = _VISIBILITY.get(collection, (None, ()))
        found = [] if visible is None else [visible(store, kept)]
        rules = ((self._rules.get((collection, name)), value) for name, value in kept.items())
        return found + [rule(store, value) for rule, value in rules if rule is not None]

    def _rule(self, collection: str, field: Field) -> Rule | None:
        if explicit := _EXPLICIT.get((collection, field.name)):
            return explicit
        if field.name in _VISIBILITY.get(collection, (None, ()))[1]:
            return None
        attributes = self._catalogue.collections[collection].attributes
        return _about_references(collection, field.name) or _named(field, attributes)


def _about_references(collection: str, name: str) -> Rule | None:
    if attribute := _REFERENCE_FILTERS.get(name):
        return _referenced(collection, attribute)
    if name == "without_external_reference_service_name":
        return _referenced(collection, "service_name", negated=True)
    if name == "has_external_references":
        return _has_references(collection)
    return _has_values(collection) if name == "has_value_for_custom_field_ids" else None


def _named(field: Field, attributes: Mapping[str, Field]) -> Rule | None:
    """The rule that a filter's name spells out about an attribute; None where it names none."""
    bare = field.name.removeprefix("with_").removeprefix("by_")
    for candidate in (field.name, bare, f"{bare}_id", f"is_{bare}"):
        if candidate in attributes:
            return _equal(candidate)
    if bare.removesuffix("s") in attributes:
        return _among(bare.removesuffix("s"))
    if bare in {"matching", "full_name", "title", "name", "skill_name", "user_name", "holiday_name"}:
        named = [name for name in _NAMES if name in attributes]
        return _containing(*named) if named else None
    return _ranged(bare, attributes)


def _ranged(name: str, attributes: Mapping[str, Field]) -> Rule | None:
    for suffix in ("_after", "_before", "_between"):
        stem = name.removesuffix(suffix)
        if stem == name:
            continue
        if stem in {"created", "updated"}:
            return _compared(f"{stem}_at", after=suffix == "_after")
        for attribute in (stem, f"{stem}_at", f"{stem}_date", f"{stem}_on"):
            if attribute in attributes:
                return _between(attribute) if suffix == "_between" else _compared(attribute, after=suffix == "_after")
    return None


def all_of(predicates: Iterable[Predicate]) -> Predicate:
    """A predicate that every one of them satisfies."""
    found = tuple(predicates)
    return lambda record: all(keep(record) for keep in found)
