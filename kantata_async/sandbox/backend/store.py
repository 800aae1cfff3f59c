"""The in-memory store: collections of records by id, indexed by what they refer to."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

import attrs

from .clock import Clock

Record = dict[str, Any]
Blank = Callable[[], Record]
Listener = Callable[[str, str, Record | None, Record | None], None]
Index = dict[Hashable, dict[str, None]]


class _Collections(dict[str, dict[str, Record]]):
    """The records by collection and id. Those of a saved company are unpacked when somebody first asks for them.

    A company has sixty collections, and most who start a sandbox look at two or three.
    """

    def __init__(self, packed: Mapping[str, bytes] | None = None) -> None:
        self._packed = packed or {}

    def __missing__(self, collection: str) -> dict[str, Record]:
        packed = self._packed.get(collection)
        records: dict[str, Record] = {} if packed is None else pickle.loads(packed)  # noqa: S301 - made by `packed`
        return self.setdefault(collection, records)  # another thread may have been first

    def packed(self) -> dict[str, bytes]:
        """Each collection by itself."""
        return {name: pickle.dumps(records, pickle.HIGHEST_PROTOCOL) for name, records in self.unpacked().items()}

    def unpacked(self) -> dict[str, dict[str, Record]]:
        """All of them, in the order in which they began."""
        return {name: self[name] for name in dict.fromkeys([*self._packed, *self])}


@attrs.frozen
class SavedRecords:
    """All records of a store, for others to take up."""

    collections: Mapping[str, bytes]
    last_ids: Mapping[str, int]
    version: int


class Store:
    """Every record of the company. Ids are strings, in sequence for each collection.

    Every record has its times, `created_at` and `updated_at`, shown or not, and may hold further attributes than its
    definition lists; those never show in an answer.
    """

    def __init__(self, blanks: Mapping[str, Blank], clock: Clock) -> None:
        self.clock = clock
        self.version = 0
        self._watched: frozenset[str] = frozenset()
        self._listener: Listener | None = None
        self._blanks = blanks
        self._records = _Collections()
        self._last_id: dict[str, int] = defaultdict(int)
        self._indexes: dict[str, dict[str, Index]] = defaultdict(dict)

    def watch(self, collections: frozenset[str], listener: Listener) -> None:
        """Call a listener for every change in some collections, with its time, the old record and the new one."""
        self._watched, self._listener = collections, listener

    def saved(self) -> SavedRecords:
        """All records, for `take_up`."""
        return SavedRecords(self._records.packed(), dict(self._last_id), self.version)

    def take_up(self, saved: SavedRecords) -> None:
        """Hold the records that another store saved, in place of its own."""
        self._records = _Collections(saved.collections)
        self._last_id = defaultdict(int, saved.last_ids)
        self.version = saved.version
        self._indexes.clear()

    def add(self, collection: str, attributes: Mapping[str, Any] | None = None) -> str:
        """The id of a new record, completed with defaults; the next in sequence unless `id` is given."""
        given = {name: plain(name, value) for name, value in (attributes or {}).items()}
        blank = self._blanks[collection]() if collection in self._blanks else {}
        identity = given.get("id") or str(self._last_id[collection] + 1)
        if identity.isdigit():
            self._last_id[collection] = max(self._last_id[collection], int(identity))
        now = self.clock.tick()
        record: Record = {**blank, "created_at": now, "updated_at": now, **given, "id": identity}
        self._records[collection][identity] = record
        self._index(collection, record)
        self._changed(now, collection, None, record)
        return str(identity)

    def update(self, collection: str, identity: str, changes: Mapping[str, Any]) -> Record:
        """Change attributes of a record; `updated_at` moves forward.

        The record is replaced by one with the changes; the old one stays as it was.

        Raises:
            KeyError: there is no such record.
        """
        before = self._records[collection][identity]
        self._unindex(collection, before)
        now = self.clock.tick()
        after = {**before, "updated_at": now, **{name: plain(name, value) for name, value in changes.items()}}
        self._records[collection][identity] = after
        self._index(collection, after)
        self._changed(now, collection, before, after)
        return after

    def delete(self, collection: str, identity: str) -> None:
        """Remove a record.

        Raises:
            KeyError: there is no such record.
        """
        before = self._records[collection].pop(identity)
        self._unindex(collection, before)
        self._changed(self.clock.tick(), collection, before, None)

    def get(self, collection: str, identity: str | int) -> Record | None:
        """A copy of a record, or None."""
        record = self._records[collection].get(str(identity))
        return None if record is None else dict(record)

    def all(self, collection: str) -> list[Record]:
        """Copies of the records of a collection, in the order in which they were added."""
        return [dict(record) for record in self._records[collection].values()]

    def count(self, collection: str) -> int:
        """How many records a collection has."""
        return len(self._records[collection])

    def __len__(self) -> int:
        return sum(map(len, self._records.unpacked().values()))

    def __iter__(self) -> Iterator[str]:
        return (collection for collection, records in self._records.unpacked().items() if records)

    def records(self, collection: str) -> Mapping[str, Record]:
        """The records themselves by id, for reading only: `update` is what changes them."""
        return self._records[collection]

    def referring(self, collection: str, attribute: str, value: Hashable) -> tuple[str, ...]:
        """The ids of the records whose attribute is, or whose list attribute holds, a value.

        The value of a polymorphic reference is its ``(key, id)``.
        """
        index = self._indexes[collection].get(attribute)
        if index is None:
            index = self._indexes[collection][attribute] = defaultdict(dict)
            for record in self._records[collection].values():
                for entry in entries(record.get(attribute)):
                    index[entry][record["id"]] = None
        return tuple(index.get(value, ()))

    def _changed(self, at: str, collection: str, before: Record | None, after: Record | None) -> None:
        self.version += 1
        if self._listener is not None and collection in self._watched and not self.clock.founding:
            self._listener(at, collection, before, after)

    def _index(self, collection: str, record: Record) -> None:
        for attribute, index in self._indexes[collection].items():
            for entry in entries(record.get(attribute)):
                index[entry][record["id"]] = None

    def _unindex(self, collection: str, record: Record) -> None:
        for attribute, index in self._indexes[collection].items():
            for entry in entries(record.get(attribute)):
                index[entry].pop(record["id"], None)


def entries(value: Any) -> Iterable[Hashable]:
    """The values by which an attribute is found: the elements of a list, the key and id of a reference, or itself."""
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(entry for element in value for entry in entries(element))
    if isinstance(value, dict):
        return ((value["key"], value["id"]),) if value.keys() == {"key", "id"} else ()
    return (value,)


def plain(name: str, value: Any) -> Any:
    """A value of an attribute, with ids as strings and anything else as it is."""
    if name == "id" or name.endswith("_id"):
        return None if value is None else str(value)
    if name.endswith("_ids") and isinstance(value, (list, tuple)):
        return [str(entry) for entry in value]
    if isinstance(value, dict) and value.keys() == {"key", "id"}:
        return {"key": value["key"], "id": str(value["id"])}
    return value
