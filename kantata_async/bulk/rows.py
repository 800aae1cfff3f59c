"""The rows of a bulk write: taken in as they are needed, checked before they are sent, cut into batches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import attrs

from ..calls import Id
from ..errors import UsageError

RowT = TypeVar("RowT")

Rows: TypeAlias = Iterable[RowT] | AsyncIterable[RowT]
"""The rows of a bulk create or update: mappings of named fields, made at once or one by one."""

Ids: TypeAlias = Iterable[Id] | AsyncIterable[Id]
"""The ids of a bulk delete."""

Items: TypeAlias = Iterable[Any] | AsyncIterable[Any]


@attrs.frozen(eq=False)
class Row:
    """One row: its position, the item as it was given, and as it goes on the wire."""

    index: int
    item: Any
    wired: Any


Check = Callable[[Any, int], Any]
"""Gives the wire form of an item at a position; raises UsageError, with the position, for a wrong one."""


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
        scope: Callable[[Any], str] | None = None,
        *,
        expects: str = "rows are an iterable of mappings",
    ) -> None:
        _check_items(items, expects)
        self._size = size
        self._taking = asyncio.Lock()
        self._listed = deque(_now(items, check, scope) if isinstance(items, Sequence) else ())
        self._made = _later(() if isinstance(items, Sequence) else items, check)
        self._half: list[Row] = []

    @property
    def left(self) -> list[Row]:
        """The rows that are known and were not handed out, for when the writing ends early."""
        return [*self._half, *self._listed]

    async def take(self) -> list[Row]:
        """The next batch; empty when there are no more rows. Raises what the source raises."""
        async with self._taking:
            batch: list[Row] = []
            try:
                while len(batch) < self._size and (row := await self._next()) is not None:
                    batch.append(row)
            except BaseException:
                self._half += batch
                raise
            return batch

    async def _next(self) -> Row | None:
        return self._listed.popleft() if self._listed else await anext(self._made, None)

    async def close(self) -> None:
        """Let go of a source that was not read to its end."""
        async with self._taking:
            await self._made.aclose()


def _now(items: Sequence[Any], check: Check, scope: Callable[[Any], str] | None) -> list[Row]:
    rows = [Row(index, item, check(item, index)) for index, item in enumerate(items)]
    return rows if scope is None else sorted(rows, key=lambda row: scope(row.wired))


async def _later(items: Items, check: Check) -> AsyncGenerator[Row, None]:
    index = 0
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield Row(index, item, check(item, index))
            index += 1
    else:
        for item in items:
            yield Row(index, item, check(item, index))
            index += 1


def _check_items(items: Any, expects: str) -> None:
    if isinstance(items, Mapping | str | bytes) or not isinstance(items, Iterable | AsyncIterable):
        raise UsageError(f"{expects}, not {type(items).__name__}")
