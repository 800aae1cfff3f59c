"""What the sort fields of lists compare, and the names of objects."""

from __future__ import annotations

from typing import Any

from .rules import SortKey
from .store import Record, Store


def of_attribute(name: str) -> SortKey:
    """The value of an attribute."""
    return lambda _, record: record.get(name)


def own_name(_: Store, record: Record) -> Any:
    """The name of the record itself."""
    return name_of(record)


def name_beyond(collection: str, ref: str) -> SortKey:
    """The name of the object that the record refers to."""

    def key(store: Store, record: Record) -> Any:
        other = store.records(collection).get(record.get(ref) or "")
        return name_of(other) if other else None

    return key


def name_of(record: Record) -> str | None:
    """The name of a record."""
    return next((record[name] for name in ("name", "full_name", "title", "label") if record.get(name)), None)
