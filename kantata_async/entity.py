"""What an object of the API is in Python: a frozen, slotted attrs class whose missing attributes stay missing.

A slot that the answer did not fill stays empty, so "not sent" costs nothing and cannot be mistaken for null: reading it
ends in `Entity.__getattr__`, which says what to ask for. The generated classes in `api/` are made of the pieces here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from difflib import get_close_matches
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NamedTuple,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    Union,
    dataclass_transform,
    overload,
)

import attrs

from .errors import InvalidResponseError, NotLoadedError, UsageError

T = TypeVar("T")
E = TypeVar("E", bound="Entity")

Nullable: TypeAlias = Union[T, Any]  # noqa: UP007 - mypy takes no other spelling of a generic alias
"""A value, or None where the API said null. Any attribute may be null, few ever are: a type checker knows the
attributes of the value and leaves it to you where None matters (the convention of typeshed for such results)."""


class Ref(NamedTuple):
    """A polymorphic reference: the collection of an object, and its id."""

    key: str
    id: str


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


_TOLD_WIDTH: Final = 60
_instant_of: Final = datetime.fromisoformat
_ID_BITS: Final = 128

# --- reading and writing single values -------------------------------------------------------------------------------


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


def _read_ids(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"ids come as a list, not {told(value)}")
    try:
        "".join(value)
    except TypeError:  # only texts can be joined
        return tuple(map(read_id, value))
    return tuple(value)


def _read_instant(value: str) -> datetime:
    instant = _instant_of(value)
    if instant.tzinfo is not None:
        return instant
    if len(value) <= len("2026-W01-1"):
        raise ValueError("a date without a time")
    return instant.replace(tzinfo=UTC)


def _read_day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return _read_instant(value)


def _read_ref(value: object) -> Ref:
    if not isinstance(value, dict) or not isinstance(value.get("key"), str):
        raise TypeError(f"a reference is an object with key and id, not {told(value)}")
    return Ref(value["key"], read_id(value.get("id")))


def _plain(value: Any) -> Any:
    """A value as JSON would carry it; containers are copied so that nobody can change an entity through them."""
    match value:
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case Ref():
            return value._asdict()
        case list() | tuple():
            return [_plain(part) for part in value]
        case date():
            return value.isoformat()
        case _:
            return value


# --- the pieces that a generated class is made of --------------------------------------------------------------------


def plain(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """An attribute kept as it comes."""
    return _field(Attribute(optional=optional, include=include), init=init)


def identifier(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """An id: always str, whether it comes as a string or a number."""
    return _field(Attribute(read_id, optional=optional, include=include), init=init)


def identifiers(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """A list of ids: a tuple of str."""
    return _field(Attribute(_read_ids, optional=optional, include=include), init=init)


def instant(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """A point in time: an aware datetime; one that comes without an offset is taken as UTC."""
    return _field(Attribute(_read_instant, optional=optional, include=include), init=init)


def day(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """A date; where the API sends a point in time instead, that (a datetime is a date too)."""
    return _field(Attribute(_read_day, optional=optional, include=include), init=init)


def reference(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """A polymorphic reference: a `Ref`."""
    return _field(Attribute(_read_ref, optional=optional, include=include), init=init)


def nested(*, optional: bool = False, include: str | None = None, init: Literal[False] = False) -> Any:
    """An object or a list inside the object, kept as it comes."""
    return _field(Attribute(optional=optional, include=include), init=init)


def _field(attribute: Attribute, *, init: bool) -> Any:
    return attrs.field(init=init, metadata={Attribute: attribute})


class Association(ABC, Generic[E]):
    """An association: the attribute `ref` refers to objects of the collection `key` (None: the reference names it).

    `variant` is the class to read them as where it is not the collection's own.
    """

    name: str

    def __init__(self, ref: str, key: str | None, *, variant: str | None = None) -> None:
        self.ref = ref
        self.key = key
        self.variant = variant

    def __set_name__(self, owner: type[Entity], name: str) -> None:
        self.name = name

    @abstractmethod
    def __get__(self, entity: Entity | None, owner: type[Entity]) -> Any:
        """The associated objects."""

    def targets(self, entity: Entity) -> tuple[Ref, ...]:
        """The objects that `entity` names; none where the reference could not be read and was kept as it came.

        Raises NotLoadedError when the entity does not say.
        """
        value = getattr(entity, self.ref)
        if isinstance(value, Ref):
            return (value,)
        if isinstance(value, tuple):
            return tuple(item if isinstance(item, Ref) else Ref(self.key or "", item) for item in value)
        return (Ref(self.key, value),) if isinstance(value, str) and self.key is not None else ()


class One(Association[E]):
    """An association with one object; None where the API says null, or named an object that it did not send."""

    @overload
    def __get__(self, entity: None, owner: type[Entity]) -> Self: ...
    @overload
    def __get__(self, entity: Entity, owner: type[Entity]) -> Nullable[E]: ...
    def __get__(self, entity: Entity | None, owner: type[Entity]) -> Any:
        if entity is None:
            return self
        try:
            return entity._graph._objects[self.key][getattr(entity, self.ref)]
        except (LookupError, TypeError):
            targets = self.targets(entity)
            return entity._graph.resolve(entity, self, targets[0]) if targets else None


class Many(Association[E]):
    """An association with any number of objects: a tuple, without those that the API named but did not send."""

    @overload
    def __get__(self, entity: None, owner: type[Entity]) -> Self: ...
    @overload
    def __get__(self, entity: Entity, owner: type[Entity]) -> tuple[E, ...]: ...
    def __get__(self, entity: Entity | None, owner: type[Entity]) -> Any:
        if entity is None:
            return self
        ids = getattr(entity, self.ref)
        try:
            if type(ids) is tuple:
                objects = entity._graph._objects[self.key]
                return tuple([objects[id] for id in ids])
        except LookupError:
            pass
        resolve = entity._graph.resolve
        found = [resolve(entity, self, target) for target in self.targets(entity)]
        return tuple(one for one in found if one is not None)


class Links(Protocol):
    """What an entity asks for its associated objects: the graph that it is in."""

    @property
    def _objects(self) -> Mapping[Any, Mapping[str, Entity]]:
        """The objects at hand, by collection and id."""
        ...

    def resolve(self, entity: Entity, association: Association[Any], target: Ref) -> Entity | None:
        """The object that `target` names; None when it was asked for and not sent. Raises NotLoadedError otherwise."""
        ...


class _Unlinked:
    """The links of an entity that is in no graph: there are none."""

    def __init__(self) -> None:
        self._objects: Mapping[Any, Mapping[str, Entity]] = {}

    def resolve(self, entity: Entity, association: Association[Any], target: Ref) -> Entity | None:
        raise not_included(entity, association, target)


_UNLINKED: Final = _Unlinked()


def not_included(entity: Entity, association: Association[Any], target: Ref) -> NotLoadedError:
    """The error for an association that was not asked for."""
    owner = type(entity).__name__
    return NotLoadedError(
        f"{owner}.{association.name} was not sent, only that it is {target.key or 'object'} {target.id}: "
        f"ask for it with include=[{association.name!r}], or fetch it now with load(…, {association.name!r})",
        name=association.name,
        obj=entity,
    )


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
    associations: ClassVar[Mapping[str, Association[Any]]] = MappingProxyType({})
    variants: ClassVar[dict[str, type[Entity]]] = {}
    narrowing: ClassVar[tuple[Association[Any], ...]] = ()
    """The associations that tell the class of their objects more closely than the collection does."""
    _slots: ClassVar[Mapping[str, tuple[Callable[[Any, Any], None], Callable[[Any], Any] | None]]] = {}

    id: str = attrs.field(init=False, metadata={Attribute: Attribute(read_id)})
    _graph: Links = attrs.field(init=False)
    _extra: Mapping[str, Any] = attrs.field(init=False)

    def __init__(self) -> None:
        raise UsageError(f"a {type(self).__name__} comes from an answer, or from {type(self).__name__}.from_dict(…)")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make an unlinked entity from plain data, such as `to_dict` gives.

        Raises InvalidResponseError when `data` has no id.
        """
        made, _ = build(cls, _id_of(cls, data), data, _UNLINKED)
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
            """Called for an empty slot, for an association that could not be read, and for a name that there is not."""
            cls = type(self)
            if name in cls.associations:
                return cls.associations[name].__get__(self, cls)
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
        made, _ = build_unknown(collection, _id_of(cls, data), data, _UNLINKED, cls)
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
    extra = entity.extra
    sent: dict[str, Any] = {}
    for name in names:
        value = _slot(entity, name, _ABSENT) if name in entity.attributes else extra.get(name, _ABSENT)
        if value is not _ABSENT:
            sent[name] = value if type(value) is str else _plain(value)
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
    field_specifiers=(plain, identifier, identifiers, instant, day, reference, nested),
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
    cls.associations = {
        name: member
        for base in reversed(cls.__mro__)
        for name, member in vars(base).items()
        if isinstance(member, Association)
    }
    cls.narrowing = tuple(one for one in cls.associations.values() if one.key is not None and one.variant is not None)
    cls._slots = {name: (getattr(cls, name).__set__, told.read) for name, told in cls.attributes.items()}


_describe(Entity)
_describe(UnknownEntity)

_set_graph = Entity._graph.__set__  # type: ignore[attr-defined]  # attrs leaves it there
_set_extra = Entity._extra.__set__  # type: ignore[attr-defined]
_set_id = Entity.id.__set__  # type: ignore[attr-defined]
_set_collection = UnknownEntity.collection.__set__  # type: ignore[attr-defined]


def build(cls: type[E], id: str, raw: Mapping[str, Any], graph: Links) -> tuple[E, list[Note]]:
    """Make the entity of one object of an answer; the notes tell of attributes that were kept as they came."""
    made = object.__new__(cls)
    _set_graph(made, graph)
    return made, fill(made, id, raw)


def build_unknown(collection: str, id: str, raw: Mapping[str, Any], graph: Links, cls: type[U]) -> tuple[U, list[Note]]:
    """Make the entity of an object whose collection the catalogue does not know."""
    made = object.__new__(cls)
    _set_graph(made, graph)
    _set_collection(made, collection)
    return made, fill(made, id, raw)


def fill(entity: Entity, id: str, raw: Mapping[str, Any]) -> list[Note]:
    """Store every attribute of `raw`, over those that are there; only `build` and a growing graph may do this."""
    slots = type(entity)._slots
    notes: list[Note] = []
    unknown: dict[str, Any] = {}
    for name, value in raw.items():
        slot = slots.get(name)
        if slot is None:
            unknown[name] = value
            continue
        store, read = slot
        if read is not None and value is not None:
            value, reason = _read(read, value)  # noqa: PLW2901 - the same value, as the catalogue reads it
            if reason is not None:
                notes.append(Note(entity.collection, id, name, value, reason))
        store(entity, value)
    _set_id(entity, id)
    if unknown:
        _set_extra(entity, {**_slot(entity, "_extra", {}), **unknown})
    return notes


def _read(read: Callable[[Any], Any], value: Any) -> tuple[Any, str | None]:
    """The value as read, or as it came with the reason why it could not be read."""
    try:
        return read(value), None
    except (TypeError, ValueError, OverflowError) as error:
        return value, str(error)
