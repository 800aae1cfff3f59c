"""The text of a cell as a value: pure. Each reader raises ValueError, with the reason, for a text that it refuses."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal

import attrs

from ...calls import EMPTY, plain
from ...custom_fields import Money, is_ambiguous, read_amount, text_of_value
from ..texts import coded, folded, hint, tidy

NameKind = Literal["id", "title", "reference", "email"]

CLEAR: Final = "(clear)"
"""The text of a cell that clears a value: an empty cell leaves it as it is."""

ROLES: Final = ("maven", "buyer")
ACCESS_LEVELS: Final = (
    "admin",
    "edit_tasks",
    "view_tasks",
    "edit_time_and_expenses",
    "view_time_and_expenses",
    "edit_financials",
    "view_financials",
    "collaboration",
    "time_logging",
    "financial",
)
PERMISSIONS: Final = (
    "edit",
    "view_only",
    "view_and_post",
    "can_edit",
    "can_post",
    "can_edit_expense",
    "can_edit_time",
    "can_invite",
    "can_schedule_their_hours",
    "can_schedule_team_hours",
)
ACCOUNT_PERMISSIONS: Final = (
    "administrator",
    "reports_viewer_with_cost",
    "reports_viewer",
    "project_lead",
    "project_creator",
    "collaborator",
    "external_collaborator",
    "punch_clock",
)

_YES: Final = frozenset({"true", "yes", "y", "1", "ja", "j", "wahr", "oui", "vrai", "si", "sí", "verdadero"})
_NO: Final = frozenset({"false", "no", "n", "0", "nein", "falsch", "non", "faux", "falso"})
_ERRORS: Final = frozenset(
    {"#N/A", "#NV", "#REF!", "#BEZUG!", "#VALUE!", "#WERT!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"}
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ESCAPED: Final = re.compile(r"\A'(?=[=+\-@])")
"""What keeps a spreadsheet program from taking a text for a formula."""
_ID: Final = re.compile(r"([0-9]{1,18})(?:\.0+)?", re.ASCII)
_FRACTION: Final = re.compile(r"0[.,][0-9]{1,6}", re.ASCII)
_SHARE: Final = re.compile(r"[0-9]{1,3}", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@,<>]+@[^\s@,<>]+")
_MAILBOX: Final = re.compile(r"(?:mailto:|[^<>]*<)?\s*([^\s@,<>]+@[^\s@,<>]+?)\s*>?", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[,;|\n]+")
_EXACT: Final = 2**53
_TOO_LARGE: Final = 10**12
_LARGEST: Final = 63
_SIGNIFICANT: Final = 12
_PERCENT: Final = 100
_MIDNIGHT: Final = "T00:00:00"


@attrs.frozen
class Name:
    """How a line names an object: by an id, a title, an external reference or an e-mail address."""

    kind: NameKind
    text: str

    def __str__(self) -> str:
        return self.text if self.kind == "id" else repr(self.text)


# --- values of objects and workbooks as the text of a cell ---


def cell_text(value: object) -> str:
    """A value of an object, or of a workbook's cell, as the text of a cell.

    Raises:
        ValueError: it has no such text.
    """
    value = plain(value.value if isinstance(value, Enum) else value)
    match value:
        case str():
            text = value
        case bool():
            text = "true" if value else "false"
        case int():
            text = _integer_text(value)
        case float() | Decimal():
            text = _number_text(value)
        case date() | time():
            text = value.isoformat().removesuffix(_MIDNIGHT)
        case list() | tuple() | set() | frozenset():
            text = "; ".join(map(cell_text, value))
        case Money():
            text = text_of_value(value) or ""
        case _ if value is None or value is EMPTY:
            text = ""
        case _:
            raise ValueError(f"a cell holds a text or a number, not a {type(value).__name__}")
    return text


def _integer_text(value: int) -> str:
    if value.bit_length() > _LARGEST:
        raise ValueError("a number of more than 64 bits")
    return str(value)


def _number_text(value: float | Decimal) -> str:
    """A number as text: 3.0 is 3, and the digits that only binary fractions add are dropped.

    Three decimals get a zero, as in text they could be thousands.
    """
    if isinstance(value, Decimal) and value.is_nan():
        return ""
    number = value if isinstance(value, Decimal) else Decimal(format(value, f".{_SIGNIFICANT}g"))
    if not number.is_finite() or abs(number) >= _EXACT:
        return str(value)
    if number == number.to_integral_value():
        return str(int(value))
    text = format(number.normalize(), "f")
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text


def checked_text(text: str) -> str:
    """The text of a cell without what nobody sees.

    Raises:
        ValueError: the cell holds an error of a spreadsheet, or no valid text.
    """
    seen = _ESCAPED.sub("", tidy(text))
    if seen.upper() in _ERRORS:
        raise ValueError(f"the cell holds the error {seen}")
    if _SURROGATE.search(seen):
        raise ValueError("the text has half a character (a lone surrogate)")
    return seen


def is_clear(text: str) -> bool:
    """Whether the text of a cell clears its value."""
    return folded(text) == CLEAR


# --- names ---


def read_project(text: str) -> Name:
    """A project: digits are an id, ``ref:service:model:ref`` an external reference, anything else a title.

    ``id:`` or ``title:`` before it says what it is where its form would mislead: ``title:2027``.
    """
    prefix, colon, after = text.partition(":")
    after = after.strip()
    match prefix:
        case "id" if colon:
            return Name("id", read_id(after))
        case "title" if colon and after:
            return Name("title", after)
        case "ref" if colon:
            return Name("reference", read_reference(after))
    found = _ID.fullmatch(text)
    return Name("id", found[1]) if found else Name("title", text)


read_group = read_project


def read_projects(text: str) -> tuple[Name, ...]:
    """Projects, separated by semicolons, bars or lines."""
    parts = [part.strip() for part in re.split(r"[;|\n]+", text)]
    return tuple(dict.fromkeys(read_project(part) for part in parts if part))


def read_id(text: str) -> str:
    """An id: digits.

    Raises:
        ValueError: the text is not digits.
    """
    found = _ID.fullmatch(text)
    if not found:
        raise ValueError(f"an id is digits, not {text!r}")
    return found[1]


def read_reference(text: str) -> str:
    """An external reference, ``service:model:ref``, with or without ``ref:`` before it.

    Raises:
        ValueError: the text is no external reference.
    """
    reference = text.removeprefix("ref:")
    parts = [part.strip() for part in reference.split(":", 2)]
    if len(parts) != 3 or not all(parts) or "," in parts[2]:
        raise ValueError(f"an external reference is ref:service:model:ref, not 'ref:{reference}'")
    return ":".join(parts)


def read_person(text: str) -> Name:
    """A person: an id or an e-mail address, also as ``Ann Lee <ann@x.example>``.

    Raises:
        ValueError: the text is neither.
    """
    found = _ID.fullmatch(text)
    if found:
        return Name("id", found[1])
    mailbox = _MAILBOX.fullmatch(text)
    if mailbox:
        return Name("email", mailbox[1])
    raise ValueError(f"a person is an id or an e-mail address, not {text!r}")


def read_email(text: str) -> str:
    """An e-mail address.

    Raises:
        ValueError: the text is no e-mail address.
    """
    if not _EMAIL.fullmatch(text):
        raise ValueError(f"an e-mail address has an @ and no spaces, not {text!r}")
    return text


# --- values ---


def read_role(text: str) -> str:
    """The role of a participation."""
    return _among(text, ROLES)


def read_access_level(text: str) -> str:
    """An access level, as a create takes it."""
    return _among(text, ACCESS_LEVELS)


def read_permission(text: str) -> str:
    """What somebody may do in the account."""
    return _among(text, ACCOUNT_PERMISSIONS)


def read_permissions(text: str) -> tuple[str, ...]:
    """Permissions on a project, separated by commas, semicolons, bars or spaces."""
    parts = [part for part in _BETWEEN.split(text) if part.strip()]
    several = [one for part in parts for one in ([part] if coded(part) in PERMISSIONS else part.split())]
    return tuple(dict.fromkeys(_among(one, PERMISSIONS) for one in several))


def read_boolean(text: str) -> bool:
    """Yes or no, as people and spreadsheets write them in several languages.

    Raises:
        ValueError: the text means neither yes nor no.
    """
    word = folded(text)
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError(f"yes or no, not {text!r}")


def read_rate(text: str) -> Decimal:
    """An hourly rate: 120 or 120.50, also 120,50 and 1,200.50.

    A text that could have thousands as well as decimals, such as 1,200 or 1.200, is refused.

    Raises:
        ValueError: the text is no amount, or an ambiguous one.
    """
    if is_ambiguous(text):
        raise ValueError(f"a rate is an amount such as 120 or 120.50, and {text!r} could be thousands or decimals")
    amount = read_amount(text)
    if amount is None or amount >= _TOO_LARGE:
        raise ValueError(f"a rate is an amount such as 120 or 120.50, not {text!r}")
    return amount


def read_percent(text: str) -> int:
    """A share of 100: 80, 80 %, or 0.8, which is what a workbook has in a cell that shows 80 %.

    A 1 without its sign is refused: it is 100 % in such a cell, and 1 % elsewhere.

    Raises:
        ValueError: the text is not a whole number up to 100, or ambiguous.
    """
    if text == "1":
        raise ValueError("1 could be 1 % or 100 %: give it as the text '100 %' or '1 %'")
    number = text.removesuffix("%").strip()
    share = None
    if _FRACTION.fullmatch(text):
        share = Decimal(text.replace(",", ".")) * _PERCENT
    elif _SHARE.fullmatch(number):
        share = Decimal(number)
    if share is None or share != share.to_integral_value() or share > _PERCENT:
        raise ValueError(f"a share is a whole number up to 100, not {text!r}")
    return int(share)


def read_text(text: str) -> str:
    """A text as it is."""
    return text


def _among(text: str, known: Collection[str]) -> str:
    code = coded(text)
    if code not in known:
        raise ValueError(f"there is no {text.strip()!r}{hint(code, known)}")
    return code


Cells = dict[str, Any]
"""The values of a line, by the names of their columns."""
