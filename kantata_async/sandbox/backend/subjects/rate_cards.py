"""Rate cards: their sets, versions, roles and rates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ..answer import Answer, json_answer
from ..company import Company, ParsedRequest
from ..predicates import Predicate, among, beyond, containing, equal, in_force, joined, matching
from ..presenting import as_number
from ..refusals import invalid, missing
from ..routes import route
from ..rules import CollectionRules, Guard, Values, declare
from ..standard_handlers import existing
from ..store import Record, Store
from ..writing import create, destroy_quietly


def _has_active_version(store: Store, record: Record) -> bool:
    versions = store.records("rate_card_set_versions")
    found = store.referring("rate_card_set_versions", "rate_card_set_id", record["id"])
    return any(versions[identity]["active"] for identity in found)


def _card_in_use(store: Store, record: Record) -> bool:
    cards, versions = store.records("rate_card_versions"), store.records("rate_card_set_versions")
    found = store.referring("rate_card_versions", "rate_card_id", record["id"])
    return any(versions.get(cards[v]["rate_card_set_version_id"] or "", {}).get("active") for v in found)


def _in_force_on(store: Store, value: date) -> Predicate:
    """The latest version of each card whose set version has begun by a day."""
    sets = store.records("rate_card_set_versions")
    latest: dict[str, tuple[str, str]] = {}
    for version in store.records("rate_card_versions").values():
        began = str(sets.get(version["rate_card_set_version_id"] or "", {}).get("effective_date") or "")
        card = version["rate_card_id"]
        if began <= value.isoformat() and (card not in latest or latest[card] < (began, version["id"])):
            latest[card] = (began, version["id"])
    kept = {identity for _, identity in latest.values()}
    return lambda record: record["id"] in kept


declare(
    "rate_card_sets",
    CollectionRules(
        filters={
            "active": matching(_has_active_version),
            "has_active_currency": among("active_currencies"),
            "has_currency": joined("rate_cards", "currency", "rate_card_set_id"),
            "workspace_groups": among("workspace_group_ids"),
        },
        belongings=(("rate_cards", "rate_card_set_id"), ("rate_card_set_versions", "rate_card_set_id")),
        guard=Guard(
            lambda _, record: record["account_default"], "The account's default rate card set cannot be deleted"
        ),
    ),
)


def _version_every_card(store: Store, identity: str, values: Values) -> None:
    for card in store.referring("rate_cards", "rate_card_set_id", str(values["rate_card_set_id"])):
        store.add("rate_card_versions", {"rate_card_id": card, "rate_card_set_version_id": identity})


def _version_card(store: Store, identity: str, values: Values) -> None:
    for version in store.referring("rate_card_set_versions", "rate_card_set_id", str(values["rate_card_set_id"])):
        store.add("rate_card_versions", {"rate_card_id": identity, "rate_card_set_version_id": version})


declare(
    "rate_card_set_versions",
    CollectionRules(
        filters={"effective_on_date": in_force("effective_date")},
        created=_version_every_card,
    ),
)
declare(
    "rate_cards",
    CollectionRules(
        filters={
            "active": matching(_card_in_use),
            "currencies": among("currency"),
            "matching": containing("rate_card_set_title"),
            "matching_title_or_currency": containing("rate_card_set_title", "currency"),
        },
        created=_version_card,
        belongings=(("rate_card_versions", "rate_card_id"),),
        guard=Guard(
            lambda store, record: store.referring("workspaces", "rate_card_id", record["id"]),
            "A project uses the rate card",
        ),
    ),
)
declare(
    "rate_card_versions",
    CollectionRules(
        filters={
            "effective_on_date": _in_force_on,
            "rate_card_set_id": beyond("rate_cards", "rate_card_id", equal("rate_card_set_id")),
        },
        belongings=(("rate_card_roles", "rate_card_version_id"),),
    ),
)


@route("GET", "/account_rate_cards_activations")
def rate_cards_activated(company: Company, _: ParsedRequest) -> Answer:
    """Whether rate cards are in use."""
    return json_answer(
        {"activated": any(v["active"] for v in company.store.records("rate_card_set_versions").values())}
    )


@route("POST", "/account_rate_cards_activations")
def activate_rate_cards(company: Company, call: ParsedRequest) -> Answer:
    """Put a rate card set version into use."""
    return _activate(company, str(call.asked.filters["rate_card_set_version_id"]))


@route("PUT", "/rate_card_set_versions/{id}/publish")
def publish_rate_card_set_version(company: Company, call: ParsedRequest) -> Answer:
    """Publish a rate card set version, for good."""
    return _activate(company, call.id)


def _activate(company: Company, identity: str) -> Answer:
    existing(company, "rate_card_set_versions", identity)
    company.store.update("rate_card_set_versions", identity, {"active": True})
    return json_answer({"activated": True})


@route("POST", "/rate_card_sets")
def create_rate_card_set(company: Company, call: ParsedRequest) -> Answer:
    """Create a rate card set; with `clone_version_id` it gets the rate cards of that version."""
    store, values = company.store, company.checked(call, "rate_card_sets")
    cloned = call.asked.filters.get("clone_version_id")
    cards = _cards_of_version(company, cloned) if cloned is not None else {}
    made = create(store, "rate_card_sets", values)
    version = create(store, "rate_card_set_versions", {"rate_card_set_id": made})
    for card, rates in cards.items():
        currency = store.records("rate_cards")[card]["currency"]
        copy = create(store, "rate_cards", {"rate_card_set_id": made, "currency": currency})
        _copy_rates(company, version, copy, rates)
    return company.present(call, [made])


@route("POST", "/rate_card_set_versions")
def create_rate_card_set_version(company: Company, call: ParsedRequest) -> Answer:
    """Create a version of every rate card of a set; with `clone_id` it gets the rates of that version."""
    store, values = company.store, company.checked(call, "rate_card_set_versions")
    cloned = call.asked.filters.get("clone_id")
    cards = _cards_of_version(company, cloned) if cloned is not None else {}
    made = create(store, "rate_card_set_versions", values)
    for card, rates in cards.items():
        _copy_rates(company, made, card, rates)
    return company.present(call, [made])


def _cards_of_version(company: Company, identity: int) -> dict[str, list[dict[str, Any]]]:
    """The rate cards of which a set version has versions, with their rates by role."""
    store = company.store
    if str(identity) not in store.records("rate_card_set_versions"):
        raise missing("rate card set version")
    versions, roles = store.records("rate_card_versions"), store.records("rate_card_roles")
    return {
        versions[version]["rate_card_id"]: [
            {name: roles[role][name] for name in ("role_id", "rate")}
            for role in store.referring("rate_card_roles", "rate_card_version_id", version)
        ]
        for version in store.referring("rate_card_versions", "rate_card_set_version_id", str(identity))
    }


def _copy_rates(company: Company, set_version: str, card: str, rates: list[dict[str, Any]]) -> None:
    store = company.store
    for version in store.referring("rate_card_versions", "rate_card_set_version_id", set_version):
        if store.records("rate_card_versions")[version]["rate_card_id"] == card:
            for rate in rates:
                store.add("rate_card_roles", {**rate, "rate_card_version_id": version})


@route("GET", "/rate_card_set_versions/{rate_card_set_version_id}/rate_card_table_rows")
def rate_card_rows(company: Company, call: ParsedRequest) -> Answer:
    """Every role's rates in a rate card set version."""
    version = existing(company, "rate_card_set_versions", call.params["rate_card_set_version_id"])
    rows = (_row(company, version, role) for role in company.store.records("roles"))
    return _rows_answer({row["id"]: row for row in rows if row is not None})


@route("PUT", "/rate_card_set_versions/{rate_card_set_version_id}/rate_card_table_rows/{role_id}")
def set_rate_card_row(company: Company, call: ParsedRequest) -> Answer:
    """Set a role's rates, by currency; one that was not there is added."""
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


@route("DELETE", "/rate_card_set_versions/{rate_card_set_version_id}/rate_card_table_rows/{role_id}")
def delete_rate_card_row(company: Company, call: ParsedRequest) -> Answer:
    """Take a role out of a rate card set version."""
    version = existing(company, "rate_card_set_versions", call.params["rate_card_set_version_id"])
    row = _row(company, version, call.params["role_id"])
    if row is None:
        raise missing("rate card table row")
    for cell in row["cells"].values():
        destroy_quietly(company.store, "rate_card_roles", str(cell["rate_card_role_id"]))
    return Answer(call.operation.status)


def _row(company: Company, version: Record, role_id: str) -> dict[str, Any] | None:
    """The rates of a role in each currency of a rate card set version."""
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
        "rate_card_set_id": as_number(version["rate_card_set_id"]),
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
