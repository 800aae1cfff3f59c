"""The columns that a copy has of its own, beside those of the collection."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from ...tables import arrow
from .protocol import Rows

SYNCED_AT: Final = "_synced_at"
"""When an object was last stored as it is."""

DELETED_AT: Final = "_deleted_at"
"""When an object was found to be gone; null while it is there."""

LISTED: Final = "_listed"
"""Whether the list of the collection itself gave an object, or only what it is associated with."""


def with_ours(rows: Rows, at: datetime) -> Any:
    """The batch with our own columns."""
    pa, count = arrow(), rows.batch.num_rows
    instants = pa.array([at], pa.timestamp("us", "UTC"))
    batch = rows.batch.append_column(SYNCED_AT, pa.repeat(instants[0], count))
    batch = batch.append_column(DELETED_AT, pa.nulls(count, pa.timestamp("us", "UTC")))
    return batch.append_column(LISTED, pa.repeat(pa.scalar(rows.listed), count))
