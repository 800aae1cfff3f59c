"""The catalogue as programs read it: fresh, complete, and without what only its making needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from codegen.catalogue import read
from codegen.stored import as_json
from kantata_async.catalogue import load

STORED = Path(__file__).parents[1] / "kantata_async" / "catalogue" / "catalogue.json"


def test_the_json_is_what_the_yaml_says() -> None:
    """Byte for byte; after a change of the YAML: `nox -s generate`."""
    assert STORED.read_bytes() == as_json(read())


def test_nothing_is_lost_on_the_way() -> None:
    """What is read from the JSON equals what was read from the YAML, operation by operation."""
    published, stored = read(), load()
    assert stored.operations == published.operations
    assert stored.definitions == published.definitions
    assert stored.natural_keys == published.natural_keys
    assert len(stored.operations) == 419


def test_the_sandbox_works_on_a_plain_install() -> None:
    """Neither PyYAML nor what the extras bring is needed to found a company."""
    absent = ("yaml", "orjson", "click", "rich", "pytest", "redis", "jinja2")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({absent!r}))\n"
        "from kantata_async.sandbox import Sandbox\n"
        "print(Sandbox(people=3, projects=1).store.count('users'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("3\n", "")
