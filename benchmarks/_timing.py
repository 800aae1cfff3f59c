"""Timing two or more ways to do the same thing: in turn, so that what else the machine does hits all of them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from ._figures import Figure


@attrs.frozen
class Comparison:
    """The seconds that each side took, round by round."""

    rounds: Mapping[str, Sequence[float]]

    def median(self, side: str) -> float:
        """The middle one of a side's rounds, in seconds."""
        return statistics.median(self.rounds[side])

    def ratio(self, side: str, base: str) -> float:
        """How many times as long a side took: the middle one of the rounds, each against the base of its own round."""
        return statistics.median(self._ratios(side, base))

    def spread(self, side: str, base: str) -> float:
        """The noise of the ratio: half the distance between its quartiles."""
        ratios = self._ratios(side, base)
        if len(ratios) < 2:
            return 0.0
        low, _, high = statistics.quantiles(ratios, n=4)
        return (high - low) / 2

    def figures(
        self, of: str, base: str, *, per: int = 1, goals: Mapping[str, str] = MappingProxyType({})
    ) -> list[Figure]:
        """For each side the microseconds (of one of `per` things), the ratio to the base, and its noise."""
        return [
            Figure(of, side, self.median(side) / per * 1e6, "µs")
            if side == base
            else Figure(
                of,
                side,
                self.median(side) / per * 1e6,
                "µs",
                self.ratio(side, base),
                self.spread(side, base),
                goals.get(side, ""),
            )
            for side in self.rounds
        ]

    def _ratios(self, side: str, base: str) -> list[float]:
        return [taken / against for taken, against in zip(self.rounds[side], self.rounds[base], strict=True)]


def compared(
    sides: Mapping[str, Callable[[], Any]],
    rounds: int,
    *,
    times: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> Comparison:
    """Run every side so many times in each round, and take the seconds of one time.

    By default the processor's time is taken, which other programs do not lengthen.
    """
    for run in sides.values():
        run()
    taken: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, run in sides.items():
            gc.collect()  # so that no side pays for another one's garbage
            began = clock()
            for _ in range(times):
                run()
            taken[side].append((clock() - began) / times)
    return Comparison(taken)


async def awaited(
    sides: Mapping[str, Callable[[], Awaitable[Any]]],
    rounds: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
    warm: bool = True,
) -> Comparison:
    """As `compared`, for sides that are awaited, by the wall clock unless another is given."""
    for run in sides.values() if warm else ():
        await run()
    taken: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, run in sides.items():
            gc.collect()
            began = clock()
            await run()
            taken[side].append(clock() - began)
    return Comparison(taken)
