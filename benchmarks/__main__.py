"""``python -m benchmarks [names…] [--quick]``: run the benchmarks of these names, or all, and keep their figures.

A benchmark is a module of this package with ``main(quick: bool) -> dict``, which prints a table and gives its figures;
they are written to benchmarks/results/NAME.json.
"""

from __future__ import annotations

import argparse
import json
import pkgutil
from importlib import import_module
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


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
    RESULTS.mkdir(exist_ok=True)
    for name in given.names or names:
        print(f"== {name}", flush=True)
        figures = import_module(f"benchmarks.{name}").main(given.quick)
        (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
