"""Values of custom fields that a sheet gives as text, set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..bulk import Outcome, Status
from ..custom_fields import FieldStatus, FieldValue, value_from_text
from ..errors import AuthenticationError, BulkError, ErrorDetail, KantataError, UsageError

if TYPE_CHECKING:
    from ..session import KantataSession

_AS: Final[Mapping[FieldStatus, Status]] = {
    "created": "updated",
    "changed": "updated",
    "cleared": "updated",
    "unchanged": "existing",
    "rejected": "rejected",
    "unknown": "unknown",
    "not_sent": "not_sent",
}


async def set_fields(kantata: KantataSession, rows: Sequence[Mapping[str, Any]]) -> list[Outcome[Any]]:
    """What became of each value: rows of one ``subject_type``, with a ``subject_id``, a ``name`` and a ``text`` each.

    A text that is None clears the value. A value that its field does not take any more, as that was changed since the
    sheet was read, is rejected. Where the fields, or what they hold, cannot be read, nothing is sent.

    Raises:
        AuthenticationError, BulkError: nothing more can be sent (401).
    """
    try:
        return await _set(kantata, rows)
    except (AuthenticationError, BulkError):
        raise
    except KantataError as error:
        return [Outcome(number, row, "not_sent", reason=str(error)) for number, row in enumerate(rows)]


async def _set(kantata: KantataSession, rows: Sequence[Mapping[str, Any]]) -> list[Outcome[Any]]:
    subject_type = rows[0]["subject_type"]
    fields = await kantata.custom_fields.defined(subject_type)
    outcomes: dict[int, Outcome[Any]] = {}
    wishes: dict[str, dict[str, FieldValue | None]] = defaultdict(dict)
    places: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows):
        id, name = row["subject_id"], row["name"]
        try:
            field = fields.named(name)
            wishes[id][name] = None if row["text"] is None else value_from_text(field, row["text"])
            places[id, name] = number
        except UsageError as error:
            outcomes[number] = Outcome(number, row, "rejected", errors=(ErrorDetail(str(error)),))
    for one in await kantata.custom_fields.set(subject_type, wishes):
        number = places[one.object, one.field]
        outcomes[number] = Outcome(number, rows[number], _AS[one.status], errors=one.errors, reason=one.reason)
    return [outcomes[number] for number in range(len(rows))]
