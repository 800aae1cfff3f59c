"""What copies are written to.

protocol     what a target does: four methods
settings     where a copy is, and what becomes in it of what is gone
ours         the columns that a copy adds
names        names and texts as SQL has them
views        views with the custom fields of objects as columns
driver       the drivers of databases
dsn          what of a connection string may be shown
lock         a lock that dies with its owner
sql          what the databases have in common
sql_file     … and those among them that are files
sqlite       SQLite, through ADBC
postgres     PostgreSQL, through ADBC
duckdb       DuckDB
files        what the directories of files have in common
parquet      Parquet files
jsonlines    files of JSON lines
"""

from __future__ import annotations

from .driver import driver
from .duckdb import DuckDBTarget
from .jsonlines import JSONLinesTarget
from .ours import DELETED_AT, LISTED, SYNCED_AT
from .parquet import ParquetTarget
from .postgres import PostgresTarget
from .protocol import Held, KnowsColumns, OnDeletion, Rows, Step, Target, Written
from .sqlite import SQLiteTarget
from .views import FieldsView, ShowsFields

__all__ = [
    "DELETED_AT",
    "LISTED",
    "SYNCED_AT",
    "DuckDBTarget",
    "FieldsView",
    "Held",
    "JSONLinesTarget",
    "KnowsColumns",
    "OnDeletion",
    "ParquetTarget",
    "PostgresTarget",
    "Rows",
    "SQLiteTarget",
    "ShowsFields",
    "Step",
    "Target",
    "Written",
    "driver",
]
