"""Time limits for everything that a session has under way; they end early when it closes, so that nothing outlives it.

Most requests are answered long before their limit: one alarm of the event loop watches all of them, because setting and
unsetting one for each costs more than looking through them when it rings.
"""

from __future__ import annotations

import asyncio
import math
from types import TracebackType
from typing import Final, Self


class TimeLimits:
    """The limits that are running, in the event loop in which it was made.

    Attributes:
        loop: the event loop.
        running: the limits whose blocks are under way.
    """

    def __init__(self) -> None:
        self.loop: Final = asyncio.get_running_loop()
        self.running: Final[set[TimeLimit]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._rings = math.inf

    def limit(self, end: float | None) -> TimeLimit:
        """A limit for one block; an `end` of None is for one that only closing ends."""
        return TimeLimit(self, math.inf if end is None else end)

    def watch(self, end: float) -> None:
        """Set the alarm so that it rings by then."""
        if end < self._rings:
            if self._alarm is not None:
                self._alarm.cancel()
            self._rings = end
            self._alarm = self.loop.call_at(end, self._ring)

    def close(self) -> None:
        """End every block that still runs."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._rings = None, math.inf
        for limit in self.running:
            limit.expire()

    def _ring(self) -> None:
        self._alarm, self._rings = None, math.inf
        now = self.loop.time()
        for limit in self.running:
            if limit.end <= now:
                limit.expire()
            else:
                self.watch(limit.end)


class TimeLimit:
    """Ends a block that is not over in time: ``with limits.limit(end):``.

    Attributes:
        end: on the event loop's clock.
        expired: whether it was this limit that ended the block.
    """

    __slots__ = ("_cancelling", "_limits", "_task", "end", "expired")

    _task: asyncio.Task[object]
    _cancelling: int

    def __init__(self, limits: TimeLimits, end: float) -> None:
        self._limits = limits
        self.end = end
        self.expired = False

    def __enter__(self) -> Self:
        limits = self._limits
        task = asyncio.current_task(limits.loop)
        if task is None:
            raise RuntimeError("a time limit needs a task to interrupt")
        self._task = task
        self._cancelling = task.cancelling()
        limits.running.add(self)
        limits.watch(self.end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limits.running.discard(self)
        # A cancellation that came from elsewhere at the same time takes precedence.
        if self.expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def bring_forward(self, end: float) -> None:
        """End by then at the latest."""
        if end < self.end:
            self.end = end
            self._limits.watch(end)

    def expire(self) -> None:
        """Interrupt the block; a second time does nothing."""
        if not self.expired:
            self.expired = True
            self._task.cancel()
