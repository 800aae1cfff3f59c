"""Who goes next: by priority, then jobs in turn, then in the order of asking.

Each waiting request is tagged with the round in which its job's share comes up: one a round for each job. A job that
has a thousand waiting has tags a thousand rounds ahead, and one that comes with three goes within the next three. No
clock and no event loop.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from itertools import count
from typing import Final, Generic, TypeVar

import attrs

L = TypeVar("L", bound=Hashable)
W = TypeVar("W")

Order = tuple[int, int, int]
"""Priority, round and number: the lowest goes first."""


@attrs.define(eq=False)
class Turn(Generic[L, W]):
    """One waiting request.

    Attributes:
        waiter: whatever waits.
        lane: requests of the same lane may go whenever any of them may; the lane's first goes first.
        order: where it stands among the others.
        job: whose turn it is.
        gone: whether it waits no longer.
    """

    waiter: W
    lane: L
    order: Order
    job: object
    gone: bool = False


@attrs.define
class _Share:
    round: int = 0
    waiting: int = 0


class Turns(Generic[L, W]):
    """The requests that wait."""

    def __init__(self) -> None:
        self._lanes: Final[dict[L, list[tuple[Order, int, Turn[L, W]]]]] = {}
        self._shares: Final[dict[object, _Share]] = {}
        self._round = 0
        self._numbers: Final = count()
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def __iter__(self) -> Iterator[Turn[L, W]]:
        return (turn for heap in self._lanes.values() for *_, turn in heap if not turn.gone)

    def add(self, waiter: W, *, lane: L, job: object, rank: int, order: Order | None = None) -> Turn[L, W]:
        """Line up.

        Args:
            waiter: whatever waits.
            lane: requests of the same lane may go whenever any of them may.
            job: whose turn it counts for.
            rank: the lowest goes first.
            order: of a request that had its turn before and lost it; it keeps its place.
        """
        share = self._shares.setdefault(job, _Share())
        share.waiting += 1
        number = next(self._numbers)
        if order is None:
            share.round = max(self._round, share.round) + 1
            order = rank, share.round, number
        turn = Turn(waiter, lane, order, job)
        # The number tells those apart that come again with the same order.
        heapq.heappush(self._lanes.setdefault(lane, []), (order, number, turn))
        self._waiting += 1
        return turn

    def depth(self, lane: L) -> int:
        """How many wait in a lane at most: some may have left it since."""
        return len(self._lanes.get(lane, ()))

    def in_lane(self, lane: L) -> list[Turn[L, W]]:
        """Those that wait in a lane, in no order."""
        return [turn for *_, turn in self._lanes.get(lane, ()) if not turn.gone]

    def firsts(self) -> Iterator[Turn[L, W]]:
        """The first of each lane, in the order in which they should go."""
        firsts = []
        for lane in list(self._lanes):
            heap = self._lanes[lane]
            while heap and heap[0][2].gone:
                heapq.heappop(heap)
            if heap:
                firsts.append(heap[0][2])
            else:
                del self._lanes[lane]
        if len(firsts) > 1:
            firsts.sort(key=lambda first: first.order)
        return iter(firsts)

    def take(self, turn: Turn[L, W]) -> None:
        """It is this one's turn: it waits no longer, and its round has come."""
        self._round = max(self._round, turn.order[1])
        self.leave(turn)

    def leave(self, turn: Turn[L, W]) -> None:
        """It waits no longer; a second time does nothing."""
        if turn.gone:
            return
        turn.gone = True
        self._waiting -= 1
        share = self._shares[turn.job]
        share.waiting -= 1
        if not share.waiting:
            del self._shares[turn.job]
