"""Sheets as spreadsheet programs leave them: three dozen forms of one roster, and what each cell and header may be."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kantata_async import UsageError
from kantata_async.provision import Groups, Line, People, Plan, Problem, Roster, read_sheet
from kantata_async.provision.sheets import Name
from kantata_async.provision.sheets.cells import (
    cell_text,
    read_boolean,
    read_id,
    read_percent,
    read_permissions,
    read_person,
    read_rate,
)
from kantata_async.provision.sheets.content import load
from kantata_async.provision.texts import coded, folded, hint, nearest, tidy


class Color(Enum):
    RED = "red"


HEADER: Final = ("project", "person", "role", "bill_rate")
ROWS: Final = (("Café Zürich", "7", "maven", "120.50"), ("12", "ann@x.example", "", ""), ("12", "8", "buyer", "90"))
WANTED: Final = [
    (Name("title", "Café Zürich"), Name("id", "7"), "maven", Decimal("120.50")),
    (Name("id", "12"), Name("email", "ann@x.example"), None, None),
    (Name("id", "12"), Name("id", "8"), "buyer", Decimal(90)),
]


def table(*rows: Sequence[str], separator: str = ",", end: str = "\r\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()


PLAIN: Final = table(HEADER, *ROWS)


def padded(row: Sequence[str], before: int = 0, after: int = 0) -> list[str]:
    return ["", *([""] * (before - 1)), *row, *([""] * after)] if before else [*row, *([""] * after)]


def workbook(*rows: Sequence[Any], change: Callable[[Any], None] = lambda _: None) -> bytes:
    """A workbook as openpyxl writes it, whose first sheet holds rows."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    change(book)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


NUMBERS: Final = (("Café Zürich", 7, "maven", 120.5), (12, "ann@x.example", None, None), (12.0, 8.0, "buyer", 90))


def beside_a_hidden_sheet(book: Any) -> None:
    book.create_sheet("Notes", 0).sheet_state = "hidden"
    book["Notes"].append(["nothing", "of", "this"])
    book.active = 1


def after_an_empty_sheet(book: Any) -> None:
    book.create_sheet("Empty", 0)


def formatted(book: Any) -> None:
    """Cells with a format and without a value, far beyond the data."""
    for place in ("Z3", "B400", "AB40"):
        book.active[place].font = openpyxl.styles.Font(bold=True)


def title_by_formula(book: Any) -> None:
    book.active["C3"] = '=""'


SHEETS: Final[Mapping[str, tuple[str, bytes]]] = {
    "plain": ("csv", PLAIN.encode()),
    "byte order mark": ("csv", PLAIN.encode("utf-8-sig")),
    "line feeds": ("csv", table(HEADER, *ROWS, end="\n").encode()),
    "carriage returns alone": ("csv", table(HEADER, *ROWS, end="\r").encode()),
    "no end of the last line": ("csv", PLAIN.rstrip().encode()),
    "every cell in quotes": ("csv", table(HEADER, *ROWS, quoting=csv.QUOTE_ALL).encode()),
    "empty columns at the right": ("csv", table(*(padded(row, after=3) for row in (HEADER, *ROWS))).encode()),
    "empty columns at the left": ("csv", table(*(padded(row, before=2) for row in (HEADER, *ROWS))).encode()),
    "an empty column in the middle": (
        "csv",
        table(*([*row[:2], "", *row[2:]] for row in (HEADER, *ROWS))).encode(),
    ),
    "empty rows before the header": ("csv", ("\r\n,,,\r\n" + PLAIN).encode()),
    "empty rows between": ("csv", table(HEADER, ROWS[0], [""] * 4, ROWS[1], [" "] * 4, ROWS[2]).encode()),
    "empty rows at the end": ("csv", (PLAIN + ",,,\r\n" * 20 + "\r\n").encode()),
    "short rows": ("csv", table(HEADER, ROWS[0], ROWS[1][:2], ROWS[2]).encode()),
    "long rows": ("csv", table(HEADER, *(padded(row, after=4) for row in ROWS)).encode()),
    "long rows of blanks": ("csv", table(HEADER, *([*row, " ", "\xa0"] for row in ROWS)).encode()),
    "sep=, first": ("csv", ("sep=,\r\n" + PLAIN).encode()),
    "sep=; first": ("csv", ("sep=;\r\n" + table(HEADER, *ROWS, separator=";")).encode()),
    "sep in quotes": ("csv", ('"sep=;"\n' + table(HEADER, *ROWS, separator=";")).encode()),
    "sep= after a byte order mark": (
        "csv",
        ("sep=|\r" + table(HEADER, *ROWS, separator="|", end="\r")).encode("utf-8-sig"),
    ),
    "semicolons and decimal commas": (
        "csv",
        table(HEADER, *([*row[:3], row[3].replace(".", ",")] for row in ROWS), separator=";").encode(),
    ),
    "tabs": ("tsv", table(HEADER, *ROWS, separator="\t").encode()),
    "bars": ("txt", table(HEADER, *ROWS, separator="|").encode()),
    "Unicode text": ("txt", table(HEADER, *ROWS, separator="\t").encode("utf-16")),
    "UTF-16, big end first": ("csv", b"\xfe\xff" + PLAIN.encode("utf-16-be")),
    "UTF-32": ("csv", PLAIN.encode("utf-32")),
    "Windows-1252": ("csv", PLAIN.encode("cp1252")),
    "headers as people write them": (
        "csv",
        table(("Project Name", "E-Mail", "ROLE", "Bill Rate"), *ROWS).encode(),
    ),
    "headers with spaces and line ends": (
        "csv",
        table((" Project ", "Per\xadson", "Role\n", "bill-rate"), *ROWS).encode(),
    ),
    "letters decomposed": ("csv", unicodedata.normalize("NFD", PLAIN).encode()),
    "marks that nobody sees": (
        "csv",
        table(HEADER, *([f"\u200b{cell}\ufeff" if cell else cell for cell in row] for row in ROWS)).encode(),
    ),
    "ids that were floats": (
        "csv",
        table(HEADER, ROWS[0], ("12.0", *ROWS[1][1:]), ("12.0", "8.0", *ROWS[2][2:])).encode(),
    ),
    "JSON lines": ("jsonl", "\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in ROWS).encode()),
    "a workbook": ("xlsx", workbook(HEADER, *NUMBERS)),
    "a workbook with everything as text": ("xlsx", workbook(HEADER, *ROWS)),
    "a workbook with rows above": ("xlsx", workbook([], [], HEADER, NUMBERS[0], [], *NUMBERS[1:])),
    "a workbook with columns at the left": ("xlsx", workbook(*([None, None, *row] for row in (HEADER, *NUMBERS)))),
    "a workbook with a hidden sheet": ("xlsx", workbook(HEADER, *NUMBERS, change=beside_a_hidden_sheet)),
    "a workbook with an empty sheet": ("xlsx", workbook(HEADER, *NUMBERS, change=after_an_empty_sheet)),
    "a workbook with formats beyond": ("xlsx", workbook(HEADER, *NUMBERS, change=formatted)),
    "a workbook with a formula": ("xlsx", workbook(HEADER, *NUMBERS, change=title_by_formula)),
    "a workbook called otherwise": ("csv", workbook(HEADER, *NUMBERS)),
}


def assignments(roster: Roster) -> list[tuple[Name, Name, str | None, Decimal | None]]:
    return [(line.project, line.person, line.role, line.bill_rate) for line in roster.lines]


def test_there_are_enough_of_them() -> None:
    """Three dozen at least, each different."""
    assert len({content for _, content in SHEETS.values()}) >= 36


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_as_it_is(tmp_path: Path, name: str) -> None:
    """Each form says the same three lines."""
    suffix, content = SHEETS[name]
    path = tmp_path / f"roster.{suffix}"
    path.write_bytes(content)
    roster = Roster.read(path)
    assert (assignments(roster), roster.problems) == (WANTED, ())


def test_the_last_resort_is_told(tmp_path: Path) -> None:
    """What was read as Windows-1252 says so, with what came of the first such line."""
    path = tmp_path / "roster.csv"
    path.write_bytes(PLAIN.encode("cp1252"))
    (note,) = Roster.read(path).notes
    assert "was read as Windows-1252, where line 2 begins 'Café Zürich,7" in note
    assert Roster.from_rows([]).notes == ()


def test_standard_input() -> None:
    """``-`` is standard input, whatever comes there."""
    for _, content in (SHEETS["plain"], SHEETS["JSON lines"], SHEETS["a workbook"]):
        assert assignments(Roster.of_content(load("-", io.BytesIO(content)))) == WANTED


def test_a_sheet_by_its_name(tmp_path: Path) -> None:
    """A workbook's sheet is named where the first is not meant; what cannot be one is refused."""

    def with_another(book: Any) -> None:
        book.create_sheet("Teams").append(["project", "person"])
        book["Teams"].append([1, 2])

    path = tmp_path / "roster.xlsx"
    path.write_bytes(workbook(HEADER, *NUMBERS, change=with_another))
    assert len(Roster.read(path, sheet="Teams").lines) == 1
    with pytest.raises(UsageError, match="there is no sheet 'teams'; there are Sheet, Teams"):
        Roster.read(path, sheet="teams")
    path.write_bytes(b"PK\x03\x04 and nothing")
    with pytest.raises(UsageError, match="cannot be read as a workbook"):
        Roster.from_xlsx(path)
    path.write_bytes(PLAIN.encode())
    with pytest.raises(UsageError, match="is not a workbook"):
        Roster.read(path)
    with pytest.raises(UsageError, match="only a workbook has sheets"):
        Roster.read(write(tmp_path, PLAIN), sheet="Teams")


def write(folder: Path, text: str) -> Path:
    path = folder / "sheet.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


# --- columns ---


def test_wrong_columns_are_told_all_at_once(tmp_path: Path) -> None:
    """One error for all that is wrong with a header: nobody mends it column by column."""
    path = write(tmp_path, "Projct,E-Mail,person,Rate,Nonsense\n1,2,3,4,5\n")
    with pytest.raises(UsageError) as raised:
        Roster.read(path)
    for part in (
        "there is no column 'Projct'; did you mean 'project'?",
        "the columns 'E-Mail' and 'person' are both the 'person'",
        "the column 'Rate' could be bill_rate or cost_rate: rename it to the one that is meant",
        "there is no column 'Nonsense'; there are project, person, full_name",
        "the column 'project' is missing",
    ):
        assert part in str(raised.value)


@pytest.mark.parametrize("name", ["rate", "Price", "title", "name", "id"])
def test_what_could_be_several_columns_is_asked(name: str) -> None:
    """A column that could be one or another is never guessed."""
    (problem,) = Roster.from_rows([{"project": 1, "person": 2, name: "5"}]).problems
    assert f"the column {name!r} could be" in problem.reason


def test_columns_are_left_out_when_told(tmp_path: Path) -> None:
    """Known and unknown ones, by any spelling; one that is not there is a slip."""
    path = write(tmp_path, "project,person,Rate,Role,Weekly Hours\n1,2,x,y,z\n")
    (line,) = Roster.read(path, ignore_columns=["rate", "role", "weekly hours"]).lines
    assert line == Line(number=2, project=Name("id", "1"), person=Name("id", "2"))
    with pytest.raises(UsageError, match="there is no column 'hours' to ignore"):
        Roster.read(path, ignore_columns=["rate", "weekly_hours", "hours"])
    rows = [{"project": 1, "person": 2, "Weekly Hours": 5}]
    assert len(Roster.from_rows(rows, ignore_columns=["weekly-hours"]).lines) == 1


def test_values_under_no_header(tmp_path: Path) -> None:
    """They are told with their column, and hold their line alone back."""
    roster = Roster.read(write(tmp_path, "project,,person\n1,stray,2\n3,,4,,,beyond\n5,,6\n"))
    assert [line.number for line in roster.lines] == [4]
    assert roster.problems == (
        Problem(2, "it has a value under no header, in column B ('stray')"),
        Problem(3, "it has a value under no header, in column F ('beyond')"),
    )


def test_a_column_without_a_header_is_left_out_by_its_letter(tmp_path: Path) -> None:
    """An index that a program wrote beside the data, as a spreadsheet calls its column."""
    path = write(tmp_path, ",project,person\n0,1,2\n1,1,3\n")
    assert len(Roster.read(path).problems) == 2
    assert len(Roster.read(path, ignore_columns="A").lines) == 2


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("project,person,role", Roster),
        ("Workspace;User;Bill Rate", Roster),
        ("projct,person", Roster),
        ("person,role,bill_rate", People),
        ("E-Mail\tManager\tBillability", People),
        ("group,company,projects", Groups),
        ("Client,Contact,Phone", Groups),
    ],
)
def test_the_columns_say_which_kind_it_is(tmp_path: Path, header: str, kind: type[Roster | People | Groups]) -> None:
    """A sheet is known by its columns; with a slip in one it is still that kind, and the slip is told."""
    path = write(tmp_path, f"{header}\n")
    if "projct" in header:
        with pytest.raises(UsageError, match="did you mean 'project'"):
            read_sheet(path)
    else:
        assert type(read_sheet(path)) is kind


def test_a_kind_may_be_told(tmp_path: Path) -> None:
    """The kind that is told is the kind, whatever the columns say."""
    path = write(tmp_path, "person,role\n1,Architect\n")
    with pytest.raises(UsageError, match="the column 'project' is missing"):
        read_sheet(path, kind="roster")
    with pytest.raises(UsageError, match="there is no kind 'teams'; there are roster, groups, people"):
        read_sheet(path, kind="teams")


# --- cells ---


@pytest.mark.parametrize("text", ["yes", "Y", "TRUE", "1", "Ja", "j", "WAHR", "oui", "Vrai", "Sí", "si"])
def test_yes(text: str) -> None:
    """Yes in the languages of spreadsheets."""
    assert read_boolean(text) is True


@pytest.mark.parametrize("text", ["no", "N", "False", "0", "Nein", "FALSCH", "non", "faux"])
def test_no(text: str) -> None:
    """No in them."""
    assert read_boolean(text) is False


@pytest.mark.parametrize("text", ["x", "o", "maybe", "2", "on"])
def test_neither_yes_nor_no(text: str) -> None:
    """What is neither is refused."""
    with pytest.raises(ValueError, match="yes or no, not"):
        read_boolean(text)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("120", "120"),
        ("120.5", "120.5"),
        ("120,50", "120.50"),
        ("1200.5", "1200.5"),
        ("1,200.50", "1200.50"),
        ("1.200,50", "1200.50"),
        ("1 200,50", "1200.50"),
        ("1'200.50", "1200.50"),
        ("1,234,567", "1234567"),
        ("0.1250", "0.125"),
    ],
)
def test_rates(text: str, rate: str) -> None:
    """Decimal points and commas, thousands where they cannot be decimals."""
    assert read_rate(text) == Decimal(rate)


@pytest.mark.parametrize(
    "text",
    ["1,200", "1.200", "12.345", "1,2,3", "1.2.3", "-5", "€ 120", "120 EUR", "1e3", "NaN", "inf", "1,200.5.0", "٣", ""],
)
def test_what_could_be_another_rate_is_refused(text: str) -> None:
    """1.200 is a thousand in one country, and one in another."""
    with pytest.raises(ValueError, match="a rate is an amount such as 120"):
        read_rate(text)


@pytest.mark.parametrize(("text", "share"), [("80", 80), ("80 %", 80), ("0.8", 80), ("0,75", 75), ("1 %", 1), ("0", 0)])
def test_shares(text: str, share: int) -> None:
    """A cell that a workbook shows as 80 % holds 0.8."""
    assert read_percent(text) == share


@pytest.mark.parametrize("text", ["1", cell_text(1.0), "0.755", "101", "-5", "8.5", "0.8 %", "%", "half"])
def test_no_share_is_guessed(text: str) -> None:
    """What a workbook shows as 100 % holds 1, which elsewhere is 1 %."""
    with pytest.raises(ValueError, match=r"a share is a whole number|could be 1 % or 100 %"):
        read_percent(text)


@pytest.mark.parametrize(
    "header", ["Member e-mail", "E-Mail Address", "email", "E_MAIL", "User E-mail", "person email"]
)
def test_however_e_mail_is_spelt(header: str) -> None:
    """It is the person's."""
    assert Roster.columns.find(header) == "person"


def test_the_name_alone_is_the_group(tmp_path: Path) -> None:
    """In a file, and in each object; beside the column group it is another name."""
    path = tmp_path / "groups.csv"
    path.write_text("Name;Company;Contact\nAcme;ja;Bob\n")
    sheet = read_sheet(path)
    assert isinstance(sheet, Groups)
    (line,) = sheet.lines
    assert (line.group, line.name, line.company, line.contact_name) == (Name("title", "Acme"), None, True, "Bob")
    first, second = Groups.from_rows([{"name": "Acme"}, {"group": 7, "name": "Acme"}]).lines
    assert (first.group.text, first.name) == ("Acme", None)
    assert (second.group.text, second.name) == ("7", "Acme")
    path.write_text("Name;New name;Company\nAcme;Other;ja\n")
    with pytest.raises(UsageError, match="both the 'name'"):
        Groups.read(path)


def test_values_as_people_write_them() -> None:
    """`Edit Tasks` is `edit_tasks`, in several words too; addresses come out of what mail programs copy."""
    assert read_permissions("Can Edit; can-post, edit") == ("can_edit", "can_post", "edit")
    assert read_permissions("edit can_post") == ("edit", "can_post")
    assert (
        read_person("Ann Lee <ann@x.example>") == read_person("mailto:ann@x.example") == Name("email", "ann@x.example")
    )
    assert (read_id("0012.00"), read_percent("80 %"), read_percent("80")) == ("0012", 80, 80)
    (line,) = Roster.from_rows([{"project": 1, "person": 2, "access_level": "Edit Tasks", "role": " Maven"}]).lines
    assert (line.access_level, line.role) == ("edit_tasks", "maven")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("role", "Architect", "role: there is no 'Architect'; there are maven, buyer"),
        ("access_level", "edit financial", "did you mean 'edit_financials'?"),
        ("access_level", "view", "there is no 'view'; there are admin, edit_tasks"),
        ("person", "#N/A", "person: the cell holds the error #N/A"),
        ("bill_rate", "#BEZUG!", "bill_rate: the cell holds the error #BEZUG!"),
        ("person", b"9", "person: a cell holds a text or a number, not a bytes"),
        ("project", {"id": 9}, "project: a cell holds a text or a number, not a dict"),
        ("project", "\ud800", "project: the text has half a character"),
        ("person", 2**70, "person: a number of more than 64 bits"),
        ("person", 1.5, "a person is an id or an e-mail address, not '1.5'"),
        ("person", 1e18, "a person is an id or an e-mail address"),
        ("bill_rate", math.inf, "a rate is an amount"),
        ("bill_rate", Decimal("1e99999"), "a rate is an amount"),
    ],
)
def test_cells_that_are_nothing(column: str, value: Any, reason: str) -> None:
    """Each is told by its column; none ends the reading, and no hint would write what nobody meant."""
    (problem,) = Roster.from_rows([{"project": 1, "person": 2} | {column: value}]).problems
    assert reason in problem.reason


@pytest.mark.parametrize("rows", [None, 5, "text", b"text", {"project": 1}, pd.DataFrame({"project": [1]})])
def test_what_holds_no_rows(rows: Any) -> None:
    """A usage error, never another."""
    with pytest.raises(UsageError):
        Roster.from_rows(rows)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
COLUMNS = st.sampled_from([*Roster.columns.by_name, *People.columns.by_name, *Groups.columns.by_name, "rate", ""])


@pytest.mark.parametrize("kind", [Roster, People, Groups])
@given(rows=st.lists(st.dictionaries(COLUMNS | st.text(), JSON, max_size=6) | JSON, max_size=4))
def test_no_rows_end_the_reading(kind: type[Roster | People | Groups], rows: list[Any]) -> None:
    """Whatever the values are, each row is a line or a problem."""
    sheet = kind.from_rows(rows)
    numbers = [one.number for one in sheet.lines] + [one.line for one in sheet.problems]
    assert sorted(numbers) == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "xlsx"])
@given(
    content=st.binary(max_size=200)
    | st.text(alphabet='project,person;\t"\r\n=0159.\x00', max_size=200).map(str.encode)
    | st.binary(max_size=200).map(lambda noise: SHEETS["a workbook"][1][:400] + noise)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_ends_in_another_error(tmp_path: Path, suffix: str, content: bytes) -> None:
    """Bytes of any kind are lines, problems or a usage error."""
    path = tmp_path / f"sheet.{suffix}"
    path.write_bytes(content)
    with suppress(UsageError):
        sheet = read_sheet(path)
        assert all(isinstance(one, Problem) for one in sheet.problems)


@pytest.mark.parametrize("path", [None, 5, b"roster.csv", "no\x00path.csv", "/", "/no/such.csv"])
def test_what_is_no_file(path: Any) -> None:
    """A usage error, whatever was given for a path."""
    for read in (Roster.read, People.from_csv, Groups.from_xlsx, Roster.from_jsonl, read_sheet, Plan.load):
        with pytest.raises(UsageError):
            read(path)


# --- values of other libraries ---


@pytest.mark.parametrize(
    "value", [np.nan, np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT", "s"), Decimal("NaN"), None]
)
def test_what_is_missing_is_an_empty_cell(value: Any) -> None:
    """However a library says that there is nothing."""
    assert cell_text(value) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.int64(5), "5"),
        (np.bool_(False), "false"),
        (np.float64(2.5), "2.5"),
        (np.str_("x"), "x"),
        (np.array(["edit", "can_post"]), "edit; can_post"),
        ([3.0, np.nan, "x"], "3; ; x"),
        (pd.Timestamp("2026-03-02"), "2026-03-02"),
        (dt.datetime(2026, 3, 2), "2026-03-02"),
        (dt.datetime(2026, 3, 2, 10), "2026-03-02T10:00:00"),
        (Color.RED, "red"),
    ],
)
def test_values_as_cells(value: Any, text: str) -> None:
    """Each is what it looks like."""
    assert cell_text(value) == text


def test_rows_of_a_frame() -> None:
    """Ids that became floats, and what is missing: as in any frame with a gap."""
    frame = pd.DataFrame(
        {
            "project": pd.array([12, 12, None], dtype="Int64"),
            "person": [7.0, 8.0, np.nan],
            "team_lead": pd.array([True, None, None], dtype="boolean"),
            "bill_rate": [0.1 + 0.2, np.nan, 5],
            "role": pd.Series(["maven", None, pd.NaT], dtype=object),
        }
    )
    roster = Roster.from_rows(frame.to_dict("records"))
    first, second = roster.lines
    assert (first.project, first.person, first.team_lead) == (Name("id", "12"), Name("id", "7"), True)
    assert (first.bill_rate, second.bill_rate, second.team_lead, second.role) == (Decimal("0.3"), None, None, None)
    assert roster.problems == (Problem(3, "the project is missing; the person is missing"),)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (120.5, "120.5"),
        (360.29999999999995, "360.3"),
        (1.234, "1.2340"),
        (Decimal("1.20"), "1.2"),
        (7, "7"),
    ],
)
def test_numbers_as_cells(value: float, text: str) -> None:
    """3.0 is 3; three decimals that are decimals are never taken for thousands."""
    assert cell_text(value) == text


@given(st.integers(0, 10**12), st.integers(0, 999))
def test_an_amount_survives_a_workbook(units: int, thousandths: int) -> None:
    """Whatever a float carries of an amount with up to three decimals is read back."""
    amount = Decimal(units // 10**4) + Decimal(thousandths) / 1000
    assert read_rate(cell_text(float(amount))) == amount


@given(st.integers(0, 2**53 - 1))
def test_an_id_survives_a_workbook(id: int) -> None:
    """Whatever whole number a float can hold is read as that id."""
    assert read_id(cell_text(float(id))) == str(id)


# --- texts ---


def test_spellings_of_one_name() -> None:
    """Decomposed, with marks, spaces or another case, a name is the name."""
    name = "Café  Zürich "
    for other in (unicodedata.normalize("NFD", name), "CAFÉ ZÜRICH", "Ca\u00adf\u00e9\u00a0Z\u200bürich"):
        assert folded(other) == folded(name)
    assert tidy("\u2066Café\u2069\n") == "Café"
    assert (coded("Can Edit"), coded("E-Mail"), coded(" bill  rate ")) == ("can_edit", "e_mail", "bill_rate")


@given(st.text())
def test_folding_is_done_at_once(text: str) -> None:
    """Folded again, a text stays as it is; so does a tidy one."""
    assert folded(folded(text)) == folded(text)
    assert tidy(tidy(text)) == tidy(text)


def test_near_names() -> None:
    """The one that is near; both where they are as near; none where nothing is."""
    known = ["Data Platform", "Data Platforms EU", "ERP Migration"]
    assert nearest("data platfrom", known) == ["Data Platform"]
    assert nearest("Team 3", ["Team 1", "Team 2", "Other"]) == ["Team 1", "Team 2"]
    assert nearest("Nothing like it", known) == []
    assert hint("x", (str(number) for number in range(100))) == ""
