"""Python values for the wire: what each kind of parameter takes, and what it becomes in a query or a JSON body.

A kind refuses what it does not take with a `UsageError` that names the parameter, before anything is sent: nothing is
coerced (True is no number, "yes" is no bool), because a silently wrong value costs more than an error.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from io import TextIOBase
from os import PathLike
from typing import Any, BinaryIO, ClassVar, Final, TypeAlias, TypeGuard

import attrs

from ..errors import UsageError
from ..model import brief_repr
from ..transport import FileContent
from .foreign_values import EMPTY, PLAIN_TYPES, plain

Id: TypeAlias = int | str
"""An id as a call takes it: a number or its text. On the wire and in entities ids are always text."""

Upload: TypeAlias = PathLike[str] | BinaryIO | tuple[str, bytes]
"""A file to upload: a path, a file opened for reading bytes, or a name with the content."""

_ID: Final = re.compile(r"[0-9A-Za-z_-]+(?::[0-9A-Za-z_-]+)*")
_ID_LENGTH: Final = 255
_NUMBER_BITS: Final = 63
_NUMBER_DIGITS: Final = 18
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class _Omitted:
    """The value of a parameter that a call leaves out."""

    def __repr__(self) -> str:
        return "OMITTED"


OMITTED: Final[Any] = _Omitted()
"""The value of a parameter that is not given; None would clear the field."""


def check_id(value: object, name: str = "id") -> str:
    """An id as text.

    Raises:
        UsageError: the value is empty, or could change the path or the query that it goes into.
    """
    given = value
    if type(value) is not int and type(value) is not str:
        value = plain(member_value(value))
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0 and value.bit_length() <= _NUMBER_BITS:
        return str(value)
    if isinstance(value, str) and len(value) <= _ID_LENGTH and _ID.fullmatch(value):
        return value
    raise UsageError(f"{name} takes an id such as 42 or '42:percent_complete', not {brief_repr(given)}")


def member_value(value: Any) -> Any:
    """The text or number that a member of an enumeration of texts or numbers is; any other value as it is."""
    return value.value if isinstance(value, Enum) and isinstance(value, str | int) else value


def _plain_member(value: Any) -> Any:
    """A value, or that of a member of an enumeration, as a plain Python value."""
    return value if type(value) in PLAIN_TYPES else plain(member_value(value))


def is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    """Whether a value can be iterated over; an array without dimensions only looks as if it could."""
    try:
        iter(value)  # type: ignore[call-overload]  # that is the question
    except TypeError:
        return False
    return True


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The end of an error message that offers the nearest known name, whatever its case."""
    names = {one.casefold(): one for one in sorted(known)}
    if not names:
        return ""
    nearest = get_close_matches(name.casefold(), names, 1, 0.5) if isinstance(name, str) else ()
    return f"; did you mean {names[nearest[0]]!r}?" if nearest else f"; there are {', '.join(names.values())}"


class ParameterKind(ABC):
    """What a parameter takes."""

    needed: ClassVar[bool] = False
    """Whether it must be given."""

    @abstractmethod
    def wire(self, value: Any, name: str) -> Any:
        """The JSON value for `value`.

        Raises:
            UsageError: this kind does not take the value; the message names the parameter.
        """


@attrs.frozen
class Scalar(ParameterKind):
    """A single value: `accept` gives its JSON value, or None for what it does not take."""

    expects: str
    accept: Callable[[Any], Any]

    def wire(self, value: Any, name: str) -> Any:
        """See `ParameterKind.wire`."""
        accepted = self.accept(_plain_member(value))
        if accepted is None:
            raise UsageError(f"{name} takes {self.expects}, not {brief_repr(value)}")
        return accepted


@attrs.frozen
class Choice(ParameterKind):
    """One of a closed list of texts or numbers."""

    values: tuple[str | int, ...]

    def wire(self, value: Any, name: str) -> Any:
        """See `ParameterKind.wire`."""
        chosen = _plain_member(value)
        if not isinstance(chosen, str | int) or isinstance(chosen, bool) or chosen not in self.values:
            nearest = did_you_mean(chosen, map(str, self.values))
            raise UsageError(f"{name} does not take {brief_repr(value)}{nearest}")
        return chosen


@attrs.frozen
class Choices(ParameterKind):
    """Any of a closed list of texts: one, several in a list, or several joined by commas."""

    values: tuple[str, ...]

    def wire(self, value: Any, name: str) -> Any:
        """See `ParameterKind.wire`."""
        choice = Choice(self.values)
        value = plain(value)
        given = value if _is_list(value) else TEXT.wire(value, name).split(",")
        return ",".join(choice.wire(one, name) for one in given)


@attrs.frozen
class Array(ParameterKind):
    """A list of values of one kind; at most so many, where the API says so."""

    of: ParameterKind
    most: int | None = None

    def wire(self, value: Any, name: str) -> Any:
        """See `ParameterKind.wire`."""
        value = plain(value)
        if not _is_list(value):
            raise UsageError(f"{name} takes a list, not {brief_repr(value)}")
        if self.most is not None and not 0 < len(value) <= self.most:
            raise UsageError(f"{name} takes 1 to {self.most} values, not {len(value)}")
        return [self.of.wire(item, f"{name}[{position}]") for position, item in enumerate(value)]


@attrs.frozen
class Keyed(ParameterKind):
    """A mapping whose keys are the caller's own."""

    of: ParameterKind

    def wire(self, value: Any, name: str) -> Any:
        """See `ParameterKind.wire`."""
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise UsageError(f"{name} takes a mapping from texts, not {brief_repr(value)}")
        return {key: self.of.wire(item, f"{name}[{key!r}]") for key, item in value.items()}


@attrs.frozen
class Object(ParameterKind):
    """A mapping with known fields; None where the field is not required clears it."""

    fields: Mapping[str, ParameterKind]

    def wire(self, value: Any, name: str) -> Any:
        """See `ParameterKind.wire`."""
        if not isinstance(value, Mapping):
            raise UsageError(f"{name} takes a mapping, not {brief_repr(value)}")
        return check_fields(value, self.fields, name)


@attrs.frozen
class Needed(ParameterKind):
    """A value that must be given, and may not be None."""

    needed: ClassVar[bool] = True
    of: ParameterKind

    def wire(self, value: Any, name: str) -> Any:
        """See `ParameterKind.wire`."""
        return self.of.wire(value, name)


@attrs.frozen
class File(ParameterKind):
    """A file to upload; its content is read when the request is made."""

    def wire(self, value: Any, name: str) -> Any:
        """See `ParameterKind.wire`."""
        match value:
            case PathLike() | FileContent():
                return value
            case tuple((str(), bytes())):
                return value
            case _ if hasattr(value, "read") and not isinstance(value, TextIOBase):
                return value
        raise UsageError(
            f"{name} takes a path, a file opened in binary mode, or (name, bytes), not {brief_repr(value)}"
        )


def needed_of(fields: Mapping[str, ParameterKind]) -> Sequence[str]:
    """The names of the fields that must be given."""
    return [key for key, kind in fields.items() if kind.needed]


def check_fields(
    given: Mapping[Any, Any],
    fields: Mapping[str, ParameterKind],
    name: str = "",
    *,
    needed: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The JSON object for named values; an empty cell of a data frame gives none.

    Args:
        given: the values.
        fields: what there is.
        name: of the object itself, for error messages.
        needed: the fields that must be given, for many objects that have the same.

    Raises:
        UsageError: there is no field of a name, or a required one is missing.
    """
    prefix = f"{name}." if name else ""
    wired: dict[str, Any] = {}
    for key, value in given.items():
        kind = fields.get(key)
        if kind is None:
            shown = key if isinstance(key, str) else brief_repr(key)
            raise UsageError(f"{prefix}{shown} is not a field here{did_you_mean(key, fields)}")
        if type(value) not in PLAIN_TYPES and plain(value) is EMPTY:
            continue
        clears = value is None and not kind.needed
        wired[key] = None if clears else kind.wire(value, f"{prefix}{key}")
    missing = [key for key in (needed_of(fields) if needed is None else needed) if key not in wired]
    if missing:
        raise UsageError(f"{name or 'the call'} needs {' and '.join(missing)}")
    return wired


# --- the kinds that the catalogue's types become ---------------------------------------------------------------------


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes | bytearray | memoryview)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and not _SURROGATE.search(value) else None


def _texts(value: Any) -> str | None:
    return _joined(value, _text) if _is_list(value) else _text(value)


def _ids_or_texts(value: Any) -> str | None:
    return _joined(value, _id_or_text) if _is_list(value) else _text(value)


def _joined(values: Iterable[Any], accept: Callable[[Any], str | None]) -> str | None:
    """Texts joined by commas; None when one is not accepted, or holds a comma."""
    texts = [accept(member_value(value)) for value in values]
    joinable = [text for text in texts if text is not None and "," not in text]
    return ",".join(joinable) if len(joinable) == len(texts) else None


def _id_or_text(value: Any) -> str | None:
    return _text(value) if _integer(value) is None else str(value)


def _integer(value: Any) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _NUMBER_BITS
    return value if fits else None


def _number(value: Any) -> int | float | None:
    if isinstance(value, Decimal):
        value = float(value) if value.is_finite() else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _integer(value)


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _field_value(value: Any) -> str | int | list[str | int] | None:
    if isinstance(value, date):
        return _day(value)
    if not _is_list(value):
        return _text_or_integer(value)
    parts = [_text_or_integer(_plain_member(part)) for part in value]
    return None if None in parts else [part for part in parts if part is not None]


def _text_or_integer(value: Any) -> str | int | None:
    return _text(value) if isinstance(value, str) else _integer(value)


def _day(value: Any) -> str | None:
    if isinstance(value, date):
        return None if isinstance(value, datetime) else value.isoformat()
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        return None


def _instant(value: Any) -> str | None:
    if not isinstance(value, datetime):
        try:
            value = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return None
    return value.isoformat() if value.utcoffset() is not None else None


def _identifier(value: Any) -> int | str | None:
    if type(value) is int and 0 <= value < 10**_NUMBER_DIGITS:
        return value
    try:
        text = check_id(value)
    except UsageError:
        return None
    is_number = text.isdigit() and len(text) <= _NUMBER_DIGITS and (text == "0" or text[0] != "0")
    return int(text) if is_number else text


def _identifier_text(value: Any) -> str | None:
    accepted = _identifier(value)
    return None if accepted is None else str(value)


TEXT: Final = Scalar("text", _text)
TEXTS: Final = Scalar("text, or a list of texts without commas", _texts)
ID_TEXTS: Final = Scalar("text, or a list of ids or texts without commas", _ids_or_texts)
INTEGER: Final = Scalar("a whole number of at most 64 bits", _integer)
NUMBER: Final = Scalar("a finite number", _number)
BOOLEAN: Final = Scalar("True or False", _boolean)
DAY: Final = Scalar("a date (or its ISO 8601 text; of a datetime take .date())", _day)
INSTANT: Final = Scalar("a datetime with a time zone (or its ISO 8601 text)", _instant)
VALUE: Final = Scalar("text, a whole number, a date, or a list of whole numbers and texts", _field_value)
"""The value of a custom field, whatever its kind: money is ``[cents, "EUR"]``, and choices are a list of their ids."""
ID: Final = Scalar("an id such as 42 or '42'", _identifier)
ID_TEXT: Final = Scalar("an id such as 42 or '42'", _identifier_text)
IDS: Final = Array(ID)
FILE: Final = File()


def query_text(value: Any) -> str:
    """The text of a filter's JSON value in a query."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return ",".join(map(query_text, value))
        case _:
            return str(value)
