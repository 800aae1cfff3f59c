"""Which objects a list gives, in which order, and which page of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final

from kantata_async.catalogue import CatalogueOperation, SortOrder

from .filters import FilterRules
from .predicates import all_of
from .presenting import PageSlice
from .query_string import Asked
from .rules import SortKey, rules_of
from .sort_keys import name_of, of_attribute, own_name
from .store import Record, Store

_KEPT_QUERIES: Final = 64
_A_DAY: Final = 86_400


class Lists:
    """The lists of one store; the last few are kept, for a client that reads page after page."""

    def __init__(self, store: Store, filters: FilterRules) -> None:
        self._store = store
        self._filters = filters
        self._kept: dict[Hashable, list[str]] = {}
        self._version = -1

    def page(self, operation: CatalogueOperation, asked: Asked) -> tuple[Sequence[str], PageSlice]:
        """The ids on the page asked for, and where it lies among all that match; past the end there are none."""
        ids = self._matching(operation, asked)
        if asked.offset is not None:
            return ids[asked.offset :][: asked.size], PageSlice(len(ids), asked.offset // asked.size + 1, asked.size)
        start = (asked.number - 1) * asked.size
        return ids[start : start + asked.size], PageSlice(len(ids), asked.number, asked.size)

    def shows(self, operation: CatalogueOperation, identity: str, asked: Asked) -> bool:
        """Whether one object exists and no default filter hides it."""
        record = self._store.records(str(operation.collection)).get(identity)
        predicates = self._filters.predicates(self._store, operation, asked.filters)
        return record is not None and all_of(predicates)(record)

    def sorted(self, operation: CatalogueOperation | None, collection: str, ids: Sequence[str]) -> list[str]:
        """Ids in the default order of their list."""
        records = [self._store.records(collection)[identity] for identity in ids]
        return self._in_order(operation.order if operation else None, None, collection, records)

    def _matching(self, operation: CatalogueOperation, asked: Asked) -> list[str]:
        if self._version != self._store.version or len(self._kept) >= _KEPT_QUERIES:
            self._kept.clear()
            self._version = self._store.version
        # Some filters ask about today.
        today = int(self._store.clock.timestamp() // _A_DAY)
        key = (today, operation.path, repr(sorted(asked.filters.items())), asked.only, asked.order, asked.search)
        if key not in self._kept:
            self._kept[key] = self._found(operation, asked)
        return self._kept[key]

    def _found(self, operation: CatalogueOperation, asked: Asked) -> list[str]:
        collection = str(operation.collection)
        records = self._store.records(collection)
        keep = all_of(self._filters.predicates(self._store, operation, asked.filters))
        candidates = (
            records.values() if asked.only is None else [records[i] for i in dict.fromkeys(asked.only) if i in records]
        )
        found = [record for record in candidates if keep(record)]
        if asked.search and asked.search.strip():
            return _relevant(self._store, collection, found, asked)
        return self._in_order(operation.order, asked.order, collection, found)

    def _in_order(
        self, order: SortOrder | None, asked: str | None, collection: str, records: list[Record]
    ) -> list[str]:
        records.sort(key=_id_key)
        chosen = _chosen(order, asked)
        if chosen is not None:
            field, descending = chosen
            key = rules_of(collection).sort_keys.get(field) or _key_of(field)
            records.sort(key=lambda record: _comparable(key(self._store, record)), reverse=descending)
        return [record["id"] for record in records]


def _key_of(field: str) -> SortKey:
    return own_name if field.startswith("alphabetical") else of_attribute(field)


def _chosen(order: SortOrder | None, asked: str | None) -> tuple[str, bool] | None:
    """The sort field and whether it descends; an unknown one silently gives the default."""
    if order is None:
        return None
    for wanted in (asked, order.default):
        field, _, direction = (wanted or "").partition(":")
        known = field in order.fields and not (direction and field in order.undirected)
        if known and direction.lower() in {"", "asc", "desc"}:
            return field, direction.lower() == "desc"
    return None


def _id_key(record: Record) -> tuple[int, str]:
    number, _, rest = record["id"].partition(":")
    return (int(number) if number.isdigit() else 0, rest)


def _comparable(value: Any) -> tuple[int, Any]:
    """Nothing sorts before anything; text without regard to case."""
    if value is None:
        return (0, 0)
    if isinstance(value, (int, float)):
        return (1, value)
    return (2, value) if isinstance(value, tuple) else (3, str(value).casefold())


def _relevant(store: Store, collection: str, records: list[Record], asked: Asked) -> list[str]:
    """Records with every word of a search: whole names first, then beginnings, then all others, with equals by id."""
    search, searched = asked.search or "", rules_of(collection).searched
    sought = search.casefold().split()
    scored: list[tuple[int, tuple[int, str], str]] = []
    for record in records:
        person = store.records("users").get(record.get("user_id") or "", {})
        name = (name_of(record) or name_of(person) or "").casefold()
        shown = [v for k, v in record.items() if isinstance(v, str) and not k.endswith(("id", "_at"))]
        beyond = searched(store, record, dict(asked.filters)) if searched is not None else ""
        text = " ".join([name, *shown, beyond]).casefold()
        if all(word in text for word in sought):
            score = 0 if name == search.casefold() else 1 if name.startswith(sought[0]) else 2
            scored.append((score, _id_key(record), record["id"]))
    return [identity for _, _, identity in sorted(scored)]
