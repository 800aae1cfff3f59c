"""A bulk write that hands its outcomes out as they come, and keeps none."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from itertools import chain
from typing import Any, Final, TypeVar

from ..calls import Connection
from ..model import Entity
from ..turns import context_of_job
from .interruption import carrying, forget_handed_out, note_handed_out
from .outcome import BulkResult, Outcome
from .rows import RowSource
from .run import BulkRun, Settle, in_order

E = TypeVar("E", bound=Entity)


async def run_stream(connection: Connection, source: RowSource, settle: Settle[E]) -> AsyncGenerator[Outcome[E], None]:
    """Settle every row; yields outcomes as they come and keeps none. A slow consumer holds the writing back."""
    context = context_of_job()
    if connection.call is not None:
        context.run(connection.call.enter)
    stream = _Stream(BulkRun(connection, source, settle), connection.transport.concurrency, context)
    handed: Outcome[E] | None = None
    with carrying(lambda: in_order(stream.outcomes_left()), "not yielded"):
        try:
            while (outcome := await stream.following()) is not None:
                _hand_over(handed, outcome, stream)
                handed = outcome
                yield outcome
            _hand_over(handed, None, stream)
        finally:
            await stream.end()


def _hand_over(last: Outcome[Any] | None, outcome: Outcome[Any] | None, stream: _Stream) -> None:
    """The outcome that is handed out last leads to the stream."""
    if last is not None:
        forget_handed_out(last)
    if outcome is not None:
        note_handed_out(outcome, stream)


class _Stream:
    """A run, and those of its outcomes that are ready and were not handed out.

    Args:
        run: writes.
        most: batches that may be ready before the writing is held back.
        context: of the task that writes.
    """

    def __init__(self, run: BulkRun, most: int, context: contextvars.Context) -> None:
        self._run: Final = run
        self._most: Final = most
        self._batches: Final[deque[deque[Outcome[Any]]]] = deque()
        self._came: Final = asyncio.Event()
        self._taken: Final = asyncio.Event()
        self._writing: Final = asyncio.get_running_loop().create_task(run.work(self._put), context=context)
        self._writing.add_done_callback(lambda _: self._came.set())

    async def _put(self, outcomes: Iterable[Outcome[Any]]) -> None:
        while len(self._batches) >= self._most:
            self._taken.clear()
            await self._taken.wait()
        self._batches.append(deque(outcomes))
        self._came.set()

    async def following(self) -> Outcome[Any] | None:
        """The next outcome; None when there are no more.

        Raises:
            Exception: whatever ended the writing.
        """
        while not self._batches:
            if self._writing.done():
                self._writing.result()
                return None
            self._came.clear()
            await self._came.wait()
        batch = self._batches[0]
        outcome = batch.popleft()
        if not batch:
            self._batches.popleft()
            self._taken.set()
        return outcome

    def left_behind(self) -> BulkResult[Any] | None:
        """See `Handover`."""
        self._run.stop()
        left = self.outcomes_left()
        return in_order(left) if left else None

    def outcomes_left(self) -> list[Outcome[Any]]:
        """What was not handed out: what is ready, and what is known of the other rows."""
        return [*chain.from_iterable(self._batches), *self._run.unfinished()]

    async def end(self) -> None:
        """End the writing, if it has not ended."""
        self._run.stop()
        self._writing.cancel()
        await asyncio.gather(self._writing, return_exceptions=True)
