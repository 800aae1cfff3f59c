"""The events of a session as spans and metrics."""

from __future__ import annotations

from typing import Final

from ..extras import from_extra
from ..transport import RequestEvent

with from_extra("otel", "telemetry"):
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from .metrics import Metrics
    from .spans import Spans


class OpenTelemetry:
    """Spans and metrics of what a session does: ``KantataSession(on_event=OpenTelemetry())``.

    Each call of the program is a span, "participations.create_many", and inside it each attempt of each of its requests
    is one, "POST /participations", with the names of the semantic conventions for HTTP clients. Neither a token nor any
    other secret is in any of them, and nothing is added to what is sent. One may serve several sessions.

    Args:
        tracer_provider: makes the spans; by default what `opentelemetry.trace.set_tracer_provider` set.
        meter_provider: takes the metrics; by default what `opentelemetry.metrics.set_meter_provider` set.
    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._spans: Final = Spans(tracer_provider)
        self._metrics: Final = Metrics(meter_provider)

    def __call__(self, event: RequestEvent) -> None:
        """Take one event."""
        self._spans.take(event)
        self._metrics.take(event)
