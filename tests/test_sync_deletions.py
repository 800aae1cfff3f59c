"""Deletions found by counting and halving, against a server of nothing but seconds."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantata_async.sync.deletions import PAGE, Counted, HeldIds, find_deleted
from kantata_async.sync.spans import Span


class Server:
    """Objects by the second of their creation; it counts, and gives the first page of a range."""

    def __init__(self, objects: dict[str, int], *, inclusive: bool = False, in_order: bool = True) -> None:
        self.objects = objects
        self.created = sorted((second, id) for id, second in objects.items())
        self.inclusive = inclusive
        self.in_order = in_order
        self.asked = 0

    def within(self, span: Span) -> list[tuple[int, str]]:
        edge = 0 if self.inclusive else 1
        first = 0 if span.after is None else bisect_left(self.created, (span.after + edge,))
        end = len(self.created) if span.before is None else bisect_left(self.created, (span.before - edge + 1,))
        return self.created[first:end]

    async def ask(self, span: Span) -> Counted:
        self.asked += 1
        found = self.within(span)
        page = found[:PAGE] if self.in_order else random.Random(1).sample(found, min(PAGE, len(found)))
        return Counted(len(found), {id: second for second, id in page}, in_order=self.in_order)

    async def read_ids(self, span: Span) -> Collection[str]:
        found = self.within(span)
        self.asked += max(1, -(-len(found) // PAGE))
        return {id for _, id in found}


def held_of(objects: dict[str, int]) -> HeldIds:
    rows = sorted((second, id) for id, second in objects.items())
    return HeldIds([second for second, _ in rows], [id for _, id in rows])


@given(
    seconds=st.lists(st.integers(0, 3000), max_size=900),
    gone=st.sets(st.integers(0, 899), max_size=40),
    inclusive=st.booleans(),
    in_order=st.booleans(),
)
async def test_exactly_what_is_gone_is_found(
    seconds: list[int], gone: set[int], inclusive: bool, in_order: bool
) -> None:
    """However the creations lie, and whether or not the server takes in the seconds that a range names."""
    objects = {str(number): second for number, second in enumerate(seconds)}
    server = Server(
        {id: second for id, second in objects.items() if int(id) not in gone}, inclusive=inclusive, in_order=in_order
    )
    found = await find_deleted(held_of(objects), Span(None, 5000), len(server.objects), server.ask, server.read_ids)
    assert found == objects.keys() - server.objects.keys()


@pytest.mark.parametrize("rows", [1000, 40_000, 200_000])
@pytest.mark.parametrize("deletions", [1, 2, 5, 20])
async def test_deletions_cost_requests_in_proportion_to_their_number(rows: int, deletions: int) -> None:
    """k deletions of n objects cost at most k·log2(n/200) + 2 requests, the count among them."""
    chance = random.Random(rows + deletions)
    objects = {str(number): number * 7 for number in range(rows)}
    gone = {str(number) for number in chance.sample(range(rows), deletions)}
    server = Server({id: second for id, second in objects.items() if id not in gone})
    found = await find_deleted(
        held_of(objects), Span(None, rows * 7 + 1), len(server.objects), server.ask, server.read_ids
    )
    assert found == gone
    assert 1 + server.asked <= deletions * math.log2(rows / PAGE) + 2


async def test_what_is_all_gone_costs_no_more_than_a_look() -> None:
    """Where the server counts nothing, one more request shows that everything held is gone."""
    objects = {str(number): number for number in range(1000)}
    server = Server({})
    assert await find_deleted(held_of(objects), Span(None, 1000), 0, server.ask, server.read_ids) == objects.keys()
    assert server.asked <= 1
