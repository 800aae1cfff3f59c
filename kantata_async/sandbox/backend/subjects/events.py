"""The change feed."""

from __future__ import annotations

from typing import Any

from ..answer import Answer, json_answer
from ..company import Call, Company
from ..inflection import singular
from ..predicates import FilterRule, Predicate
from ..routes import route
from ..rules import declare
from ..store import Store


def _most_recent(*grouping: str) -> FilterRule:
    """The latest event of each group: of a subject, or of a subject and a type."""

    def rule(store: Store, value: Any) -> Predicate:
        events = store.records("subscribed_events").values()
        latest = {tuple(event[name] for name in grouping): event["id"] for event in events}
        kept = frozenset(latest.values())
        return lambda event: not value or event["id"] in kept

    return rule


declare(
    "subscribed_events",
    filters={
        "most_recent": _most_recent("subject_type", "subject_id"),
        "most_recent_by_event_type": _most_recent("subject_type", "subject_id", "event_type"),
    },
)


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
