"""Copies that are right: collections kept current in a database or in files, while everyone keeps working.

spans       spans of time, as filters
ways        how a list can be read
reading     pages of live data, without loss
planning    how many requests a part is going to take
deletions   what is gone, found by counting and halving
part        what is to be copied, what of it is copied as one, and how far that has come
listing     a list as the server has it
feed        what is gone, as the change feed names it
parents     lists that need a parent or a kind
targets     what copies are written to
store       a target as the jobs of a run use it
copying     a part brought up to date
comparing   the values of rows, wherever they are held
family      parents, and for which of them something changed
job         the copy of a collection: its parts
views       views of collections with their custom fields as columns
report      what is going to be done, and what came of it
sync        all collections of a copy, planned, run and verified
distributed the same by many workers
"""

from __future__ import annotations

from .job import Progress
from .part import Checkpoint, Job, Part
from .report import Difference, JobDifference, JobPlan, JobReport, Report, SyncPlan
from .spans import Span
from .sync import Sync
from .targets import (
    DuckDBTarget,
    Held,
    JSONLinesTarget,
    ParquetTarget,
    PostgresTarget,
    Rows,
    SQLiteTarget,
    Step,
    Target,
    Written,
)

__all__ = [
    "Checkpoint",
    "Difference",
    "DuckDBTarget",
    "Held",
    "JSONLinesTarget",
    "Job",
    "JobDifference",
    "JobPlan",
    "JobReport",
    "ParquetTarget",
    "Part",
    "PostgresTarget",
    "Progress",
    "Report",
    "Rows",
    "SQLiteTarget",
    "Span",
    "Step",
    "Sync",
    "SyncPlan",
    "Target",
    "Written",
]
