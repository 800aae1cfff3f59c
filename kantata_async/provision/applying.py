"""Carrying the entries of a plan out: people are added, then changed, then removed.

An entry whose write got lost is not guessed about: the teams are read again, and what is still to do is done again. So
an apply that is interrupted anywhere, by a lost connection or by ``kill -9``, leaves only the rest to the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

import attrs

from ..bulk import Outcome
from ..calls import in_batches
from .comparing import NOT_SHOWN, Change, Entry, Rules, compare, differences, identity
from .report import DONE_AS, Applied, Progress, Status
from .showing import show_value
from .teams import INCLUDE, OPTIONAL_FIELDS, read_member, read_teams
from .wanting import Wanted

if TYPE_CHECKING:
    from ..session import KantataSession

_Key = tuple[str, str, str | None]

_FIELDS: Final = {
    "role": "role",
    "access_level": "access_level",
    "permissions": "permissions",
    "team_lead": "team_lead",
    "bill_rate": "rate_in_cents",
    "cost_rate": "cost_in_cents",
    "project_role": "workspace_role_id",
}
"""The columns that a participation is written with, and what the API calls them."""

_CREATE_SETS: Final = ("role", "access_level", "permissions")
"""What a create takes of these; the rest of what is told of somebody new takes an update after it."""

_ROUNDS: Final = 3
_SETTLING: Final = 0.5
"""Seconds to wait before reading the teams again, so that a request still under way can come to its end."""

_BATCH: Final = 100
"""Updates and removals between two tellings of how far it is."""


@attrs.frozen
class _Update:
    """An update to send: for which entry, of which participation, and what it changes."""

    entry: Entry
    participation: str
    changes: Sequence[Change]


async def carry_out(
    kantata: KantataSession, wanted: Sequence[Wanted], rules: Rules, entries: Sequence[Entry], progress: Progress
) -> list[Applied]:
    """Do what the entries say; gives what became of each, in their order.

    `entries` compare `wanted` with the teams as they were read a moment ago. Raises BulkError when nothing more can be
    sent (401), and what the session raises when the teams cannot be read again.
    """
    return await _Applying(kantata, wanted, rules, entries, progress).run()


class _Applying:
    """One apply, and what became of its entries so far."""

    def __init__(
        self,
        kantata: KantataSession,
        wanted: Sequence[Wanted],
        rules: Rules,
        entries: Sequence[Entry],
        progress: Progress,
    ) -> None:
        self._kantata = kantata
        self._wanted = {(one.project, one.person): one for one in wanted}
        self._rules = rules
        self._planned = {identity(entry): entry for entry in entries}
        self._progress = progress
        self._results: dict[_Key, Applied] = {}

    async def run(self) -> list[Applied]:
        todo: Sequence[Entry] = list(self._planned.values())
        for number in range(_ROUNDS):
            await self._round(todo)
            failed = [entry for entry in todo if not self._result(entry).done and entry.action != "blocked"]
            if not failed:
                break
            await asyncio.sleep(_SETTLING * (number + 1))
            todo = await self._left_of(failed)
        for one in self._results.values():
            if not one.done:
                self._progress(one)
        return [self._results[key] for key in self._planned]

    def _result(self, entry: Entry) -> Applied:
        return self._results[identity(entry)]

    def _settle(self, entry: Entry, status: Status | None = None, reason: str | None = None) -> None:
        """Put down what became of an entry; without a status, what was planned of it is done."""
        planned = self._planned[identity(entry)]
        result = Applied(planned, status or DONE_AS[planned.action], reason)
        self._results[identity(entry)] = result
        if result.done:
            self._progress(result)

    # --- rounds ---

    async def _round(self, todo: Sequence[Entry]) -> None:
        by_action: dict[str, list[Entry]] = {"add": [], "change": [], "remove": [], "keep": [], "blocked": []}
        for entry in todo:
            by_action[entry.action].append(entry)
        for entry in by_action["keep"]:
            self._settle(entry)
        for entry in by_action["blocked"]:
            self._settle(entry, "refused", entry.note)
        updates = await self._add(by_action["add"])
        await self._change([*updates, *map(_planned_update, by_action["change"])])
        await self._remove(by_action["remove"])

    async def _left_of(self, failed: Sequence[Entry]) -> list[Entry]:
        """What is still to do of entries that were not done, after a look at the teams."""
        projects = {entry.project for entry in failed}
        wanted = [one for one in self._wanted.values() if one.project in projects]
        fresh = compare(wanted, await read_teams(self._kantata, projects), self._rules)
        now = {identity(entry): entry for entry in fresh}
        left = []
        for entry in failed:
            found = now.get(identity(entry))
            if found is None or found.action == "keep":
                self._settle(entry)
            elif found.action == "blocked":
                self._settle(entry, "refused", found.note)
            elif self._result(entry).status != "refused" or found.action != entry.action:
                left.append(found)
        return left

    # --- adding ---

    async def _add(self, entries: Sequence[Entry]) -> list[_Update]:
        """Create participations; gives the updates for what a create cannot set."""
        rows = [_row(entry) for entry in entries]
        stream = self._kantata.participations.create_stream(
            rows, include=INCLUDE, optional_fields=OPTIONAL_FIELDS, if_exists="skip"
        )
        updates: list[_Update] = []
        async with aclosing(stream) as outcomes:
            async for outcome in outcomes:
                updates += self._added(entries[outcome.index], outcome)
        return updates

    def _added(self, entry: Entry, outcome: Outcome[Any]) -> Iterable[_Update]:
        if not outcome.done or outcome.entity is None:
            self._fail(entry, outcome)
            return
        member = read_member(outcome.entity)
        (now,) = compare(
            [self._wanted[entry.project, entry.person]], {entry.project: [member] if member else []}, Rules()
        )
        sent = _CREATE_SETS if outcome.status == "created" else ("role",)
        changes = [change for change in now.changes if change.field not in sent]
        if now.action == "blocked":
            self._settle(entry, "refused", now.note)
        elif changes:
            yield _Update(entry, outcome.entity.id, changes)
        else:
            self._settle(entry)

    # --- changing ---

    async def _change(self, updates: Sequence[_Update]) -> None:
        for batch in in_batches(updates, _BATCH):
            rows = [{"id": one.participation, **_fields(one.changes)} for one in batch]
            for one, outcome in zip(
                batch, await self._kantata.participations.update_many(rows, include=INCLUDE), strict=True
            ):
                if outcome.done:
                    self._settle(one.entry, reason=self._disagreement(one, outcome))
                else:
                    self._fail(one.entry, outcome)

    def _disagreement(self, update: _Update, outcome: Outcome[Any]) -> str | None:
        """What the API took and shows otherwise: a rate where a rate card has it, an access level by an older name."""
        member = None if outcome.entity is None else read_member(outcome.entity)
        if member is None:
            return None
        sent = {change.field for change in update.changes}
        terms = self._wanted[update.entry.project, update.entry.person].terms
        shown = [
            f"{change.field} {show_value(change.field, change.before)}"
            for change in differences(terms, member)
            if change.field in sent and change.before != NOT_SHOWN
        ]
        return f"the API took it, and still shows {', '.join(shown)}" if shown else None

    # --- removing ---

    async def _remove(self, entries: Sequence[Entry]) -> None:
        for batch in in_batches(entries, _BATCH):
            ids = [entry.participation for entry in batch if entry.participation is not None]
            for entry, outcome in zip(batch, await self._kantata.participations.delete_many(ids), strict=True):
                if outcome.done:
                    self._settle(entry)
                else:
                    self._fail(entry, outcome)

    def _fail(self, entry: Entry, outcome: Outcome[Any]) -> None:
        why = "; ".join(map(str, outcome.errors)) or outcome.reason
        match outcome.status:
            case "rejected":
                self._settle(entry, "refused", why)
            case "not_sent":
                self._settle(entry, "not_sent", why)
            case _:
                self._settle(entry, "unknown", why)


def _planned_update(entry: Entry) -> _Update:
    return _Update(entry, entry.participation or "", entry.changes)


def _row(entry: Entry) -> dict[str, Any]:
    told = [change for change in entry.changes if change.field in _CREATE_SETS]
    return {"workspace_id": entry.project, "user_id": entry.person, **_fields(told)}


def _fields(changes: Iterable[Change]) -> dict[str, Any]:
    """The fields of a participation that changes set, as the API calls them."""
    return {
        _FIELDS[change.field]: str(change.after).split() if change.field == "permissions" else change.after
        for change in changes
    }
