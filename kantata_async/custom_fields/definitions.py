"""The custom fields that a kind of object has, each with a name that no other has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import attrs

from ..calls import Connection, ListQuery, did_you_mean
from ..errors import UsageError
from ..model import brief_repr, text_of


@attrs.frozen
class FieldDefinition:
    """A custom field.

    Attributes:
        id: of the field.
        name: by which values are read and set; no other field of the kind of object has it.
        title: what the field is called in the account. Two fields may be called the same.
        kind: ``string``, ``number``, ``currency``, ``date``, ``single`` or ``multi``.
        choices: the labels of its choices by their ids, in the order in which people see them.
    """

    id: str
    name: str
    title: str
    kind: str
    choices: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(slots=False)
class DefinedFields:
    """The custom fields of a kind of object that the token's user may see, in the order of their titles."""

    subject_type: str
    fields: tuple[FieldDefinition, ...]

    @cached_property
    def by_name(self) -> Mapping[str, FieldDefinition]:
        """The fields by their names."""
        return {field.name: field for field in self.fields}

    @cached_property
    def by_id(self) -> Mapping[str, FieldDefinition]:
        """The fields by their ids."""
        return {field.id: field for field in self.fields}

    def named(self, name: object) -> FieldDefinition:
        """The field of a name.

        Raises:
            UsageError: there is none; or there are several, and the message tells them apart.
        """
        if isinstance(name, str) and name in self.by_name:
            return self.by_name[name]
        alike = [field.name for field in self.fields if isinstance(name, str) and field.title == name]
        if alike:
            raise UsageError(
                f"{self.subject_type} has {len(alike)} fields {brief_repr(name)}: say {_alternatives(alike)}"
            )
        if not self.fields:
            raise UsageError(f"{self.subject_type} has no custom fields that you may see, so no {brief_repr(name)}")
        raise UsageError(
            f"{self.subject_type} has no custom field {brief_repr(name)}{did_you_mean(name, self.by_name)}"
        )


def _alternatives(names: Iterable[str]) -> str:
    return " or ".join(map(repr, names))


def define(subject_type: str, fields: Iterable[Any]) -> DefinedFields:
    """The fields of a kind of object, from the entities of the API with their choices and their set.

    A title that two fields have is followed by the name of the set, ``Region (Sales details)``, and where that does not
    tell them apart either, by the id: ``Region (#42)``.
    """
    entities = list(fields)
    names = _distinct_names(entities)
    defined = (
        FieldDefinition(one.id, names[one.id], _title(one), text_of(one, "value_type") or "string", _labels(one))
        for one in entities
    )
    return DefinedFields(subject_type, tuple(defined))


def _distinct_names(entities: Iterable[Any]) -> dict[str, str]:
    names = {one.id: _title(one) for one in entities}
    for spell in (_with_set, _with_id):
        times = Counter(names.values())
        names = {one.id: spell(one) if times[names[one.id]] > 1 else names[one.id] for one in entities}
    return names


def _title(field: Any) -> str:
    return text_of(field, "name") or f"#{field.id}"


def _with_set(field: Any) -> str:
    held = getattr(field, "custom_field_set", None)  # None, too, for a set that the answer does not show
    return _title(field) if held is None else f"{_title(field)} ({text_of(held, 'name')})"


def _with_id(field: Any) -> str:
    return f"{_title(field)} (#{field.id})"


def _labels(field: Any) -> dict[str, str]:
    if text_of(field, "value_type") not in {"single", "multi"}:
        return {}
    return labels_of(sorted(getattr(field, "choices", None) or (), key=_position))


def labels_of(choices: Iterable[Any]) -> dict[str, str]:
    """The labels of choices by their ids, as far as they are shown."""
    return {one.id: label for one in choices if (label := text_of(one, "label"))}


def _position(choice: Any) -> int:
    position = getattr(choice, "position", None)
    return position if isinstance(position, int) else 0


async def read_fields(connection: Connection, subject_type: str) -> DefinedFields:
    """The custom fields of a kind of object.

    Raises:
        UsageError: there is no such kind.
        KantataError: a request failed.
    """
    listing = connection.operations_of("custom_fields")["list"]
    query = ListQuery(
        connection, listing, {"subject_type": subject_type, "include": ["choices", "custom_field_set"], "order": "name"}
    )
    return define(subject_type, await query.collect())
