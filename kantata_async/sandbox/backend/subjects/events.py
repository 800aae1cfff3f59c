"""The change feed, as operations."""

from __future__ import annotations

from typing import Any

from ..answer import Answer, json_answer
from ..change_feed import EVENTS
from ..company import Company, ParsedRequest
from ..predicates import FilterRule, Predicate, among
from ..refusals import invalid
from ..routes import route
from ..rules import CollectionRules, declare
from ..standard_handlers import list_all
from ..store import Record, Store


def _most_recent(*grouping: str) -> FilterRule:
    """The latest event of each group: of a subject, or of a subject and a type."""

    def rule(store: Store, value: Any) -> Predicate:
        events = store.records(EVENTS).values()
        latest = {tuple(event[name] for name in grouping): event["id"] for event in events}
        kept = frozenset(latest.values())
        return lambda event: not value or event["id"] in kept

    return rule


def _subject_while_there(store: Store, event: Record) -> Any:
    """The subject of an event, until it is deleted."""
    reference = event["subject_ref"]
    subject = store.records(reference["key"]).get(reference["id"])
    return None if subject is None or subject.get("deleted_at") else reference


declare(
    EVENTS,
    CollectionRules(
        filters={
            "event_types": among("event_type"),
            "most_recent": _most_recent("subject_type", "subject_id"),
            "most_recent_by_event_type": _most_recent("subject_type", "subject_id", "event_type"),
            "subject_id": among("subject_id"),
            "user_ids": among("user_id"),
        },
        associations={"subject_ref": _subject_while_there},
    ),
)


@route("GET", "/subscribed_events")
def events(company: Company, call: ParsedRequest) -> Answer:
    """One page of the events of the last nine days."""
    given = call.asked.filters
    if given.get("most_recent") and given.get("most_recent_by_event_type"):
        raise invalid("most_recent excludes most_recent_by_event_type", "most_recent")
    if "subject_id" in given and "subject_type" not in given:
        raise invalid("subject_id needs subject_type too", "subject_id")
    company.feed.publish()
    return list_all(company, call)


@route("GET", "/subscribed_events/event_types")
def event_types(company: Company, _: ParsedRequest) -> Answer:
    """The types of events, and what each carries."""
    names = company.feed.event_types
    subjects = company.feed.subjects
    schemas = {
        name: {
            "name": name,
            "description": f"A {name.replace('_', ' ').replace(':', ' was ')}",
            "fields": {
                field.name: {"name": field.name, "type": field.type.kind, "description": field.note or field.name}
                for field in company.catalogue.collections[collection].fields
            },
        }
        for name, collection in zip(names, (c for c in subjects.values() for _ in range(3)), strict=True)
    }
    return json_answer({"subscribed_event_types": names, "subscribed_event_type_schemas": schemas})
