"""The rows of a bulk write: taken in as they are needed, checked before they are sent, cut into batches."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Hashable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias, TypeVar

import attrs

from ..calls import Id, is_iterable, refuse_frame
from ..errors import UsageError

RowT = TypeVar("RowT")

Rows: TypeAlias = Iterable[RowT] | AsyncIterable[RowT]
"""The rows of a bulk create or update: mappings of named fields, made at once or one by one."""

Ids: TypeAlias = Iterable[Id] | AsyncIterable[Id]
"""The ids of a bulk delete."""

Items: TypeAlias = Iterable[Any] | AsyncIterable[Any]


@attrs.frozen(eq=False)
class Row:
    """One row.

    Attributes:
        index: its position, from 0.
        item: as it was given.
        wired: as it goes on the wire.
        key: what its object is looked for by; None where there is no way to look for it.
    """

    index: int
    item: Any
    wired: Any
    key: Hashable | None = None


Check = Callable[[Any, int], Row]
"""Gives the row of an item at a position; raises UsageError, which names the position, for a wrong item."""


class RowSource:
    """Hands out the rows in batches, to whichever worker asks next.

    Items that are there already (a list, a tuple) are all checked before the first batch is handed out, and those with
    the same `scope` are put side by side, so that a look for the rows of a batch has few places to search. Items that
    are made one by one are taken only as a batch is asked for, so that a slow API holds a fast source back; a wrong one
    ends the writing there. `expects` says what the items are.
    """

    def __init__(
        self,
        items: Items,
        check: Check,
        size: int,
        scope: Callable[[Any], Hashable] | None = None,
        *,
        expects: str = "rows must be an iterable of mappings",
    ) -> None:
        _check_items(items, expects)
        self._size = size
        self._taking = asyncio.Lock()
        self._listed = deque(_now(items, check, scope) if isinstance(items, Sequence) else ())
        self._made = _later(() if isinstance(items, Sequence) else items, check)
        self._half: list[Row] = []
        self._is_stopped = False

    @property
    def left(self) -> list[Row]:
        """The rows that are known and were not handed out, for when the writing ends early."""
        return [*self._half, *self._listed]

    async def take(self) -> list[Row]:
        """The next batch; empty when there are no more rows.

        Raises:
            Exception: whatever the caller's source raises.
        """
        async with self._taking:
            batch: list[Row] = []
            if self._is_stopped:
                return batch
            try:
                while self._listed and len(batch) < self._size:
                    batch.append(self._listed.popleft())
                while len(batch) < self._size and (row := await anext(self._made, None)) is not None:
                    batch.append(row)
            except BaseException:
                self._half += batch
                raise
            return batch

    def stop(self) -> None:
        """Hand out no more."""
        self._is_stopped = True

    async def close(self) -> None:
        """Close a source that was not read to its end: the generator of the caller."""
        async with self._taking:
            await self._made.aclose()


def _now(items: Sequence[Any], check: Check, scope: Callable[[Any], Hashable] | None) -> list[Row]:
    rows = [check(item, index) for index, item in enumerate(items)]
    if scope is None:
        return rows
    scopes: dict[Hashable, list[Row]] = defaultdict(list)
    for row in rows:
        scopes[scope(row.wired)].append(row)
    return list(chain.from_iterable(scopes.values()))


async def _later(items: Items, check: Check) -> AsyncGenerator[Row, None]:
    """The rows of items that are made one by one."""
    index = 0
    if isinstance(items, AsyncIterable):
        made = aiter(items)
        try:
            async for item in made:
                yield check(item, index)
                index += 1
        finally:
            if isinstance(made, AsyncGenerator):
                await made.aclose()
    else:
        ready = iter(items)
        try:
            for item in ready:
                yield check(item, index)
                index += 1
        finally:
            if isinstance(ready, Generator):
                ready.close()


def _check_items(items: Any, expects: str) -> None:
    refuse_frame(items)
    if isinstance(items, Mapping | str | bytes) or not (isinstance(items, AsyncIterable) or is_iterable(items)):
        raise UsageError(f"{expects}, not {type(items).__name__}")
