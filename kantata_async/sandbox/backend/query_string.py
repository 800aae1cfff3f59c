"""The query string, read by the parameters and types that the catalogue gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

import attrs

from kantata_async.catalogue import CatalogueOperation, Field, Type

from .refusals import malformed

DEFAULT_PAGE: Final = 20
MAX_PAGE: Final = 200
_PAGING: Final = ("page", "per_page", "limit", "offset")


@attrs.frozen(kw_only=True)
class Asked:
    """What a query string asks for."""

    include: tuple[str, ...] = ()
    optional_fields: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    order: str | None = None
    search: str | None = None
    number: int = 1
    size: int = DEFAULT_PAGE
    offset: int | None = None
    filters: Mapping[str, Any] = attrs.field(factory=dict)


def read(operation: CatalogueOperation, query: Iterable[tuple[str, str]], *, refuse_unknown: bool) -> Asked:
    """What a query string asks for.

    The server silently ignores associations, optional fields and sort fields that do not exist, and so does this.

    Raises:
        Refusal: 400 for a wrong type, a missing required filter, or a parameter that the operation does not take.
    """
    given = _gathered(query)
    filters = {field.name: field for field in operation.filters}
    standard = set(operation.standard_params)
    if standard & {"page", "per_page"}:
        standard |= set(_PAGING)
    for name in given:
        if refuse_unknown and name not in filters and name not in standard:
            raise malformed(f"Unknown parameter: {name}", name)
    for field in operation.filters:
        if field.required and not given.get(field.name):
            raise malformed(f"{field.name} is required", field.name)
    paging = {name: _whole(name, given[name]) for name in _PAGING if name in given and name in {*standard, *filters}}
    both = "limit" in paging and "offset" in paging
    size = paging["limit"] if both else paging.get("per_page", DEFAULT_PAGE)
    return Asked(
        include=_listed(given.get("include")) or (),
        optional_fields=_listed(given.get("optional_fields")) or (),
        only=_listed(given.get("only")) if "only" in standard else None,
        order=given.get("order"),
        search=given.get("search") if "search" in standard else None,
        number=max(1, paging.get("page", 1)),
        size=min(size, MAX_PAGE) if size > 0 else DEFAULT_PAGE,
        offset=max(0, paging["offset"]) if both else None,
        filters={name: _typed(filters[name], text) for name, text in given.items() if name in filters},
    )


def _gathered(query: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One text per name: `name[]` repeated is the Rails way to spell a comma-separated list."""
    given: dict[str, str] = {}
    for name, text in query:
        key = name.removesuffix("[]")
        given[key] = f"{given[key]},{text}" if name.endswith("[]") and key in given else text
    return given


def _listed(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name for name in text.split(",") if name)


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise malformed(f"{name} must be an integer", name) from None


def _truth(text: str) -> bool:
    if text not in {"true", "false", "1", "0"}:
        raise ValueError(text)
    return text in {"true", "1"}


def moment(text: str) -> datetime:
    """A date, or a date and time; without an offset it is UTC.

    Raises:
        ValueError: the text is neither.
    """
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else datetime.fromisoformat(f"{found.isoformat()}+00:00")


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "integer": int,
    "number": float,
    "boolean": _truth,
    "date": date.fromisoformat,
    "date-time": moment,
}


def _typed(field: Field, text: str) -> Any:
    try:
        return typed(field.type, text)
    except ValueError:
        raise malformed(f"{field.name} must be of type {field.type.kind}", field.name) from None


def typed(kind: Type, text: str) -> Any:
    """The value that a parameter's text means.

    Raises:
        ValueError: the text has another type.
    """
    if kind.kind == "array" and kind.of is not None:
        return [typed(kind.of, part) for part in text.split(",") if part]
    if kind.kind == "enum" and text not in kind.values:
        raise ValueError(text)
    return _READERS.get(kind.kind, str)(text)
