"""Bulk writes against a model of the API, interrupted at random: every outcome is held against what the model knows.

Rows are created (`create_many`, `create_stream`), updated and deleted. Whatever becomes of the call, each row is told
of, nothing is there twice, and nothing is told otherwise than it is; `unknown` is only what nobody can know.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

import attrs

from kantata_async import KantataError, KantataSession, RetryPolicy, bulk_result
from kantata_async.bulk import Outcome

from ._http import serving_http
from ._model import STRANGER, Manners, Model

ROWS: Final = 400
CHANGED: Final = 60
NOBODYS: Final = 5_000_000
"""Ids from this one on are of nothing."""
LONGEST: Final = 120.0
"""Seconds after which a run is taken to hang."""
RETRY: Final = RetryPolicy(attempts=6, first_wait=0.005, max_wait=0.02)
INTERRUPTIONS: Final = (
    "none",
    "none",
    "timeout",
    "cancelled",
    "cancelled twice",
    "source fails",
    "loop fails",
    "closed",
)


class InterruptionError(Exception):
    """What the caller's own code raises."""


@attrs.frozen
class Plan:
    """One run: what is written, and what interrupts it when."""

    how: str
    interruption: str
    moment: float
    concurrency: int
    from_iterator: bool
    if_exists: Any

    @classmethod
    def drawn(cls, how: str, chance: random.Random) -> Plan:
        """A plan by chance."""
        interruption = chance.choice(INTERRUPTIONS)
        if interruption == "loop fails" and how != "create_stream":
            interruption = "timeout"
        return cls(
            how,
            interruption,
            chance.random() * 0.6,
            chance.choice([1, 3, 10]),
            chance.random() < 0.5,
            chance.choice([None, None, "skip"]) if how.startswith("create") else None,
        )


@attrs.define
class Told:
    """What a run told of its rows, how it ended, and whether it may have been interrupted."""

    outcomes: list[Outcome[Any]]
    error: BaseException | None
    is_interrupted: bool
    is_whole: bool
    """Whether every row was given: an iterator that was left gave only some."""


async def run(seed: int, how: str, rows: int = ROWS) -> Counter[str]:
    """One run with manners and an interruption drawn by a seed; gives how many rows were told as what."""
    chance = random.Random(f"{seed} {how}")
    model, plan = Model(Manners.drawn(chance), chance), Plan.drawn(how, chance)
    _people(model, chance)
    items = _rows(model, chance, rows) if how.startswith("create") else _changes(model, chance, how)
    before = set(model.store["participations"])
    settings: dict[str, Any] = {"token": "model", "rate_limit": None, "retry": RETRY, "concurrency": plan.concurrency}
    async with serving_http(model.handle) as url, KantataSession(base_url=url, **settings) as session:
        told = await _Run(session, plan, items, chance.randrange(len(items))).told()
    try:
        _check_rows(items, told)
        if how.startswith("create"):
            _check_created(model, items, told, before)
        elif how == "update_many":
            _check_updated(model, items, told)
        else:
            _check_deleted(model, items, told)
    except AssertionError as wrong:
        raise AssertionError(f"seed {seed}: {plan} {model.manners}: {wrong}; ended by {told.error!r}") from wrong
    return Counter(outcome.status for outcome in told.outcomes)


def _people(model: Model, chance: random.Random) -> None:
    """Others on the projects, whom nobody here writes."""
    for number in range(chance.choice([10, 250])):
        row = {"workspace_id": chance.randint(1, 3), "user_id": STRANGER + 2000 + number, "role": "buyer"}
        model.add("participations", row, age=90_000 + number)


def _rows(model: Model, chance: random.Random, count: int) -> list[dict[str, Any]]:
    rows = [
        {"workspace_id": chance.randint(1, 3), "user_id": person, "role": chance.choice(["maven", "buyer"])}
        for person in chance.sample(range(1, 10 * count), count)
    ]
    model.bad.update(row["user_id"] for row in chance.sample(rows, chance.choice([0, 3, count // 20])))
    if model.manners.unique:
        for row in chance.sample(rows, chance.choice([0, 5])):
            if row["user_id"] not in model.bad:
                model.add("participations", row, age=90_000)
    return rows


def _changes(model: Model, chance: random.Random, how: str) -> list[Any]:
    """Rows of an update, or ids of a delete, some of which are of nothing."""
    collection = "time_entries" if "entries" in how else "participations"
    fields: dict[str, Any] = {"workspace_id": 1, "access_level": ""}
    held = (model.add(collection, {**fields, "user_id": number}, age=90_000) for number in range(1, CHANGED))
    ids = [one["id"] for one in held]
    ids += [str(NOBODYS + number) for number in range(chance.choice([0, 3]))]
    if how == "update_many":
        return [{"id": id, "access_level": f"level {position}"} for position, id in enumerate(ids)]
    return ids


class _Run:
    """One write, what interrupts it, and what is told of it."""

    def __init__(self, session: KantataSession, plan: Plan, items: Sequence[Any], until: int) -> None:
        self._session = session
        self._plan = plan
        self._items = items
        self._until = until
        self._handed: list[Outcome[Any]] = []

    async def told(self) -> Told:
        """Write, interrupt that, and gather all that is told."""
        try:
            returned = await self._interrupted(asyncio.ensure_future(self._write()))
        except (asyncio.CancelledError, TimeoutError, InterruptionError, KantataError) as error:
            result = bulk_result(error)
            fails = self._plan.from_iterator or self._plan.interruption == "source fails"
            return Told([*self._handed, *(result or ())], error, is_interrupted=True, is_whole=not fails)
        was_closed = self._plan.interruption == "closed"
        return Told([*self._handed, *returned], None, is_interrupted=was_closed, is_whole=True)

    async def _write(self) -> list[Outcome[Any]]:
        plan, session = self._plan, self._session
        fails = plan.interruption == "source fails"
        given: Any = self._source() if plan.from_iterator or fails else self._items
        match plan.how:
            case "create_many":
                return list(await session.participations.create_many(given, if_exists=plan.if_exists))
            case "create_stream":
                await self._stream(given)
                return []
            case "update_many":
                return list(await session.participations.update_many(given))
            case "delete_many of entries":
                return list(await session.time_entries.delete_many(given))
        return list(await session.participations.delete_many(given))

    def _source(self) -> Iterator[Any]:
        for position, item in enumerate(self._items):
            if self._plan.interruption == "source fails" and position == self._until:
                raise InterruptionError("the source")
            yield item

    async def _stream(self, given: Any) -> None:
        async for outcome in self._session.participations.create_stream(given, if_exists=self._plan.if_exists):
            self._handed.append(outcome)
            if self._plan.interruption == "loop fails" and len(self._handed) > self._until:
                raise InterruptionError("the loop")
            if len(self._handed) % 50 == 0:
                await asyncio.sleep(0.01)

    async def _interrupted(self, writing: asyncio.Future[list[Outcome[Any]]]) -> list[Outcome[Any]]:
        plan = self._plan
        if plan.interruption == "timeout":
            async with asyncio.timeout(plan.moment):
                return await writing
        if plan.interruption in {"cancelled", "cancelled twice", "closed"}:
            await asyncio.sleep(plan.moment)
        if plan.interruption == "closed":
            await self._session.close()
        if plan.interruption in {"cancelled", "cancelled twice"}:
            writing.cancel()
        if plan.interruption == "cancelled twice":
            await asyncio.sleep(0)
            writing.cancel()
        return await writing


# --- what must hold ---


def _check_rows(items: Sequence[Any], told: Told) -> None:
    """Every row is told of once; those that an iterator never gave cannot be."""
    positions = [outcome.index for outcome in told.outcomes]
    assert len(positions) == len(set(positions)), "a row is told of twice"
    if told.is_whole:
        assert sorted(positions) == list(range(len(items))), f"{len(items) - len(positions)} rows are told of nowhere"
    for outcome in told.outcomes:
        assert outcome.item is items[outcome.index], outcome


def _check_created(model: Model, rows: Sequence[Any], told: Told, before: AbstractSet[str]) -> None:
    by_index = {outcome.index: outcome for outcome in told.outcomes}
    given: Counter[str] = Counter(outcome.entity.id for outcome in told.outcomes if outcome.entity is not None)
    assert not given or max(given.values()) == 1, "an object is given to two rows"
    for index, row in enumerate(rows):
        pair = str(row["workspace_id"]), str(row["user_id"])
        made, there = model.made[pair], {one["id"] for one in model.on(*pair)}
        assert made <= 1, f"{row} was made {made} times"
        outcome = by_index.get(index)
        if outcome is None:
            assert not model.seen[pair], f"{row} was sent, and is told of nowhere"
            continue
        what = f"{outcome} with {made} made, {len(there)} there, received {model.seen[pair]} times"
        held = "" if outcome.entity is None else outcome.entity.id
        match outcome.status:
            case "created":
                assert made == 1, what
                assert held in there - before, what
            case "existing":
                assert held in there & before, what
            case "rejected":
                assert not made, what
                assert row["user_id"] in model.bad or there, what
            case "not_sent":
                assert not made, what
                assert told.is_interrupted or not model.seen[pair] or model.manners.loss, what
            case "unknown":
                assert told.is_interrupted or model.manners.looks != "steady", f"nobody could know? {what}"
            case _:
                raise AssertionError(what)


def _check_updated(model: Model, rows: Sequence[Any], told: Told) -> None:
    for outcome in told.outcomes:
        held = model.store["participations"].get(rows[outcome.index]["id"])
        is_so = held is not None and held.get("access_level") == rows[outcome.index]["access_level"]
        match outcome.status:
            case "updated":
                assert is_so, outcome
                assert outcome.entity is None or outcome.entity.id == rows[outcome.index]["id"], outcome
            case "rejected":
                assert held is None, outcome
            case "not_sent":
                assert not is_so, outcome
            case _:
                assert outcome.status == "unknown", outcome
                assert told.is_interrupted or model.manners.looks == "failing", f"nobody could know? {outcome}"


def _check_deleted(model: Model, ids: Sequence[Any], told: Told) -> None:
    for outcome in told.outcomes:
        id = ids[outcome.index]
        is_there, never_was = any(id in held for held in model.store.values()), int(id) >= NOBODYS
        match outcome.status:
            case "deleted":
                # Of one that never was, and whose answer was lost, nobody can tell it from one that is gone.
                assert not is_there, outcome
                assert not never_was or model.loosened[id], outcome
            case "rejected":
                assert never_was, outcome
            case "not_sent":
                assert is_there or never_was, outcome
            case _:
                assert outcome.status == "unknown", outcome
                assert told.is_interrupted or model.manners.looks == "failing", f"nobody could know? {outcome}"


HOWS: Final = ("create_many", "create_stream", "update_many", "delete_many", "delete_many of entries")


def main(seeds: int) -> None:
    """Every kind of write with each seed; a line for each seed says how many rows were told as what."""
    for seed in range(seeds):
        counts: Counter[str] = Counter()
        for how in HOWS:
            counts += asyncio.run(asyncio.wait_for(run(seed, how), LONGEST))
        print(f"model, seed {seed}: {', '.join(f'{count} {status}' for status, count in counts.items())}", flush=True)
