"""Which created object came from which row, by content: the answer lists the objects in its own order."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kantata_async import Entity
from kantata_async.bulk.as_sent import objects_as_sent
from kantata_async.bulk.matching import match_rows, objects_by_exclusion, order_of_making
from kantata_async.entities import Participation, Story, TimeEntry

Row = dict[str, Any]


def story(id: int, **attributes: Any) -> Story:
    """A story as the answer to its creation carries it."""
    return Story.from_dict({"id": id, **attributes})


def matched(rows: list[Row], entities: list[Any]) -> list[str | None]:
    """The ids of the entities of the rows."""
    return [None if one is None else one.id for one in match_rows(rows, entities)]


CASES: Final[list[tuple[str, list[Row], list[Entity], list[str | None]]]] = [
    ("nothing", [], [], []),
    ("no answer", [{"title": "a"}], [], [None]),
    ("as sent", [{"title": "a"}, {"title": "b"}], [story(1, title="a"), story(2, title="b")], ["1", "2"]),
    ("turned round", [{"title": "a"}, {"title": "b"}], [story(2, title="a"), story(1, title="b")], ["2", "1"]),
    (
        "equal rows get the older object first",
        [{"title": "a"}, {"title": "a"}, {"title": "a"}],
        [story(10, title="a"), story(9, title="a"), story(11, title="a")],
        ["9", "10", "11"],
    ),
    (
        "one object is missing",
        [{"title": "a"}, {"title": "b"}, {"title": "c"}],
        [story(1, title="c"), story(2, title="a")],
        ["2", None, "1"],
    ),
    (
        "one of equal ones is missing",
        [{"title": "a"}, {"title": "a"}],
        [story(1, title="a")],
        ["1", None],
    ),
    (
        "ids are numbers here and text there",
        [{"workspace_id": 7, "title": "a"}, {"workspace_id": 8, "title": "a"}],
        [story(1, workspace_id="8", title="a"), story(2, workspace_id="7", title="a")],
        ["2", "1"],
    ),
    (
        "long ids differ in their last digit",
        [{"workspace_id": 1234567890123456}, {"workspace_id": 1234567890123457}],
        [story(1, workspace_id="1234567890123457"), story(2, workspace_id="1234567890123456")],
        ["2", "1"],
    ),
    (
        "a field that the server changed everywhere tells nothing",
        [{"title": "a", "state": "x"}, {"title": "b", "state": "y"}],
        [story(1, title="b", state="not started"), story(2, title="a", state="not started")],
        ["2", "1"],
    ),
    (
        "a field that the server changed in one tells nothing",
        [{"title": "a", "weight": 1}, {"title": "b", "weight": 2}],
        [story(1, title="B", weight=2), story(2, title="a", weight=1)],
        ["2", "1"],
    ),
    (
        "spaces are trimmed by the server",
        [{"title": " a"}, {"title": "b "}],
        [story(1, title="b"), story(2, title="a")],
        ["2", "1"],
    ),
    (
        "lists of ids",
        [{"title": "a", "assignee_ids": [1, 2]}, {"title": "a", "assignee_ids": [3]}],
        [story(1, title="a", assignee_ids=["3"]), story(2, title="a", assignee_ids=["1", "2"])],
        ["2", "1"],
    ),
    (
        "null, false and zero are three things",
        [{"title": "a", "weight": 0}, {"title": "a", "weight": None}, {"title": "a", "weight": False}],
        [story(1, title="a", weight=None), story(2, title="a", weight=False), story(3, title="a", weight=0)],
        ["3", "1", "2"],
    ),
    (
        "whole numbers and fractions",
        [{"title": "a", "weight": 1}, {"title": "a", "weight": 1.5}],
        [story(1, title="a", weight=1.5), story(2, title="a", weight=1.0)],
        ["2", "1"],
    ),
    (
        "one is missing, and somebody else's is there",
        [{"title": "a", "weight": 1}, {"title": "b", "weight": 1}, {"title": "c", "weight": 1}],
        [story(4, title="c", weight=1), story(2, title="z", weight=1), story(3, title="a", weight=1)],
        ["3", None, "4"],
    ),
    (
        "what tells them apart is withheld from one",
        [{"title": "a"}, {"title": "b"}, {"title": "c"}],
        [story(1, title="a"), story(2), story(3, title="c")],
        ["1", None, "3"],
    ),
    (
        "what tells them apart is withheld from all",
        [{"title": "a", "weight": 1}, {"title": "b", "weight": 1}],
        [story(1, weight=1), story(2, weight=1)],
        [None, None],
    ),
    (
        "more objects than equal rows: one is not of them, nobody knows which",
        [{"title": "a"}, {"title": "b"}],
        [story(1, title="a"), story(2, title="a"), story(3, title="b")],
        [None, "3"],
    ),
    (
        "rounded by the server, and told apart by its title",
        [{"title": "a", "weight": 11}, {"title": "b", "weight": 20}, {"title": "c", "weight": 20}],
        [story(1, title="a", weight=15), story(2, title="b", weight=20), story(3, title="c", weight=20)],
        ["1", "2", "3"],
    ),
    (
        "points in time with another offset",
        [{"title": "a", "start": "2026-01-05T10:00:00+02:00"}, {"title": "a", "start": "2026-01-05T11:00:00+02:00"}],
        [story(1, title="a", start="2026-01-05T09:00:00Z"), story(2, title="a", start="2026-01-05T00:00:00-08:00")],
        ["2", "1"],
    ),
    (
        "what the answer does not carry tells nothing",
        [{"title": "a", "custom_fields": [{"custom_field_id": 1, "value": "x"}]}, {"title": "b"}],
        [story(1, title="b"), story(2, title="a")],
        ["2", "1"],
    ),
]


@pytest.mark.parametrize(("rows", "entities", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_rows_find_their_objects(rows: list[Row], entities: list[Any], wanted: list[str | None]) -> None:
    """In the order of the rows, and whatever the order of the answer."""
    assert matched(rows, entities) == wanted
    assert matched(rows, entities[::-1]) == wanted


def test_a_row_never_gets_an_object_that_contradicts_it() -> None:
    """Of two rows one was made, and its fields say which: the other row must not be told that it was."""
    rows = [{"title": "a", "due_date": "2026-01-05"}, {"title": "a"}]
    made = [story(1, title="a", due_date=None)]
    assert matched(rows, made) == [None, "1"]


def test_rows_that_give_different_fields_are_told_apart_by_them() -> None:
    """A field that one row gives and the other leaves out belongs to the one."""
    rows = [{"title": "a"}, {"title": "a", "description": "long"}]
    made = [story(1, title="a", description="long"), story(2, title="a", description=None)]
    assert matched(rows, made) == ["2", "1"]


def test_an_object_of_other_content_is_nobodys() -> None:
    """Fewer objects than rows, and none that is like any: nobody knows whose it is."""
    rows = [{"title": "a"}, {"title": "b"}]
    assert matched(rows, [story(1, title="z")]) == [None, None]


rows_of_participations = st.lists(
    st.fixed_dictionaries(
        {
            "workspace_id": st.integers(1, 3),
            "user_id": st.integers(1, 4) | st.just(None),
            "role": st.sampled_from(["maven", "buyer"]),
        }
    ),
    max_size=12,
)


def participation(id: int, row: Row) -> Participation:
    """What the server makes of a row: ids as text."""
    return Participation.from_dict({"id": id, **{k: str(v) if isinstance(v, int) else v for k, v in row.items()}})


@given(rows_of_participations, st.randoms(use_true_random=False))
def test_any_order_of_the_answer_gives_the_same(rows: list[Row], random: Any) -> None:
    """Every row its own object, equal rows in the order in which their objects were made."""
    made = [participation(number, row) for number, row in enumerate(rows, start=95)]
    shuffled = random.sample(made, len(made))
    assert match_rows(rows, shuffled) == made


@given(rows_of_participations, st.data())
def test_whatever_the_ids_every_row_gets_an_object_like_it(rows: list[Row], data: st.DataObject) -> None:
    """The server may make them in any order: content decides, and no object is given twice."""
    numbers = data.draw(st.permutations(range(len(rows))))
    made = [participation(number, row) for number, row in zip(numbers, rows, strict=True)]
    found = match_rows(rows, made)
    assert sorted(one.id for one in found if one is not None) == sorted(one.id for one in made)
    for row, one in zip(rows, found, strict=True):
        assert one is not None
        assert one.to_dict() == participation(int(one.id), row).to_dict()


@given(rows_of_participations, st.data())
def test_rows_whose_object_is_missing_get_none(rows: list[Row], data: st.DataObject) -> None:
    """And no row gets an object of another content."""
    made = [participation(number, row) for number, row in enumerate(rows)]
    kept = data.draw(st.lists(st.sampled_from(made), unique=True)) if made else []
    found = match_rows(rows, kept)
    given = [one for one in found if one is not None]
    assert sorted(one.id for one in given) == sorted(one.id for one in kept)
    for row, one in zip(rows, found, strict=True):
        assert one is None or one.to_dict() == participation(int(one.id), row).to_dict()


row_values = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
rows_of_entries = st.lists(
    st.dictionaries(st.sampled_from(["notes", "rate_in_cents", "billable", "story_id"]), row_values), max_size=5
)


@given(rows_of_entries, st.lists(st.integers(0, 99), max_size=5, unique=True))
def test_any_rows_and_objects_are_matched_or_not(rows: list[Row], ids: list[int]) -> None:
    """Without an error, one answer a row, and no object twice."""
    made = [TimeEntry.from_dict({"id": id, **(rows[id % len(rows)] if rows else {})}) for id in ids]
    found = match_rows(rows, made)
    assert len(found) == len(rows)
    given = [one for one in found if one is not None]
    assert len(given) == len(set(given)) <= len(made)


FIELDS: Final = ("title", "weight", "state")


class RandomServer:
    """Makes objects of rows and answers them badly: drops, adds, reorders, withholds and changes."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.makers: dict[str, int | None] = {}
        """Which row each object was made of; None for somebody else's."""

    def answer(self, rows: list[Row]) -> list[Any]:
        """What it answers."""
        changed = self._chance.sample(FIELDS, self._chance.randrange(3))
        strangers = [None] * self._chance.choice([0, 0, 1, 2])
        made = [
            self._made(number, None if position is None else rows[position], changed)
            for number, position in enumerate([*range(len(rows)), *strangers])
        ]
        self.makers = {str(number): number if number < len(rows) else None for number in range(len(made))}
        self._chance.shuffle(made)
        return made[: self._chance.randint(0, len(made))] if self._chance.random() < 0.7 else made

    def _made(self, number: int, row: Row | None, changed: list[str]) -> Story:
        shown: Row = {"title": f"theirs {number}", "weight": 50 + number, "state": "x"}
        if row is not None:
            shown = {"title": "untitled", "weight": 77, "state": "started", **row}
            shown |= {
                field: f"server's {self._chance.randrange(3)}" for field in changed if self._chance.random() < 0.5
            }
        return story(number, **{name: value for name, value in shown.items() if self._chance.random() < 0.9})


rows_with_gaps = st.lists(
    st.fixed_dictionaries(
        {"title": st.sampled_from("abcdef")},
        optional={"weight": st.integers(1, 4), "state": st.sampled_from(["p", "q"])},
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=400)
@given(rows_with_gaps, st.randoms(use_true_random=True))
def test_no_row_is_given_what_was_made_of_another(rows: list[Row], chance: Random) -> None:
    """Whatever a server drops, adds, reorders, withholds or changes; rows that are equal may share theirs out."""
    server = RandomServer(chance)
    found = match_rows(rows, server.answer(rows))
    given = [one.id for one in found if one is not None]
    assert len(given) == len(set(given))
    for row, one in zip(rows, found, strict=True):
        maker = None if one is None else server.makers[one.id]
        assert maker is None or rows[maker] == row


@settings(max_examples=400)
@given(rows_with_gaps, st.sampled_from([(), ("title",), ("weight",)]), st.randoms(use_true_random=True))
def test_a_look_up_tells_nothing_that_exclusion_does_not(rows: list[Row], names: Any, chance: Random) -> None:
    """Where an answer shows the rows as they were sent, the quick way and the careful one agree."""
    entities = sorted(RandomServer(chance).answer(rows), key=order_of_making)
    found = objects_as_sent(rows, entities, frozenset(names))
    assert found is None or found == objects_by_exclusion(rows, entities, frozenset(names))


AS_SENT: Final[list[tuple[str, list[Row], list[Entity], list[str] | None]]] = [
    (
        "each row its own value",
        [{"title": "a"}, {"title": "b"}],
        [story(1, title="b"), story(2, title="a")],
        ["2", "1"],
    ),
    ("equal rows", [{"title": "a"}, {"title": "a"}], [story(1, title="a"), story(2, title="a")], ["1", "2"]),
    ("one is missing", [{"title": "a"}, {"title": "b"}], [story(1, title="b")], None),
    ("one is another's", [{"title": "a"}, {"title": "b"}], [story(1, title="b"), story(2, title="c")], None),
    (
        "a field that the server changed everywhere",
        [{"title": "a", "state": "x"}, {"title": "b", "state": "y"}],
        [story(1, title="b", state="z"), story(2, title="a", state="z")],
        ["2", "1"],
    ),
    (
        "a field that is never shown, in rows that differ",
        [{"title": "a", "notify": True}, {"title": "b", "notify": False}],
        [story(1, title="b"), story(2, title="a")],
        ["2", "1"],
    ),
    (
        "a field that is never shown, where only it differs",
        [{"title": "a", "notify": True}, {"title": "a", "notify": False}],
        [story(1, title="a"), story(2, title="a")],
        None,
    ),
    (
        "a field that some rows leave out",
        [{"title": "a", "weight": 1}, {"title": "b"}],
        [story(1, title="b", weight=3), story(2, title="a", weight=1)],
        ["2", "1"],
    ),
    (
        "a field that some rows leave out, changed",
        [{"title": "a", "weight": 1}, {"title": "b"}],
        [story(1, title="b", weight=1), story(2, title="a", weight=3)],
        None,
    ),
    (
        "a value of an empty field may be what the server made of one left out",
        [{"title": "", "weight": 1}, {"title": "b"}],
        [story(1, title="b"), story(2, title="", weight=1)],
        None,
    ),
]


@pytest.mark.parametrize(("rows", "entities", "wanted"), [case[1:] for case in AS_SENT], ids=[c[0] for c in AS_SENT])
def test_a_look_up_is_enough(rows: list[Row], entities: list[Any], wanted: list[str] | None) -> None:
    """For answers that show the rows as they were sent; None for all others."""
    found = objects_as_sent(rows, entities, frozenset())
    assert (None if found is None else [one.id for one in found]) == wanted


@settings(max_examples=200)
@given(rows_of_participations, st.data())
def test_what_identifies_an_object_is_never_overlooked(rows: list[Row], data: st.DataObject) -> None:
    """An object that shows another person or another project is another row's, whatever else agrees."""
    made = [participation(number, row) for number, row in enumerate(rows)]
    made += [participation(90 + number, {**row, "user_id": 5 + number}) for number, row in enumerate(rows)]
    kept = data.draw(st.lists(st.sampled_from(made), unique=True)) if made else []
    found = match_rows(rows, kept, ("workspace_id", "user_id"))
    for row, one in zip(rows, found, strict=True):
        person = None if row["user_id"] is None else str(row["user_id"])
        assert one is None or (one.workspace_id, one.user_id) == (str(row["workspace_id"]), person)
