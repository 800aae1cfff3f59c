"""Entities made of the values of their attributes, by functions generated for exactly these attributes.

How each attribute is stored, and which of them refer to other objects, is decided once for all objects of a layout, and
becomes two functions, as attrs writes an `__init__`. For participations that are all sent with their id, their role,
their user and something that nobody knows, some of them with their creation too, these are::

    def begin(objects, values_of, origin):
        begun = {}
        for id in objects:
            begun[id] = entity = draft()
            entity.id = id
            entity._origin = origin
        return begun

    def finish(entities, objects, values_of, at_hand, unlinked):
        users = at_hand.get("users", {})
        for entity, one in zip(entities, objects):
            value_0, entity.role, value_2, value_3, value_4, = values_of(one)
            target = users.get(value_2)
            if target is not None:
                entity.user = target
                entity.user_id = target.id
            else:
                entity.user_id = value_2
                if value_2 is not None:
                    unlinked.entirely.append(entity)
            if value_4 is not UNSET:
                entity.created_at = value_4
            entity._extra = {names[3]: value_3}
            entity.__class__ = cls

Where objects refer to no others, they are finished as they are begun.
The id of a linked object is that object's own, so that all that refer to it share one text. What the same list of ids
is linked to is looked up once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import msgspec

from ..model import Association, Entity, Links, Ref, read_ids

if TYPE_CHECKING:
    from .object_layout import ObjectLayout

AtHand: TypeAlias = Mapping[str, Mapping[str, Entity]]
"""The entities that others can be linked to, by collection and id."""

ValuesOf: TypeAlias = Callable[[Any], tuple[Any, ...]]
"""The values of the attributes of an object, in the order of its layout, UNSET where it has none."""

Begin: TypeAlias = Callable[[Mapping[str, Any], ValuesOf, Links], dict[str, Entity]]
"""Makes entities of which only the ids are there yet, by id, so that others can be linked to them."""

Finish: TypeAlias = Callable[[Iterable[Entity], Iterable[Any], ValuesOf, AtHand, "Unlinked"], None]
"""Makes whole what was begun, of the same objects in the same order, and links it to what is at hand."""

MOST_LAYOUTS: Final = 1024
"""How many layouts a process keeps the functions of, for all its sessions."""


@attrs.define
class Unlinked:
    """The entities that refer to something that is not at hand.

    Attributes:
        entirely: those of which some association has no object at hand.
        partly: those of which some association has only some objects at hand, or must be looked at.
    """

    entirely: list[Entity] = attrs.field(factory=list)
    partly: list[Entity] = attrs.field(factory=list)


@lru_cache(maxsize=MOST_LAYOUTS)
def compiled(layout: ObjectLayout) -> tuple[Begin, Finish]:
    """The functions that make entities of objects of this layout; a process compiles them once for all its sessions."""
    known: dict[str, Any] = {
        "cls": layout.cls,
        "draft": _draft_of(layout.cls),  # type: ignore[arg-type]  # mypy confuses its hash
        "names": layout.names,
        "UNSET": msgspec.UNSET,
        "Ref": Ref,
    }
    exec("\n".join(_source(layout)), known)  # noqa: S102 - its names are those of the class
    return known["begin"], known["finish"]


def _source(layout: ObjectLayout) -> list[str]:
    """The lines of both functions."""
    finishing = _finishing(layout)
    if layout.cls.links.keys().isdisjoint(layout.names):
        return [
            "def begin(objects, values_of, origin):",
            "    begun = {}",
            "    for id, one in objects.items():",
            *_indented(_indented(_BEGINNING)),
            *_indented(_indented(finishing)),
            "    return begun",
            "def finish(entities, objects, values_of, at_hand, unlinked):",
            "    pass",
        ]
    links = layout.cls.links
    keys = {links[name].key for name in layout.names if name in links}
    return [
        "def begin(objects, values_of, origin):",
        "    begun = {}",
        "    for id in objects:",
        *_indented(_indented(_BEGINNING)),
        "    return begun",
        "def finish(entities, objects, values_of, at_hand, unlinked):",
        *(f"    {key} = at_hand.get({key!r}, {{}})" for key in sorted(filter(None, keys))),
        *(f"    linked_{name} = {{}}" for name in _linked_by_ids(layout)),
        "    for entity, one in zip(entities, objects):",
        *_indented(_indented(finishing)),
    ]


_BEGINNING: Final = ("begun[id] = entity = draft()", "entity.id = id", "entity._origin = origin")


def _finishing(layout: ObjectLayout) -> list[str]:
    """The lines that make `entity` whole, of the values of `one` object."""
    targets: list[str] = []
    stores: list[str] = []
    unknown: list[int] = []
    for place, name in enumerate(layout.names):
        value = f"value_{place}"
        lines = _storing(layout, name, value) if name in layout.cls.attributes and name != "id" else []
        if lines == [f"entity.{name} = {value}"] and name not in layout.sometimes:
            targets.append(f"entity.{name}")
            continue
        targets.append(value)
        if name not in layout.cls.attributes:
            unknown.append(place)
        elif name in layout.sometimes and lines:
            stores += [f"if {value} is not UNSET:", *_indented(lines)]
        else:
            stores += lines
    unpacking = f"{', '.join(targets)}, = values_of(one)"
    return [unpacking, *stores, *_storing_unknown(layout, unknown), "entity.__class__ = cls"]


def _linked_by_ids(layout: ObjectLayout) -> list[str]:
    """The associations with many whose ids need no second look."""
    links, attributes = layout.cls.links, layout.cls.attributes
    many = (name for name in layout.names if name in links and attributes[name].read is read_ids)
    return [links[name].name for name in many if name not in layout.loose]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _storing(layout: ObjectLayout, name: str, value: str) -> list[str]:
    """The lines that store one attribute, and link the entity to what it refers to."""
    association = layout.cls.links.get(name)
    stored = f"entity.{name} = {value}"
    if association is None:
        return [stored]
    if association.key is None:
        return [stored, *_linking_reference(value, association)]
    if name in layout.loose:
        return [stored, "unlinked.partly.append(entity)"]
    many = layout.cls.attributes[name].read is read_ids
    return (_linking_many if many else _linking_one)(name, value, association)


def _linking_one(name: str, value: str, association: Association) -> list[str]:
    return [
        f"target = {association.key}.get({value})",
        "if target is not None:",
        f"    entity.{association.name} = target",
        f"    entity.{name} = target.id",
        "else:",
        f"    entity.{name} = {value}",
        f"    if {value} is not None:",
        "        unlinked.entirely.append(entity)",
    ]


def _linking_many(name: str, value: str, association: Association) -> list[str]:
    return [
        f"entity.{name} = {value}",
        f"targets = linked_{association.name}.get({value})",
        "if targets is not None:",
        f"    entity.{association.name} = targets",
        f"elif {value} is not None:",
        "    try:",
        f"        targets = tuple([{association.key}[id] for id in {value}])",
        f"        entity.{association.name} = linked_{association.name}[{value}] = targets",
        "    except KeyError:",
        f"        nothing = {association.key}.keys().isdisjoint({value})",
        "        (unlinked.entirely if nothing else unlinked.partly).append(entity)",
    ]


def _linking_reference(value: str, association: Association) -> list[str]:
    """The lines that link by what names the collection itself, unless it could not be read."""
    return [
        f"if type({value}) is Ref:",
        f"    target = at_hand.get({value}.key, {{}}).get({value}.id)",
        "    if target is not None:",
        f"        entity.{association.name} = target",
        "    else:",
        "        unlinked.entirely.append(entity)",
    ]


def _storing_unknown(layout: ObjectLayout, places: list[int]) -> list[str]:
    """The lines that store the attributes that the catalogue does not know."""
    if not places:
        return []
    unknown = ", ".join(f"names[{place}]: value_{place}" for place in places)
    if not any(layout.names[place] in layout.sometimes for place in places):
        return [f"entity._extra = {{{unknown}}}"]
    return [
        f"unknown = {{name: value for name, value in {{{unknown}}}.items() if value is not UNSET}}",
        "if unknown:",
        "    entity._extra = unknown",
    ]


@cache
def _draft_of(cls: type[Entity]) -> type[Entity]:
    """A class with the slots of another one, but not frozen: what an entity is before it is finished."""
    unguarded = {
        "__slots__": (),
        "__init__": object.__init__,
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,
    }
    return type(cls.__name__, (cls,), unguarded)
