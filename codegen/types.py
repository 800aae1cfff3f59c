"""The catalogue's types as Python: annotations for the type checkers, kinds for the check before a call is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import attrs

from kantata_async.catalogue import Field, Type

from .naming import argument, camel, names

_COMMA: Final = re.compile(r"\bcomma|\bids\b|\blist\b", re.IGNORECASE)

BULK_LIMIT: Final = "at most 100"
"""What the catalogue notes of the ids of a bulk delete (API facts, "Writing")."""

_BODY: Final = {
    "string": ("str", "TEXT"),
    "integer": ("int", "INTEGER"),
    "number": ("float | Decimal", "NUMBER"),
    "boolean": ("bool", "BOOLEAN"),
    "date": ("dt.date", "DAY"),
    "date-time": ("dt.datetime", "INSTANT"),
}
_ANSWER: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "date": "str",
    "date-time": "str",
    "object": "dict[str, Any]",
    "any": "Any",
}


@attrs.frozen
class Member:
    """One line of a TypedDict, with what the documentation says of it."""

    name: str
    annotation: str
    doc: str
    required: bool = False


@attrs.frozen
class Structure:
    """A TypedDict: its name, its members, and whether it adds to another."""

    name: str
    doc: str
    members: tuple[Member, ...]
    base: str | None = None


@attrs.frozen
class Typed:
    """A type in its two forms: the annotation, and the expression that makes its kind."""

    annotation: str
    kind: str


def is_id(name: str) -> bool:
    """Whether a field holds an id, or several."""
    return name == "id" or name.endswith(("_id", "_ids"))


def describe(field: Field) -> str:
    """The unit, the rule and the values of a field, as one line of documentation."""
    parts = []
    if field.deprecated:
        parts.append("deprecated")
    if field.note:
        parts.append(field.note)
    values = field.values or field.type.values
    if values:
        parts.append("one of " + ", ".join(values))
    if field.default is not None:
        parts.append(f"{field.default} unless given")
    return "; ".join(parts)


def filter_type(field: Field) -> Typed:
    """The type of a query parameter."""
    kind = field.type.kind
    if kind == "array" and BULK_LIMIT in (field.note or ""):
        return Typed("Sequence[Id]", "Array(ID, most=100)")
    if kind == "array":
        return Typed("Sequence[Id]", "IDS") if field.type.of == Type("integer") else Typed("Sequence[str]", "TEXTS")
    if kind == "integer":
        return Typed("int", "INTEGER") if field.name in names()["numbers"] else Typed("Id", "ID")
    if kind == "string" and set(field.values) == {"true", "false"}:
        return Typed("bool", "BOOLEAN")
    if kind == "string" and is_list_text(field):
        return Typed("str | Sequence[Id]", "TEXTS")
    return Typed(*_BODY[kind])


def is_list_text(field: Field) -> bool:
    """Whether a text holds several values, comma-separated, and so takes a list."""
    return field.name.endswith(("_ids", "_refs")) or bool(field.note and _COMMA.search(field.note))


class BodyTypes:
    """The types of a body's fields; collects the TypedDicts that its nested objects need."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.structures: list[Structure] = []

    def of(self, field: Field, *, upload: str | None = None) -> Typed:
        """The type of one field."""
        if field.name == upload:
            return Typed("Upload", "FILE")
        return self._of(field.type, field)

    def _of(self, type: Type, field: Field) -> Typed:  # noqa: PLR0911 - one line for each type
        match type.kind:
            case "array" if type.of is not None:
                return self._array(type.of, field)
            case "map" if type.of is not None:
                inner = self._of(type.of, field)
                return Typed(f"Mapping[str, {inner.annotation}]", f"Keyed({inner.kind})")
            case "fields":
                return self._structure(type, field)
            case "enum":
                values = ", ".join(f'"{value}"' for value in type.values)
                return Typed(f"Literal[{values}]", f"Choice(({values},))")
            case "integer" if is_id(field.name):
                return Typed("Id", "ID")
            case "string" if field.name.endswith("_id"):
                return Typed("Id", "ID_TEXT")
            case "string" if is_list_text(field):
                return Typed("str | Sequence[Id]", "TEXTS")
            case kind:
                return Typed(*_BODY[kind])

    def _array(self, of: Type, field: Field) -> Typed:
        if of.kind == "integer" and is_id(field.name):
            return Typed("Sequence[Id]", "IDS")
        inner = self._of(of, field)
        return Typed(f"Sequence[{inner.annotation}]", f"Array({inner.kind})")

    def _structure(self, type: Type, field: Field) -> Typed:
        name = f"{self.prefix}{camel(field.name)}"
        members, kinds = self.members(type.fields)
        self.structures.append(Structure(name, f"What `{field.name}` takes.", members))
        return Typed(name, f"Object({kinds})")

    def members(self, fields: tuple[Field, ...], *, upload: str | None = None) -> tuple[tuple[Member, ...], str]:
        """The members of a TypedDict for these fields, and the mapping of their kinds."""
        members = []
        kinds = []
        for field in fields:
            typed = self.of(field, upload=upload)
            annotation = f"Required[{typed.annotation}]" if field.required else f"{typed.annotation} | None"
            members.append(Member(argument(field.name), annotation, describe(field), field.required))
            kinds.append(f'"{field.name}": {f"Needed({typed.kind})" if field.required else typed.kind}')
        return tuple(members), "{" + ", ".join(kinds) + "}"


class AnswerTypes:
    """The types of plain data in an answer; collects the TypedDicts of its nested objects."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.structures: list[Structure] = []

    def of(self, type: Type, name: str = "") -> str:
        """The annotation of one value."""
        match type.kind:
            case "array" if type.of is not None:
                return f"list[{self.of(type.of, name)}]"
            case "map" if type.of is not None:
                return f"dict[str, {self.of(type.of, name)}]"
            case "fields":
                return self._structure(type, name)
            case "ref":
                return "dict[str, Any]"
            case kind:
                return _ANSWER[kind]

    def _structure(self, type: Type, name: str) -> str:
        title = f"{self.prefix}{camel(name)}"
        members = tuple(
            Member(field.name, self.of(field.type, f"{name}_{field.name}"), describe(field)) for field in type.fields
        )
        self.structures.append(Structure(title, "Plain data, as it comes.", members))
        return title


def literal(values: Iterable[str]) -> str:
    """A Literal of texts."""
    return "Literal[" + ", ".join(f'"{value}"' for value in values) + "]"
