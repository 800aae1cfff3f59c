"""The attributes that an entity class declares: how each is read from JSON, and what to ask for when it is missing.

The generated classes in `api/` are made of the pieces here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, TypeVar, Union

import attrs

from .association import Association, Many, One
from .json_values import read_day, read_id, read_ids, read_instant, read_ref
from .nesting import flattened, restored

T = TypeVar("T")

Nullable: TypeAlias = Union[T, Any]  # noqa: UP007 - mypy takes no other spelling of a generic alias
"""A value, or None where the API said null. Any attribute may be null, few ever are: a type checker knows the
attributes of the value and leaves it to you where None matters (the convention of typeshed for such results)."""


@attrs.frozen
class Note:
    """An attribute that could not be read as the catalogue says, and was kept as it came."""

    collection: str
    id: str
    attribute: str
    value: Any
    reason: str

    def __reduce__(self) -> tuple[Callable[..., Note], tuple[Any, ...]]:
        return _note, (self.collection, self.id, self.attribute, flattened(self.value), self.reason)


def _note(collection: str, id: str, attribute: str, value: Any, reason: str) -> Note:
    return Note(collection, id, attribute, restored(value), reason)


@attrs.frozen
class Attribute:
    """How one attribute is read from the wire, and what to ask for when it is missing."""

    read: Callable[[Any], Any] | None = None
    optional: bool = False
    include: str | None = None

    def reading(self, value: Any) -> tuple[Any, str | None]:
        """A value as the catalogue reads it; or as it came, and why it could not be read."""
        if self.read is None or value is None:
            return value, None
        try:
            return self.read(value), None
        except (TypeError, ValueError, OverflowError) as error:
            return value, str(error)


def plain(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """An attribute kept as it comes."""
    return _field(Attribute(optional=optional, include=include), init=init)


def identifier(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """An id: always str, whether it comes as a string or a number."""
    return _field(Attribute(read_id, optional=optional, include=include), init=init)


def identifiers(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """A list of ids: a tuple of str."""
    return _field(Attribute(read_ids, optional=optional, include=include), init=init)


def instant(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """A point in time: an aware datetime; one that comes without an offset is taken as UTC."""
    return _field(Attribute(read_instant, optional=optional, include=include), init=init)


def day(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """A date; where the API sends a point in time instead, that (a datetime is a date too)."""
    return _field(Attribute(read_day, optional=optional, include=include), init=init)


def reference(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """A polymorphic reference: a `Ref`."""
    return _field(Attribute(read_ref, optional=optional, include=include), init=init)


def nested(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """An object or a list inside the object, kept as it comes."""
    return _field(Attribute(optional=optional, include=include), init=init)


def one(ref: str, key: str | None, *, variant: str | None = None, init: Literal[False] = False) -> Any:
    """An association with one object: see `One`."""
    return attrs.field(init=init, metadata={Association: One(ref, key, variant)})


def many(ref: str, key: str, *, variant: str | None = None, init: Literal[False] = False) -> Any:
    """An association with any number of objects: see `Many`."""
    return attrs.field(init=init, metadata={Association: Many(ref, key, variant)})


def _field(attribute: Attribute, *, init: bool) -> Any:
    return attrs.field(init=init, metadata={Attribute: attribute})
