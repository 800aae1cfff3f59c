"""The outcomes of a bulk write that an exception interrupted: they travel with it."""

from __future__ import annotations

import contextlib
import weakref
from asyncio import Future
from collections.abc import Callable, Iterator
from traceback import walk_tb
from types import TracebackType
from typing import Any, Final, Protocol

from ..errors import BulkError, KantataError, UsageError, exception_behind
from .carried import attach, attached, chain_of
from .outcome import BulkResult, Outcome


class Handover(Protocol):
    """A bulk write that hands its outcomes out one by one."""

    def left_behind(self) -> BulkResult[Any] | None:
        """The outcomes that were not handed out, with nothing being sent any more; None where there are none."""
        ...


@contextlib.contextmanager
def carrying(outcomes: Callable[[], BulkResult[Any]], what: str) -> Iterator[None]:
    """Attach outcomes to any exception that leaves the block, where `bulk_result` finds them.

    Args:
        outcomes: gives those that are known by then.
        what: how an error message names them.

    Raises:
        BulkError: an API error ended the block; the outcomes of the rows are its `result`.
    """
    try:
        yield
    except BaseException as error:
        result = outcomes()
        if isinstance(error, KantataError) and not isinstance(error, UsageError):
            raise BulkError(f"{error}; {what}: {result.summary()}", result=result) from error
        attach(error, result)
        raise


def bulk_result(error: BaseException | Future[Any] | None) -> BulkResult[Any] | None:
    """The outcomes so far of the bulk write that an exception interrupted; None when it interrupted none.

    A cancellation, a timeout, a failing include or an error of the caller's own iterator passes through a bulk write as
    it is; what became of the rows until then travels with it. An error in the loop over a `create_stream` interrupts
    that: the result holds the outcomes that were not handed out yet. A task that was cancelled, as among those that
    ``asyncio.gather(…, return_exceptions=True)`` ran, is asked like an exception.

    Raises:
        UsageError: it is neither.
    """
    carried = attached(error, BulkResult)
    if carried is not None:
        return carried
    for one in chain_of(exception_behind(error)):
        for handover in _handovers(one.__traceback__):
            result = handover.left_behind()
            if result is not None:
                return result
    return None


# --- an error in the loop over a stream never passes through the stream: the outcome last handed out leads to it ---

_handed_out: Final[dict[int, tuple[weakref.ref[Outcome[Any]], Handover]]] = {}


def note_handed_out(outcome: Outcome[Any], handover: Handover) -> None:
    """Make an outcome that is handed out lead to its stream, as long as the outcome is referenced."""
    number = id(outcome)
    _handed_out[number] = weakref.ref(outcome, lambda _: _handed_out.pop(number, None)), handover


def forget_handed_out(outcome: Outcome[Any]) -> None:
    """Let an outcome lead nowhere any more."""
    _handed_out.pop(id(outcome), None)


def _handovers(trace: TracebackType | None) -> Iterator[Handover]:
    """The streams whose outcomes the functions held that an exception passed through."""
    for frame, _ in walk_tb(trace):
        for value in list(frame.f_locals.values()):
            if isinstance(value, Outcome):
                reference, handover = _handed_out.get(id(value), (None, None))
                if handover is not None and reference is not None and reference() is value:
                    yield handover
