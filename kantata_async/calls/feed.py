"""The change feed, followed: every event once, from any moment on that the feed still covers, or from a cursor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, Self, TypeVar

import attrs
import msgspec

from ..bounds import positive_number
from ..errors import EventsLostError, InvalidResponseError, UsageError
from ..model import Entity, Instant, brief_repr
from .connection import Connection
from .entity_stream import EntityStream
from .operation import MAX_PER_PAGE, Call, Operation, check_call
from .parameters import INSTANT

KEPT: Final = timedelta(days=9)
"""How long the feed keeps an event."""

_LATE: Final = timedelta(seconds=180)
"""How long an event may be under way before the feed has it."""

_SECOND: Final = timedelta(seconds=1)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
"""No event is older."""


@attrs.frozen
class Cursor:
    """How far a feed has been followed.

    Attributes:
        through: the moment before which every event was given.
        given: when each event given since then was created, by its id.
    """

    through: Instant
    given: Mapping[str, Instant] = attrs.field(factory=dict)

    def to_text(self) -> str:
        """The cursor as text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def of(cls, since: datetime | str) -> Self:
        """The cursor that a text stands for, or that begins at a moment.

        Raises:
            UsageError: `since` is neither.
        """
        if isinstance(since, str) and since.startswith("{"):
            try:
                return msgspec.json.decode(since, type=cls)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                raise UsageError(f"since takes a cursor as it was given, not {brief_repr(since)}") from None
        return cls(max(_EPOCH, datetime.fromisoformat(INSTANT.wire(since, "since"))))


E = TypeVar("E", bound=Entity)


class Feed(Generic[E]):
    """The events of the change feed, one after the other: ``async for event in feed``.

    The feed has an event at least once, in no particular order, and up to some minutes after it happened; here each
    comes once. `cursor` says how far it has been followed, including the event that came last; keep it once that is
    dealt with, and go on from there with ``since=cursor``.
    """

    def __init__(
        self,
        connection: Connection,
        operation: Operation[E],
        arguments: Mapping[str, Any],
        *,
        since: datetime | str,
        every: float | None,
    ) -> None:
        if every is not None:
            positive_number("follow", "every", every)
        self._connection: Final = connection
        self._operation: Final = operation
        self._arguments: Final = arguments
        self._every: Final = every
        cursor = Cursor.of(since)
        self._through = cursor.through
        self._given: Final = dict(cursor.given)
        self._call(self._through, 1)

    @property
    def cursor(self) -> str:
        """How far it has been followed, as text."""
        return Cursor(self._through, self._given).to_text()

    def __aiter__(self) -> EntityStream[E]:
        """Every event once.

        Raises:
            EventsLostError: the feed no longer has all of them.
        """
        return self._each()

    async def _each(self) -> AsyncGenerator[E, None]:
        with self._connection.calling(in_steps=True) as connection:
            while True:
                async for event in self._new(connection):
                    yield event
                if self._every is None:
                    return
                await connection.sleep(self._every)

    async def _new(self, connection: Connection) -> AsyncGenerator[E, None]:
        """The events that are there and have not been given yet."""
        after, number = self._through, 1
        while True:
            now, page = await self._page(connection, after, number)
            created = [_created(event) for event in page]
            for event, at in zip(page, created, strict=True):
                if event.id not in self._given:
                    self._given[event.id] = at
                    yield event
            if len(page) < MAX_PER_PAGE:
                self._move(now - _LATE)
                return
            # Asked from the last event on, not by page: one that comes late, or is dropped, moves none past the reader.
            after, number = (created[-1], 1) if created[-1] > after else (after, number + 1)
            self._move(min(created[-1], now - _LATE))

    def _move(self, through: datetime) -> None:
        """Note that every event before then was given."""
        if through > self._through:
            self._through = through
            for id in [id for id, at in self._given.items() if at < through - _SECOND]:
                del self._given[id]

    async def _page(self, connection: Connection, after: datetime, number: int) -> tuple[datetime, Sequence[E]]:
        call = self._call(after, number)
        asked = asyncio.get_running_loop().time()
        answer = await connection.ask(call)
        now = connection.transport.server_time(asked)
        if now is None:
            raise InvalidResponseError(f"{self._operation}: the answer has no Date header, and the feed goes by it")
        horizon = now - KEPT
        if self._through < horizon:
            raise EventsLostError(
                f"the feed has events since {horizon.isoformat()}, and was asked for those since "
                f"{self._through.isoformat()}: read anew what they were to keep current, and follow from now on",
                horizon=horizon,
            )
        return now, connection.read(answer, call).items

    def _call(self, after: datetime, number: int) -> Call:
        # A second more, as it is not documented whether `created_after` includes the second that it names.
        paging = {"created_after": after - _SECOND, "order": "created_at:asc", "per_page": MAX_PER_PAGE}
        call = check_call(self._operation, (), {**self._arguments, **paging})
        return attrs.evolve(call, query={**call.query, "page": str(number)})


def _created(event: Entity) -> datetime:
    """When an event happened.

    Raises:
        InvalidResponseError: it does not say.
    """
    created = getattr(event, "created_at", None)
    if not isinstance(created, datetime):
        raise InvalidResponseError(f"{event!r} does not say when it happened, and the feed goes by it")
    return created
