"""Writing many objects: rows in, one outcome a row, in the order of the rows, and nothing twice.

rows          the rows, taken in as they are needed and cut into batches
outcome       what becomes of rows
ledger        what is known of every row of a batch at every moment
fate          what an error says about a write
comparing     when what was sent and what came back are the same
as_sent       the objects of an answer that shows the rows as they were sent
matching      which object of an answer came from which row
finding       what the objects that a look saw say of rows
claims        what the rows of one call may not share
survey        whether a list that was read page by page was read as a whole
reading       reading a list as a whole
shared_reads  one reading of a place for several at once
looking       the objects of rows, by their keys
recognizing   whether objects that are there are what a call made
by_id         the objects of ids
creation      rows brought to their outcomes by creating
changing      … by updating and deleting
upserting     … by setting what their keys name
run           the workers of a bulk write
stream        … that hands its outcomes out as they come
carried       results that travel with an exception
interruption  … of a bulk write that it interrupted
writing       the bulk writes of a resource
"""

from __future__ import annotations

from .carried import attach, attached
from .creation import IfExists
from .fate import SETTLING
from .interruption import bulk_result
from .looking import Find, Key
from .matching import order_of_making
from .outcome import BulkResult, Outcome, Status
from .reading import read_whole
from .rows import Ids, Items, Rows
from .writing import create_many, create_stream, delete_many, update_many, upsert_many

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
    "attach",
    "attached",
    "bulk_result",
    "create_many",
    "create_stream",
    "delete_many",
    "order_of_making",
    "read_whole",
    "update_many",
    "upsert_many",
]
