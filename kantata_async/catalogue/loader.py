"""Reads the catalogue's JSON, which holds equal lists of fields and associations once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

from ..model import NaturalKey
from .model import Catalogue, CatalogueAssociation, CatalogueOperation, Definition, Field, SortOrder, Type


class StoredOperation(msgspec.Struct, omit_defaults=True, kw_only=True):
    """An operation in the JSON: lists of fields and associations are places in the document's tables."""

    title: str
    tag: str
    method: str
    path: str
    status: int
    path_params: int = 0
    standard_params: frozenset[str] = frozenset()
    filters: int = 0
    order: SortOrder | None = None
    includes: int = 0
    optional_fields: tuple[str, ...] = ()
    bulk_max: int | None = None
    body_key: str | None = None
    body: int | Type = 0
    body_required: bool = False
    response: dict[str, str] = {}
    response_other: Type | None = None
    note: str | None = None
    upload: str | None = None
    multipart: bool = False
    csv: bool = False
    reveal: dict[str, bool | str] = {}


class StoredDefinition(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A definition in the JSON, its lists as `StoredOperation` has them."""

    name: str
    class_name: str
    collection: str
    fields: int = 0
    associations: int = 0
    variant_of: str | None = None


class Document(msgspec.Struct, kw_only=True):
    """The JSON: fields, associations, lists of their places (the first is empty), and who has which list."""

    fields: tuple[Field, ...]
    field_lists: tuple[tuple[int, ...], ...]
    associations: tuple[CatalogueAssociation, ...]
    association_lists: tuple[tuple[int, ...], ...]
    operations: tuple[StoredOperation, ...]
    definitions: tuple[StoredDefinition, ...]
    natural_keys: dict[str, NaturalKey]


@cache
def load() -> Catalogue:
    """The whole catalogue, read in some milliseconds and kept for the life of the process."""
    raw = files("kantata_async.catalogue").joinpath("catalogue.json").read_bytes()
    return catalogue_of(msgspec.json.decode(raw, type=Document))


def catalogue_of(document: Document) -> Catalogue:
    """The catalogue that a document holds."""
    fields = [tuple(document.fields[place] for place in places) for places in document.field_lists]
    associations = [tuple(document.associations[place] for place in places) for places in document.association_lists]
    return Catalogue(
        operations={
            (stored.method, stored.path): _operation(stored, fields, associations) for stored in document.operations
        },
        definitions={stored.name: _definition(stored, fields, associations) for stored in document.definitions},
        natural_keys=document.natural_keys,
    )


_Lists = list[tuple[Field, ...]]
_Associations = list[tuple[CatalogueAssociation, ...]]


def _operation(stored: StoredOperation, fields: _Lists, associations: _Associations) -> CatalogueOperation:
    return CatalogueOperation(
        title=stored.title,
        tag=stored.tag,
        method=stored.method,
        path=stored.path,
        path_params=fields[stored.path_params],
        standard_params=stored.standard_params,
        filters=fields[stored.filters],
        order=stored.order,
        includes=associations[stored.includes],
        optional_fields=stored.optional_fields,
        bulk_max=stored.bulk_max,
        body_key=stored.body_key,
        body=fields[stored.body] if isinstance(stored.body, int) else stored.body,
        body_required=stored.body_required,
        response=stored.response,
        response_other=stored.response_other,
        status=stored.status,
        note=stored.note,
        upload=stored.upload,
        multipart=stored.multipart,
        csv=stored.csv,
        reveal=stored.reveal,
    )


def _definition(stored: StoredDefinition, fields: _Lists, associations: _Associations) -> Definition:
    return Definition(
        name=stored.name,
        class_name=stored.class_name,
        collection=stored.collection,
        fields=fields[stored.fields],
        associations=associations[stored.associations],
        variant_of=stored.variant_of,
    )
