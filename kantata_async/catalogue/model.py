"""The catalogue as data: operations, definitions and associations, with the corrections applied."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import attrs

from ..model import NaturalKey


@attrs.frozen
class Type:
    """The type of a field: `kind` is a scalar's name, or ``array``, ``map``, ``enum``, ``ref`` or ``fields``."""

    kind: str
    of: Type | None = None
    fields: tuple[Field, ...] = ()
    values: tuple[str, ...] = ()
    definition: str | None = None


@attrs.frozen
class Field:
    """One named part of a definition, a query, a body or an answer.

    `values` are those that the prose names, others may exist; a closed list is a type of kind ``enum`` instead.
    """

    name: str
    type: Type
    required: bool = False
    default: str | None = None
    values: tuple[str, ...] = ()
    note: str | None = None
    optional: bool = False
    include: str | None = None
    deprecated: bool = False


@attrs.frozen
class CatalogueAssociation:
    """What an include brings: the `entity` (None when polymorphic), the attribute that refers to it, its collection.

    `key` is the top-level collection of the objects; None where a polymorphic reference says it itself.
    """

    name: str
    entity: str | None = None
    ref: str | None = None
    key: str | None = None

    @property
    def many(self) -> bool:
        """Whether the reference holds a list."""
        return self.ref is not None and self.ref.endswith(("_ids", "_refs"))


@attrs.frozen
class SortOrder:
    """The sort fields of a list, its default, and the fields that take no direction."""

    fields: tuple[str, ...]
    default: str | None = None
    undirected: tuple[str, ...] = ()


@attrs.frozen(slots=False)
class CatalogueOperation:
    """One operation of the API.

    `body` is a tuple of fields, or an array type where the body key holds a list. `upload` names the body field that
    carries a file, `multipart` that the body is then a form. `csv`: the answer may be CSV text. `reveal` holds the
    filters that lift what a list leaves out by default.
    """

    title: str
    tag: str
    method: str
    path: str
    status: int
    path_params: tuple[Field, ...] = ()
    standard_params: frozenset[str] = frozenset()
    filters: tuple[Field, ...] = ()
    order: SortOrder | None = None
    includes: tuple[CatalogueAssociation, ...] = ()
    optional_fields: tuple[str, ...] = ()
    bulk_max: int | None = None
    body_key: str | None = None
    body: tuple[Field, ...] | Type = ()
    body_required: bool = False
    response: Mapping[str, str] = attrs.field(factory=dict)
    response_other: Type | None = None
    note: str | None = None
    upload: str | None = None
    multipart: bool = False
    csv: bool = False
    reveal: Mapping[str, bool | str] = attrs.field(factory=dict)

    @property
    def collection(self) -> str | None:
        """The top-level key of the objects that the operation answers; None where it answers no envelope."""
        return next(iter(self.response), None)

    @property
    def definition(self) -> str | None:
        """The definition of the objects that the operation answers."""
        return next(iter(self.response.values()), None)


@attrs.frozen(slots=False)
class Definition:
    """A kind of object: its attributes, its class name, the collection it arrives in, and what it refers to."""

    name: str
    class_name: str
    collection: str
    fields: tuple[Field, ...] = ()
    associations: tuple[CatalogueAssociation, ...] = ()
    variant_of: str | None = None

    @cached_property
    def attributes(self) -> Mapping[str, Field]:
        """The fields by name."""
        return {field.name: field for field in self.fields}


@attrs.frozen(slots=False)
class Catalogue:
    """Every operation by (method, path), every definition by name, the natural keys by collection."""

    operations: Mapping[tuple[str, str], CatalogueOperation]
    definitions: Mapping[str, Definition]
    natural_keys: Mapping[str, NaturalKey]

    @cached_property
    def collections(self) -> Mapping[str, Definition]:
        """The definition of each top-level collection; variants belong to the collection that they vary."""
        return {d.collection: d for d in self.definitions.values() if d.variant_of is None}
