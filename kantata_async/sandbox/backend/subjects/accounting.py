"""Project accounting records, and the methods by which revenue is recognised."""

from __future__ import annotations

import csv
import io
from typing import Final

from ..account import ACCOUNT
from ..answer import Answer, json_answer
from ..company import Company, ParsedRequest
from ..predicates import Predicate, among, compared, everything
from ..refusals import Refusal, invalid_field
from ..routes import route
from ..rules import CollectionRules, Hidden, Values, declare
from ..standard_handlers import existing
from ..store import Store
from ..writing import create
from .csv_files import csv_rows


def _visible_records(_: Store, given: Values) -> Predicate:
    return everything if given.get("show_deleted") else lambda record: not record.get("deleted_at")


declare(
    "project_accounting_records",
    CollectionRules(
        filters={"created_at": compared("created_at", after=True), "ids": among("id"), "status": among("status")},
        hidden=Hidden(_visible_records, ("show_deleted",)),
    ),
)

_CSV_COLUMNS: Final = {
    "Project ID": "workspace_id",
    "Period Start Date": "start_date",
    "Period End Date": "end_date",
    "Currency": "currency",
}


@route("PUT", "/project_accounting_records/delete")
def delete_accounting_records(company: Company, call: ParsedRequest) -> Answer:
    """Mark accounting records as deleted."""
    store, given = company.store, call.asked.filters
    ids = [*given.get("ids", ()), *str(given.get("csv_file", "")).split()]
    for identity in ids:
        existing(company, "project_accounting_records", identity)
    for identity in ids:
        store.update("project_accounting_records", identity, {"deleted_at": store.clock.tick()})
    return company.present(call, ids)


@route("GET", "/project_accounting_records/export_to_csv")
def export_accounting_records(company: Company, call: ParsedRequest) -> Answer:
    """Every accounting record, as CSV or in the envelope: the documentation promises both."""
    records = [r for r in company.store.all("project_accounting_records") if not r.get("deleted_at")]
    if not company.switches.csv_export:
        return company.present(call, [record["id"] for record in records])
    attributes = ["id", *company.catalogue.collections["project_accounting_records"].attributes]
    text = io.StringIO()
    table = csv.DictWriter(text, attributes, extrasaction="ignore")
    table.writeheader()
    table.writerows(records)
    return Answer(200, text.getvalue().encode(), "text/csv; charset=utf-8")


@route("POST", "/project_accounting_records/import_csv")
def import_accounting_records(company: Company, call: ParsedRequest) -> Answer:
    """Create an accounting record from each row of a CSV file, all or none."""
    rows = csv_rows(company.checked(call, "project_accounting_records").get("file"), _CSV_COLUMNS)
    unknown = [row for row in rows if row["workspace_id"] not in company.store.records("workspaces")]
    if unknown:
        raise Refusal(422, [invalid_field("Project ID does not name an existing project", "workspace_id")])
    return company.present(call, [create(company.store, "project_accounting_records", dict(row)) for row in rows])


@route("GET", "/revenue_recognition_methods")
def revenue_recognition_methods(company: Company, call: ParsedRequest) -> Answer:
    """Every revenue recognition method, with names in the results."""
    wanted, active = call.asked.only, call.asked.filters.get("active")
    found = {
        identity: record
        for identity, record in company.store.records("revenue_recognition_methods").items()
        if (wanted is None or identity in wanted) and (active is None or record["active"] is (active == "true"))
    }
    results = [
        {"key": "revenue_recognition_methods", "id": identity, "name": record["name"]}
        for identity, record in found.items()
    ]
    shown = {identity: {**record, "account_id": int(ACCOUNT)} for identity, record in found.items()}
    meta = {"count": len(found), "page_count": 1, "page_number": 1, "page_size": max(len(found), 1)}
    return json_answer({"count": len(found), "results": results, "revenue_recognition_methods": shown, "meta": meta})
