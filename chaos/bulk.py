"""Thousands of participations through a bad network: nobody is on a project twice, and nobody is missing."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
from collections import Counter
from typing import Any, Final

import attrs

from kantata_async import KantataSession, RetryPolicy
from kantata_async.bulk import BulkResult
from kantata_async.sandbox import Fault, Sandbox, Switches

from . import _bulk_model

ROWS: Final = 10_000
PROJECTS: Final = 20
BATCH: Final = 100
RETRY: Final = RetryPolicy(attempts=8, first_wait=0.01, max_wait=0.05)
EXPECTED: Final = {"new": "created", "bad": "rejected", "there": "existing"}
FAULT_KINDS: Final = {
    "reset": Fault("reset", when="after", method="POST", probability=0.05, times=None),
    "disconnect": Fault("disconnect", when="before", method="POST", probability=0.05, times=None),
    "proxy": Fault("proxy", when="after", status=503, probability=0.025, times=None),
    "unavailable": Fault("status", when="before", status=503, probability=0.025, times=None),
    "throttled": Fault("status", when="before", status=429, probability=0.05, times=None),
}


@attrs.frozen
class Job:
    """Rows to create, with what each of them is: new, bad (there is no such person), or there already."""

    rows: list[dict[str, Any]]
    kinds: list[str]


@attrs.frozen
class Run:
    """What came of a job: the outcomes, the requests it took, and how many of them met a fault."""

    result: BulkResult[Any]
    requests: int
    faults: int


def job(sandbox: Sandbox, seed: int, count: int, projects: int) -> Job:
    """Draw a job for a sandbox: `count` people on `projects` projects, 1 % bad, 1 % there already."""
    chance = random.Random(seed)
    store = sandbox.store
    people = [user["id"] for user in store.all("users")]
    taken = {(one["workspace_id"], one["user_id"]) for one in store.all("participations")}
    rows: list[dict[str, Any]] = []
    kinds: list[str] = []
    for workspace in [one["id"] for one in store.all("workspaces")][:projects]:
        free = [person for person in people if (workspace, person) not in taken]
        for person in chance.sample(free, count // projects):
            kind = chance.choices(list(EXPECTED), [0.98, 0.01, 0.01])[0]
            if kind == "there":
                old = {"created_at": "2026-08-25T10:00:00-07:00"}
                store.add("participations", {"workspace_id": workspace, "user_id": person, "role": "maven", **old})
            nobody = 9_000_000 + len(rows)
            rows.append(
                {"workspace_id": workspace, "user_id": nobody if kind == "bad" else int(person), "role": "maven"}
            )
            kinds.append(kind)
    return Job(rows, kinds)


def check(sandbox: Sandbox, done: Job, run: Run) -> None:
    """Hold the outcomes against the server: 0 duplicates, 0 missing, every bad row named, nothing told wrong."""
    there = Counter((one["workspace_id"], one["user_id"]) for one in sandbox.store.all("participations"))
    twice = [pair for pair, times in there.items() if times > 1]
    assert not twice, f"twice on a project: {twice[:5]}"
    for outcome, row, kind in zip(run.result, done.rows, done.kinds, strict=True):
        assert outcome.status == EXPECTED[kind], outcome
        pair = str(row["workspace_id"]), str(row["user_id"])
        assert there[pair] == (kind != "bad"), outcome
        if outcome.entity is not None:
            assert (outcome.entity.workspace_id, outcome.entity.user_id) == pair, outcome


async def provision(seed: int, count: int, projects: int, switches: Switches, *, faults: bool) -> Run:
    """Do a job on a fresh sandbox, and hold its outcomes against it."""
    founding: dict[str, Any] = {"seed": seed, "people": count // projects + 100, "projects": projects + 4}
    async with (
        Sandbox(switches=switches, **founding) as sandbox,
        KantataSession(token=sandbox.token, base_url=sandbox.url, rate_limit=None, retry=RETRY) as kantata,
    ):
        drawn = job(sandbox, seed, count, projects)
        if faults:
            sandbox.faults.add(*(attrs.evolve(fault) for fault in FAULT_KINDS.values()))
        result = await kantata.participations.create_many(drawn.rows)
        met = [one for one in sandbox.requests if one.status in {None, 429, 503}]
        run = Run(result, len(sandbox.requests), len(met))
        check(sandbox, drawn, run)
    return run


async def without_faults(count: int) -> None:
    """Good rows alone take the least requests that there can be."""
    async with (
        Sandbox(people=count // PROJECTS + 100, projects=PROJECTS + 4) as sandbox,
        KantataSession(token=sandbox.token, base_url=sandbox.url, rate_limit=None) as kantata,
    ):
        drawn = job(sandbox, 0, count, PROJECTS)
        good = [row for row, kind in zip(drawn.rows, drawn.kinds, strict=True) if kind == "new"]
        await kantata.participations.create_many(good)
        assert len(sandbox.requests) == math.ceil(len(good) / BATCH), len(sandbox.requests)
        print(f"{len(good)} good rows, no faults: {len(sandbox.requests)} requests", flush=True)


async def scenario(seed: int, count: int, projects: int, switches: Switches) -> None:
    """A job with and without faults: the requests that faults cost stay within five for each."""
    calm = await provision(seed, count, projects, switches, faults=False)
    rough = await provision(seed, count, projects, switches, faults=True)
    allowed = 1.3 * calm.requests + 5 * rough.faults
    print(
        f"seed {seed} atomic={switches.bulk_atomic} index={switches.error_index} order={switches.bulk_order}: "
        f"{rough.result.summary()}; {calm.requests} requests without faults, {rough.requests} with {rough.faults} "
        f"(at most {allowed:.0f})",
        flush=True,
    )
    assert rough.requests <= allowed


def main(seeds: int) -> None:
    """An API of another make, with twice the seeds; then every combination of what the API leaves open, with each."""
    _bulk_model.main(2 * seeds)
    asyncio.run(without_faults(ROWS))
    for atomic, index, order in itertools.product((True, False), (True, False), ("endpoint", "shuffled")):
        for seed in range(seeds):
            switches = Switches(
                bulk_atomic=atomic,
                error_index=index,
                bulk_order=order,  # type: ignore[arg-type]  # one of the two above
                unique_participations=True,
            )
            asyncio.run(scenario(seed, ROWS, PROJECTS, switches))
