"""What an object of the API is in Python: a frozen, slotted attrs class whose missing attributes stay missing.

A slot that the answer did not fill stays empty, so "not sent" costs nothing and cannot be mistaken for null: reading it
ends in `Entity.__getattr__`, which says what to ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar, dataclass_transform

import attrs

from ..errors import InvalidResponseError, NotLoadedError, UsageError
from ..response import Response
from .association import NOWHERE, Association, Links
from .attributes import Attribute, day, identifier, identifiers, instant, many, nested, one, plain, reference
from .json_values import brief_repr, brief_text, read_id
from .nesting import plain_copy
from .snapshot import Snapshot, carried
from .storing import ABSENT, begin, slot, store

E = TypeVar("E", bound="Entity")

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
    """The associations whose objects are of a narrower class than their collection says."""
    each_names_collection: ClassVar[bool] = False
    """Whether each object, not the class, says which collection it is of."""

    id: str = attrs.field(init=False, metadata={Attribute: Attribute(read_id)})
    _origin: Links = attrs.field(init=False)
    _extra: Mapping[str, Any] = attrs.field(init=False)

    def __init__(self) -> None:
        name = type(self).__name__
        raise UsageError(f"{name} cannot be called: entities come from answers, or from {name}.from_dict(…)")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """An unlinked entity made from plain data, such as `to_dict` gives.

        Raises:
            InvalidResponseError: `data` has no id.
        """
        made = begin(cls, _id_of(cls, data), NOWHERE)
        store(made, _read(cls, data))
        return made

    @property
    def extra(self) -> Mapping[str, Any]:
        """The attributes that the catalogue does not know, as they came."""
        return MappingProxyType(_EXTRA.sent(self))

    @property
    def response(self) -> Response | None:
        """The last answer that carried it: status, request id, headers, attempts. None where it was fetched elsewhere.

        It stays when the page and the graph that it came with are gone.
        """
        return self._origin.response_of(self)

    def to_dict(self, *, dates: bool = False) -> dict[str, Any]:
        """The attributes that were sent, unknown ones too, as plain data that JSON can carry; ids are texts.

        Args:
            dates: leave dates as `date` and points in time as aware `datetime`, instead of ISO 8601 text.
        """
        return plain_data(self, (*self.attributes, *self.extra), dates=dates)

    if not TYPE_CHECKING:  # a type checker would take it to mean that there is an attribute of any name

        def __getattr__(self, name: str) -> Any:
            """Called for an empty slot, an association that cannot be read, and an unknown name."""
            cls = type(self)
            association = cls.associations.get(name)
            if association is not None:
                return association.found(self)
            attribute = cls.attributes.get(name)
            if attribute is not None:
                raise NotLoadedError(_not_loaded(cls.__name__, name, attribute), name=name, obj=self)
            if name == "_extra":
                raise AttributeError(
                    f"{cls.__name__}.{name} cannot be read: in place of attrs.asdict or cattrs, use "
                    "entity.to_dict(), which leaves out what was not sent",
                    name=name,
                    obj=self,
                )
            if name == "keys":  # asked for by what takes an entity for a mapping, such as pyarrow.Table.from_pylist
                raise AttributeError(_no_row(cls.__name__), name=name, obj=self)
            nearest = get_close_matches(name, [*cls.attributes, *cls.associations], 1)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise AttributeError(f"{cls.__name__} has no attribute {name!r}{hint}", name=name, obj=self)

        def __iter__(self) -> Iterator[Any]:
            """Called by what takes an entity for a row, such as ``pandas.DataFrame(users)``."""
            raise TypeError(_no_row(type(self).__name__))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Entity):
            return NotImplemented
        return self.id == other.id and self.collection == other.collection

    def __hash__(self) -> int:
        return hash((self.collection, self.id))

    def __repr__(self) -> str:
        label = next((text for name in _LABELS if isinstance(text := slot(self, name, None), str)), "")
        if len(label) > _LABEL_WIDTH:
            label = label[: _LABEL_WIDTH - 1] + "…"
        name = f"{type(self).__name__} {brief_text(self.id)}"
        return f"<{name} {label!r}>" if label else f"<{name}>"

    def __copy__(self) -> Self:
        return self  # nobody can change it

    def __reduce__(self) -> tuple[Callable[[list[Entity], int], Entity], tuple[Snapshot, int]]:
        return carried(self)


class _Extra:
    """The unknown attributes of an entity, hidden from whatever reads every field of an attrs class.

    `attrs.asdict` and cattrs know no field that is not there: they would end at the first that was not sent.
    """

    def __init__(self, slot: Any) -> None:
        self._slot = slot

    def __get__(self, entity: Entity | None, cls: type[Entity]) -> Any:
        if entity is None:
            return self
        raise AttributeError

    def __set__(self, entity: Entity, value: Mapping[str, Any]) -> None:
        self._slot.__set__(entity, value)

    def sent(self, entity: Entity) -> Mapping[str, Any]:
        """The unknown attributes."""
        try:
            sent: Mapping[str, Any] = self._slot.__get__(entity)
        except AttributeError:
            return _NO_EXTRA
        return sent


_EXTRA: Final = _Extra(Entity._extra)
Entity._extra = _EXTRA  # type: ignore[assignment]


@attrs.frozen(init=False, eq=False, repr=False, weakref_slot=False, getstate_setstate=False)
class UnknownEntity(Entity):
    """An object of a collection that the catalogue does not know: its id, and everything else in `extra`."""

    collection: str = attrs.field(init=False)  # type: ignore[misc]  # a constant of every other class

    each_names_collection: ClassVar[bool] = True

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], collection: str = "") -> Self:
        """See `Entity.from_dict`; `collection` is where the object is from."""
        made = begin(cls, _id_of(cls, data), NOWHERE, collection)
        store(made, _read(cls, data))
        return made


def plain_data(entity: Entity, names: Iterable[str], *, dates: bool = False) -> dict[str, Any]:
    """Those of the attributes that were sent, as `Entity.to_dict` gives them."""
    sent = ((name, _sent_value(entity, name)) for name in names)
    return {name: plain_copy(value, dates=dates) for name, value in sent if value is not ABSENT}


def _sent_value(entity: Entity, name: str) -> Any:
    """The attribute of a name, whether or not the catalogue knows it; `ABSENT` where it was not sent."""
    return slot(entity, name) if name in type(entity).attributes else _EXTRA.sent(entity).get(name, ABSENT)


def plain_column(entities: Sequence[Entity], name: str) -> list[Any]:
    """An attribute of each entity, as `plain_data` gives it; `ABSENT` for one that was sent without it."""
    if all(name in cls.attributes for cls in {type(entity) for entity in entities}):
        return [plain_copy(slot(entity, name)) for entity in entities]
    return [plain_copy(_sent_value(entity, name)) for entity in entities]


def value_of(entity: object, name: str, otherwise: Any = None) -> Any:
    """The value of an attribute; `otherwise` where it is null, or was not sent."""
    value = getattr(entity, name, None)
    return otherwise if value is None else value


def text_of(entity: object, name: str) -> str:
    """A text that an entity shows; empty where it shows none: null, withheld, or something else that the API sent."""
    value = getattr(entity, name, None)
    return value if isinstance(value, str) else ""


def _read(cls: type[Entity], data: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of plain data as the catalogue reads them, those that it cannot read as they came."""
    attributes = cls.attributes
    return {name: attributes[name].reading(value)[0] if name in attributes else value for name, value in data.items()}


def _id_of(cls: type[Entity], data: Mapping[str, Any]) -> str:
    try:
        return read_id(data["id"])
    except (TypeError, LookupError):
        raise InvalidResponseError(
            f"{cls.__name__}: an object with an id was expected, not {brief_repr(data)}"
        ) from None


def _no_row(name: str) -> str:
    return (
        f"a {name} is not a row: columns(entities) gives the columns of a table, as in "
        "pandas.DataFrame(columns(users)), and to_dict() the attributes of one entity"
    )


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


_describe(Entity)
_describe(UnknownEntity)
