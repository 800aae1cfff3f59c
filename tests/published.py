"""The catalogue's YAML as it was published, read without the package's own parser, so that a shared mistake shows."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

Raw = dict[str, Any]

_FOLDER: Final = Path(__file__).parents[1] / "kantata_async" / "catalogue"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), _LOADER)


@cache
def corrections() -> Raw:
    """What was decided where the description contradicts itself."""
    corrections: Raw = _read(_FOLDER / "corrections.yaml")
    return corrections


@cache
def definitions() -> dict[str, Raw]:
    """Name of a definition -> its attributes, each with its type line or its parts."""
    return {name: fields or {} for name, fields in _read(_FOLDER / "definitions.yaml").items()}


@cache
def operations() -> dict[str, Raw]:
    """Method and path -> the operation, with the answers that the corrections give it."""
    found: dict[str, Raw] = {}
    for path in sorted((_FOLDER / "operations").iterdir()):
        for operation in _read(path)["operations"]:
            found[f"{operation['method']} {operation['path']}"] = operation
    for route, correction in corrections()["operations"].items():
        found[route] = found[route] | correction.get("set", {})
        if source := correction.get("copy_response_from"):
            found[route] |= {key: found[source][key] for key in ("response", "response_other") if key in found[source]}
    return found


def class_name(definition: str) -> str:
    """What the class of a definition is called: the last part of its name, unless a correction says better."""
    corrected = corrections()["classes"].get(definition)
    return str(corrected["name"]) if corrected else definition.rsplit("::", maxsplit=1)[-1]


@cache
def collection_of(definition: str) -> str:
    """The top-level key under which the objects of a definition arrive."""
    variant = corrections()["variants"].get(definition)
    if variant:
        return collection_of(variant["of"])
    for operation in operations().values():
        for key, named in operation.get("response", {}).items():
            if named == definition:
                return str(key)
    return str(corrections()["collections"][definition])


def associations_of(definition: str) -> dict[str, Raw]:
    """The associations of a definition that say by which attribute they refer, with their corrected keys."""
    base = corrections()["variants"].get(definition, {}).get("of", definition)
    found: dict[str, Raw] = dict(corrections()["associations"].get(base, {}))
    for operation in operations().values():
        if next(iter(operation.get("response", {}).values()), None) == base:
            found |= includes_of(operation)
    return found


def includes_of(operation: Raw) -> dict[str, Raw]:
    """The associations that an operation includes and says the reference of, with their corrected keys."""
    owner = next(iter(operation.get("response", {}).values()), None)
    keys = corrections()["association_keys"]
    return {
        name: include | {"key": keys.get(f"{owner}.{name}", include)["key"]}
        for name, include in operation.get("include", {}).items()
        if include["ref"] is not None
    }


def type_of(name: str, line: Any) -> Any:
    """The type of an attribute, without what else its line says; parts stay as they are."""
    if not isinstance(line, str):
        return line
    matched = re.match(r"[a-z-]+(<[^ ]*>)?", line)
    assert matched is not None, f"{name}: {line}"
    return matched[0]


def marks_of(line: Any) -> tuple[bool, str | None]:
    """Whether an attribute is optional, and the include that it comes with."""
    if not isinstance(line, str):
        return False, None
    words = re.sub(r'note\("[^"]*"\)', "", line)
    include = re.search(r"inc\((\w+)\)", words)
    return " opt" in words, include[1] if include else None
