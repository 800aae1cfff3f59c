"""Who goes next: by priority, then jobs in turn, then in the order of asking.

Each waiting request is tagged with the round in which its job's share comes up: one a round for each job. A job that
has a thousand waiting has tags a thousand rounds ahead, and one that comes with three goes within the next three. No
clock and no event loop.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from itertools import count
from typing import Any, Final, Generic, TypeVar

import attrs

Order = tuple[int, int, int]
"""Priority, round and number: the lowest goes first."""


@attrs.define(eq=False, kw_only=True)
class Turn:
    """What one waiting request is to the others.

    Attributes:
        lane: requests of the same lane may go whenever any of them may; the lane's first goes first.
        job: whose turn it counts for.
        rank: its priority; the lowest goes first.
        order: where it stands among the others; given to one that had its turn before and lost it, to keep its place.
        waits: whether it still does.
    """

    lane: Hashable = None
    job: Any = None
    rank: int = 1
    order: Order | None = None
    waits: bool = False


T = TypeVar("T", bound=Turn)


@attrs.define
class _Share:
    round: int = 0
    waiting: int = 0


class Turns(Generic[T]):
    """The requests that wait.

    Attributes:
        waiting: how many.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._lanes: Final[dict[Hashable, list[tuple[Order, int, T]]]] = {}
        self._shares: Final[dict[object, _Share]] = {}
        self._round = 0
        self._numbers: Final = count()

    def __iter__(self) -> Iterator[T]:
        return (turn for heap in self._lanes.values() for *_, turn in heap if turn.waits)

    def add(self, turn: T) -> None:
        """Line one up."""
        share = self._shares.setdefault(turn.job, _Share())
        share.waiting += 1
        number = next(self._numbers)
        if turn.order is None:
            share.round = max(self._round, share.round) + 1
            turn.order = turn.rank, share.round, number
        turn.waits = True
        # The number tells those apart that come again with the same order.
        heapq.heappush(self._lanes.setdefault(turn.lane, []), (turn.order, number, turn))
        self.waiting += 1

    def depth(self, lane: Hashable) -> int:
        """How many wait in a lane at most: some may have left it since."""
        return len(self._lanes.get(lane, ()))

    def firsts(self) -> Iterator[T]:
        """The first of each lane, in the order in which they should go."""
        firsts = []
        for lane, heap in list(self._lanes.items()):
            while heap and not heap[0][2].waits:
                heapq.heappop(heap)
            if heap:
                firsts.append(heap[0])
            else:
                del self._lanes[lane]
        return (turn for *_, turn in sorted(firsts))

    def take(self, turn: T) -> None:
        """It is this one's turn: it waits no longer, and its round has come."""
        if turn.order is not None:
            self._round = max(self._round, turn.order[1])
        self.leave(turn)

    def leave(self, turn: T) -> None:
        """It waits no longer; a second time does nothing."""
        if not turn.waits:
            return
        turn.waits = False
        self.waiting -= 1
        share = self._shares[turn.job]
        share.waiting -= 1
        if not share.waiting:
            del self._shares[turn.job]
