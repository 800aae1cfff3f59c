"""External references: what objects are called in other systems."""

from __future__ import annotations

from ..answer import Answer
from ..company import Company, ParsedRequest
from ..predicates import compared
from ..routes import route
from ..rules import CollectionRules, Values, declare, nested_field
from ..store import Store
from ..writing import create, subject, update

declare(
    "external_references",
    CollectionRules(
        filters={
            "last_synced_after": compared("last_synced_at", after=True),
            "last_synced_before": compared("last_synced_at", after=False),
        },
    ),
)


@nested_field("external_reference")
def _refer(store: Store, collection: str, identity: str, value: Values) -> None:
    store.add("external_references", {**value, **subject(collection, identity), "last_synced_at": store.clock.tick()})


@route("POST", "/external_references/create_or_update")
def create_or_update_reference(company: Company, call: ParsedRequest) -> Answer:
    """Create the external reference of a subject, or change the one it has for that service and model."""
    store, values = company.store, company.checked(call, "external_references")
    same = ("subject_type", "subject_id", "service_name", "service_model")
    for record in store.records("external_references").values():
        if all(str(record[name]) == str(values[name]) for name in same):
            update(store, "external_references", record["id"], {**values, "last_synced_at": store.clock.tick()})
            return company.present(call, [record["id"]])
    made = create(store, "external_references", {**values, "last_synced_at": store.clock.tick()})
    return company.present(call, [made])
