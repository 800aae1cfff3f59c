"""Entities as rows of cells: which columns, and what they show. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from ..calls import did_you_mean, path
from ..errors import NotLoadedError, UsageError
from ..model import Entity

_LABELS: Final = ("title", "full_name", "name", "message", "description", "headline")
_MOST_CHOSEN: Final = 7
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001 - wide forms count in Japanese programs
_LINE_STARTS: Final = ("\t", "\r", "\n")


def includes_of(cls: type[Entity], columns: Iterable[str]) -> list[Any]:
    """The associations to include so that these columns can be read: ``creator`` for ``creator.full_name``.

    Raises:
        UsageError: a column is neither an attribute nor leads through associations to one.
    """
    includes: dict[str, Any] = {}
    for column in columns:
        *steps, last = column.split(".")
        known = cls.associations if steps else {**cls.attributes, **cls.associations}
        first = steps[0] if steps else last
        if first not in known:
            raise UsageError(f"{cls.__name__} has no {first!r}{did_you_mean(first, known)}")
        associations = [*steps, last] if not steps and last in cls.associations else steps
        if associations:
            includes[".".join(associations)] = path(".".join(associations))
    return list(includes.values())


def chosen_columns(entities: Sequence[Entity]) -> list[str]:
    """The columns to show where none were asked for: the id, the attributes that name the objects, and short values."""
    if not entities:
        return ["id"]
    cls = type(entities[0])
    names = [*(name for name in _LABELS if name in cls.attributes), *cls.attributes]
    chosen = ["id"]
    for name in dict.fromkeys(names):
        if len(chosen) < _MOST_CHOSEN and name not in chosen and any(_is_short(_read(one, name)) for one in entities):
            chosen.append(name)
    return chosen


def cells_of(entity: Entity, columns: Iterable[str]) -> list[str]:
    """The texts of the columns: empty for null and for what was not sent, JSON for nested values.

    Raises:
        UsageError: a column leads to an attribute that there is not.
    """
    return [cell(_read(entity, column)) for column in columns]


def cell(value: Any) -> str:
    """A value as text."""
    text: str
    match value:
        case None:
            text = ""
        case bool():
            text = "true" if value else "false"
        case date():
            text = value.isoformat()
        case str() | int() | float():
            text = str(value)
        case Entity():
            text = value.id
        case tuple() if all(isinstance(one, Entity | str) for one in value):
            text = " ".join(one.id if isinstance(one, Entity) else one for one in value)
        case _:
            text = msgspec.json.encode(value).decode()
    return text


def spreadsheet_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: what begins like a formula is quoted, unless it is a number."""
    if not text.lstrip().startswith(_FORMULA) and not text.startswith(_LINE_STARTS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def _read(entity: Any, column: str) -> Any:
    value = entity
    for step in column.split("."):
        if isinstance(value, tuple):
            value = tuple(_attribute(one, step) for one in value)
        elif value is not None:
            value = _attribute(value, step)
    return value


def _attribute(entity: Entity, name: str) -> Any:
    try:
        return getattr(entity, name)
    except NotLoadedError:
        return None
    except AttributeError as error:
        raise UsageError(str(error)) from None


def _is_short(value: Any) -> bool:
    return isinstance(value, str | int | float | date) and len(cell(value)) <= 40 and "\n" not in cell(value)
