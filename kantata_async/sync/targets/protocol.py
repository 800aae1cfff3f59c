"""What a copy is written to: any object with four methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

import attrs

from ...tables import Table

OnDeletion = Literal["mark", "remove"]


@attrs.frozen
class Rows:
    """Objects to store.

    Attributes:
        table: whose columns they have.
        batch: a `pyarrow.RecordBatch` of the table's schema; each id comes once.
        sent: the columns that are to be stored of objects that came as associations; the others are left as they are.
        listed: whether the list itself gave them. If so, they are stored over what there is, and are there even if
            they were gone. Otherwise only where they are newer, by `updated_at`, than what there is, or nothing is.
    """

    table: Table
    batch: Any
    sent: frozenset[str]
    listed: bool


@attrs.frozen
class Step:
    """What is stored together or not at all.

    Attributes:
        at: the server's time.
        rows: objects, in the order in which they are to be stored.
        deleted: ids of objects that are gone, by table.
        checkpoints: how far copies have come with this step, by the names of the parts; None for one to remove.
    """

    at: datetime
    rows: Sequence[Rows] = ()
    deleted: Mapping[Table, Sequence[str]] = attrs.field(factory=dict)
    checkpoints: Mapping[str, str | None] = attrs.field(factory=dict)


@attrs.frozen
class Written:
    """What a step came to in one table: how many objects are new, have changed, and are gone."""

    new: int = 0
    changed: int = 0
    deleted: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(self.new + other.new, self.changed + other.changed, self.deleted + other.deleted)


@attrs.frozen
class Held:
    """Listed objects of a table that are there.

    Attributes:
        count: how many.
        read: gives a `pyarrow.Table` with the columns asked for, by `created_at` where the table has it.
    """

    count: int
    read: Callable[[Sequence[str]], Any]


@runtime_checkable
class KnowsColumns(Protocol):
    """A target whose tables others can alter."""

    def lacks_columns(self, table: Table) -> bool:
        """Whether a table is there, and not all its columns are.

        Raises:
            TargetError: it cannot be read.
        """
        ...


@runtime_checkable
class Target(Protocol):
    """What a copy is written to. Its methods block, are called one at a time, and always in the same thread."""

    def open(self) -> Mapping[str, str]:
        """The checkpoints of the target, which is taken for this process alone.

        Raises:
            TargetError: another process has it, or it cannot be used; the message says why.
        """
        ...

    def write(self, step: Step) -> Mapping[str, Written]:
        """What a step came to by collection, once it is stored, all of it or nothing.

        Tables are made where they are missing, and widened where a column is.

        Raises:
            TargetError: it could not be stored; the message says why.
        """
        ...

    def held(self, table: Table, of: Mapping[str, str], before: datetime | None = None) -> Held:
        """The listed objects that are there: with these values in these columns, created before that time."""
        ...

    def close(self) -> None:
        """Let go of the target; may be called again."""
        ...
