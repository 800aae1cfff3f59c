"""Whatever a program gives where something else is meant, an error of this package says so, and nothing is sent."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kantata_async import (
    AdaptiveRateLimit,
    KantataError,
    KantataSession,
    RateLimit,
    RateLimits,
    RedisRateLimit,
    RetryPolicy,
    UsageError,
    bulk_result,
    fields_result,
    normalize,
    path,
    priority,
)
from kantata_async.entities import User
from kantata_async.model import Graph
from kantata_async.provision import Groups, People, Roster, plan
from kantata_async.sandbox import Sandbox
from kantata_async.sync import DuckDBTarget, JSONLinesTarget, ParquetTarget, SQLiteTarget, Sync


class Unshowable:
    """Its repr fails, as that of an object half made does."""

    def __repr__(self) -> str:
        raise RuntimeError("nothing to show")


class Kind(Enum):
    """Members of which no parameter can make anything."""

    NOTHING = object()


def nested(depth: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


def around() -> dict[str, Any]:
    made: dict[str, Any] = {}
    made["itself"] = made
    return made


JUNK: Final = (
    *(None, True, 0, -7, 10**4999, 2.5, float("nan"), float("-inf"), 2j, Decimal("sNaN"), Decimal("1e999")),
    *("", " ", "\0", "\ud83d", "٣", "a" * 70_000, "a,b", "..", b"7", bytearray(b"7"), memoryview(b"7")),
    *([], [None], (), {}, {7: 8}, [10**4999], {None: None}, set(), frozenset({7}), range(2), nested(3000), around()),
    *(object(), Unshowable(), int, print, Kind.NOTHING, Kind, NotImplemented, ..., ValueError("7"), Path("there")),
    *(date(2026, 2, 3), datetime(2026, 2, 3), datetime.min.replace(tzinfo=UTC), timedelta(7)),
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-9))),
    *(np.int64(7), np.float64("nan"), np.array(7), np.array([7, 8]), np.array([[7], [8]]), np.array(["a", "b"])),
    *(np.str_("x"), np.void(b"x"), np.datetime64("NaT", "s"), np.timedelta64(1, "D"), pd.NA, pd.NaT, pd.Timestamp(7)),
    *(pd.Series([7, 8]), pd.Series([], dtype=object), pd.DataFrame({"a": [7]}), pd.Categorical(["a"])),
    *(io.StringIO("x"), io.BytesIO(b"x")),
)
ANYTHING = st.recursive(
    st.integers(0, len(JUNK) - 1).map(JUNK.__getitem__)
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "workspace_id", "user_id", "role", "a"]), inner, max_size=3)
    ),
    max_leaves=5,
)
ROW: Final = {"workspace_id": 1, "user_id": 2, "role": "maven"}

Call = Callable[[KantataSession, Any], Coroutine[Any, Any, Any]]


async def _made(make: Callable[[Any], object], value: Any) -> None:
    make(value)


async def _each(iterated: AsyncIterator[Any]) -> None:
    async for _ in iterated:
        pass


CALLS: Final[Mapping[str, Call]] = {
    "get": lambda kantata, junk: kantata.users.get(junk),
    "get include": lambda kantata, junk: kantata.users.get(1, include=junk),
    "get one include": lambda kantata, junk: kantata.users.get(1, include=[junk]),
    "get optional_fields": lambda kantata, junk: kantata.users.get(1, optional_fields=junk),
    "get_many": lambda kantata, junk: kantata.users.get_many(junk),
    "list filter": lambda kantata, junk: kantata.participations.list(workspace_id=junk).first(),
    "list only": lambda kantata, junk: kantata.users.list(only=junk).first(),
    "list order": lambda kantata, junk: kantata.users.list(order=junk).first(),
    "list search": lambda kantata, junk: kantata.users.list(search=junk).first(),
    "list per_page": lambda kantata, junk: kantata.users.list(per_page=junk).first(),
    "list moment": lambda kantata, junk: kantata.time_entries.list(updated_after=junk).first(),
    "limit": lambda kantata, junk: kantata.users.list().limit(junk).collect(),
    "page": lambda kantata, junk: kantata.users.list().page(junk),
    "batches": lambda kantata, junk: _each(kantata.users.list().batches(rows=junk)),
    "create": lambda kantata, junk: kantata.participations.create(workspace_id=junk, user_id=2, role="maven"),
    "create choice": lambda kantata, junk: kantata.participations.create(workspace_id=1, user_id=2, role=junk),
    "update": lambda kantata, junk: kantata.participations.update(junk, access_level="x"),
    "delete": lambda kantata, junk: kantata.participations.delete(junk),
    "create_many": lambda kantata, junk: kantata.participations.create_many(junk),
    "create_many row": lambda kantata, junk: kantata.participations.create_many([ROW, junk]),
    "create_many value": lambda kantata, junk: kantata.participations.create_many([{**ROW, "user_id": junk}]),
    "create_many name": lambda kantata, junk: kantata.participations.create_many([{**ROW, _name(junk): 1}]),
    "create_many include": lambda kantata, junk: kantata.participations.create_many([ROW], include=junk),
    "create_many fields": lambda kantata, junk: kantata.participations.create_many([ROW], optional_fields=junk),
    "create_many if_exists": lambda kantata, junk: kantata.participations.create_many([ROW], if_exists=junk),
    "create_many key": lambda kantata, junk: kantata.roles.create_many([{"name": "x"}], key=lambda _: junk),
    "create_stream": lambda kantata, junk: _each(kantata.participations.create_stream(junk)),
    "update_many": lambda kantata, junk: kantata.participations.update_many(junk),
    "update_many row": lambda kantata, junk: kantata.participations.update_many([junk]),
    "update_many id": lambda kantata, junk: kantata.participations.update_many([{"id": junk, "access_level": "x"}]),
    "delete_many": lambda kantata, junk: kantata.time_entries.delete_many(junk),
    "delete_many id": lambda kantata, junk: kantata.time_entries.delete_many([junk]),
    "request method": lambda kantata, junk: kantata.request(junk, "/users"),
    "request path": lambda kantata, junk: kantata.request("GET", junk),
    "request params": lambda kantata, junk: kantata.request("GET", "/users", params={"a": junk}),
    "request json": lambda kantata, junk: kantata.request("POST", "/users", json={"user": junk}),
    "download": lambda kantata, junk: kantata.download(junk, io.BytesIO()),
    "download to": lambda kantata, junk: kantata.download("/users", junk),
    "upload": lambda kantata, junk: kantata.attachments.upload(junk, type="receipt"),
    "load path": lambda kantata, junk: kantata.load([], junk),
    "follow": lambda kantata, junk: _each(aiter(kantata.subscribed_events.follow(since=junk))),
    "follow every": lambda kantata, junk: _each(aiter(kantata.subscribed_events.follow(since=LONG_AGO, every=junk))),
    "values of": lambda kantata, junk: kantata.custom_fields.of("Workspace", junk),
    "values of kind": lambda kantata, junk: kantata.custom_fields.of(junk, [1]),
    "values of id": lambda kantata, junk: kantata.custom_fields.of("Workspace", [junk]),
    "set values": lambda kantata, junk: kantata.custom_fields.set("Workspace", {1: junk}),
    "export": lambda kantata, junk: kantata.exports.run(export_definition=junk),
    "export wait": lambda kantata, junk: kantata.exports.wait(junk),
    "report after": lambda kantata, junk: kantata.insights_report_exports.wait(3, after=junk, deadline=0.01),
    "photo": lambda kantata, junk: kantata.users.download_photo(junk, io.BytesIO()),
    "timeout": lambda kantata, junk: kantata.with_options(timeout=junk).users.me(),
    "retry": lambda kantata, junk: kantata.with_options(retry=junk).users.me(),
    "headers": lambda kantata, junk: kantata.with_options(headers=junk).users.me(),
    "priority": lambda kantata, junk: kantata.with_options(priority=junk).users.me(),
    "load": lambda kantata, junk: kantata.load(junk, "manager"),
    "plan": lambda _, junk: plan(junk, Roster.from_rows([])),
    "plan sheet": plan,
}
LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)
MAKERS: Final[Mapping[str, Callable[[Any], object]]] = {
    "path": path,
    "priority": lambda junk: priority(junk).__enter__(),
    "bulk_result": bulk_result,
    "fields_result": fields_result,
    "normalize": normalize,
    "RateLimit": lambda junk: RateLimit(requests=junk),
    "RateLimit per": lambda junk: RateLimit(requests=5, per=junk),
    "RateLimits": RateLimits,
    "RateLimits own": lambda junk: RateLimits(own=junk),
    "RateLimits name": lambda junk: RateLimits(own={_name(junk): RateLimit(1)}),
    "RedisRateLimit": RedisRateLimit,
    **{
        f"RedisRateLimit {name}": lambda junk, name=name: RedisRateLimit("redis://127.0.0.1:1", **{name: junk})
        for name in ("limits", "when_away", "account", "pepper")
    },
    "AdaptiveRateLimit": AdaptiveRateLimit,
    "RetryPolicy": lambda junk: RetryPolicy(attempts=junk),
    "RetryPolicy deadline": lambda junk: RetryPolicy(deadline=junk),
    **{
        f"session {name}": lambda junk, name=name: KantataSession(**{"token": "x", name: junk})
        for name in (
            *("timeout", "concurrency", "rate_limit", "retry", "headers", "on_event"),
            *("token", "base_url", "proxy", "ssl", "connector", "sleep", "trust_env"),
        )
    },
    **{
        f"{sheet.__name__}.{name}": getattr(sheet, name)
        for sheet in (Roster, People, Groups)
        for name in ("from_csv", "from_xlsx", "from_jsonl", "from_rows")
    },
    "ignore_columns": lambda junk: Roster.from_rows([{"project": 1}], ignore_columns=junk),
    "from_dict": User.from_dict,
    "from_dict value": lambda junk: User.from_dict({"id": "1", "full_name": junk, "skill_ids": junk}),
    "graph.get": lambda junk: Graph().get(junk, 1),
    "graph.get id": lambda junk: Graph().get(User, junk),
    "graph.all": lambda junk: Graph().all(junk),
    "SQLiteTarget": SQLiteTarget,
    "DuckDBTarget": DuckDBTarget,
    "ParquetTarget": ParquetTarget,
    "JSONLinesTarget": JSONLinesTarget,
    "on_deletion": lambda junk: JSONLinesTarget("there", on_deletion=junk),
    "on_deletion of a database": lambda junk: SQLiteTarget("there", on_deletion=junk),
    "Sync": lambda junk: Sync(junk, JSONLinesTarget("there")),
    "add": lambda junk: Sync(KantataSession(token="x"), JSONLinesTarget("there")).add(junk),
    "sweep": lambda junk: Sync(KantataSession(token="x"), JSONLinesTarget("there")).add(
        KantataSession(token="x").users, sweep=junk
    ),
}


def _name(junk: Any) -> Any:
    try:
        hash(junk)
    except TypeError:
        return "a"
    return junk


async def _refuses(what: str, doing: Coroutine[Any, Any, Any], junk: Any) -> None:
    try:
        await doing
    except KantataError as error:
        str(error)  # which has to be possible
    except Exception as error:
        raise AssertionError(f"{what} with a {type(junk).__name__}: {error!r}") from error


@pytest.mark.parametrize("what", CALLS)
async def test_a_call_takes_it_or_says_why_not(what: str) -> None:
    """The session is not open, so whatever a call takes ends in an error too, and nothing is sent."""
    kantata = KantataSession(token="x")
    for junk in JUNK:
        try:
            doing = CALLS[what](kantata, junk)
        except KantataError:
            continue
        await _refuses(what, doing, junk)


@pytest.mark.parametrize("what", MAKERS)
async def test_a_setting_is_taken_or_refused(what: str) -> None:
    for junk in JUNK:
        await _refuses(what, _made(MAKERS[what], junk), junk)


@settings(max_examples=25)
@given(ANYTHING)
async def test_whatever_it_holds(junk: Any) -> None:
    kantata = KantataSession(token="x")
    for what in ("create_many", "update_many", "delete_many", "create", "list only", "get_many", "request json"):
        try:
            doing = CALLS[what](kantata, junk)
        except KantataError:
            continue
        await _refuses(what, doing, junk)


@attrs.frozen
class Found:
    """What a search of the caller's gives."""

    objects: Any

    async def __call__(self, rows: object) -> Any:
        return self.objects


@pytest.mark.parametrize("objects", [[None], [None, 7], {None: 7}, 7, "x"], ids=str)
async def test_a_search_that_finds_no_entities(kantata: KantataSession, kantata_sandbox: Sandbox, objects: Any) -> None:
    """It has failed, and a search that failed is no sign that nothing is there."""
    result = await kantata.participations.create_many([ROW], find=Found(objects), if_exists="skip")
    assert [outcome.status for outcome in result] == ["unknown"]
    assert "POST" not in {request.method for request in kantata_sandbox.requests}


async def test_a_file_opened_for_text_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with (tmp_path / "export.csv").open("w") as opened, pytest.raises(UsageError, match='"wb"'):
        await KantataSession(token="x").exports.run(opened, export_definition={"users": {"columns": ["id"]}})
