"""Pauses of the garbage collector while there can be no garbage."""

from __future__ import annotations

import gc
import os
import threading
from types import TracebackType
from typing import Final


class _Pause:
    """See `collector_paused`: one for the whole process, as the collector is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pausing = 0
        self._resumes = False

    def __enter__(self) -> None:
        with self._lock:
            if self._pausing == 0:
                self._resumes = gc.isenabled()
            self._pausing += 1
            gc.disable()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._pausing -= 1
            if self._pausing == 0 and self._resumes:
                gc.enable()

    def forget(self) -> None:
        """End every pause: a forked process has none of the threads that began one."""
        pausing, resumes = self._pausing, self._resumes
        self.__init__()  # type: ignore[misc]
        if pausing and resumes:
            gc.enable()


_PAUSE: Final = _Pause()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_PAUSE.forget)


def collector_paused() -> _Pause:
    """Pause the collector while a page is built: everything allocated meanwhile stays alive.

    The pause is the whole process's and ends with the last page under way; a collector that was off stays so.
    """
    return _PAUSE
