"""Results that travel with an exception: what was done until it came."""

from __future__ import annotations

import contextlib
from asyncio import Future
from collections.abc import Iterator
from typing import Any, TypeVar

from ..errors import exception_behind

T = TypeVar("T")


def attach(error: BaseException, result: object) -> None:
    """Let an exception carry a result, in place of another one of its type, where `attached` finds it."""
    with contextlib.suppress(TypeError):  # some exceptions have no dictionary
        vars(error)[f"kantata_{type(result).__name__}"] = result


def attached(error: BaseException | Future[Any] | None, kind: type[T]) -> T | None:
    """The result of a type that an exception, or one behind it, carries; None where there is none.

    For a task, what the exception carries that it ended with.
    """
    carried = (value for one in chain_of(exception_behind(error)) for value in getattr(one, "__dict__", {}).values())
    return next((value for value in carried if isinstance(value, kind)), None)


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """An exception with its causes and contexts, and those that it groups."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
