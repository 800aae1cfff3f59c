"""Values as pandas and numpy have them: they are what they look like, in rows, ids and filters."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantata_async import KantataSession, UsageError
from kantata_async.calls import BOOLEAN, DAY, EMPTY, ID, IDS, INSTANT, INTEGER, NUMBER, TEXT, TEXTS, Choice
from kantata_async.calls.foreign_values import plain
from kantata_async.calls.parameters import ParameterKind, check_fields, check_id
from kantata_async.provision import Roster
from kantata_async.sandbox import Sandbox

EMPTY_CELLS: Final = [math.nan, np.float64("nan"), np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT", "s"), np.nan]

TAKEN: Final[list[tuple[ParameterKind, Any, Any]]] = [
    (ID, 3.0, 3),
    (ID, np.float64(1234567), 1234567),
    (ID, np.int32(7), 7),
    (ID, np.uint64(8), 8),
    (ID, np.str_("9"), 9),
    (IDS, np.array([1, 2]), [1, 2]),
    (IDS, pd.Series([4.0, 5.0]), [4, 5]),
    (INTEGER, 90.0, 90),
    (INTEGER, np.int64(-3), -3),
    (NUMBER, np.float32(0.5), 0.5),
    (NUMBER, np.int16(4), 4),
    (BOOLEAN, np.bool_(False), False),
    (TEXT, np.str_("note"), "note"),
    (TEXTS, [np.str_("a"), "b"], "a,b"),
    (Choice(("maven", "buyer")), np.str_("maven"), "maven"),
    (DAY, pd.Timestamp("2026-02-28"), "2026-02-28"),
    (DAY, np.datetime64("2026-02-28"), "2026-02-28"),
    (DAY, np.datetime64("2026-02-28T00:00:00.000000000"), "2026-02-28"),
    (INSTANT, pd.Timestamp("2026-02-28 09:30", tz="UTC"), "2026-02-28T09:30:00+00:00"),
]

REFUSED: Final[list[tuple[ParameterKind, Any]]] = [
    (ID, 3.5),
    (ID, np.float64("inf")),
    (ID, -1.0),
    (ID, 2.0**60),
    (ID, np.bool_(True)),
    (INTEGER, np.float64(2.25)),
    (INTEGER, 2.0**54),
    (BOOLEAN, 1.0),
    (TEXT, 1.0),
    (TEXT, pd.NA),
    (DAY, pd.Timestamp("2026-02-28 09:30")),
    (DAY, pd.Timestamp("2026-02-28", tz="UTC")),
    (INSTANT, pd.Timestamp("2026-02-28 09:30")),
    (NUMBER, math.nan),
    (IDS, pd.Series([4.0, math.nan])),
    (Choice(("maven",)), pd.NA),
]


@pytest.mark.parametrize(("kind", "value", "wire"), TAKEN)
def test_they_are_what_they_look_like(kind: ParameterKind, value: Any, wire: Any) -> None:
    """And plain Python on the wire."""
    made = kind.wire(value, "x")
    assert made == wire
    assert type(made) is type(wire)


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_what_they_do_not_look_like_is_refused(kind: ParameterKind, value: Any) -> None:
    """A fraction is no id, a time of day no date, an empty cell no value."""
    with pytest.raises(UsageError, match=r"^x"):
        kind.wire(value, "x")


@pytest.mark.parametrize("value", EMPTY_CELLS, ids=repr)
def test_an_empty_cell_gives_no_field(value: Any) -> None:
    """It is left out, not sent as null, which would clear what is there; a field that is needed is missing then."""
    assert check_fields({"notes": value, "title": "t"}, {"notes": TEXT, "title": TEXT}) == {"title": "t"}
    assert check_fields({"notes": None}, {"notes": TEXT}) == {"notes": None}
    assert plain(value) is EMPTY


@given(st.integers(0, 2**53))
def test_a_whole_float_is_its_number(number: int) -> None:
    """As far as a float tells whole numbers apart."""
    assert check_id(float(number)) == str(number)


@given(st.none() | st.booleans() | st.integers() | st.text() | st.datetimes() | st.dates() | st.lists(st.floats()))
def test_plain_values_stay_as_they_are(value: Any) -> None:
    """The same objects."""
    assert plain(value) is value


def test_a_timestamp_keeps_its_zone_and_time() -> None:
    """Only a day without either is a date."""
    assert plain(pd.Timestamp("2026-02-28", tz="UTC")) == datetime(2026, 2, 28, tzinfo=UTC)
    assert plain(pd.Timestamp("2026-02-28 00:00:01")) == datetime(2026, 2, 28, 0, 0, 1)
    assert plain(pd.Timestamp("2026-02-28")) == date(2026, 2, 28)


async def test_rows_of_a_data_frame(kantata_sandbox: Sandbox, kantata: KantataSession) -> None:
    """Columns with gaps have turned whole numbers into floats; gaps are left to the API's defaults."""
    frame = pd.DataFrame(
        {
            "workspace_id": np.array([1, 1], dtype="int64"),
            "date_performed": pd.to_datetime(["2026-08-25", "2026-08-26"]),
            "time_in_minutes": [30.0, 45.0],
            "rate_in_cents": [12000, np.nan],
            "billable": pd.array([True, pd.NA], dtype="boolean"),
            "notes": ["first", None],
        }
    )
    result = await kantata.time_entries.create_many(frame.to_dict("records"))
    assert [outcome.status for outcome in result] == ["created", "created"]
    entries = [kantata_sandbox.store.get("time_entries", outcome.entity.id) for outcome in result if outcome.entity]
    assert [(entry["date_performed"], entry["time_in_minutes"]) for entry in entries if entry] == [
        ("2026-08-25", 30),
        ("2026-08-26", 45),
    ]
    changed = await kantata.time_entries.update_many(
        [{"id": float(outcome.entity.id), "notes": np.str_("n")} for outcome in result if outcome.entity]
    )
    assert len(changed.updated) == 2


@pytest.mark.parametrize(
    ("frame", "instead"),
    [
        (pd.DataFrame({"workspace_id": [1]}), r"frame.to_dict\('records'\)"),
        (pl.DataFrame({"workspace_id": [1]}), r"frame.to_dicts\(\)"),
        (pa.table({"workspace_id": [1]}), r"table.to_pylist\(\)"),
    ],
    ids=["pandas", "polars", "pyarrow"],
)
async def test_a_frame_is_not_rows(frame: Any, instead: str) -> None:
    """Iterating it gives columns: whatever takes rows says what gives the rows of this kind of frame."""
    async with KantataSession(token="x") as session:
        with pytest.raises(UsageError, match=f"a data frame is not rows: give {instead}$"):
            await session.participations.create_many(frame)
        with pytest.raises(UsageError, match=instead):
            await session.participations.update_many(frame)
    with pytest.raises(UsageError, match=instead):
        Roster.from_rows(frame)
