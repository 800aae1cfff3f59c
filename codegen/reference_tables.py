"""The rows of the reference's tables: what an operation takes, what its answer holds, and what its objects have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

import attrs

from kantata_async.calls import FILE, Array, Choice, Choices, Keyed, Needed, Object, Operation, ParameterKind, Scalar
from kantata_async.catalogue import CatalogueOperation, Definition, Field, Type

from .naming import argument
from .types import is_closed, is_id, values_of
from .views import takes

_ID: Final = "an id"
_DETAIL: Final = re.compile(r" such as .*| of at most .*| \(.*")
"""What a kind says of its texts and its size: the table of all operations says it once."""
_CODE: Final = re.compile(r"`[^`]+`|\w+_[\w:*]+")
"""What is code in a note: a name, or what stands between backticks."""
_SPECIAL: Final = re.compile(r"([|*<\[`])")
"""What means something to Markdown in a cell of a table."""


@attrs.frozen
class ParameterRow:
    """Something that an operation takes; what is inside an object has its name after a dot."""

    name: str
    takes: str
    about: str
    needed: bool = False


@attrs.frozen
class AttributeRow:
    """An attribute of an entity: its type in Python, what is known of it, and what to ask for."""

    name: str
    type: str
    about: str


@attrs.frozen
class AssociationRow:
    """An association of an entity: the kind of object it leads to, and the attribute that holds the ids."""

    name: str
    entity: str | None
    many: bool
    ref: str


# --- what an operation takes ---


def parameters_of(published: CatalogueOperation, operation: Operation[Any]) -> list[ParameterRow]:
    """Every parameter of an operation but those that have a line of their own on its page."""
    rows = [ParameterRow(field.name, _ID, about(field), needed=True) for field in published.path_params]
    rows += _rows(published.filters, operation.filters)
    match published.body, operation.body:
        case Type() as listed, ParameterKind() as kind:
            key = published.body_key or "items"
            rows += _rows([Field(key, listed, required=True)], {key: kind})
        case tuple() as fields, Mapping() as kinds:
            rows += _rows(fields, kinds)
    return [*rows, *_of_lists(published)]


def _rows(fields: Iterable[Field], kinds: Mapping[str, ParameterKind], inside: str = "") -> Iterator[ParameterRow]:
    """A row for each field, those that are needed first, and after an object the rows of what is in it."""
    for field in sorted(fields, key=lambda one: (not one.required, one.name)):
        kind = kinds[field.name]
        name = f"{inside}{argument(field.name) if not inside else field.name}"
        yield ParameterRow(name, takes_of(kind), about(field), field.required)
        held, inner = _object_in(field.type, kind)
        if inner is not None:
            yield from _rows(held, inner.fields, f"{name}.")


def _object_in(type: Type, kind: ParameterKind) -> tuple[tuple[Field, ...], Object | None]:
    """The object that a value is, or that each of its items is: its fields, as published and as they are checked."""
    match kind:
        case Needed():
            return _object_in(type, kind.of)
        case Array() | Keyed() if type.of is not None:
            return _object_in(type.of, kind.of)
        case Object():
            return type.fields, kind
        case _:
            return (), None


_OBJECT: Final = "an object"
_TAKES: Final = {
    Choice: "text",
    Choices: "text, or a list of texts",
    Object: _OBJECT,
    type(FILE): "a path, `(name, bytes)`, or anything with a `read`",
}


def takes_of(kind: ParameterKind) -> str:
    """What a kind of parameter takes, in a few words."""
    match kind:
        case Needed():
            return takes_of(kind.of)
        case Array():
            return _holding("a list", takes_of(kind.of)) + (f"; at most {kind.most}" if kind.most else "")
        case Keyed():
            return _holding("a dict", takes_of(kind.of))
        case Scalar():
            return _DETAIL.sub("", kind.expects)
        case _:
            return _TAKES[type(kind)]


def _holding(holder: str, of: str) -> str:
    return f"{holder} of objects" if of == _OBJECT else f"{holder}, each {of}"


def _of_lists(operation: CatalogueOperation) -> Iterator[ParameterRow]:
    """The parameters that lists share."""
    if takes(operation, "only"):
        yield ParameterRow("only", f"a list, each {_ID}", "at most 200; `get_many` takes any number")
    if takes(operation, "search"):
        yield ParameterRow("search", "text", "what to look for")
    if takes(operation, "per_page"):
        yield ParameterRow("per_page", "a whole number", "the size of a page; 200 unless given")
    if operation.reveal:
        lifted = ", ".join(f"`{name}={value!r}`" for name, value in operation.reveal.items())
        yield ParameterRow("everything", "True or False", f"lifts what is left out by default, with {lifted}")


# --- what comes back ---


def answer_of(operation: CatalogueOperation) -> list[AttributeRow]:
    """What an answer of plain data holds; what is inside an object has its name after a dot."""
    return list(_parts(operation.response_other)) if operation.response_other is not None else []


def _parts(type: Type, inside: str = "") -> Iterator[AttributeRow]:
    for field in type.fields:
        yield AttributeRow(f"{inside}{field.name}", _plain(field.type), about(field))
        yield from _parts(_innermost(field.type), f"{inside}{field.name}.")
    if inside == "" and not type.fields and type.of is not None:
        yield from _parts(_innermost(type))


def _innermost(type: Type) -> Type:
    return type if type.of is None else _innermost(type.of)


_PLAIN: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "True or False",
    "date": "a date, as text",
    "date-time": "a point in time, as text",
    "object": _OBJECT,
    "any": "anything",
    "enum": "text",
    "fields": _OBJECT,
    "ref": _OBJECT,
}


def _plain(type: Type) -> str:
    """What plain data of a type is, in a few words."""
    if type.of is None:
        return _PLAIN[type.kind]
    return _holding("a list" if type.kind == "array" else "a dict", _plain(type.of))


def attributes_of(definition: Definition) -> Iterator[AttributeRow]:
    """The attributes of a kind of object, by name; its id, which the catalogue leaves out, comes first."""
    yield AttributeRow("id", "str", "")
    by_ref = {association.ref: association.name for association in definition.associations}
    for field in sorted(definition.fields, key=lambda one: one.name):
        if field.name != "id":
            yield AttributeRow(field.name, _in_python(field), _about_attribute(field, by_ref.get(field.name)))


_IN_PYTHON: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "date": "date",
    "date-time": "datetime",
    "array": "list",
    "map": "dict",
    "fields": "dict",
    "object": "dict",
    "enum": "str",
    "ref": "dict",
    "any": "Any",
}


def _in_python(field: Field) -> str:
    if field.name.endswith("_ref") and field.type.kind == "fields":
        return "Ref"
    if is_id(field.name):
        return "tuple[str, ...]" if field.type.kind == "array" else "str"
    if field.type.kind == "array" and field.type.of is not None:
        return f"list[{_IN_PYTHON[field.type.of.kind]}]"
    return _IN_PYTHON[field.type.kind]


def _about_attribute(field: Field, association: str | None) -> str:
    parts = [about(field)]
    if association is not None:
        parts.append(f"leads to `{association}`")
    reference = field.name.endswith("_ref")
    held = _innermost(field.type).fields
    if held and not reference:
        parts.append("holds " + ", ".join(f"`{part.name}`" for part in held))
    include = field.include or next((part.include for part in held if part.include is not None), None)
    if field.optional:
        parts.append(f'sent with `optional_fields=["{field.name}"]`')
    if include is not None:
        parts.append(f'sent with `include=["{include}"]`')
    return "; ".join(part for part in parts if part)


def associations_of(definition: Definition, classes: Mapping[str, str]) -> list[AssociationRow]:
    """The associations of a kind of object, by name; `classes` are the names of the classes by definition."""
    found = (
        AssociationRow(one.name, classes[one.entity] if one.entity else None, one.many, one.ref or "")
        for one in definition.associations
    )
    return sorted(found, key=lambda one: one.name)


def about(field: Field) -> str:
    """What is known of a field: its unit, its rule, its values, and what it is unless given."""
    parts = []
    if field.deprecated:
        parts.append("deprecated")
    if field.note:
        parts.append(noted(field.note))
    if values := values_of(field):
        start = "one of " if is_closed(field) else "such as "
        parts.append(start + ", ".join(f"`{value}`" for value in values))
    if field.default is not None:
        parts.append(f"`{field.default}` unless given")
    return "; ".join(parts)


def noted(text: str) -> str:
    """A note of the catalogue in Markdown: names, and what it marks, as code; everything else as it is."""
    between = map(_escaped, _CODE.split(text))
    code = (f"`{one.strip('`')}`" for one in _CODE.findall(text))
    return "".join(part for pair in zip_longest(between, code, fillvalue="") for part in pair)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
