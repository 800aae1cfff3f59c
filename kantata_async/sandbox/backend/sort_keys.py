"""What the sort fields of lists compare, and what objects are called."""

from __future__ import annotations

from typing import Any

from .rules import SortKey
from .store import Record, Store


def of_attribute(name: str) -> SortKey:
    """The value of an attribute."""
    return lambda _, record: record.get(name)


def own_name(_: Store, record: Record) -> Any:
    """What the record itself is called."""
    return name_of(record)


def name_beyond(collection: str, ref: str) -> SortKey:
    """What the object is called that the record refers to."""

    def key(store: Store, record: Record) -> Any:
        other = store.records(collection).get(record.get(ref) or "")
        return name_of(other) if other else None

    return key


def name_of(record: Record) -> str | None:
    """What a record is called."""
    return next((record[name] for name in ("name", "full_name", "title", "label") if record.get(name)), None)
