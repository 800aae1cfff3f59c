"""The change feed."""

from __future__ import annotations

from ..answer import Answer, json_answer
from ..company import Call, Company
from ..inflection import singular
from ..routes import route


@route("GET", "/subscribed_events/event_types")
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
