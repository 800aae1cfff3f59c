"""``python -m benchmarks [names…] [--quick]``: run the benchmarks of these names, or all, and print one table.

A benchmark is a module of this package with ``main(quick: bool) -> list[Figure]``. The figures are also written to
benchmarks/results/figures.json. Nothing fails for being slow: this is a measuring device.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import pkgutil
import platform
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import attrs

from ._figures import Figure, table

RESULTS = Path(__file__).parent / "results" / "figures.json"


def main() -> None:
    """Run what the command line names."""
    names = [
        module.name
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
        if not module.name.startswith("_") and not module.ispkg
    ]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(names)}; all unless given")
    parser.add_argument("--quick", action="store_true", help="shorter, and less exact")
    given = parser.parse_args()
    unknown = sorted(set(given.names) - set(names))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(names)}")
    figures: list[Figure] = []
    for name in given.names or names:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        benchmark = import_module(f"benchmarks.{name}")
        # What the benchmarks before it left, and the libraries they loaded, are no side's garbage to look through.
        gc.collect()
        gc.freeze()
        figures += benchmark.main(given.quick)
    measured = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "python": platform.python_version(),
    }
    print(f"Measured {', '.join(measured.values())}; medians\n\n{table(figures)}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**measured, "figures": [attrs.asdict(one) for one in figures]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
