"""The garbage collector, kept from looking for garbage where none can be."""

from __future__ import annotations

import gc
from types import TracebackType


class _Paused:
    """See `collector_paused`."""

    __slots__ = ("_was_enabled",)

    def __enter__(self) -> None:
        self._was_enabled = gc.isenabled()
        gc.disable()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._was_enabled:
            gc.enable()


def collector_paused() -> _Paused:
    """Let the collector rest while a page is built: all that is allocated stays until then.

    The pause is the whole process's, ends with the page, and leaves a collector that was off alone.
    """
    return _Paused()
