"""What refers to what: the collection behind an id attribute, and the ids that an association brings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from kantata_async.catalogue import Association, Catalogue

from .store import Record, Store
from .words import collection_of_class, singular

ME: Final = "1"

Found = list[str] | str | None
Finder = Callable[[Store, Record], Found]

_EXPLICIT: Final[dict[tuple[str, str], str]] = {
    ("assignments", "resource_id"): "workspace_resources",
    ("workspace_allocations", "resource_id"): "workspace_resources",
    ("project_snapshot_resources", "resource_id"): "workspace_resources",
    ("organizations", "parent_id"): "organizations",
    ("organizations", "ancestor_ids"): "organizations",
    ("timesheet_submissions", "line_item_ids"): "time_entries",
    ("expense_report_submissions", "line_item_ids"): "expenses",
    ("work_samples", "attachment_id"): "attachments",
    ("holiday_calendar_memberships", "user_id"): "users",
}

_BY_NAME: Final[dict[str, str]] = {
    "add_workspace_ids": "workspaces",
    "account_role_ids": "roles",
    "current_resolution_creator_id": "users",
    "estimate_id": "estimates",
    "estimate_scenario_id": "estimate_scenarios",
    "holiday_calendar_ids": "holiday_calendars",
    "insights_access_group_id": "access_groups",
    "location_id": "account_locations",
    "new_approver_id": "users",
    "project_snapshot_id": "project_snapshots",
    "project_snapshot_resource_id": "project_snapshot_resources",
    "project_snapshot_task_id": "project_snapshot_tasks",
    "project_template_before_story_id": "stories",
    "project_tracker_template_id": "project_templates",
    "remove_workspace_ids": "workspaces",
    "resource_role_id": "roles",
    "resource_workspace_id": "workspaces",
    "status_set_id": "task_status_sets",
    "task_status_set_id": "task_status_sets",
    "user_id": "users",
    "workspace_baseline_id": "workspace_baselines",
    "workspace_invoice_preference_id": "workspace_invoice_preferences",
}

_UNKNOWABLE: Final = frozenset(
    {"account_id", "associated_tab_id", "client_account_id", "revenue_recognition_method_id", "member_id", "subject_id"}
)


class References:
    """The collection that each id attribute refers to, read off the associations of the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        keys: dict[str, set[str]] = {}
        for definition in catalogue.definitions.values():
            for association in definition.associations:
                if association.ref and association.key:
                    keys.setdefault(association.ref, set()).add(association.key)
        self._unambiguous = {ref: next(iter(found)) for ref, found in keys.items() if len(found) == 1}

    def key(self, collection: str, attribute: str) -> str | None:
        """The collection that an attribute of a collection's objects refers to; None where nobody can know."""
        if attribute in _UNKNOWABLE:
            return None
        if explicit := _EXPLICIT.get((collection, attribute)):
            return explicit
        definition = self._catalogue.collections.get(collection)
        for association in definition.associations if definition else ():
            if association.ref == attribute:
                return association.key
        return _BY_NAME.get(attribute) or self._unambiguous.get(attribute)


def refer(record: Mapping[str, Any], attribute: str = "subject") -> dict[str, str] | None:
    """The polymorphic reference that `subject_type` and `subject_id` spell out."""
    kind, identity = record.get(f"{attribute}_type"), record.get(f"{attribute}_id")
    if not isinstance(kind, str) or not kind or identity is None:
        return None
    return {"key": collection_of_class(kind), "id": str(identity)}


def inverse(collection: str, attribute: str, own: str = "id") -> Finder:
    """The records of a collection whose attribute is this record's `own`."""
    return lambda store, record: list(store.referring(collection, attribute, record.get(own)))


def through(
    collection: str, attribute: str, far: str, *, own: str = "id", keep: Callable[[Record], Any] = lambda _: True
) -> Finder:
    """What the records of a joining collection refer to on their far side, once each."""

    def find(store: Store, record: Record) -> Found:
        joining = store.records(collection)
        links = (joining[link] for link in store.referring(collection, attribute, record.get(own)))
        return list(dict.fromkeys(link[far] for link in links if link.get(far) is not None and keep(link)))

    return find


def _first(finder: Finder) -> Finder:
    return lambda store, record: next(iter(finder(store, record) or ()), None)


def _latest(finder: Finder) -> Finder:
    return lambda store, record: max(finder(store, record) or (), key=int, default=None)


def _of_membership(attribute: str) -> Finder:
    return _first(through("account_memberships", "user_id", attribute))


def _ancestors(store: Store, record: Record) -> list[str]:
    stories, found = store.records("stories"), list[str]()
    parent = stories.get(record.get("parent_id") or "")
    while parent is not None and parent["id"] not in found:
        found.insert(0, parent["id"])
        parent = stories.get(parent.get("parent_id") or "")
    return found


def _descendants(store: Store, record: Record) -> list[str]:
    found, waiting = list[str](), [record["id"]]
    while waiting:
        children = store.referring("stories", "parent_id", waiting.pop())
        fresh = [child for child in children if child not in found]
        found += fresh
        waiting += fresh
    return found


def _root(store: Store, record: Record) -> str | None:
    return next(iter(_ancestors(store, record)), record["id"])


def _current_participation(store: Store, record: Record) -> str | None:
    participations = store.records("participations")
    found = store.referring("participations", "workspace_id", record["id"])
    return next((identity for identity in found if participations[identity]["user_id"] == ME), None)


def _possible_managers(store: Store, record: Record) -> list[str]:
    return [
        membership["user_id"]
        for membership in store.records("account_memberships").values()
        if membership["is_project_lead"] and membership["user_id"] != record["user_id"]
    ]


def _possible_managees(store: Store, record: Record) -> list[str]:
    memberships = store.records("account_memberships").values()
    return [membership["user_id"] for membership in memberships if membership["user_id"] != record["user_id"]]


def _newest_reply_user(store: Store, record: Record) -> str | None:
    newest = _DERIVED["posts", "newest_reply_id"](store, record)
    reply = store.records("posts").get(newest) if isinstance(newest, str) else None
    return reply["user_id"] if reply else None


def _resolutions(collection: str) -> Finder:
    return lambda store, record: list(store.referring("resolutions", "target_ref", (collection, record["id"])))


def _billed(store: Store, record: Record) -> list[str]:
    del store
    return [record["invoice_id"]] if record.get("invoice_id") else []


_DERIVED: Final[dict[tuple[str, str], Finder]] = {
    ("account_memberships", "backup_approver_association_ids"): inverse(
        "backup_approver_associations", "approver_id", "user_id"
    ),
    ("account_memberships", "managee_ids"): through("account_memberships", "manager_id", "user_id", own="user_id"),
    ("account_memberships", "possible_managee_ids"): _possible_managees,
    ("account_memberships", "possible_manager_ids"): _possible_managers,
    ("account_memberships", "skill_membership_ids"): inverse("skill_memberships", "user_id", "user_id"),
    ("billing_milestones", "invoice_ids"): _billed,
    ("expense_report_submissions", "expense_ids"): inverse("expenses", "recent_submission_id"),
    ("expense_report_submissions", "resolution_ids"): _resolutions("expense_report_submissions"),
    ("invoices", "additional_item_ids"): inverse("additional_items", "invoice_id"),
    ("invoices", "expense_ids"): inverse("expenses", "invoice_id"),
    ("invoices", "fixed_fee_item_ids"): inverse("fixed_fee_items", "invoice_id"),
    ("participations", "active_role_ids"): through("workspace_resources", "participation_id", "role_id"),
    ("posts", "newest_reply_id"): _latest(inverse("posts", "parent_post_id")),
    ("posts", "newest_reply_user_id"): _newest_reply_user,
    ("posts", "reply_ids"): inverse("posts", "parent_post_id"),
    ("stories", "ancestor_ids"): _ancestors,
    ("stories", "assignee_ids"): through("assignments", "story_id", "assignee_id", keep=lambda link: link["current"]),
    ("stories", "current_assignment_ids"): through("assignments", "story_id", "id", keep=lambda link: link["current"]),
    ("stories", "descendant_ids"): _descendants,
    ("stories", "follower_ids"): through("story_follows", "story_id", "follower_id"),
    ("stories", "potential_workspace_resource_ids"): through(
        "workspace_resources", "workspace_id", "id", own="workspace_id", keep=lambda link: link["user_id"]
    ),
    ("stories", "potential_workspace_resources_with_unnamed_ids"): inverse(
        "workspace_resources", "workspace_id", "workspace_id"
    ),
    ("stories", "root_id"): _root,
    ("stories", "source_dependency_ids"): inverse("story_dependencies", "source_id"),
    ("stories", "sub_story_ids"): inverse("stories", "parent_id"),
    ("stories", "target_dependency_ids"): inverse("story_dependencies", "target_id"),
    ("stories", "workspace_resource_ids"): through("assignments", "story_id", "resource_id"),
    ("stories", "workspace_resources_with_unnamed_ids"): through("assignments", "story_id", "resource_id"),
    ("task_status_sets", "custom_task_status_ids"): inverse("custom_task_statuses", "status_set_id"),
    ("timesheet_submissions", "time_entry_ids"): inverse("time_entries", "recent_submission_id"),
    ("users", "account_membership_id"): _first(inverse("account_memberships", "user_id")),
    ("users", "manager_id"): _of_membership("manager_id"),
    ("users", "role_id"): _of_membership("default_role_id"),
    ("users", "skill_ids"): through("skill_memberships", "user_id", "skill_id"),
    ("workspace_groups", "rate_card_set_ids"): inverse("rate_card_sets", "workspace_group_ids"),
    ("workspace_groups", "workspace_ids"): inverse("workspaces", "workspace_group_ids"),
    ("workspaces", "current_status_report_id"): _latest(inverse("status_reports", "workspace_id")),
    ("workspaces", "current_user_participation_id"): _current_participation,
    ("workspaces", "participant_ids"): through("participations", "workspace_id", "user_id"),
    ("workspaces", "possible_approver_ids"): through("participations", "workspace_id", "user_id"),
    ("workspaces", "workspace_resource_ids"): through(
        "workspace_resources", "workspace_id", "id", keep=lambda link: link["user_id"]
    ),
}

_SUBJECTS: Final = frozenset({"ExternalReference", "CustomFieldValue"})


def finder(catalogue: Catalogue, collection: str, association: Association) -> Finder:
    """How the ids of an association are found: derived from the records that refer back, or as they are stored."""
    ref = association.ref or ""
    if derived := _DERIVED.get((collection, ref)):
        return derived
    if association.entity in _SUBJECTS:
        key = str(association.key)
        return lambda store, record: list(store.referring(key, "subject_ref", (collection, record["id"])))
    if association.many and association.entity and association.key:
        back = _back_reference(catalogue, collection, association)
        if back is not None:
            return inverse(association.key, back)
    return lambda store, record: record.get(ref)


def _back_reference(catalogue: Catalogue, collection: str, association: Association) -> str | None:
    other = catalogue.definitions[str(association.entity)]
    direct = f"{singular(collection)}_id"
    if direct in other.attributes:
        return direct
    candidates = [a.ref for a in other.associations if a.key == collection and not a.many and a.ref]
    return candidates[0] if len(candidates) == 1 else None


def targets(ref: Any, key: str | None) -> Iterable[tuple[str, str]]:
    """The (collection, id) of everything that a reference names."""
    if isinstance(ref, list):
        return [target for entry in ref for target in targets(entry, key)]
    if isinstance(ref, dict):
        return [(ref["key"], ref["id"])]
    return [(key, ref)] if key and ref is not None else []
