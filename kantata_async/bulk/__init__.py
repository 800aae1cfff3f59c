"""Writing many objects: rows in, one outcome a row, in the order of the rows, and nothing twice."""

from __future__ import annotations

from .creation import IfExists
from .fate import SETTLING
from .looking import Find, Key
from .outcome import BulkResult, Outcome, Status, bulk_result
from .rows import Ids, Items, Rows
from .writing import create_many, create_stream, delete_many, update_many

__all__ = [
    "SETTLING",
    "BulkResult",
    "Find",
    "Ids",
    "IfExists",
    "Items",
    "Key",
    "Outcome",
    "Rows",
    "Status",
    "bulk_result",
    "create_many",
    "create_stream",
    "delete_many",
    "update_many",
]
