"""The objects of a page, read by functions made for their shape: most of them carry the same attributes.

`entity.fill` reads an object of any shape, and decides for each attribute how it is read and where it goes. Here that
is decided once for a shape, the names of the attributes, and written down as a function, as attrs writes an `__init__`.
For participations that are sent with their id, their role, their creation and something that nobody knows, it is::

    def make(id, raw, graph):
        if len(raw) != 4:
            raise LookupError
        draft = new(Draft)
        _, draft.role, value_2, value_3 = values(raw)
        draft.created_at = None if value_2 is None else read_created_at(value_2)
        draft.id = id
        draft._graph = graph
        draft._extra = {names[3]: value_3}
        draft.__class__ = cls
        return draft

It raises an error for an object of another shape and for a value that cannot be read: `fill` knows what to do then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, TypeAlias

from .entity import Entity, Links, Note, build, read_id

Make: TypeAlias = Callable[[str, Mapping[str, Any], Links], Entity]

_UNFIT: Final = (LookupError, TypeError, ValueError, OverflowError)
_MOST_SHAPES: Final = 512
"""Functions kept: a few for each class that a program reads, however odd the answers."""


def build_all(
    cls: type[Entity], objects: Mapping[str, Mapping[str, Any]], graph: Links, held: dict[str, Entity]
) -> list[Note]:
    """Make the entities of objects by id and put them into `held`; the notes are those of `build`."""
    notes: list[Note] = []
    make = _make_of(cls, tuple(next(iter(objects.values()), ())))  # type: ignore[arg-type]  # mypy confuses its hash
    for id, raw in objects.items():
        try:
            held[id] = make(id, raw, graph)
        except _UNFIT:
            make = _make_of(cls, tuple(raw))  # type: ignore[arg-type]
            held[id] = _build_one(make, cls, id, raw, graph, notes)
    return notes


def _build_one(
    make: Make, cls: type[Entity], id: str, raw: Mapping[str, Any], graph: Links, notes: list[Note]
) -> Entity:
    try:
        return make(id, raw, graph)
    except _UNFIT:
        made, told = build(cls, id, raw, graph)
        notes += told
        return made


def _refuse(id: str, raw: Mapping[str, Any], graph: Links) -> Entity:
    raise LookupError


@lru_cache(_MOST_SHAPES)
def _make_of(cls: type[Entity], names: Sequence[str]) -> Make:
    """The function that makes entities of objects with these attributes."""
    if len(names) < 2:
        return _refuse  # an itemgetter gives a tuple for two names or more
    known: dict[str, Any] = {
        "cls": cls,
        "Draft": _draft_of(cls),
        "names": names,
        "new": object.__new__,
        "values": itemgetter(*names),
        "read_id": read_id,
    }
    exec("\n".join(_source(cls, names, known)), known)  # noqa: S102 - its names are those of the class
    make: Make = known["make"]
    return make


def _source(cls: type[Entity], names: Sequence[str], known: dict[str, Any]) -> list[str]:
    """The lines of `make`; what they call is added to `known`."""
    targets: list[str] = []
    stores: list[str] = []
    extra: list[str] = []
    for place, name in enumerate(names):
        value = f"value_{place}"
        attribute = cls.attributes.get(name)
        if name == "id":
            targets.append("_")
        elif attribute is None:
            targets.append(value)
            extra.append(f"names[{place}]: {value}")
        elif attribute.read is None:
            targets.append(f"draft.{name}")
        elif attribute.read is read_id:
            targets.append(value)
            stores.append(f"draft.{name} = {value} if {value} is None or type({value}) is str else read_id({value})")
        else:
            known[f"read_{name}"] = attribute.read
            targets.append(value)
            stores.append(f"draft.{name} = None if {value} is None else read_{name}({value})")
    if extra:
        stores.append(f"draft._extra = {{{', '.join(extra)}}}")
    body = [
        f"if len(raw) != {len(names)}:",
        "    raise LookupError",
        "draft = new(Draft)",
        f"{', '.join(targets)} = values(raw)",
        *stores,
        "draft.id = id",
        "draft._graph = graph",
        "draft.__class__ = cls",
        "return draft",
    ]
    return ["def make(id, raw, graph):", *(f"    {line}" for line in body)]


def _draft_of(cls: type[Entity]) -> type[Entity]:
    """A class with the slots of another one, which it does not guard: an entity before it is frozen."""
    unguarded = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(cls.__name__, (cls,), unguarded)
