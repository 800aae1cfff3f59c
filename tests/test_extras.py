"""What only an extra installs: without it, an error says what to install."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Final

import pytest

from kantata_async.errors import UsageError
from kantata_async.extras import from_extra

WITHOUT: Final = """
import io, sys
sys.modules.update(dict.fromkeys(["python_calamine", "pyarrow", "vcr", "duckdb"]))
from kantata_async.errors import UsageError
from kantata_async.provision.sheets.tables import workbook_rows
from kantata_async.recording import recorder
from kantata_async.sync.targets import driver
from kantata_async.tables import arrow
calls = [
    lambda: workbook_rows(b"", "a.xlsx", None),
    arrow,
    lambda: recorder("a"),
    lambda: driver("duckdb", "duckdb"),
]
for call in calls:
    try:
        call()
    except UsageError as error:
        print(error)
"""


def test_each_says_what_to_install() -> None:
    """Where the modules are missing, each purpose names the extra that has its module."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "reading workbooks needs python_calamine: pip install 'kantata-async[xlsx]'",
        "reading batches needs pyarrow: pip install 'kantata-async[arrow]'",
        "recording needs vcr: pip install 'kantata-async[recording]'",
        "copying needs duckdb: pip install 'kantata-async[duckdb]'",
    ]


def test_what_is_installed_is_imported() -> None:
    """The block is as if it were not there; an error of another kind passes through it."""
    with from_extra("none", "this"):
        import json  # noqa: PLC0415, F401
    message = "this needs no_such_module: pip install 'kantata-async[none]'"
    with pytest.raises(UsageError, match=re.escape(message)), from_extra("none", "this"):
        import no_such_module.below  # type: ignore[import-not-found] # noqa: PLC0415, F401
    with pytest.raises(ZeroDivisionError), from_extra("none", "this"):
        _ = 1 / 0
