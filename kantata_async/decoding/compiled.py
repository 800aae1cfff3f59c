"""Objects as they were decoded made into entities, by functions written down for just what they carry.

`entity.fill` reads an object whatever it carries, and decides for each of its attributes how that is read and where it
goes. Here that is decided once for all objects that carry the same, and becomes a function, as attrs writes an
`__init__`. For participations that are all sent with their id, their role, their user and something that nobody knows,
some of them with their creation too, it is::

    def run(begun, objects, at_hand, rest):
        users = at_hand.get("users", {})
        for entity, one in zip(begun, objects):
            value_0, entity.role, value_2, value_3, value_4 = values_of(one)
            target = users.get(value_2)
            if target is not None:
                entity.user = target
                entity.user_id = target.id
            else:
                entity.user_id = value_2
                if value_2 is not None:
                    rest.unlinked.append(entity)
            if value_4 is not UNSET:
                entity.created_at = value_4
            entity._extra = {names[3]: value_3}
            entity.__class__ = cls

The id of a linked object is that object's own, so that all that refer to it share one text. What the same list of ids
is linked to is looked up once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from typing import Any

import attrs
import msgspec

from ..model import Association, Entity, Links, Ref, read_ids
from .careful import AtHand, Rest


@attrs.frozen(slots=False)
class Recipe:
    """How objects of a class become entities, and are linked.

    Attributes:
        cls: of the objects.
        names: of their attributes, in the order in which they were decoded.
        sometimes: those that may be UNSET.
        left: those that were left as JSON has them.
    """

    cls: type[Entity]
    names: tuple[str, ...]
    sometimes: frozenset[str]
    left: frozenset[str]

    @cached_property
    def begin(self) -> Callable[[Mapping[str, Any], Links, Rest], dict[str, Entity]]:
        """Makes entities of which only the ids are there yet, by id; whole ones where objects refer to no others."""
        begin: Callable[[Mapping[str, Any], Links, Rest], dict[str, Entity]] = self._compiled(_begin_source(self))
        return begin

    @cached_property
    def read(self) -> Callable[[Iterable[Entity], Iterable[Any], AtHand, Rest], None]:
        """Makes whole what was begun, of the same objects in the same order, and links it to what is at hand."""
        read: Callable[[Iterable[Entity], Iterable[Any], AtHand, Rest], None] = self._compiled(_read_source(self))
        return read

    @cached_property
    def refers(self) -> bool:
        """Whether an object may refer to others."""
        return not self.cls.links.keys().isdisjoint(self.names)

    def _compiled(self, lines: Iterable[str]) -> Any:
        """The function of these lines."""
        known: dict[str, Any] = {
            "cls": self.cls,
            "draft": _draft_of(self.cls),  # type: ignore[arg-type]  # mypy confuses its hash
            "names": self.names,
            "values_of": msgspec.structs.astuple,
            "UNSET": msgspec.UNSET,
            "Ref": Ref,
        }
        exec("\n".join(lines), known)  # noqa: S102 - its names are those of the class
        return known["run"]


def _begin_source(recipe: Recipe) -> list[str]:
    """The lines of `begin`."""
    return [
        "def run(objects, origin, rest):",
        "    begun = {}",
        "    for id, one in objects.items():",
        "        begun[id] = entity = draft()",
        "        entity.id = id",
        "        entity._origin = origin",
        *([] if recipe.refers else _indented(_indented(_finishing(recipe)))),
        "    return begun",
    ]


def _read_source(recipe: Recipe) -> list[str]:
    """The lines of `read`."""
    if not recipe.refers:
        return ["def run(begun, objects, at_hand, rest):", "    pass"]
    links = recipe.cls.links
    keys = {links[name].key for name in recipe.names if name in links}
    return [
        "def run(begun, objects, at_hand, rest):",
        *(f"    {key} = at_hand.get({key!r}, {{}})" for key in sorted(filter(None, keys))),
        *(f"    linked_{name} = {{}}" for name in _many(recipe)),
        "    for entity, one in zip(begun, objects):",
        *_indented(_indented(_finishing(recipe))),
    ]


def _many(recipe: Recipe) -> list[str]:
    """The associations with many that are linked by ids as decoded."""
    links, attributes = recipe.cls.links, recipe.cls.attributes
    many = (name for name in recipe.names if name in links and attributes[name].read is read_ids)
    return [links[name].name for name in many if name not in recipe.left]


def _finishing(recipe: Recipe) -> list[str]:
    """The lines that make `entity` whole, of `one`."""
    targets: list[str] = []
    stores: list[str] = []
    unknown: list[int] = []
    for place, name in enumerate(recipe.names):
        value = f"value_{place}"
        if name not in recipe.cls.attributes:
            targets.append(value)
            unknown.append(place)
            continue
        lines = [] if name == "id" else _storing(recipe, name, value)
        if name in recipe.sometimes:
            targets.append(value)
            stores += [f"if {value} is not UNSET:", *_indented(lines)]
        elif lines == [f"entity.{name} = {value}"]:
            targets.append(f"entity.{name}")
        else:
            targets.append(value)
            stores += lines
    return [
        f"{', '.join(targets)}, = values_of(one)",
        *stores,
        *_storing_unknown(recipe, unknown),
        "entity.__class__ = cls",
    ]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _storing(recipe: Recipe, name: str, value: str) -> list[str]:
    """The lines that store one attribute, and link the entity to what it refers to."""
    read = recipe.cls.attributes[name].read
    association = recipe.cls.links.get(name)
    if name in recipe.left:
        stored = f"entity.{name} = {value} = rest.value(entity, {name!r}, {value})"
        return [stored] if association is None else [stored, *_linking_read(value, association)]
    if association is None:
        return [f"entity.{name} = {value}"]
    return (_linking_many if read is read_ids else _linking_one)(name, value, association)


def _linking_one(name: str, value: str, association: Association) -> list[str]:
    return [
        f"target = {association.key}.get({value})",
        "if target is not None:",
        f"    entity.{association.name} = target",
        f"    entity.{name} = target.id",
        "else:",
        f"    entity.{name} = {value}",
        f"    if {value} is not None:",
        "        rest.unlinked.append(entity)",
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
        f"        (rest.unlinked if {association.key}.keys().isdisjoint({value}) else rest.partly).append(entity)",
    ]


def _linking_read(value: str, association: Association) -> list[str]:
    """The lines that link by a value read just now: it names the collection itself, or came in an odd form."""
    if association.key is not None:
        return ["rest.partly.append(entity)"]
    return [
        f"if type({value}) is Ref:",
        f"    target = at_hand.get({value}.key, {{}}).get({value}.id)",
        "    if target is not None:",
        f"        entity.{association.name} = target",
        "    else:",
        "        rest.unlinked.append(entity)",
    ]


def _storing_unknown(recipe: Recipe, places: list[int]) -> list[str]:
    """The lines that store the attributes that the catalogue does not know."""
    if not places:
        return []
    unknown = ", ".join(f"names[{place}]: value_{place}" for place in places)
    if not any(recipe.names[place] in recipe.sometimes for place in places):
        return [f"entity._extra = {{{unknown}}}"]
    return [
        f"unknown = {{name: value for name, value in {{{unknown}}}.items() if value is not UNSET}}",
        "if unknown:",
        "    entity._extra = unknown",
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
