"""From arguments to a checked request, and from its answers to pages, lists and deeper includes.

parameters        what a parameter takes, and how it is written
include           what a call asks to be included
operation         an operation of the API, and a call of it
connection        what a session gives its resources
concurrency       coroutines side by side, all of them or none
deeper_includes   associations beyond the first level
lists             lists and their pages
feed              the change feed followed
"""

from __future__ import annotations

from .concurrency import together
from .connection import Connection
from .deeper_includes import asks_by_id, check_path, follow, in_batches
from .feed import Feed
from .include import Inclusion, Path, path, read_inclusion
from .lists import Found, ListQuery, get_many
from .operation import MAX_PER_PAGE, Call, CustomFieldOrder, Operation, by_custom_field, check_call, check_row
from .parameters import (
    BOOLEAN,
    DAY,
    FILE,
    ID,
    ID_TEXT,
    IDS,
    INSTANT,
    INTEGER,
    NUMBER,
    TEXT,
    TEXTS,
    Array,
    Choice,
    Id,
    Keyed,
    Needed,
    Object,
    Upload,
    check_id,
    did_you_mean,
)

__all__ = [
    "BOOLEAN",
    "DAY",
    "FILE",
    "ID",
    "IDS",
    "ID_TEXT",
    "INSTANT",
    "INTEGER",
    "MAX_PER_PAGE",
    "NUMBER",
    "TEXT",
    "TEXTS",
    "Array",
    "Call",
    "Choice",
    "Connection",
    "CustomFieldOrder",
    "Feed",
    "Found",
    "Id",
    "Inclusion",
    "Keyed",
    "ListQuery",
    "Needed",
    "Object",
    "Operation",
    "Path",
    "Upload",
    "asks_by_id",
    "by_custom_field",
    "check_call",
    "check_id",
    "check_path",
    "check_row",
    "did_you_mean",
    "follow",
    "get_many",
    "in_batches",
    "path",
    "read_inclusion",
    "together",
]
