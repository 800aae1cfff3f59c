"""Whether the cost of a graph grows as its size does: the exponent from each size to the next."""

from __future__ import annotations

import math
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final

import attrs

from kantata_async import normalize

from ._payloads import PARTICIPATIONS, Asked, payload
from ._tables import printed
from ._timing import compared

SIZES: Final = (100, 1_000, 10_000, 100_000)


def main(quick: bool) -> dict[str, Any]:
    """Measure decoded answers of growing size, each object with a user of its own, every association read."""
    sizes = SIZES[:2] if quick else SIZES
    answers = {size: payload(_asked(size)) for size in sizes}
    taken = {size: _seconds(answer, 1 if quick else max(3, 30_000 // size)) for size, answer in answers.items()}
    exponents = {
        size: math.log(taken[size] / taken[before]) / math.log(size / before) for before, size in pairwise(sizes)
    }
    printed(
        "A graph of so many participations and as many users",
        ("", "µs each", "exponent"),
        [(size, taken[size] / size * 1e6, exponents.get(size, "")) for size in sizes],
    )
    return {
        str(size): {"microseconds each": round(taken[size] / size * 1e6, 3), "exponent": exponents.get(size)}
        for size in sizes
    }


def _asked(size: int) -> Asked:
    return attrs.evolve(PARTICIPATIONS, size=size, includes={**PARTICIPATIONS.includes, "user": size})


def _seconds(answer: dict[str, Any], rounds: int) -> float:
    read = attrgetter(*PARTICIPATIONS.includes)

    def run() -> None:
        for one in normalize(answer, include=PARTICIPATIONS.includes).items:
            read(one)

    return compared({"": run}, rounds).median("")
