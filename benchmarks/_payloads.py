"""Answers of the API to measure with: every object carries what the catalogue says that its kind is sent with."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import attrs
import orjson

from kantata_async.api import entity_class
from kantata_async.model import Attribute, Entity

PAGE: Final = 200

_FIRST: Final = datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)
_WORDS: Final = (
    "project",
    "review",
    "of",
    "the",
    "client's",
    "plan",
    "budget",
    "and",
    "milestones",
    "before",
    "delivery",
    "next",
    "quarter",
)

_VALUES: Final[Mapping[str, Callable[[random.Random], Any]]] = {
    "str": lambda chance: " ".join(chance.choices(_WORDS, k=3)),
    "int": lambda chance: chance.choice((None, 0, chance.randrange(1_000_000))),
    "bool": lambda chance: chance.random() < 0.5,
    "float": lambda chance: chance.choice((None, chance.randrange(1000) / 8)),
    "dt.datetime": lambda chance: (_FIRST + timedelta(seconds=chance.randrange(30_000_000))).isoformat(),
    "dt.date": lambda chance: (date(2026, 1, 5) + timedelta(days=chance.randrange(365))).isoformat(),
}


@attrs.frozen
class Asked:
    """A page to make: the collection, the associations to include, and how many objects each of these has.

    `optional`: whether the optional attributes were asked for too.
    """

    collection: str
    includes: Mapping[str, int]
    optional: bool = False
    size: int = PAGE


PARTICIPATIONS: Final = Asked("participations", {"user": PAGE, "workspace": 1, "workspace_role": 6, "active_roles": 6})
STORIES: Final = Asked(
    "stories", {"workspace": 1, "creator": 20, "assignees": 40, "assigned_role": 6, "tags": 10}, optional=True
)
USERS: Final = Asked("users", {"role": 6, "manager": 20, "account_membership": PAGE, "skills": 30}, optional=True)


def value_type(field: attrs.Attribute[Any]) -> str:
    """The type of an attribute's values as its annotation spells it, such as ``str`` or ``dt.datetime``."""
    return str(field.type).removeprefix("Nullable[").removesuffix("]")


def sent_attributes(cls: type[Entity], *, optional: bool, references: Iterable[str] = ()) -> list[str]:
    """The attributes that an object is sent with: no references but those of what was included."""
    hidden = {association.ref for association in cls.associations.values()} - set(references)
    return [name for name, told in cls.attributes.items() if name not in hidden and (optional or not told.optional)]


def payload(asked: Asked, first: int = 1, total: int | None = None) -> dict[str, Any]:
    """A page of an answer whose matches have the ids from `first` on, `total` of them on all pages."""
    chance = random.Random(first)
    cls = known(asked.collection)
    included = [cls.associations[name] for name in asked.includes]
    collections: dict[str, dict[str, Any]] = {}
    pools: dict[str, list[str]] = {}
    keys = sorted({association.key or "" for association in included})
    for association, count in zip(included, asked.includes.values(), strict=True):
        target = known(association.key or "")
        start = 10_000_001 + 1_000_000 * keys.index(association.key or "")
        pools[association.ref] = [str(start + number) for number in range(count)]
        names = sent_attributes(target, optional=False)
        objects = collections.setdefault(target.collection, {})
        objects |= {id: _object(target, id, names, {}, chance) for id in pools[association.ref]}
    names = sent_attributes(cls, optional=asked.optional, references=pools)
    ids = [str(number) for number in range(first, first + asked.size)]
    matches = collections.setdefault(asked.collection, {})
    matches |= {id: _object(cls, id, names, pools, chance) for id in ids}
    count = asked.size if total is None else total
    return {
        "count": count,
        "results": [{"key": asked.collection, "id": id} for id in ids],
        **collections,
        "meta": {
            "count": count,
            "page_count": -(-count // asked.size),
            "page_number": first // asked.size + 1,
            "page_size": asked.size,
        },
    }


def encoded(asked: Asked, first: int = 1, total: int | None = None) -> bytes:
    """A page as it comes over the wire."""
    return orjson.dumps(payload(asked, first, total))


def known(collection: str) -> type[Entity]:
    """The entity class of a collection that the catalogue knows."""
    cls = entity_class(collection)
    if cls is None:
        raise LookupError(collection)
    return cls


def _object(
    cls: type[Entity], id: str, names: Sequence[str], pools: Mapping[str, Sequence[str]], chance: random.Random
) -> dict[str, Any]:
    fields = attrs.fields_dict(cls)
    return {name: id if name == "id" else _value(name, fields[name], pools.get(name, ()), chance) for name in names}


def _value(name: str, field: attrs.Attribute[Any], pool: Sequence[str], chance: random.Random) -> Any:
    kind = value_type(field)
    if pool:
        return chance.sample(pool, min(2, len(pool))) if kind.startswith("tuple") else chance.choice(pool)
    if kind == "str" and field.metadata[Attribute].read is not None:
        return str(chance.randrange(1_000_000))
    return _VALUES[kind](chance) if kind in _VALUES else None
