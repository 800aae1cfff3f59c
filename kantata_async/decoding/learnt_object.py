"""What the objects of a collection are sent with, learnt from those that came, so that the next are decoded by it.

The objects that a program asks for resemble each other: a layout is what they have in common. It gives msgspec a type
to decode them as, with just their attributes, ids and dates checked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from itertools import chain
from typing import Annotated, Any, Final, Optional, TypeAlias

import attrs
import msgspec

from ..model import Entity, Links, read_day, read_id, read_ids, read_instant, store, unlink
from .careful import AtHand, Rest
from .compiled import Recipe

_MOST_NAMES: Final = 512
"""Attributes of one layout; objects that go on to bring others are read each for itself."""

_UNKNOWN: Final = ("id",)
"""The attributes of a layout that has seen none but the id: it does not say that objects lack the others."""

_NO_NAME: Final = re.compile(r'["\\\x00-\x1f]')

_Aware: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]

_DECODED: Final[Mapping[Any, Any]] = {
    read_id: str | None,
    read_ids: tuple[str, ...] | None,
    read_instant: Optional[_Aware],  # noqa: UP045 - pyright knows no other spelling for an annotated type
    read_day: date | None,
}
"""What msgspec decodes where an attribute is read so: the same values, from the plainest form that they come in.

But for points in time finer than a microsecond, which it rounds and Python cuts off.
"""


@attrs.frozen(slots=False)
class Layout:
    """The attributes that the objects of a class are sent with.

    Attributes:
        cls: of the objects.
        names: of all attributes that came so far, in the order they come.
        sometimes: those that some objects lack.
        otherwise: those that came in another form than the decoder takes.
        spelt: whether points in time and dates are left as the texts they come as.
    """

    cls: type[Entity]
    names: tuple[str, ...] = _UNKNOWN
    sometimes: frozenset[str] = frozenset()
    otherwise: frozenset[str] = frozenset()
    spelt: bool = False

    def learn(self, objects: Collection[Mapping[str, Any]]) -> Layout | None:
        """The layout of these objects and of those before them; None where there can be none."""
        if not objects:
            return self
        longest: Mapping[str, Any] = max(objects, key=len)
        names = tuple(dict.fromkeys(chain(self.names, longest, *objects)))
        always = set(names if self.names == _UNKNOWN else self.names).difference(self.sometimes).intersection(*objects)
        odd = {name for name in names if not self._fits(name, [one[name] for one in objects if name in one])}
        if "id" not in always - odd or len(names) > _MOST_NAMES or not all(map(can_be_decoded, names)):
            return None
        learnt = Layout(self.cls, names, frozenset(names) - always, self.otherwise | odd, self.spelt)
        return self if learnt == self else learnt

    def _fits(self, name: str, values: list[Any]) -> bool:
        try:
            msgspec.convert(values, list[self._decoded(name)])  # type: ignore[misc]  # known at run time alone
        except msgspec.ValidationError:
            return False
        return True

    def _decoded(self, name: str) -> Any:
        """What an attribute is decoded as."""
        if name == "id":
            return str
        attribute = self.cls.attributes.get(name)
        if attribute is None or name in self.otherwise:
            return Any
        if self.spelt and attribute.read in {read_instant, read_day}:
            return str | None
        return _DECODED.get(attribute.read, Any)

    @cached_property
    def type(self) -> Any:
        """What a collection is decoded as: objects by id, of these attributes and no others."""
        absent = dict.fromkeys(self.sometimes, msgspec.UNSET)
        one: Any = record_type(self.cls.__name__, {name: self._decoded(name) for name in self.names}, absent)
        return dict[str, one] | None

    def name_themselves(self, objects: Mapping[str, Any]) -> bool:
        """Whether objects as decoded say the ids under which they are."""
        return [one.id for one in objects.values()] == list(objects)

    def begin(self, objects: Mapping[str, Any], origin: Links, rest: Rest) -> dict[str, Entity]:
        """See `Recipe.begin`."""
        return self._recipe.begin(objects, origin, rest)

    def read(self, begun: Iterable[Entity], objects: Iterable[Any], at_hand: AtHand, rest: Rest) -> None:
        """See `Recipe.read`."""
        self._recipe.read(begun, objects, at_hand, rest)

    def renew(self, entity: Entity, one: Any, rest: Rest) -> None:
        """Store what an object as decoded carries over what an entity does."""
        values = zip(self.names, msgspec.structs.astuple(one), strict=True)
        sent = {name: value for name, value in values if value is not msgspec.UNSET}
        sent |= {name: rest.value(entity, name, sent[name]) for name in self._recipe.left & sent.keys()}
        unlink(entity, sent)
        store(entity, sent)
        rest.partly.append(entity)

    def columns(self, objects: Iterable[Any]) -> dict[str, Sequence[Any]]:
        """See `Maker.columns`."""
        return dict(zip(self.names, zip(*map(msgspec.structs.astuple, objects), strict=True), strict=False))

    @cached_property
    def _recipe(self) -> Recipe:
        attributes = self.cls.attributes
        left = {
            name
            for name in self.names
            if name in attributes and attributes[name].read is not None and self._decoded(name) is Any
        }
        return Recipe(self.cls, self.names, self.sometimes, frozenset(left))


def can_be_decoded(name: object) -> bool:
    """Whether msgspec takes it as the name of a field; what a program made up may have names that are no text."""
    return isinstance(name, str) and not _NO_NAME.search(name)


def record_type(name: str, fields: Mapping[str, Any], absent: Mapping[str, Any]) -> Any:
    """A type to decode JSON objects as: of these fields and no others, those that may be `absent` with what they are.

    Its fields are called by their places, as the names in JSON may be anything; but for `id`.
    """
    places = {field: "id" if field == "id" else f"value_{place}" for place, field in enumerate(fields)}
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
