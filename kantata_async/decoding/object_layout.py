"""Which attributes the objects of a class are sent with, learnt from those that came.

The objects that a program asks for resemble each other: a layout is what they have in common. It gives msgspec a type
to decode them as, with just their attributes, ids and dates checked; and it has the function that makes entities of
them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any, Final, Optional

import attrs
import msgspec

from ..model import Attribute, Entity, Instant, read_day, read_id, read_ids, read_instant
from .compiled import MOST_LAYOUTS, Begin, Finish, compiled

_MOST_UNKNOWN: Final = 512
"""The most unknown attributes in one layout: a server may make up any number."""

_NONE_YET: Final = ("id",)
"""The attributes of a layout that has seen none but the id: it does not say that objects lack the others."""

_NO_NAME: Final = re.compile(r'["\\\x00-\x1f]')

_DECODED: Final[Mapping[Any, Any]] = {
    read_id: str | None,
    read_ids: tuple[str, ...] | None,
    read_instant: Optional[Instant],  # noqa: UP045 - pyright knows no other spelling for an annotated type
    read_day: date | None,
}
"""What msgspec decodes where an attribute is read so: the same values, from the plainest form that they come in."""

_DECODED_SPELT: Final[Mapping[Any, Any]] = {**_DECODED, read_instant: str | None, read_day: str | None}
"""The same where points in time and dates stay the texts that they come as."""


@attrs.frozen(slots=False)
class ObjectLayout:
    """The attributes that the objects of a class are sent with.

    Attributes:
        cls: of the objects.
        names: of all attributes that came so far, in the order they come.
        sometimes: those that some objects lack.
        loose: those that came in another form than msgspec decodes, and may come so again.
        spelt: whether ids alone are read, and all else is left as it comes.
    """

    cls: type[Entity]
    names: tuple[str, ...] = _NONE_YET
    sometimes: frozenset[str] = frozenset()
    loose: frozenset[str] = frozenset()
    spelt: bool = False

    def with_names(self, combinations: Collection[tuple[str, ...]]) -> ObjectLayout:
        """The layout of what came before and of objects with these combinations of attributes.

        A name that no decoder takes, or one too many, is left out.
        """
        come = dict.fromkeys(chain(self.names, *sorted(combinations, key=len, reverse=True)))
        names = tuple(filter(self._takes, come))
        unknown = [name for name in names if name not in self.cls.attributes]
        if len(unknown) > _MOST_UNKNOWN:
            left_out = set(unknown[_MOST_UNKNOWN:])
            names = tuple(name for name in names if name not in left_out)
        always = set(names if self.names == _NONE_YET else self.names).difference(self.sometimes)
        return attrs.evolve(self, names=names, sometimes=frozenset(names) - always.intersection(*combinations))

    def _takes(self, name: object) -> bool:
        # The class of unknown collections would gather the attributes of all of them.
        return name in self.cls.attributes or (can_be_decoded(name) and not self.cls.each_names_collection)

    def with_loose(self, names: Collection[str]) -> ObjectLayout:
        """The layout of what came before, and of objects of which these attributes came in some other form."""
        return self if self.loose.issuperset(names) else attrs.evolve(self, loose=self.loose.union(names))

    @property
    def can_be_decoded(self) -> bool:
        """Whether objects of this layout can be recognized: each has its id, as a text."""
        return "id" in self.names and "id" not in self.sometimes and "id" not in self.loose

    def decoded(self, name: str) -> Any:
        """What msgspec is to decode an attribute as; Any where it is read after that, or needs no reading."""
        if name == "id":
            return str
        attribute = self.cls.attributes.get(name)
        decoded = _DECODED_SPELT if self.spelt else _DECODED
        return Any if attribute is None or name in self.loose else decoded.get(attribute.read, Any)

    def rule(self, name: str) -> Attribute | None:
        """What reads the values of an attribute that msgspec left as they came; None where they stay so."""
        attribute = self.cls.attributes.get(name)
        return None if self.spelt or name == "id" or attribute is None or attribute.read is None else attribute

    @cached_property
    def unread(self) -> tuple[str, ...]:
        """The attributes that are still to be read when an object has been decoded."""
        return tuple(name for name in self.names if self.decoded(name) is Any and self.rule(name) is not None)

    @cached_property
    def type(self) -> Any:
        """What a collection is decoded as: objects by id, of these attributes and no others."""
        return _collection_type(self)

    @cached_property
    def begin(self) -> Begin:
        """What begins entities; the values of an object are those of the `names`, UNSET where it has none."""
        return compiled(self)[0]

    @cached_property
    def finish(self) -> Finish:
        """What finishes the entities that were begun."""
        return compiled(self)[1]


@lru_cache(maxsize=MOST_LAYOUTS)
def _collection_type(layout: ObjectLayout) -> Any:
    absent = dict.fromkeys(layout.sometimes, msgspec.UNSET)
    one: Any = record_type(layout.cls.__name__, {name: layout.decoded(name) for name in layout.names}, absent)
    return dict[str, one] | None


def forget_layouts() -> None:
    """Forget the decoders and functions that this process made; a session that needs one makes it anew."""
    _collection_type.cache_clear()
    compiled.cache_clear()


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
