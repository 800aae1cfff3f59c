"""Answers read: from bytes to linked objects, the quick way where an answer is laid out as those before it.

The quick way decodes into types that hold exactly what such answers were sent with, all of it checked on the way. What
does not fit is read the careful way, which takes any answer, says what is wrong with a malformed one, and teaches the
quick way what it had not met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, Literal

import attrs
import msgspec
import orjson

from .collector import collector_paused
from .entity import Entity
from .envelope import ClassOf, Envelope, Meta, looks_like_objects, open_envelope
from .graph import Graph, Page
from .layout import Layout, record_type
from .origin import Matches

_KEY: Final = attrgetter("key")
_ID: Final = attrgetter("id")
_MOST_OTHERS: Final = 64
_LIST: Any = list
"""Of a type that is known at run time alone."""


class Reader:
    """Reads answers, and learns how they are laid out.

    Args:
        class_of: the entity class of a collection; None for one that the catalogue does not know.
    """

    def __init__(self, class_of: ClassOf) -> None:
        self.class_of: Final = class_of
        self._form = Form()

    def decode(self, text: bytes | bytearray | memoryview | str) -> Any:
        """What the bytes of an answer say: taken apart already, or else as JSON has it.

        Raises orjson.JSONDecodeError for what is not JSON.
        """
        return self._form.decode(text) or orjson.loads(text)

    def open(self, data: Any) -> Envelope:
        """Take apart what `decode` gave; learns from what is laid out otherwise than what came before.

        Raises InvalidResponseError saying what is wrong with the envelope.
        """
        if isinstance(data, Envelope):
            return data
        form = self._form
        envelope = form.convert(data)
        if envelope is None:
            envelope = open_envelope(data, self.class_of)
            if form.odd.isdisjoint(envelope.collections):
                learnt = form.learn(envelope, self.class_of)
                # What does not fit although there is nothing to learn from it never will.
                self._form = learnt if learnt != form else form.without(envelope.collections)
        return envelope

    def page(self, data: Any, *, includes: Iterable[str] | None = None, graph: Graph | None = None) -> Page[Entity]:
        """Make the page of what `decode` gave, in a graph of its own unless one is given to grow.

        Raises InvalidResponseError saying what is wrong with the envelope.
        """
        with collector_paused():
            envelope = self.open(data)
            graph = Graph() if graph is None else graph
            items = graph.absorb(envelope, includes)
        return Page(items, envelope.meta, graph, envelope.extra)


@attrs.frozen(slots=False)
class Form:
    """How the answers that came so far were laid out.

    Attributes:
        layouts: of the objects, by collection.
        others: the top-level names that held no collection.
        odd: the collections whose objects have no layout: of several classes, or not as the API sends them.
    """

    layouts: Mapping[str, Layout] = attrs.field(factory=dict)
    others: tuple[str, ...] = ()
    odd: frozenset[str] = frozenset()

    def learn(self, envelope: Envelope, class_of: ClassOf) -> Form:
        """The form of this answer, whose objects are as JSON has them, and of those before it."""
        classes = {key: class_of(key) for key in envelope.collections}
        narrowed = {key for cls in classes.values() if cls is not None for key in _narrowed_by(cls)}
        odd = self.odd | narrowed | {name for name in envelope.extra if class_of(name) is not None}
        layouts = dict(self.layouts)
        for key, cls in classes.items():
            layout = layouts.get(key) or (None if cls is None or key in self.others else Layout(cls))
            learnt = None if layout is None else layout.learn(envelope.collections[key].values())
            if learnt is None:
                odd |= {key}
            else:
                layouts[key] = learnt
        others = [name for name in dict.fromkeys((*self.others, *envelope.extra)) if name not in odd]
        return Form(layouts, tuple(others[:_MOST_OTHERS])).without(odd)

    def without(self, keys: Iterable[str]) -> Form:
        """The same with no layout for these collections."""
        odd = self.odd.union(keys)
        return Form({key: layout for key, layout in self.layouts.items() if key not in odd}, self.others, odd)

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
        except (ValueError, RecursionError):
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
    keys = set(map(_KEY, results))
    if len(keys) == 1:
        return [(keys.pop(), list(map(_ID, results)))]
    return [(match.key, [match.id]) for match in results]
