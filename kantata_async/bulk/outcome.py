"""What becomes of the rows of a bulk write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Generic, Literal, TypeVar, overload

import attrs

from ..errors import BulkError, ErrorDetail
from ..model import Entity
from ..response import Response

E_co = TypeVar("E_co", bound=Entity, covariant=True)

Status = Literal["created", "updated", "deleted", "existing", "rejected", "unknown", "not_sent"]

_DONE: Final = frozenset({"created", "updated", "deleted", "existing"})


@attrs.frozen
class Outcome(Generic[E_co]):
    """What became of one row.

    Attributes:
        index: the position of the row, from 0.
        item: the row as it was given (of a bulk delete: its id).
        status: ``created``, ``updated`` or ``deleted``; ``existing``: it was there before; ``rejected``: the API
            refused this row, `errors` say why; ``unknown``: it may or may not be there. Either it was sent, and nothing
            shows whether it was carried out; or it was not sent, as the look before that was not conclusive;
            ``not_sent``: it surely was not carried out.
        entity: the object, where there is one.
        errors: what the API said of this row.
        reason: why a row is unknown or was not sent.
        response: the last answer about the row, to the write or to a look; None where none came.
    """

    index: int
    item: Any
    status: Status
    entity: E_co | None = None
    errors: tuple[ErrorDetail, ...] = ()
    reason: str | None = None
    _response: Response | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def response(self) -> Response | None:
        """The last answer about the row."""
        return self.entity.response if self._response is None and self.entity is not None else self._response

    @property
    def done(self) -> bool:
        """Whether the row is as it should be now."""
        return self.status in _DONE


class BulkResult(Sequence[Outcome[E_co]]):
    """The outcomes of a bulk write, one a row, in the order of the rows."""

    def __init__(self, outcomes: Iterable[Outcome[E_co]]) -> None:
        self._outcomes = tuple(outcomes)

    @overload
    def __getitem__(self, index: int) -> Outcome[E_co]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Outcome[E_co]]: ...
    def __getitem__(self, index: int | slice) -> Outcome[E_co] | Sequence[Outcome[E_co]]:
        return self._outcomes[index]

    def __len__(self) -> int:
        return len(self._outcomes)

    def __iter__(self) -> Iterator[Outcome[E_co]]:
        return iter(self._outcomes)

    def __repr__(self) -> str:
        return f"<BulkResult: {self.summary()}>"

    @property
    def entities(self) -> list[E_co]:
        """The objects of the rows that are as they should be now, in the order of the rows."""
        return [outcome.entity for outcome in self._outcomes if outcome.done and outcome.entity is not None]

    @property
    def created(self) -> list[Outcome[E_co]]:
        """The rows that were created."""
        return self.of("created")

    @property
    def updated(self) -> list[Outcome[E_co]]:
        """The rows whose object was changed."""
        return self.of("updated")

    @property
    def deleted(self) -> list[Outcome[E_co]]:
        """The rows whose object was deleted."""
        return self.of("deleted")

    @property
    def existing(self) -> list[Outcome[E_co]]:
        """The rows whose object was there before."""
        return self.of("existing")

    @property
    def rejected(self) -> list[Outcome[E_co]]:
        """The rows that the API refused."""
        return self.of("rejected")

    @property
    def unknown(self) -> list[Outcome[E_co]]:
        """The rows that may or may not have been carried out."""
        return self.of("unknown")

    @property
    def not_sent(self) -> list[Outcome[E_co]]:
        """The rows that surely were not carried out."""
        return self.of("not_sent")

    def of(self, status: Status) -> list[Outcome[E_co]]:
        """The rows of one status."""
        return [outcome for outcome in self._outcomes if outcome.status == status]

    def summary(self) -> str:
        """The number of rows of each status, in a line."""
        counts = Counter(outcome.status for outcome in self._outcomes)
        return ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.items()) or "no rows"

    def raise_for_errors(self) -> None:
        """Check that every row is as it should be.

        Raises:
            BulkError: a row is not; this result is its `result`.
        """
        bad = next((outcome for outcome in self._outcomes if not outcome.done), None)
        if bad is not None:
            why = "; ".join(map(str, bad.errors)) or bad.reason or "no reason given"
            raise BulkError(f"{self.summary()}; row {bad.index} is {bad.status.replace('_', ' ')}: {why}", result=self)
