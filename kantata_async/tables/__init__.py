"""Objects of the API as columns: one schema for each collection, and Arrow batches built from answers.

library   pyarrow, or what to install for it
schema    the columns of a collection, from its entity classes
column    the values of one attribute as an Arrow array
batch     the objects of an answer as a batch
"""

from __future__ import annotations

from .batch import Batch, BatchStream, joined, read_batch, read_batches, reader_for
from .column import json_text
from .library import arrow, arrow_compute
from .schema import EXTRA, Column, ColumnKind, Table, table_of

__all__ = [
    "EXTRA",
    "Batch",
    "BatchStream",
    "Column",
    "ColumnKind",
    "Table",
    "arrow",
    "arrow_compute",
    "joined",
    "json_text",
    "read_batch",
    "read_batches",
    "reader_for",
    "table_of",
]
