"""Expenses, their categories, budgets and vendors."""

from __future__ import annotations

from ..account import ME
from ..answer import Answer, json_answer
from ..company import Company, ParsedRequest
from ..predicates import absent, among, between, beyond, equal, flag, matching, present, where
from ..routes import route
from ..rules import CollectionRules, Guard, Hidden, declare
from ..sort_keys import name_beyond, of_attribute
from ..standard_handlers import named_ids
from ..writing import deleted_now, destroy_all
from .projects import of_account, outside_the_archive

declare(
    "expenses",
    CollectionRules(
        filters={
            "approved": matching(present("approved")),
            "created_by": equal("user_id"),
            "date_expensed_between": between("date"),
            "in_active_invoice_id": equal("invoice_id"),
            "invoiced": equal("is_invoiced"),
            "mine": flag(where("user_id", ME)),
            "on_my_account": flag(of_account),
            "submitted": flag(present("active_submission_id")),
            "uninvoiced": flag(absent("is_invoiced")),
            "unsubmitted": flag(absent("active_submission_id")),
            "with_expense_approvals": beyond("workspaces", "workspace_id", equal("require_expense_approvals")),
            "with_expense_report_id": equal("recent_submission_id"),
            "with_recent_expense_report_ids": among("recent_submission_id"),
        },
        hidden=Hidden(outside_the_archive, ("from_archived_workspaces",)),
        sort_keys={"amount": of_attribute("amount_in_cents"), "vendor_name": name_beyond("vendors", "vendor_id")},
        has_owner=True,
        renamed={"billable": "is_billable"},
    ),
)
declare("expense_categories", CollectionRules(filters={"only_active": flag(absent("deleted_at"))}, marked=deleted_now))
declare(
    "expense_budgets",
    CollectionRules(
        guard=Guard(
            lambda store, record: store.referring("expenses", "expense_budget_id", record["id"]),
            "Expenses are logged against the budget",
        ),
    ),
)


@route("DELETE", "/expenses")
def delete_expenses(company: Company, call: ParsedRequest) -> Answer:
    """Delete all of the expenses named, or none; the answer names them again."""
    ids = named_ids(call)
    destroy_all(company.store, "expenses", ids)
    return json_answer({"deleted": [int(identity) for identity in ids]})
