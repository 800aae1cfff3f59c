"""Spans and metrics of OpenTelemetry: ``KantataSession(on_event=OpenTelemetry())``.

Needs ``pip install 'kantata-async[otel]'``; importing it imports OpenTelemetry's API, and no session does.

attributes     what spans and metrics say of a request, by the semantic conventions
spans          a span of each call, and of each attempt inside it
metrics        how many, how long, and how long they waited
opentelemetry  both, made of the events of a session
"""

from __future__ import annotations

from .opentelemetry import OpenTelemetry

__all__ = ["OpenTelemetry"]
