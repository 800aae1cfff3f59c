"""How the answers were laid out that came so far, and what msgspec decodes an answer as that resembles them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any, Final, Literal

import attrs
import msgspec

from ..model import Entity, Matches, Meta
from .envelope import Envelope, looks_like_objects
from .learnt_object import Layout, can_be_decoded, record_type

_MOST_OTHERS: Final = 64
_LIST: Any = list
"""Of a type that is known at run time alone."""


@attrs.frozen(slots=False)
class Form:
    """How the answers that came so far were laid out.

    Attributes:
        layouts: of the objects, by collection.
        others: the top-level names that held no collection.
        odd: the collections whose objects have no layout: of several classes, or not as the API sends them.
        spelt: whether points in time and dates are left as the texts they come as.
    """

    layouts: Mapping[str, Layout] = attrs.field(factory=dict)
    others: tuple[str, ...] = ()
    odd: frozenset[str] = frozenset()
    spelt: bool = False

    def learn(self, envelope: Envelope, classes: Mapping[str, type[Entity]], ambiguous: AbstractSet[str]) -> Form:
        """The form of this answer, whose objects are as JSON has them, and of those before it.

        `classes` are those of its collections; the `ambiguous` names of others may be collections too.
        """
        odd = self.odd.union(ambiguous, *map(_narrowed_by, classes.values()))
        layouts = dict(self.layouts)
        for key, cls in classes.items():
            layout = None if key in self.others else layouts.get(key, Layout(cls, spelt=self.spelt))
            learnt = None if layout is None else layout.learn(envelope.collections[key].values())
            if learnt is None:
                odd |= {key}
            else:
                layouts[key] = learnt
        names = dict.fromkeys((*self.others, *envelope.extra))
        others = [name for name in names if name not in odd and can_be_decoded(name)]
        return attrs.evolve(self, layouts=layouts, others=tuple(others[:_MOST_OTHERS])).without(odd)

    def without(self, keys: Iterable[str]) -> Form:
        """The same with no layout for these collections."""
        odd = self.odd.union(keys)
        return attrs.evolve(self, layouts={key: one for key, one in self.layouts.items() if key not in odd}, odd=odd)

    def decode(self, text: bytes | bytearray | memoryview | str) -> Envelope | None:
        """Take apart an answer; None for one that is laid out otherwise."""
        return self._taken_apart(self._decode, text) if self.layouts else None

    def convert(self, data: Any) -> Envelope | None:
        """Take apart what an answer says; None for one that is laid out otherwise."""
        if not self.layouts or type(data) is not dict or not self.odd.isdisjoint(data):
            return None
        return self._taken_apart(self._convert, data)

    @cached_property
    def _decode(self) -> Callable[[Any], Any]:
        return msgspec.json.Decoder(self._type).decode

    def _convert(self, data: Any) -> Any:
        return msgspec.convert(data, self._type)

    @cached_property
    def _type(self) -> Any:
        """What an answer is decoded as: nothing but what answers were made of so far."""
        match: Any = msgspec.defstruct("Match", [("key", Literal[tuple(self.layouts)]), ("id", str)], gc=False)
        fields: dict[str, Any] = {"results": _LIST[match], "count": int | None, "meta": Meta | None}
        fields |= {key: layout.type for key, layout in self.layouts.items()}
        fields |= dict.fromkeys(self.others, Any)
        absent = dict.fromkeys((*self.layouts, *self.others), msgspec.UNSET)
        return record_type("Answer", fields, {"count": None, "meta": None, **absent})

    def _taken_apart(self, decode: Callable[[Any], Any], answer: Any) -> Envelope | None:
        try:
            return self._envelope(decode(answer))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None

    def _envelope(self, answer: msgspec.Struct) -> Envelope | None:
        """The answer as decoded; None where something about it needs more care."""
        results, count, meta, *values = msgspec.structs.astuple(answer)
        collections: dict[str, Mapping[str, Any]] = {}
        for (key, layout), objects in zip(self.layouts.items(), values, strict=False):
            if objects is msgspec.UNSET:
                continue
            if objects and not layout.name_themselves(objects):
                return None
            collections[key] = objects or {}
        matches = _matches(results)
        for key, ids in matches:
            if key not in collections or not all(map(collections[key].__contains__, ids)):
                return None
        others = zip(self.others, values[len(self.layouts) :], strict=True)
        extra = {name: value for name, value in others if value is not msgspec.UNSET} if self.others else {}
        if extra and any(map(looks_like_objects, extra.values())):
            return None
        return Envelope(matches, collections, self.layouts, _meta(count, meta), extra)


def _narrowed_by(cls: type[Entity]) -> list[str]:
    """The collections of whose objects an association of this class tells the class more closely."""
    return [association.key for association in cls.narrowing if association.key is not None]


def _meta(count: int | None, meta: Meta | None) -> Meta:
    if meta is None:
        return Meta(count)
    return meta if count is None or count == meta.count else attrs.evolve(meta, count=count)


def _matches(results: list[Any]) -> Matches:
    keys = {match.key for match in results}
    if len(keys) == 1:
        return [(keys.pop(), [match.id for match in results])]
    return [(match.key, [match.id]) for match in results]
