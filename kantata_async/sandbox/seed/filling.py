"""A few records of every kind that founding leaves out, so that no list is empty."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from kantata_async.catalogue import Catalogue, Definition, Field, Type

from ..backend import (
    BASE_TIME,
    ME,
    Record,
    References,
    Store,
    class_of_collection,
    collection_of_class,
    refer,
)
from . import names

A_FEW: Final = 3
EVEN_CHANCE: Final = 0.5

_MADE_ELSEWHERE: Final = frozenset({"custom_field_values", "subscribed_events"})
_SUBJECTS: Final = ("users", "workspaces", "stories")
_MARKS: Final = frozenset({"deleted_at", "disabled_at"})
_GIVEN: Final[dict[str, dict[str, Any]]] = {
    "account_invitations": {"pending": True},
    "assignments": {"current": True},
    "exports": {
        "status": "success",
        "export_definition": {
            "users": {
                "key": "users",
                "display_name": "Users",
                "columns": [{"key": "full_name", "display_name": "Full name", "description": "", "type": "string"}],
                "filters": {},
            }
        },
    },
    "expense_report_submissions": {"status": "pending", "type": "ExpenseReportSubmission"},
    "rate_card_sets": {"account_default": False},
    "timesheet_submissions": {"status": "pending", "type": "TimesheetSubmission"},
    "invoices": {"status": "new", "draft": True},
}


def fill(store: Store, catalogue: Catalogue, references: References, *, seed: int) -> None:
    """Add a few records to every empty collection, with references to existing records."""
    empty = [name for name in catalogue.collections if not store.count(name) and name not in _MADE_ELSEWHERE]
    for collection in empty:
        chance = random.Random(f"{seed} {collection}")  # noqa: S311 - a likeness
        for number in range(A_FEW):
            store.add(collection, _attributes(catalogue.collections[collection], number, chance))
    for collection in empty:
        for identity in list(store.records(collection)):
            record = store.records(collection)[identity]
            changes = _references(store, references, catalogue.collections[collection], record)
            store.update(collection, identity, {"updated_at": record.get("updated_at"), **changes})


def _attributes(definition: Definition, number: int, chance: random.Random) -> Record:
    fields = [field for field in definition.fields if not _refers(field)]
    made = {field.name: _value(field, definition.class_name, number, chance) for field in fields}
    return {**made, **_times(definition, chance), **_GIVEN.get(definition.collection, {})}


def _times(definition: Definition, chance: random.Random) -> Record:
    """When a record was made and last changed, in this order."""
    made = BASE_TIME - timedelta(days=chance.randint(30, 300), minutes=chance.randint(0, 500))
    changed = made + timedelta(hours=chance.randint(0, 600))
    created = definition.attributes.get("created_at")
    day_alone = created is not None and created.type.kind == "date"
    return {
        "created_at": made.date().isoformat() if day_alone else made.isoformat(),
        "updated_at": changed.isoformat(),
    }


def _refers(field: Field) -> bool:
    return field.name.endswith(("_id", "_ids", "_ref", "_refs")) or field.name == "subject_type"


def _value(field: Field, kind: str, number: int, chance: random.Random) -> Any:
    if field.name in _MARKS or field.name in {"archived", "approved"}:
        return None if field.name in _MARKS else False
    if field.values and field.type.kind == "string":
        return chance.choice(field.values)
    return _of_type(field.type, field.name, kind, number, chance)


def _of_type(kind: Type, name: str, owner: str, number: int, chance: random.Random) -> Any:
    if kind.kind in {"array", "map"} and kind.of is not None:
        one = _of_type(kind.of, name, owner, number, chance)
        return [one] if kind.kind == "array" else {name: one}
    if kind.kind == "fields":
        return {part.name: _of_type(part.type, part.name, owner, number, chance) for part in kind.fields}
    scalar = _SCALARS.get(kind.kind)
    return _text(name, owner, number) if scalar is None else scalar(name, number, chance)


_SCALARS: Final[dict[str, Callable[[str, int, random.Random], Any]]] = {
    "boolean": lambda name, _, chance: (
        name in {"active", "current", "enabled", "pending"} or chance.random() < EVEN_CHANCE
    ),
    "date": lambda _, number, __: (BASE_TIME.date() + timedelta(days=number * 7)).isoformat(),
    "date-time": lambda _, __, chance: (BASE_TIME - timedelta(days=chance.randint(1, 300))).isoformat(),
    "integer": lambda _, __, chance: chance.randrange(1, 500),
    "number": lambda _, __, chance: chance.randrange(100, 9999) / 100,
    "object": lambda *_: {},
}

_TEXTS: Final[tuple[tuple[str, Callable[[int], str]], ...]] = (
    (r"currency_symbol", lambda _: "$"),
    (r"currency", lambda _: "USD"),
    (r"email", lambda number: f"guest{number + 1}@client.example"),
    (r"url$|link$", lambda number: f"https://files.example/{number + 1}"),
    (r"color|^hex$", lambda _: "#336699"),
)


def _text(name: str, owner: str, number: int) -> str:
    for pattern, text in _TEXTS:
        if re.search(pattern, name):
            return text(number)
    called = owner if name in {"name", "title", "label"} else name.replace("_", " ")
    return f"{names.WORDS[number]} {called}"


def _references(store: Store, references: References, definition: Definition, record: Record) -> Record:
    """The ids of a record's references: the first record refers to the first object, the second to the second."""
    turn = int(record["id"]) - 1
    changes: Record = {}
    if "subject_ref" in definition.attributes or "subject_id" in definition.attributes:
        changes |= _subject(store, definition, turn)
    named = [
        *(field.name for field in definition.fields if _refers(field)),
        *(a.ref or "" for a in definition.associations),
    ]
    for name in dict.fromkeys(named):
        key = references.key(definition.collection, name)
        there = list(store.records(key)) if key else []
        if key == definition.collection:
            there = there[:turn]
        if not there or name in changes:
            continue
        chosen = ME if name == "creator_id" else there[turn % len(there)]
        changes[name] = [chosen] if name.endswith("_ids") else chosen
    return changes


def _subject(store: Store, definition: Definition, turn: int) -> Record:
    kind = definition.attributes.get("subject_type")
    named = {collection_of_class(value) for value in kind.values} if kind and kind.values else set(_SUBJECTS)
    usable = [collection for collection in _SUBJECTS if collection in named and store.count(collection)]
    collection = usable[turn % len(usable)] if usable else "users"
    subject = {"subject_type": class_of_collection(collection), "subject_id": next(iter(store.records(collection)))}
    return {**subject, "subject_ref": refer(subject)}
