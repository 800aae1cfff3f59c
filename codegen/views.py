"""What the templates are given: the modules of the API, each with its entities, its calls and their types."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

import attrs

from kantata_async.catalogue import Catalogue, CatalogueAssociation, CatalogueOperation, Definition, Field, Type
from kantata_async.model.natural_key import NaturalKey

from .naming import argument, camel, method_of, names, resource_of
from .types import (
    AnswerTypes,
    Member,
    ParameterTypes,
    Structure,
    Typed,
    Vocabularies,
    Vocabulary,
    describe,
    is_id,
    mapping,
)

_FEED: Final = "subscribed_events"
"""The resource whose list is a feed: it can be followed."""

_FILE_BASES: Final = {
    "attachments": ("HasAttachments", ("Attachment",)),
    "exports": ("RunsExports", ("AccountDataExportResult", "ExportsCreateExportDefinition")),
    "insights_report_exports": ("RunsReports", ()),
    "invoices": ("HasPdfs", ()),
    "users": ("HasPhotos", ("User",)),
}
"""The resources that have files, or make some: their base in `file_resources`, and its type parameters."""
_BY_NAME: Final = "custom_fields"
"""The resource that reads and sets the values of any objects by the names of its own."""

_READ_ON_BY: Final = frozenset(
    {"created_after", "created_before", "order", "only", "per_page", "most_recent", "most_recent_by_event_type"}
)
"""The parameters of the feed that its follower sets itself: it asks for all that is new, as it was created."""

_FOLLOWING: Final = (
    Member("since", "dt.datetime | str", "a moment, or the `cursor` of what was followed before", required=True),
    Member(
        "every",
        "float | None",
        "seconds from one look to the next; None ends with what there is",
        default="60.0",
    ),
)
"""What a follower takes beside the filters of the feed."""


@attrs.frozen
class AttributeView:
    """One attribute of an entity."""

    name: str
    annotation: str
    specifier: str
    doc: str


@attrs.frozen
class LinkView:
    """One association of an entity."""

    name: str
    annotation: str
    specifier: str
    target: str
    ref: str
    key: str | None
    variant: str | None


@attrs.frozen
class EntityView:
    """One entity class."""

    name: str
    base: str
    collection: str
    definition: str
    attributes: tuple[AttributeView, ...]
    links: tuple[LinkView, ...]


@attrs.frozen
class CallView:
    """One method of a resource. `answer` says which way the answer goes: list, one, page, csv, data or nothing.

    `phantom` is what the operation answers, for the type checkers; `annotation` what the method returns.
    """

    name: str
    constant: str
    operation: CatalogueOperation
    answer: str
    phantom: str
    annotation: str
    entity: str | None
    parameters: tuple[Member, ...]
    filters: tuple[tuple[str, str], ...]
    body: str | None
    includes: Vocabulary | None
    optional_fields: Vocabulary | None
    natural_key: NaturalKey | None

    @property
    def ids(self) -> list[str]:
        """The positional parameters: what the path needs."""
        return [field.name for field in self.operation.path_params]

    @property
    def has_parameters(self) -> bool:
        """Whether there is anything to pass on."""
        return bool(self.ids or self.parameters)


@attrs.frozen
class BaseView:
    """A base of a resource, with what its type parameters stand for where it is generic."""

    base: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.base}[{', '.join(self.arguments)}]" if self.arguments else self.base


@attrs.frozen
class FollowView:
    """The method that follows a feed through its list."""

    list: CallView

    @property
    def parameters(self) -> tuple[Member, ...]:
        """What it takes: the filters of the list, but for those by which it reads on."""
        return (*_FOLLOWING, *(one for one in self.list.parameters if one.name not in _READ_ON_BY))


@attrs.frozen
class ModuleView:
    """One module of `api/`: the entities of a collection, and the resource with its calls where there is one."""

    name: str
    entities: tuple[EntityView, ...]
    structures: tuple[Structure, ...]
    vocabularies: tuple[Vocabulary, ...]
    resource: str | None
    bases: tuple[BaseView, ...]
    attribute: str | None
    tag: str | None
    calls: tuple[CallView, ...]
    by_ids: CallView | None
    followed: FollowView | None

    @property
    def linked(self) -> set[str]:
        """The entity classes of other modules that associations and answers name."""
        own = {entity.name for entity in self.entities} | {"Entity"}
        named = {link.target for entity in self.entities for link in entity.links}
        return (named | {call.entity for call in self.calls if call.entity is not None}) - own


@attrs.frozen
class Shared:
    """A nested object that several bodies take in the same form, and its types."""

    constant: str
    kind: str
    structure: Structure
    vocabularies: tuple[Vocabulary, ...]


class Views:
    """Makes the views of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.by_resource: dict[str, list[CatalogueOperation]] = defaultdict(list)
        for operation in catalogue.operations.values():
            self.by_resource[resource_of(operation)].append(operation)
        self.shared = dict(self._shared())

    def modules(self) -> list[ModuleView]:
        """One module for each resource, and for each collection that no resource answers."""
        homes = self.homes()
        by_module: dict[str, list[Definition]] = defaultdict(list)
        for definition in self.catalogue.definitions.values():
            by_module[homes[definition.variant_of or definition.name]].append(definition)
        return [
            self._module(name, by_module.get(name, []), self.by_resource.get(name, []))
            for name in sorted({*self.by_resource, *by_module})
        ]

    def homes(self) -> dict[str, str]:
        """The module of each definition: its resource's where that lists it, else one named after its collection."""
        homes = {d.name: d.collection for d in self.catalogue.definitions.values() if d.variant_of is None}
        for resource, operations in self.by_resource.items():
            for operation in operations:
                if operation.definition is not None and method_of(operation) in {"list", "get", "dashboards"}:
                    homes[operation.definition] = resource
        return homes

    def home_of_class(self) -> dict[str, str]:
        """The module of each entity class."""
        homes = self.homes()
        return {d.class_name: homes[d.variant_of or d.name] for d in self.catalogue.definitions.values()}

    def _module(self, name: str, definitions: list[Definition], operations: list[CatalogueOperation]) -> ModuleView:
        structures: list[Structure] = []
        vocabularies = Vocabularies(camel(name))
        entities = [self._entity(d, structures) for d in sorted(definitions, key=lambda d: d.variant_of is not None)]
        calls = [self._call(camel(name), operation, structures, vocabularies) for operation in operations]
        return ModuleView(
            name=name,
            entities=tuple(entities),
            structures=tuple(structures),
            vocabularies=tuple(vocabularies),
            resource=camel(name) if operations else None,
            bases=tuple(_bases(name, calls, {structure.name for structure in structures})),
            attribute=name if operations else None,
            tag=operations[0].tag if operations else None,
            calls=tuple(calls),
            by_ids=next((call for call in calls if call.answer == "list" and takes(call.operation, "only")), None),
            followed=next((FollowView(call) for call in calls if name == _FEED and call.answer == "list"), None),
        )

    # --- entities ---

    def _entity(self, definition: Definition, structures: list[Structure]) -> EntityView:
        if definition.variant_of is not None:
            base = self.catalogue.definitions[definition.variant_of].class_name
            return EntityView(definition.class_name, base, definition.collection, definition.name, (), ())
        answers = AnswerTypes(definition.class_name)
        attributes = tuple(_attribute(field, answers) for field in definition.fields)
        structures += answers.structures
        return EntityView(
            name=definition.class_name,
            base="Entity",
            collection=definition.collection,
            definition=definition.name,
            attributes=attributes,
            links=tuple(self._link(association) for association in definition.associations),
        )

    def _link(self, association: CatalogueAssociation) -> LinkView:
        target = self.catalogue.definitions[association.entity] if association.entity else None
        name = target.class_name if target else "Entity"
        return LinkView(
            name=association.name,
            # `Nullable` written out: jedi completes what a linked entity has, but not through an alias.
            annotation=f"tuple[{name}, ...]" if association.many else f"Union[{name}, Any]",
            specifier="many" if association.many else "one",
            target=name,
            ref=association.ref or "",
            key=association.key,
            variant=target.class_name if target and target.variant_of else None,
        )

    # --- calls ---

    def _call(
        self, prefix: str, operation: CatalogueOperation, structures: list[Structure], vocabularies: Vocabularies
    ) -> CallView:
        name = method_of(operation)
        title = prefix + camel(name)
        types = _SharingTypes(vocabularies, name, title, self.shared)
        filters = [_filter(field, types) for field in operation.filters]
        body, fields = _body(operation, types)
        structures += types.structures
        if name == "create" and isinstance(operation.body, tuple) and fields and not operation.multipart:
            structures.append(Structure(f"{prefix}Row", "One row of `create_many`.", fields))
        answer = _answer_of(name, operation)
        if name == "update" and answer == "one" and fields:
            changed = Member("id", "Id", required=True)
            structures.append(Structure(f"{prefix}UpdateRow", "One row of `update_many`.", (changed, *fields)))
        includes = vocabularies.named("includes", _includes(operation), name, constant=True)
        optional_fields = vocabularies.named("optional_fields", _optional_fields(operation), name, constant=True)
        standard = _standard_members(operation, includes, optional_fields, vocabularies)
        phantom, annotation = self._returns(answer, title, operation, structures)
        return CallView(
            name=name,
            constant=name.upper(),
            operation=operation,
            answer=answer,
            phantom=phantom,
            annotation=annotation,
            entity=self.catalogue.definitions[operation.definition].class_name if operation.definition else None,
            parameters=_needed_first([*(member for member, _ in filters), *fields, *standard]),
            filters=tuple(kind for _, kind in filters),
            body=body,
            includes=includes,
            optional_fields=optional_fields,
            natural_key=self.catalogue.natural_keys.get(operation.collection or "") if name == "create" else None,
        )

    def _returns(
        self, answer: str, title: str, operation: CatalogueOperation, structures: list[Structure]
    ) -> tuple[str, str]:
        """What an operation answers, and what its method returns."""
        entity = self.catalogue.definitions[operation.definition].class_name if operation.definition else ""
        match answer:
            case "nothing":
                return "Any", "None"
            case "data":
                answers = AnswerTypes(f"{title}Answer")
                data = answers.of(operation.response_other) if operation.response_other else "Any"
                structures += answers.structures
                return data, re.sub(r"\blist\[", "builtins.list[", data)
            case "csv":
                return entity, f"Page[{entity}] | str"
            case "page":
                return entity, f"Page[{entity}]"
            case "list":
                return entity, f"ListQuery[{entity}]"
            case _:
                return entity, entity

    # --- nested objects that several bodies share ---

    def _shared(self) -> Iterator[tuple[tuple[str, Type], Shared]]:
        """The most frequent form of each nested object that bodies of more than one resource take."""
        uses: dict[str, Counter[Type]] = defaultdict(Counter)
        for operations in self.by_resource.values():
            forms = {
                (field.name, field.type)
                for operation in operations
                if isinstance(operation.body, tuple)
                for field in operation.body
                if field.type.kind == "fields"
            }
            for name, type in forms:
                uses[name][type] += 1
        for name, counted in uses.items():
            type, count = counted.most_common(1)[0]
            if count > 1:
                vocabularies = Vocabularies(camel(name))
                members, kinds = ParameterTypes(vocabularies, name, camel(name)).members(type.fields)
                structure = Structure(f"{camel(name)}Fields", f"What `{name}` takes.", members)
                kind = f"Object({mapping(kinds)})"
                yield (name, type), Shared(f"{name.upper()}_FIELDS", kind, structure, tuple(vocabularies))


class _SharingTypes(ParameterTypes):
    """The types of parameters, which refer to a shared form where there is one."""

    def __init__(
        self, vocabularies: Vocabularies, place: str, prefix: str, shared: dict[tuple[str, Type], Shared]
    ) -> None:
        super().__init__(vocabularies, place, prefix)
        self._shared = shared

    def _structure(self, type: Type, field: Field) -> Typed:
        shared = self._shared.get((field.name, type))
        if shared is None:
            return super()._structure(type, field)
        return Typed(shared.structure.name, shared.constant)


def takes(operation: CatalogueOperation, name: str) -> bool:
    """Whether an operation takes one of the API's standard parameters."""
    return name in operation.standard_params


def _filter(field: Field, types: ParameterTypes) -> tuple[Member, tuple[str, str]]:
    typed = types.of_filter(field)
    member = Member(argument(field.name), typed.annotation, describe(field), field.required)
    return member, (field.name, f"Needed({typed.kind})" if field.required else typed.kind)


def _body(operation: CatalogueOperation, types: ParameterTypes) -> tuple[str | None, tuple[Member, ...]]:
    """The kinds of a body, and its parameters."""
    if isinstance(operation.body, Type):
        key = operation.body_key or "items"
        typed = types.of(Field(key, operation.body, required=True))
        return typed.kind, (Member(key, typed.annotation, required=True),)
    if not operation.body:
        return None, ()
    members, kinds = types.members(operation.body, upload=operation.upload)
    return mapping(kinds), members


def _needed_first(members: Iterable[Member]) -> tuple[Member, ...]:
    return tuple(sorted(members, key=lambda member: not member.required))


def _bases(name: str, calls: Iterable[CallView], structures: AbstractSet[str]) -> Iterator[BaseView]:
    """The bases of a resource: for writing many, what its operations allow, for its files, and for values by name."""
    prefix = camel(name)
    if name == _BY_NAME:
        yield BaseView("FieldsByName")
    by_name = {call.name: call for call in calls}
    for method, base, row in (("create", "CreatesMany", "Row"), ("update", "UpdatesMany", "UpdateRow")):
        call = by_name.get(method)
        if call is not None and call.answer == "one" and f"{prefix}{row}" in structures:
            include = f"{call.includes.alias} | Path" if call.includes else "Never"
            optional_field = call.optional_fields.alias if call.optional_fields else "Never"
            yield BaseView(base, (call.phantom, f"{prefix}{row}", include, optional_field))
    if any(name in by_name and len(by_name[name].ids) < 2 for name in ("bulk_delete", "delete")):
        yield BaseView("DeletesMany")
    if name in _FILE_BASES:
        yield BaseView(*_FILE_BASES[name])


def _includes(operation: CatalogueOperation) -> tuple[str, ...]:
    return tuple(association.name for association in operation.includes) if takes(operation, "include") else ()


def _optional_fields(operation: CatalogueOperation) -> tuple[str, ...]:
    return operation.optional_fields if takes(operation, "optional_fields") else ()


def _standard_members(
    operation: CatalogueOperation,
    includes: Vocabulary | None,
    optional_fields: Vocabulary | None,
    vocabularies: Vocabularies,
) -> list[Member]:
    members = []
    if includes is not None:
        members.append(Member("include", f"Sequence[{includes.alias} | Path]", default="()"))
    if optional_fields is not None:
        members.append(Member("optional_fields", f"Sequence[{optional_fields.alias}]", default="()"))
    if takes(operation, "order") and operation.order is not None:
        members.append(Member("order", _order_type(operation, vocabularies)))
    if takes(operation, "only"):
        members.append(Member("only", "Sequence[Id]"))
    if takes(operation, "search"):
        members.append(Member("search", "str"))
    if takes(operation, "per_page"):
        members.append(Member("per_page", "int"))
    if operation.reveal:
        members.append(Member("everything", "bool", default="False"))
    return members


def orders_of(operation: CatalogueOperation) -> tuple[list[str], list[str]]:
    """The sort fields that take a direction, and those that do not."""
    if operation.order is None:
        return [], []
    undirected = [field for field in operation.order.fields if field in operation.order.undirected]
    return [field for field in operation.order.fields if field not in undirected], undirected


def _order_type(operation: CatalogueOperation, vocabularies: Vocabularies) -> str:
    directed, undirected = orders_of(operation)
    plain = [field for field in directed if ":" not in field]
    values = [*undirected, *(f"{field}{way}" for field in plain for way in ("", ":asc", ":desc"))]
    named = vocabularies.named("order", values, method_of(operation))
    by_custom_field = [] if plain == directed else ["CustomFieldOrder"]
    return " | ".join([*([named.alias] if named else []), *by_custom_field])


def _answer_of(name: str, operation: CatalogueOperation) -> str:
    if operation.csv:
        return "csv"
    if operation.method == "DELETE":
        return "nothing"
    if operation.definition is None:
        return "data" if operation.response_other is not None else "nothing"
    if f"{operation.method} {operation.path}" in names()["many"]:
        return "page"
    if operation.method == "GET" and not operation.path_params and name != "me":
        return "list"
    return "one"


def _attribute(field: Field, answers: AnswerTypes) -> AttributeView:
    arguments = []
    if field.optional:
        arguments.append("optional=True")
    if field.include is not None:
        arguments.append(f'include="{field.include}"')
    include = _include_of(field)
    if include is not None and field.include is None:
        arguments.append(f'include="{include}"')
    annotation, specifier = _reading(field, answers)
    return AttributeView(field.name, annotation, f"{specifier}({', '.join(arguments)})", describe(field))


def _include_of(field: Field) -> str | None:
    """The include that a polymorphic reference belongs to: its parts say it."""
    if field.type.kind != "fields":
        return None
    return next((part.include for part in field.type.fields if part.include is not None), None)


def _reading(field: Field, answers: AnswerTypes) -> tuple[str, str]:
    kind = field.type.kind
    if field.name.endswith("_ref") and kind == "fields":
        return "Ref", "reference"
    if is_id(field.name):
        return ("tuple[str, ...]", "identifiers") if kind == "array" else ("str", "identifier")
    if kind == "date-time":
        return "dt.datetime", "instant"
    if kind == "date":
        return "dt.date", "day"
    specifier = "nested" if kind in {"array", "map", "fields", "any", "object"} else "plain"
    return answers.of(field.type, field.name), specifier
