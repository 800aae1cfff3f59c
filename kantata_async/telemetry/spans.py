"""A span of each call, and inside it one of each attempt."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import Token
from typing import Final

import attrs
from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    TracerProvider,
    get_tracer,
    set_span_in_context,
)

from ..transport import RequestEvent
from .attributes import (
    CALL,
    CALL_ID,
    QUEUED,
    REQUEST_ID,
    RESENDS,
    SCHEMA,
    SCOPE,
    URL_FULL,
    VERSION,
    of_end,
    of_request,
)

_suppression: Callable[[], AbstractContextManager[None]] = nullcontext
"""Keeps an instrumentation of aiohttp from making a second span of an attempt, and from counting it twice."""

with suppress(ImportError):  # without instrumentations there is nothing to suppress
    from opentelemetry.instrumentation.utils import suppress_http_instrumentation

    _suppression = suppress_http_instrumentation


@attrs.define
class _AttemptSpan:
    """The span of an attempt under way, which is the current span until the attempt is over."""

    span: Span
    token: Token[Context]
    suppression: AbstractContextManager[None]


@attrs.define
class _CallSpan:
    """The span of a call under way, and how often its requests were sent again."""

    span: Span
    resends: int = 0


class Spans:
    """Makes the spans.

    Args:
        provider: the tracer's; None for the one that the program set for all.
    """

    def __init__(self, provider: TracerProvider | None) -> None:
        self._tracer: Final = get_tracer(SCOPE, VERSION, provider, SCHEMA)
        self._calls: Final[dict[str, _CallSpan]] = {}
        self._attempts: Final[dict[tuple[str, int], _AttemptSpan]] = {}

    def take(self, event: RequestEvent) -> None:
        """Begin or end a span."""
        match event.kind:
            case "call_started":
                self._begin_call(event)
            case "attempt_started":
                self._begin_attempt(event)
            case "attempt_finished":
                _end_attempt(self._attempts.pop((event.call_id, event.number)), event)
            case "retried":
                self._calls[event.call_id].resends += 1
            case "call_finished":
                _end_call(self._calls.pop(event.call_id), event)

    def _begin_call(self, event: RequestEvent) -> None:
        outer = None if event.parent_id is None else self._calls.get(event.parent_id)
        span = self._tracer.start_span(
            event.call,
            None if outer is None else set_span_in_context(outer.span),
            SpanKind.INTERNAL,
            {CALL: event.call, CALL_ID: event.call_id},
        )
        self._calls[event.call_id] = _CallSpan(span)

    def _begin_attempt(self, event: RequestEvent) -> None:
        attributes = {
            **of_request(event),
            URL_FULL: event.url,
            CALL: event.call,
            CALL_ID: event.call_id,
            QUEUED: event.queued,
        }
        if event.attempt > 1:
            attributes[RESENDS] = event.attempt - 1
        inside = set_span_in_context(self._calls[event.call_id].span)
        span = self._tracer.start_span(f"{event.method} {event.route}".strip(), inside, SpanKind.CLIENT, attributes)
        # The current span while it is under way, so that what is logged meanwhile names it.
        token = contexts.attach(set_span_in_context(span, inside))
        suppression = _suppression()
        suppression.__enter__()
        self._attempts[event.call_id, event.number] = _AttemptSpan(span, token, suppression)


def _end_attempt(attempt: _AttemptSpan, event: RequestEvent) -> None:
    attempt.suppression.__exit__(None, None, None)
    contexts.detach(attempt.token)
    span = attempt.span
    span.set_attributes(of_end(event))
    if event.request_id is not None:
        span.set_attribute(REQUEST_ID, event.request_id)
    _end(span, event)


def _end_call(call: _CallSpan, event: RequestEvent) -> None:
    call.span.set_attribute(RESENDS, call.resends)
    if event.error is not None:
        call.span.set_attributes(of_end(event))
    _end(call.span, event)


def _end(span: Span, event: RequestEvent) -> None:
    if event.error is not None:
        span.set_status(Status(StatusCode.ERROR, event.message))
    span.end()
