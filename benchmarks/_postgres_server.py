"""A PostgreSQL of one's own on a socket, that keeps nothing when it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_PROGRAMS: Final = Path("/usr/lib/postgresql")
_USER: Final = "kantata"


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL until the block ends; gives its address.

    Raises FileNotFoundError where there is none: on Debian, ``apt-get install postgresql``.
    """
    found = sorted(_PROGRAMS.glob("*/bin/initdb"))
    if not found:
        raise FileNotFoundError("no PostgreSQL: apt-get install -y postgresql")
    programs, place = found[-1].parent, Path(tempfile.mkdtemp(prefix="postgres"))
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": place}
    first: list[str] = []
    if os.geteuid() == 0:
        # It refuses to run as root.
        first = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        shutil.chown(place, "nobody", "nogroup")
    data = str(place / "data")
    make = [*first, str(programs / "initdb"), "-D", data, "-A", "trust", "-U", _USER]
    run = [*first, str(programs / "postgres"), "-D", data, "-k", str(place), "-c", "listen_addresses="]
    ask = [str(programs / "pg_isready"), "-h", str(place), "-q"]
    subprocess.run(make, check=True, **quiet)  # noqa: S603 - programs of the system's package
    server = subprocess.Popen(run, **quiet)  # noqa: S603 - as above
    try:
        while subprocess.run(ask, check=False, **quiet).returncode and server.poll() is None:  # noqa: S603 - as above
            time.sleep(0.05)
        yield f"postgresql://{_USER}@/postgres?host={place}"
    finally:
        # To be terminated it would wait for its clients; interrupted, it ends their connections.
        server.send_signal(signal.SIGINT)
        server.wait()
        shutil.rmtree(place, ignore_errors=True)
