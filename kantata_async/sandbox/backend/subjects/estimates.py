"""Estimates, their scenarios, and the people recommended for them."""

from __future__ import annotations

from typing import Final

from ..answer import Answer, json_answer
from ..company import Company, ParsedRequest
from ..predicates import among, beyond, containing
from ..routes import route
from ..rules import CollectionRules, Values, declare, nested_field
from ..sort_keys import of_attribute
from ..standard_handlers import existing
from ..store import Store

MAX_RECOMMENDATIONS: Final = 1000

declare(
    "estimates",
    CollectionRules(
        filters={
            "creator": beyond("users", "creator_id", containing("full_name")),
            "with_workspace_group_ids": among("workspace_group_id"),
        },
        belongings=(("estimate_scenarios", "estimate_id"),),
    ),
)
declare("estimate_scenarios", CollectionRules(belongings=(("estimate_scenario_resources", "estimate_scenario_id"),)))
declare(
    "estimate_scenario_resources",
    CollectionRules(
        sort_keys={"alphabetically": of_attribute("display_label")},
        belongings=(("estimate_scenario_resource_allocations", "resource_id"),),
    ),
)


@nested_field("estimate_scenario")
def _first_scenario(store: Store, _: str, identity: str, value: Values) -> None:
    store.add("estimate_scenarios", {**value, "estimate_id": identity})


@nested_field("allocation_attributes")
def _allocation(store: Store, collection: str, identity: str, value: Values) -> None:
    made = store.add("estimate_scenario_resource_allocations", {**value, "resource_id": identity})
    store.update(collection, identity, {"allocation_id": made})


@route("GET", "/recommendations/estimate_scenario_resource")
def recommendations(company: Company, call: ParsedRequest) -> Answer:
    """The users who would suit an estimate scenario resource, best first."""
    existing(company, "estimate_scenario_resources", str(call.asked.filters["id"]))
    users = list(company.store.records("users"))[:MAX_RECOMMENDATIONS]
    ranked = [{"user_id": int(identity), "rank": rank} for rank, identity in enumerate(users, 1)]
    return json_answer({"total_count": len(ranked), "recommendations": ranked})
