"""Rosters: every line with its number, bad ones told, and files that cannot be trusted refused as a whole."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kantata_async import UsageError
from kantata_async.provision import Line, Problem, Roster
from kantata_async.provision.sheets import Name

HEADER = "project,person,role,access_level,permissions,team_lead,bill_rate,cost_rate,project_role\n"


def csv(folder: Path, text: str | bytes) -> Roster:
    path = folder / "roster.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Roster.from_csv(path)


def test_a_full_line(tmp_path: Path) -> None:
    """Every column is read as what it means."""
    roster = csv(tmp_path, HEADER + '7,ann@x.example,Buyer,admin,"edit, can_post",yes,120.50,80,Architect\n')
    assert roster.problems == ()
    assert roster.lines == (
        Line(
            number=2,
            project=Name("id", "7"),
            person=Name("email", "ann@x.example"),
            role="buyer",
            access_level="admin",
            permissions=("edit", "can_post"),
            team_lead=True,
            bill_rate=Decimal("120.50"),
            cost_rate=Decimal(80),
            project_role="Architect",
        ),
    )


def test_empty_cells_leave_what_there_is(tmp_path: Path) -> None:
    """An empty cell is not a value."""
    assert csv(tmp_path, HEADER + "7,9,,, ,,,,\n").lines == (
        Line(number=2, project=Name("id", "7"), person=Name("id", "9")),
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("7", Name("id", "7")),
        ("Data Platform", Name("title", "Data Platform")),
        ("Juniper Hotels: Data Platform", Name("title", "Juniper Hotels: Data Platform")),
        ("title:2027", Name("title", "2027")),
        ("id: 7", Name("id", "7")),
        ("ref:salesforce:Opportunity:006x:1", Name("reference", "salesforce:Opportunity:006x:1")),
    ],
)
def test_how_a_project_is_named(text: str, name: Name) -> None:
    """Ids, titles and external references, and a way to say which where it could be taken for another."""
    assert Roster.from_rows([{"project": text, "person": 9}]).lines[0].project == name


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"project": "7"}, "the person is missing"),
        ({"project": "", "person": None}, "the project is missing; the person is missing"),
        ({"project": "id:x", "person": "9"}, "project: an id is digits, not 'x'"),
        (
            {"project": "ref:a:b", "person": "9"},
            "project: an external reference is ref:service:model:ref, not 'ref:a:b'",
        ),
        ({"project": "7", "person": "Ann"}, "person: a person is an id or an e-mail address, not 'Ann'"),
        ({"project": "7", "person": "9", "role": "mavn"}, "role: there is no 'mavn'; did you mean 'maven'?"),
        ({"project": "7", "person": "9", "team_lead": "x"}, "team_lead: yes or no, not 'x'"),
        (
            {"project": "7", "person": "9", "bill_rate": "1,200"},
            "bill_rate: a rate is an amount such as 120 or 120.50,",
        ),
        ({"project": "7", "person": "9", "cost_rate": "-5"}, "cost_rate: a rate is an amount"),
        ({"project": "7", "person": "9", "cost_rate": "NaN"}, "cost_rate: a rate is an amount"),
        ({"project": "7", "person": "9", "bill_rate": "٣"}, "bill_rate: a rate is an amount"),
        (
            {"project": "7", "person": "9", "permissions": ["can_edt"]},
            "there is no 'can_edt'; did you mean 'can_edit'?",
        ),
        ({"project": "7", "person": "9", "access_level": "edit_task"}, "did you mean 'edit_tasks'?"),
        ({"project": "7", "persn": "9"}, "there is no column 'persn'; did you mean 'person'?"),
        ("7,9", "it is str, not an object"),
    ],
)
def test_a_bad_line_is_told_and_the_others_go(row: Any, reason: str) -> None:
    """A bad line has its number and its reason; the one after it is read."""
    roster = Roster.from_rows([row, {"project": 7, "person": 9}])
    assert [line.number for line in roster.lines] == [2]
    (problem,) = roster.problems
    assert problem.line == 1
    assert reason in problem.reason


def test_values_of_objects() -> None:
    """Objects may carry numbers, booleans and lists."""
    row = {"project": 7, "person": 9, "team_lead": False, "bill_rate": 99.5, "permissions": ["edit", "can_post"]}
    (line,) = Roster.from_rows([row]).lines
    assert (line.team_lead, line.bill_rate, line.permissions) == (False, Decimal("99.5"), ("edit", "can_post"))


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    """Blank lines, quoted line ends, short rows and CRLF shift no numbers, and a byte order mark is no column."""
    text = '\ufeffPerson,Project,Project Role\r\n\r\n9,"A\r\nB",\r\n,,\r\n8,7\r\nx,7,\r\n10,7,\r\n'
    roster = csv(tmp_path, text)
    assert [(line.number, line.person.text) for line in roster.lines] == [(3, "9"), (6, "8"), (8, "10")]
    assert roster.problems == (Problem(7, "person: a person is an id or an e-mail address, not 'x'"),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("project,persom\n7,9\n", "there is no column 'persom'; did you mean 'person'?"),
        ("project\n7\n", "the column 'person' is missing"),
        ("project,person,Person\n", "there are two columns 'person'"),
        ("", "the first line should be a header"),
        ('project,person\n7,"9\n8,10\n', "line 2 cannot be read, nor what follows it"),
        (b"project,person\n7,9\n7,J\xe9r\x81me\n", "line 3 is not UTF-8; save the file as UTF-8"),
        (b"\xff\xfep\x00r", "the file begins as UTF-16, and is not"),
    ],
)
def test_a_doubtful_file_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    """What makes every line doubtful is an error of the whole file, and names it."""
    with pytest.raises(UsageError, match=r"roster\.csv: ") as raised:
        csv(tmp_path, content)
    assert message in str(raised.value)


def test_json_lines(tmp_path: Path) -> None:
    """An object a line; what is none is told with its number."""
    path = tmp_path / "roster.jsonl"
    path.write_text('{"project": 7, "person": "a@x.example", "bill_rate": 0.10}\n\n{"project"\n[1]\n', encoding="utf-8")
    roster = Roster.read(path)
    assert [(line.number, line.bill_rate) for line in roster.lines] == [(1, Decimal("0.10"))]
    assert [problem.line for problem in roster.problems] == [3, 4]


def test_files_that_are_no_rosters(tmp_path: Path) -> None:
    """Another kind of file, and one that is not there."""
    (tmp_path / "roster.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(UsageError, match=r"a \.csv, an \.xlsx or a \.jsonl file, not \.pdf"):
        Roster.read(tmp_path / "roster.pdf")
    with pytest.raises(UsageError, match="No such file"):
        Roster.read(tmp_path / "roster.csv")
