"""What the templates are given: the modules of the API, each with its entities, its calls and their types."""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import attrs

from kantata_async.catalogue import Association, Catalogue, Definition, Field, Operation, Type
from kantata_async.model.natural_key import NaturalKey

from .naming import argument, camel, method_of, names, resource_of
from .types import AnswerTypes, BodyTypes, Member, Structure, Typed, describe, filter_type, is_id, literal


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
class Vocabulary:
    """The includes, or the optional fields, that calls of a module take: a tuple and a Literal by name."""

    constant: str
    alias: str
    names: tuple[str, ...]


@attrs.frozen
class CallView:
    """One method of a resource. `answer` says which way the answer goes: list, one, page, data or nothing."""

    name: str
    constant: str
    operation: Operation
    answer: str
    returns: str
    entity: str | None
    parameters: Structure | None
    filters: tuple[tuple[str, str], ...]
    body: str | None
    row: str | None
    docs: tuple[Member, ...]
    includes: Vocabulary | None
    optional_fields: Vocabulary | None
    natural_key: NaturalKey | None

    @property
    def ids(self) -> list[str]:
        """The positional parameters: what the path needs."""
        return [field.name for field in self.operation.path_params]


@attrs.frozen
class ModuleView:
    """One module of `api/`: the entities of a collection, and the resource with its calls where there is one."""

    name: str
    entities: tuple[EntityView, ...]
    structures: tuple[Structure, ...]
    vocabularies: tuple[Vocabulary, ...]
    resource: str | None
    attribute: str | None
    tag: str | None
    calls: tuple[CallView, ...]

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


class Views:
    """Makes the views of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.by_resource: dict[str, list[Operation]] = defaultdict(list)
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
                if operation.definition is not None and method_of(operation) in {"list", "get", "dynamic_dashboards"}:
                    homes[operation.definition] = resource
        return homes

    def home_of_class(self) -> dict[str, str]:
        """The module of each entity class."""
        homes = self.homes()
        return {d.class_name: homes[d.variant_of or d.name] for d in self.catalogue.definitions.values()}

    def _module(self, name: str, definitions: list[Definition], operations: list[Operation]) -> ModuleView:
        structures: list[Structure] = []
        entities = [self._entity(d, structures) for d in sorted(definitions, key=lambda d: d.variant_of is not None)]
        resource = camel(name) if operations else None
        spoken = _vocabularies(camel(name), operations)
        calls = [self._call(camel(name), operation, structures, spoken) for operation in operations]
        return ModuleView(
            name=name,
            entities=tuple(entities),
            structures=tuple(structures),
            vocabularies=tuple(spoken.values()),
            resource=resource,
            attribute=name if operations else None,
            tag=operations[0].tag if operations else None,
            calls=tuple(calls),
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

    def _link(self, association: Association) -> LinkView:
        target = self.catalogue.definitions[association.entity] if association.entity else None
        name = target.class_name if target else "Entity"
        return LinkView(
            name=association.name,
            annotation=f"tuple[{name}, ...]" if association.many else f"Nullable[{name}]",
            specifier="many" if association.many else "one",
            target=name,
            ref=association.ref or "",
            key=association.key,
            variant=target.class_name if target and target.variant_of else None,
        )

    # --- calls ---

    def _call(self, prefix: str, operation: Operation, structures: list[Structure], spoken: Spoken) -> CallView:
        name = method_of(operation)
        title = prefix + camel(name)
        members: list[Member] = []
        filters: list[tuple[str, str]] = []
        for field in operation.filters:
            typed = filter_type(field)
            annotation = f"Required[{typed.annotation}]" if field.required else typed.annotation
            members.append(Member(argument(field.name), annotation, describe(field), field.required))
            filters.append((field.name, f"Needed({typed.kind})" if field.required else typed.kind))
        body, row = self._body(title, operation, members, structures, is_row=name == "create")
        docs = tuple(members)
        includes, optional_fields = spoken.get(_includes(operation)), spoken.get(_optional_fields(operation))
        members += _standard_members(operation, includes, optional_fields)
        base = f"{prefix}Row" if row else None
        parameters = None
        if members or base:
            own = tuple(members) if base is None else tuple(m for m in members if m.name in _STANDARD)
            parameters = Structure(title, f"What `{name}` takes by name.", own, base)
            structures.append(parameters)
        answer = _answer_of(name, operation)
        return CallView(
            name=name,
            constant=name.upper(),
            operation=operation,
            answer=answer,
            entity=self.catalogue.definitions[operation.definition].class_name if operation.definition else None,
            returns=self._returns(answer, title, operation, structures),
            parameters=parameters,
            filters=tuple(filters),
            body=body,
            row=row,
            docs=docs,
            includes=includes,
            optional_fields=optional_fields,
            natural_key=self.catalogue.natural_keys.get(operation.collection or "") if name == "create" else None,
        )

    def _body(
        self, title: str, operation: Operation, members: list[Member], structures: list[Structure], *, is_row: bool
    ) -> tuple[str | None, str | None]:
        """The kinds of a body, and the TypedDict of one row where the operation creates objects of named fields."""
        types = _SharingBodyTypes(title, self.shared)
        if isinstance(operation.body, Type):
            key = operation.body_key or "items"
            typed = types.of(Field(key, operation.body, required=True))
            members.append(Member(key, f"Required[{typed.annotation}]", "", required=True))
            structures += types.structures
            return typed.kind, None
        if not operation.body:
            return None, None
        own, kinds = types.members(operation.body, upload=operation.upload)
        structures += types.structures
        members += own
        if not is_row or operation.multipart:
            return kinds, None
        row = title.removesuffix("Create") + "Row"
        structures.append(Structure(row, "The fields of one object to create.", own))
        return kinds, row

    def _returns(self, answer: str, title: str, operation: Operation, structures: list[Structure]) -> str:
        cls = self.catalogue.definitions[operation.definition].class_name if operation.definition else ""
        match answer:
            case "nothing":
                return "None"
            case "data":
                answers = AnswerTypes(f"{title}Answer")
                annotation = answers.of(operation.response_other) if operation.response_other else "Any"
                structures += answers.structures
                return annotation
            case "csv":
                return f"Page[{cls}] | str"
            case "page":
                return f"Page[{cls}]"
            case _:
                return cls

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
                types = BodyTypes("")
                members, kinds = types.members(type.fields)
                structure = Structure(f"{camel(name)}Fields", f"What `{name}` takes.", members)
                yield (name, type), Shared(f"{name.upper()}_FIELDS", f"Object({kinds})", structure)


class _SharingBodyTypes(BodyTypes):
    """Body types that refer to a shared form where there is one."""

    def __init__(self, prefix: str, shared: dict[tuple[str, Type], Shared]) -> None:
        super().__init__(prefix)
        self.shared = shared

    def _structure(self, type: Type, field: Field) -> Typed:
        shared = self.shared.get((field.name, type))
        if shared is None:
            return super()._structure(type, field)
        return Typed(shared.structure.name, shared.constant)


_STANDARD = frozenset({"include", "optional_fields", "order", "only", "search", "per_page"})


Spoken = dict[tuple[str, tuple[str, ...]], Vocabulary]


def _vocabularies(prefix: str, operations: Iterable[Operation]) -> Spoken:
    """The vocabularies of a module, each once; the first of a kind gets the plain name."""
    spoken: Spoken = {}
    for operation in operations:
        for key in (_includes(operation), _optional_fields(operation)):
            kind, names = key
            if names and key not in spoken:
                first = not any(other == kind for other, _ in spoken)
                words = kind if first else f"{method_of(operation)}_{kind}"
                spoken[key] = Vocabulary(words.upper(), prefix + camel(words.removesuffix("s")), names)
    return spoken


def _includes(operation: Operation) -> tuple[str, tuple[str, ...]]:
    taken = operation.includes if "include" in operation.standard_params else ()
    return "includes", tuple(association.name for association in taken)


def _optional_fields(operation: Operation) -> tuple[str, tuple[str, ...]]:
    return "optional_fields", operation.optional_fields if "optional_fields" in operation.standard_params else ()


def _standard_members(
    operation: Operation, includes: Vocabulary | None, optional_fields: Vocabulary | None
) -> list[Member]:
    takes = operation.standard_params
    members = []
    if includes is not None:
        members.append(Member("include", f"Sequence[{includes.alias} | Path]", ""))
    if optional_fields is not None:
        members.append(Member("optional_fields", f"Sequence[{optional_fields.alias}]", ""))
    if "order" in takes and operation.order is not None:
        members.append(Member("order", _order_type(operation), ""))
    if "only" in takes:
        members.append(Member("only", "Sequence[Id]", ""))
    if "search" in takes:
        members.append(Member("search", "str", ""))
    if "per_page" in takes:
        members.append(Member("per_page", "int", ""))
    return members


def orders_of(operation: Operation) -> tuple[list[str], list[str]]:
    """The sort fields that take a direction, and those that do not."""
    if operation.order is None:
        return [], []
    bare = [field for field in operation.order.fields if field in operation.order.undirected]
    return [field for field in operation.order.fields if field not in bare], bare


def _order_type(operation: Operation) -> str:
    directed, bare = orders_of(operation)
    plain = [field for field in directed if ":" not in field]
    annotation = literal([*bare, *(f"{field}{way}" for field in plain for way in ("", ":asc", ":desc"))])
    return annotation if plain == directed else f"{annotation} | CustomFieldOrder"


def _answer_of(name: str, operation: Operation) -> str:
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


def wrap(text: str, indent: int) -> str:
    """Prose as lines of a docstring, indented."""
    lines = textwrap.wrap(text, 118 - indent, break_long_words=False, break_on_hyphens=False)
    return ("\n" + " " * indent).join(lines)


def listed(members: Iterable[Member], indent: int) -> str:
    """The documentation of named values, one an entry; those that need no word share a line."""
    told = [member for member in members if member.doc or member.required]
    plain = [member.name for member in members if not member.doc and not member.required]
    lines = []
    for member in told:
        doc = "; ".join(part for part in ("required" if member.required else "", member.doc) if part)
        entry = textwrap.wrap(f"{member.name}: {doc}.", 116 - indent, break_long_words=False, break_on_hyphens=False)
        lines.append(("\n" + " " * (indent + 4)).join(entry))
    if plain:
        label = "also" if told else "by name"
        entry = textwrap.wrap(f"({label}) {', '.join(plain)}.", 116 - indent, break_long_words=False)
        lines.append(("\n" + " " * (indent + 4)).join(entry))
    return ("\n" + " " * indent).join(lines)
