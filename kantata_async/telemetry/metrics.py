"""How many requests, how long they took, and how long they waited."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.metrics import MeterProvider, get_meter

from ..transport import RequestEvent
from .attributes import CALL, ERROR, SCHEMA, SCOPE, VERSION, error_of, of_end, of_request

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""The bounds of the buckets that the conventions ask for."""

_LONGER_SECONDS: Final = (*_SECONDS, 25, 50, 75, 100, 250, 500, 1000)
"""Those and longer ones, for what may wait or take many requests."""


class Metrics:
    """Records the metrics.

    Args:
        provider: the meter's; None for the one that the program set for all.
    """

    def __init__(self, provider: MeterProvider | None) -> None:
        meter = get_meter(SCOPE, VERSION, provider, SCHEMA)
        self._attempt_seconds: Final = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._call_seconds: Final = meter.create_histogram(
            "kantata.client.call.duration",
            "s",
            "From the call of the program to its result.",
            explicit_bucket_boundaries_advisory=_LONGER_SECONDS,
        )
        self._queued_seconds: Final = meter.create_histogram(
            "kantata.client.request.queued",
            "s",
            "How long a request stood in line before it was sent: for its turn, a place, and the rate limit.",
            explicit_bucket_boundaries_advisory=_LONGER_SECONDS,
        )
        self._active: Final = meter.create_up_down_counter(
            "kantata.client.active_requests", "{request}", "Requests asked for and not over."
        )
        self._requests: Final = meter.create_counter("kantata.client.requests", "{request}", "Requests that are over.")
        self._throttled: Final = meter.create_counter("kantata.client.throttled", "{answer}", "Answers 429.")
        self._resends: Final = meter.create_counter("kantata.client.resends", "{request}", "Requests sent again.")
        self._sent_at: Final[dict[tuple[str, int], float]] = {}
        self._counted_as: Final[dict[tuple[str, int], dict[str, Any]]] = {}

    def take(self, event: RequestEvent) -> None:
        """Record an event."""
        if event.kind == "call_finished":
            error = {} if event.error is None else {ERROR: event.error}
            self._call_seconds.record(event.seconds, {CALL: event.call, **error})
        elif event.kind != "call_started":
            self._take_of_request(event)

    def _take_of_request(self, event: RequestEvent) -> None:
        attributes = of_request(event)
        request = event.call_id, event.number
        match event.kind:
            case "started":
                self._counted_as[request] = attributes
                self._active.add(1, attributes)
            case "attempt_started":
                self._sent_at[request] = event.seconds
                self._queued_seconds.record(event.queued, attributes)
            case "attempt_finished":
                seconds = event.seconds - self._sent_at.pop(request)
                self._attempt_seconds.record(seconds, attributes | of_end(event))
            case "throttled":
                self._throttled.add(1, attributes)
            case "retried":
                error = error_of(event)
                self._resends.add(1, attributes if error is None else {**attributes, ERROR: error})
            case "finished":
                # A redirect may have led it elsewhere meanwhile.
                self._active.add(-1, self._counted_as.pop(request))
                self._requests.add(1, attributes | of_end(event))
