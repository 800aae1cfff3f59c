"""How a list can be read so that nothing is lost: what its filters, its orders and its objects allow."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

import attrs

from ..calls import Operation
from ..model import Entity

_STEADY_ORDERS: Final = ("created_at", "id")
"""Orders in which no object moves while it stays in the list."""

_NEWEST: Final = "updated_at"
_SHOW_DELETED: Final = "show_deleted"


class By(enum.Enum):
    """What a list is cut by."""

    UPDATE = "updated"
    CREATION = "created"
    NOTHING = ""


class Deletions(enum.Enum):
    """How objects are found to be gone."""

    HALVING = "counting, and halving by creation where counts differ"
    COUNTING = "counting, and reading the ids where counts differ"
    ABSENCE = "their absence"
    NEVER = "nothing: the list forgets, the copy keeps"


@attrs.frozen
class Way:
    """How a list is read.

    Attributes:
        by: what it is cut by.
        deletions: how deletions are found.
        order: the order that keeps objects in their places; None where the list has none.
        reveal: the filters that bring in what the list leaves out by default.
        shows_deleted: whether it then shows deleted objects too, each with its `deleted_at`.
        by_id: whether it gives objects by their ids.
        paged: whether it has pages.
        newest: the order in which what was updated last comes first; None where the list has none.
    """

    by: By
    deletions: Deletions
    order: str | None
    reveal: Mapping[str, bool | str]
    shows_deleted: bool
    by_id: bool
    paged: bool
    newest: str | None = None

    @property
    def sorted_by_creation(self) -> bool:
        """Whether its pages come in the order of creation."""
        return self.order == "created_at:asc"

    def __str__(self) -> str:
        read = f"by closed windows of {self.by.value}_at" if self.by is not By.NOTHING else "whole"
        found = f"deletions by {self.deletions.value}"
        return f"{read}; {found}{' and as the list shows them' if self.shows_deleted else ''}"


def way_of(operation: Operation[Any], cls: type[Entity] | None) -> Way:
    """How a list whose objects are of a class is best read."""
    attributes = frozenset() if cls is None else cls.attributes.keys()
    by = _by(operation)
    reveal = dict(operation.reveal)
    shows_deleted = reveal.get(_SHOW_DELETED) is True and "deleted_at" in attributes
    if not shows_deleted:
        # Deleted objects that nothing tells apart from the others would stand in the copy as if they were there.
        reveal.pop(_SHOW_DELETED, None)
    order = next((f"{field}:asc" for field in _STEADY_ORDERS if field in operation.orders), None)
    newest = f"{_NEWEST}:desc" if _NEWEST in operation.orders and _NEWEST in attributes else None
    return Way(
        by, _deletions(operation, by, "created_at" in attributes), order, reveal, shows_deleted, operation.only,
        operation.paging, newest,
    )  # fmt: skip


def _has_window(operation: Operation[Any], field: str) -> bool:
    return {f"{field}_after", f"{field}_before"} <= operation.filters.keys()


def _by(operation: Operation[Any]) -> By:
    windows = (by for by in (By.UPDATE, By.CREATION) if _has_window(operation, by.value))
    return next(windows, By.NOTHING)


def _deletions(operation: Operation[Any], by: By, shows_creation: bool) -> Deletions:
    if by is By.NOTHING:
        return Deletions.ABSENCE
    if by is By.CREATION:
        return Deletions.NEVER
    halves = shows_creation and _has_window(operation, By.CREATION.value)
    return Deletions.HALVING if halves else Deletions.COUNTING
