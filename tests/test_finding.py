"""What the objects that a look saw say of the rows that it was for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantata_async.bulk.finding import (
    CLOCK_MARGIN,
    Presence,
    can_be_dated,
    findings,
    is_deleted,
    was_made_before,
)
from kantata_async.bulk.rows import Row
from kantata_async.entities import Participation, Role, Story

MOMENT = datetime(2026, 8, 25, 12, tzinfo=UTC)


def role(id: int, **attributes: Any) -> Role:
    """A role as a list shows it."""
    return Role.from_dict({"id": id, **attributes})


def found(keys: list[str], objects: dict[str, list[int]], *, ours: set[int], taken: set[int] = frozenset()) -> Any:  # type: ignore[assignment]
    """What is found of rows with these keys, as presence and id."""
    rows = [Row(index, key, {}, key) for index, key in enumerate(keys)]
    seen = {key: [role(id) for id in ids] for key, ids in objects.items()}
    made = findings(
        rows,
        seen,
        {"hidden": "a page was lost"},
        is_free=lambda one: int(one.id) not in taken,
        is_ours=lambda row, one: int(one.id) in ours,
    )
    return [(made[row].presence, made[row].entity and int(made[row].entity.id)) for row in rows]


def test_each_row_gets_an_object_of_its_own() -> None:
    """Those of this call first, and older ones for what is left."""
    assert found(["a", "a", "a"], {"a": [1, 2]}, ours={2}) == [
        (Presence.OURS, 2),
        (Presence.BEFORE, 1),
        (Presence.TAKEN, None),
    ]


def test_what_belongs_to_another_row_is_not_given_again() -> None:
    """It is there, and not this row's."""
    assert found(["a", "b"], {"a": [1]}, ours={1}, taken={1}) == [(Presence.TAKEN, None), (Presence.ABSENT, None)]


def test_what_was_not_seen_may_be_there_where_the_look_has_a_fault() -> None:
    """Never absent then; what was seen is there all the same."""
    assert found(["hidden"], {}, ours=set()) == [(Presence.UNSURE, None)]
    assert found(["hidden"], {"hidden": [4]}, ours={4}) == [(Presence.OURS, 4)]


@given(
    st.lists(st.sampled_from("abc"), max_size=6),
    st.lists(st.sampled_from("abc"), max_size=6),
    st.sets(st.integers(0, 5)),
)
def test_no_object_is_given_twice(keys: list[str], held: list[str], ours: set[int]) -> None:
    """And none to a row of another key; a key with as many objects as rows leaves none without."""
    objects = {key: [number for number, one in enumerate(held) if one == key] for key in set(held)}
    given = found(keys, objects, ours=ours)
    ids = [id for _, id in given if id is not None]
    assert len(ids) == len(set(ids))
    for key, (presence, id) in zip(keys, given, strict=True):
        assert id is None or held[id] == key
        assert (presence is Presence.ABSENT) == (key not in held)
    for key in set(keys):
        owners = [id for one, (_, id) in zip(keys, given, strict=True) if one == key and id is not None]
        assert len(owners) == min(keys.count(key), held.count(key))


@pytest.mark.parametrize(
    ("seconds", "before"),
    [(-3600, True), (-CLOCK_MARGIN.total_seconds() - 1, True), (-5, False), (0, False), (60, False)],
)
def test_older_than_a_moment(seconds: float, before: bool) -> None:
    """By more than two clocks may differ."""
    made = role(1, created_at=(MOMENT + timedelta(seconds=seconds)).isoformat())
    assert was_made_before(made, MOMENT, CLOCK_MARGIN) is before


def test_what_says_no_date() -> None:
    """Nobody knows how old it is, whether its kind never says or this answer does not."""
    assert was_made_before(Participation.from_dict({"id": 1}), MOMENT, CLOCK_MARGIN) is None
    assert can_be_dated(Participation.from_dict({"id": 1}))


def test_what_is_shown_as_deleted_is_not_there() -> None:
    """A list that was asked for what it hides shows that too; most kinds have no such mark."""
    assert is_deleted(Story.from_dict({"id": 1, "deleted_at": "2026-08-25T12:00:00Z"}))
    assert not is_deleted(Story.from_dict({"id": 1, "deleted_at": None}))
    assert not is_deleted(Participation.from_dict({"id": 1}))
