"""Operations outside the usual five that answer the usual envelope."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from .answers import Answer, Refusal, invalid, invalid_field, missing
from .company import Call, Company
from .forms import UploadedFile
from .references import ME
from .usual import existing, resource
from .writing import create, update

Action = Callable[[Company, Call], Answer]

MAX_CSV_ROWS: Final = 5000


def _setting(**changes: Any) -> Action:
    """An action that sets attributes of the object in its path."""

    def act(company: Company, call: Call) -> Answer:
        collection = resource(call)
        existing(company, collection, call.id)
        company.store.update(collection, call.id, changes)
        return company.changed(call, call.id)

    return act


def me(company: Company, call: Call) -> Answer:
    """The user whose token it is."""
    return company.present(call, [ME])


def disable(company: Company, call: Call) -> Answer:
    """Disable a member of the account."""
    existing(company, "account_memberships", call.id)
    company.store.update(
        "account_memberships", call.id, {"disabled_at": company.store.clock.tick(), "can_log_in": False}
    )
    return company.changed(call, call.id)


def resolve(company: Company, call: Call, collection: str, kind: str, ids: list[str]) -> list[str]:
    """Approve, reject or cancel submissions, all or none; gives the ids of the resolutions.

    Raises Refusal 404 for a submission that does not exist, 422 for one that can no longer be resolved in this way.
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


def _resolving(kind: str) -> Action:
    def act(company: Company, call: Call) -> Answer:
        resolve(company, call, resource(call), kind, [call.id])
        return company.changed(call, call.id)

    return act


def create_or_update_reference(company: Company, call: Call) -> Answer:
    """Create the external reference of a subject, or change the one it has for that service and model."""
    store, values = company.store, company.checked(call, "external_references")
    same = ("subject_type", "subject_id", "service_name", "service_model")
    for record in store.records("external_references").values():
        if all(str(record[name]) == str(values[name]) for name in same):
            update(store, "external_references", record["id"], {**values, "last_synced_at": store.clock.tick()})
            return company.present(call, [record["id"]])
    made = create(store, "external_references", {**values, "last_synced_at": store.clock.tick()})
    return company.present(call, [made])


def cancel_invoice(company: Company, call: Call) -> Answer:
    """Cancel an invoice; the time it billed is no longer invoiced."""
    store, invoice = company.store, existing(company, "invoices", call.id)
    if invoice["status"] == "cancelled":
        raise invalid("The invoice is cancelled already")
    store.update("invoices", call.id, {"status": "cancelled", "draft": False})
    for entry in store.referring("time_entries", "invoice_id", call.id):
        store.update("time_entries", entry, {"is_invoiced": False, "invoice_id": None})
    return company.changed(call, call.id)


def delete_accounting_records(company: Company, call: Call) -> Answer:
    """Mark accounting records as deleted."""
    store, given = company.store, call.asked.filters
    ids = [*given.get("ids", ()), *str(given.get("csv_file", "")).split()]
    for identity in ids:
        existing(company, "project_accounting_records", identity)
    for identity in ids:
        store.update("project_accounting_records", identity, {"deleted_at": store.clock.tick()})
    return company.present(call, ids)


def export_accounting_records(company: Company, call: Call) -> Answer:
    """Every accounting record, as CSV or as the envelope: the documentation says both."""
    records = [r for r in company.store.all("project_accounting_records") if not r.get("deleted_at")]
    if not company.switches.csv_export:
        return company.present(call, [record["id"] for record in records])
    attributes = ["id", *company.catalogue.collections["project_accounting_records"].attributes]
    text = io.StringIO()
    table = csv.DictWriter(text, attributes, extrasaction="ignore")
    table.writeheader()
    table.writerows(records)
    return Answer(200, text.getvalue().encode(), "text/csv; charset=utf-8")


_CSV_COLUMNS: Final = {
    "Project ID": "workspace_id",
    "Period Start Date": "start_date",
    "Period End Date": "end_date",
    "Currency": "currency",
}


def csv_rows(upload: Any, columns: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows of an uploaded CSV file by attribute. Raises Refusal 422 for what is no such file."""
    if not isinstance(upload, UploadedFile):
        raise invalid("The file is missing")
    try:
        rows = list(csv.DictReader(io.StringIO(upload.content.decode("utf-8-sig"))))
    except UnicodeDecodeError:
        raise invalid("The file is not UTF-8 text") from None
    if len(rows) > MAX_CSV_ROWS:
        raise invalid(f"At most {MAX_CSV_ROWS} rows can be imported at once")
    lacking = [name for name in columns if not all(row.get(name) for row in rows)]
    if lacking or not rows:
        raise invalid(f"The file lacks {', '.join(lacking) or 'rows'}")
    return [{attribute: str(row[name]) for name, attribute in columns.items()} for row in rows]


def import_accounting_records(company: Company, call: Call) -> Answer:
    """Create an accounting record of each row of a CSV file, all or none."""
    rows = csv_rows(company.checked(call, "project_accounting_records").get("file"), _CSV_COLUMNS)
    unknown = [row for row in rows if row["workspace_id"] not in company.store.records("workspaces")]
    if unknown:
        raise Refusal(422, [invalid_field("Project ID does not name an existing project", "workspace_id")])
    return company.present(call, [create(company.store, "project_accounting_records", dict(row)) for row in rows])


def resolve_request(company: Company, call: Call) -> Answer:
    """Approve, reject or cancel a resource request."""
    existing(company, "resource_requests", call.id)
    values = company.checked(call, "resource_requests")
    statuses = {"approve": "approved", "reject": "rejected", "cancel": "cancelled"}
    wanted = values["request_resolution_status"]
    if wanted not in statuses:
        raise invalid("request_resolution_status is not one of approve, reject, cancel", "request_resolution_status")
    company.store.update("resource_requests", call.id, {"status": statuses[wanted]})
    return company.changed(call, call.id)


def update_approver(company: Company, call: Call) -> Answer:
    """Give a resource request other approvers."""
    existing(company, "resource_requests", call.id)
    approvers = [str(user) for user in company.checked(call, "resource_requests")["new_approver_id"]]
    company.store.update("resource_requests", call.id, {"approver_ids": approvers})
    return company.changed(call, call.id)


def default_status_set(company: Company, call: Call) -> Answer:
    """Make a task status set the one that new projects get."""
    existing(company, "task_status_sets", call.id)
    for other in company.store.all("task_status_sets"):
        company.store.update("task_status_sets", other["id"], {"account_default": other["id"] == call.id})
    return company.changed(call, call.id)


def set_profile_photo(company: Company, call: Call) -> Answer:
    """Take an uploaded photo as the user's."""
    existing(company, "users", call.id)
    update(company.store, "users", call.id, company.checked(call, "users"))
    return company.present(call, [call.id])


def reset_profile_photo(company: Company, call: Call) -> Answer:
    """Go back to having no photo."""
    existing(company, "users", call.id)
    company.store.update("users", call.id, {"photo_path": None})
    return Answer(call.operation.status)


def split_allocation(company: Company, call: Call) -> Answer:
    """Make two allocations of one, the second from a date on; its minutes are shared by days."""
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


def set_status_sets(company: Company, call: Call) -> Answer:
    """Give projects their task status sets, all or none."""
    store = company.store
    made = []
    for row in company.rows(call, "workspace_task_status_sets"):
        store.update("workspaces", str(row["workspace_id"]), {"task_status_set_id": row["status_set_id"]})
        found = store.referring("workspace_task_status_sets", "workspace_id", str(row["workspace_id"]))
        for old in found:
            store.delete("workspace_task_status_sets", old)
        made.append(store.add("workspace_task_status_sets", row))
    return company.present(call, made)


def apply_template(company: Company, call: Call) -> Answer:
    """Add the tasks of a template to a project."""
    store = company.store
    existing(company, "workspaces", call.id)
    values = company.checked(call, "workspaces")
    template = store.records("project_templates").get(str(values.get("project_tracker_template_id")))
    if template is None:
        raise invalid("project_tracker_template_id can't be blank", "project_tracker_template_id")
    for number in range(1, template["item_count"] + 1):
        create(
            store, "stories", {"workspace_id": call.id, "title": f"{template['title']} {number}", "position": number}
        )
    store.update("workspaces", call.id, {})
    return company.changed(call, call.id)


def invite(company: Company, call: Call) -> Answer:
    """Invite a person by e-mail address; one who has an account joins at once."""
    store = company.store
    existing(company, "workspaces", call.id)
    values = company.checked(call, "workspaces")
    for user in store.referring("users", "email_address", values["email_address"]):
        create(store, "participations", {"workspace_id": call.id, "user_id": user, "role": values["invitee_role"]})
    made = create(store, "workspace_invitations", {**values, "workspace_id": call.id, "inviter_id": ME})
    return company.present(call, [made])


def _toggling(attribute: str) -> Action:
    def act(company: Company, call: Call) -> Answer:
        workspace = existing(company, "workspaces", call.id)
        enable = company.checked(call, "workspaces").get("enable", not workspace[attribute])
        company.store.update("workspaces", call.id, {attribute: enable})
        return company.changed(call, call.id)

    return act


def standardize_workweek(company: Company, call: Call) -> Answer:
    """Put a user on the account's default workweek from a date on."""
    store, values = company.store, company.checked(call, "workweek_memberships")
    default = next(iter(store.records("workweeks")), None)
    given = {"user_id": values.get("user_id", ME), "start_date": values.get("start_date")}
    return company.present(call, [store.add("workweek_memberships", {**given, "workweek_id": default})])


def create_rate_card_set(company: Company, call: Call) -> Answer:
    """Create a rate card set; with `clone_version_id` it gets that version's rate cards."""
    store, values = company.store, company.checked(call, "rate_card_sets")
    cloned = call.asked.filters.get("clone_version_id")
    cards = _cards_of_version(company, cloned) if cloned is not None else {}
    made = create(store, "rate_card_sets", values)
    version = create(store, "rate_card_set_versions", {"rate_card_set_id": made})
    for card, rates in cards.items():
        currency = store.records("rate_cards")[card]["currency"]
        copy = create(store, "rate_cards", {"rate_card_set_id": made, "currency": currency})
        _copy_rates(company, version, copy, rates)
    return company.present(call, [made])


def create_rate_card_set_version(company: Company, call: Call) -> Answer:
    """Create a version of every rate card of a set; with `clone_id` it gets the rates of that version."""
    store, values = company.store, company.checked(call, "rate_card_set_versions")
    cloned = call.asked.filters.get("clone_id")
    cards = _cards_of_version(company, cloned) if cloned is not None else {}
    made = create(store, "rate_card_set_versions", values)
    for card, rates in cards.items():
        _copy_rates(company, made, card, rates)
    return company.present(call, [made])


def _cards_of_version(company: Company, identity: int) -> dict[str, list[dict[str, Any]]]:
    """The rate cards that a set version has versions of, with their rates by role."""
    store = company.store
    if str(identity) not in store.records("rate_card_set_versions"):
        raise missing("rate card set version")
    versions, roles = store.records("rate_card_versions"), store.records("rate_card_roles")
    return {
        versions[version]["rate_card_id"]: [
            {name: roles[role][name] for name in ("role_id", "rate")}
            for role in store.referring("rate_card_roles", "rate_card_version_id", version)
        ]
        for version in store.referring("rate_card_versions", "rate_card_set_version_id", str(identity))
    }


def _copy_rates(company: Company, set_version: str, card: str, rates: list[dict[str, Any]]) -> None:
    store = company.store
    for version in store.referring("rate_card_versions", "rate_card_set_version_id", set_version):
        if store.records("rate_card_versions")[version]["rate_card_id"] == card:
            for rate in rates:
                store.add("rate_card_roles", {**rate, "rate_card_version_id": version})


ACTIONS: Final[Mapping[tuple[str, str], Action]] = {
    ("DELETE", "/users/{id}/profile_photo"): reset_profile_photo,
    ("GET", "/project_accounting_records/export_to_csv"): export_accounting_records,
    ("GET", "/users/me"): me,
    ("POST", "/external_references/create_or_update"): create_or_update_reference,
    ("POST", "/project_accounting_records/import_csv"): import_accounting_records,
    ("POST", "/rate_card_set_versions"): create_rate_card_set_version,
    ("POST", "/rate_card_sets"): create_rate_card_set,
    ("POST", "/users/{id}/profile_photo"): set_profile_photo,
    ("POST", "/workspaces/{id}/invite"): invite,
    ("PUT", "/account_invitations/{id}/resend"): _setting(),
    ("PUT", "/account_memberships/{id}/disable"): disable,
    ("PUT", "/account_memberships/{id}/enable"): _setting(disabled_at=None, can_log_in=True),
    ("PUT", "/attachments/{id}/sync"): _setting(synced=True),
    ("PUT", "/expense_report_submissions/{id}/approve"): _resolving("approval"),
    ("PUT", "/expense_report_submissions/{id}/cancel"): _resolving("cancellation"),
    ("PUT", "/expense_report_submissions/{id}/reject"): _resolving("rejection"),
    ("PUT", "/invoices/{id}/cancel"): cancel_invoice,
    ("PUT", "/project_accounting_records/delete"): delete_accounting_records,
    ("PUT", "/resource_requests/{id}"): resolve_request,
    ("PUT", "/resource_requests/{id}/update_approver"): update_approver,
    ("PUT", "/task_status_sets/{id}/update_account_default"): default_status_set,
    ("PUT", "/timesheet_submissions/{id}/approve"): _resolving("approval"),
    ("PUT", "/timesheet_submissions/{id}/cancel"): _resolving("cancellation"),
    ("PUT", "/timesheet_submissions/{id}/reject"): _resolving("rejection"),
    ("PUT", "/workspace_allocations/split"): split_allocation,
    ("PUT", "/workspace_task_status_sets/bulk_update"): set_status_sets,
    ("PUT", "/workspaces/{id}/apply_template"): apply_template,
    ("PUT", "/workspaces/{id}/toggle_expense_approvals"): _toggling("require_expense_approvals"),
    ("PUT", "/workspaces/{id}/toggle_time_approvals"): _toggling("require_time_approvals"),
    ("PUT", "/workspaces/{id}/unarchive_with_approvals"): _setting(archived=False),
    ("PUT", "/workweek_memberships/standardize_to_default"): standardize_workweek,
}
