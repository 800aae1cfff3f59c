"""``python -m chaos [NAMES…] [--seeds N]``: run the named scenarios, or all of them."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import time

import chaos


def main() -> None:
    """Run scenarios one after the other; the first that does not hold ends it with its AssertionError."""
    known = [module.name for module in pkgutil.iter_modules(chaos.__path__) if not module.name.startswith("_")]
    parser = argparse.ArgumentParser(prog="python -m chaos")
    parser.add_argument("names", nargs="*", choices=[*known, []], default=known, metavar="NAME", help=", ".join(known))
    parser.add_argument("--seeds", type=int, default=20, help="seeds of each scenario")
    given = parser.parse_args()
    for name in given.names:
        began = time.monotonic()
        print(f"== {name}", flush=True)
        importlib.import_module(f"chaos.{name}").main(given.seeds)
        print(f"== {name} held, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
