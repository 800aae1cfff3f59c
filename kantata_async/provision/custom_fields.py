"""Values of custom fields that a sheet gives as text, set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..bulk import BulkResult, Outcome, Status, attach
from ..custom_fields import DefinedFields, FieldOutcome, FieldStatus, FieldValue, fields_result, value_from_text
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


async def set_fields(kantata: KantataSession, rows: Sequence[Mapping[str, Any]]) -> Sequence[Outcome[Any]]:
    """What became of each value: rows of one ``subject_type``, with a ``subject_id``, a ``name`` and a ``text`` each.

    A text that is None clears the value. A value that its field does not take any more, as that was changed since the
    sheet was read, is rejected. Where the fields, or what they hold, cannot be read, nothing is sent. Any exception
    carries the outcomes so far.

    Raises:
        AuthenticationError, BulkError: nothing more can be sent (401).
    """
    setting = _Setting(rows)
    try:
        await setting.carry_out(kantata)
    except BaseException as error:
        if isinstance(error, KantataError) and not isinstance(error, AuthenticationError | BulkError):
            return setting.outcomes(why_not_sent=str(error))
        attach(error, BulkResult(setting.outcomes()))
        raise
    return setting.outcomes()


class _Setting:
    """The rows, and what became of those of which that is known."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = rows
        self._known: dict[int, Outcome[Any]] = {}
        self._places: dict[tuple[str, str], int] = {}

    def outcomes(self, *, why_not_sent: str = "its turn had not come yet") -> Sequence[Outcome[Any]]:
        """One outcome a row."""
        return [
            self._known.get(number) or Outcome(number, row, "not_sent", reason=why_not_sent)
            for number, row in enumerate(self._rows)
        ]

    async def carry_out(self, kantata: KantataSession) -> None:
        """Set the values."""
        subject_type = self._rows[0]["subject_type"]
        wishes = self._wishes(await kantata.custom_fields.defined(subject_type))
        try:
            self._note(await kantata.custom_fields.set(subject_type, wishes))
        except BaseException as error:
            self._note(fields_result(error) or ())
            raise

    def _wishes(self, fields: DefinedFields) -> dict[str, dict[str, FieldValue | None]]:
        wishes: dict[str, dict[str, FieldValue | None]] = defaultdict(dict)
        for number, row in enumerate(self._rows):
            id, name = row["subject_id"], row["name"]
            try:
                field = fields.named(name)
                wishes[id][name] = None if row["text"] is None else value_from_text(field, row["text"])
                self._places[id, name] = number
            except UsageError as error:
                self._known[number] = Outcome(number, row, "rejected", errors=(ErrorDetail(str(error)),))
        return wishes

    def _note(self, result: Iterable[FieldOutcome]) -> None:
        for one in result:
            number = self._places[one.object, one.field]
            self._known[number] = Outcome(
                number, self._rows[number], _AS[one.status], errors=one.errors, reason=one.reason
            )
