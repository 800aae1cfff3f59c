"""The notation of the catalogue's YAML (the README.md beside it), read into data.

One line such as ``string! values(maven|buyer) note("who pays")`` becomes a `Field`; a nested mapping becomes a
`Field` whose type is an object, an array of objects (``"[]"``) or a map of objects (``"{}"``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kantata_async.catalogue import Field, Type

SCALARS: Final = frozenset({"string", "integer", "number", "boolean", "date", "date-time", "object", "any"})

_TYPE = re.compile(r"(?P<type>enum<[^>]*>|[a-z-]+(?:<.*?>+)?)(?P<required>!?)")
_DEFAULT = re.compile(r"\s+= (\S+)")
_VALUES = re.compile(r"\bvalues\(([^)]*)\)")
_NOTE = re.compile(r'\bnote\("([^"]*)"\)')
_INCLUDE = re.compile(r"\binc\(([^)]*)\)")


def parse_fields(raw: Mapping[str, Any] | None) -> tuple[Field, ...]:
    """Read a mapping of names to type lines or nested mappings. Raises ValueError on notation it does not know."""
    return tuple(parse_field(name, line) for name, line in (raw or {}).items())


def parse_field(name: str, line: str | Mapping[str, Any]) -> Field:
    """Read one name with its type line, or with the mapping that describes its parts."""
    if isinstance(line, str):
        return _parse_line(name, line)
    return Field(name=name.removesuffix("!"), type=parse_nested(line), required=name.endswith("!"))


def parse_nested(raw: Mapping[str, Any]) -> Type:
    """Read a nested mapping: an object, an array of objects, or a map of objects."""
    if set(raw) == {"[]"}:
        return Type("array", of=_parts(raw["[]"]))
    if set(raw) == {"{}"}:
        return Type("map", of=_parts(raw["{}"]))
    return _parts(raw)


def _parts(raw: Mapping[str, Any]) -> Type:
    return Type("fields", fields=parse_fields(raw))


def _parse_line(name: str, line: str) -> Field:
    head = _TYPE.match(line)
    if head is None:
        raise ValueError(f"{name}: no type in {line!r}")
    note = _NOTE.search(line)
    bare = _NOTE.sub("", line[head.end() :])
    values = _VALUES.search(bare)
    default = _DEFAULT.search(bare)
    include = _INCLUDE.search(bare)
    words = set(bare.split())
    return Field(
        name=name,
        type=parse_type(head["type"]),
        required=bool(head["required"]),
        default=default[1] if default else None,
        values=tuple(values[1].split("|")) if values else (),
        note=note[1] if note else None,
        optional="opt" in words,
        include=include[1] if include else None,
        deprecated="deprecated" in words,
    )


def parse_type(text: str) -> Type:
    """Read a bare type such as ``array<string>``. Raises ValueError for one the notation does not have."""
    if text in SCALARS:
        return Type(text)
    outer, _, inner = text.removesuffix(">").partition("<")
    match outer:
        case "array" | "map":
            return Type(outer, of=parse_type(inner))
        case "enum":
            return Type("enum", values=tuple(inner.split("|")))
        case "ref":
            return Type("ref", definition=inner)
        case _:
            raise ValueError(f"unknown type {text!r}")
