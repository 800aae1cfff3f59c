"""Running a bulk write: workers that take batches and settle them, and what is left when one of them fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from ..calls import Connection, together
from ..model import Entity
from .interruption import carrying
from .ledger import Ledger
from .outcome import BulkResult, Outcome
from .rows import Row, RowSource

E = TypeVar("E", bound=Entity)

Settle = Callable[[Sequence[Row], Ledger[E]], Awaitable[None]]
"""Brings every row of a batch to its outcome, noting each step; raises an error that would end every batch."""


class BulkRun:
    """The workers of one bulk write, as many as the session sends requests at once."""

    def __init__(self, connection: Connection, source: RowSource, settle: Settle[Any]) -> None:
        self._workers = connection.transport.concurrency
        self._source = source
        self._settle = settle
        self._open: list[Ledger[Any]] = []

    async def work(self, emit: Callable[[Iterable[Outcome[Any]]], Awaitable[None]]) -> None:
        """Settle every row; each batch is emitted when all of its rows are settled."""
        try:
            await together(self._worker(emit) for _ in range(self._workers))
        finally:
            await self._source.close()

    async def _worker(self, emit: Callable[[Iterable[Outcome[Any]]], Awaitable[None]]) -> None:
        while batch := await self._source.take():
            ledger: Ledger[Any] = Ledger(batch)
            self._open.append(ledger)
            await self._settle(batch, ledger)
            await emit(ledger.outcomes)
            self._open.remove(ledger)

    def stop(self) -> None:
        """Send nothing from now on that is not under way."""
        self._source.stop()
        for ledger in self._open:
            ledger.close()

    def unfinished(self) -> list[Outcome[Any]]:
        """What is known of the rows that were taken and not emitted."""
        left: Ledger[Any] = Ledger(self._source.left)
        return [outcome for ledger in (*self._open, left) for outcome in ledger.outcomes]


async def run_all(connection: Connection, source: RowSource, settle: Settle[E]) -> BulkResult[E]:
    """The outcomes of all rows, in their order, once each is settled.

    A cancellation and an error of the source pass unchanged. Any exception carries the outcomes so far: see
    `bulk_result`.

    Raises:
        BulkError: the API refuses everything that is still to come.
    """
    done: list[Outcome[E]] = []

    async def emit(outcomes: Iterable[Outcome[E]]) -> None:
        done.extend(outcomes)

    run = BulkRun(connection, source, settle)
    with carrying(lambda: in_order([*done, *run.unfinished()]), "until then"):
        await run.work(emit)
    return in_order(done)


def in_order(outcomes: Iterable[Outcome[E]]) -> BulkResult[E]:
    """Outcomes in the order of their rows."""
    return BulkResult(sorted(outcomes, key=attrgetter("index")))
