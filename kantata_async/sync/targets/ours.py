"""The columns that a copy adds to those of the collection."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from ...tables import arrow
from .protocol import Rows

SYNCED_AT: Final = "_synced_at"
"""When an object was last stored."""

DELETED_AT: Final = "_deleted_at"
"""When an object was found to be gone; null while it is there."""

LISTED: Final = "_listed"
"""Whether the list of the collection itself gave an object, or only an object that it is associated with."""


def with_ours(rows: Rows, at: datetime) -> Any:
    """The batch with the columns of the copy."""
    pa, count = arrow(), rows.batch.num_rows
    instants = pa.array([at], pa.timestamp("us", "UTC"))
    batch = rows.batch.append_column(SYNCED_AT, pa.repeat(instants[0], count))
    batch = batch.append_column(DELETED_AT, pa.nulls(count, pa.timestamp("us", "UTC")))
    return batch.append_column(LISTED, pa.repeat(pa.scalar(rows.listed), count))
