"""A dlt resource of any list that can be asked for what changed: ``pipeline.run(changes("time_entries"))``.

Needs ``pip install 'kantata-async[arrow]' dlt``. dlt keeps how far it has come, and is handed Arrow tables. It sees no
deletions, and a row that moves from page to page while it reads may be missed: `kantata_async.sync` keeps copies for
which that is not so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
import pyarrow
from dlt.extract import DltResource

from kantata_async import KantataSession

BEGINNING = datetime(2008, 1, 1, tzinfo=UTC)


def changes(collection: str, **arguments: Any) -> DltResource:
    """What was updated since the pipeline's last run; `arguments` are the list's own, such as `include`."""

    async def read(
        since: dlt.sources.incremental[datetime] = dlt.sources.incremental("updated_at", initial_value=BEGINNING),  # noqa: B008 - dlt's way
    ) -> AsyncIterator[pyarrow.Table]:
        after = (since.last_value or BEGINNING) - timedelta(seconds=180)
        async with KantataSession() as kantata:
            found = getattr(kantata, collection).list(updated_after=after, **arguments)
            async for batch in found.batches(rows=10_000):
                yield pyarrow.Table.from_batches([batch])

    return dlt.resource(read, name=collection, primary_key="id", write_disposition="merge")


if __name__ == "__main__":
    pipeline = dlt.pipeline("kantata", destination=dlt.destinations.sqlalchemy("sqlite:///kantata_dlt.db"))
    print(pipeline.run(changes("time_entries")))
