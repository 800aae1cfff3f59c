"""The events of a session's requests, for metrics: ``KantataSession(on_event=function)``."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Literal

import attrs

_LOGGER: Final = logging.getLogger("kantata_async.events")


@attrs.frozen
class RequestEvent:
    """One thing that happened to a request.

    Attributes:
        kind: "started", when it was asked for; "throttled", when it was answered 429; "retried", when it is going to be
            sent again; "finished", when it is over, well or not. The first and the last come once for each request.
        method: in capitals.
        path: below the base URL; `route` has the same without ids.
        attempt: how often it was sent so far.
        seconds: since it was started.
        waited: seconds of these in which it stood in line or waited between attempts.
        status: of the last answer; None where none came.
        retry_after: seconds that a 429 asked to wait; None where it did not.
        request_id: the x-request-id of the last answer.
        error: the name of the error's class that ends it; None where it ends well.
    """

    kind: Literal["started", "throttled", "retried", "finished"]
    method: str
    path: str
    attempt: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    status: int | None = None
    retry_after: float | None = None
    request_id: str | None = None
    error: str | None = None

    @property
    def route(self) -> str:
        """The path with {id} for each id, so that a metric has few values."""
        steps = self.path.removesuffix(".json").split("/")
        return "/".join("{id}" if any(map(str.isdigit, step)) else step for step in steps)


OnEvent = Callable[[RequestEvent], object]
"""A function, or an async one: its calls are awaited one after the other, beside the requests."""


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
        self._calls: deque[tuple[str, Awaitable[object]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many events wait for an async function."""
        return len(self._calls)

    def tell(self, event: RequestEvent) -> None:
        """Call the function; what it raises first is logged, and nothing goes any further."""
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
        self._calls.append((kind, result))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work(), name="kantata-on-event")

    async def _work(self) -> None:
        while self._calls:
            kind, result = self._calls.popleft()
            # Runs as a separate task, so that a call that cancels itself does not end those for later events.
            task = asyncio.ensure_future(result)
            try:
                await asyncio.wait([task])
            finally:
                task.cancel()
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            if error is not None:
                self._failed(kind, error)

    def _failed(self, kind: str, error: BaseException) -> None:
        if not self._has_failed:
            self._has_failed = True
            _LOGGER.error("on_event failed for %s; its further errors are not logged", kind, exc_info=error)

    def _let_go_of_the_rest(self) -> None:
        while self._calls:
            _close(self._calls.popleft()[1])


def _close(result: Awaitable[object]) -> None:
    """Close a coroutine that will not be awaited, so that Python does not warn of it."""
    if inspect.iscoroutine(result):
        result.close()
    elif isinstance(result, asyncio.Future):
        result.cancel()


class Story:
    """The events of one request, passed to the hook."""

    def __init__(self, hook: Hook, method: str, path: str) -> None:
        self._hook: Final = hook
        self._began: Final = time.monotonic()
        self._so_far = RequestEvent("started", method, path)
        self._sent_seconds = 0.0

    def started(self) -> None:
        """It was asked for."""
        self._hook.tell(self._so_far)

    def sent(self, attempt: int, status: int, request_id: str | None, seconds: float) -> None:
        """An attempt is over that had its place for so many seconds."""
        self._sent_seconds += seconds
        self._so_far = attrs.evolve(
            self._so_far, attempt=attempt, status=status or None, request_id=request_id, retry_after=None
        )

    def throttled(self, retry_after: float | None) -> None:
        """It was answered 429."""
        self._so_far = attrs.evolve(self._so_far, retry_after=retry_after)
        self._tell("throttled")

    def retried(self) -> None:
        """It is going to be sent again."""
        self._tell("retried")

    def finished(self, error: BaseException | None) -> None:
        """It is over."""
        self._tell("finished", None if error is None else type(error).__name__)

    def _tell(self, kind: Literal["throttled", "retried", "finished"], error: str | None = None) -> None:
        seconds = time.monotonic() - self._began
        waited = max(0.0, seconds - self._sent_seconds)
        self._hook.tell(attrs.evolve(self._so_far, kind=kind, seconds=seconds, waited=waited, error=error))
