"""What an object of the API is in Python: a frozen, slotted attrs class whose missing attributes stay missing.

A slot that the answer did not fill stays empty, so "not sent" costs nothing and cannot be mistaken for null: reading it
ends in `Entity.__getattr__`, which says what to ask for. The generated classes in `api/` are made of the pieces here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, TypeAlias, TypeVar, Union, dataclass_transform

import attrs

from ..errors import InvalidResponseError, NotLoadedError, UsageError
from .association import NOWHERE, Association, Links, Many, One
from .json_values import Ref, read_day, read_id, read_ids, read_instant, read_ref, told, written

T = TypeVar("T")
E = TypeVar("E", bound="Entity")

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


@attrs.frozen
class Attribute:
    """How one attribute is read from the wire, and what to ask for when it is missing."""

    read: Callable[[Any], Any] | None = None
    optional: bool = False
    include: str | None = None


# --- the pieces that a generated class is made of --------------------------------------------------------------------


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


# --- the classes -----------------------------------------------------------------------------------------------------

_NO_EXTRA: Final[Mapping[str, Any]] = MappingProxyType({})
_LABELS: Final = ("full_name", "title", "name", "label", "display_label", "filename", "message")
_LABEL_WIDTH: Final = 40


@attrs.frozen(init=False, eq=False, repr=False, weakref_slot=False, getstate_setstate=False)
class Entity:
    """An object of the API: its id, the attributes that were sent, and its associations.

    Reading an attribute gives its value, None where the API said null, and raises `NotLoadedError` where it was not
    sent. Two entities are equal when they are the same object of the API, whatever each of them carries.
    """

    collection: ClassVar[str] = ""
    attributes: ClassVar[Mapping[str, Attribute]] = MappingProxyType({})
    associations: ClassVar[Mapping[str, Association]] = MappingProxyType({})
    links: ClassVar[Mapping[str, Association]] = MappingProxyType({})
    """The associations by the attribute that refers to their objects."""
    variants: ClassVar[dict[str, type[Entity]]] = {}
    narrowing: ClassVar[tuple[Association, ...]] = ()
    """The associations that tell the class of their objects more closely than the collection does."""
    _slots: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {}

    id: str = attrs.field(init=False, metadata={Attribute: Attribute(read_id)})
    _origin: Links = attrs.field(init=False)
    _extra: Mapping[str, Any] = attrs.field(init=False)

    def __init__(self) -> None:
        raise UsageError(f"a {type(self).__name__} comes from an answer, or from {type(self).__name__}.from_dict(…)")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make an unlinked entity from plain data, such as `to_dict` gives.

        Raises InvalidResponseError when `data` has no id.
        """
        made = begin(cls, _id_of(cls, data), NOWHERE)
        fill(made, data)
        return made

    @property
    def extra(self) -> Mapping[str, Any]:
        """The attributes that the catalogue does not know, as they came."""
        return MappingProxyType(_slot(self, "_extra", _NO_EXTRA))

    def to_dict(self) -> dict[str, Any]:
        """The attributes that were sent, unknown ones too, as plain data: dates as ISO 8601 text, ids as strings."""
        return plain_data(self, (*self.attributes, *self.extra))

    if not TYPE_CHECKING:  # a type checker would take it to mean that there is an attribute of any name

        def __getattr__(self, name: str) -> Any:
            """Called for an empty slot, for an association that cannot be read, and for a name that there is not."""
            cls = type(self)
            association = cls.associations.get(name)
            if association is not None:
                return association.found(self)
            attribute = cls.attributes.get(name)
            if attribute is not None:
                raise NotLoadedError(_not_loaded(cls.__name__, name, attribute), name=name, obj=self)
            nearest = get_close_matches(name, [*cls.attributes, *cls.associations], 1)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise AttributeError(f"{cls.__name__} has no attribute {name!r}{hint}", name=name, obj=self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Entity):
            return NotImplemented
        return self.id == other.id and self.collection == other.collection

    def __hash__(self) -> int:
        return hash((self.collection, self.id))

    def __repr__(self) -> str:
        label = next((text for name in _LABELS if isinstance(text := _slot(self, name, None), str)), "")
        if len(label) > _LABEL_WIDTH:
            label = label[: _LABEL_WIDTH - 1] + "…"
        return f"<{type(self).__name__} {self.id} {label!r}>" if label else f"<{type(self).__name__} {self.id}>"

    def __reduce__(self) -> tuple[Callable[..., Entity], tuple[Any, ...]]:
        return type(self).from_dict, (self.to_dict(),)


@attrs.frozen(init=False, eq=False, repr=False, weakref_slot=False, getstate_setstate=False)
class UnknownEntity(Entity):
    """An object of a collection that the catalogue does not know: its id, and everything else in `extra`."""

    collection: str = attrs.field(init=False)  # type: ignore[misc]  # a constant of every other class, told by each here

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], collection: str = "") -> Self:
        """See `Entity.from_dict`; `collection` is where the object is from."""
        made = begin_unknown(cls, collection, _id_of(cls, data), NOWHERE)
        fill(made, data)
        return made

    def __reduce__(self) -> tuple[Callable[..., Entity], tuple[Any, ...]]:
        return type(self).from_dict, (self.to_dict(), self.collection)


U = TypeVar("U", bound=UnknownEntity)

_ABSENT: Final = object()


def _slot(entity: Entity, name: str, absent: Any) -> Any:
    """The value in a slot, or `absent`, without the detour through `__getattr__`."""
    try:
        return object.__getattribute__(entity, name)
    except AttributeError:
        return absent


def plain_data(entity: Entity, names: Iterable[str]) -> dict[str, Any]:
    """Those of the attributes that were sent, as `Entity.to_dict` gives them."""
    attributes = type(entity).attributes
    sent: dict[str, Any] = {}
    for name in names:
        value = _slot(entity, name, _ABSENT) if name in attributes else entity.extra.get(name, _ABSENT)
        if value is not _ABSENT:
            sent[name] = value if type(value) is str else written(value)
    return sent


def _id_of(cls: type[Entity], data: Mapping[str, Any]) -> str:
    try:
        return read_id(data["id"])
    except (TypeError, LookupError):
        raise InvalidResponseError(f"{cls.__name__}: an object with an id was expected, not {told(data)}") from None


def _not_loaded(owner: str, name: str, attribute: Attribute) -> str:
    if attribute.optional:
        return f"{owner}.{name} was not sent: ask for it with optional_fields=[{name!r}]"
    if attribute.include is not None:
        return (
            f"{owner}.{name} was not sent: ask for it with include=[{attribute.include!r}]; "
            "where it was asked for, the caller may not see it"
        )
    return (
        f"{owner}.{name} was not sent: an object that comes as an association carries less than one asked for itself, "
        "and some attributes need a permission"
    )


@dataclass_transform(
    eq_default=False,
    frozen_default=True,
    field_specifiers=(plain, identifier, identifiers, instant, day, reference, nested, one, many),
)
def entity(collection: str) -> Callable[[type[E]], type[E]]:
    """Make a class of annotated attributes the entity of a collection."""

    def make(cls: type[E]) -> type[E]:
        made = attrs.frozen(cls, init=False, eq=False, repr=False, weakref_slot=False, getstate_setstate=False)
        base = made.__mro__[1]
        made.collection = collection
        made.variants = {}
        if issubclass(base, Entity) and base.collection == collection:
            base.variants[made.__name__] = made
        _describe(made)
        return made

    return make


def _describe(cls: type[Entity]) -> None:
    """Gather what a class declares into the tables that building and reading go by."""
    fields = attrs.fields_dict(cls)
    cls.attributes = {name: f.metadata[Attribute] for name, f in fields.items() if Attribute in f.metadata}
    cls.associations = {name: f.metadata[Association] for name, f in fields.items() if Association in f.metadata}
    cls.narrowing = tuple(one for one in cls.associations.values() if one.key is not None and one.variant is not None)
    for name, association in cls.associations.items():
        association.name = name
    cls.links = {association.ref: association for association in cls.associations.values()}
    cls._slots = {name: getattr(cls, name).__set__ for name in cls.attributes}


_describe(Entity)
_describe(UnknownEntity)

_set_origin = Entity._origin.__set__  # type: ignore[attr-defined]  # attrs leaves it there
_set_extra = Entity._extra.__set__  # type: ignore[attr-defined]
_set_id = Entity.id.__set__  # type: ignore[attr-defined]
_set_collection = UnknownEntity.collection.__set__  # type: ignore[attr-defined]


def begin(cls: type[E], id: str, origin: Links) -> E:
    """An entity of which only the id is there yet."""
    made = object.__new__(cls)
    _set_origin(made, origin)
    _set_id(made, id)
    return made


def settle(entity: Entity, origin: Links) -> None:
    """Let an entity ask there for what it is not linked to."""
    _set_origin(entity, origin)


def begin_unknown(cls: type[U], collection: str, id: str, origin: Links) -> U:
    """An entity of a collection that the catalogue does not know, of which only the id is there yet."""
    made = begin(cls, id, origin)
    _set_collection(made, collection)
    return made


def fill(entity: Entity, raw: Mapping[str, Any]) -> list[Note]:
    """Read every attribute of `raw` and store it, over those that are there; the id is kept."""
    notes: list[Note] = []
    values = {}
    for name, value in raw.items():
        values[name], note = read_value(entity, name, value)
        if note is not None:
            notes.append(note)
    store(entity, values)
    return notes


def store(entity: Entity, values: Mapping[str, Any]) -> None:
    """Store attributes as read, over those that are there; the id is kept."""
    slots = type(entity)._slots
    unknown: dict[str, Any] = {}
    for name, value in values.items():
        if name not in slots:
            unknown[name] = value
        elif name != "id":
            slots[name](entity, value)
    if unknown:
        _set_extra(entity, {**_slot(entity, "_extra", {}), **unknown})


def complete(entity: Entity, twin: Entity) -> None:
    """Take on what the same object of the API carries elsewhere and this one lacks."""
    if entity is twin:
        return
    for name, set_value in type(entity)._slots.items():
        value = _slot(twin, name, _ABSENT)
        if value is not _ABSENT and _slot(entity, name, _ABSENT) is _ABSENT:
            set_value(entity, value)
    unknown = {**twin.extra, **entity.extra}
    if unknown:
        _set_extra(entity, unknown)


def unlink(entity: Entity, names: Iterable[str]) -> None:
    """Forget what was linked by these attributes, which may refer to others now."""
    links = type(entity).links
    for ref in links.keys() & names:
        with suppress(AttributeError):
            object.__delattr__(entity, links[ref].name)


def link(entity: Entity, find: Callable[[Ref], Entity | None], asked_for: Callable[[Association, str], bool]) -> bool:
    """Link an entity to all that is at hand of what it refers to; whether nothing is missing now.

    `find` gives what a reference names, None where that is not there. What was asked for and is missing nonetheless is
    left out of an association with many.
    """
    all_there = True
    for association in type(entity).associations.values():
        if _slot(entity, association.ref, None) is None:
            continue
        targets = association.targets(entity)
        found = [one for one in map(find, targets) if one is not None]
        missing = len(found) < len(targets)
        all_there = all_there and not missing
        if missing and not (found and asked_for(association, found[0].collection)):
            continue
        if isinstance(association, Many):
            object.__setattr__(entity, association.name, tuple(found))
        elif found:
            object.__setattr__(entity, association.name, found[0])
    return all_there


def linked(entity: Entity) -> Iterator[Entity]:
    """The entities that this one is linked to."""
    for name in type(entity).associations:
        one = _slot(entity, name, ())
        yield from one if isinstance(one, tuple) else (one,)


def read_value(entity: Entity, name: str, value: Any) -> tuple[Any, Note | None]:
    """The value of an attribute as the catalogue reads it, or as it came with a note of why it could not be read."""
    attribute = type(entity).attributes.get(name)
    if attribute is None or attribute.read is None or value is None:
        return value, None
    try:
        return attribute.read(value), None
    except (TypeError, ValueError, OverflowError) as error:
        return value, Note(entity.collection, entity.id, name, value, str(error))
