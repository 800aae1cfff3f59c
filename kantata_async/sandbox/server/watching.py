"""What the page hears as it happens: server-sent events with the requests, and with how the sandbox is set."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from .log import LoggedRequest

_EVERY: Final = 0.2
_LATEST: Final = 1_000
_SILENCE: Final = 50

PageState = dict[str, Any]


class RequestNews:
    """What one page has not seen yet of a log that grows, and may be cleared."""

    def __init__(self) -> None:
        self._position = 0
        self._last: LoggedRequest | None = None
        self._unanswered: list[LoggedRequest] = []

    def read(self, log: Sequence[LoggedRequest]) -> tuple[bool, list[LoggedRequest]]:
        """Whether the log was cleared, and the requests that came or were answered since: the latest, if many."""
        cleared = self._position > 0 and (len(log) < self._position or log[self._position - 1] is not self._last)
        if cleared:
            self._position, self._unanswered = 0, []
        come = list(log[max(self._position, len(log) - _LATEST) :])
        answered = [request for request in self._unanswered if request.seconds is not None]
        self._unanswered = [request for request in (*self._unanswered, *come) if request.seconds is None]
        self._position, self._last = len(log), log[-1] if log else None
        return cleared, answered + come


async def tell(
    request: web.Request,
    log: Callable[[], Sequence[LoggedRequest]],
    state: Callable[[], PageState],
    stopping: asyncio.Event,
) -> web.StreamResponse:
    """The stream of what is new for a page, five times a second, until it goes away or the sandbox stops.

    The events are ``state``, how everything is set, whenever that has changed, and ``requests``: those that came or
    were answered, `now` on their clock, and whether the log was `cleared` before them.
    """
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    news, told, quiet = RequestNews(), None, 0
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        while not stopping.is_set() and request.transport is not None and not request.transport.is_closing():
            events = []
            if (current := state()) != told:
                told = current
                events.append(_event("state", current))
            cleared, requests = news.read(log())
            if cleared or requests:
                summaries = [one.summary() for one in requests]
                events.append(_event("requests", {"cleared": cleared, "now": time.monotonic(), "requests": summaries}))
            quiet = 0 if events else quiet + 1
            if events or quiet % _SILENCE == 0:
                await response.write(b"".join(events) or b":\n\n")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _EVERY)
    return response


def _event(name: str, data: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))
