"""Parents and what belongs to them: which parents there are, and for which of them something changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ..tables import Table
from .copying import JobTally
from .listing import Listing, ListPage
from .parents import Parents
from .store import OpenTarget, Scope
from .targets import Step


class Family:
    """The parents of the objects of a list.

    Attributes:
        listing: the parents on the server.
        changed: those for which the copy may differ from the server, known after `look`.
    """

    def __init__(self, through: Parents, listing: Listing, table: Table) -> None:
        self.listing: Final = listing
        self.changed: tuple[str, ...] = ()
        self._through: Final = through
        self._table: Final = table
        self._parents: set[str] = set()
        self._belonging: dict[str, list[str]] = {}
        self._updated: dict[str, Any] = {}
        self._second = 0
        self._orphans: tuple[str, ...] = ()

    async def parents(self) -> Sequence[str]:
        """The ids of all parents."""
        await self._read()
        return sorted(self._parents)

    async def look(self, store: OpenTarget, is_outdated: Callable[[str], bool]) -> None:
        """Find the parents for which something changed or is outdated, and the objects whose parents are gone."""
        pages = await self._read()
        of = self._through.filter
        rows = (await store.read(Scope(self._table), ["id", of, "updated_at"])).to_pylist()
        held: dict[str, dict[str, Any]] = defaultdict(dict)
        for row in rows:
            held[row[of]][row["id"]] = row["updated_at"]
        gone = held.keys() - self._parents
        if gone and pages > 1:
            # One that is there may have been missed while others came and went, and moved it from page to page.
            found = await self.listing.by_id(sorted(gone))
            self._parents.update(id for page in found for id in page.ids)
            gone -= self._parents
        self._orphans = tuple(id for parent in gone for id in held[parent])
        updates = None if store.was_widened(self._table) else self._updates()
        self.changed = tuple(
            parent
            for parent in sorted(self._parents)
            if updates is None or updates.get(parent, {}) != held.get(parent, {}) or is_outdated(parent)
        )

    def sizes(self) -> Sequence[int]:
        """How many objects each of the changed parents has: one where the parents' list does not say."""
        return [1 if self._through.ref is None else len(self._belonging[parent] or ()) for parent in self.changed]

    async def bury(self, store: OpenTarget, tally: JobTally) -> None:
        """Have the target note that what belonged to missing parents is gone."""
        if self._orphans:
            at = datetime.fromtimestamp(self._second, UTC)
            tally.add(await store.write(Step(at, deleted={self._table: self._orphans})))

    async def _read(self) -> int:
        """The number of pages that the parents, and the objects that came along, were read from."""
        number = 0

        async def take(pages: Sequence[ListPage]) -> None:
            nonlocal number
            number += len(pages)
            for page in pages:
                self._second = max(self._second, page.second)
                self._parents.update(page.ids)
                if self._through.ref is not None:
                    columns = page.listed.rows.select(["id", self._through.ref]).to_pydict()
                    self._belonging.update(zip(columns["id"], columns[self._through.ref], strict=True))
                for batch in page.beside:
                    if batch.table is self._table and "updated_at" in batch.sent:
                        columns = batch.rows.select(["id", "updated_at"]).to_pydict()
                        self._updated.update(zip(columns["id"], columns["updated_at"], strict=True))

        await self.listing.read((), take)
        return number

    def _updates(self) -> dict[str, dict[str, Any]] | None:
        """When each object was updated, by parent; None where the parents' list does not say."""
        if self._through.ref is None or None in self._belonging.values():
            return None
        if not self._updated.keys() >= {id for ids in self._belonging.values() for id in ids}:
            return None
        return {parent: {id: self._updated[id] for id in ids} for parent, ids in self._belonging.items()}
