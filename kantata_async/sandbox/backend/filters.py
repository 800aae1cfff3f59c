"""Which rule each filter of the catalogue has: the one its collection declares, or the one that its name spells out.

A filter that has neither is accepted and has no effect; `FilterRules.without_effect` lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kantata_async.catalogue import Catalogue, CatalogueOperation, Field

from .custom_value_filters import custom_value_rule
from .predicates import FilterRule, Predicate, among, between, compared, containing, equal, texts
from .query_string import typed
from .refusals import invalid
from .rules import rules_of
from .store import Store

_REFERENCE_FILTERS: Final = {
    "external_reference_external_message": "external_message",
    "external_reference_external_status": "external_status",
    "external_reference_service_model": "service_model",
    "external_reference_service_model_ref": "service_model_ref",
    "external_reference_service_model_refs": "service_model_ref",
    "external_reference_service_name": "service_name",
    "external_reference_status": "status",
}

_NAMES: Final = ("full_name", "name", "title", "label", "user_name", "cached_skill_name", "message", "filename")


class FilterRules:
    """The rule of every filter of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.lists = {
            str(operation.collection): operation
            for operation in catalogue.operations.values()
            if operation.method == "GET"
            and operation.collection
            and (operation.path.count("/") == 1 or "page" in operation.standard_params)
        }
        self._rules = {
            (collection, field.name): self._rule(collection, field)
            for collection, operation in self.lists.items()
            for field in operation.filters
        }

    @property
    def without_effect(self) -> tuple[tuple[str, str], ...]:
        """The (path, filter) pairs that are accepted and change nothing, as the data that they ask about is missing."""
        return tuple(
            (self.lists[collection].path, name)
            for (collection, name), rule in self._rules.items()
            if rule is None and name not in _read_by_visibility(collection)
        )

    def predicates(self, store: Store, operation: CatalogueOperation, given: Mapping[str, Any]) -> list[Predicate]:
        """What an object must satisfy to be in an answer: the filters given, and the defaults of the others."""
        collection = str(operation.collection)
        listed = self.lists.get(collection)
        own = {field.name for field in operation.filters}
        kept = {
            **{f.name: typed(f.type, f.default) for f in (listed.filters if listed else ()) if f.default is not None},
            **{name: value for name, value in given.items() if name in own},
        }
        hidden = rules_of(collection).hidden
        found = [] if hidden is None else [hidden.visible(store, kept)]
        for name, value in kept.items():
            rule = self._rules.get((collection, name))
            if rule is not None:
                found.append(_made(rule, store, name, value))
        return found

    def _rule(self, collection: str, field: Field) -> FilterRule | None:
        if declared := rules_of(collection).filters.get(field.name):
            return declared
        if field.name in _read_by_visibility(collection):
            return None
        attributes = self._catalogue.collections[collection].attributes
        return (
            _about_references(collection, field.name)
            or custom_value_rule(collection, field.name)
            or _named(field, attributes)
        )


def _made(rule: FilterRule, store: Store, name: str, value: Any) -> Predicate:
    try:
        return rule(store, value)
    except (ValueError, TypeError, AttributeError):
        raise invalid(f"{name} cannot be understood", name) from None


def _read_by_visibility(collection: str) -> tuple[str, ...]:
    hidden = rules_of(collection).hidden
    return hidden.filters if hidden is not None else ()


def _about_references(collection: str, name: str) -> FilterRule | None:
    if attribute := _REFERENCE_FILTERS.get(name):
        return _referenced(collection, attribute)
    if name == "without_external_reference_service_name":
        return _referenced(collection, "service_name", negated=True)
    if name == "has_external_references":
        return _has_references(collection)
    return _has_values(collection) if name == "has_value_for_custom_field_ids" else None


def _named(field: Field, attributes: Mapping[str, Field]) -> FilterRule | None:
    """The rule that a filter's name spells out about an attribute; None where it names none."""
    stem = field.name.removeprefix("with_").removeprefix("by_")
    for candidate in (field.name, stem, f"{stem}_id", f"is_{stem}"):
        if candidate in attributes:
            return equal(candidate)
    if stem.removesuffix("s") in attributes:
        return among(stem.removesuffix("s"))
    if stem in {"matching", "full_name", "title", "name", "skill_name", "user_name", "holiday_name"}:
        named = [name for name in _NAMES if name in attributes]
        return containing(*named) if named else None
    return _ranged(stem, attributes)


def _ranged(name: str, attributes: Mapping[str, Field]) -> FilterRule | None:
    for suffix in ("_after", "_before", "_between"):
        stem = name.removesuffix(suffix)
        if stem == name:
            continue
        if stem in {"created", "updated"}:
            return compared(f"{stem}_at", after=suffix == "_after")
        for attribute in (stem, f"{stem}_at", f"{stem}_date", f"{stem}_on"):
            if attribute in attributes:
                return between(attribute) if suffix == "_between" else compared(attribute, after=suffix == "_after")
    return None


def _referenced(collection: str, attribute: str, *, negated: bool = False) -> FilterRule:
    def rule(store: Store, value: Any) -> Predicate:
        wanted = set(texts(value))
        subjects = {
            reference["subject_ref"]["id"]
            for reference in store.records("external_references").values()
            if (reference.get("subject_ref") or {}).get("key") == collection and str(reference.get(attribute)) in wanted
        }
        return lambda record: (record["id"] in subjects) is not negated

    return rule


def _has_references(collection: str) -> FilterRule:
    def rule(store: Store, value: Any) -> Predicate:
        return lambda record: (
            bool(store.referring("external_references", "subject_ref", (collection, record["id"]))) is value
        )

    return rule


def _has_values(collection: str) -> FilterRule:
    def rule(store: Store, value: Any) -> Predicate:
        values = store.records("custom_field_values")
        subjects = {
            values[found]["subject_ref"]["id"]
            for field in texts(value)
            for found in store.referring("custom_field_values", "custom_field_id", field)
            if values[found]["subject_ref"]["key"] == collection
        }
        return lambda record: record["id"] in subjects

    return rule
