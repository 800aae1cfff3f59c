"""Data exports: requested, queued, generated after a while, and downloaded as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from ..account import ME
from ..answer import Answer, json_answer
from ..company import Company, ParsedRequest
from ..inflection import titled
from ..refusals import invalid, invalid_field
from ..routes import route
from ..rules import CollectionRules, Values, declare
from ..standard_handlers import existing, list_all, show
from ..store import Record, Store
from ..writing import create

DATASETS: Final = ("participations", "stories", "time_entries", "users", "workspaces")
LINK_LASTS: Final = timedelta(seconds=60)
PENDING: Final = "pending"
READY: Final = "success"
CANCELED: Final = "canceled"
FAILED: Final = "failed"


def _unknown(store: Store, values: Values) -> list[Values]:
    """What is wrong with a definition: unknown data sets, no data set, or one without columns."""
    definition = values.get("export_definition")
    if definition is None:
        return []
    errors = [] if definition else [invalid_field("export_definition names no data set", "export_definition")]
    for dataset, asked in definition.items():
        if dataset not in DATASETS:
            errors.append(invalid_field(f"{dataset} is not a data set", "export_definition"))
        elif not asked.get("columns"):
            errors.append(invalid_field(f"{dataset} has no columns", "export_definition"))
    return errors


declare("exports", CollectionRules(check=_unknown))


def _columns(company: Company, dataset: str) -> dict[str, Values]:
    """The columns that a data set can have, by key."""
    fields = company.catalogue.collections[dataset].fields
    identity = {"id": {"key": "id", "display_name": "Id", "description": "Id", "type": "string"}}
    return identity | {
        field.name: {
            "key": field.name,
            "display_name": titled(field.name),
            "description": field.note or titled(field.name),
            "type": field.type.kind,
        }
        for field in fields
    }


@route("GET", "/exports/available_datasets")
def datasets(company: Company, _: ParsedRequest) -> Answer:
    """The data sets that an export can have, with their columns."""
    described = {
        name: {"key": name, "display_name": titled(name), "columns": list(_columns(company, name).values())}
        for name in DATASETS
    }
    return json_answer({"datasets": described})


@route("POST", "/exports")
def ask_for_export(company: Company, call: ParsedRequest) -> Answer:
    """Queue an export; it is generated after `Switches.export_seconds`, by the server's clock."""
    definition = company.checked(call, "exports")["export_definition"]
    unknown = [
        f"{dataset}.{key}"
        for dataset, asked in definition.items()
        for key in asked["columns"]
        if key not in _columns(company, dataset)
    ]
    if unknown:
        raise invalid(f"There are no columns {', '.join(unknown)}", "export_definition")
    described = {
        name: {
            "key": name,
            "display_name": titled(name),
            "columns": [_columns(company, name)[key] for key in asked["columns"]],
            "filters": asked.get("filters") or {},
        }
        for name, asked in definition.items()
    }
    made = create(company.store, "exports", {"export_definition": described, "status": PENDING, "user_id": ME})
    return company.present(call, [made])


def _generate(company: Company) -> None:
    """Generate the exports whose time has come."""
    store, now = company.store, company.store.clock.now()
    waited = timedelta(seconds=company.switches.export_seconds)
    for identity, export in list(store.records("exports").items()):
        due = datetime.fromisoformat(export["created_at"]) + waited
        if export["status"] == PENDING and now >= due:
            reason = company.switches.export_error
            became = {"status": READY} if reason is None else {"status": FAILED, "error_message": reason}
            store.update("exports", identity, {**became, "updated_at": due.isoformat()})


@route("GET", "/exports")
def list_exports(company: Company, call: ParsedRequest) -> Answer:
    """The exports as they stand."""
    _generate(company)
    return list_all(company, call)


@route("GET", "/exports/{id}")
def show_export(company: Company, call: ParsedRequest) -> Answer:
    """One export as it stands."""
    _generate(company)
    export = existing(company, "exports", call.id)
    if export["status"] != FAILED:
        return show(company, call)
    return company.present(call, [call.id], also={"error_message": export["error_message"]})


@route("PUT", "/exports/{id}")
def cancel_export(company: Company, call: ParsedRequest) -> Answer:
    """Cancel an export that is still queued."""
    _generate(company)
    export = existing(company, "exports", call.id)
    if company.checked(call, "exports").get("canceled"):
        if export["status"] != PENDING:
            raise invalid(f"The export is not queued any more: {export['status']}", "canceled")
        company.store.update("exports", call.id, {"status": CANCELED})
    return company.changed(call, call.id)


@route("GET", "/exports/{id}/download_url")
def export_url(company: Company, call: ParsedRequest) -> Answer:
    """The URL of an export's file, valid for a minute."""
    _generate(company)
    export = existing(company, "exports", call.id)
    if export["status"] != READY:
        raise invalid(f"The export has not been generated: {export['status']}")
    content = _as_csv(company.store, export["export_definition"]).encode()
    name = f"export-{call.id}.csv"
    path = company.files.put("exports", call.id, name, content, "text/csv; charset=utf-8", lasting=LINK_LASTS)
    return json_answer({"download_url": company.files.url(path)})


def _as_csv(store: Store, definition: Values) -> str:
    """The data sets one after the other, each with its header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for number, (dataset, asked) in enumerate(definition.items()):
        if number:
            writer.writerow([])
        writer.writerow([column["display_name"] for column in asked["columns"]])
        for record in _within(store.records(dataset).values(), asked.get("filters") or {}):
            writer.writerow([_cell(record.get(column["key"])) for column in asked["columns"]])
    return text.getvalue()


def _within(records: Iterable[Record], filters: Values) -> Iterable[Record]:
    first, last = filters.get("start_date") or "", filters.get("end_date") or "9"
    return (record for record in records if first <= record["created_at"][:10] <= last)


def _cell(value: Any) -> Any:
    return ";".join(map(str, value)) if isinstance(value, list) else "" if value is None else value
