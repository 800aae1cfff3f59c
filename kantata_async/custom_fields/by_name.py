"""What the generated resource of custom fields inherits: values by the names of their fields."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any, TypeVar, overload

from ..calls import OMITTED
from ..errors import UsageError
from ..model import Entity, brief_repr
from ..resource import Resource
from .definitions import DefinedFields, read_fields
from .reading import fields_of, python_value, values_of
from .result import FieldsResult
from .setting import set_values
from .subjects import FieldSubject, SubjectType, gathered, subjects_of, subjects_with_ids
from .values import FieldValue

E = TypeVar("E", bound=Entity)
IdT = TypeVar("IdT", int, str)


class FieldsByName(Resource):
    """A resource whose objects are custom fields: it reads and sets the values of any objects by the fields' names."""

    @overload
    async def of(self, objects: Iterable[E] | AsyncIterable[E], /) -> dict[E, dict[str, FieldValue | None]]: ...
    @overload
    async def of(self, subject_type: SubjectType, ids: Iterable[IdT], /) -> dict[IdT, dict[str, FieldValue | None]]: ...
    async def of(self, subject: Any, ids: Any = OMITTED, /) -> Any:
        """The values of the custom fields of objects, by the names of the fields: ``values[project]["Region"]``.

        ``of(projects)`` takes entities of any kind that has custom fields, and its keys are these entities;
        ``of("Workspace", [7, 9])`` takes ids, and its keys are these ids as they were given. Every field that objects
        of the kind can have is there, in the order of the names, and is None where an object has no value.

        Text is `str`, a number `int`, a date `datetime.date`, money `Money`, a choice its label, and several choices a
        list of labels. Where two fields of a kind of object are called the same, the name of their set follows, as in
        ``Region (Sales details)``. A field that the token's user may not see is left out.

        A request for each kind, and for the values of 200 objects a request for each 200 values.

        Raises:
            UsageError: an object is of a kind that has no custom fields; nothing was sent.
            InvalidResponseError: values came and went for as long as they were read.
        """
        if ids is OMITTED:
            subjects = subjects_of(await gathered(subject))
        else:
            subjects = subjects_with_ids(subject, await gathered(ids))
        fields = await fields_of(self._connection, subjects)
        held = await values_of(self._connection, subjects, {kind: defined.fields for kind, defined in fields.items()})
        return {
            one.given: {
                field.name: python_value(field, held.get((one.type, one.id, field.id)))
                for field in fields[one.type].fields
            }
            for one in subjects
        }

    @overload
    async def set(self, values: Mapping[E, Mapping[str, FieldValue | None]], /) -> FieldsResult: ...
    @overload
    async def set(
        self, subject_type: SubjectType, values: Mapping[IdT, Mapping[str, FieldValue | None]], /
    ) -> FieldsResult: ...
    async def set(self, subject: Any, values: Any = OMITTED, /) -> FieldsResult:
        """What became of the values that custom fields of objects are to have, one outcome an object and field.

        ``set({project: {"Region": "EMEA", "Go-live": date(2026, 9, 1), "Contract value": None}})`` takes entities,
        ``set("Workspace", {7: {"Region": "EMEA"}})`` ids. Values are as `of` gives them; None clears a field, and a
        field that is not named stays as it is.

        The values that are there are read first, and only what differs is sent, up to 100 values a request. When an
        answer is lost, the values are looked at before anything is sent again. The API gives a value that is changed a
        new id (API facts, "Writing").

        Raises:
            UsageError: a name, a kind or a choice is wrong; the message lists every mistake, and nothing was sent.
            BulkError: nothing more could be sent (401); what became of each value until then is its `result`.
            Whatever else interrupts it, a cancellation too, carries that: `fields_result(error)` gives it.
        """
        given = subject if values is OMITTED else values
        if not isinstance(given, Mapping):
            raise UsageError(f"set takes a mapping from objects to their values by name, not {brief_repr(given)}")
        subjects = subjects_of(given) if values is OMITTED else subjects_with_ids(subject, given)
        _check_each_once(subjects, given)
        return await set_values(self._connection, [(one, _named_values(one, given[one.given])) for one in subjects])

    async def defined(self, subject_type: SubjectType, /) -> DefinedFields:
        """The custom fields that objects of a kind can have, by the names that `of` and `set` give them.

        One request for 200 fields; their choices come along.

        Raises:
            UsageError: there is no such kind of object.
        """
        return await read_fields(self._connection, subject_type)


def _check_each_once(subjects: list[FieldSubject], given: Mapping[Any, Any]) -> None:
    if len(subjects) < len(given):
        raise UsageError(f"{len(given)} keys name {len(subjects)} objects: an object is given twice, as 7 and as '7'")


def _named_values(subject: FieldSubject, values: Any) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise UsageError(f"{subject}: a mapping of values by the names of fields is expected, not {brief_repr(values)}")
    return values
