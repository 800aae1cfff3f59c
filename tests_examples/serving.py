"""Servers of the examples, started as their pages say, and asked over sockets."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kantata_async.sandbox import ThreadedSandbox

ROOT: Final = Path(__file__).parents[1]
COMMANDS: Final = {
    "uvicorn": ["uvicorn", "examples.web.service:app", "--port", "0"],
    "gunicorn": [
        *("gunicorn", "examples.web.service:app", "--bind", "127.0.0.1:0", "--workers", "2"),
        *("--worker-class", "uvicorn_worker.UvicornWorker"),
    ],
}
_READY: Final = {
    "uvicorn": re.compile(r"running on (http://[\d.:]+)"),
    "gunicorn": re.compile(r"Listening at: (http://[\d.:]+)[\s\S]*startup complete"),
}


def environment_of(sandbox: ThreadedSandbox) -> dict[str, str]:
    """The environment of a program that works on a sandbox."""
    return {
        **os.environ,
        "KANTATA_TOKEN": sandbox.token,
        "KANTATA_BASE_URL": sandbox.url,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def running(command: Sequence[str], sandbox: ThreadedSandbox, log: Path, ready: re.Pattern[str]) -> Iterator[None]:
    """A program on a sandbox that has written that it is ready; it must end in good order, without an error."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], stdout=output, stderr=output, cwd=ROOT, env=environment_of(sandbox)
        )
    try:
        deadline = time.monotonic() + 60
        while ready.search(log.read_text()) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    written = log.read_text()
    assert "Traceback" not in written, written
    assert "Unclosed" not in written, written


@contextmanager
def served(server: str, sandbox: ThreadedSandbox, log: Path) -> Iterator[str]:
    """The address of the web service under a server."""
    with running(COMMANDS[server], sandbox, log, _READY[server]):
        ready = _READY[server].search(log.read_text())
        assert ready is not None
        yield ready[1]
