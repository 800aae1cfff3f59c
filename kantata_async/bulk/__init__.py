"""Writing many objects: rows in, one outcome a row, in the order of the rows."""

from __future__ import annotations

from ._old import BulkResult, Outcome, create_many

__all__ = ["BulkResult", "Outcome", "create_many"]
