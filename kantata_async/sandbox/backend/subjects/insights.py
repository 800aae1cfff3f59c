"""Insights: reports, dashboards, and the scheduled exports of reports."""

from __future__ import annotations

from typing import Any

from ..answer import Answer, json_answer
from ..company import Call, Company
from ..predicates import matching
from ..routes import route
from ..rules import declare
from ..standard_handlers import existing
from ..store import Record
from ..writing import destroy

declare(
    "account_insights_mappings", filters={"standard": matching(lambda _, record: not record["is_custom_dashboard"])}
)


@route("GET", "/insights_reports")
def insights_reports(company: Company, call: Call) -> Answer:
    """The classic Insights reports, as a bare array."""
    wanted = call.asked.filters.get("title", "").casefold()
    shown = ("identifier", "title", "created_at", "updated_at")
    reports = company.store.records("insights_reports").values()
    return json_answer([{n: r[n] for n in shown} for r in reports if wanted in r["title"].casefold()])


@route("GET", "/scheduled_jobs/insights_report_exports")
def report_exports(company: Company, _: Call) -> Answer:
    """The scheduled exports of Insights reports, as a bare array."""
    return json_answer([_job(record) for record in company.store.all("insights_report_exports")])


@route("GET", "/scheduled_jobs/insights_report_exports/{id}")
def report_export(company: Company, call: Call) -> Answer:
    """One scheduled export."""
    return json_answer(_job(existing(company, "insights_report_exports", call.id)))


@route("POST", "/scheduled_jobs/insights_report_exports")
def create_report_export(company: Company, call: Call) -> Answer:
    """Schedule an export."""
    store, now = company.store, company.store.clock.tick()
    values = company.checked(call, "insights_report_exports")
    success = {"url": "https://files.example/insights/latest.csv.gz", "created_at": now}
    blank = {"title": None, "description": None, "created_at": now, "latest_success": success}
    made = store.add("insights_report_exports", {**blank, **values})
    return json_answer(_job(store.records("insights_report_exports")[made]))


@route("PUT", "/scheduled_jobs/insights_report_exports/{id}")
def update_report_export(company: Company, call: Call) -> Answer:
    """Change a scheduled export."""
    existing(company, "insights_report_exports", call.id)
    values = company.checked(call, "insights_report_exports")
    return json_answer(_job(company.store.update("insights_report_exports", call.id, values)))


@route("DELETE", "/scheduled_jobs/insights_report_exports/{id}")
def delete_report_export(company: Company, call: Call) -> Answer:
    """End a scheduled export."""
    destroy(company.store, "insights_report_exports", call.id)
    return Answer(call.operation.status)


@route("GET", "/scheduled_jobs/insights_report_exports/{insights_report_export_id}/results/latest")
def latest_report(company: Company, call: Call) -> Answer:
    """Where the latest file of a scheduled export lies."""
    job = existing(company, "insights_report_exports", call.params["insights_report_export_id"])
    return json_answer({"latest_success": job["latest_success"]})


def _job(record: Record) -> dict[str, Any]:
    shown = ("title", "description", "external_report_object_identifier", "recurrence", "created_at", "latest_success")
    return {"id": int(record["id"]), **{name: record[name] for name in shown}}
