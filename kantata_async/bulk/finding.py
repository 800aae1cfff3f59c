"""What the objects that a look saw say of the rows that it was for: pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, Generic, TypeVar

import attrs

from ..model import Entity
from .matching import order_of_making
from .rows import Row

E = TypeVar("E", bound=Entity)

CLOCK_MARGIN: Final = timedelta(seconds=10)
"""By how much the clock that answers are dated by may differ from the one that objects are dated by."""

WIDE_MARGIN: Final = timedelta(hours=6)
"""The same for the clock of this machine, where no answer is dated."""

SHORT_MARGIN: Final = timedelta(seconds=2)
"""The same, where an object is more likely to be older than to be dated by another clock: both have whole seconds."""


class Presence(Enum):
    """What is known of a row's object."""

    OURS = auto()
    """It is there, and this call made it."""
    BEFORE = auto()
    """It is there, and was made by another caller, or before."""
    TAKEN = auto()
    """All that is there belongs to other rows of the call."""
    ABSENT = auto()
    """It is surely not there."""
    UNSURE = auto()
    """It was not seen, and may be there all the same."""


@attrs.frozen
class Finding(Generic[E]):
    """What is known of a row's object, the object, and why it is not sure."""

    presence: Presence
    entity: E | None = None
    reason: str | None = None


def findings(
    rows: Sequence[Row],
    objects: Mapping[Hashable, Sequence[E]],
    faults: Mapping[Hashable, str],
    *,
    is_free: Callable[[E], bool],
    is_ours: Callable[[Row, E], bool],
) -> dict[Row, Finding[E]]:
    """What is known of each row, given at most one of the objects with its key; no object goes to two rows.

    Args:
        rows: that were looked for.
        objects: that were seen, by their keys.
        faults: why others may be there that were not seen, by the key.
        is_free: whether an object belongs to no row yet.
        is_ours: whether an object may be what this call made of a row.
    """
    given: set[str] = set()
    found: dict[Row, Finding[E]] = {}

    def take(row: Row, presence: Presence, fitting: Iterable[E]) -> None:
        free = [one for one in fitting if one.id not in given and is_free(one)]
        if free:
            entity = min(free, key=order_of_making)
            given.add(entity.id)
            found[row] = Finding(presence, entity)

    for row in rows:
        take(row, Presence.OURS, (one for one in objects.get(row.key, ()) if is_ours(row, one)))
    for row in rows:
        if row not in found:
            take(row, Presence.BEFORE, objects.get(row.key, ()))
        if row in found:
            continue
        if row.key in faults:
            found[row] = Finding(Presence.UNSURE, None, faults[row.key])
        else:
            found[row] = Finding(Presence.TAKEN if objects.get(row.key) else Presence.ABSENT)
    return {row: found[row] for row in rows}


def with_presence(presence: Presence, found: Mapping[Row, Finding[E]]) -> list[Row]:
    """The rows of whose objects this is known."""
    return [row for row, finding in found.items() if finding.presence is presence]


def was_made_before(entity: Entity, moment: datetime, margin: timedelta) -> bool | None:
    """Whether an object is surely older than a moment; None where its date is not known."""
    made = _moment(entity, "created_at")
    if not isinstance(made, datetime):
        return None
    return made < moment - margin


def can_be_dated(entity: Entity) -> bool:
    """Whether objects of its kind say when they were made."""
    return "created_at" in entity.attributes


def is_deleted(entity: Entity) -> bool:
    """Whether an object is shown only because a list was asked for what is deleted too."""
    return _moment(entity, "deleted_at") is not None


def _moment(entity: Entity, name: str) -> object:
    """A date that objects of some kinds have; None where it is not shown."""
    return getattr(entity, name, None) if name in entity.attributes else None
