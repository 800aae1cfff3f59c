"""What a session tells of its requests, for metrics: ``KantataSession(on_event=function)``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
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


class Hook:
    """The function to be told, kept from breaking the requests it is told of."""

    def __init__(self, function: OnEvent) -> None:
        self._function: Final = function
        self._failed = False

    def tell(self, event: RequestEvent) -> None:
        """Call the function; the first error of its is logged, and none goes any further."""
        try:
            self._function(event)
        except Exception:
            if not self._failed:
                self._failed = True
                _LOGGER.exception("on_event failed for %s; further errors of it are not logged", event.kind)


class Story:
    """One request as it is told to the hook."""

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
