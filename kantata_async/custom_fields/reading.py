"""The values that objects have for their custom fields."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from ..bulk import order_of_making, read_whole
from ..calls import Connection, in_batches, together
from ..errors import InvalidResponseError
from ..model import text_of, value_of
from .definitions import DefinedFields, FieldDefinition, labels_of, read_fields
from .subjects import FieldSubject
from .values import read_value

_SUBJECTS: Final = 200
"""Objects that one request asks about."""

_FEW: Final = 50
"""Fields that a request names; more would make its address too long, and are read with all others."""

Place: TypeAlias = tuple[str, str, str]
"""Where a value stands: the kind and the id of its object, and the id of its field."""


async def fields_of(connection: Connection, subjects: Iterable[FieldSubject]) -> dict[str, DefinedFields]:
    """The custom fields of the kinds that objects are of, by kind."""
    kinds = sorted({subject.type for subject in subjects})
    return dict(zip(kinds, await together(read_fields(connection, kind) for kind in kinds), strict=True))


async def values_of(
    connection: Connection, subjects: Iterable[FieldSubject], fields: Mapping[str, Iterable[FieldDefinition]]
) -> dict[Place, Any]:
    """The `CustomFieldValue` of each field for which an object has a value, by its place.

    Args:
        connection: the way to the server.
        subjects: the objects.
        fields: those to read, by the kind of object.

    Raises:
        InvalidResponseError: values came and went for as long as they were read, or do not show what they are of.
        KantataError: a request failed.
    """
    by_kind: dict[str, list[str]] = defaultdict(list)
    for subject in subjects:
        by_kind[subject.type].append(subject.id)
    batches = [
        (kind, ids, [field.id for field in fields[kind]])
        for kind, all_ids in by_kind.items()
        for ids in in_batches(all_ids, _SUBJECTS)
        if fields[kind]
    ]
    found = await together(_values_in(connection, *batch) for batch in batches)
    return {place: value for values in found for place, value in values.items()}


async def _values_in(
    connection: Connection, kind: str, ids: Sequence[str], field_ids: Sequence[str]
) -> dict[Place, Any]:
    """The values of some objects, and of these fields at least."""
    listing = connection.operations_of("custom_field_values")["list"]
    asked = {
        "subject_type": kind,
        "with_subject_id": list(ids),
        **({"with_custom_field_id": field_ids} if len(field_ids) <= _FEW else {}),
        "include": ["custom_field", "selected_choices"],
    }
    reading = await read_whole(connection, listing, asked)
    if reading.fault is not None:
        raise InvalidResponseError(reading.fault)
    # A value that is replaced while it is read has a new id, and may be seen under both.
    ordered = sorted(reading.entities, key=order_of_making)
    return {(kind, *_place_of(value)): value for value in ordered}


def _place_of(value: Any) -> tuple[str, str]:
    """The ids of the object and of the field of a `CustomFieldValue`.

    Raises:
        InvalidResponseError: it does not show them, so that nobody can say what is there.
    """
    subject, field = text_of(value, "subject_id"), text_of(value, "custom_field_id")
    if not subject or not field:
        raise InvalidResponseError(f"{value!r} does not show which field of which object it is the value of")
    return subject, field


def python_value(field: FieldDefinition, value: Any) -> Any:
    """The Python value that a `CustomFieldValue` holds, None where there is none."""
    if value is None:
        return None
    chosen = labels_of(value_of(value, "selected_choices") or ())
    return read_value(field.kind, value_of(value, "value"), {**field.choices, **chosen})
