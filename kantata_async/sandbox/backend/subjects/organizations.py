"""Organizations: the geographies and departments that people and projects belong to."""

from __future__ import annotations

from typing import Any

from ..account import ME
from ..predicates import Condition, FilterRule, Predicate, equal, flag
from ..rules import CollectionRules, Values, declare, nested_field
from ..store import Record, Store

_PARTS_OF_A_MEMBERSHIP = ("geography_id", "department_id")


def organizations_of(store: Store, kind: str, identity: str) -> set[str]:
    """The organizations that a user or a workspace belongs to."""
    memberships = store.records("organization_memberships")
    found = (memberships[link] for link in store.referring("organization_memberships", "member_id", identity))
    own = [membership for membership in found if str(membership["member_type"]).lower() == kind]
    return {membership[part] for membership in own for part in _PARTS_OF_A_MEMBERSHIP if membership[part]}


def in_an_organization(kind: str) -> Condition:
    """Whether a user or a workspace belongs to any organization."""
    return lambda store, record: bool(organizations_of(store, kind, record["id"]))


def belonging_to(kind: str) -> FilterRule:
    """Members of any of some geographies and of any of some departments: ``geography,geography;department``."""

    def rule(store: Store, value: Any) -> Predicate:
        groups = [set(group.split(",")) for group in str(value).split(";") if group]

        def keep(record: Record) -> bool:
            own = organizations_of(store, kind, record["id"])
            return all(not own.isdisjoint(group) for group in groups)

        return keep

    return rule


declare(
    "organizations",
    CollectionRules(
        filters={
            "for_current_user": flag(lambda store, record: record["id"] in organizations_of(store, "user", ME)),
            "type": equal("type"),
        },
    ),
)


@nested_field("organizations")
def _join_organizations(store: Store, _: str, identity: str, value: list[Values]) -> None:
    for membership in value:
        store.add("organization_memberships", {**membership, "member_id": identity, "member_type": "workspace"})
