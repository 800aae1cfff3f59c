"""Waiting for what the server makes: looked at again and again, after pauses that grow, until a time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, Generic, TypeAlias, TypeVar

import attrs

from ..bounds import positive_number
from ..callables import check_function
from ..errors import ExportFailedError, ExportNotReadyError
from ..transport import Sleep
from .progress import call_and_await

T = TypeVar("T")

OnState: TypeAlias = Callable[[str, float], object]
"""Called after each look with the state, and the seconds waited so far. It may be async."""

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
_GROWTH: Final = 1.5

_DONE: Final = frozenset(
    {"available", "complete", "completed", "done", "exported", "finished", "generated", "ready", "success"}
    | {"succeeded", "successful", "uploaded"}
)
_FAILED: Final = frozenset(
    {"aborted", "canceled", "cancelled", "deleted", "error", "errored", "expired", "failed", "failure", "rejected"}
    | {"timed_out", "unsuccessful"}
)
"""The reference lists no states, so whatever means an end counts as one; any other is waited out."""


@attrs.frozen
class Standing(Generic[T]):
    """The standing of something that the server makes.

    Attributes:
        state: in the server's words.
        found: what is waited for, as far as it is there.
        is_done: whether it is there.
        reason: why it never will be; None while it may.
    """

    state: str
    found: T
    is_done: bool = False
    reason: str | None = None


def standing_of(state: object, found: T, reason: str | None = None) -> Standing[T]:
    """The standing of something in this state; `reason` is what the server says about a failure."""
    called = str(state or "unknown")
    means = called.strip().lower().replace(" ", "_")
    why = (reason or "the API gives no reason") if means in _FAILED else None
    return Standing(called, found, is_done=means in _DONE, reason=why)


def pauses() -> Iterator[float]:
    """Seconds from one look to the next: half a second, then half as long again each time, up to 30."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(_LONGEST_PAUSE, pause * _GROWTH)


async def wait(
    look: Callable[[], Awaitable[Standing[T]]],
    *,
    what: str,
    again: str,
    sleep: Sleep,
    deadline: float,
    on_state: OnState | None = None,
) -> T:
    """What is waited for, when it is there.

    Args:
        look: asks how it stands.
        what: names it, as "export 7".
        again: the call that goes on waiting.
        sleep: waits between two looks.
        deadline: seconds to wait.
        on_state: called after each look.

    Raises:
        UsageError: an argument cannot be used.
        ExportFailedError: it never will be there.
        ExportNotReadyError: the time is over.
    """
    check_wait(deadline, on_state)
    clock = asyncio.get_running_loop().time
    began = clock()
    growing = pauses()
    while True:
        standing = await look()
        waited = clock() - began
        if on_state is not None:
            await call_and_await(on_state, standing.state, waited)
        if standing.reason is not None:
            raise ExportFailedError(
                f"{what} has the status {standing.state!r}: {standing.reason}", state=standing.state
            )
        if standing.is_done:
            return standing.found
        if waited >= deadline:
            raise ExportNotReadyError(
                f"{what} is still {standing.state} after {waited:.3g} s; the server goes on with it: "
                f"go on waiting with `{again}`",
                state=standing.state,
            )
        await sleep(min(next(growing), deadline - waited))


def check_wait(deadline: object, on_state: object) -> None:
    """Check the arguments of a wait.

    Raises:
        UsageError: one of them cannot be used.
    """
    positive_number("wait", "deadline", deadline)
    if on_state is not None:
        check_function("wait", "on_state", on_state, "a state", "a number of seconds")
