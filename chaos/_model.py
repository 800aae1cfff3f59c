"""A Kantata of another make: participations and time entries, written and listed with manners drawn at random.

It shares no code with the sandbox or the client, and keeps the truth of what was carried out: which object was made of
which request, and what of it anybody could have been told.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from ._http import Asked, Reply

Row = Mapping[str, Any]

LOSSES: Final = ("before", "after", "in the answer", "gateway before", "gateway after", "busy proxy after", "garbage")
STRANGER: Final = 900_000
"""People from this id on are put on projects by somebody else."""


@attrs.frozen
class Manners:
    """How the API answers this time, where it is not documented or the network is bad."""

    order: str
    refusal: str
    index: str
    first_error_only: bool
    lacks: float
    adds: float
    withholds: bool
    id_type: type
    counts: str
    page_size: int
    unique: bool
    losses: Sequence[str]
    loss: float
    looks: str
    throttles: float

    @classmethod
    def drawn(cls, chance: random.Random) -> Manners:
        """Manners by chance."""
        return cls(
            order=chance.choice(["sent", "shuffled", "newest first", "by person"]),
            refusal=chance.choice(["whole", "whole", "in part", "up to the first"]),
            index=chance.choice(["from 0", "from 0", "from 1", "none", "text", "always 0"]),
            first_error_only=chance.random() < 0.5,
            lacks=chance.choice([0, 0, 0.3]),
            adds=chance.choice([0, 0, 0.3]),
            withholds=chance.random() < 0.2,
            id_type=chance.choice([str, int]),
            counts=chance.choice(["meta", "meta", "count", "none"]),
            page_size=chance.choice([200, 200, 40]),
            unique=chance.random() < 0.7,
            losses=chance.sample(LOSSES, chance.randint(1, len(LOSSES))),
            loss=chance.choice([0, 0.1, 0.3]),
            looks=chance.choice(["steady", "steady", "moving", "failing"]),
            throttles=chance.choice([0, 0.1]),
        )


class Model:
    """The store, and how requests change it.

    Attributes:
        store: objects by collection and id.
        bad: people who are refused.
        made: how many objects were made of each row that was sent, by what identifies it.
        seen: how often each row was received, whatever became of it.
        loosened: ids that a write was received for whose answer was lost.
    """

    def __init__(self, manners: Manners, chance: random.Random) -> None:
        self.manners: Final = manners
        self.store: dict[str, dict[str, dict[str, Any]]] = {"participations": {}, "time_entries": {}}
        self.bad: set[int] = set()
        self.made: Counter[tuple[str, str]] = Counter()
        self.seen: Counter[tuple[str, str]] = Counter()
        self.loosened: Counter[str] = Counter()
        self._chance: Final = chance
        self._last_id = 1000

    # --- what is there ---

    def add(self, collection: str, fields: Row, *, age: float = 0.0) -> dict[str, Any]:
        """Put an object there; gives it."""
        self._last_id += self._chance.choice([1, 1, 7])
        moment = _stamp(time.time() - age)
        made = {"id": str(self._last_id), "created_at": moment, "updated_at": time.time() - age, **fields}
        for name in ("workspace_id", "user_id"):
            if name in made:
                made[name] = str(made[name])
        self.store[collection][made["id"]] = made
        return made

    def on(self, workspace: Any, user: Any) -> list[dict[str, Any]]:
        """The participations of a person on a project."""
        pair = str(workspace), str(user)
        return [one for one in self.store["participations"].values() if (one["workspace_id"], one["user_id"]) == pair]

    # --- requests ---

    async def handle(self, asked: Asked) -> Reply:
        """Answer a request."""
        await asyncio.sleep(self._chance.random() * 0.01)
        if self._chance.random() < self.manners.throttles:
            return Reply(429, _errors([{"message": "slow down", "type": "system"}]))
        collection, *rest = asked.path.strip("/").split("/")
        match asked.method:
            case "GET":
                return self._get(collection, rest, asked.query)
            case "POST":
                rows = asked.body.get(collection) or [asked.body[collection[:-1].replace("entrie", "entry")]]
                return self._lossy(lambda: self._create(collection, rows), ())
            case "PUT":
                return self._lossy(lambda: self._update(collection, rest[0], asked.body), rest)
            case _:
                ids = rest or asked.query["ids"].split(",")
                return self._lossy(lambda: self._delete(collection, ids), ids)

    def _lossy(self, carry_out: Callable[[], Reply], ids: Iterable[str]) -> Reply:
        """Carry a write out, and lose its answer, or the request itself."""
        if self._chance.random() >= self.manners.loss:
            return carry_out()
        self.loosened.update(ids)
        kind = self._chance.choice(self.manners.losses)
        reply = Reply(500) if kind.endswith("before") else carry_out()
        lost = {
            "before": Reply(500, kept=0),
            "gateway before": Reply(502, "<html>bad gateway</html>", by_proxy=True),
            "after": attrs.evolve(reply, kept=0),
            "in the answer": attrs.evolve(reply, kept=self._chance.random()),
            "gateway after": Reply(504, "<html>timed out</html>", by_proxy=True),
            "busy proxy after": Reply(503, "<html>busy</html>", by_proxy=True),
            "garbage": attrs.evolve(reply, body=reply.body and self._chance.choice(["<html>", {"results": 5}, [], {}])),
        }
        return lost[kind]

    # --- creating ---

    def _create(self, collection: str, rows: Sequence[Row]) -> Reply:
        self.seen.update(map(_pair, rows))
        faults = self._faults(rows) if collection == "participations" else {}
        good = [position for position in range(len(rows)) if position not in faults]
        if faults and self.manners.refusal == "whole":
            good = []
        elif faults and self.manners.refusal == "up to the first":
            good = [position for position in good if position < min(faults)]
        made = [self.add(collection, rows[position]) for position in good]
        self.made.update(_pair(rows[position]) for position in good)
        return self._refused(faults) if faults else self._created(collection, made)

    def _faults(self, rows: Sequence[Row]) -> dict[int, str]:
        faults: dict[int, str] = {}
        pairs: set[tuple[str, str]] = set()
        for position, row in enumerate(rows):
            if row["user_id"] in self.bad:
                faults[position] = "is not a user"
            elif self.manners.unique and (_pair(row) in pairs or self.on(row["workspace_id"], row["user_id"])):
                faults[position] = "has already been taken"
            pairs.add(_pair(row))
        return faults

    def _refused(self, faults: Mapping[int, str]) -> Reply:
        told = list(faults.items())[:1] if self.manners.first_error_only else list(faults.items())
        entries: list[dict[str, Any]] = []
        for position, message in told:
            entry: dict[str, Any] = {"type": "validation", "field": "user_id", "message": message}
            index = {"from 0": position, "from 1": position + 1, "text": str(position), "always 0": 0}
            if self.manners.index in index:
                entry["index"] = index[self.manners.index]
            entries.append(entry)
        return Reply(422, _errors(entries))

    def _created(self, collection: str, made: list[dict[str, Any]]) -> Reply:
        shown = list(made)
        match self.manners.order:
            case "shuffled":
                self._chance.shuffle(shown)
            case "newest first":
                shown.reverse()
            case "by person":
                shown.sort(key=lambda one: str(one.get("user_id")))
        if collection == "participations":
            if len(shown) > 1 and self._chance.random() < self.manners.lacks:
                shown.pop(self._chance.randrange(len(shown)))
            if self._chance.random() < self.manners.adds:
                shown.insert(self._chance.randrange(len(shown) + 1), self._somebody_elses())
        hidden = {"user_id"} if self.manners.withholds and collection == "participations" else set()
        return Reply(201, self._envelope(collection, shown, len(shown), 1, hidden))

    def _somebody_elses(self) -> dict[str, Any]:
        person = STRANGER + self._chance.randrange(1000)
        return self.add("participations", {"workspace_id": "1", "user_id": person, "role": "maven"})

    # --- changing ---

    def _update(self, collection: str, id: str, body: Mapping[str, Row]) -> Reply:
        held = self.store[collection].get(id)
        if held is None:
            return Reply(404, _errors([{"message": "not found", "type": "system"}]))
        (fields,) = body.values()
        held.update(fields, updated_at=time.time())
        answered = [held]
        if self._chance.random() < self.manners.adds:
            answered = [self._chance.choice(list(self.store[collection].values()))]
        return Reply(200, self._envelope(collection, answered, len(answered), 1, set()))

    def _delete(self, collection: str, ids: Sequence[str]) -> Reply:
        if any(id not in self.store[collection] for id in ids):
            return Reply(404, _errors([{"message": "not found", "type": "system"}]))
        for id in ids:
            del self.store[collection][id]
        return Reply(204)

    # --- listing ---

    def _get(self, collection: str, rest: Sequence[str], query: Mapping[str, str]) -> Reply:
        if self.manners.looks == "failing" and self._chance.random() < 0.6:
            return self._chance.choice([Reply(500, "<html>", by_proxy=True), Reply(500, kept=0), Reply(200, "<html>")])
        held = list(self.store[collection].values())
        if rest:
            found = [one for one in held if one["id"] == rest[0]]
            if not found:
                return Reply(404, _errors([{"message": "not found", "type": "system"}]))
            return Reply(200, self._envelope(collection, found, 1, 1, set()))
        number, size = int(query.get("page", 1)), min(int(query.get("per_page", 20)), self.manners.page_size)
        if number > 1 and self.manners.looks == "moving":
            self._move(collection)
            held = list(self.store[collection].values())
        wanted = query["only"].split(",") if "only" in query else None
        found = [
            one
            for one in sorted(held, key=lambda one: (-one["updated_at"], -int(one["id"])))
            if (wanted is None or one["id"] in wanted)
            and query.get("workspace_id", one["workspace_id"]) == one["workspace_id"]
        ]
        page = found[(number - 1) * size : number * size]
        return Reply(200, self._envelope(collection, page, len(found), size, set(), number))

    def _move(self, collection: str) -> None:
        """Somebody edits or removes what nobody here writes, while a list is read."""
        others = [one for one in self.store[collection].values() if int(one.get("user_id", 0)) >= STRANGER]
        if not others:
            return
        one = self._chance.choice(others)
        if self._chance.random() < 0.5:
            one["updated_at"] = time.time()
        else:
            del self.store[collection][one["id"]]

    def _envelope(
        self,
        collection: str,
        objects: Sequence[dict[str, Any]],
        count: int,
        size: int,
        hidden: set[str],
        number: int = 1,
    ) -> dict[str, Any]:
        shown = {one["id"]: self._shown(one, hidden) for one in objects}
        envelope: dict[str, Any] = {
            "results": [{"key": collection, "id": one["id"]} for one in shown.values()],
            collection: shown,
        }
        if self.manners.counts != "none":
            envelope["count"] = count
        if self.manners.counts == "meta":
            pages = -(-count // size)
            envelope["meta"] = {"count": count, "page_count": pages, "page_number": number, "page_size": size}
        return envelope

    def _shown(self, one: Mapping[str, Any], hidden: set[str]) -> dict[str, Any]:
        shown = {name: value for name, value in one.items() if name not in hidden}
        shown["updated_at"] = _stamp(one["updated_at"])
        for name in {"id", "workspace_id", "user_id"} & shown.keys():
            shown[name] = self.manners.id_type(shown[name])
        return shown


def _pair(row: Row) -> tuple[str, str]:
    return str(row["workspace_id"]), str(row.get("user_id", row.get("notes")))


def _errors(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"errors": list(entries)}


def _stamp(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(moment))
