"""What the objects of a collection are sent with, learnt from those that came, so that the next are decoded by it.

`entity.fill` reads an object whatever it carries, and decides for each of its attributes how that is read and where it
goes. But the objects that a program asks for resemble each other. A layout is what they have in common: it gives
msgspec a type to decode them as, ids and dates checked, and says how one becomes an entity, as a function written down
once, as attrs writes an `__init__`. For participations that are all sent with their id, their role, their user and
something that nobody knows, some of them with their creation too, it is::

    def read(begun, objects, at_hand, rest):
        users = at_hand.get("users", {})
        for entity, one in zip(begun, objects):
            value_0, entity.role, value_2, value_3, value_4 = values_of(one)
            entity.user_id = value_2
            target = users.get(value_2)
            if target is not None:
                entity.user = target
            elif value_2 is not None:
                rest.unlinked.append(entity)
            if value_4 is not UNSET:
                entity.created_at = value_4
            entity._extra = {names[3]: value_3}
            entity.__class__ = cls
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from functools import cache, cached_property
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, Final, TypeAlias

import attrs
import msgspec

from .association import Association, Links
from .entity import Entity, Note, fill, read_value
from .reading import Ref, read_day, read_id, read_ids, read_instant, read_ref

AtHand: TypeAlias = Mapping[str, Mapping[str, Entity]]
"""The entities that others can be linked to, by collection and id."""

_MOST_NAMES: Final = 512
"""Attributes of one layout; objects that go on to bring others are read each for itself."""

_UNKNOWN: Final = ("id",)
"""The attributes of a layout that has seen none but the id: it does not say that objects lack the others."""

_NO_NAME: Final = re.compile(r'["\\\x00-\x1f]')
"""What msgspec takes in no name of a field."""

_DECODED: Final[Mapping[Any, Any]] = {
    read_id: str | None,
    read_ids: tuple[str, ...] | None,
    read_instant: Annotated[datetime, msgspec.Meta(tz=True)] | None,
    read_day: date | None,
}
"""What msgspec decodes where an attribute is read so: the same values, from the plainest form that they come in."""


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
        """Read an object whatever it carries."""
        self.notes += fill(entity, entity.id, raw)
        self.partly.append(entity)

    def value(self, entity: Entity, name: str, raw: Any) -> Any:
        """Read an attribute whatever it is."""
        value, note = read_value(entity, entity.id, name, raw)
        if note is not None:
            self.notes.append(note)
        return value


Begin: TypeAlias = Callable[[Mapping[str, Any], Links, Rest], dict[str, Entity]]
Read: TypeAlias = Callable[[Iterable[Entity], Iterable[Any], AtHand, Rest], None]


@attrs.frozen(slots=False)
class Layout:
    """The attributes that the objects of a class are sent with.

    Attributes:
        cls: of the objects.
        names: of all attributes that came so far, in the order they come.
        sometimes: those that some objects lack.
        otherwise: those that came in another form than the decoder takes.
    """

    cls: type[Entity]
    names: tuple[str, ...] = _UNKNOWN
    sometimes: frozenset[str] = frozenset()
    otherwise: frozenset[str] = frozenset()

    def learn(self, objects: Collection[Mapping[str, Any]]) -> Layout | None:
        """The layout of these objects and of those before them; None where there can be none."""
        if not objects:
            return self
        names = tuple(dict.fromkeys(chain(self.names, max(objects, key=len), *objects)))
        always = set(names if self.names == _UNKNOWN else self.names).difference(self.sometimes).intersection(*objects)
        odd = {name for name in names if not self._fits(name, [one[name] for one in objects if name in one])}
        if "id" not in always - odd or len(names) > _MOST_NAMES or any(map(_NO_NAME.search, names)):
            return None
        return Layout(self.cls, names, frozenset(names) - always, self.otherwise | odd)

    def _fits(self, name: str, values: list[Any]) -> bool:
        try:
            msgspec.convert(values, list[self.decoded(name)])  # type: ignore[misc]  # known at run time alone
        except ValueError:
            return False
        return True

    def decoded(self, name: str) -> Any:
        """What an attribute is decoded as."""
        if name == "id":
            return str
        attribute = self.cls.attributes.get(name)
        return Any if attribute is None or name in self.otherwise else _DECODED.get(attribute.read, Any)

    @cached_property
    def type(self) -> Any:
        """What an object is decoded as: these attributes, and no others."""
        absent = {name: msgspec.UNSET for name in self.sometimes}
        return record_type(self.cls.__name__, {name: self.decoded(name) for name in self.names}, absent)

    def name_themselves(self, objects: Mapping[str, Any]) -> bool:
        """Whether objects as decoded say the ids under which they are."""
        return list(map(self._id_of, objects.values())) == list(objects)

    @cached_property
    def _id_of(self) -> Callable[[Any], str]:
        return attrgetter(f"value_{self.names.index('id')}")

    @cached_property
    def begin(self) -> Begin:
        """What makes entities of which only the ids are there yet; whole ones of objects that refer to no others."""
        return self._compiled("begin", _begin_source(self))

    @cached_property
    def read(self) -> Read:
        """What makes whole entities of those begun, and links them."""
        return self._compiled("read", _read_source(self))

    def _compiled(self, name: str, lines: Iterable[str]) -> Any:
        known: dict[str, Any] = {
            "cls": self.cls,
            "draft": _draft_of(self.cls),  # type: ignore[arg-type]  # mypy confuses its hash
            "names": self.names,
            "values_of": msgspec.structs.astuple,
            "UNSET": msgspec.UNSET,
            "Ref": Ref,
        }
        exec("\n".join(lines), known)  # noqa: S102 - its names are those of the class
        return known[name]

    @cached_property
    def refers(self) -> bool:
        """Whether an object may refer to others."""
        return not self.cls.links.keys().isdisjoint(self.names)

    def renew(self, entity: Entity, one: Any, rest: Rest) -> None:
        """Store what an object as decoded carries over what an entity does."""
        rest.read(entity, msgspec.to_builtins(one))


def record_type(name: str, fields: Mapping[str, Any], absent: Mapping[str, Any]) -> Any:
    """A type to decode JSON objects as: of these fields and no others, those that may be `absent` with what they are.

    Its fields are called by their places, as the names in JSON may be anything.
    """
    places = {field: f"value_{place}" for place, field in enumerate(fields)}
    return msgspec.defstruct(
        name,
        [
            (places[field], decoded, absent[field]) if field in absent else (places[field], decoded)
            for field, decoded in fields.items()
        ],
        rename={place: field for field, place in places.items()},
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )


def _begin_source(layout: Layout) -> list[str]:
    """The lines of `begin`."""
    return [
        "def begin(objects, origin, rest):",
        "    begun = {}",
        "    for id, one in objects.items():",
        "        begun[id] = entity = draft()",
        "        entity.id = id",
        "        entity._origin = origin",
        *([] if layout.refers else _indented(_indented(_finishing(layout)))),
        "    return begun",
    ]


def _read_source(layout: Layout) -> list[str]:
    """The lines of `read`."""
    if not layout.refers:
        return ["def read(begun, objects, at_hand, rest):", "    pass"]
    links = layout.cls.links
    keys = {links[name].key for name in layout.names if name in links}
    return [
        "def read(begun, objects, at_hand, rest):",
        *(f"    {key} = at_hand.get({key!r}, {{}})" for key in sorted(filter(None, keys))),
        "    for entity, one in zip(begun, objects):",
        *_indented(_indented(_finishing(layout))),
    ]


def _finishing(layout: Layout) -> list[str]:
    """The lines that make `entity` whole, of `one`."""
    targets: list[str] = []
    stores: list[str] = []
    unknown: list[int] = []
    for place, name in enumerate(layout.names):
        value = f"value_{place}"
        if name not in layout.cls.attributes:
            targets.append(value)
            unknown.append(place)
            continue
        lines = [] if name == "id" else _storing(layout, name, value)
        if name in layout.sometimes:
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
        *_storing_unknown(layout, unknown),
        "entity.__class__ = cls",
    ]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _storing(layout: Layout, name: str, value: str) -> list[str]:
    """The lines that store one attribute, and link the entity to what it refers to."""
    read = layout.cls.attributes[name].read
    association = layout.cls.links.get(name)
    if read is not None and layout.decoded(name) is Any:
        stored = f"entity.{name} = {value} = rest.value(entity, {name!r}, {value})"
        return [stored] if association is None else [stored, *_linking_read(read, value, association)]
    if association is None:
        return [f"entity.{name} = {value}"]
    return (_linking_many if read is read_ids else _linking_one)(name, value, association)


def _linking_one(name: str, value: str, association: Association) -> list[str]:
    return [
        f"entity.{name} = {value}",
        f"target = {association.key}.get({value})",
        "if target is not None:",
        f"    entity.{association.name} = target",
        f"elif {value} is not None:",
        "    rest.unlinked.append(entity)",
    ]


def _linking_many(name: str, value: str, association: Association) -> list[str]:
    return [
        f"entity.{name} = {value}",
        f"if {value} is not None:",
        "    try:",
        f"        entity.{association.name} = tuple([{association.key}[id] for id in {value}])",
        "    except KeyError:",
        f"        (rest.unlinked if {association.key}.keys().isdisjoint({value}) else rest.partly).append(entity)",
    ]


def _linking_read(read: Callable[[Any], Any], value: str, association: Association) -> list[str]:
    if read is not read_ref:
        return ["rest.partly.append(entity)"]
    return [
        f"if type({value}) is Ref:",
        f"    target = at_hand.get({value}.key, {{}}).get({value}.id)",
        "    if target is not None:",
        f"        entity.{association.name} = target",
        "    else:",
        "        rest.unlinked.append(entity)",
    ]


def _storing_unknown(layout: Layout, places: list[int]) -> list[str]:
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
    """A class with the slots of another one, which it does not guard: an entity before it is frozen."""
    unguarded = {
        "__slots__": (),
        "__init__": object.__init__,
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,
    }
    return type(cls.__name__, (cls,), unguarded)
