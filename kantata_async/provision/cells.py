"""The text of a roster's cell as a value: pure. Each reader raises ValueError with the reason for what it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any, Final, Literal

import attrs

from ..calls import did_you_mean

Kind = Literal["id", "title", "reference", "email"]

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

_BOOLEANS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_RATE: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
_ID: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@,]+@[^\s@,]+")
_BETWEEN: Final = re.compile(r"[\s,;|]+")


@attrs.frozen
class Name:
    """How a line names a project or a person: by an id, a title, an external reference or an e-mail address."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return self.text if self.kind == "id" else repr(self.text)


def read_project(text: str) -> Name:
    """A project: digits are an id, ``ref:service:model:ref`` an external reference, anything else a title.

    ``id:`` and ``title:`` before it say which it is where that is not what is meant: ``title:2027``.
    """
    prefix, colon, rest = text.partition(":")
    rest = rest.strip()
    if colon and prefix == "id":
        return Name("id", _checked_id(rest))
    if colon and prefix == "title" and rest:
        return Name("title", rest)
    if colon and prefix == "ref":
        return Name("reference", _checked_reference(rest))
    return Name("id" if _ID.fullmatch(text) else "title", text)


def _checked_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"an id is digits, not {text!r}")
    return text


def _checked_reference(text: str) -> str:
    parts = [part.strip() for part in text.split(":", 2)]
    if len(parts) != 3 or not all(parts) or "," in parts[2]:
        raise ValueError(f"an external reference is ref:service:model:ref, not 'ref:{text}'")
    return ":".join(parts)


def read_person(text: str) -> Name:
    """A person: an id or an e-mail address."""
    if _ID.fullmatch(text):
        return Name("id", text)
    if _EMAIL.fullmatch(text):
        return Name("email", text)
    raise ValueError(f"a person is an id or an e-mail address, not {text!r}")


def read_role(text: str) -> str:
    """The role of a participation."""
    return _among(text.lower(), ROLES)


def read_access_level(text: str) -> str:
    """An access level, as a create takes it."""
    return _among(text.lower(), ACCESS_LEVELS)


def read_permissions(text: str) -> tuple[str, ...]:
    """Permissions, divided by commas, semicolons, bars or spaces."""
    return tuple(dict.fromkeys(_among(one, PERMISSIONS) for one in _BETWEEN.split(text.lower()) if one))


def read_boolean(text: str) -> bool:
    """Yes, true or 1; no, false or 0."""
    if text.lower() not in _BOOLEANS:
        raise ValueError(f"yes or no, not {text!r}")
    return _BOOLEANS[text.lower()]


def read_rate(text: str) -> Decimal:
    """An amount in units of the project's currency: digits, with a point before the decimals."""
    if not _RATE.fullmatch(text):
        raise ValueError(f"a rate is an amount such as 120 or 120.50, not {text!r}")
    return Decimal(text)


def _among(text: str, known: Collection[str]) -> str:
    if text not in known:
        raise ValueError(f"there is no {text!r}{did_you_mean(text, known)}")
    return text


READERS: Final[dict[str, Callable[[str], Any]]] = {
    "project": read_project,
    "person": read_person,
    "role": read_role,
    "access_level": read_access_level,
    "permissions": read_permissions,
    "team_lead": read_boolean,
    "bill_rate": read_rate,
    "cost_rate": read_rate,
    "project_role": str,
}
"""The columns of a roster, and what reads the text of their cells."""
