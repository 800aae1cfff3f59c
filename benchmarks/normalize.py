"""Bytes to linked entities, a page at a time, against the JSON parser alone and against the usual ways to make objects.

Each way reads dates and reads every included association of every match once; pydantic, cattrs and msgspec link
nothing, so that their associations are looked up by hand. The floor does nothing of this: it parses, allocates an
object with slots for each of the answer's, and stores every value unseen. Nothing with slots is made with less of what
orjson gives; who has the parser make no dicts can go below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any, Final, TypeVar

import attrs
import cattrs
import msgspec
import orjson
import pydantic

from kantata_async import normalize
from kantata_async.api import entity_class
from kantata_async.decoding import Reader, forget_layouts
from kantata_async.model import Entity

from ._figures import Figure
from ._payloads import PARTICIPATIONS, STORIES, USERS, Asked, encoded, known, value_type
from ._timing import compared

PAGES: Final = {"participations": PARTICIPATIONS, "stories": STORIES, "users": USERS}
BASE: Final = "orjson.loads"
OURS: Final = "kantata_async"
FLOOR: Final = "the floor: parse, allocate, store"
GOALS: Final = {OURS: "≤ 1.5"}
FIRST: Final = "kantata_async, a reader that has met nothing"
FIRST_EVER: Final = "kantata_async, in a process that has met nothing"

_TYPES: Final[Mapping[str, Any]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": float,
    "dt.datetime": datetime,
    "dt.date": date,
    "tuple[str, ...]": tuple[str, ...],
}

T = TypeVar("T")
_LIST: Any = list[T]  # type: ignore[valid-type]
_BY_ID: Any = dict[str, T]  # type: ignore[valid-type]

Link = tuple[str, str]
"""An included association: the attribute that names its objects, and their collection."""


def main(quick: bool) -> list[Figure]:
    """Measure a page of each kind; quickly, of one."""
    figures: list[Figure] = []
    for name, asked in islice(PAGES.items(), 1 if quick else None):
        of = f"a page of {asked.size} {name} with {', '.join(asked.includes)}"
        figures += compared(sides(asked), 2 if quick else 100).figures(of, BASE, goals=GOALS)
        at_once = compared(_without_others(asked), 2 if quick else 60, times=5)
        figures += at_once.figures(f"the same page of {name}, five times in a row", BASE, goals=GOALS)
        first = compared(_first(asked), 2 if quick else 100)
        figures += first.figures(f"the first answer of a kind: that page of {name}", BASE, goals={FIRST: "≤ 3"})
    return figures


def _first(asked: Asked) -> dict[str, Callable[[], Any]]:
    """The parser, and answers that are laid out as none before them: to a new session, and to a new process."""
    body = encoded(asked)

    def first() -> None:
        reader = Reader(entity_class)
        _read_all(reader.page(reader.decode(body), includes=asked.includes).items, asked.includes)

    def first_ever() -> None:
        forget_layouts()
        first()

    return {BASE: lambda: orjson.loads(body), FIRST: first, FIRST_EVER: first_ever}


def _without_others(asked: Asked) -> dict[str, Callable[[], Any]]:
    """The parser, the floor and Kantata Async, each with the processor's caches to itself for a while."""
    return {side: run for side, run in sides(asked).items() if side in {BASE, FLOOR, OURS}}


def sides(asked: Asked) -> dict[str, Callable[[], Any]]:
    """What is compared: each takes the same bytes, and leaves nothing behind."""
    body = encoded(asked)
    cls = known(asked.collection)
    links = [
        (association.ref, association.key or "") for association in map(cls.associations.__getitem__, asked.includes)
    ]
    collections = {asked.collection, *(key for _, key in links)}
    return {
        BASE: lambda: orjson.loads(body),
        FLOOR: _floor(body),
        OURS: lambda: _read_all(normalize(body, include=asked.includes).items, asked.includes),
        "msgspec": _with_msgspec(body, collections, links),
        "cattrs": _with_cattrs(body, collections, links),
        "pydantic": _with_pydantic(body, collections, links),
    }


def _floor(body: bytes) -> Callable[[], Any]:
    stores = {key: _store(next(iter(objects.values()))) for key, objects in _collections(orjson.loads(body))}

    def run() -> None:
        made = {
            key: [stores[key](one) for one in objects.values()] for key, objects in _collections(orjson.loads(body))
        }
        if not made:
            raise AssertionError

    return run


def _collections(answer: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, dict[str, Any]]]]:
    return ((key, value) for key, value in answer.items() if isinstance(value, dict) and key != "meta")


def _store(sample: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    """A function that makes a slotted object of a dict with the attributes of this one."""
    known: dict[str, Any] = {"cls": type("Stored", (), {"__slots__": tuple(sample)}), "values": itemgetter(*sample)}
    targets = ", ".join(f"one.{name}" for name in sample)
    exec(f"def store(raw):\n    one = cls()\n    {targets} = values(raw)\n    return one", known)  # noqa: S102
    store: Callable[[Mapping[str, Any]], Any] = known["store"]
    return store


def _read_all(items: Iterable[Entity], names: Iterable[str]) -> None:
    read = attrgetter(*names)
    for item in items:
        read(item)


def _read_by_hand(
    results: Iterable[tuple[str, str]], collections: Mapping[str, Mapping[str, Any]], links: Iterable[Link]
) -> None:
    for key, id in results:
        match = collections[key][id]
        for ref, target in links:
            named = getattr(match, ref)
            if isinstance(named, str):
                collections[target][named]
            else:
                tuple([collections[target][one] for one in named])


def _fields(collection: str) -> list[tuple[str, Any]]:
    cls = known(collection)
    fields = attrs.fields_dict(cls)
    return [(name, _TYPES.get(value_type(fields[name]), Any)) for name in cls.attributes]


def _with_cattrs(body: bytes, collections: Iterable[str], links: list[Link]) -> Callable[[], None]:
    converter = cattrs.Converter()
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    converter.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
    classes = {
        collection: attrs.make_class(
            collection, {name: attrs.field(type=kind | None, default=None) for name, kind in _fields(collection)}
        )
        for collection in collections
    }

    def run() -> None:
        answer = orjson.loads(body)
        objects: dict[str, dict[str, Any]] = {
            collection: {id: converter.structure(one, cls) for id, one in answer[collection].items()}
            for collection, cls in classes.items()
        }
        _read_by_hand([(one["key"], one["id"]) for one in answer["results"]], objects, links)

    return run


def _with_pydantic(body: bytes, collections: Iterable[str], links: list[Link]) -> Callable[[], None]:
    create_model: Any = pydantic.create_model  # of fields that are known at run time alone
    models = {
        collection: create_model(collection, **{name: (kind | None, None) for name, kind in _fields(collection)})
        for collection in collections
    }
    result = create_model("Result", key=(str, ...), id=(str, ...))
    fields = {collection: (_BY_ID[model], ...) for collection, model in models.items()}
    envelope = create_model("Envelope", results=(_LIST[result], ...), **fields)

    def run() -> None:
        answer = envelope.model_validate_json(body)
        objects = {collection: getattr(answer, collection) for collection in models}
        _read_by_hand([(one.key, one.id) for one in answer.results], objects, links)

    return run


def _with_msgspec(body: bytes, collections: Iterable[str], links: list[Link]) -> Callable[[], None]:
    structs: dict[str, Any] = {
        collection: msgspec.defstruct(
            collection, [(name, kind | None | msgspec.UnsetType, msgspec.UNSET) for name, kind in _fields(collection)]
        )
        for collection in collections
    }
    result = msgspec.defstruct("Result", [("key", str), ("id", str)])
    fields = [(collection, _BY_ID[struct]) for collection, struct in structs.items()]
    envelope = msgspec.defstruct("Envelope", [("results", _LIST[result]), *fields])
    decoder = msgspec.json.Decoder(envelope)

    def run() -> None:
        answer: Any = decoder.decode(body)
        objects = {collection: getattr(answer, collection) for collection in structs}
        _read_by_hand([(one.key, one.id) for one in answer.results], objects, links)

    return run
