"""What runs in a process of its own, so that it shares neither time nor memory with whoever starts it."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def in_other_process(function: Callable[..., None], *arguments: Any) -> Iterator[Any]:
    """Run a function until the block ends; gives what it first sends through the pipe that is its first argument."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=function, args=(there, *arguments), daemon=True)
    process.start()
    there.close()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def peak_bytes() -> int:
    """The largest that this process has been in memory, its interpreter included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
