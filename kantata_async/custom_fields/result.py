"""What became of each value that was to be set."""

from __future__ import annotations

from asyncio import Future
from collections import Counter
from typing import Any, Final, Literal, TypeAlias

import attrs

from ..bulk import attached
from ..errors import BulkError, ErrorDetail

FieldStatus: TypeAlias = Literal["created", "changed", "cleared", "unchanged", "rejected", "unknown", "not_sent"]

_DONE: Final = frozenset({"created", "changed", "cleared", "unchanged"})


@attrs.frozen
class FieldOutcome:
    """What became of one field of one object.

    Attributes:
        object: what it is a field of, as it was given: an entity, or an id.
        field: its name.
        value: what it was to be.
        before: what it was.
        status: ``created``: it had no value; ``changed``; ``cleared``; ``unchanged``: it was as it should be, and
            nothing was sent; ``rejected``: the API refused this value, `errors` say why; ``unknown``: it was sent, and
            nothing shows whether it was carried out; ``not_sent``: it surely was not carried out.
        errors: what the API said about it.
        reason: why it is unknown or was not sent.
    """

    object: Any
    field: str
    value: Any
    before: Any
    status: FieldStatus
    errors: tuple[ErrorDetail, ...] = ()
    reason: str | None = None

    @property
    def done(self) -> bool:
        """Whether the field is as it should be."""
        return self.status in _DONE


class FieldsResult(tuple[FieldOutcome, ...]):
    """What became of every value that was to be set: a tuple of outcomes, in the order in which they were given."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<FieldsResult: {self.summary()}>"

    @property
    def created(self) -> list[FieldOutcome]:
        """The fields that had no value before."""
        return self.of("created")

    @property
    def changed(self) -> list[FieldOutcome]:
        """The fields that had another value before."""
        return self.of("changed")

    @property
    def cleared(self) -> list[FieldOutcome]:
        """The fields whose value was deleted."""
        return self.of("cleared")

    @property
    def unchanged(self) -> list[FieldOutcome]:
        """The fields that were as they should be."""
        return self.of("unchanged")

    @property
    def rejected(self) -> list[FieldOutcome]:
        """The fields whose value the API refused."""
        return self.of("rejected")

    @property
    def unknown(self) -> list[FieldOutcome]:
        """The fields that may or may not have been set."""
        return self.of("unknown")

    @property
    def not_sent(self) -> list[FieldOutcome]:
        """The fields that surely were not set."""
        return self.of("not_sent")

    def of(self, status: FieldStatus) -> list[FieldOutcome]:
        """The fields of one status."""
        return [outcome for outcome in self if outcome.status == status]

    def summary(self) -> str:
        """The number of fields of each status, in a line."""
        counts = Counter(outcome.status for outcome in self)
        return ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.items()) or "no values"

    def raise_for_errors(self) -> None:
        """Check that every field is as it should be.

        Raises:
            BulkError: a field is not; this result is its `result`.
        """
        bad = next((outcome for outcome in self if not outcome.done), None)
        if bad is not None:
            why = "; ".join(map(str, bad.errors)) or bad.reason or "no reason given"
            where = f"{bad.field} of {bad.object!r}"
            raise BulkError(f"{self.summary()}; {where} is {bad.status.replace('_', ' ')}: {why}", result=self)


def fields_result(error: BaseException | Future[Any] | None) -> FieldsResult | None:
    """What became of the values that were to be set when an exception interrupted that; None when nothing was sent.

    What `bulk_result` is for rows: a cancellation, a timeout or a session that is closed meanwhile carries it, and a
    task that was cancelled is asked like an exception.

    Raises:
        UsageError: it is neither.
    """
    return attached(error, FieldsResult)
