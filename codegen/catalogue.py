"""Reads the YAML of the catalogue, applies the corrections, and gives the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import cattrs
import yaml

from kantata_async.catalogue import (
    Catalogue,
    CatalogueAssociation,
    CatalogueOperation,
    Definition,
    Field,
    SortOrder,
    Type,
)
from kantata_async.model import NaturalKey

from .notation import parse_field, parse_fields, parse_nested

Raw = dict[str, Any]


@attrs.frozen
class _Corrections:
    """The sections of corrections.yaml; a section that is not listed here is refused."""

    classes: dict[str, Raw]
    variants: dict[str, Raw]
    added_definitions: dict[str, Raw]
    collections: dict[str, str]
    association_keys: dict[str, Raw]
    associations: dict[str, Raw]
    attributes: dict[str, Raw]
    undirected_orders: dict[str, Raw]
    revealing: dict[str, Raw]
    notes: dict[str, str]
    operations: dict[str, Raw]


@attrs.frozen
class _Published:
    """One operation as its YAML spells it; a key that is not listed here is refused."""

    operation: str
    method: str
    path: str
    status: int | None
    standard_params: list[str] = attrs.field(factory=list)
    path_params: Raw = attrs.field(factory=dict)
    filters: Raw = attrs.field(factory=dict)
    order: Raw | None = None
    include: Raw = attrs.field(factory=dict)
    optional_fields: list[str] = attrs.field(factory=list)
    bulk_max: int | None = None
    body_key: str | None = None
    body: Raw = attrs.field(factory=dict)
    body_required: bool = False
    response: dict[str, str] = attrs.field(factory=dict)
    response_other: Raw | None = None
    note: str | None = None
    upload: str | None = None
    multipart: bool = False
    csv: bool = False


_HERE: Final = Path(__file__).parents[1] / "kantata_async" / "catalogue"
"""The sources, which no wheel has."""
_STRICT: Final = cattrs.Converter(forbid_extra_keys=True)


def read() -> Catalogue:
    """The whole catalogue, in about half a second.

    Raises ValueError or a cattrs error naming the place when the YAML holds what the notation does not.
    """
    corrections = _STRICT.structure(_read("corrections.yaml"), _Corrections)
    operations = tuple(_operations(corrections))
    return Catalogue(
        operations={(operation.method, operation.path): operation for operation in operations},
        definitions={definition.name: definition for definition in _definitions(corrections, operations)},
        natural_keys=dict(_natural_keys()),
    )


def _natural_keys() -> Iterable[tuple[str, NaturalKey]]:
    for collection, raw in _read("natural_keys.yaml").items():
        yield collection, _STRICT.structure({name: told for name, told in raw.items() if name != "why"}, NaturalKey)


def _read(*path: str) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(_HERE.joinpath(*path).read_bytes(), loader)  # noqa: S506 - both are safe loaders


def _operations(corrections: _Corrections) -> Iterable[CatalogueOperation]:
    published: dict[str, tuple[str, Raw]] = {}
    for name in sorted(entry.name for entry in _HERE.joinpath("operations").iterdir()):
        document = _read("operations", name)
        for raw in document["operations"]:
            published[f"{raw['method']} {raw['path']}"] = document["tag"], raw
    for route, (tag, raw) in published.items():
        corrected = _corrected(raw, corrections.operations.get(route), published)
        yield _operation(tag, _STRICT.structure(corrected, _Published), corrections)


def _corrected(raw: Raw, correction: Raw | None, published: Mapping[str, tuple[str, Raw]]) -> Raw:
    if correction is None:
        return raw
    changed = {**raw, **correction.get("set", {})}
    if single := correction.get("body_from"):
        changed["body"] = raw["body"][single]
    for path, notation in correction.get("retype", {}).items():
        changed["body"] = _retyped(changed["body"], path.split("."), notation)
    if source := correction.get("copy_response_from"):
        _, other = published[source]
        changed |= {key: other[key] for key in ("response", "response_other", "status") if key in other}
    return changed


def _retyped(body: Raw, steps: Sequence[str], notation: str) -> Raw:
    """A body with another type for the field that the steps lead to, through the objects of lists; its note stays."""
    name, *further = steps
    if further:
        ((form, inner),) = body[name].items()
        return {**body, name: {form: _retyped(inner, further, notation)}}
    _, space, note = body[name].partition(" ")
    return {**body, name: f"{notation}{space}{note}"}


def _operation(tag: str, raw: _Published, corrections: _Corrections) -> CatalogueOperation:
    return CatalogueOperation(
        title=raw.operation,
        tag=tag,
        method=raw.method,
        path=raw.path,
        path_params=parse_fields(raw.path_params),
        standard_params=frozenset(raw.standard_params),
        filters=parse_fields(raw.filters),
        order=_order(raw, corrections),
        includes=_associations(raw.include, next(iter(raw.response.values()), None), corrections),
        optional_fields=tuple(raw.optional_fields),
        bulk_max=raw.bulk_max,
        body_key=raw.body_key,
        body=_body(raw.body),
        body_required=raw.body_required,
        response=raw.response,
        response_other=parse_nested(raw.response_other) if raw.response_other else None,
        status=raw.status or 200,
        note=corrections.notes.get(f"{raw.method} {raw.path}", raw.note),
        upload=raw.upload,
        multipart=raw.multipart,
        csv=raw.csv,
        reveal=corrections.revealing.get(raw.path, {}).get("filters", {}) if raw.method == "GET" else {},
    )


def _body(raw: Raw) -> tuple[Field, ...] | Type:
    return parse_nested(raw) if set(raw) == {"[]"} else parse_fields(raw)


def _order(raw: _Published, corrections: _Corrections) -> SortOrder | None:
    if raw.order is None:
        return None
    undirected = corrections.undirected_orders.get(raw.path, {}).get("fields", ())
    return SortOrder(tuple(raw.order["fields"]), raw.order.get("default"), tuple(undirected))


def _associations(raw: Raw, owner: str | None, corrections: _Corrections) -> tuple[CatalogueAssociation, ...]:
    return tuple(_association(name, told, owner, corrections) for name, told in raw.items())


def _association(name: str, raw: Raw, owner: str | None, corrections: _Corrections) -> CatalogueAssociation:
    polymorphic = raw["entity"] == "polymorphic"
    corrected = corrections.association_keys.get(f"{owner}.{name}", {})
    return CatalogueAssociation(
        name=name,
        entity=None if polymorphic else raw["entity"],
        ref=raw["ref"],
        key=None if polymorphic else corrected.get("key", raw["key"]),
    )


def _definitions(corrections: _Corrections, operations: Iterable[CatalogueOperation]) -> Iterable[Definition]:
    published = {**_read("definitions.yaml"), **dict.fromkeys(corrections.added_definitions)}
    collections = {definition: key for operation in operations for key, definition in operation.response.items()}
    collections |= corrections.collections
    associations = _associations_of_definitions(corrections, operations)
    for name, raw in published.items():
        base = corrections.variants.get(name, {}).get("of")
        yield Definition(
            name=name,
            class_name=corrections.classes.get(name, {}).get("name", name.rpartition("::")[2]),
            collection=collections[base or name],
            fields=tuple(_attribute(name, field, corrections) for field in parse_fields(raw)),
            associations=tuple(associations.get(base or name, {}).values()),
            variant_of=base,
        )


def _associations_of_definitions(
    corrections: _Corrections, operations: Iterable[CatalogueOperation]
) -> dict[str, dict[str, CatalogueAssociation]]:
    """The associations of each definition: those that its operations include, and those that a correction adds."""
    found: dict[str, dict[str, CatalogueAssociation]] = {}
    for operation in operations:
        if operation.definition is not None:
            found.setdefault(operation.definition, {}).update({a.name: a for a in operation.includes})
    for owner, raw in corrections.associations.items():
        found[owner] = {a.name: a for a in _associations(raw, owner, corrections)}
    return found


def _attribute(definition: str, field: Field, corrections: _Corrections) -> Field:
    corrected = corrections.attributes.get(f"{definition}.{field.name}")
    if corrected is None:
        return field
    other = parse_field(field.name, corrected["type"])
    return attrs.evolve(field, type=other.type, values=other.values)
