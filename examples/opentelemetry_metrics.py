"""Metrics of every request with OpenTelemetry: ``KantataSession(on_event=kantata_metrics(meter))``.

Needs ``pip install opentelemetry-api`` and whatever exports what it collects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from opentelemetry import metrics

from kantata_async import KantataSession, RequestEvent


def kantata_metrics(meter: metrics.Meter) -> Callable[[RequestEvent], None]:
    """A function for `on_event` that records on this meter."""
    duration = meter.create_histogram("kantata.request.duration", unit="s", description="from asking to answer")
    waited = meter.create_histogram(
        "kantata.request.wait", unit="s", description="of that, in line or between attempts"
    )
    active = meter.create_up_down_counter("kantata.request.active", description="asked for and not over")
    throttled = meter.create_counter("kantata.request.throttled", description="answers 429")
    retried = meter.create_counter("kantata.request.retried", description="requests sent again")

    def record(event: RequestEvent) -> None:
        # The route, not the path: an id in a label would make a series of each object.
        labels = {"http.request.method": event.method, "http.route": event.route}
        if event.kind == "started":
            active.add(1, labels)
        elif event.kind == "throttled":
            throttled.add(1, labels)
        elif event.kind == "retried":
            retried.add(1, labels)
        else:
            active.add(-1, labels)
            labels["http.response.status_code"] = str(event.status or "")
            labels["error.type"] = event.error or ""
            duration.record(event.seconds, labels)
            waited.record(event.waited, labels)

    return record


async def main() -> None:
    """Ask once, and be counted."""
    meter = metrics.get_meter("kantata_async")
    async with KantataSession(on_event=kantata_metrics(meter)) as kantata:
        print(await kantata.users.me())


if __name__ == "__main__":
    asyncio.run(main())
