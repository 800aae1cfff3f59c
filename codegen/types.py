"""The catalogue's types as Python: annotations for the type checkers, kinds for the check before a call is sent."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

import attrs

from kantata_async.catalogue import Field, Type

from .naming import argument, camel, names

_IDS: Final = re.compile(r"\bids?\b|\bnumbers\b", re.IGNORECASE)
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
    "any": ("str | int | dt.date | Sequence[Id]", "VALUE"),
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
    """One field of a TypedDict, or one parameter of a method, with its documentation.

    `default` is the expression of a parameter that need not be given.
    """

    name: str
    annotation: str
    doc: str = ""
    required: bool = False
    default: str = "OMITTED"


@attrs.frozen
class Structure:
    """A TypedDict."""

    name: str
    doc: str
    members: tuple[Member, ...]


@attrs.frozen
class Typed:
    """A type in its two forms: the annotation, and the expression that makes its kind."""

    annotation: str
    kind: str


@attrs.frozen
class Vocabulary:
    """A list of values with a name: a Literal, and where operations hold it as data, a tuple."""

    alias: str
    values: tuple[str | int, ...]
    constant: str | None = None


class Vocabularies:
    """The lists of values of one module, each once."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._by_values: dict[tuple[str, frozenset[str | int]], Vocabulary] = {}

    def __iter__(self) -> Iterator[Vocabulary]:
        return iter(self._by_values.values())

    def named(self, name: str, values: Sequence[str | int], place: str, *, constant: bool = False) -> Vocabulary | None:
        """The list of these values under a name; None for no values.

        The first list of a name has the plain one, another list the name of the `place` that takes it before.
        """
        if not values:
            return None
        key = (name, frozenset(values))
        if key not in self._by_values:
            taken = any(other == name for other, _ in self._by_values)
            title = f"{place}_{name}" if taken else name
            alias = self._prefix + camel(title.removesuffix("s") if constant else title)
            self._by_values[key] = Vocabulary(alias, tuple(values), title.upper() if constant else None)
        return self._by_values[key]


def is_id(name: str) -> bool:
    """Whether a field holds an id, or several."""
    return name == "id" or name.endswith(("_id", "_ids"))


def values_of(field: Field) -> tuple[str | int, ...]:
    """The values of a field that the catalogue names."""
    values = field.values or field.type.values
    return tuple(map(int, values)) if field.type.kind == "integer" else values


def is_closed(field: Field) -> bool:
    """Whether a field takes no other values than those that the catalogue names."""
    return field.type.kind == "enum" or field.name in names()["closed"]


def describe(field: Field) -> str:
    """The unit, the rule and the values of a field, as one line of documentation."""
    parts = []
    if field.deprecated:
        parts.append("deprecated")
    if field.note:
        parts.append(_listed(field.note))
    if values := values_of(field):
        parts.append(("one of " if is_closed(field) else "such as ") + ", ".join(map(str, values)))
    if field.default is not None:
        parts.append(f"{field.default} unless given")
    return "; ".join(parts)


def _listed(note: str) -> str:
    """What is comma-separated for the API may be a list here."""
    if not note.startswith("comma-separated "):
        return note
    what, *more = note.removeprefix("comma-separated ").split("; ")
    return "; ".join([f"{what.replace('IDs', 'ids')}, as a list or as a text with commas", *more])


class ParameterTypes:
    """The types of what operations take; collects the lists of values and the TypedDicts that they need."""

    def __init__(self, vocabularies: Vocabularies, place: str, prefix: str) -> None:
        self._vocabularies = vocabularies
        self._place = place
        self._prefix = prefix
        self.structures: list[Structure] = []

    # --- filters ---

    def of_filter(self, field: Field) -> Typed:
        """The type of a query parameter."""
        return self._with_values(field, _filter_type(field))

    # --- bodies ---

    def of(self, field: Field, *, upload: str | None = None) -> Typed:
        """The type of one field of a body."""
        if field.name == upload:
            return Typed("Upload", "FILE")
        return self._with_values(field, self._of(field.type, field))

    def members(
        self, fields: Iterable[Field], *, upload: str | None = None
    ) -> tuple[tuple[Member, ...], tuple[tuple[str, str], ...]]:
        """The members of a TypedDict for these fields, and the kind of each."""
        members = []
        kinds = []
        for field in fields:
            typed = self.of(field, upload=upload)
            annotation = typed.annotation if field.required else f"{typed.annotation} | None"
            members.append(Member(argument(field.name), annotation, describe(field), field.required))
            kinds.append((field.name, f"Needed({typed.kind})" if field.required else typed.kind))
        return tuple(members), tuple(kinds)

    def _of(self, type: Type, field: Field) -> Typed:
        match type.kind:
            case "array" if type.of is not None:
                return self._array(type.of, field)
            case "map" if type.of is not None:
                inner = self._of(type.of, field)
                return Typed(f"Mapping[str, {inner.annotation}]", f"Keyed({inner.kind})")
            case "fields":
                return self._structure(type, field)
            case "integer" if is_id(field.name):
                return Typed("Id", "ID")
            case "string" if field.name.endswith("_id"):
                return Typed("Id", "ID_TEXT")
            case kind:
                return _joined_text(field) or Typed(*_BODY["string" if kind == "enum" else kind])

    def _array(self, of: Type, field: Field) -> Typed:
        if of.kind == "integer" and is_id(field.name):
            return Typed("Sequence[Id]", "IDS")
        inner = self._of(of, field)
        return Typed(f"Sequence[{inner.annotation}]", f"Array({inner.kind})")

    def _structure(self, type: Type, field: Field) -> Typed:
        inner = ParameterTypes(self._vocabularies, f"{self._place}_{field.name}", self._prefix + camel(field.name))
        members, kinds = inner.members(type.fields)
        structure = Structure(f"{self._prefix}{camel(field.name)}", f"What `{field.name}` takes.", members)
        self.structures += [*inner.structures, structure]
        return Typed(structure.name, f"Object({mapping(kinds)})")

    # --- lists of values ---

    def _with_values(self, field: Field, typed: Typed) -> Typed:
        """A type whose values the catalogue names: those alone, or with others beside them."""
        vocabulary = self._vocabularies.named(field.name, values_of(field), self._place)
        if vocabulary is None or typed.kind == "BOOLEAN":
            return typed
        alias = vocabulary.alias
        if not is_closed(field):
            annotation = re.sub(r"\bstr\b", f"{alias} | str", typed.annotation)
            return Typed(annotation, typed.kind)
        if typed.kind == "TEXTS":
            return Typed(f"{alias} | Sequence[{alias}]", f"Choices(get_args({alias}))")
        return Typed(alias, f"Choice(get_args({alias}))")


def _filter_type(field: Field) -> Typed:
    kind = field.type.kind
    if kind == "array" and BULK_LIMIT in (field.note or ""):
        return Typed("Sequence[Id]", "Array(ID, most=100)")
    if kind == "array":
        return Typed("Sequence[Id]", "IDS") if field.type.of == Type("integer") else Typed("Sequence[str]", "TEXTS")
    if kind == "integer":
        return Typed("int", "INTEGER") if field.name in names()["numbers"] else Typed("Id", "ID")
    if kind == "string" and set(field.values) == {"true", "false"}:
        return Typed("bool", "BOOLEAN")
    return _joined_text(field) or Typed(*_BODY[kind])


def _joined_text(field: Field) -> Typed | None:
    """The type of a text that holds several values, comma-separated, and so takes a list; None for any other."""
    note = field.note or ""
    named_so = field.name.endswith(("_ids", "_refs"))
    if field.type.kind != "string" or not (named_so or _COMMA.search(note)):
        return None
    holds_ids = named_so or field.name.endswith("_number") or _IDS.search(note)
    return Typed("str | Sequence[Id]", "ID_TEXTS") if holds_ids else Typed("str | Sequence[str]", "TEXTS")


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


def literal(values: Iterable[str | int]) -> str:
    """A Literal of texts or numbers."""
    return "Literal[" + ", ".join(map(quoted, values)) + "]"


def quoted(value: str | int) -> str:
    """A text or a number as Python source, in double quotes."""
    return f'"{value}"' if isinstance(value, str) else str(value)


def mapping(entries: Collection[tuple[str, str]]) -> str:
    """A dict display of names and the expressions of their values."""
    return "{" + ", ".join(f'"{name}": {value}' for name, value in entries) + "}"
