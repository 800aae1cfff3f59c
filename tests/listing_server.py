"""A server of lists over a socket, for copies: objects by collection, the filters of time, and answers of a test's own.

It shares no code with the client or the sandbox. An attribute that begins with two underscores is known to the filters
alone, and not sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

Hook = Callable[[str, Mapping[str, str]], tuple[int, Any] | None]
"""Gives the status and the body of an answer of its own; None for the usual one."""

_PAGE = 200
_PARENTS = ("workspace_id", "subject_type")


@dataclass
class Lists:
    """What the server holds, and how it answers."""

    data: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    ahead: float = 0
    hook: Hook | None = None
    address: str = ""

    def add(self, collection: str, number: int, **attributes: Any) -> dict[str, dict[str, Any]]:
        """Add objects that were made over the last 100 days; all of the collection."""
        objects = self.data.setdefault(collection, {})
        begin = datetime.now(UTC) - timedelta(days=101)
        for step in range(number):
            id = str(len(objects) + 1)
            at = ago(begin + timedelta(days=100) * step / number)
            objects[id] = {"id": id, "created_at": at, "updated_at": at, **attributes}
        return objects

    async def answer(self, request: web.Request) -> web.Response:
        collection, query = request.path.rpartition("/")[2], request.query
        self.asked[collection] += 1
        status, body = (self.hook and self.hook(collection, query)) or (200, self._page(collection, query))
        now = datetime.now(UTC) + timedelta(seconds=self.ahead)
        return web.json_response(body, status=status, headers={"Date": format_datetime(now, usegmt=True)})

    def _page(self, collection: str, query: Mapping[str, str]) -> dict[str, Any]:
        found = [one for one in self.data.get(collection, {}).values() if _matches(one, query)]
        order, _, direction = query.get("order", "id").partition(":")
        found.sort(key=lambda one: (one[order] or "", int(one["id"])), reverse=direction == "desc")
        size, page = min(_PAGE, int(query.get("per_page", 20))), int(query.get("page", 1))
        some = found[(page - 1) * size : page * size]
        body: dict[str, Any] = {
            "count": len(found),
            "results": [{"key": collection, "id": one["id"]} for one in some],
            collection: {one["id"]: dict(one) for one in some},
        }
        if "participations" in query.get("include", ""):
            body["participations"] = {}
            for one in body[collection].values():
                mine = {id: it for id, it in self.data["participations"].items() if it["workspace_id"] == one["id"]}
                one["participation_ids"] = list(mine)
                body["participations"].update(mine)
        return body


def ago(moment: datetime | float) -> str:
    """A moment, or one so many seconds ago, as the API writes it."""
    at = moment if isinstance(moment, datetime) else datetime.now(UTC) - timedelta(seconds=moment)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def refusing(name: str, value: str, status: int) -> Hook:
    """Refuses what is asked with a value of a filter."""

    def hook(collection: str, query: Mapping[str, str]) -> tuple[int, Any] | None:
        refusal = {"errors": [{"type": "system", "message": "refused"}]}
        return (status, refusal) if query.get(name) == value else None

    return hook


def _matches(one: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    return all(_holds(one, name, value) for name, value in query.items())


def _holds(one: Mapping[str, Any], name: str, value: str) -> bool:
    if name == "only":
        return one["id"] in value.split(",")
    if name in _PARENTS:
        return bool(one[name] == value)
    field, _, side = name.rpartition("_")
    if side not in {"after", "before"}:
        return True
    at = one[f"{field}_at"]
    return at is not None and (at > value if side == "after" else at < value)


@asynccontextmanager
async def serving(lists: Lists) -> AsyncIterator[Lists]:
    """Serve the lists, at `lists.address`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", lists.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        lists.address = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1"
        yield lists
    finally:
        await runner.cleanup()
