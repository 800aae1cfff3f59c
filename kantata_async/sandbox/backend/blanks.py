"""The empty record of each collection: every attribute of its definition, with the default of its type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import attrs

from kantata_async.catalogue import Catalogue, Field

from .account import ACCOUNT
from .store import Blank, Record

_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "account_invitations": {"pending": True, "permission": "collaborator"},
    "account_memberships": {"permission": "collaborator", "can_log_in": True},
    "assignments": {"current": True},
    "estimates": {"currency": "USD"},
    "expenses": {"currency": "USD", "currency_base_unit": 100, "currency_symbol": "$", "user_can_edit": True},
    "expense_report_submissions": {"type": "ExpenseReportSubmission", "status": "pending", "currency": "USD"},
    "external_references": {"status": "pending"},
    "invoices": {"currency": "USD", "currency_base_unit": 100, "currency_symbol": "$", "status": "new", "draft": True},
    "participations": {
        "can_edit": True,
        "can_edit_expense": True,
        "can_edit_time": True,
        "can_post": True,
        "access_level": "edit_tasks",
        "permissions_label": "edit",
        "role": "maven",
    },
    "resource_requests": {"status": "new"},
    "status_reports": {"details": [], "color": "green"},
    "stories": {"story_type": "task", "state": "not started", "priority": "normal", "project_plan": True},
    "story_allocation_days": {"current": True},
    "survey_responses": {"status": "new"},
    "time_entries": {"currency": "USD", "currency_base_unit": 100, "currency_symbol": "$", "user_can_edit": True},
    "timesheet_submissions": {"type": "TimesheetSubmission", "status": "pending", "currency": "USD"},
    "users": {"classification": "Internal", "country": "US", "abbreviated_timezone": "PDT"},
    "workspaces": {
        "access_level": "invitation",
        "client_role_name": "Clients",
        "consultant_role_name": "Consultants",
        "currency": "USD",
        "currency_base_unit": 100,
        "currency_symbol": "USD",
        "stage": "project",
        "status": {"color": "green", "key": "305", "message": "Active"},
        "time_trackable": True,
    },
    "workspace_groups": {"company": True},
}


def blanks(catalogue: Catalogue) -> Mapping[str, Blank]:
    """The functions that make an empty record, by collection."""
    return {name: _Blank(name, definition.fields) for name, definition in catalogue.collections.items()}


@attrs.frozen
class _Blank:
    """Makes the empty records of a collection. Most never get one, so nothing is made before the first."""

    collection: str
    fields: tuple[Field, ...]

    def __call__(self) -> Record:
        return {**self._scalars, **{name: [] for name in self._lists}, **_DEFAULTS.get(self.collection, {})}

    @cached_property
    def _scalars(self) -> Record:
        return {field.name: _empty(field) for field in self.fields}

    @cached_property
    def _lists(self) -> tuple[str, ...]:
        return tuple(name for name, value in self._scalars.items() if value == [])


def _empty(field: Field) -> Any:
    """The empty value of a type: None where an id, a text or a time may be missing, else False or zero."""
    if field.name.endswith("_id"):
        return ACCOUNT if field.name == "account_id" else None
    if field.type.kind == "fields" and not any(part.include for part in field.type.fields):
        return {part.name: _empty(part) for part in field.type.fields}
    return [] if field.type.kind == "array" else _NOTHING.get(field.type.kind)


_NOTHING: Final = {"boolean": False, "integer": 0, "number": 0}
