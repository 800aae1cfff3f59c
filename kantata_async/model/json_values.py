"""Single values of an answer: from JSON into Python, and as an error message shows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, NamedTuple, TypeAlias

import msgspec

from ..printable import escaped

Instant: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
"""A point in time with its offset, as msgspec decodes it."""

Redact: TypeAlias = Callable[[str], str]
"""Replaces the secrets in a text."""

_SHOWN_LENGTH: Final = 60
_REDACTED_LENGTH: Final = 1 << 16
"""How much of a text is redacted before it is cut: enough that no secret is cut in two within what is shown."""

_ID_BITS: Final = 128


class Ref(NamedTuple):
    """A polymorphic reference: the collection of an object, and its id."""

    key: str
    id: str


def parse_json(text: bytes | bytearray | memoryview | str) -> Any:
    """What JSON says, integers of any size included.

    Raises:
        ValueError: `text` is no JSON, holds a number that no float can, or is nested deeper than Python can follow.
            Its message quotes nothing of the text.
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        fault = _fault_of(text, error)
    except UnicodeError:
        fault = "not UTF-8"
    except RecursionError:
        fault = "nested too deep"
    # Raised outside the handler: the decoder's error may hold the whole text, and must not be the context.
    raise ValueError(fault)


def _fault_of(text: bytes | bytearray | memoryview | str, error: msgspec.DecodeError) -> str:
    """Why the decoder refuses a text; its length where the decoder names no place in it."""
    fault = str(error).removeprefix("JSON is malformed: ").lower()
    return f"{fault} (its length is {len(text)})" if "truncated" in fault else fault


def brief_repr(value: object, redact: Redact = str) -> str:
    """A value as an error message shows it: cut, and whatever an answer may hold (nested deep, a number too long).

    `redact` replaces the secrets in it before it is cut.
    """
    try:
        shown = repr(value)
    except (ValueError, RecursionError):
        return f"<{type(value).__name__} too large to show>"
    except Exception:  # noqa: BLE001 - a class of the program's may raise anything here
        return f"<{type(value).__name__} that cannot be shown>"
    return _cut(redact(shown[:_REDACTED_LENGTH]))


def brief_text(text: str, redact: Redact = str) -> str:
    """A name or an id of an answer's as an error message shows it: as `brief_repr`, control characters escaped."""
    start = redact(text[:_REDACTED_LENGTH])[: _SHOWN_LENGTH + 1]
    return _cut(escaped(start))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 1]}…"


def read_id(value: object) -> str:
    """An id as str.

    Raises:
        TypeError: the value is neither str nor int.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _ID_BITS:
        return str(value)
    raise TypeError(f"an id is a string, not {brief_repr(value)}")


def read_ids(value: object) -> tuple[str, ...]:
    """A list of ids as a tuple of str.

    Raises:
        TypeError: the value is no list of ids.
    """
    if not isinstance(value, list | tuple | set | frozenset):
        raise TypeError(f"ids come as a list, not {brief_repr(value)}")
    try:
        "".join(value)
    except TypeError:  # only texts can be joined
        return tuple(map(read_id, value))
    return tuple(value)


def read_instant(value: Any) -> datetime:
    """A point in time; without an offset it is taken as UTC.

    One finer than a microsecond is rounded as msgspec rounds it, whether or not msgspec reads it.

    Raises:
        TypeError: the value is neither text nor a datetime.
        ValueError: the text is no point in time.
    """
    try:
        return msgspec.convert(value, Instant)
    except msgspec.ValidationError:
        pass
    instant = value if isinstance(value, datetime) else datetime.fromisoformat(str.upper(value))
    if instant.tzinfo is not None:
        return instant
    if isinstance(value, str) and len(value) <= len("2026-W01-1"):
        raise ValueError("a date without a time")
    return instant.replace(tzinfo=UTC)


def read_day(value: Any) -> date:
    """A date, or a point in time where that is what came.

    Raises:
        TypeError: the value is neither text nor a date.
        ValueError: the text is neither a date nor a point in time.
    """
    if isinstance(value, date):
        return read_instant(value) if isinstance(value, datetime) else value
    try:
        return date.fromisoformat(value)
    except ValueError:
        return read_instant(value)


def read_ref(value: object) -> Ref:
    """A polymorphic reference.

    Raises:
        TypeError: the value is no object with key and id.
    """
    if isinstance(value, Ref):
        return value
    if not isinstance(value, dict) or not isinstance(value.get("key"), str):
        raise TypeError(f"a reference is an object with key and id, not {brief_repr(value)}")
    return Ref(value["key"], read_id(value.get("id")))
