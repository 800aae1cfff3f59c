"""Single values of an answer: as JSON has them, as Python has them, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

_TOLD_WIDTH: Final = 60
_ID_BITS: Final = 128


class Ref(NamedTuple):
    """A polymorphic reference: the collection of an object, and its id."""

    key: str
    id: str


def told(value: object) -> str:
    """A value as an error message shows it: cut, and whatever an answer may hold (nested deep, a number too long)."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"<{type(value).__name__} too large to show>"
    return text if len(text) <= _TOLD_WIDTH else f"{text[: _TOLD_WIDTH - 1]}…"


def read_id(value: object) -> str:
    """An id as str. Raises TypeError for what is neither str nor int."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _ID_BITS:
        return str(value)
    raise TypeError(f"an id is a string, not {told(value)}")


def read_ids(value: object) -> tuple[str, ...]:
    """A list of ids as a tuple of str. Raises TypeError for what is no list of ids."""
    if not isinstance(value, list):
        raise TypeError(f"ids come as a list, not {told(value)}")
    try:
        "".join(value)
    except TypeError:  # only texts can be joined
        return tuple(map(read_id, value))
    return tuple(value)


def read_instant(value: str) -> datetime:
    """A point in time; without an offset it is taken as UTC. Raises TypeError or ValueError for what is none."""
    # RFC 3339 allows t and z in small letters.
    instant = datetime.fromisoformat(str.upper(value))
    if instant.tzinfo is not None:
        return instant
    if len(value) <= len("2026-W01-1"):
        raise ValueError("a date without a time")
    return instant.replace(tzinfo=UTC)


def read_day(value: str) -> date:
    """A date, or a point in time where that is what came. Raises TypeError or ValueError for what is neither."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        return read_instant(value)


def read_ref(value: object) -> Ref:
    """A polymorphic reference. Raises TypeError for what is none."""
    if not isinstance(value, dict) or not isinstance(value.get("key"), str):
        raise TypeError(f"a reference is an object with key and id, not {told(value)}")
    return Ref(value["key"], read_id(value.get("id")))


def written(value: Any) -> Any:
    """A value as JSON would carry it; containers are copied so that nobody can change an entity through them."""
    match value:
        case dict():
            return {name: written(part) for name, part in value.items()}
        case Ref():
            return value._asdict()
        case list() | tuple():
            return [written(part) for part in value]
        case date():
            return value.isoformat()
        case _:
            return value
