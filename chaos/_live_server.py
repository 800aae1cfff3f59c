"""A server of its own for copies: five collections that writers change between any two requests, and faults.

It shares no code with the sandbox or the client. What the API leaves open it settles by its seed: whether `after` and
`before` take in the second they name, and whether the deletion of a story touches its `updated_at`. A write is visible
some time after the time it says it was made.
"""

from __future__ import annotations

import asyncio
import random
import struct
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from multiprocessing.connection import Connection
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import attrs
import msgspec

from chaos.other_process import in_other_process

LAG: Final = 3
"""Seconds after which every write is visible."""

_BASE: Final = "/api/v1"
_PAGE: Final = 200
_LONG_AGO: Final = 400 * 86_400
_FAULTS: Final = ("reset", "disconnect", "html", "unavailable", "throttled", "cut")
_WORDS: Final = ("amber", "birch", "cedar", "dune", "ember", "fjord", "\N{GREEK SMALL LETTER LAMDA}", "'quoted'")


@attrs.frozen
class World:
    """How large the server's data is, and how lively.

    Attributes:
        seed: of everything.
        objects: how many there are, about.
        haste: writes between two requests, on average.
        faults: the share of requests that meet one.
    """

    seed: int = 1
    objects: int = 2000
    haste: float = 1.0
    faults: float = 0.2


class Collection:
    """Objects by id, and in the order of their creation and of their last update."""

    def __init__(self, name: str, *, dated: bool = True) -> None:
        self.name = name
        self.dated = dated
        self.objects: dict[str, dict[str, Any]] = {}
        self.times: dict[str, tuple[int, int]] = {}
        self._by_creation: list[tuple[int, int]] = []
        self._by_update: list[tuple[int, int]] = []
        self._last = 0
        self._steps = random.Random(name)

    def settle(self) -> None:
        """Put in order what was added while nobody asked."""
        self._by_creation.sort()
        self._by_update.sort()

    def add(self, values: dict[str, Any], at: int, put: Callable[[list[Any], Any], None] = insort) -> str:
        """Make an object; gives its id."""
        self._last += self._steps.randrange(1, 4)
        id = str(self._last)
        self.objects[id] = {"id": id, **values}
        self.times[id] = at, at
        put(self._by_creation, (at, self._last))
        put(self._by_update, (at, self._last))
        self._tell_times(id)
        return id

    def touch(self, id: str, updated: int) -> None:
        """Note an update."""
        created, before = self.times[id]
        updated = max(updated, before)
        del self._by_update[bisect_left(self._by_update, (before, int(id)))]
        insort(self._by_update, (updated, int(id)))
        self.times[id] = created, updated
        self._tell_times(id)

    def remove(self, id: str) -> None:
        """Delete an object."""
        created, updated = self.times.pop(id)
        del self.objects[id]
        del self._by_creation[bisect_left(self._by_creation, (created, int(id)))]
        del self._by_update[bisect_left(self._by_update, (updated, int(id)))]

    def _tell_times(self, id: str) -> None:
        if self.dated:
            created, updated = self.times[id]
            self.objects[id] |= {"created_at": _iso(created), "updated_at": _iso(updated)}

    def within(self, query: dict[str, str], inclusive: bool) -> list[tuple[int, int]]:
        """Creations and ids within the filters of time, in this order."""
        found = self._by_creation
        if "created_after" in query or "created_before" in query:
            found = _cut(found, query.get("created_after"), query.get("created_before"), inclusive)
        if "updated_after" in query or "updated_before" in query:
            cut = _cut(self._by_update, query.get("updated_after"), query.get("updated_before"), inclusive)
            if len(cut) < len(found):
                # To count them, nobody needs them in order.
                found = cut if query.get("per_page") == "1" else sorted((self.times[str(id)][0], id) for _, id in cut)
        return found


def _cut(times: list[tuple[int, int]], after: str | None, before: str | None, inclusive: bool) -> list[tuple[int, int]]:
    low, high = 0, len(times)
    if after is not None:
        second = _second(after)
        low = bisect_left(times, (second, 0)) if inclusive else bisect_right(times, (second, 1 << 60))
    if before is not None:
        second = _second(before)
        high = bisect_right(times, (second, 1 << 60)) if inclusive else bisect_left(times, (second, 0))
    return times[low:high] if (low, high) != (0, len(times)) else times


def _second(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _iso(second: int) -> str:
    # Two ways of writing the same, as the API has been seen to use.
    at = datetime.fromtimestamp(second, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if second % 2 else at.strftime("%Y-%m-%dT%H:%M:%S+00:00")


class Live:
    """The data, its writers, and what is answered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chance = random.Random(world.seed)
        self.ahead = 0.0
        self.requests = 0
        self.writing = True
        self.failing = True
        self.inclusive = self.chance.random() < 0.5
        self.touches_deleted = self.chance.random() < 0.5
        self.users = Collection("users", dated=False)
        self.workspaces = Collection("workspaces")
        self.participations = Collection("participations")
        self.stories = Collection("stories")
        self.time_entries = Collection("time_entries")
        self.events = Collection("subscribed_events")
        self.collections = {
            one.name: one
            for one in (
                self.users, self.workspaces, self.participations, self.stories, self.time_entries, self.events,
            )
        }  # fmt: skip
        self.members: dict[str, set[int]] = {}
        self.deleted_stories: set[int] = set()
        self._put: Callable[[list[Any], Any], None] = list.append
        self._found()
        for collection in self.collections.values():
            collection.settle()
        self._put = insort

    # --- the data ----------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        return time.time() + self.ahead

    def _found(self) -> None:
        count = self.world.objects
        began = int(self.now) - _LONG_AGO
        for _ in range(max(3, count // 200)):
            self._add_user(began)
        for _ in range(min(200, max(3, count // 400))):
            self._add_workspace(began + self.chance.randrange(86_400))
        for _ in range(count // 10):
            self._add_participation(self._past())
        for _ in range(count // 4):
            self._add_story(self._past())
        # Many at once, as an import leaves them, and the others over the months.
        imported = self._past()
        for number in range(count * 6 // 10):
            self._add_time_entry(imported + number // 900 if number % 5 == 0 else self._past())

    def _past(self) -> int:
        return int(self.now) - 60 - int(self.chance.random() ** 2 * (_LONG_AGO - 200_000))

    def _any(self, collection: Collection) -> str | None:
        if not collection.objects:
            return None
        for _ in range(20):
            id = str(self.chance.randrange(1, collection._last + 1))
            if id in collection.objects:
                return id
        return next(iter(collection.objects))

    def _word(self) -> str:
        return f"{self.chance.choice(_WORDS)} {self.chance.randrange(1000)}"

    def _add_user(self, at: int) -> str:
        name = self._word()
        return self.users.add(
            {"full_name": name, "email_address": f"{self.users._last}@x.test", "headline": None}, at, self._put
        )

    def _add_workspace(self, at: int) -> str:
        values = {
            "title": self._word(), "archived": False, "start_date": "2026-02-03", "price_in_cents": 10**12,
            "status": {"key": 305, "message": "In Progress", "color": "green"}, "account_features": {"a": [1, None]},
        }  # fmt: skip
        return self.workspaces.add(values, at, self._put)

    def _add_participation(self, at: int) -> str:
        values = {
            "role": self.chance.choice(["maven", "buyer"]), "user_id": self._any(self.users),
            "workspace_id": self._any(self.workspaces), "active_role_ids": ["1", "2"][: self.chance.randrange(3)],
        }  # fmt: skip
        id = self.participations.add(values, at, self._put)
        self.members.setdefault(str(values["workspace_id"]), set()).add(int(id))
        return id

    def _add_story(self, at: int) -> str:
        values = {
            "title": self._word(), "workspace_id": self._any(self.workspaces), "due_date": None, "deleted_at": None,
            "has_proofing_access": self.chance.random() < 0.5, "percentage_complete": self.chance.randrange(101),
        }  # fmt: skip
        return self.stories.add(values, at, self._put)

    def _add_time_entry(self, at: int) -> str:
        values = {
            "date_performed": f"2026-0{self.chance.randrange(1, 10)}-1{self.chance.randrange(10)}",
            "time_in_minutes": self.chance.randrange(600), "billable": self.chance.random() < 0.5,
            "notes": self._word(), "rate_in_cents": self.chance.choice([None, 0, 12_500]), "currency": "EUR",
            "user_id": self._any(self.users), "workspace_id": self._any(self.workspaces), "external_reference_ids": [],
        }  # fmt: skip
        return self.time_entries.add(values, at, self._put)

    # --- the writers -------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """One write, of whatever kind, seen now and made some time before."""
        at = int(self.now - self.chance.random() * (LAG - 1))
        kinds: list[tuple[Callable[[int], object], int]] = [
            (self._update, 8), (self._add_time_entry, 4), (self._add_story, 2), (self._add_participation, 1),
            (self._add_user, 1), (self._delete, 4), (self._archive, 1), (self._redate, 2),
        ]  # fmt: skip
        kind = self.chance.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        kind(at)
        self.events.add({"event_type": kind.__name__, "subject_id": "1"}, at)

    def _update(self, at: int) -> None:
        collection = self.chance.choice([self.users, self.workspaces, self.participations, self.stories])
        collection = self.chance.choice([collection, self.time_entries])
        id = self._any(collection)
        if id is None or collection.objects[id].get("deleted_at"):
            return
        changed = {"users": "headline", "workspaces": "title", "participations": "role", "stories": "title"}
        collection.objects[id][changed.get(collection.name, "notes")] = self._word()
        collection.touch(id, at)

    def _delete(self, at: int) -> None:
        collections = [self.users, self.participations, self.stories, self.time_entries]
        collection = self.chance.choices(collections, [1, 2, 2, 6])[0]
        id = self._any(collection)
        if id is None or collection.objects[id].get("deleted_at"):
            return
        if collection is self.participations:
            self.members[collection.objects[id]["workspace_id"]].discard(int(id))
        if collection is not self.stories:
            collection.remove(id)
            return
        self.deleted_stories.add(int(id))
        collection.objects[id]["deleted_at"] = _iso(at)
        if self.touches_deleted:
            collection.touch(id, at)

    def _archive(self, at: int) -> None:
        # What an archived project hides keeps its `updated_at`.
        id = self._any(self.workspaces)
        if id is not None:
            self.workspaces.objects[id]["archived"] = not self.workspaces.objects[id]["archived"]
            self.workspaces.touch(id, at)

    def _redate(self, at: int) -> None:
        id = self._any(self.time_entries)
        if id is not None:
            day = f"2026-1{self.chance.randrange(3)}-1{self.chance.randrange(10)}"
            self.time_entries.objects[id]["date_performed"] = day
            self.time_entries.touch(id, at)

    # --- the answers -------------------------------------------------------------------------------------------------

    def answer(self, name: str, query: dict[str, str]) -> dict[str, Any]:
        """The envelope of a list."""
        collection = self.collections[name]
        found = self._shown(name, query, collection)
        objects = collection.objects
        if "only" in query:
            wanted = set(query["only"].split(","))
            found = [one for one in found if str(one[1]) in wanted]
        if query.get("order") != "created_at:asc":
            found = sorted(found, key=lambda one: (-collection.times[str(one[1])][1], one[1]))
        size = min(_PAGE, int(query.get("per_page", "20")))
        first = (int(query.get("page", "1")) - 1) * size
        ids = [str(id) for _, id in found[first : first + size]]
        envelope: dict[str, Any] = {
            "count": len(found), "results": [{"key": name, "id": id} for id in ids],
            name: {id: dict(objects[id]) for id in ids},
        }  # fmt: skip
        for include in filter(None, query.get("include", "").split(",")):
            self._include(name, include, envelope)
        return envelope

    def _shown(self, name: str, query: dict[str, str], collection: Collection) -> list[tuple[int, int]]:
        """What the filters leave, in the order of creation."""
        if name == "participations":
            members = self.members.get(query["workspace_id"], set())
            return sorted((collection.times[str(id)][0], id) for id in members)
        found = collection.within(query, self.inclusive)
        if name == "workspaces" and query.get("include_archived") != "true":
            found = [one for one in found if not collection.objects[str(one[1])]["archived"]]
        if name == "stories" and query.get("show_deleted") != "true":
            found = [one for one in found if one[1] not in self.deleted_stories]
        if name == "stories" and query.get("show_from_archived_workspaces") != "true":
            archived = {id for id, one in self.workspaces.objects.items() if one["archived"]}
            found = [one for one in found if collection.objects[str(one[1])]["workspace_id"] not in archived]
        return found

    def _include(self, name: str, include: str, envelope: dict[str, Any]) -> None:
        if (name, include) == ("workspaces", "participations"):
            beside = envelope["participations"] = {}
            for id, workspace in envelope[name].items():
                mine = [str(member) for member in sorted(self.members.get(id, ()))]
                beside.update((member, self.participations.objects[member]) for member in mine)
                workspace["participation_ids"] = mine
        if include == "user":
            ids = {one["user_id"] for one in envelope[name].values()}
            known = {id: self.users.objects[id] for id in ids if id in self.users.objects}
            envelope["users"] = {id: {"id": id, "full_name": one["full_name"]} for id, one in known.items()}

    # --- what scenarios ask for --------------------------------------------------------------------------------------

    def on_truth(self, of: str) -> dict[str, Any]:
        """Every object that is there."""
        return {id: one for id, one in self.collections[of].objects.items() if not one.get("deleted_at")}

    def on_stop(self) -> None:
        """Write no more, and fail no more."""
        self.writing = self.failing = False

    def on_ahead(self, seconds: str) -> None:
        """Put the clock forward."""
        self.ahead += float(seconds)

    def on_write(self, times: str) -> None:
        """Write, whatever comes."""
        for _ in range(int(times)):
            self.write()

    def on_import(self, times: str) -> None:
        """Make time entries of the past."""
        for _ in range(int(times)):
            self._add_time_entry(self._past())

    def on_delete(self, of: str, times: str, told: str = "") -> None:
        """Delete some of a collection; with `told` the feed has events of that type of it."""
        collection = self.collections[of]
        for id in self.chance.sample(sorted(collection.objects), int(times)):
            collection.remove(id)
            if told:
                self.events.add({"event_type": told, "subject_id": id}, int(self.now))

    def on_mistell(self, of: str, times: str, told: str) -> None:
        """Let the feed have events of a type of some that are there."""
        for id in self.chance.sample(sorted(self.collections[of].objects), int(times)):
            self.events.add({"event_type": told, "subject_id": id}, int(self.now))

    def on_change(self, of: str, times: str) -> None:
        """Update some of a collection."""
        collection = self.collections[of]
        for id in self.chance.sample(sorted(collection.objects), int(times)):
            collection.objects[id]["notes" if of == "time_entries" else "role"] = "changed"
            collection.touch(id, int(self.now))

    def on_secretly(self, of: str, times: str) -> None:
        """Change some of a collection without their `updated_at` telling."""
        for one in list(self.collections[of].objects.values())[: int(times)]:
            one["notes"] = "changed, and nobody was told"


class Server:
    """HTTP as far as the client speaks it, with its faults."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.asked: dict[str, int] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                if not await self._answer(target, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, target: str, writer: asyncio.StreamWriter) -> bool:
        url = urlsplit(target)
        query = dict(parse_qsl(url.query))
        if url.path.startswith("/control/"):
            _send(
                writer,
                200,
                msgspec.json.encode(self._control(url.path.removeprefix("/control/"), query)),
                self.live.now,
            )
            return True
        live = self.live
        live.requests += 1
        name = url.path.removeprefix(f"{_BASE}/")
        self.asked[name] = self.asked.get(name, 0) + 1
        fault = None
        if live.failing and live.chance.random() < live.world.faults:
            fault = live.chance.choice(_FAULTS)
        if live.writing:
            for _ in range(int(live.chance.expovariate(1 / live.world.haste)) if live.world.haste else 0):
                live.write()
        if name not in live.collections:
            _send(writer, 404, b'{"errors": []}', live.now)
            return True
        return _failed(fault, msgspec.json.encode(live.answer(name, query)), writer, live.now)

    def _control(self, what: str, query: dict[str, str]) -> Any:
        """What a scenario tells the server, or asks it."""
        if what == "asked":
            asked, self.asked = self.asked, {}
            return asked
        return getattr(self.live, f"on_{what}")(**query) or {}


def _send(writer: asyncio.StreamWriter, status: int, body: bytes, now: float, kind: str = "application/json") -> None:
    date = format_datetime(datetime.fromtimestamp(now, UTC).replace(microsecond=0), usegmt=True)
    head = f"HTTP/1.1 {status} X\r\nDate: {date}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    writer.write(head.encode() + (b"Retry-After: 0\r\n" if status == 429 else b"") + b"\r\n" + body)


def _failed(fault: str | None, body: bytes, writer: asyncio.StreamWriter, now: float) -> bool:
    """Answer, or fail as the fault says; whether the connection is still good."""
    match fault:
        case "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, linger)
            writer.transport.abort()
            return False
        case "disconnect":
            return False
        case "cut":
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n" + body[:50]
            )
            return False
        case "html":
            _send(writer, 502, b"<html>Bad Gateway</html>", now, "text/html")
        case "unavailable":
            _send(writer, 503, b'{"errors": [{"type": "system", "message": "later"}]}', now)
        case "throttled":
            _send(writer, 429, b"{}", now)
        case _:
            _send(writer, 200, body, now)
    return True


@contextmanager
def living(world: World) -> Iterator[str]:
    """Run such a server, in a process of its own, until the block ends; gives where it is."""
    with in_other_process(_serve, world) as where:
        yield where


def _serve(pipe: Connection, world: World) -> None:
    asyncio.run(_served(pipe, world))


async def _served(pipe: Connection, world: World) -> None:
    server = await asyncio.start_server(Server(Live(world)).serve, "127.0.0.1", 0)
    pipe.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await server.serve_forever()
