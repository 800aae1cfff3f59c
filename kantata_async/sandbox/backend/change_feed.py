"""The change feed: an event for every object that is created, updated or deleted, kept for nine days.

A write only notes what happened; events are made from the notes when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
import msgspec

from kantata_async.catalogue import Catalogue

from .account import ACCOUNT, ME
from .inflection import collection_of_class, snake
from .store import Record, Store

EVENTS: Final = "subscribed_events"
KEPT: Final = timedelta(days=9)
ACTIONS: Final = ("created", "updated", "deleted")

# Types without events here: another type names their subjects too, or these are no separate objects.
_NOT_PLAYED: Final = frozenset({"BudgetChangeOrder", "DefaultStatusSet", "ScheduleChangeOrder"})


@attrs.frozen
class _RecordChange:
    at: str
    collection: str
    before: Record | None
    after: Record | None

    @property
    def action(self) -> str:
        if self.before is None:
            return "created"
        return "deleted" if self.after is None or _newly_marked(self.before, self.after) else "updated"


def _newly_marked(before: Record, after: Record) -> bool:
    return bool(after.get("deleted_at")) and not before.get("deleted_at")


class ChangeFeed:
    """What has changed in a store, as `subscribed_events` in that store.

    `show` gives the attributes of a record that the payloads of its events carry.
    """

    def __init__(self, catalogue: Catalogue, store: Store, show: Callable[[str, Record], Mapping[str, Any]]) -> None:
        self._types = _types(catalogue)
        self._store = store
        self._show = show
        self._changes: list[tuple[str, str, Record | None, Record | None]] = []
        store.watch(frozenset(self._types), self._note)

    @property
    def event_types(self) -> list[str]:
        """The types of the events there can be: ``time_entry:created``."""
        return [f"{snake(kind)}:{action}" for kind in self._types.values() for action in ACTIONS]

    @property
    def subjects(self) -> Mapping[str, str]:
        """The collection of each subject type."""
        return {kind: collection for collection, kind in self._types.items()}

    def publish(self) -> None:
        """Make events of what has happened since, and drop those that are too old."""
        changes, self._changes = self._changes, []
        oldest = self._store.clock.now() - KEPT
        for identity, event in list(self._store.records(EVENTS).items()):
            if datetime.fromisoformat(event["created_at"]) >= oldest:
                break
            self._store.delete(EVENTS, identity)
        for change in (_RecordChange(*noted) for noted in changes):
            if datetime.fromisoformat(change.at) >= oldest:
                self._store.add(EVENTS, self._event(change))

    def _note(self, at: str, collection: str, before: Record | None, after: Record | None) -> None:
        self._changes.append((at, collection, before, after))

    def _event(self, change: _RecordChange) -> Record:
        kind, subject = self._types[change.collection], change.after or change.before or {}
        before, after = (record and self._show(change.collection, record) for record in (change.before, change.after))
        return {
            "account_id": ACCOUNT,
            "context_workspace_id": subject["id"] if change.collection == "workspaces" else subject.get("workspace_id"),
            "created_at": change.at,
            "updated_at": change.at,
            "event_type": f"{snake(kind)}:{change.action}",
            "subject_type": kind,
            "subject_id": subject["id"],
            "subject_ref": {"key": change.collection, "id": subject["id"]},
            "subject_changed_at": subject["updated_at"],
            "user_id": ME,
            "previous_payload": _text(before),
            "current_payload": _text(after),
            "payload_changes": _text(_differences(before or {}, after or {})),
        }


def _types(catalogue: Catalogue) -> dict[str, str]:
    """The subject type of each collection whose changes are in the feed."""
    filters = catalogue.operations["GET", f"/{EVENTS}"].filters
    kinds: Iterable[str] = next(field.values for field in filters if field.name == "subject_type")
    named = {kind: collection_of_class(kind) for kind in kinds if kind not in _NOT_PLAYED}
    return {collection: kind for kind, collection in named.items() if collection in catalogue.collections}


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    names = dict.fromkeys([*before, *after])
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def _text(payload: Mapping[str, Any] | None) -> str | None:
    return None if payload is None else msgspec.json.encode(payload).decode()
