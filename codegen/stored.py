"""Writes the catalogue as the JSON that `kantata_async.catalogue` reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import msgspec

from kantata_async.catalogue import Catalogue

Raw = dict[str, Any]


def as_json(catalogue: Catalogue) -> bytes:
    """A catalogue as `kantata_async.catalogue` reads it: lists that are alike once, and what is the default not at all.

    Each list, operation and definition has a line of its own.
    """
    fields, associations = _Table(), _Table()
    operations = [
        {
            **_changed(operation, "path_params", "filters", "includes", "body"),
            "path_params": fields.place(operation.path_params),
            "filters": fields.place(operation.filters),
            "includes": associations.place(operation.includes),
            "body": fields.place(operation.body) if isinstance(operation.body, tuple) else _plain(operation.body),
        }
        for operation in catalogue.operations.values()
    ]
    definitions = [
        {
            **_changed(definition, "fields", "associations"),
            "fields": fields.place(definition.fields),
            "associations": associations.place(definition.associations),
        }
        for definition in catalogue.definitions.values()
    ]
    tables = {
        "fields": fields.entries,
        "field_lists": fields.lists,
        "associations": associations.entries,
        "association_lists": associations.lists,
        "operations": [_without_zeros(operation) for operation in operations],
        "definitions": [_without_zeros(definition) for definition in definitions],
    }
    lines = (f"{_text(name)}:[\n{_lines(rows)}\n]" for name, rows in tables.items())
    return f'{{{",".join(lines)},\n"natural_keys":{_text(_plain(catalogue.natural_keys))}}}\n'.encode()


class _Table:
    """Lists of entries, and the entries, that are referred to by their place; the first list is the empty one."""

    def __init__(self) -> None:
        self._entries: dict[Any, int] = {}
        self._lists: dict[tuple[int, ...], int] = {(): 0}

    def place(self, entries: tuple[Any, ...]) -> int:
        """The place of a list; it is given one when it is new."""
        places = tuple(self._entries.setdefault(entry, len(self._entries)) for entry in entries)
        return self._lists.setdefault(places, len(self._lists))

    @property
    def entries(self) -> list[Any]:
        return [_plain(entry) for entry in self._entries]

    @property
    def lists(self) -> list[tuple[int, ...]]:
        return list(self._lists)


def _lines(rows: Iterable[Any]) -> str:
    return ",\n".join(map(_text, rows))


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _without_zeros(row: Raw) -> Raw:
    return {name: value for name, value in row.items() if value != 0 or value is False}


def _changed(value: Any, *but: str) -> Raw:
    """The attributes of an object that are not the default, but for some."""
    given = ((field, getattr(value, field.name)) for field in attrs.fields(type(value)) if field.name not in but)
    return {field.name: _plain(held) for field, held in given if held != _default(field.default)}


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _plain(part) for name, part in value.items()}
        case frozenset():
            return sorted(value)
        case list() | tuple():
            return [_plain(part) for part in value]
        case _ if attrs.has(type(value)):
            return _changed(value)
        case _:
            return value


def _default(default: Any) -> Any:
    return default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]
