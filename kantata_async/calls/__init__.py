"""From arguments to a checked request, and from its answers to pages, lists and deeper includes.

foreign_values    values as data frames and arrays have them
parameters        what a parameter takes, and how it is written
free_query        the query of a request that no operation describes
include           what a call asks to be included
operation         an operation of the API, and a call of it
connection        what a session gives its resources
concurrency       coroutines side by side, all of them or none
deeper_includes   associations beyond the first level
page_count        how many pages a list has
seen_ids          which ids have come already
entity_stream     what iterating a list or a feed gives
lists             lists and their pages
feed              the change feed followed
"""

from __future__ import annotations

from .concurrency import together
from .connection import Connection, refuse_copying
from .deeper_includes import asks_by_id, check_path, follow, in_batches
from .entity_stream import EntityStream
from .feed import Feed
from .foreign_values import EMPTY, plain, refuse_frame
from .free_query import QueryValue, query_of
from .include import Inclusion, Path, path, read_inclusion
from .lists import Found, ListQuery, get_many
from .operation import (
    MAX_ONLY,
    MAX_PER_PAGE,
    Call,
    CustomFieldOrder,
    Operation,
    by_custom_field,
    check_call,
    check_row,
)
from .page_count import PageCount, Standstill, pages_for
from .parameters import (
    BOOLEAN,
    DAY,
    FILE,
    ID,
    ID_TEXT,
    ID_TEXTS,
    IDS,
    INSTANT,
    INTEGER,
    NUMBER,
    OMITTED,
    TEXT,
    TEXTS,
    VALUE,
    Array,
    Choice,
    Choices,
    Id,
    Keyed,
    Needed,
    Object,
    ParameterKind,
    Scalar,
    Upload,
    check_id,
    did_you_mean,
    is_iterable,
)
from .seen_ids import SeenIds

__all__ = [
    "BOOLEAN",
    "DAY",
    "EMPTY",
    "FILE",
    "ID",
    "IDS",
    "ID_TEXT",
    "ID_TEXTS",
    "INSTANT",
    "INTEGER",
    "MAX_ONLY",
    "MAX_PER_PAGE",
    "NUMBER",
    "OMITTED",
    "TEXT",
    "TEXTS",
    "VALUE",
    "Array",
    "Call",
    "Choice",
    "Choices",
    "Connection",
    "CustomFieldOrder",
    "EntityStream",
    "Feed",
    "Found",
    "Id",
    "Inclusion",
    "Keyed",
    "ListQuery",
    "Needed",
    "Object",
    "Operation",
    "PageCount",
    "ParameterKind",
    "Path",
    "QueryValue",
    "Scalar",
    "SeenIds",
    "Standstill",
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
    "is_iterable",
    "pages_for",
    "path",
    "plain",
    "query_of",
    "read_inclusion",
    "refuse_copying",
    "refuse_frame",
    "together",
]
