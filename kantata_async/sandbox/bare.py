"""Operations that answer outside the usual envelope, in the shape that the catalogue's `response_other` says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from .actions import Action, csv_rows, resolve
from .answers import Answer, Refusal, invalid, invalid_field, json_answer, missing
from .blanks import ACCOUNT
from .company import Call, Company
from .references import ME
from .store import Record
from .usual import existing, named_ids
from .words import singular, titled
from .writing import destroy, destroy_all, destroy_quietly

MAX_RECOMMENDATIONS: Final = 1000
WORKDAY_HOURS: Final = 8

CURRENCIES: Final = tuple(
    {"iso_code": code, "name": name, "symbol": symbol, "subunit_to_unit": subunits}
    for code, name, symbol, subunits in (
        ("AUD", "Australian Dollar", "$", 100),
        ("BRL", "Brazilian Real", "R$", 100),
        ("CAD", "Canadian Dollar", "$", 100),
        ("CHF", "Swiss Franc", "CHF", 100),
        ("EUR", "Euro", "€", 100),
        ("GBP", "British Pound", "£", 100),
        ("INR", "Indian Rupee", "₹", 100),
        ("JPY", "Japanese Yen", "¥", 1),
        ("KWD", "Kuwaiti Dinar", "KD", 1000),
        ("USD", "United States Dollar", "$", 100),
    )
)

_SYMBOLS: Final = {currency["iso_code"]: currency["symbol"] for currency in CURRENCIES}


def _number(identity: str | None) -> int | None:
    return int(identity) if identity and identity.isdigit() else None


def delete_access_group_membership(company: Company, call: Call) -> Answer:
    """Take a person out of an access group; the documentation promises both a message and no content."""
    destroy(company.store, "access_group_memberships", call.id)
    if not company.switches.access_group_message:
        return Answer(204)
    return json_answer({"success": "The access group membership was removed"})


def rate_cards_activated(company: Company, _: Call) -> Answer:
    """Whether rate cards are in use."""
    return json_answer(
        {"activated": any(v["active"] for v in company.store.records("rate_card_set_versions").values())}
    )


def activate_rate_cards(company: Company, call: Call) -> Answer:
    """Take a rate card set version into use."""
    return _activate(company, str(call.asked.filters["rate_card_set_version_id"]))


def publish_rate_card_set_version(company: Company, call: Call) -> Answer:
    """Publish a rate card set version, for good."""
    return _activate(company, call.id)


def _activate(company: Company, identity: str) -> Answer:
    existing(company, "rate_card_set_versions", identity)
    company.store.update("rate_card_set_versions", identity, {"active": True})
    return json_answer({"activated": True})


def currencies(company: Company, call: Call) -> Answer:
    """Every currency, or those that a rate card set version has no card of yet."""
    version = call.asked.filters.get("addable_to_rate_card_set_version")
    store = company.store
    used = {
        store.records("rate_cards")[store.records("rate_card_versions")[found]["rate_card_id"]]["currency"]
        for found in store.referring("rate_card_versions", "rate_card_set_version_id", str(version))
    }
    return json_answer([currency for currency in CURRENCIES if currency["iso_code"] not in used])


def delete_expenses(company: Company, call: Call) -> Answer:
    """Delete all the expenses named or none, and name them again."""
    ids = named_ids(call)
    destroy_all(company.store, "expenses", ids)
    return json_answer({"deleted": [int(identity) for identity in ids]})


def datasets(company: Company, _: Call) -> Answer:
    """The data sets that an export can have: the collections that can be listed."""
    found = {}
    for name in ("participations", "stories", "time_entries", "users", "workspaces"):
        fields = company.catalogue.collections[name].fields
        columns = [
            {
                "key": f.name,
                "display_name": titled(f.name),
                "description": f.note or titled(f.name),
                "type": f.type.kind,
            }
            for f in fields
        ]
        found[name] = {"key": name, "display_name": titled(name), "columns": columns}
    return json_answer({"datasets": found})


def export_url(company: Company, call: Call) -> Answer:
    """Where an export's file lies."""
    export = existing(company, "exports", call.id)
    if export["status"] != "success":
        raise invalid("The export has not been generated")
    return json_answer({"download_url": f"https://files.example/exports/{call.id}.csv"})


def _tables(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    shown = ("id", "name", "account_default", "insights_account_default")
    return {record["id"]: {name: record[name] for name in shown} for record in records}


def exchange_tables(company: Company, _: Call) -> Answer:
    """Every exchange table."""
    return json_answer({"exchange_tables": _tables(company.store.all("exchange_tables"))})


def exchange_table(company: Company, call: Call) -> Answer:
    """One exchange table, under its id."""
    return json_answer(_tables([existing(company, "exchange_tables", call.id)]))


def create_exchange_table(company: Company, call: Call) -> Answer:
    """Create an exchange table from the query; there is no body."""
    blank = {"account_default": False, "insights_account_default": False}
    made = company.store.add("exchange_tables", {**blank, **call.asked.filters})
    return json_answer({"exchange_tables": _tables([company.store.records("exchange_tables")[made]])})


def update_exchange_table(company: Company, call: Call) -> Answer:
    """Change an exchange table by the query; there is no body."""
    existing(company, "exchange_tables", call.id)
    changed = company.store.update("exchange_tables", call.id, call.asked.filters)
    return json_answer({"exchange_tables": _tables([changed])})


def _rates(records: Iterable[Record]) -> dict[str, Any]:
    return {
        "exchange_rates": {
            record["id"]: {
                "id": int(record["id"]),
                "exchange_table_id": int(record["exchange_table_id"]),
                **{name: record[name] for name in ("source_currency", "target_currency", "effective_date", "rate")},
                "source_currency_symbol": _SYMBOLS.get(record["source_currency"], record["source_currency"]),
            }
            for record in records
        }
    }


def exchange_rates(company: Company, call: Call) -> Answer:
    """One page of a table's rates."""
    existing(company, "exchange_tables", call.id)
    wanted = {"exchange_table_id": call.id}
    for name, attribute in (("source_currency",) * 2, ("target_currency",) * 2, ("date", "effective_date")):
        if name in call.asked.filters:
            wanted[attribute] = str(call.asked.filters[name])
    rates = company.store.all("exchange_rates")
    found = [rate for rate in rates if all(rate[name] == value for name, value in wanted.items())]
    start = (call.asked.number - 1) * call.asked.size
    return json_answer(_rates(found[start : start + call.asked.size]))


_RATE_COLUMNS: Final = {
    "Source Currency": "source_currency",
    "Target Currency": "target_currency",
    "Exchange Rate": "exchange_rate",
    "Effective Date": "effective_date",
}


def import_exchange_rates(company: Company, call: Call) -> Answer:
    """Add rates to a table from a CSV file, or from the body when there is none."""
    store = company.store
    existing(company, "exchange_tables", call.id)
    values = company.checked(call, "exchange_tables")
    upload = values.get("csv_file")
    rows = csv_rows(upload, _RATE_COLUMNS) if upload is not None else values.get("exchange_rates") or []
    unknown = [
        i
        for i, row in enumerate(rows)
        if not {row.get("source_currency"), row.get("target_currency")} <= _SYMBOLS.keys()
    ]
    if unknown:
        raise Refusal(
            422, [company.located(invalid_field("currency is not known", "source_currency"), i) for i in unknown]
        )
    made = [
        store.add(
            "exchange_rates",
            {
                "exchange_table_id": call.id,
                **{name: row.get(name) for name in ("source_currency", "target_currency", "effective_date")},
                "rate": row.get("exchange_rate"),
            },
        )
        for row in rows
    ]
    return json_answer(_rates(store.records("exchange_rates")[identity] for identity in made))


def insights_reports(company: Company, call: Call) -> Answer:
    """The classic Insights reports, as a bare array."""
    wanted = call.asked.filters.get("title", "").casefold()
    shown = ("identifier", "title", "created_at", "updated_at")
    reports = company.store.records("insights_reports").values()
    return json_answer([{n: r[n] for n in shown} for r in reports if wanted in r["title"].casefold()])


def next_invoice_number(company: Company, _: Call) -> Answer:
    """The number that the next invoice takes."""
    return json_answer({"next_invoice_number": str(company.store.count("invoices") + 1)})


def _row(company: Company, version: Record, role_id: str) -> dict[str, Any] | None:
    """What a role costs in each currency of a rate card set version."""
    store = company.store
    cells: dict[str, Any] = {}
    for card_version in store.referring("rate_card_versions", "rate_card_set_version_id", version["id"]):
        card = store.records("rate_cards")[store.records("rate_card_versions")[card_version]["rate_card_id"]]
        for found in store.referring("rate_card_roles", "rate_card_version_id", card_version):
            rate = store.records("rate_card_roles")[found]
            if rate["role_id"] == role_id:
                cells[card["currency"]] = {"rate_card_role_id": int(found), "rate": rate["rate"]}
    if not cells:
        return None
    role = store.records("roles").get(role_id, {})
    return {
        "id": f"{version['id']}:{role_id}",
        "rate_card_set_id": _number(version["rate_card_set_id"]),
        "rate_card_set_version_id": int(version["id"]),
        "role_id": int(role_id),
        "name": role.get("name"),
        "removable": True,
        "cells": cells,
    }


def _rows_answer(rows: Mapping[str, Any]) -> Answer:
    return json_answer(
        {
            "count": len(rows),
            "results": [{"key": "rate_card_table_rows", "id": identity} for identity in rows],
            "rate_card_table_rows": rows,
            "meta": {"count": len(rows), "page_count": 1, "page_number": 1, "page_size": max(len(rows), 1)},
        }
    )


def rate_card_rows(company: Company, call: Call) -> Answer:
    """Every role's rates in a rate card set version."""
    version = existing(company, "rate_card_set_versions", call.params["rate_card_set_version_id"])
    rows = (_row(company, version, role) for role in company.store.records("roles"))
    return _rows_answer({row["id"]: row for row in rows if row is not None})


def set_rate_card_row(company: Company, call: Call) -> Answer:
    """Set a role's rates, by currency; a rate that there was none of is added."""
    store = company.store
    version = existing(company, "rate_card_set_versions", call.params["rate_card_set_version_id"])
    role = existing(company, "roles", call.params["role_id"])["id"]
    cards = {
        store.records("rate_cards")[store.records("rate_card_versions")[v]["rate_card_id"]]["currency"]: v
        for v in store.referring("rate_card_versions", "rate_card_set_version_id", version["id"])
    }
    rates = company.checked(call, "rate_card_roles")["rates"]
    unknown = [rate["currency"] for rate in rates if rate["currency"] not in cards]
    if unknown:
        raise invalid(f"The set has no rate card in {', '.join(unknown)}", "rates")
    for rate in rates:
        found = [
            identity
            for identity in store.referring("rate_card_roles", "rate_card_version_id", cards[rate["currency"]])
            if store.records("rate_card_roles")[identity]["role_id"] == role
        ]
        for identity in found:
            store.update("rate_card_roles", identity, {"rate": rate["rate"]})
        if not found:
            made = {"rate_card_version_id": cards[rate["currency"]], "role_id": role, "rate": rate["rate"]}
            store.add("rate_card_roles", made)
    row = _row(company, version, role)
    return _rows_answer({row["id"]: row} if row else {})


def delete_rate_card_row(company: Company, call: Call) -> Answer:
    """Take a role out of a rate card set version."""
    version = existing(company, "rate_card_set_versions", call.params["rate_card_set_version_id"])
    row = _row(company, version, call.params["role_id"])
    if row is None:
        raise missing("rate card table row")
    for cell in row["cells"].values():
        destroy_quietly(company.store, "rate_card_roles", str(cell["rate_card_role_id"]))
    return Answer(call.operation.status)


def recommendations(company: Company, call: Call) -> Answer:
    """The users who would suit an estimate scenario resource, best first."""
    existing(company, "estimate_scenario_resources", str(call.asked.filters["id"]))
    users = list(company.store.records("users"))[:MAX_RECOMMENDATIONS]
    ranked = [{"user_id": int(identity), "rank": rank} for rank, identity in enumerate(users, 1)]
    return json_answer({"total_count": len(ranked), "recommendations": ranked})


def revenue_recognition_methods(company: Company, call: Call) -> Answer:
    """Every revenue recognition method; the results carry names too."""
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


def _job(record: Record) -> dict[str, Any]:
    shown = ("title", "description", "external_report_object_identifier", "recurrence", "created_at", "latest_success")
    return {"id": int(record["id"]), **{name: record[name] for name in shown}}


def report_exports(company: Company, _: Call) -> Answer:
    """The scheduled exports of Insights reports, as a bare array."""
    return json_answer([_job(record) for record in company.store.all("insights_report_exports")])


def report_export(company: Company, call: Call) -> Answer:
    """One scheduled export."""
    return json_answer(_job(existing(company, "insights_report_exports", call.id)))


def create_report_export(company: Company, call: Call) -> Answer:
    """Schedule an export."""
    store, now = company.store, company.store.clock.tick()
    values = company.checked(call, "insights_report_exports")
    success = {"url": "https://files.example/insights/latest.csv.gz", "created_at": now}
    blank = {"title": None, "description": None, "created_at": now, "latest_success": success}
    made = store.add("insights_report_exports", {**blank, **values})
    return json_answer(_job(store.records("insights_report_exports")[made]))


def update_report_export(company: Company, call: Call) -> Answer:
    """Change a scheduled export."""
    existing(company, "insights_report_exports", call.id)
    values = company.checked(call, "insights_report_exports")
    return json_answer(_job(company.store.update("insights_report_exports", call.id, values)))


def delete_report_export(company: Company, call: Call) -> Answer:
    """End a scheduled export."""
    destroy(company.store, "insights_report_exports", call.id)
    return Answer(call.operation.status)


def latest_report(company: Company, call: Call) -> Answer:
    """Where the latest file of a scheduled export lies."""
    job = existing(company, "insights_report_exports", call.params["insights_report_export_id"])
    return json_answer({"latest_success": job["latest_success"]})


def event_types(company: Company, _: Call) -> Answer:
    """The events there are, and what each carries."""
    subjects = ("participations", "stories", "time_entries", "users", "workspaces")
    names = {
        f"{singular(subject)}:{what}": subject for subject in subjects for what in ("created", "updated", "deleted")
    }
    schemas = {
        name: {
            "fields": {f.name: {"name": f.name, "type": f.type.kind} for f in company.catalogue.collections[c].fields}
        }
        for name, c in names.items()
    }
    return json_answer({"subscribed_event_types": list(names), "subscribed_event_type_schemas": schemas})


def _resolving_many(kind: str) -> Action:
    def act(company: Company, call: Call) -> Answer:
        ids = [str(i) for i in company.checked(call, "timesheet_submissions")["submission_ids"]]
        made = resolve(company, call, "timesheet_submissions", kind, ids)
        return json_answer({"resolutions": [_resolution(company.store.records("resolutions")[i]) for i in made]})

    return act


def _resolution(record: Record) -> dict[str, Any]:
    shown = ("type", "description", "target_type", "created_at", "updated_at")
    return {
        "id": int(record["id"]),
        **{name: record[name] for name in shown},
        "target_id": _number(record["target_id"]),
        "user_id": int(ME),
        "account_id": int(ACCOUNT),
        "current": True,
    }


def capacity(company: Company, call: Call) -> Answer:
    """A user's working hours, day by day."""
    existing(company, "users", ME if call.id == "me" else call.id)
    start: date = call.asked.filters["start_date"]
    end: date = call.asked.filters["end_date"]
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    hours = {day.isoformat(): WORKDAY_HOURS if day.weekday() < 5 else 0 for day in days}
    return json_answer({"start_date": start.isoformat(), "end_date": end.isoformat(), "hours": hours})


def match_all_scheduled_hours(company: Company, call: Call) -> Answer:
    """Set the allocations of the resources named to their scheduled hours."""
    rows = company.rows(call, "workspace_resources")
    named = [str(identity) for row in rows for identity in row["resource_ids"]]
    for identity in named:
        existing(company, "workspace_resources", identity)
    for identity in named:
        _match_hours(company, identity)
    return json_answer({"success": True})


def match_scheduled_hours(company: Company, call: Call) -> Answer:
    """Set the allocations of one resource to its scheduled hours."""
    existing(company, "workspace_resources", call.id)
    company.rows(call, "workspace_resources")
    _match_hours(company, call.id)
    return json_answer({"success": True})


def _match_hours(company: Company, identity: str) -> None:
    store = company.store
    assignments = store.referring("assignments", "resource_id", identity)
    minutes = sum(store.records("assignments")[found]["allocated_minutes"] or 0 for found in assignments)
    for found in store.referring("workspace_allocations", "workspace_resource_id", identity):
        store.update("workspace_allocations", found, {"minutes": minutes})


def permissions(company: Company, call: Call) -> Answer:
    """What the caller, an administrator, may do to a project: everything."""
    existing(company, "workspaces", call.id)
    shape = call.operation.response_other
    return json_answer({field.name: True for field in shape.fields} if shape else {})


BARE: Final[Mapping[tuple[str, str], Action]] = {
    ("DELETE", "/access_group_memberships/{id}"): delete_access_group_membership,
    ("DELETE", "/expenses"): delete_expenses,
    (
        "DELETE",
        "/rate_card_set_versions/{rate_card_set_version_id}/rate_card_table_rows/{role_id}",
    ): delete_rate_card_row,
    ("DELETE", "/scheduled_jobs/insights_report_exports/{id}"): delete_report_export,
    ("GET", "/account_rate_cards_activations"): rate_cards_activated,
    ("GET", "/currencies"): currencies,
    ("GET", "/exports/available_datasets"): datasets,
    ("GET", "/exports/{id}/download_url"): export_url,
    ("GET", "/foreign_exchange/exchange_tables"): exchange_tables,
    ("GET", "/foreign_exchange/exchange_tables/{id}"): exchange_table,
    ("GET", "/foreign_exchange/exchange_tables/{id}/rates"): exchange_rates,
    ("GET", "/insights_reports"): insights_reports,
    ("GET", "/invoices/next_invoice_number"): next_invoice_number,
    ("GET", "/rate_card_set_versions/{rate_card_set_version_id}/rate_card_table_rows"): rate_card_rows,
    ("GET", "/recommendations/estimate_scenario_resource"): recommendations,
    ("GET", "/revenue_recognition_methods"): revenue_recognition_methods,
    ("GET", "/scheduled_jobs/insights_report_exports"): report_exports,
    ("GET", "/scheduled_jobs/insights_report_exports/{id}"): report_export,
    ("GET", "/scheduled_jobs/insights_report_exports/{insights_report_export_id}/results/latest"): latest_report,
    ("GET", "/subscribed_events/event_types"): event_types,
    ("GET", "/users/{id}/capacity"): capacity,
    ("GET", "/workspaces/{id}/permissions"): permissions,
    ("POST", "/account_rate_cards_activations"): activate_rate_cards,
    ("POST", "/foreign_exchange/exchange_tables"): create_exchange_table,
    ("POST", "/foreign_exchange/exchange_tables/{id}/rates"): import_exchange_rates,
    ("POST", "/scheduled_jobs/insights_report_exports"): create_report_export,
    ("POST", "/timesheet_approvals"): _resolving_many("approval"),
    ("POST", "/timesheet_cancellations"): _resolving_many("cancellation"),
    ("POST", "/timesheet_rejections"): _resolving_many("rejection"),
    ("POST", "/workspace_resources/allocations_matching_scheduled_hours"): match_all_scheduled_hours,
    ("POST", "/workspace_resources/{id}/allocations_matching_scheduled_hours"): match_scheduled_hours,
    ("PUT", "/foreign_exchange/exchange_tables/{id}"): update_exchange_table,
    ("PUT", "/rate_card_set_versions/{id}/publish"): publish_rate_card_set_version,
    ("PUT", "/rate_card_set_versions/{rate_card_set_version_id}/rate_card_table_rows/{role_id}"): set_rate_card_row,
    ("PUT", "/scheduled_jobs/insights_report_exports/{id}"): update_report_export,
}
