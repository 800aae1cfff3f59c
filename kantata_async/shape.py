"""The objects of a page, read by functions made for their shape: most of them carry the same attributes.

`entity.fill` reads an object of any shape, and decides for each attribute how it is read and where it goes. Here that
is decided once for a shape, the names of the attributes, and written down as a function, as attrs writes an `__init__`.
For participations that are sent with their id, their role, their creation, their user and something that nobody knows,
it is::

    def read(begun, at_hand, rest):
        get_users = at_hand.get("users", {}).get
        for entity, raw in begun:
            if len(raw) != 5:
                return entity, raw
            try:
                _, entity.role, value_2, value_3, value_4 = values(raw)
                if value_2 is None:
                    entity.created_at = None
                else:
                    entity.created_at = moment = instant(value_2)
                    if moment.tzinfo is None:
                        raise ValueError
                target = get_users(value_3)
                if target is not None:
                    entity.user = target
                    entity.user_id = target.id
                elif value_3 is None:
                    entity.user_id = None
                elif type(value_3) is str:
                    entity.user_id = value_3
                    rest.unlinked.append(entity)
                else:
                    raise TypeError
                entity._extra = {names[4]: value_4}
            except KeyError:
                return entity, raw
            except (TypeError, ValueError, OverflowError):
                rest.read(entity, raw)
            entity.__class__ = cls
        return None

It gives back the first object that has another shape. A value that it cannot read makes it read the object carefully,
with `fill`. The id of a linked object is that object's own, so that all that refer to it share one text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, Final, TypeAlias

import attrs

from .association import Association, Links
from .entity import Entity, Note, fill
from .reading import read_day, read_id, read_ids, read_instant

Begun: TypeAlias = tuple[Entity, Mapping[str, Any]]
"""An entity of which only the id is there yet, and the object that it is to be."""

AtHand: TypeAlias = Mapping[str, Mapping[str, Entity]]
"""The entities that others can be linked to, by collection and id."""

_MOST_SHAPES: Final = 512
"""Functions kept: a few for each class that a program reads, however odd the answers."""


@attrs.define
class Rest:
    """What is left to do for the entities of an answer.

    Attributes:
        notes: of attributes that were kept as they came.
        unlinked: the entities of which some association is not at hand.
        partly: those to be linked with care: something of an association is at hand, and something is not.
    """

    notes: list[Note] = attrs.field(factory=list)
    unlinked: list[Entity] = attrs.field(factory=list)
    partly: list[Entity] = attrs.field(factory=list)

    def read(self, entity: Entity, raw: Mapping[str, Any]) -> None:
        """Read an object of any shape."""
        self.notes += fill(entity, entity.id, raw)
        self.partly.append(entity)


Read: TypeAlias = Callable[[Iterable[Begun], AtHand, Rest], Begun | None]


def begin_all(cls: type[Entity], ids: Iterable[str], origin: Links) -> dict[str, Entity]:
    """Entities of which only the ids are there yet, by id, so that they can be linked; `fill_all` does the rest."""
    draft = _draft_of(cls)  # type: ignore[arg-type]  # mypy confuses its hash
    begun: dict[str, Entity] = {}
    for id in ids:
        begun[id] = entity = draft()
        entity.id = id  # type: ignore[misc]  # a draft is not frozen
        entity._origin = origin  # type: ignore[misc]
    return begun


def fill_all(
    cls: type[Entity], begun: Iterable[Entity], objects: Iterable[Mapping[str, Any]], at_hand: AtHand, rest: Rest
) -> None:
    """Finish what `begin_all` began, in the same order, and link it to what is at hand."""
    others = zip(begun, objects, strict=True)
    odd = next(others, None)
    while odd is not None:
        read = _reader_of(cls, tuple(odd[1]))  # type: ignore[arg-type]  # the same
        read((odd,), at_hand, rest)
        odd = read(others, at_hand, rest)


@lru_cache(_MOST_SHAPES)
def _reader_of(cls: type[Entity], names: Sequence[str]) -> Read:
    """The function that reads objects with these attributes."""
    known: dict[str, Any] = {
        "cls": cls,
        "names": names,
        "read_id": read_id,
        "instant": datetime.fromisoformat,
        "day": date.fromisoformat,
        "join": "".join,
        "values": _values_of(names),
    }
    exec("\n".join(_source(cls, names, known)), known)  # noqa: S102 - its names are those of the class
    read: Read = known["read"]
    return read


def _values_of(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """What takes the values of these attributes out of an object; KeyError where one is missing."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda raw: tuple(raw[name] for name in names)


def _source(cls: type[Entity], names: Sequence[str], known: dict[str, Any]) -> list[str]:
    """The lines of `read`; what they call is added to `known`."""
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
            targets.append(f"entity.{name}")
        else:
            targets.append(value)
            known[f"read_{name}"] = attribute.read
            stores += _storing(name, value, attribute.read, cls.links.get(name))
    if extra:
        stores.append(f"entity._extra = {{{', '.join(extra)}}}")
    keys = {cls.links[name].key for name in names if name in cls.links}
    return [
        "def read(begun, at_hand, rest):",
        *(f"    get_{key} = at_hand.get({key!r}, {{}}).get" for key in sorted(filter(None, keys))),
        "    for entity, raw in begun:",
        f"        if len(raw) != {len(names)}:",
        "            return entity, raw",
        "        try:",
        *([f"            {', '.join(targets)}, = values(raw)"] if targets else ["            pass"]),
        *(f"            {line}" for line in stores),
        "        except KeyError:",
        "            return entity, raw",
        "        except (TypeError, ValueError, OverflowError):",
        "            rest.read(entity, raw)",
        "        entity.__class__ = cls",
        "    return None",
    ]


def _storing(name: str, value: str, read: Callable[[Any], Any], association: Association | None) -> list[str]:
    """The lines that store one attribute, and link the entity to what it refers to."""
    if read is read_instant:
        return [
            f"if {value} is None:",
            f"    entity.{name} = None",
            "else:",
            f"    entity.{name} = moment = instant({value})",
            "    if moment.tzinfo is None:",
            "        raise ValueError",
        ]
    if read is read_ids:
        return [
            f"if {value} is None:",
            f"    entity.{name} = None",
            f"elif type({value}) is list:",
            *(_storing_ids(name, value) if association is None else _linking_many(name, value, association)),
            "else:",
            "    raise TypeError",
        ]
    if read is read_id:
        if association is not None:
            return _linking_one(name, value, association)
        return [f"entity.{name} = {value} if {value} is None or type({value}) is str else read_id({value})"]
    quick = "day" if read is read_day else f"read_{name}"
    stored = f"entity.{name} = {value} = None if {value} is None else {quick}({value})"
    return [stored] if association is None else [stored, *_linking_any(value, association)]


def _linking_one(name: str, value: str, association: Association) -> list[str]:
    return [
        f"target = get_{association.key}({value})",
        "if target is not None:",
        f"    entity.{association.name} = target",
        f"    entity.{name} = target.id",
        f"elif {value} is None:",
        f"    entity.{name} = None",
        f"elif type({value}) is str:",
        f"    entity.{name} = {value}",
        "    rest.unlinked.append(entity)",
        "else:",
        "    raise TypeError",
    ]


def _storing_ids(name: str, value: str) -> list[str]:
    return [f"    join({value})", f"    entity.{name} = tuple({value})"]


def _linking_many(name: str, value: str, association: Association) -> list[str]:
    return [
        f"    targets = tuple(map(get_{association.key}, {value}))",
        "    if all(targets):",
        f"        entity.{association.name} = targets",
        f"        entity.{name} = tuple({value})",
        "    else:",
        *(f"    {line}" for line in _storing_ids(name, value)),
        "        (rest.partly if any(targets) else rest.unlinked).append(entity)",
    ]


def _linking_any(value: str, association: Association) -> list[str]:
    return [
        f"if {value} is not None:",
        f"    target = at_hand.get({value}.key, {{}}).get({value}.id)",
        "    if target is None:",
        "        rest.unlinked.append(entity)",
        "    else:",
        f"        entity.{association.name} = target",
    ]


@cache
def _draft_of(cls: type[Entity]) -> type[Entity]:
    """A class with the slots of another one, which it does not guard: an entity before it is frozen."""
    unguarded = {
        "__slots__": (),
        "__init__": object.__init__,
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,
    }
    return type(cls.__name__, (cls,), unguarded)
