"""What each kind of parameter takes, what it becomes, and what it refuses before anything is sent."""

from __future__ import annotations

import enum
import io
import json
import math
from collections import UserList, deque
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantata_async import UsageError
from kantata_async.calls.parameters import (
    BOOLEAN,
    DAY,
    FILE,
    ID,
    ID_TEXTS,
    IDS,
    INSTANT,
    INTEGER,
    NUMBER,
    TEXT,
    TEXTS,
    Array,
    Choice,
    Choices,
    Keyed,
    Needed,
    Object,
    ParameterKind,
    check_fields,
    check_id,
    did_you_mean,
    query_text,
)


class Role(str, enum.Enum):  # noqa: UP042 - the older form, whose str() is not its value
    """Texts with names, as programs write them."""

    MAVEN = "maven"


class Level(int, enum.Enum):
    """Numbers with names."""

    TOP = 7


class Colour(enum.Enum):
    """Names for what is no text or number."""

    RED = "red"


class Nowhere(tzinfo):
    """A time zone that does not know its offset."""

    def utcoffset(self, _: datetime | None) -> None:
        return None


HOSTILE_IDS: Final[list[Any]] = [
    "",
    " ",
    "1 ",
    " 1",
    "../users/1",
    "..",
    ".",
    "1/2",
    "1?x=1",
    "1#x",
    "1&x=1",
    "1;x",
    "1%2F2",
    "1,2",
    "1\r\nX: y",
    "1\n",
    "1\x00",
    "1\t",
    "\u0664\u0662",
    "\u00b2",
    "\uff14\uff12",
    "é",
    "\ud800",
    ":",
    "1:",
    ":1",
    "1::2",
    "1" * 256,
    "1" * 5000,
    10**5000,
    2**64,
    -1,
    -(10**5000),
    True,
    False,
    None,
    1.5,
    math.nan,
    b"1",
    [1],
    (1,),
    {"id": 1},
    object(),
    Decimal(1),
    Colour.RED,
]

TAKES: Final[list[tuple[str, ParameterKind, Any, Any]]] = [
    ("text", TEXT, "maven", "maven"),
    ("empty text", TEXT, "", ""),
    ("any text", TEXT, "é\n\u0664 \U0001f600", "é\n\u0664 \U0001f600"),
    ("named text", TEXT, Role.MAVEN, "maven"),
    ("texts", TEXTS, ["a", "b"], "a,b"),
    ("texts as text", TEXTS, "a,b", "a,b"),
    ("named texts", TEXTS, [Role.MAVEN, "buyer"], "maven,buyer"),
    ("one in a set", TEXTS, {"a"}, "a"),
    ("ids as texts", ID_TEXTS, (1, "2"), "1,2"),
    ("ids in a text", ID_TEXTS, "1,2", "1,2"),
    ("named ids", ID_TEXTS, [Role.MAVEN, Level.TOP], "maven,7"),
    ("integer", INTEGER, 7, 7),
    ("negative", INTEGER, -7, -7),
    ("zero", INTEGER, 0, 0),
    ("largest", INTEGER, 2**63 - 1, 2**63 - 1),
    ("named integer", INTEGER, Level.TOP, 7),
    ("number", NUMBER, 1.5, 1.5),
    ("whole number", NUMBER, 2, 2),
    ("decimal", NUMBER, Decimal("1.25"), 1.25),
    ("true", BOOLEAN, True, True),
    ("false", BOOLEAN, False, False),
    ("day", DAY, date(2026, 1, 5), "2026-01-05"),
    ("day as text", DAY, "2026-01-05", "2026-01-05"),
    ("instant", INSTANT, datetime(2026, 1, 5, 10, tzinfo=UTC), "2026-01-05T10:00:00+00:00"),
    (
        "instant elsewhere",
        INSTANT,
        datetime(2026, 1, 5, 10, tzinfo=timezone(timedelta(hours=-8))),
        "2026-01-05T10:00:00-08:00",
    ),
    ("instant as text", INSTANT, "2026-01-05T10:00:00Z", "2026-01-05T10:00:00+00:00"),
    ("id", ID, 42, 42),
    ("id as text", ID, "42", 42),
    ("zero id", ID, "0", 0),
    ("id with a leading zero", ID, "042", "042"),
    ("composite id", ID, "42:percent_complete", "42:percent_complete"),
    ("id beyond 64 bits", ID, "9" * 30, "9" * 30),
    ("named id", ID, Level.TOP, 7),
    ("ids", IDS, [1, "2", "3:x"], [1, 2, "3:x"]),
    ("no ids", IDS, [], []),
    ("ids in a tuple", IDS, (1,), [1]),
    ("ids in a range", IDS, range(3), [0, 1, 2]),
    ("ids in a queue", IDS, deque([1]), [1]),
    ("ids in a list of one's own", IDS, UserList([1]), [1]),
    ("ids in a set", IDS, frozenset({1}), [1]),
    ("choice", Choice(("low", "high")), "high", "high"),
    ("named choice", Choice(("maven", "buyer")), Role.MAVEN, "maven"),
    ("choice of numbers", Choice((0, 1, 2)), 2, 2),
    ("named number", Choice((0, 7)), Level.TOP, 7),
    ("one of several choices", Choices(("low", "high")), "high", "high"),
    ("several choices", Choices(("low", "high")), ["high", "low"], "high,low"),
    ("several choices as text", Choices(("low", "high")), "high,low", "high,low"),
    ("named choices", Choices(("maven", "buyer")), [Role.MAVEN], "maven"),
    ("no choices", Choices(("low", "high")), [], ""),
    ("lists of lists", Array(Array(INTEGER)), [[1], []], [[1], []]),
    ("keyed", Keyed(INTEGER), {"EUR": 1}, {"EUR": 1}),
    ("object", Object({"a": INTEGER, "b": TEXT}), {"a": 1}, {"a": 1}),
    ("object of another type", Object({"a": INTEGER}), MappingProxyType({"a": 1}), {"a": 1}),
    ("needed", Needed(INTEGER), 1, 1),
    ("null part", Object({"a": INTEGER}), {"a": None}, {"a": None}),
]

REFUSES: Final[list[tuple[ParameterKind, str, list[Any]]]] = [
    (TEXT, "text", [None, 7, True, b"x", ["x"], Colour.RED, "\ud800", date(2026, 1, 5)]),
    (
        TEXTS,
        "text, or a list",
        [None, 7, True, b"x", bytearray(b"x"), {"a": 1}, [True], [None], [1.5], ["a,b"], [["a"]]],
    ),
    (TEXTS, "text, or a list", [["\ud800"], "\ud800", [10**5000], iter(["a"]), (x for x in "a"), [b"a"]]),
    (TEXTS, "text, or a list of texts", [[1], ["edit", 2], (Level.TOP,)]),
    (ID_TEXTS, "text, or a list of ids", [None, 7, True, [True], [None], [1.5], ["1,2"], [10**5000], "\ud800"]),
    (
        INTEGER,
        "a whole number",
        [None, True, False, 1.5, 2.0**53 + 2, "7", "x", Decimal(7), Fraction(7), 2**64, 10**5000, [7]],
    ),
    (
        NUMBER,
        "a finite number",
        [
            None,
            True,
            "1.5",
            math.nan,
            math.inf,
            -math.inf,
            10**400,
            2**64,
            Fraction(1, 2),
            1j,
            Decimal("NaN"),
            Decimal("sNaN"),
            Decimal("Infinity"),
        ],
    ),
    (BOOLEAN, "True or False", [None, 0, 1, "true", "yes", "", [], 1.0]),
    (DAY, "a date", [None, "", "soon", "2026-02-30", "05.01.2026", 20260105, True, [], "2026-01-05T10:00:00Z"]),
    (DAY, "a date", [datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 5)]),
    (INSTANT, "a datetime with a time zone", [datetime(2026, 1, 5), date(2026, 1, 5), None, 1767600000, True]),
    (INSTANT, "a datetime with a time zone", ["", "soon", "2026-01-05", "2026-01-05T10:00:00", "2026-13-01T00:00:00Z"]),
    (INSTANT, "a datetime with a time zone", [datetime(2026, 1, 5, tzinfo=Nowhere()), timedelta(1), []]),
    (ID, "an id such as 42", HOSTILE_IDS),
    (IDS, "a list", [None, 7, "12", b"12", bytearray(b"12"), memoryview(b"12"), {"a": 1}, iter([1]), {1: 2}.keys()]),
    (Choice(("low", "high")), "does not take", [None, "", "Low", 1, True, ["low"], ("low",), {"low"}]),
    (Choice((0, 1)), "does not take", [None, True, False, 1.5, "1", 2, -1, 10**5000, [1]]),
    (Choices(("low", "high")), "does not take", ["", "Low", "low,hgh", "low, high", ["low", "hihg"], ",", "low,"]),
    (Choices(("low", "high")), "does not take", [[1], [None], [True], ["low,high"], [["low"]]]),
    (Choices(("low", "high")), "takes text", [None, 1, True, b"low"]),
    (Keyed(INTEGER), "a mapping", [None, [], "x", [("EUR", 1)], {1: 1}, {None: 1}]),
    (Object({"a": INTEGER}), "a mapping", [None, [], "a", [("a", 1)], {"a"}, 7]),
    (Needed(INTEGER), "a whole number", [None, True, "7"]),
    (
        FILE,
        "a path",
        [None, "name.csv", b"content", 7, ("a", "b"), (b"a", b"b"), ("a", b"b", "c"), ["a", b"b"], ("a",)],
    ),
    (FILE, "binary mode", [io.StringIO("text")]),
]


@pytest.mark.parametrize(("kind", "value", "wire"), [row[1:] for row in TAKES], ids=[f"{row[0]}" for row in TAKES])
def test_a_kind_takes(kind: ParameterKind, value: Any, wire: Any) -> None:
    """And gives plain JSON of the exact types."""
    got = kind.wire(value, "x")
    assert got == wire
    assert json.dumps(got) == json.dumps(wire)
    assert type(got) is type(wire)


@pytest.mark.parametrize(
    ("kind", "expects", "value"),
    [(kind, expects, value) for kind, expects, values in REFUSES for value in values],
    ids=[f"{row}-{number}" for row, (_, _, values) in enumerate(REFUSES) for number in range(len(values))],
)
def test_a_kind_refuses(kind: ParameterKind, expects: str, value: Any) -> None:
    """Naming the parameter and what it takes, in a line that can be read."""
    with pytest.raises(UsageError, match=f"^colour.*{expects}") as caught:
        kind.wire(value, "colour")
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", HOSTILE_IDS, ids=range(len(HOSTILE_IDS)))
def test_a_hostile_id_is_refused(value: Any) -> None:
    """It could leave its place in the path or the query."""
    with pytest.raises(UsageError, match=r"^user_id takes an id such as 42"):
        check_id(value, "user_id")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (42, "42"),
        (0, "0"),
        ("42", "42"),
        ("42:percent_complete", "42:percent_complete"),
        ("a-b_C", "a-b_C"),
        (2**63 - 1, str(2**63 - 1)),
        ("1" * 255, "1" * 255),
        (Level.TOP, "7"),
        (Role.MAVEN, "maven"),
    ],
)
def test_an_id_is_text(value: Any, text: str) -> None:
    """Of the exact type: no member of an enumeration slips into a path by its name."""
    got = check_id(value)
    assert got == text
    assert type(got) is str
    assert f"/users/{got}" == f"/users/{text}"


@given(st.text() | st.integers() | st.booleans() | st.floats() | st.none() | st.binary())
def test_an_id_stays_in_its_place_or_is_refused(value: Any) -> None:
    """Whatever is given: letters, digits, `-`, `_` and `:` alone, and never empty."""
    try:
        text = check_id(value)
    except UsageError:
        return
    assert text
    assert set(text) <= set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_:")


ANYTHING: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=6,
)
KINDS: Final = [TEXT, TEXTS, INTEGER, NUMBER, BOOLEAN, DAY, INSTANT, ID, IDS, Array(TEXT), Keyed(NUMBER)]


@given(st.sampled_from([*KINDS, Object({"a": TEXT, "b": Needed(IDS)}), Choice(("a", "b"))]), ANYTHING)
def test_a_kind_gives_json_or_refuses(kind: ParameterKind, value: Any) -> None:
    """With UsageError and nothing else."""
    try:
        wire = kind.wire(value, "x")
    except UsageError:
        return
    assert json.loads(json.dumps(wire, allow_nan=False)) == wire


def test_a_list_says_which_of_its_values_is_wrong() -> None:
    """By position, also of a part of an object in a list."""
    with pytest.raises(UsageError, match=r"^ids\[1\] takes an id"):
        IDS.wire([1, ""], "ids")
    with pytest.raises(UsageError, match=r"^rows\[1\]\.a\[0\] takes a whole number"):
        Array(Object({"a": Array(INTEGER)})).wire([{"a": [1]}, {"a": ["x"]}], "rows")
    with pytest.raises(UsageError, match=r"^rates\['EUR'\] takes a whole number"):
        Keyed(INTEGER).wire({"EUR": "1"}, "rates")


def test_a_wrong_choice_is_told_the_nearest_right_one() -> None:
    """Whatever its case; all of them where none is near."""
    for kind in (Choice(("maven", "buyer")), Choices(("maven", "buyer"))):
        for wrong in ("mavn", "Maven"):
            with pytest.raises(UsageError, match=f"^role does not take '{wrong}'; did you mean 'maven'"):
                kind.wire(wrong, "role")
    with pytest.raises(UsageError, match=r"^archived does not take 'yes'; there are exclude, include, only$"):
        Choice(("only", "exclude", "include")).wire("yes", "archived")
    with pytest.raises(UsageError, match=r"^kind does not take 3; there are 0, 1, 2$"):
        Choice((0, 1, 2)).wire(3, "kind")


def test_a_list_may_have_a_limit() -> None:
    """A bulk delete takes so many ids and no more, and none at all would be everything."""
    kind = Array(ID, most=2)
    assert kind.wire([1, 2], "ids") == [1, 2]
    for ids in ([], [1, 2, 3]):
        with pytest.raises(UsageError, match=f"ids takes 1 to 2 values, not {len(ids)}"):
            kind.wire(ids, "ids")


FIELDS: Final = {"title": Needed(TEXT), "due_date": DAY, "size": Object({"width": Needed(INTEGER), "unit": TEXT})}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"title": "x", "due_dat": None}, "^due_dat is not a field here; did you mean 'due_date'"),
        ({"title": "x", "zzz": 1}, "^zzz is not a field here; there are due_date, size, title"),
        ({"title": "x", 7: 1}, "^7 is not a field here"),
        ({"due_date": "2026-01-05"}, "^the call needs title"),
        ({"title": None}, "^title takes text, not None"),
        ({"title": "x", "size": {"unit": "cm"}}, "^size needs width"),
        ({"title": "x", "size": {"width": None}}, "^size.width takes a whole number"),
        ({"title": "x", "size": {"width": 1, "untt": "cm"}}, "^size.untt is not a field here; did you mean 'unit'"),
        ({"title": "x", "size": [1]}, "^size takes a mapping"),
        ({"title": "x", "due_date": "soon"}, "^due_date takes a date"),
    ],
)
def test_fields_are_refused(given: dict[Any, Any], says: str) -> None:
    """By their path, with the nearest name that there is."""
    with pytest.raises(UsageError, match=says):
        check_fields(given, FIELDS)


def test_fields_are_taken() -> None:
    """None clears one that is not needed, and what is not given is not sent."""
    given = {"title": "x", "due_date": None, "size": {"width": 3}}
    assert check_fields(given, FIELDS) == given
    assert check_fields({}, {}) == {}
    with pytest.raises(UsageError, match=r"^row 3 needs title$"):
        check_fields({}, FIELDS, "row 3")
    with pytest.raises(UsageError, match=r"^row 3\.title takes text"):
        check_fields({"title": 1}, FIELDS, "row 3")


def test_a_file_is_taken_in_three_forms(tmp_path: Path) -> None:
    """It is read when the request is made."""
    path = tmp_path / "report.csv"
    path.write_bytes(b"1,2")
    assert FILE.wire(path, "file") is path
    with path.open("rb") as opened:
        assert FILE.wire(opened, "file") is opened
    assert FILE.wire(("report.csv", b"1,2"), "file") == ("report.csv", b"1,2")
    content = io.BytesIO(b"1,2")
    assert FILE.wire(content, "file") is content


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("usr", ["user", "workspace"], "; did you mean 'user'?"),
        ("zzzz", ["user", "role"], "; there are role, user"),
        ("x", [], ""),
        ("", ["user"], "; there are user"),
        ("users", ["Estimate", "User", "Workspace"], "; did you mean 'User'?"),
        ("MAVEN", ["buyer", "maven"], "; did you mean 'maven'?"),
    ],
)
def test_the_nearest_name_is_offered(name: str, known: list[str], hint: str) -> None:
    """Or all of them, where none is near."""
    assert did_you_mean(name, known) == hint


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (7, "7"), (1.5, "1.5"), ("a b", "a b"), ([1, "2", True], "1,2,true"), ([], "")],
)
def test_a_value_in_a_query(value: Any, text: str) -> None:
    """As Rails reads it."""
    assert query_text(value) == text
