"""The exceptions of tasks. asyncio gives away what a cancelled task ended with only once; here it stays."""

from __future__ import annotations

from asyncio import CancelledError, Future
from typing import Any, Final, TypeGuard
from weakref import WeakKeyDictionary

_CANCELLATIONS: Final[WeakKeyDictionary[Future[Any], CancelledError]] = WeakKeyDictionary()


def is_task(value: object) -> TypeGuard[Future[Any]]:
    """Whether this is a task, or a future."""
    return isinstance(value, Future)


def exception_of(task: Future[Any]) -> BaseException | None:
    """The exception that a task ended with; None where it ended well, or goes on."""
    if not task.done():
        return None
    if not task.cancelled():
        return task.exception()
    if task not in _CANCELLATIONS:
        try:
            task.exception()
        except CancelledError as error:
            # A copy without the frames, which may hold the task itself.
            _CANCELLATIONS[task] = CancelledError(*error.args)
            vars(_CANCELLATIONS[task]).update(vars(error))
    return _CANCELLATIONS[task]
