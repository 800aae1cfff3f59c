"""Insights: reports, dashboards, and the scheduled exports of reports."""

from __future__ import annotations

import gzip
from datetime import datetime, timedelta
from typing import Any

from ..answer import Answer, json_answer
from ..company import Company, ParsedRequest
from ..predicates import matching
from ..routes import route
from ..rules import CollectionRules, declare
from ..standard_handlers import existing
from ..store import Record
from ..writing import destroy

declare(
    "account_insights_mappings",
    CollectionRules(filters={"standard": matching(lambda _, record: not record["is_custom_dashboard"])}),
)


@route("GET", "/insights_reports")
def insights_reports(company: Company, call: ParsedRequest) -> Answer:
    """The classic Insights reports, as an array without an envelope."""
    wanted = call.asked.filters.get("title", "").casefold()
    shown = ("identifier", "title", "created_at", "updated_at")
    reports = company.store.records("insights_reports").values()
    return json_answer([{n: r[n] for n in shown} for r in reports if wanted in r["title"].casefold()])


@route("GET", "/scheduled_jobs/insights_report_exports")
def report_exports(company: Company, _: ParsedRequest) -> Answer:
    """The scheduled exports of Insights reports, as an array without an envelope."""
    return json_answer([_job(company, record) for record in company.store.all("insights_report_exports")])


@route("GET", "/scheduled_jobs/insights_report_exports/{id}")
def report_export(company: Company, call: ParsedRequest) -> Answer:
    """One scheduled export."""
    return json_answer(_job(company, existing(company, "insights_report_exports", call.id)))


@route("POST", "/scheduled_jobs/insights_report_exports")
def create_report_export(company: Company, call: ParsedRequest) -> Answer:
    """Schedule an export."""
    store, now = company.store, company.store.clock.tick()
    values = company.checked(call, "insights_report_exports")
    blank = {"title": None, "description": None, "recurrence": None, "created_at": now}
    made = store.add("insights_report_exports", {**blank, **values})
    return json_answer(_job(company, store.records("insights_report_exports")[made]))


@route("PUT", "/scheduled_jobs/insights_report_exports/{id}")
def update_report_export(company: Company, call: ParsedRequest) -> Answer:
    """Change a scheduled export."""
    existing(company, "insights_report_exports", call.id)
    values = company.checked(call, "insights_report_exports")
    return json_answer(_job(company, company.store.update("insights_report_exports", call.id, values)))


@route("DELETE", "/scheduled_jobs/insights_report_exports/{id}")
def delete_report_export(company: Company, call: ParsedRequest) -> Answer:
    """End a scheduled export."""
    destroy(company.store, "insights_report_exports", call.id)
    return Answer(call.operation.status)


@route("GET", "/scheduled_jobs/insights_report_exports/{insights_report_export_id}/results/latest")
def latest_report(company: Company, call: ParsedRequest) -> Answer:
    """The URL of the latest file of a scheduled export."""
    job = existing(company, "insights_report_exports", call.params["insights_report_export_id"])
    return json_answer({"latest_success": _latest(company, job)})


def _job(company: Company, record: Record) -> dict[str, Any]:
    shown = ("title", "description", "external_report_object_identifier", "recurrence", "created_at")
    described = {name: record.get(name) for name in shown}
    return {"id": int(record["id"]), **described, "latest_success": _latest(company, record)}


def _latest(company: Company, job: Record) -> dict[str, Any] | None:
    """The URL of the newest file; the first is ready `Switches.export_seconds` after the job."""
    ready = datetime.fromisoformat(job["created_at"]) + timedelta(seconds=company.switches.export_seconds)
    if company.store.clock.now() < ready:
        return None
    content = gzip.compress(f"report\n{job['external_report_object_identifier']}\n".encode(), mtime=0)
    path = company.files.put("insights", job["id"], "latest.csv.gz", content, "application/gzip")
    return {"url": company.files.url(path), "created_at": ready.isoformat()}
