"""Whether the cost of a graph grows as its size does: the exponent from each size to the next, beside the parser's."""

from __future__ import annotations

import math
from itertools import pairwise
from operator import attrgetter
from typing import Final

import attrs
import orjson

from kantata_async import normalize

from ._figures import Figure
from ._payloads import PARTICIPATIONS, Asked, encoded
from ._timing import compared

SIZES: Final = (100, 1_000, 10_000, 100_000)
BASE: Final = "orjson.loads"
OURS: Final = "kantata_async"


def main(quick: bool) -> list[Figure]:
    """Measure answers of growing size, each object with a user of its own, every association read."""
    sizes = SIZES[:2] if quick else SIZES
    taken = {size: _seconds(encoded(_asked(size)), 1 if quick else max(5, 30_000 // size)) for size in sizes}
    figures: list[Figure] = []
    for before, size in pairwise(sizes):
        of = f"the exponent of growth from {before:,} to {size:,} linked objects"
        theirs, ours = (_exponent(taken[before][side], taken[size][side], before, size) for side in (BASE, OURS))
        figures += [Figure(of, BASE, theirs, ""), Figure(of, OURS, ours, "", goal="1")]
    return figures


def _exponent(first: float, then: float, before: int, after: int) -> float:
    return math.log(then / first) / math.log(after / before)


def _asked(size: int) -> Asked:
    return attrs.evolve(PARTICIPATIONS, size=size, includes={**PARTICIPATIONS.includes, "user": size})


def _seconds(body: bytes, rounds: int) -> dict[str, float]:
    read = attrgetter(*PARTICIPATIONS.includes)

    def run() -> None:
        for one in normalize(body, include=PARTICIPATIONS.includes).items:
            read(one)

    measured = compared({BASE: lambda: orjson.loads(body), OURS: run}, rounds)
    return {side: measured.median(side) for side in (BASE, OURS)}
