"""What happens to a call and to each of its requests, as events for the hooks."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from yarl import URL

from ..errors import KantataError
from .attempt import Attempt
from .events import EventKind, RequestEvent
from .hooks import Hooks
from .redaction import Redaction
from .refusal import request_id_of
from .retry import retry_after_of

_call_id: Final[contextvars.ContextVar[str | None]] = contextvars.ContextVar("kantata_call_id", default=None)


class CallStory:
    """The events of one call, passed to the hooks.

    Args:
        hooks: called with each event.
        name: of the call.
        redact: leaves secrets out.
    """

    def __init__(self, hooks: Hooks, name: str, redact: Redaction) -> None:
        self._hooks: Final = hooks
        self._redact: Final = redact
        self._id: Final = uuid4().hex
        self._details: Final[dict[str, Any]] = {"call": name, "call_id": self._id, "parent_id": _call_id.get()}
        self._requests = 0
        self._began = 0.0

    def enter(self) -> None:
        """Make it the parent of every later call in the running context."""
        _call_id.set(self._id)

    @contextmanager
    def told(self, *, in_steps: bool = False) -> Iterator[None]:
        """A block with which the call begins and ends; calls that the program makes inside have it as their parent.

        `in_steps`: whether it is a generator's. What the program calls between its steps is no part of it.
        """
        entered = None if in_steps else _call_id.set(self._id)
        self._began = time.monotonic()
        self._tell("call_started")
        ending: BaseException | None = None
        try:
            yield
        except GeneratorExit:
            raise
        except BaseException as error:
            ending = error
            raise
        finally:
            self._tell("call_finished", ending)
            if entered is not None:
                _call_id.reset(entered)

    def request(self, method: str, path: str, url: URL) -> RequestStory:
        """The story of its next request."""
        self._requests += 1
        address = _address(path, url, self._redact)
        details = {**self._details, "number": self._requests, "method": method, **address}
        return RequestStory(self._hooks, details, self._redact)

    def _tell(self, kind: EventKind, error: BaseException | None = None) -> None:
        seconds = time.monotonic() - self._began
        shown = _shown(error, self._redact)
        self._hooks.tell(RequestEvent(kind=kind, at=datetime.now(UTC), seconds=seconds, **self._details, **shown))


class RequestStory:
    """The events of one request, passed to the hooks.

    Args:
        hooks: called with each event.
        details: what every event says of it, and of its call.
        redact: leaves secrets out.
    """

    def __init__(self, hooks: Hooks, details: dict[str, Any], redact: Redaction) -> None:
        self._hooks: Final = hooks
        self._redact: Final = redact
        self._began: Final = time.monotonic()
        self._details: Final = details
        self._sent_seconds = 0.0
        self._queued_since = 0.0
        self._sent_at: float | None = None

    def started(self) -> None:
        """Record that it was asked for."""
        self._tell("started")

    def goes_to(self, path: str, url: URL) -> None:
        """Record that it goes to another address from its next attempt on."""
        self._details.update(_address(path, url, self._redact))

    def queued(self) -> None:
        """Record that an attempt stands in line."""
        self._queued_since = time.monotonic()

    def attempt_started(self, attempt: int) -> None:
        """Record that an attempt is sent."""
        self._sent_at = time.monotonic()
        queued = self._sent_at - self._queued_since
        self._details.update(attempt=attempt, queued=queued, status=None, retry_after=None, request_id=None)
        self._tell("attempt_started")

    def attempt_answered(self, attempt: Attempt, now: float) -> None:
        """Record that an attempt had an answer, at least its status. `now` is in seconds since 1970."""
        asked = retry_after_of(attempt.headers, now) if attempt.status == 429 else None
        request_id = request_id_of(attempt.headers, self._redact)
        self._details.update(status=attempt.status, request_id=request_id, retry_after=asked)

    def attempt_finished(self, error: BaseException | None) -> None:
        """Record that the attempt under way is over, if there is one."""
        if self._sent_at is None:
            return
        self._sent_seconds += time.monotonic() - self._sent_at
        self._sent_at = None
        self._tell("attempt_finished", error)
        if self._details["status"] == 429:
            self._tell("throttled", error)

    def retried(self, error: BaseException | None) -> None:
        """Record that it is going to be sent again: after an error, or to where an answer redirects it."""
        self._tell("retried", error)

    def finished(self, error: BaseException | None) -> None:
        """Record that it is over."""
        self.attempt_finished(error)
        self._tell("finished", error)

    def _tell(self, kind: EventKind, error: BaseException | None = None) -> None:
        now = time.monotonic()
        seconds = now - self._began
        under_way = 0.0 if self._sent_at is None else now - self._sent_at
        waited = max(0.0, seconds - self._sent_seconds - under_way)
        shown = _shown(error, self._redact)
        self._hooks.tell(
            RequestEvent(kind=kind, at=datetime.now(UTC), seconds=seconds, waited=waited, **self._details, **shown)
        )


def _address(path: str, url: URL, redact: Redaction) -> dict[str, Any]:
    """What events show of an address."""
    shown = redact.url(url)
    return {"path": path, "url": str(shown), "query": tuple(shown.query.items())}


def _shown(error: BaseException | None, redact: Redaction) -> dict[str, Any]:
    """What an event shows of an error."""
    if error is None:
        return {}
    message = redact(str(error)) if isinstance(error, KantataError) else None
    return {"error": type(error).__name__, "message": message}
