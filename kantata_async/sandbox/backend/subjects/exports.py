"""Data exports."""

from __future__ import annotations

from ..answer import Answer, json_answer
from ..company import Call, Company
from ..inflection import titled
from ..refusals import invalid
from ..routes import route
from ..rules import Values, declare
from ..standard_handlers import existing
from ..store import Store


def _meant_by_export(_: Store, values: Values) -> Values:
    if values.get("canceled"):
        return {"status": "canceled"}
    if "export_definition" not in values:
        return {}
    described = {
        name: {
            **asked,
            "key": name,
            "display_name": titled(name),
            "columns": [_column(key) for key in asked["columns"]],
        }
        for name, asked in values["export_definition"].items()
    }
    return {"export_definition": described, "status": "success"}


def _column(key: str) -> Values:
    return {"key": key, "display_name": titled(key), "description": titled(key), "type": "string"}


declare("exports", has_owner=True, meaning=_meant_by_export)


@route("GET", "/exports/available_datasets")
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


@route("GET", "/exports/{id}/download_url")
def export_url(company: Company, call: Call) -> Answer:
    """Where an export's file lies."""
    export = existing(company, "exports", call.id)
    if export["status"] != "success":
        raise invalid("The export has not been generated")
    return json_answer({"download_url": f"https://files.example/exports/{call.id}.csv"})
