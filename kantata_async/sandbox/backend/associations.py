"""How the ids of an association are found: in the record, or in the records that refer back to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from kantata_async.catalogue import Catalogue, CatalogueAssociation

from .inflection import singular
from .rules import Finder, FoundIds, rules_of
from .store import Record, Store

_ABOUT_SUBJECTS: Final = frozenset({"ExternalReference", "CustomFieldValue"})


def inverse(collection: str, attribute: str, own: str = "id") -> Finder:
    """The records of a collection whose attribute is this record's `own`."""
    return lambda store, record: list(store.referring(collection, attribute, record.get(own)))


def through(
    collection: str, attribute: str, far: str, *, own: str = "id", keep: Callable[[Record], Any] = lambda _: True
) -> Finder:
    """The objects to which the records of a joining collection refer on their far side, each once."""

    def find(store: Store, record: Record) -> FoundIds:
        joining = store.records(collection)
        links = (joining[link] for link in store.referring(collection, attribute, record.get(own)))
        return list(dict.fromkeys(link[far] for link in links if link.get(far) is not None and keep(link)))

    return find


def first(finder: Finder) -> Finder:
    """The first object that another finder finds."""
    return lambda store, record: next(iter(finder(store, record) or ()), None)


def latest(finder: Finder) -> Finder:
    """The object with the highest id that another finder finds."""
    return lambda store, record: max(finder(store, record) or (), key=int, default=None)


def finder(catalogue: Catalogue, collection: str, association: CatalogueAssociation) -> Finder:
    """How the ids of an association are found: by a declared rule, through records that refer back, or as stored."""
    ref = association.ref or ""
    if declared := rules_of(collection).associations.get(ref):
        return declared
    if association.entity in _ABOUT_SUBJECTS:
        key = str(association.key)
        return lambda store, record: list(store.referring(key, "subject_ref", (collection, record["id"])))
    if association.many and association.entity and association.key:
        back = _back_reference(catalogue, collection, association)
        if back is not None:
            return inverse(association.key, back)
    return lambda store, record: record.get(ref)


def _back_reference(catalogue: Catalogue, collection: str, association: CatalogueAssociation) -> str | None:
    other = catalogue.definitions[str(association.entity)]
    direct = f"{singular(collection)}_id"
    if direct in other.attributes:
        return direct
    candidates = [a.ref for a in other.associations if a.key == collection and not a.many and a.ref]
    return candidates[0] if len(candidates) == 1 else None


def targets(ref: Any, key: str | None) -> Iterable[tuple[str, str]]:
    """The (collection, id) of everything that a reference names."""
    if isinstance(ref, list):
        return [target for entry in ref for target in targets(entry, key)]
    if isinstance(ref, dict):
        return [(ref["key"], ref["id"])]
    return [(key, ref)] if key and ref is not None else []
