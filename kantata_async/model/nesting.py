"""Values nested however deep: copied, and laid out flat for code that recurses and cannot go deep.

Python allows a thousand calls inside each other; what an answer nests may come close to that. So nothing here calls
itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final, NamedTuple

from .json_values import Ref

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


def plain_copy(value: Any, *, dates: bool = False) -> Any:
    """A value as JSON carries it, its containers copied so that nobody can change an entity through them.

    `dates`: leave dates and points in time as Python has them, instead of ISO 8601 text.
    """
    if type(value) in _SCALARS:
        return value
    copies: dict[int, Any] = {}
    holder = [_copied(value, copies, dates=dates)]
    waiting = list(copies.values())
    while waiting:
        container = waiting.pop()
        for place, part in _places(container):
            if type(part) in _SCALARS:
                continue
            known = len(copies)
            container[place] = _copied(part, copies, dates=dates)
            if len(copies) > known:
                waiting.append(container[place])
    return holder[0]


def _copied(value: Any, copies: dict[int, Any], *, dates: bool) -> Any:
    """A value of plain data, what is inside it as it was; `copies` are the containers so far, by what they are of."""
    match value:
        case date():
            return value if dates else value.isoformat()
        case dict():
            return copies.setdefault(id(value), dict(value))
        case Ref():
            return copies.setdefault(id(value), value._asdict())
        case list() | tuple():
            return copies.setdefault(id(value), list(value))
        case _:
            return value


def _places(container: Any) -> Iterator[tuple[Any, Any]]:
    """What is inside a container, and where."""
    return iter(container.items()) if isinstance(container, dict) else enumerate(container)


class _Inner(NamedTuple):
    """Stands where a container is inside another: its place among the containers laid out."""

    place: int


class Flat(NamedTuple):
    """A value laid out flat: its containers one after the other, each with an `_Inner` for every one inside it."""

    containers: list[Any]


def flattened(value: Any) -> Any:
    """A value laid out flat, if it is a container."""
    if not isinstance(value, dict | list):
        return value
    places: dict[int, int] = {id(value): 0}
    containers = [value]
    flat: list[Any] = []
    for container in containers:
        shallow = container.copy()
        for place, part in _places(shallow):
            if isinstance(part, dict | list):
                inner = places.setdefault(id(part), len(containers))
                if inner == len(containers):
                    containers.append(part)
                shallow[place] = _Inner(inner)
        flat.append(shallow)
    return Flat(flat)


def restored(value: Any) -> Any:
    """The value that was laid out flat."""
    if not isinstance(value, Flat):
        return value
    for container in value.containers:
        for place, part in _places(container):
            if isinstance(part, _Inner):
                container[place] = value.containers[part.place]
    return value.containers[0]
