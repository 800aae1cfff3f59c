"""Deleted objects as the change feed names them, where the account has it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from ..calls import Choice, Connection
from ..errors import APIError
from ..model import Entity
from .deletions import PAGE
from .listing import Listing, ListPage
from .part import Part
from .spans import wire
from .ways import way_of

_EVENTS: Final = "subscribed_events"
_LATE: Final = 180
"""Seconds for which an event may be under way before the feed has it."""

_COST: Final = 2
"""Requests that the feed takes: one for its events, and one to see whether what they name is gone."""


class DeletionFeed:
    """The deletions of one collection in the change feed, which is asked as long as it has something to say."""

    def __init__(self, connection: Connection, cls: type[Entity] | None) -> None:
        self._connection: Final = connection
        self._type = ""
        operation = connection.operations_of(_EVENTS).get("list")
        kinds = None if operation is None else operation.filters.get("subject_type")
        if cls is not None and isinstance(kinds, Choice) and cls.__name__ in kinds.values:
            self._type = f"{_snake(cls.__name__)}:deleted"

    def is_worth_asking(self, rows: int, missing: int) -> bool:
        """Whether it is cheaper to ask than to find so many deletions among so many rows by halving."""
        return bool(self._type) and missing * math.log2(max(2, rows / PAGE)) > 2 * _COST

    async def named(self, since: int) -> tuple[set[str], int]:
        """The ids of what the feed says was deleted since then, and the requests that were made.

        A feed that refuses, or names nothing, is not asked again.

        Raises:
            KantataError: a request failed, other than by a refusal.
        """
        ids: set[str] = set()

        async def take(pages: Sequence[ListPage]) -> None:
            for page in pages:
                events = page.listed.rows.select(["event_type", "subject_id"]).to_pylist()
                ids.update(event["subject_id"] for event in events if event["event_type"] == self._type)

        listing = self._listing()
        try:
            await listing.read([("created_after", wire(since - _LATE))], take)
        except APIError:
            # An account without the feed refuses it, each in its own way.
            ids.clear()
        if not ids:
            self._type = ""
        return ids, listing.requests

    def _listing(self) -> Listing:
        operation = self._connection.operations_of(_EVENTS)["list"]
        way = way_of(operation, self._connection.reader.class_of(_EVENTS))
        return Listing(self._connection, Part(_EVENTS, (("event_types", self._type),)), operation, way)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
