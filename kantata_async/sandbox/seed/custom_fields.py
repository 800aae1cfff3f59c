"""The company's custom fields: every kind, on everything that can have some, with values on most objects."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, Final

import attrs

from ..backend import BASE_TIME, ME, Record, Store, collection_of_class, create

DAYS_BACK: Final = 120


@attrs.frozen(kw_only=True)
class _SeededField:
    """One custom field; `share` of the objects that can have it have a value."""

    name: str
    kind: str
    share: float
    choices: tuple[str, ...] = ()
    unique: bool = False


_FIELDS: Final[dict[str, tuple[_SeededField, ...]]] = {
    "Workspace": (
        _SeededField(name="Budget code", kind="string", share=1.0),
        _SeededField(name="Region", kind="single", share=0.9, choices=("EMEA", "APAC", "Americas")),
        _SeededField(name="Go-live", kind="date", share=0.8),
        _SeededField(name="Contract value", kind="currency", share=0.8),
        _SeededField(name="Services", kind="multi", share=0.8, choices=("Design", "Build", "Support", "Training")),
        _SeededField(name="Health score", kind="number", share=0.8),
    ),
    "User": (
        _SeededField(name="Employee number", kind="string", share=1.0, unique=True),
        _SeededField(name="Hired on", kind="date", share=0.9),
        _SeededField(name="T-shirt size", kind="single", share=0.7, choices=("S", "M", "L", "XL")),
        _SeededField(name="Languages", kind="multi", share=0.7, choices=("English", "French", "German", "Spanish")),
        _SeededField(name="Training budget", kind="currency", share=0.6),
    ),
    "Story": (
        _SeededField(name="Risk", kind="single", share=0.6, choices=("Low", "Medium", "High")),
        _SeededField(name="Story points", kind="number", share=0.7),
        _SeededField(name="Review on", kind="date", share=0.5),
    ),
    "WorkspaceGroup": (
        _SeededField(name="Industry", kind="single", share=0.9, choices=("Energy", "Health", "Retail", "Transport")),
        _SeededField(name="Annual revenue", kind="currency", share=0.8),
        _SeededField(name="Account manager", kind="string", share=0.9),
    ),
    "Estimate": (_SeededField(name="Win probability", kind="number", share=0.9),),
    "Resource": (_SeededField(name="Desk", kind="string", share=0.6),),
}


def define_fields(store: Store) -> None:
    """The sets, the fields and their choices."""
    times = {"created_at": _days_ago(400), "updated_at": _days_ago(400)}
    for subject_type, fields in _FIELDS.items():
        named = {"name": f"{subject_type} details", "subject_type": subject_type}
        held = store.add("custom_field_sets", {**named, **times})
        for field in fields:
            made = store.add(
                "custom_fields",
                {
                    "name": field.name,
                    "value_type": field.kind,
                    "unique_constraint": field.unique,
                    "custom_field_set_id": held,
                    "creator_id": ME,
                    **times,
                },
            )
            for position, label in enumerate(field.choices):
                chosen = {"custom_field_id": made, "label": label, "position": position}
                store.add("custom_field_choices", {**chosen, **times})


def give_values(store: Store, seed: int) -> None:
    """Give most objects values, in the forms of the API."""
    chance = random.Random(seed)  # noqa: S311 - a likeness
    fields = {record["name"]: record for record in store.records("custom_fields").values()}
    for subject_type, defined in _FIELDS.items():
        for identity in list(store.records(collection_of_class(subject_type))):
            for field in defined:
                if chance.random() < field.share:
                    _give(store, fields[field.name], subject_type, identity, chance)


def _give(store: Store, field: Record, subject_type: str, identity: str, chance: random.Random) -> None:
    about = {"subject_type": subject_type, "subject_id": identity, "custom_field_id": field["id"]}
    times = {"created_at": _days_ago(days := chance.randint(1, DAYS_BACK)), "updated_at": _days_ago(days)}
    value = _value(store, field, identity, chance)
    create(store, "custom_field_values", {**about, "value": value, "setter_id": ME, **times})


def _value(store: Store, field: Record, identity: str, chance: random.Random) -> Any:
    match field["value_type"]:
        case "date":
            return (BASE_TIME.date() + timedelta(days=chance.randint(-900, 300))).isoformat()
        case "number":
            return chance.randint(1, 100)
        case "currency":
            return [chance.randrange(50_000, 90_000_000, 2_500), chance.choice(("USD", "USD", "EUR", "GBP"))]
        case "single" | "multi" as kind:
            choices = store.referring("custom_field_choices", "custom_field_id", field["id"])
            return chance.sample(list(map(int, choices)), 1 if kind == "single" else chance.randint(1, 3))
        case _:
            return f"{field['name'][:2].upper()}-{1000 + int(identity)}"


def _days_ago(days: int) -> str:
    return (BASE_TIME - timedelta(days=days)).isoformat()
