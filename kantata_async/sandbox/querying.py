"""Which objects a list answers, in which order, and which page of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final

from kantata_async.catalogue import Operation, Order

from .filters import Filters, all_of
from .parameters import Asked
from .presenting import Page, name_of
from .store import Record, Store

SortKey = Callable[[Store, Record], Any]

_KEPT_QUERIES: Final = 64


def _name_beyond(collection: str, ref: str) -> SortKey:
    def key(store: Store, record: Record) -> Any:
        other = store.records(collection).get(record.get(ref) or "")
        return name_of(other) if other else None

    return key


def _own_name(_: Store, record: Record) -> Any:
    return name_of(record)


def _attribute(name: str) -> SortKey:
    return lambda _, record: record.get(name)


def _parent_and_position(_: Store, record: Record) -> Any:
    return (int(record["parent_id"] or 0), record["position"] or 0)


_PRIORITIES: Final = {"critical": 4, "high": 3, "normal": 2, "low": 1}

_KEYS: Final[Mapping[tuple[str, str], SortKey]] = {
    ("account_memberships", "bill_rate"): _attribute("bill_rate_in_cents"),
    ("account_memberships", "cost_rate"): _attribute("cost_rate_in_cents"),
    ("account_memberships", "full_name"): _name_beyond("users", "user_id"),
    ("account_memberships", "role"): _name_beyond("roles", "default_role_id"),
    ("account_invitations", "bill_rate"): _attribute("bill_rate_in_cents"),
    ("account_invitations", "cost_rate"): _attribute("cost_rate_in_cents"),
    ("estimate_scenario_resources", "alphabetically"): _attribute("display_label"),
    ("expense_report_submissions", "amount"): _attribute("line_item_total_in_cents"),
    ("expense_report_submissions", "date"): _attribute("created_at"),
    ("expense_report_submissions", "workspace_title"): _name_beyond("workspaces", "workspace_id"),
    ("expenses", "amount"): _attribute("amount_in_cents"),
    ("expenses", "vendor_name"): _name_beyond("vendors", "vendor_id"),
    ("participations", "user_name"): _name_beyond("users", "user_id"),
    ("project_templates", "full_name"): _name_beyond("users", "user_id"),
    ("skill_memberships", "full_name"): _name_beyond("users", "user_id"),
    ("skill_memberships", "skill_name"): _name_beyond("skills", "skill_id"),
    ("stories", "importance"): lambda _, record: -_PRIORITIES.get(record["priority"], 0),
    ("stories", "parent_and_position"): _parent_and_position,
    ("stories", "priority_level"): lambda _, record: _PRIORITIES.get(record["priority"], 0),
    ("timesheet_submissions", "date"): _attribute("start_date"),
    ("workspace_resource_skills", "skill_name"): _name_beyond("skills", "skill_id"),
    ("workspaces", "color_name"): _name_beyond("account_colors", "account_color_id"),
    ("workspaces", "last_viewed"): _attribute("updated_at"),
    ("workspaces", "price"): _attribute("price_in_cents"),
    ("workspaces", "provider_lead_name"): _name_beyond("users", "primary_maven_id"),
    ("workspaces", "status"): lambda _, record: (record["status"] or {}).get("message"),
    ("workspaces", "task_status_set"): _attribute("task_status_set_name"),
}


class Queries:
    """The lists of one store; the last few are kept, for a client that reads page after page."""

    def __init__(self, store: Store, filters: Filters) -> None:
        self._store = store
        self._filters = filters
        self._kept: dict[Hashable, list[str]] = {}
        self._version = -1

    def page(self, operation: Operation, asked: Asked) -> tuple[Sequence[str], Page]:
        """The ids on the page asked for, and where it lies among all that match; past the end there are none."""
        ids = self._matching(operation, asked)
        if asked.offset is not None:
            return ids[asked.offset :][: asked.size], Page(len(ids), asked.offset // asked.size + 1, asked.size)
        start = (asked.number - 1) * asked.size
        return ids[start : start + asked.size], Page(len(ids), asked.number, asked.size)

    def shows(self, operation: Operation, identity: str, asked: Asked) -> bool:
        """Whether one object exists and no default filter hides it."""
        record = self._store.records(str(operation.collection)).get(identity)
        predicates = self._filters.predicates(self._store, operation, asked.filters)
        return record is not None and all_of(predicates)(record)

    def sorted(self, operation: Operation | None, collection: str, ids: Sequence[str]) -> list[str]:
        """Ids in the default order of the list that answers them."""
        records = [self._store.records(collection)[identity] for identity in ids]
        return self._in_order(operation.order if operation else None, None, collection, records)

    def _matching(self, operation: Operation, asked: Asked) -> list[str]:
        if self._version != self._store.version or len(self._kept) >= _KEPT_QUERIES:
            self._kept.clear()
            self._version = self._store.version
        key = (operation.path, repr(sorted(asked.filters.items())), asked.only, asked.order, asked.search)
        if key not in self._kept:
            self._kept[key] = self._found(operation, asked)
        return self._kept[key]

    def _found(self, operation: Operation, asked: Asked) -> list[str]:
        collection = str(operation.collection)
        records = self._store.records(collection)
        keep = all_of(self._filters.predicates(self._store, operation, asked.filters))
        candidates = (
            records.values() if asked.only is None else [records[i] for i in dict.fromkeys(asked.only) if i in records]
        )
        found = [record for record in candidates if keep(record)]
        if asked.search and asked.search.strip():
            return _relevant(self._store, found, asked.search)
        return self._in_order(operation.order, asked.order, collection, found)

    def _in_order(self, order: Order | None, asked: str | None, collection: str, records: list[Record]) -> list[str]:
        records.sort(key=_id_key)
        chosen = _chosen(order, asked)
        if chosen is not None:
            field, descending = chosen
            key = _KEYS.get((collection, field)) or _key_of(field)
            records.sort(key=lambda record: _comparable(key(self._store, record)), reverse=descending)
        return [record["id"] for record in records]


def _key_of(field: str) -> SortKey:
    return _own_name if field.startswith("alphabetical") else _attribute(field)


def _chosen(order: Order | None, asked: str | None) -> tuple[str, bool] | None:
    """The sort field and whether it descends; one that the list does not know gives the default, silently."""
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


def _relevant(store: Store, records: list[Record], search: str) -> list[str]:
    """Records with every word of a search: whole names first, then beginnings, then the rest, by id among equals."""
    words = search.casefold().split()
    scored: list[tuple[int, tuple[int, str], str]] = []
    for record in records:
        person = store.records("users").get(record.get("user_id") or "", {})
        name = (name_of(record) or name_of(person) or "").casefold()
        shown = [v for k, v in record.items() if isinstance(v, str) and not k.endswith(("id", "_at"))]
        text = " ".join([name, *shown]).casefold()
        if all(word in text for word in words):
            score = 0 if name == search.casefold() else 1 if name.startswith(words[0]) else 2
            scored.append((score, _id_key(record), record["id"]))
    return [identity for _, _, identity in sorted(scored)]
