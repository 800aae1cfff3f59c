"""Which handler carries out an operation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from kantata_async.catalogue import CatalogueOperation

from .answer import Answer
from .company import Company, ParsedRequest
from .standard_handlers import change, create_any, list_all, remove, remove_many, show

Handler = Callable[[Company, ParsedRequest], Answer]

_ONE: Final = re.compile(r"/[a-z_]+/\{id\}")
_REGISTERED: Final[dict[tuple[str, str], Handler]] = {}

REGISTERED: Final[Mapping[tuple[str, str], Handler]] = MappingProxyType(_REGISTERED)


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Register a handler for an operation of the catalogue.

    Raises:
        ValueError: the operation has a handler already.
    """

    def register(handler: Handler) -> Handler:
        if (method, path) in _REGISTERED:
            raise ValueError(f"{method} {path} has a handler already")
        _REGISTERED[method, path] = handler
        return handler

    return register


def handler_of(operation: CatalogueOperation) -> Handler:
    """The handler registered for an operation, or else the standard one for its method."""
    return _REGISTERED.get((operation.method, operation.path)) or _standard(operation)


def _standard(operation: CatalogueOperation) -> Handler:
    one = _ONE.fullmatch(operation.path) is not None
    match operation.method:
        case "GET":
            return show if one else list_all
        case "POST":
            return create_any
        case "PUT":
            return change
        case _:
            return remove if one else remove_many
