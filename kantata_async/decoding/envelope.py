"""The envelope of an answer, checked and taken apart: nothing is made of its objects here.

An answer is `{"count", "results": [{"key", "id"}], "<collection>": {"<id>": {…}}, "meta"}`. `results` alone says which
objects matched and in which order; a collection mixes matches with associated objects of the same kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import attrs

from ..errors import InvalidResponseError
from ..model import Entity, Matches, Meta, Ref, read_id, told
from .careful import AsSent, Maker

ClassOf = Callable[[str], type[Entity] | None]
"""The entity class of a collection; None for one that the catalogue does not know."""

_RESERVED: Final = frozenset({"count", "results", "meta"})


@attrs.define
class Envelope:
    """An answer taken apart and checked: the matches in order, all objects by collection and id, the rest.

    `makers` say of each collection what is made of its objects.
    """

    matches: Matches
    collections: Mapping[str, Mapping[str, Any]]
    makers: Mapping[str, Maker]
    meta: Meta
    extra: Mapping[str, Any]


def open_envelope(payload: Any, class_of: ClassOf) -> Envelope:
    """Check a decoded answer and take it apart. Raises InvalidResponseError saying what is wrong with it."""
    if not isinstance(payload, Mapping):
        raise InvalidResponseError(f"an object with results was expected, not {_kind(payload)}")
    results = payload.get("results")
    if not isinstance(results, list):
        raise InvalidResponseError(f"results should be a list, not {_kind(results)}")
    matches = _matches(results)
    named = {key for key, _ in matches}
    collections: dict[str, Mapping[str, Mapping[str, Any]]] = {}
    extra: dict[str, Any] = {}
    for key, value in payload.items():
        if key in _RESERVED:
            continue
        if key in named or (class_of(key) is not None and not _lists_errors(key, value)) or looks_like_objects(value):
            collections[key] = _objects(key, value)
        else:
            extra[key] = value
    for key, ids in matches:
        absent = set(ids).difference(collections.get(key, ()))
        if absent:
            raise InvalidResponseError(f"results names {key} {min(absent)}, and the answer has no such object")
    return Envelope(matches, collections, _makers(collections, class_of), _meta(payload), extra)


def _makers(collections: Mapping[str, Mapping[str, Any]], class_of: ClassOf) -> Mapping[str, Maker]:
    narrowed = _narrowed(collections, class_of)
    return {key: AsSent(key, class_of(key), narrowed.get(key, {})) for key in collections}


def _narrowed(collections: Mapping[str, Mapping[str, Any]], class_of: ClassOf) -> dict[str, dict[str, type[Entity]]]:
    """The objects whose class an association tells more closely than their collection, such as an expense's receipt.

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


def _lists_errors(key: str, value: Any) -> bool:
    """Whether this is what an answer says of errors beside its objects; the definition Error has the same key."""
    return key == "errors" and isinstance(value, list)


def looks_like_objects(value: Any) -> bool:
    """Whether this may be a collection that the catalogue does not know."""
    return isinstance(value, dict) and bool(value) and all(isinstance(one, dict) for one in value.values())


def _matches(results: list[Any]) -> Matches:
    runs = groupby(map(_match, results), attrgetter("key"))
    return [(key, [ref.id for ref in run]) for key, run in runs]


def _match(result: Any) -> Ref:
    if not isinstance(result, dict) or not isinstance(result.get("key"), str):
        raise InvalidResponseError(f"a result should be an object with key and id, not {_kind(result)}")
    try:
        return Ref(result["key"], read_id(result.get("id")))
    except TypeError as error:
        raise InvalidResponseError(f"a result of {result['key']}: {error}") from None


def _objects(key: str, value: Any) -> Mapping[str, Mapping[str, Any]]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidResponseError(f"{key} should map ids to objects, not be {_kind(value)}")
    for id, one in value.items():
        if not isinstance(id, str):
            raise InvalidResponseError(f"{key} should map ids to objects, and ids are strings, not {_kind(id)}")
        if not isinstance(one, dict):
            raise InvalidResponseError(f"{key} {id} should be an object, not {_kind(one)}")
        own = one.get("id", id)
        if own != id and not _spells(own, id):
            raise InvalidResponseError(f"{key} {id} says that its id is {told(own)}")
    return value


def _spells(value: Any, id: str) -> bool:
    try:
        return read_id(value) == id
    except TypeError:
        return False


def _meta(payload: Mapping[str, Any]) -> Meta:
    meta = payload.get("meta")
    if meta is None:
        meta = {}
    if not isinstance(meta, dict):
        raise InvalidResponseError(f"meta should be an object, not {_kind(meta)}")
    count = _number("count", payload.get("count"))
    return Meta(
        count=_number("meta.count", meta.get("count")) if count is None else count,
        page_count=_number("meta.page_count", meta.get("page_count")),
        page_number=_number("meta.page_number", meta.get("page_number")),
        page_size=_number("meta.page_size", meta.get("page_size")),
    )


def _number(name: str, value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise InvalidResponseError(f"{name} should be a whole number, not {_kind(value)}")


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {told(value)}"
