"""What is known of every entry of an apply at every moment, so that an interruption can report all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from ..bulk import Outcome
from .comparing import Entry, Identity, identity
from .report import DONE_AS, Applied, EntryStatus, Progress, Report, Watch
from .sheets import Problem
from .tally import WrittenEntries

_INTERRUPTED: Final = "it was interrupted while it may have been under way"
_PART_DONE: Final = "some of its changes are set"

_DOUBT: Final[Sequence[EntryStatus]] = ("not_sent", "unfinished", "refused", "unknown")
"""What may become of an update that is not done: the later, the less of the entry is as it was."""


class EntryLedger:
    """The entries of one apply, and what became of them so far.

    Args:
        entries: what is to be done.
        created_with: the columns that a create sets.
        progress: called with each entry that is done.
        watch: called with how far the apply is.
    """

    def __init__(
        self, entries: Sequence[Entry], created_with: Collection[str], progress: Progress, watch: Watch
    ) -> None:
        self._planned = {identity(entry): entry for entry in entries}
        self._created_with = created_with
        self._progress = progress
        self._watch = watch
        self._results: dict[Identity, Applied] = {}
        self._written = WrittenEntries.of(entries, created_with)
        self._under_way: set[Identity] = set()
        self._part_done: set[Identity] = set()
        self._owed: dict[Identity, int] = {}
        self._remarks: dict[Identity, list[str]] = defaultdict(list)

    @property
    def entries(self) -> list[Entry]:
        """What is to be done, in its order."""
        return list(self._planned.values())

    def result(self, entry: Entry) -> Applied:
        """What became of an entry."""
        return self._results[identity(entry)]

    def report(self, problems: tuple[Problem, ...]) -> Report:
        """What became of every entry so far, and the lines that could not be done."""
        applied = tuple(self._results.get(key) or self._unsettled(key) for key in self._planned)
        return Report(applied, problems, self._written.tally)

    def _unsettled(self, key: Identity) -> Applied:
        entry = self._planned[key]
        if key in self._written.added:
            return Applied(entry, "unfinished", self._lacking(entry))
        if key in self._part_done:
            return Applied(entry, "unfinished", _PART_DONE)
        if key in self._under_way:
            return Applied(entry, "unknown", _INTERRUPTED)
        return Applied(entry, "not_sent", "its turn had not come")

    def _lacking(self, entry: Entry) -> str:
        columns = [change.field for change in entry.changes if change.field not in self._created_with]
        return f"added, and {', '.join(columns) or 'some values'} not set"

    # --- putting down ---

    def begin(self, entries: Iterable[Entry]) -> None:
        """Put down that writes of entries are being sent."""
        self._under_way |= set(map(identity, entries))

    def settle(self, entry: Entry, status: EntryStatus | None = None, reason: str | None = None) -> None:
        """Put down what became of an entry; without a status, it was done as planned."""
        key = identity(entry)
        planned = self._planned[key]
        result = Applied(planned, status or DONE_AS[planned.action], reason)
        self._results[key] = result
        if result.done:
            self._progress(result)

    def fail(self, entry: Entry, outcome: Outcome[Any]) -> None:
        """Put down why a write of an entry was not carried out, or may not have been.

        Of several updates the one of which the least is known decides.
        """
        key = identity(entry)
        failed = self._failed(entry, outcome)
        before = self._results.get(key) if key in self._owed else None
        if before is None or _DOUBT.index(before.status) <= _DOUBT.index(failed.status):
            self._results[key] = failed

    def _failed(self, entry: Entry, outcome: Outcome[Any]) -> Applied:
        key = identity(entry)
        planned = self._planned[key]
        why = "; ".join(map(str, outcome.errors)) or outcome.reason
        match outcome.status:
            case "rejected":
                return Applied(planned, "refused", why)
            case "not_sent" if key in self._written.added:
                return Applied(planned, "unfinished", f"{self._lacking(entry)}: {why}")
            case "not_sent" if key in self._part_done:
                return Applied(planned, "unfinished", f"{_PART_DONE}: {why}")
            case "not_sent":
                return Applied(planned, "not_sent", why)
            case _:
                return Applied(planned, "unknown", why)

    def add(self, entry: Entry) -> None:
        """Put down that an entry was added, whatever is still to be set."""
        self._written.added.add(identity(entry))
        self._watch(self._written.tally)

    def owe(self, entry: Entry, updates: int) -> None:
        """Put down how many updates an entry takes, whatever became of earlier ones."""
        key = identity(entry)
        self._owed[key] = updates
        self._results.pop(key, None)
        self._remarks.pop(key, None)

    def update(self, entry: Entry, remark: str | None) -> None:
        """Put down that one of an entry's updates was carried out; with the last of them it is done."""
        key = identity(entry)
        self._owed[key] -= 1
        self._part_done.add(key)
        before = self._results.get(key)
        if before is not None and before.status == "not_sent":
            self._results[key] = Applied(before.entry, "unfinished", f"{_PART_DONE}: {before.reason}")
        if remark is not None:
            self._remarks[key].append(remark)
        if self._owed[key] == 0 and key not in self._results:
            self._written.updated.add(key)
            self.settle(entry, reason="; ".join(self._remarks[key]) or None)
        self._watch(self._written.tally)

    def remove(self, entry: Entry) -> None:
        """Put down that somebody was removed."""
        self._written.removed.add(identity(entry))
        self.settle(entry)
        self._watch(self._written.tally)

    def find_done(self, entry: Entry) -> None:
        """Put down an entry whose answer was lost, and which was found to be as it should be."""
        self.settle(entry)
        self._written.found_done(identity(entry))
        self._watch(self._written.tally)

    def end(self) -> None:
        """Report every entry that could not be done."""
        for one in self._results.values():
            if not one.done:
                self._progress(one)
