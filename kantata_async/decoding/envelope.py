"""The envelope of an answer, checked and taken apart, its objects read; nothing is made of them here.

An answer is `{"count", "results": [{"key", "id"}], "<collection>": {"<id>": {…}}, "meta"}`. `results` alone says which
objects matched and in which order; a collection mixes matches with associated objects of the same kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, Final

import attrs
import msgspec

from ..errors import InvalidResponseError
from ..model import Entity, Matches, Meta, Redact, UnknownEntity, brief_repr, brief_text, read_id
from ..response import Response
from .object_layout import ObjectLayout
from .object_values import Objects, read_plain

ClassOf = Callable[[str], type[Entity] | None]
"""The entity class of a collection; None for one that the catalogue does not know."""

LayoutOf = Callable[[type[Entity]], ObjectLayout]
"""The known layout of the objects of a class."""

_RESERVED: Final = frozenset({"count", "results", "meta"})


@attrs.define
class Envelope:
    """An answer taken apart and checked.

    Attributes:
        matches: in order.
        collections: all objects by collection, in order; in runs of the same class, mostly one.
        meta: what it says about paging.
        extra: the top-level values that are none of these.
        response: the answer beside its data; None where it was fetched elsewhere.
    """

    matches: Matches
    collections: Mapping[str, Sequence[Objects]]
    meta: Meta
    extra: Mapping[str, Any]
    response: Response | None = None

    def ids_of(self, collection: str) -> Iterator[str]:
        """The ids of all objects of a collection."""
        return chain.from_iterable(objects.by_id for objects in self.collections.get(collection, ()))

    def columns(self, collection: str, ids: Iterable[str]) -> Mapping[str, Sequence[Any]]:
        """The values of objects of a collection by attribute, in the order of the ids; UNSET where an object lacks it.

        Raises KeyError for an id that is not there.
        """
        runs = self.collections.get(collection, ())
        if len(runs) == 1:
            return runs[0].columns(ids)
        chosen = list(ids)
        places = {id: place for place, id in enumerate(self.ids_of(collection))}
        parts = [(objects.columns(objects.by_id), [msgspec.UNSET] * len(objects.by_id)) for objects in runs]
        columns: dict[str, list[Any]] = {}
        for name in dict.fromkeys(chain.from_iterable(part for part, _ in parts)):
            column = list(chain.from_iterable(part.get(name, absent) for part, absent in parts))
            columns[name] = [column[places[id]] for id in chosen]
        return columns


class Match(msgspec.Struct, gc=False):
    """One of the `results`: the collection of the object that matched, and its id there."""

    key: str
    id: str


def matches_of(results: Sequence[Match]) -> Matches:
    """The runs of objects of the same collection in `results`."""
    keys = {one.key for one in results}
    if len(keys) == 1:
        return [(keys.pop(), [one.id for one in results])]
    return [(key, [one.id for one in run]) for key, run in groupby(results, attrgetter("key"))]


def meta_with(count: int | None, meta: Meta) -> Meta:
    """What an answer says about paging: the `count` at its top goes before the one in its `meta`."""
    return meta if count is None or count == meta.count else attrs.evolve(meta, count=count)


def open_envelope(payload: Any, class_of: ClassOf, layout_of: LayoutOf, redact: Redact) -> Envelope:
    """Check an answer as JSON has it, and take it apart.

    Raises:
        InvalidResponseError: something is wrong with it. What is quoted of the answer went through `redact`, was cut
            after that, and holds no control characters.
    """
    try:
        return _opened(payload, class_of, layout_of)
    except _MalformedError as error:
        fault = error.shown(redact)
    raise InvalidResponseError(fault)


class _MalformedError(Exception):
    """Something is wrong with an answer: what, with a place in braces for each of its parts that are quoted."""

    def __init__(self, fault: str, *quoted: _QuotedName | _QuotedValue) -> None:
        super().__init__(fault)
        self._fault = fault
        self._quoted = quoted

    def shown(self, redact: Redact) -> str:
        """All of it as a text."""
        return self._fault.format(*(part.shown(redact) for part in self._quoted))


@attrs.frozen
class _QuotedName:
    """A collection or an id, quoted as such."""

    name: Any

    def shown(self, redact: Redact) -> str:
        return brief_text(str(self.name), redact)


@attrs.frozen
class _QuotedValue:
    """Any value, quoted with its type if that matters."""

    value: Any
    typed: bool = True

    def shown(self, redact: Redact) -> str:
        if self.value is None and self.typed:
            return "nothing"
        shown = brief_repr(self.value, redact)
        return f"{type(self.value).__name__} {shown}" if self.typed else shown


def _opened(payload: Any, class_of: ClassOf, layout_of: LayoutOf) -> Envelope:
    if not isinstance(payload, Mapping):
        raise _MalformedError("an object with results was expected, not {}", _QuotedValue(payload))
    results = payload.get("results")
    if not isinstance(results, list):
        raise _MalformedError("results should be a list, not {}", _QuotedValue(results))
    matches = matches_of(_results(results))
    named = {key for key, _ in matches}
    collections: dict[str, Mapping[str, Mapping[str, Any]]] = {}
    extra: dict[str, Any] = {}
    for key, value in payload.items():
        if key in _RESERVED:
            continue
        if key in named or _is_collection(key, value, class_of):
            collections[key] = _objects(key, value)
        else:
            extra[key] = value
    for key, ids in matches:
        absent = set(ids).difference(collections.get(key, ()))
        if absent:
            raise _MalformedError(
                "results names {} {}, and the answer has no such object", _QuotedName(key), _QuotedName(min(absent))
            )
    meta = _meta(payload.get("meta"))
    count = _number("count", payload.get("count"))
    return Envelope(matches, _read(collections, class_of, layout_of), meta_with(count, meta), extra)


def _is_collection(key: Any, value: Any, class_of: ClassOf) -> bool:
    """Whether a top-level value that no match names holds objects."""
    if key == "errors" and not (looks_like_objects(value) and all("id" in one for one in value.values())):
        # The catalogue has a definition of this name, but an answer mostly has the errors there, beside the objects.
        return False
    return class_of(key) is not None or looks_like_objects(value)


def looks_like_objects(value: Any) -> bool:
    """Whether this may be a collection that the catalogue does not know."""
    return isinstance(value, dict) and bool(value) and all(isinstance(one, dict) for one in value.values())


def _read(
    collections: Mapping[str, Mapping[str, Mapping[str, Any]]], class_of: ClassOf, layout_of: LayoutOf
) -> dict[str, list[Objects]]:
    """The objects of each collection, read as what they are, in runs of the same class."""
    narrowed = _narrowed(collections, class_of)
    layouts: dict[type[Entity], ObjectLayout] = {}
    read: dict[str, list[Objects]] = {}
    for key, objects in collections.items():
        read[key] = []
        for cls, run in _runs(objects, class_of(key) or UnknownEntity, narrowed.get(key, {})):
            part = read_plain(key, run, layouts.get(cls) or layout_of(cls))
            layouts[cls] = part.layout
            read[key].append(part)
    return read


def _runs(
    objects: Mapping[str, Mapping[str, Any]], cls: type[Entity], narrowed: Mapping[str, type[Entity]]
) -> Iterator[tuple[type[Entity], Mapping[str, Mapping[str, Any]]]]:
    """The runs of objects of the same class: `cls`, or what they are narrowed to."""
    if not narrowed or not objects:
        yield cls, objects
        return
    for kind, run in groupby(objects, lambda id: narrowed.get(id, cls)):
        yield kind, {id: objects[id] for id in run}


def _narrowed(
    collections: Mapping[str, Mapping[str, Mapping[str, Any]]], class_of: ClassOf
) -> dict[str, dict[str, type[Entity]]]:
    """The objects to which an association gives a narrower class than their collection, such as a receipt.

    By collection and id.
    """
    narrowed: dict[str, dict[str, type[Entity]]] = {}
    for key, objects in collections.items():
        cls = class_of(key)
        for association in cls.narrowing if cls is not None else ():
            if association.key is None or association.variant is None or association.key not in collections:
                continue  # before the class of the other collection is loaded for nothing
            target = class_of(association.key)
            if target is None:
                continue
            variant = target.variants[association.variant]
            ids = narrowed.setdefault(target.collection, {})
            for one in objects.values():
                for id in _ids_in(one.get(association.ref)):
                    ids.setdefault(id, variant)
    return narrowed


def _ids_in(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        with suppress(TypeError):
            yield read_id(one)


def _results(results: list[Any]) -> list[Match]:
    try:
        return msgspec.convert(results, list[Match])
    except msgspec.ValidationError:  # an id came as a number, or the answer is malformed
        return [_match(result) for result in results]


def _match(result: Any) -> Match:
    if not isinstance(result, dict) or not isinstance(result.get("key"), str):
        raise _MalformedError("a result should be an object with key and id, not {}", _QuotedValue(result))
    id = result.get("id")
    try:
        return Match(result["key"], read_id(id))
    except TypeError:
        fault = "a result of {}: an id is a string, not {}"
    raise _MalformedError(fault, _QuotedName(result["key"]), _QuotedValue(id, typed=False))


def _objects(key: Any, value: Any) -> Mapping[str, Mapping[str, Any]]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _MalformedError("{} should map ids to objects, not be {}", _QuotedName(key), _QuotedValue(value))
    for id, one in value.items():
        if not isinstance(id, str):
            raise _MalformedError(
                "{} should map ids to objects, and ids are strings, not {}", _QuotedName(key), _QuotedValue(id)
            )
        if not isinstance(one, dict):
            raise _MalformedError(
                "{} {} should be an object, not {}", _QuotedName(key), _QuotedName(id), _QuotedValue(one)
            )
        own = one.get("id", id)
        if own != id and not _spells(own, id):
            raise _MalformedError(
                "{} {} says that its id is {}", _QuotedName(key), _QuotedName(id), _QuotedValue(own, typed=False)
            )
    return value


def _spells(value: Any, id: str) -> bool:
    try:
        return read_id(value) == id
    except TypeError:
        return False


def _meta(meta: Any) -> Meta:
    if meta is None:
        return Meta()
    if not isinstance(meta, dict):
        raise _MalformedError("meta should be an object, not {}", _QuotedValue(meta))
    return Meta(**{name: _number(f"meta.{name}", meta.get(name)) for name in _META})


_META: Final = tuple(field.name for field in attrs.fields(Meta))


def _number(name: str, value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise _MalformedError("{} should be a whole number, not {}", _QuotedName(name), _QuotedValue(value))
