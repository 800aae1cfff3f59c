"""Time entries."""

from __future__ import annotations

from ..predicates import absent, among, between, equal, flag, matching, present
from ..rules import CollectionRules, Guard, Hidden, declare
from .projects import of_account, outside_the_archive

declare(
    "time_entries",
    CollectionRules(
        filters={
            "created_by": equal("user_id"),
            "date_performed_between": between("date_performed"),
            "in_active_invoice_id": equal("invoice_id"),
            "in_active_submission": matching(present("active_submission_id")),
            "invoiced": equal("is_invoiced"),
            "on_my_account": flag(of_account),
            "uninvoiced": flag(absent("is_invoiced")),
            "with_recent_timesheet_ids": among("recent_submission_id"),
            "with_timesheet_id": equal("active_submission_id"),
            "with_user_ids": among("user_id"),
        },
        hidden=Hidden(outside_the_archive, ("from_archived_workspaces",)),
        has_owner=True,
        guard=Guard(lambda _, record: record["is_invoiced"], "The time entry has been invoiced"),
    ),
)
