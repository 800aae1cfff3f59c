"""Which collection an id attribute refers to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kantata_async.catalogue import Catalogue

from .inflection import collection_of_class

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
        """The collection that an attribute of a collection's objects refers to; None where it is unknown."""
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
