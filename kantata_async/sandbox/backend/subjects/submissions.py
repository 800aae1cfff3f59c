"""Timesheets and expense reports: what is submitted, approved, rejected and cancelled."""

from __future__ import annotations

from typing import Any, Final

from ..account import ACCOUNT, ME
from ..answer import Answer, json_answer
from ..associations import inverse
from ..company import Company, ParsedRequest
from ..predicates import Predicate, among, everything, flag, matching, where
from ..presenting import as_number
from ..refusals import invalid
from ..routes import Handler, route
from ..rules import CollectionRules, Finder, Hidden, Values, declare, nested_field
from ..sort_keys import name_beyond, of_attribute
from ..standard_handlers import existing, resource
from ..store import Record, Store


def _resolutions(collection: str) -> Finder:
    return lambda store, record: list(store.referring("resolutions", "target_ref", (collection, record["id"])))


_ACTIVE: Final = matching(where("status", "approved", "pending"))


def _visible_reports(store: Store, given: Values) -> Predicate:
    """The caller's expense reports and those of their projects, unless `all_on_account` asks for everybody's."""
    if given.get("all_on_account"):
        return everything
    participations = store.records("participations")
    own = {participations[found]["workspace_id"] for found in store.referring("participations", "user_id", ME)}
    return lambda record: record["user_id"] == ME or record["workspace_id"] in own


declare(
    "timesheet_submissions",
    CollectionRules(
        filters={
            "active": _ACTIVE,
            "not_cancelled": flag(lambda _, record: record["status"] != "cancelled"),
            "statuses": among("status"),
        },
        sort_keys={"date": of_attribute("start_date")},
        associations={"time_entry_ids": inverse("time_entries", "recent_submission_id")},
        has_owner=True,
    ),
)
declare(
    "expense_report_submissions",
    CollectionRules(
        hidden=Hidden(_visible_reports, ("all_on_account",)),
        filters={
            "active": _ACTIVE,
            "not_cancelled": flag(lambda _, record: record["status"] != "cancelled"),
            "statuses": among("status"),
        },
        sort_keys={
            "amount": of_attribute("line_item_total_in_cents"),
            "date": of_attribute("created_at"),
            "workspace_title": name_beyond("workspaces", "workspace_id"),
        },
        associations={
            "expense_ids": inverse("expenses", "recent_submission_id"),
            "resolution_ids": _resolutions("expense_report_submissions"),
        },
        has_owner=True,
    ),
)


@nested_field("line_item_ids")
def _line_items(store: Store, collection: str, identity: str, value: list[Any]) -> None:
    items = "expenses" if collection == "expense_report_submissions" else "time_entries"
    for item in value:
        store.update(items, str(item), {"active_submission_id": identity, "recent_submission_id": identity})


def resolve(company: Company, call: ParsedRequest, collection: str, kind: str, ids: list[str]) -> list[str]:
    """The ids of the resolutions of submissions, after these were approved, rejected or cancelled, all or none.

    Raises:
        Refusal: 404 for a submission that does not exist, 422 for one that can no longer be resolved in this way.
    """
    status = {"approval": "approved", "rejection": "rejected", "cancellation": "cancelled"}[kind]
    description = company.checked(call, collection).get("description")
    for identity in ids:
        submission = existing(company, collection, identity)
        if submission["status"] == status or submission["status"] == "cancelled":
            raise invalid(f"The submission is {submission['status']} already")
    return [_resolved(company, collection, identity, kind, status, description) for identity in ids]


def _resolved(company: Company, collection: str, identity: str, kind: str, status: str, description: str | None) -> str:
    store = company.store
    made = store.add(
        "resolutions",
        {
            "type": kind,
            "description": description,
            "target_type": "ExpenseReportSubmission" if collection.startswith("expense") else "TimesheetSubmission",
            "target_id": identity,
            "target_ref": {"key": collection, "id": identity},
            "user_id": ME,
        },
    )
    resolution = store.records("resolutions")[made]
    changes = {
        "status": status,
        "current_resolution_created_at_date": resolution["created_at"],
        "current_resolution_creator_id": ME,
        "current_resolution_description": description,
        "resolution_description": description,
    }
    store.update(collection, identity, changes)
    items = "expenses" if collection.startswith("expense") else "time_entries"
    for item in store.referring(items, "recent_submission_id", identity):
        active = {} if status == "approved" else {"active_submission_id": None}
        store.update(items, item, {"approved": status == "approved", **active})
    return made


def _resolving(kind: str) -> Handler:
    def act(company: Company, call: ParsedRequest) -> Answer:
        resolve(company, call, resource(call), kind, [call.id])
        return company.changed(call, call.id)

    return act


def _resolving_many(kind: str) -> Handler:
    def act(company: Company, call: ParsedRequest) -> Answer:
        ids = [str(i) for i in company.checked(call, "timesheet_submissions")["submission_ids"]]
        made = resolve(company, call, "timesheet_submissions", kind, ids)
        return json_answer({"resolutions": [_resolution(company.store.records("resolutions")[i]) for i in made]})

    return act


def _resolution(record: Record) -> dict[str, Any]:
    shown = ("type", "description", "target_type", "created_at", "updated_at")
    return {
        "id": int(record["id"]),
        **{name: record[name] for name in shown},
        "target_id": as_number(record["target_id"]),
        "user_id": int(ME),
        "account_id": int(ACCOUNT),
        "current": True,
    }


for _verb, _kind in (("approve", "approval"), ("cancel", "cancellation"), ("reject", "rejection")):
    for _collection in ("expense_report_submissions", "timesheet_submissions"):
        route("PUT", f"/{_collection}/{{id}}/{_verb}")(_resolving(_kind))
route("POST", "/timesheet_approvals")(_resolving_many("approval"))
route("POST", "/timesheet_cancellations")(_resolving_many("cancellation"))
route("POST", "/timesheet_rejections")(_resolving_many("rejection"))
