"""The functions of the program that are called for each event: ``KantataSession(on_event=function)``."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import attrs

from ..callables import check_function
from ..errors import UsageError
from ..model import brief_repr
from .events import RequestEvent

_LOGGER: Final = logging.getLogger("kantata_async.events")

OnEvent = Callable[[RequestEvent], object]
"""A function, or an async one, whose calls are awaited one after the other, beside the requests."""

EventSetting: TypeAlias = OnEvent | Sequence[OnEvent] | None
"""One function, several, or none."""


@attrs.frozen
class _Waiting:
    """A call of an async function that waits for its turn, with the context variables of its event."""

    kind: str
    result: Awaitable[object]
    context: contextvars.Context


class Hook:
    """Calls the function of the program for each event, so that it neither breaks nor holds up a request.

    Args:
        function: a function, or an async one.
        spare_seconds: how long an async one may take for the events that still wait when the session closes.
        most_waiting: how many events may wait for an async one.
    """

    def __init__(self, function: OnEvent, *, spare_seconds: float = 5.0, most_waiting: int = 10_000) -> None:
        self._function: Final = function
        self._spare_seconds: Final = spare_seconds
        self._most_waiting: Final = most_waiting
        self._has_failed = False
        self._has_fallen_behind = False
        self._calls: deque[_Waiting] = deque()
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many events wait for an async function."""
        return len(self._calls)

    def tell(self, event: RequestEvent) -> None:
        """Call the function. The first error that it raises is logged, and none goes any further."""
        try:
            result = self._function(event)
        except Exception as error:  # noqa: BLE001 - logged, and no concern of the request's
            self._failed(event.kind, error)
            return
        if inspect.isawaitable(result):
            self._await_in_turn(event.kind, result)

    async def close(self) -> None:
        """Let an async function take the events that still wait, within `spare_seconds`."""
        if self._worker is not None:
            await asyncio.wait([self._worker], timeout=self._spare_seconds)
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        self._let_go_of_the_rest()

    def _await_in_turn(self, kind: str, result: Awaitable[object]) -> None:
        if len(self._calls) >= self._most_waiting:
            if not self._has_fallen_behind:
                self._has_fallen_behind = True
                _LOGGER.warning("on_event is slower than the requests: some events are dropped from now on")
            _close(result)
            return
        self._calls.append(_Waiting(kind, result, contextvars.copy_context()))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work(), name="kantata-on-event")

    async def _work(self) -> None:
        while self._calls:
            waiting = self._calls.popleft()
            # Runs as a separate task, so that a call that cancels itself does not end those for later events.
            task = waiting.context.run(asyncio.ensure_future, waiting.result)
            try:
                await asyncio.wait([task])
            finally:
                task.cancel()
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            if error is not None:
                self._failed(waiting.kind, error)

    def _failed(self, kind: str, error: BaseException) -> None:
        if not self._has_failed:
            self._has_failed = True
            _LOGGER.error("on_event failed for %s; its further errors are not logged", kind, exc_info=error)

    def _let_go_of_the_rest(self) -> None:
        while self._calls:
            _close(self._calls.popleft().result)


def _close(result: Awaitable[object]) -> None:
    """Close a coroutine that will not be awaited, so that Python does not warn of it."""
    if inspect.iscoroutine(result):
        result.close()
    elif isinstance(result, asyncio.Future):
        result.cancel()


class Hooks:
    """The hooks of a session.

    Raises:
        UsageError: what is given is not a function, or not one that can be called with an event.
    """

    def __init__(self, setting: EventSetting) -> None:
        functions: object = [] if setting is None else [setting] if callable(setting) else setting
        if not isinstance(functions, Sequence) or not all(map(callable, functions)):
            raise UsageError(f"KantataSession: on_event must be a function or several, not {brief_repr(setting)}")
        for function in functions:
            check_function("KantataSession", "on_event", function, "an event")
        self._hooks: Final = [Hook(function) for function in functions]

    def __bool__(self) -> bool:
        return bool(self._hooks)

    def tell(self, event: RequestEvent) -> None:
        """Call every function."""
        for hook in self._hooks:
            hook.tell(event)

    async def close(self) -> None:
        """Let async functions take what still waits."""
        await asyncio.gather(*(hook.close() for hook in self._hooks))
