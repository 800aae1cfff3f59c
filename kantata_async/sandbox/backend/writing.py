"""Creating, changing and deleting objects by the rules of their collections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from .account import ME
from .inflection import class_of_collection, singular
from .references import refer
from .refusals import invalid, missing
from .rules import Values, nested_fields_of, rules_of
from .store import Record, Store

_ABOUT_OBJECTS: Final = ("custom_field_values", "external_references")


def create(store: Store, collection: str, values: Values) -> str:
    """The id of a new object, once it is stored with everything that comes with it."""
    rules = rules_of(collection)
    given = dict(values) if rules.defaults is None else {**rules.defaults(store, values), **values}
    for name in ("creator_id", "setter_id"):
        given.setdefault(name, ME)
    if rules.has_owner:
        given["user_id"] = given.get("user_id") or ME
    identity = store.add(collection, _attributes(store, collection, given))
    _carry_out_parts(store, collection, identity, given)
    if rules.created is not None:
        rules.created(store, identity, given)
    return identity


def update(store: Store, collection: str, identity: str, values: Values) -> None:
    """Change one object, and what goes with it."""
    store.update(collection, identity, _attributes(store, collection, values))
    _carry_out_parts(store, collection, identity, values)


def destroy(store: Store, collection: str, identity: str) -> None:
    """Delete one object with what belongs to it; some are only marked.

    Raises:
        Refusal: 422 where the API refuses the delete.
    """
    record = store.records(collection).get(identity)
    if record is None or record.get("deleted_at"):
        raise missing(singular(collection))
    if (reason := _refused(store, collection, record)) is not None:
        raise invalid(reason)
    marked = rules_of(collection).marked
    if marked is not None and (changes := marked(store, record)) is not None:
        store.update(collection, identity, changes)
        return
    destroy_quietly(store, collection, identity)


def destroy_quietly(store: Store, collection: str, identity: str) -> None:
    """Remove an object and what belongs to it, whatever the rules for deleting it alone."""
    for child, attribute in rules_of(collection).belongings:
        for found in store.referring(child, attribute, identity):
            destroy_quietly(store, child, found)
    for child in _ABOUT_OBJECTS:
        for found in store.referring(child, "subject_ref", (collection, identity)):
            store.delete(child, found)
    if identity in store.records(collection):
        store.delete(collection, identity)


def destroy_all(store: Store, collection: str, ids: Iterable[str]) -> None:
    """Delete all of the objects, or none where one cannot be deleted.

    Raises:
        Refusal: one of them cannot be deleted.
    """
    wanted = list(ids)
    records = store.records(collection)
    for identity in wanted:
        if identity not in records:
            raise missing(f"{singular(collection)} {identity}")
        if (reason := _refused(store, collection, records[identity])) is not None:
            raise invalid(reason)
    for identity in wanted:
        destroy(store, collection, identity)


def deleted_now(store: Store, _: Record) -> Values:
    """The mark of an object that is deleted and kept."""
    return {"deleted_at": store.clock.tick()}


def subject(collection: str, identity: str) -> Values:
    """The attributes by which an object is about another."""
    reference = {"key": collection, "id": identity}
    return {"subject_type": class_of_collection(collection), "subject_id": identity, "subject_ref": reference}


def _refused(store: Store, collection: str, record: Record) -> str | None:
    guard = rules_of(collection).guard
    return guard.reason if guard is not None and guard.refuses(store, record) else None


def _attributes(store: Store, collection: str, values: Mapping[str, Any]) -> Values:
    """The attributes that the fields of a body mean."""
    rules = rules_of(collection)
    parts = {name for name, _ in nested_fields_of(values)}
    attributes = {rules.renamed.get(name, name): value for name, value in values.items() if name not in parts}
    if values.get("subject_type") and values.get("subject_id") is not None:
        attributes["subject_ref"] = refer(values)
    if rules.meaning is not None:
        attributes |= rules.meaning(store, dict(values))
    return attributes


def _carry_out_parts(store: Store, collection: str, identity: str, values: Values) -> None:
    for name, part in nested_fields_of(values):
        if values[name] is not None:
            part.carry_out(store, collection, identity, values[name])
