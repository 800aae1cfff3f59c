"""The target as the jobs of one run use it: one step at a time, in a separate thread."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

import attrs

from ..errors import TargetError, UsageError
from ..model import brief_repr
from ..tables import Table, arrow, arrow_compute
from .part import Checkpoint, Part
from .targets import FieldsView, Held, KnowsColumns, ShowsFields, Step, Target, Written

T = TypeVar("T")

_METHODS: Final = ("open", "write", "held", "close")


def refuse_no_target(target: object) -> None:
    """Refuse what is no target.

    Raises:
        UsageError: it lacks a method, is a class, or has coroutines as methods.
    """
    if isinstance(target, type) or not isinstance(target, Target):
        raise UsageError(f"a target has the methods open, write, held and close; {brief_repr(target)} has not")
    for name in _METHODS:
        if inspect.iscoroutinefunction(getattr(target, name)):
            raise UsageError(f"the methods of a target block, as they are called in a thread: {name} is a coroutine's")


@attrs.frozen
class Scope:
    """What of a table is meant.

    Attributes:
        table: the table.
        of: the values of columns.
        before: the second before which an object was created.
        begins: the second from which on a column has it.
    """

    table: Table
    of: Mapping[str, str] = attrs.field(factory=dict)
    before: int | None = None
    begins: Mapping[str, int] = attrs.field(factory=dict)


class OpenTarget:
    """A target, opened for a run."""

    def __init__(self, target: Target) -> None:
        self._target: Final = target
        self._thread: Final = ThreadPoolExecutor(1, "kantata-sync")
        self._failed = False
        self._checkpoints: dict[str, str] = {}
        self._widened: Final[dict[str, bool]] = {}

    async def open(self) -> None:
        """Take the target.

        Raises:
            TargetError: it cannot be opened.
        """
        try:
            self._checkpoints = dict(await self._run(partial(self._given, Mapping, self._target.open)))
        except BaseException:
            self._thread.shutdown(wait=False)
            raise

    async def close(self) -> None:
        """Let go of the target, once what is being stored is stored."""
        try:
            await self._run(self._target.close)
        finally:
            self._thread.shutdown(wait=False)

    async def write(self, step: Step) -> Mapping[str, Written]:
        """What a step came to by collection, once it is stored; steps are stored in the order in which they come.

        After a step that could not be stored, no other is: a later one may say that the copy has come past it.

        Raises:
            TargetError: the step could not be stored.
        """
        written = await self._run(partial(self._write, step))
        kept = {**self._checkpoints, **step.checkpoints}
        self._checkpoints = {part: text for part, text in kept.items() if text is not None}
        return written

    async def look_at(self, table: Table) -> None:
        """Note whether a table lacks columns, before it is widened.

        Raises:
            TargetError: the target cannot be read.
        """
        if table.collection not in self._widened and isinstance(self._target, KnowsColumns):
            self._widened[table.collection] = await self._run(partial(self._target.lacks_columns, table))

    def was_widened(self, table: Table) -> bool:
        """Whether a table lacked columns when it was first looked at: what they hold has to be read."""
        return self._widened.get(table.collection, False)

    def checkpoint(self, part: Part) -> Checkpoint:
        """How far the copy of a part has come.

        Raises:
            TargetError: the checkpoint cannot be read.
        """
        text = self._checkpoints.get(part.name)
        return Checkpoint() if text is None else Checkpoint.from_json(text)

    def _write(self, step: Step) -> Mapping[str, Written]:
        if self._failed:
            raise TargetError("nothing more is stored after a step that could not be")
        self._failed = True
        written = self._given(Mapping, self._target.write, step)
        self._failed = False
        return written

    async def renew(self, view: FieldsView) -> None:
        """Make a view, anew where it is not as it should be.

        Raises:
            TargetError: the view could not be made.
        """
        if isinstance(self._target, ShowsFields):
            await self._run(partial(self._target.renew, view))

    async def count(self, scope: Scope) -> int:
        """How many listed objects are held."""
        if scope.begins:
            return int((await self.read(scope, list(scope.begins))).num_rows)
        return (await self._run(partial(self._held, scope))).count

    async def read(self, scope: Scope, columns: Sequence[str]) -> Any:
        """The `pyarrow.Table` of these columns of the listed objects that are held, by their creation."""
        wanted = list(dict.fromkeys([*columns, *scope.begins]))
        rows = await self._run(lambda: self._held(scope).read(wanted))
        compute = arrow_compute()
        for column, second in scope.begins.items():
            begin = arrow().scalar(datetime.fromtimestamp(second, UTC), arrow().timestamp("us", "UTC"))
            rows = rows.filter(compute.greater_equal(rows.column(column), begin))
        return rows.select(columns)

    def _held(self, scope: Scope) -> Held:
        before = None if scope.before is None else datetime.fromtimestamp(scope.before, UTC)
        return self._given(Held, self._target.held, scope.table, scope.of, before)

    def _given(self, kind: Any, method: Callable[..., T], *arguments: object) -> T:
        """What a method of the target gives.

        Raises:
            TargetError: it gives something else than it is to.
        """
        given = method(*arguments)
        if not isinstance(given, kind):
            wanted = "Held" if kind is Held else "a mapping"
            raise TargetError(f"{method.__name__} of {brief_repr(self._target)} gave {brief_repr(given)}, not {wanted}")
        return given

    async def _run(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)
