"""What the catalogue's operations, definitions and fields are called in Python."""

from __future__ import annotations

import keyword
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from kantata_async.catalogue import CatalogueOperation

_NAMES: Final = Path(__file__).with_name("names.yaml")


@cache
def names() -> dict[str, Any]:
    """The exceptions to the rules, from names.yaml."""
    exceptions: dict[str, Any] = yaml.safe_load(_NAMES.read_text(encoding="utf-8"))
    return exceptions


def camel(snake: str) -> str:
    """``workspace_groups`` as ``WorkspaceGroups``."""
    return "".join(part.capitalize() for part in re.split(r"[_:]+", snake))


def argument(name: str) -> str:
    """The name of a parameter; a word of the language gets an underscore."""
    return f"{name}_" if keyword.iskeyword(name) else name


def resource_of(operation: CatalogueOperation) -> str:
    """The attribute of the session that an operation belongs to: its collection, as the path begins."""
    for prefix, resource in names()["resources"].items():
        if operation.path.startswith(prefix):
            return str(resource)
    return operation.path.split("/")[1]


_FIVE: Final = {
    ("GET", False): "list",
    ("POST", False): "create",
    ("DELETE", False): "bulk_delete",
    ("GET", True): "get",
    ("PUT", True): "update",
    ("DELETE", True): "delete",
}


def method_of(operation: CatalogueOperation) -> str:
    """The method for an operation: one of the usual five, or what the path says it does."""
    exception = names()["methods"].get(f"{operation.method} {operation.path}")
    if exception is not None:
        return str(exception)
    base = operation.path.partition(resource_of(operation))[2]
    segments = [segment for segment in base.split("/") if segment]
    named = [segment for segment in segments if not segment.startswith("{")]
    if named:
        return "_".join(named)
    return _FIVE[operation.method, bool(segments)]
