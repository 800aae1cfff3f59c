"""Running a bulk write: workers that take batches and settle them, and what is left when one of them fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from ..calls import Connection, together
from ..errors import BulkError, KantataError, UsageError
from ..model import Entity
from .ledger import Ledger
from .outcome import BulkResult, Outcome
from .rows import Row, RowSource

E = TypeVar("E", bound=Entity)

Settle = Callable[[Sequence[Row], Ledger[E]], Awaitable[None]]
"""Brings every row of a batch to its outcome, noting each step; raises what every other batch would meet too."""


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
            self._open.remove(ledger)
            await emit(ledger.outcomes)

    def unfinished(self) -> list[Outcome[Any]]:
        """What is known of the rows that were taken and not emitted."""
        left: Ledger[Any] = Ledger(self._source.left)
        return [outcome for ledger in (*self._open, left) for outcome in ledger.outcomes]


async def run_all(connection: Connection, source: RowSource, settle: Settle[E]) -> BulkResult[E]:
    """Settle every row; gives the outcomes in the order of the rows.

    Raises BulkError when the API refuses everything that is still to come; every other exception (a cancellation, an
    error of the source) passes as it is. Either carries the outcomes so far: see `bulk_result`.
    """
    done: list[Outcome[E]] = []

    async def emit(outcomes: Iterable[Outcome[E]]) -> None:
        done.extend(outcomes)

    run = BulkRun(connection, source, settle)
    try:
        await run.work(emit)
    except BaseException as error:
        result = _ordered([*done, *run.unfinished()])
        if isinstance(error, KantataError) and not isinstance(error, UsageError):
            raise BulkError(f"{error}; until then: {result.summary()}", result=result) from error
        with contextlib.suppress(AttributeError):
            error.result = result  # type: ignore[attr-defined]  # read by `bulk_result`
        raise
    return _ordered(done)


def _ordered(outcomes: Iterable[Outcome[E]]) -> BulkResult[E]:
    return BulkResult(sorted(outcomes, key=lambda outcome: outcome.index))


async def run_stream(connection: Connection, source: RowSource, settle: Settle[E]) -> AsyncGenerator[Outcome[E], None]:
    """Settle every row; yields outcomes as they come and keeps none. A slow consumer holds the writing back."""
    ready: asyncio.Queue[Iterable[Outcome[E]] | None] = asyncio.Queue(connection.transport.concurrency)
    run = BulkRun(connection, source, settle)

    async def produce() -> None:
        try:
            await run.work(ready.put)
        finally:
            with contextlib.suppress(asyncio.QueueFull):
                ready.put_nowait(None)

    producer = connection.transport.spawn(produce())
    try:
        while not (producer.done() and ready.empty()):
            outcomes = await ready.get()
            for outcome in outcomes or ():
                yield outcome
        await _finished(producer, run)
    finally:
        producer.cancel()
        await asyncio.gather(producer, return_exceptions=True)


async def _finished(producer: asyncio.Task[None], run: BulkRun) -> None:
    """Wait for the writing to end; its error carries the rows that were not yielded."""
    try:
        await producer
    except BaseException as error:
        result = _ordered(run.unfinished())
        if isinstance(error, KantataError) and not isinstance(error, UsageError):
            raise BulkError(f"{error}; not yielded: {result.summary()}", result=result) from error
        with contextlib.suppress(AttributeError):
            error.result = result  # type: ignore[attr-defined]  # read by `bulk_result`
        raise
