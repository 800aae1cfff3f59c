"""The garbage collector rests while pages are made, and works again afterwards, whatever threads and forks do."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator

import pytest

from kantata_async.decoding import collector_paused


@pytest.fixture(autouse=True)
def collector_on() -> Iterator[None]:
    """Every test begins with a collector that works, and leaves one."""
    gc.enable()
    yield
    gc.enable()


def test_it_rests_until_the_last_pause_ends() -> None:
    """In whichever order pauses that overlap begin and end."""
    first, second = collector_paused(), collector_paused()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_one_that_was_off_stays_off() -> None:
    """It is the program's to turn on."""
    gc.disable()
    with collector_paused(), collector_paused():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_an_error_ends_the_pause() -> None:
    """As a page that cannot be read does."""
    with pytest.raises(LookupError), collector_paused():
        raise LookupError
    assert gc.isenabled()


def test_threads_never_leave_it_off() -> None:
    """However their pauses cut into each other."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def pause_often() -> None:
        for _ in range(20_000):
            with collector_paused():
                pass

    threads = [threading.Thread(target=pause_often) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert gc.isenabled()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_process_forked_while_a_thread_reads_has_a_collector() -> None:
    """That thread, which would end the pause, is not there."""
    pausing, forked = threading.Event(), threading.Event()

    def read() -> None:
        with collector_paused():
            pausing.set()
            forked.wait()

    thread = threading.Thread(target=read)
    thread.start()
    pausing.wait()
    child = os.fork()
    if child == 0:
        with collector_paused():
            pass
        os._exit(0 if gc.isenabled() else 1)
    forked.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
