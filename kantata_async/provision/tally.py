"""How far an apply is: what was written, and what there is to write. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import attrs

from .comparing import Entry, Identity, identity


@attrs.frozen(kw_only=True)
class Tally:
    """How far an apply is: what was written, and what there is to write.

    Attributes:
        added: people and groups that were added or invited.
        to_add: how many there are to add or invite.
        updated: those whose values were set, whether they were there or had just been added.
        to_update: how many there are to update.
        removed: people who were removed.
        to_remove: how many there are to remove.
    """

    added: int = 0
    to_add: int = 0
    updated: int = 0
    to_update: int = 0
    removed: int = 0
    to_remove: int = 0

    @property
    def is_begun(self) -> bool:
        """Whether there is anything to write: an apply that was refused as a whole has no tally."""
        return bool(self.to_add or self.to_update or self.to_remove)

    def __str__(self) -> str:
        parts = (
            (self.added, self.to_add, "added"),
            (self.updated, self.to_update, "updated"),
            (self.removed, self.to_remove, "removed"),
        )
        shown = [f"{done:,} of {total:,} {word}" for done, total, word in parts if total]
        return ", ".join(shown) or "nothing to do"


@attrs.define
class WrittenEntries:
    """What was written so far, each entry once however often it is tried.

    Attributes:
        to_add: how many are to be added or invited.
        to_remove: how many are to be removed.
        to_update: the entries that take an update, alone or after they were added.
        added: those that were added.
        updated: those that were updated.
        removed: those that were removed.
    """

    to_add: int
    to_remove: int
    to_update: set[Identity]
    added: set[Identity] = attrs.field(factory=set)
    updated: set[Identity] = attrs.field(factory=set)
    removed: set[Identity] = attrs.field(factory=set)

    @classmethod
    def of(cls, entries: Sequence[Entry], created_with: Collection[str]) -> WrittenEntries:
        """The start of an apply of these entries; `created_with` are the columns that a create sets."""
        return cls(
            to_add=sum(entry.action in {"add", "invite"} for entry in entries),
            to_remove=sum(entry.action == "remove" for entry in entries),
            to_update={identity(entry) for entry in entries if _takes_update(entry, created_with)},
        )

    @property
    def tally(self) -> Tally:
        """How far the apply is."""
        return Tally(
            added=len(self.added),
            to_add=self.to_add,
            updated=len(self.updated),
            to_update=len(self.to_update | self.updated),
            removed=len(self.removed),
            to_remove=self.to_remove,
        )

    def found_done(self, key: Identity) -> None:
        """Count an entry whose answer was lost, and which is as it should be."""
        if key in self.to_update:
            self.updated.add(key)


def _takes_update(entry: Entry, created_with: Collection[str]) -> bool:
    if entry.action == "add":
        return any(change.field not in created_with for change in entry.changes)
    return entry.action == "change"
