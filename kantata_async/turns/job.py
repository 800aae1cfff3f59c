"""Whose turn a request counts for, and how urgent it is.

A job takes turns with the others: by default each task is one, with the requests that the session sends on its behalf
(the pages a list query reads ahead, the batches of a bulk write). `job()` makes one of anything.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from ..errors import UsageError
from ..model import brief_repr

Priority = Literal["high", "normal", "low"]

_RANKS: Final = {"high": 0, "normal": 1, "low": 2}
_job: contextvars.ContextVar[object | None] = contextvars.ContextVar("kantata_job", default=None)
_rank: contextvars.ContextVar[int] = contextvars.ContextVar("kantata_rank", default=_RANKS["normal"])


@contextmanager
def job() -> Iterator[None]:
    """Make one job of everything inside, tasks started inside included: ``with kantata_async.job(): …``."""
    token = _job.set(object())
    try:
        yield
    finally:
        _job.reset(token)


@contextmanager
def priority(level: Priority) -> Iterator[None]:
    """Set how urgent the requests inside are: "high" ones go before, "low" ones after all others that wait.

    ``with kantata_async.priority("high"): …``. Only requests that wait at the same time are overtaken; as
    long as higher ones keep waiting, lower ones do not go.

    Raises:
        UsageError: there is no such level.
    """
    token = _rank.set(_rank_of(level))
    try:
        yield
    finally:
        _rank.reset(token)


def _rank_of(level: object) -> int:
    if not isinstance(level, str) or level not in _RANKS:
        raise UsageError(f"priority is 'high', 'normal' or 'low', not {brief_repr(level)}")
    return _RANKS[level]


def current_job() -> object:
    """The job by which the running request takes its turn."""
    return _job.get() or asyncio.current_task()


def current_rank() -> int:
    """The running request's priority; the lowest number goes first."""
    return _rank.get()


def context_of_job() -> contextvars.Context:
    """A context for a task that works for the job that starts it."""
    context = contextvars.copy_context()
    context.run(_job.set, current_job())
    return context
