"""What is known of every row of a batch at every moment, so that an interruption loses nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

import attrs

from ..errors import ErrorDetail, KantataError
from ..model import Entity
from .fate import Fate, errors_of, fate
from .outcome import Outcome, Status
from .rows import Row

E = TypeVar("E", bound=Entity)


class Ledger(Generic[E]):
    """The outcomes of the rows of one batch, as far as they are known."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._outcomes: dict[int, Outcome[E]] = {}
        self._untold: set[int] = set()
        self.note(rows, "not_sent", reason="it was not its turn yet")

    @property
    def outcomes(self) -> Iterable[Outcome[E]]:
        """One outcome a row."""
        return self._outcomes.values()

    def note(
        self,
        rows: Iterable[Row],
        status: Status,
        *,
        entity: E | None = None,
        errors: Sequence[ErrorDetail] = (),
        reason: str | None = None,
    ) -> None:
        """Put down what became of rows, over what was known of them."""
        for row in rows:
            self._outcomes[row.index] = Outcome(row.index, row.item, status, entity, tuple(errors), reason)

    def ended(self, rows: Iterable[Row], error: KantataError, *, entity: E | None = None) -> Fate:
        """Put down what an error says of the rows whose write it ended; gives what became of them.

        Raises the error where nothing else would be carried out either.
        """
        became = fate(error)
        match became:
            case Fate.STOPPED:
                self.note(rows, "not_sent", entity=entity, reason=str(error))
                raise error
            case Fate.LOST:
                self.note(rows, "unknown", entity=entity, reason=str(error))
            case Fate.NOT_SENT:
                self.note(rows, "not_sent", entity=entity, reason=str(error))
            case Fate.REFUSED:
                self.note(rows, "rejected", entity=entity, errors=errors_of(error))
        return became

    def cannot_tell(self, rows: Iterable[Row], reason: str) -> None:
        """Add why it could not be found out what became of rows; they must not be sent again."""
        for row in rows:
            self._untold.add(row.index)
            told = self._outcomes[row.index]
            because = f"{told.reason}; {reason}" if told.reason else reason
            self._outcomes[row.index] = attrs.evolve(told, reason=because)

    def told_nothing(self, row: Row) -> bool:
        """Whether a look for the row failed."""
        return row.index in self._untold

    def rejected(self, rows: Iterable[Row]) -> bool:
        """Whether any of these rows was refused."""
        return any(self._outcomes[row.index].status == "rejected" for row in rows)
