"""Values made to match what was asked for: what differs is sent, in bulk, and nothing twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from ..bulk import BulkResult, Outcome, attach, bulk_result, delete_many, upsert_many
from ..calls import Connection
from ..errors import BulkError
from ..model import value_of
from .definitions import FieldDefinition
from .reading import Place, fields_of, python_value, values_of
from .result import FieldOutcome, FieldsResult, FieldStatus
from .subjects import FieldSubject
from .values import identity_of_value
from .wishes import FieldWish, check_wishes


@attrs.frozen
class FieldStep:
    """A wish beside the `CustomFieldValue` that is there; `done` is its status once it is carried out."""

    wish: FieldWish
    held: Any
    done: FieldStatus

    def row(self) -> dict[str, Any]:
        """What is sent."""
        subject, field = self.wish.subject, self.wish.field
        return {
            "subject_type": subject.type,
            "subject_id": subject.id,
            "custom_field_id": field.id,
            "value": self.wish.wired,
        }

    def outcome(self, found: Outcome[Any] | None) -> FieldOutcome:
        """What became of it, given what a bulk write says: None where none was needed, or none came to it."""
        wish = self.wish
        before = python_value(wish.field, self.held)
        if self.done == "unchanged":
            return FieldOutcome(wish.subject.given, wish.field.name, wish.value, before, self.done)
        if found is None:
            waiting = "its turn had not come yet"
            return FieldOutcome(wish.subject.given, wish.field.name, wish.value, before, "not_sent", (), waiting)
        status: FieldStatus = self.done if found.done else _UNDONE.get(found.status, "unknown")
        return FieldOutcome(wish.subject.given, wish.field.name, wish.value, before, status, found.errors, found.reason)


_UNDONE: Final[Mapping[str, FieldStatus]] = {"rejected": "rejected", "not_sent": "not_sent"}


def step_for(wish: FieldWish, held: Any) -> FieldStep:
    """What a wish comes to, given the `CustomFieldValue` that is there (None for none). Pure."""
    if held is None:
        return FieldStep(wish, held, "unchanged" if wish.wired is None else "created")
    if wish.wired is None:
        return FieldStep(wish, held, "cleared")
    kind = wish.field.kind
    is_same = identity_of_value(kind, value_of(held, "value")) == identity_of_value(kind, wish.wired)
    return FieldStep(wish, held, "unchanged" if is_same else "changed")


async def set_values(connection: Connection, asked: Sequence[tuple[FieldSubject, Mapping[str, Any]]]) -> FieldsResult:
    """What became of the values that objects are to have.

    Raises:
        UsageError: a name, a kind or a choice is wrong; nothing was sent.
        BulkError: nothing more could be sent (401); what became of the values until then is its `result`.
        KantataError: the values that are there could not be read; nothing was sent.

    Whatever else interrupts the writing carries what became of the values until then: see `fields_result`.
    """
    fields = await fields_of(connection, (subject for subject, _ in asked))
    wishes = check_wishes(asked, fields)
    held = await values_of(connection, dict.fromkeys(wish.subject for wish in wishes), _fields_by_kind(wishes))
    steps = [step_for(wish, held.get(_place(wish))) for wish in wishes]
    return await _carry_out(connection, steps)


def _place(wish: FieldWish) -> Place:
    return wish.subject.type, wish.subject.id, wish.field.id


def _fields_by_kind(wishes: Iterable[FieldWish]) -> dict[str, list[FieldDefinition]]:
    fields: dict[str, dict[str, FieldDefinition]] = defaultdict(dict)
    for wish in wishes:
        fields[wish.subject.type][wish.field.id] = wish.field
    return {kind: list(named.values()) for kind, named in fields.items()}


async def _carry_out(connection: Connection, steps: Sequence[FieldStep]) -> FieldsResult:
    operations = connection.operations_of("custom_field_values")
    puts = [number for number, step in enumerate(steps) if step.done in {"created", "changed"}]
    clears = [number for number, step in enumerate(steps) if step.done == "cleared"]
    kinds = {step.wish.field.id: step.wish.field.kind for step in steps}

    def holds(row: Mapping[str, Any], value: Any) -> bool:
        kind = kinds[str(row["custom_field_id"])]
        return identity_of_value(kind, value_of(value, "value")) == identity_of_value(kind, row["value"])

    found: dict[int, Outcome[Any]] = {}

    def note(numbers: Sequence[int], result: BulkResult[Any]) -> None:
        found.update((numbers[outcome.index], outcome) for outcome in result)

    def so_far() -> FieldsResult:
        return FieldsResult(step.outcome(found.get(number)) for number, step in enumerate(steps))

    writing = puts
    try:
        note(puts, await upsert_many(connection, operations, [steps[number].row() for number in puts], holds=holds))
        writing = clears
        note(clears, await delete_many(connection, operations, [steps[number].held.id for number in clears]))
    except BaseException as error:
        note(writing, bulk_result(error) or BulkResult(()))
        if isinstance(error, BulkError):
            raise BulkError(str(error), result=so_far()) from error
        attach(error, so_far())
        raise
    return so_far()
