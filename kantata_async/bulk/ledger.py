"""What is known of every row of a batch at every moment, so that an interruption loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import attrs

from ..errors import ErrorDetail, KantataError, may_be_carried_out
from ..model import Entity
from ..response import Response
from .fate import Fate, errors_of, fate
from .outcome import Outcome, Status
from .rows import Row

E = TypeVar("E", bound=Entity)

_INTERRUPTED = "it was interrupted while it was being sent"


class LedgerClosedError(Exception):
    """The outcomes of the rows have been reported already, so none of them may be sent any more."""


@attrs.define(eq=False)
class _Note(Generic[E]):
    """What became of some rows: see `Outcome`."""

    status: Status
    entity: E | None = None
    errors: tuple[ErrorDetail, ...] = ()
    reason: str | None = None


class Ledger(Generic[E]):
    """The outcomes of the rows of one batch, as far as they are known."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._notes: dict[int, _Note[E]] = {}
        self._answers: dict[int, Response | E] = {}
        """The last answer about a row, or the entity that came in it."""
        self._lost: set[int] = set()
        self._absent: set[int] = set()
        self._first_sent: dict[int, float] = {}
        self._is_closed = False
        self.note(rows, "not_sent", reason="its turn had not come yet")

    @property
    def outcomes(self) -> Iterable[Outcome[E]]:
        """One outcome a row."""
        return map(self._outcome_of, self._rows)

    def close(self) -> None:
        """Refuse to send anything more."""
        self._is_closed = True

    def note(
        self,
        rows: Iterable[Row],
        status: Status,
        *,
        entity: E | None = None,
        errors: Sequence[ErrorDetail] = (),
        reason: str | None = None,
        response: Response | None = None,
    ) -> None:
        """Put down what became of rows, over what was known of them; the last answer about them stays."""
        note = _Note(status, entity, tuple(errors), reason)
        answer = response if response is not None else entity
        for row in rows:
            self._notes[row.index] = note
            if answer is not None:
                self._answers[row.index] = answer

    def sending(self, rows: Iterable[Row], *, entity: E | None = None) -> None:
        """Put down that rows are being sent: until an answer comes, their outcome is unknown.

        Raises:
            LedgerClosedError: they may not be sent any more.
        """
        if self._is_closed:
            raise LedgerClosedError
        moment = asyncio.get_running_loop().time()
        for row in rows:
            self._first_sent.setdefault(row.index, moment)
        self.note(rows, "unknown", entity=entity, reason=_INTERRUPTED)

    def interrupted(self, rows: Iterable[Row], error: BaseException, *, entity: E | None = None) -> None:
        """Put down what an interruption says of rows that were being sent."""
        if may_be_carried_out(error) is False:
            self.note(rows, "not_sent", entity=entity, reason="it was interrupted before it was sent")

    def ended(self, rows: Sequence[Row], error: KantataError, *, entity: E | None = None) -> Fate:
        """The fate of rows whose write an error ended, once it is put down.

        Raises:
            KantataError: the error itself, where it would end every other write too.
        """
        became = fate(error)
        match became:
            case Fate.STOPPED:
                self.note(rows, "not_sent", entity=entity, reason=str(error), response=error.response)
                raise error
            case Fate.LOST | Fate.UNSEEN:
                self._lost |= {row.index for row in rows}
                self.note(rows, "unknown", entity=entity, reason=str(error), response=error.response)
            case Fate.UNAVAILABLE | Fate.NOT_SENT | Fate.TOO_LARGE:
                self.note(rows, "not_sent", entity=entity, reason=str(error), response=error.response)
            case Fate.ROWS_REFUSED if len(rows) > 1 or self.was_lost(rows[0]):
                self.note(rows, "unknown", entity=entity, reason=str(error), response=error.response)
            case Fate.REFUSED | Fate.ROWS_REFUSED:
                self.note(rows, "rejected", entity=entity, errors=errors_of(error), response=error.response)
        return became

    def cannot_tell(self, rows: Iterable[Row], reason: str) -> None:
        """Add why it could not be found out what became of rows."""
        for row in rows:
            before = self._notes[row.index]
            because = f"{before.reason}; {reason}" if before.reason else reason
            self._notes[row.index] = attrs.evolve(before, reason=because)

    def was_lost(self, row: Row) -> bool:
        """Whether an answer about a row was ever lost: it may have been carried out since."""
        return row.index in self._lost

    def first_sent(self, row: Row) -> float:
        """When a row was first sent, on the event loop's clock."""
        return self._first_sent[row.index]

    def note_absent(self, rows: Iterable[Row]) -> None:
        """Put down that a look did not find what a row makes."""
        self._absent |= {row.index for row in rows}

    def is_known_absent(self, row: Row) -> bool:
        """Whether a look did not find what a row makes, and no answer about it was lost that could have made it."""
        return row.index in self._absent and row.index not in self._lost

    def was_absent(self, row: Row) -> bool:
        """Whether a look did not find what a row makes, before whatever was sent since."""
        return row.index in self._absent

    def status_of(self, row: Row) -> Status:
        """The status of a row, as far as it is known."""
        return self._notes[row.index].status

    def _outcome_of(self, row: Row) -> Outcome[E]:
        note = self._notes[row.index]
        return Outcome(row.index, row.item, note.status, note.entity, note.errors, note.reason, self._last_of(row))

    def _last_of(self, row: Row) -> Response | None:
        """The last answer about a row; None for the one that the entity of its outcome came in, as that leads to it."""
        answer = self._answers.get(row.index)
        if answer is self._notes[row.index].entity:
            return None
        return answer.response if isinstance(answer, Entity) else answer

    def are_rejected(self, rows: Iterable[Row]) -> bool:
        """Whether any of these rows was refused."""
        return any(self._notes[row.index].status == "rejected" for row in rows)


def errors_by_row(rows: Sequence[Row], error: KantataError) -> Mapping[Row, tuple[ErrorDetail, ...]] | None:
    """The errors of each row that the API names by its position in the array sent; None for positions beyond it."""
    named: dict[Row, tuple[ErrorDetail, ...]] = {}
    for detail in errors_of(error):
        if detail.index is None:
            continue
        if not 0 <= detail.index < len(rows):
            return None
        row = rows[detail.index]
        named[row] = (*named.get(row, ()), detail)
    return named
