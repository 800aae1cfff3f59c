"""The entries of a plan carried out: what is not there is added, then changed, then what should not be there removed.

Nothing is guessed about an entry whose write got lost: what is there is read again, and what is still to do is done.
So an apply that is interrupted anywhere, by a lost connection or by ``kill -9``, leaves to the next one only what is
still to do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

import attrs

from ..bulk import SETTLING, BulkResult, Outcome, attach, bulk_result, order_of_making
from ..calls import in_batches, together
from ..errors import (
    AmbiguousWriteError,
    AuthenticationError,
    ErrorDetail,
    InvalidResponseError,
    KantataError,
    RateLimitError,
    ServerError,
    TransportError,
    UsageError,
)
from .comparing import (
    NOT_SHOWN,
    AccountState,
    Action,
    Change,
    Entry,
    Existing,
    Identity,
    Rules,
    compare,
    differences,
    identity,
)
from .custom_fields import set_fields
from .ledger import EntryLedger
from .report import Progress, Report, Watch
from .sheets import Problem
from .showing import show_value
from .subjects import ResourceName, Subject, Write
from .wanting import Wanted

if TYPE_CHECKING:
    from ..session import KantataSession

_ROUNDS: Final = 3

_BATCH: Final = 100
"""Updates and removals between two reports of progress."""

_LOST: Final = (AmbiguousWriteError, InvalidResponseError, RateLimitError, ServerError, TransportError)
"""After these a reference may or may not be there: what is there is read again."""


@attrs.frozen(kw_only=True)
class Task:
    """The work of an apply.

    Attributes:
        subject: what it is about.
        wanted: what should be there.
        rules: what becomes of everybody else.
        state: what was there a moment ago.
        problems: the lines that cannot be done.
    """

    subject: Subject
    wanted: Sequence[Wanted]
    rules: Rules
    state: AccountState
    problems: tuple[Problem, ...]


async def carry_out(kantata: KantataSession, task: Task, progress: Progress, watch: Watch) -> Report:
    """What became of each entry, once all is as wanted.

    Every exception carries the report of what was done until then.

    Raises:
        BulkError: nothing more can be sent (401).
        KantataError: what is there cannot be read again.
    """
    entries = compare(task.wanted, task.state, task.subject.shape, task.rules)
    ledger = EntryLedger(entries, task.subject.created_with, progress, watch)
    try:
        await _Applying(kantata, task, ledger).run()
    except BaseException as error:
        attach(error, ledger.report(task.problems))
        raise
    return ledger.report(task.problems)


class _Applying:
    """One apply: rounds of writes, each after a look at what the one before has left."""

    def __init__(self, kantata: KantataSession, task: Task, ledger: EntryLedger) -> None:
        self._kantata = kantata
        self._task = task
        self._subject = task.subject
        self._ledger = ledger
        self._wanted = {(one.project, one.subject): one for one in task.wanted}
        self._held = _held_of(task.state)

    async def run(self) -> None:
        todo: Sequence[Entry] = self._ledger.entries
        for number in range(_ROUNDS):
            await self._round(todo)
            failed = [entry for entry in todo if not self._ledger.result(entry).done and entry.action != "blocked"]
            if not failed:
                break
            await self._kantata._connection.sleep(SETTLING * (number + 1))
            todo = await self._left_of(failed)
        self._ledger.end()

    async def _round(self, todo: Sequence[Entry]) -> None:
        by_action: dict[Action, list[Entry]] = defaultdict(list)
        for entry in todo:
            by_action[entry.action].append(entry)
        for entry in (*by_action["keep"], *by_action["wait"]):
            self._ledger.settle(entry)
        for entry in by_action["blocked"]:
            self._ledger.settle(entry, "refused", entry.note)
        updates = [*await self._create("add", by_action["add"]), *await self._create("invite", by_action["invite"])]
        for entry in by_action["change"]:
            updates += self._updates(entry, self._held[identity(entry)], entry.changes)
        await self._change(updates)
        await self._remove(by_action["remove"])

    async def _left_of(self, failed: Sequence[Entry]) -> list[Entry]:
        """What is still to do of entries that were not done, after a look at what is there."""
        places = {entry.project for entry in failed}
        wanted = [one for one in self._wanted.values() if one.project in places]
        state = await self._subject.read(self._kantata, wanted)
        self._held |= _held_of(state)
        now = {identity(entry): entry for entry in compare(wanted, state, self._subject.shape, self._task.rules)}
        left = []
        for entry in failed:
            found = now.get(identity(entry))
            if found is None or found.action in {"keep", "wait"}:
                self._ledger.find_done(entry)
            elif found.action == "blocked":
                self._ledger.settle(entry, "refused", found.note)
            elif self._ledger.result(entry).status != "refused" or found.action != entry.action:
                left.append(found)
        return left

    # --- adding ---

    async def _create(self, action: Action, entries: Sequence[Entry]) -> list[Write]:
        """The updates for what a create cannot set, once everything that is not there has been created."""
        if not entries:
            return []
        self._ledger.begin(entries)
        updates: list[Write] = []
        stream = self._subject.creators[action](self._kantata, entries)
        try:
            async with aclosing(stream) as outcomes:
                async for outcome in outcomes:
                    updates += self._created(entries[outcome.index], outcome)
        except BaseException as error:
            for outcome in bulk_result(error) or ():
                self._created(entries[outcome.index], outcome)
            raise
        return updates

    def _created(self, entry: Entry, outcome: Outcome[Any]) -> list[Write]:
        if not outcome.done or outcome.entity is None:
            self._ledger.fail(entry, outcome)
            return []
        self._ledger.add(entry)
        held = None if entry.action == "invite" else self._subject.read_held(outcome.entity)
        if held is None:
            self._ledger.settle(entry)
            return []
        held = attrs.evolve(held, subject=entry.subject)
        state = AccountState(places={entry.project: [held]})
        (now,) = compare([self._wanted[entry.project, entry.subject]], state, self._subject.shape, Rules())
        sent = self._subject.created_with if outcome.status == "created" else tuple(self._subject.shape.fixed)
        changes = [change for change in now.changes if change.field not in sent]
        if now.action == "blocked":
            self._ledger.settle(entry, "refused", now.note)
        elif changes:
            return self._updates(entry, held, changes)
        else:
            self._ledger.settle(entry)
        return []

    # --- changing ---

    def _updates(self, entry: Entry, held: Existing, changes: Sequence[Change]) -> list[Write]:
        writes = self._subject.writes(entry, held, changes)
        self._ledger.owe(entry, len(writes))
        return writes

    async def _change(self, writes: Sequence[Write]) -> None:
        by_resource: dict[ResourceName, list[Write]] = defaultdict(list)
        for write in writes:
            by_resource[write.resource].append(write)
        for resource, ones in by_resource.items():
            for batch in in_batches(ones, _BATCH):
                await self._update(resource, batch)

    async def _update(self, resource: ResourceName, writes: Sequence[Write]) -> None:
        self._ledger.begin(write.entry for write in writes)
        outcomes: Sequence[Outcome[Any]]
        try:
            if resource == "external_references":
                outcomes = await self._set_references(writes)
            elif resource == "custom_fields":
                outcomes = await set_fields(self._kantata, [write.row for write in writes])
            else:
                rows = [write.row for write in writes]
                outcomes = await getattr(self._kantata, resource).update_many(rows, **self._subject.answers(resource))
        except BaseException as error:
            for outcome in bulk_result(error) or ():
                self._updated(writes[outcome.index], outcome)
            raise
        for write, outcome in zip(writes, outcomes, strict=True):
            self._updated(write, outcome)

    async def _set_references(self, writes: Sequence[Write]) -> list[Outcome[Any]]:
        """The outcomes of making or changing external references, one a request; the API makes none twice."""
        known: list[Outcome[Any]] = []

        async def set_one(number: int, write: Write) -> Outcome[Any]:
            outcome = await self._set_reference(number, write)
            known.append(outcome)
            return outcome

        try:
            return await together(set_one(number, write) for number, write in enumerate(writes))
        except BaseException as error:
            attach(error, BulkResult(known))
            raise

    async def _set_reference(self, number: int, write: Write) -> Outcome[Any]:
        try:
            entity = await self._kantata.external_references.create_or_update(**write.row)
        except (AuthenticationError, UsageError):
            raise
        except _LOST as error:
            return Outcome(number, write.row, "unknown", reason=str(error))
        except KantataError as error:
            return Outcome(number, write.row, "rejected", errors=_details(error))
        return Outcome(number, write.row, "updated", entity=entity)

    def _updated(self, write: Write, outcome: Outcome[Any]) -> None:
        if outcome.done:
            self._ledger.update(write.entry, self._disagreement(write, outcome))
        else:
            self._ledger.fail(write.entry, outcome)

    def _disagreement(self, write: Write, outcome: Outcome[Any]) -> str | None:
        """What the API accepted and shows otherwise: a rate that a rate card sets, an older name of an access level."""
        if outcome.entity is None or write.resource in {"external_references", "custom_fields"}:
            return None
        held = self._subject.read_held(outcome.entity)
        if held is None:
            return None
        sent = {change.field for change in write.changes}
        terms = self._wanted[write.entry.project, write.entry.subject].terms
        shown = [
            f"{change.field} {show_value(change.field, change.before)}"
            for change in differences(terms, held, self._subject.shape)
            if change.field in sent and change.before != NOT_SHOWN
        ]
        return f"the API accepted it, and still shows {', '.join(shown)}" if shown else None

    # --- removing ---

    async def _remove(self, entries: Sequence[Entry]) -> None:
        for batch in in_batches(entries, _BATCH):
            ids = [entry.held for entry in batch if entry.held is not None]
            self._ledger.begin(batch)
            try:
                outcomes = await self._kantata.participations.delete_many(ids)
            except BaseException as error:
                for outcome in bulk_result(error) or ():
                    self._removed(batch[outcome.index], outcome)
                raise
            for entry, outcome in zip(batch, outcomes, strict=True):
                self._removed(entry, outcome)

    def _removed(self, entry: Entry, outcome: Outcome[Any]) -> None:
        if outcome.done:
            self._ledger.remove(entry)
        else:
            self._ledger.fail(entry, outcome)


def _held_of(state: AccountState) -> dict[Identity, Existing]:
    """What is there, by entry; the oldest where there are several."""
    found: dict[Identity, Existing] = {}
    for project, ones in state.places.items():
        for held in sorted(ones, key=order_of_making):
            found.setdefault((project, held.subject, None), held)
    return found


def _details(error: KantataError) -> tuple[ErrorDetail, ...]:
    return getattr(error, "errors", ()) or (ErrorDetail(str(error)),)
