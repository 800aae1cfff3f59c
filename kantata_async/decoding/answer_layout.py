"""How the answers were laid out that came so far, and what msgspec decodes an answer as that resembles them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any, Final, Literal

import attrs
import msgspec

from ..model import Entity, Meta
from .envelope import Envelope, looks_like_objects, matches_of, meta_with
from .object_layout import ObjectLayout, can_be_decoded, record_type
from .object_values import Objects, read_decoded

_MOST_EXTRA: Final = 64
_LIST: Any = list
"""Of a type that is known only at run time."""


@attrs.frozen(slots=False)
class AnswerLayout:
    """How the answers that came so far were laid out.

    Attributes:
        objects: the layouts of the objects, by collection.
        extra: the top-level names that held no collection.
        undecodable: the collections that are not decoded by a layout: their objects are of several classes, or not as
            the API sends them.
    """

    objects: Mapping[str, ObjectLayout] = attrs.field(factory=dict)
    extra: tuple[str, ...] = ()
    undecodable: frozenset[str] = frozenset()

    def learn(
        self, envelope: Envelope, classes: Mapping[str, type[Entity]], ambiguous: AbstractSet[str]
    ) -> AnswerLayout:
        """The layout of this answer and of those before it.

        `classes` are those of its collections; the `ambiguous` names of others may be collections too.
        """
        undecodable = self.undecodable.union(ambiguous, *map(_narrowed_by, classes.values()))
        layouts = dict(self.objects)
        for key, cls in classes.items():
            layout = _layout_of(envelope.collections[key], cls)
            if layout is None or not layout.can_be_decoded or key in self.extra:
                undecodable |= {key}
            else:
                layouts[key] = layout
        names = dict.fromkeys((*self.extra, *envelope.extra))
        extra = [name for name in names if name not in undecodable and can_be_decoded(name)]
        decodable = {key: layout for key, layout in layouts.items() if key not in undecodable}
        return AnswerLayout(decodable, tuple(extra[:_MOST_EXTRA]), undecodable)

    def decode(self, text: bytes | bytearray | memoryview | str) -> Envelope | None:
        """Take apart an answer; None for one that is laid out otherwise."""
        try:
            return self._envelope(self._decode(text))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None

    @cached_property
    def _decode(self) -> Callable[[Any], Any]:
        """Decodes an answer as nothing but what answers were made of so far."""
        match: Any = msgspec.defstruct("Match", [("key", Literal[tuple(self.objects)]), ("id", str)], gc=False)
        fields: dict[str, Any] = {"results": _LIST[match], "count": int | None, "meta": Meta | None}
        fields |= {key: layout.type for key, layout in self.objects.items()}
        fields |= dict.fromkeys(self.extra, Any)
        absent = dict.fromkeys((*self.objects, *self.extra), msgspec.UNSET)
        answer = record_type("Answer", fields, {"count": None, "meta": None, **absent})
        return msgspec.json.Decoder(answer).decode

    def _envelope(self, answer: msgspec.Struct) -> Envelope | None:
        """The answer as decoded; None where something about it needs more care."""
        results, count, meta, *values = msgspec.structs.astuple(answer)
        collections: dict[str, list[Objects]] = {}
        for (key, layout), objects in zip(self.objects.items(), values, strict=False):
            if objects is msgspec.UNSET:
                continue
            if objects and [one.id for one in objects.values()] != list(objects):
                return None
            collections[key] = [read_decoded(key, objects or {}, layout)]
        matches = matches_of(results)
        for key, ids in matches:
            if key not in collections or not all(map(collections[key][0].by_id.__contains__, ids)):
                return None
        there = zip(self.extra, values[len(self.objects) :], strict=True)
        extra = {name: value for name, value in there if value is not msgspec.UNSET} if self.extra else {}
        if extra and any(map(looks_like_objects, extra.values())):
            return None
        return Envelope(matches, collections, meta_with(count, meta or Meta()), extra)


def _layout_of(objects: Iterable[Objects], cls: type[Entity]) -> ObjectLayout | None:
    """The one layout of all objects of a collection, of this class; None where there is no such."""
    layouts = [one.layout for one in objects]
    return layouts[0] if len(layouts) == 1 and layouts[0].cls is cls else None


def _narrowed_by(cls: type[Entity]) -> list[str]:
    """The collections whose objects an association of this class gives a narrower class."""
    return [association.key for association in cls.narrowing if association.key is not None]
