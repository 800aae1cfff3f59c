"""The change feed, against a server that shares no code with the client and whose events come late and out of order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import aiohttp
import pytest
from wire import Server, json_answer

from chaos._live_server import World, living
from kantata_async import EventsLostError, InvalidResponseError, KantataSession, RetryPolicy, UsageError

RETRY = RetryPolicy(attempts=12, first_wait=0.01, max_wait=0.02)


@pytest.fixture
def url() -> Iterator[str]:
    with living(World(seed=7, objects=100, haste=20, faults=0.1)) as address:
        yield address


@pytest.fixture
async def kantata(url: str) -> AsyncIterator[KantataSession]:
    async with KantataSession(token="x", base_url=f"{url}/api/v1", rate_limit=None, retry=RETRY) as session:
        yield session


async def control(url: str, what: str) -> Any:
    async with aiohttp.ClientSession() as client, client.get(f"{url}/control/{what}") as answer:
        return await answer.json()


async def test_each_event_comes_once_and_a_cursor_goes_on(url: str, kantata: KantataSession) -> None:
    """Looks that begin at the cursor of the one before, while writers write: all events, none twice."""
    cursor: datetime | str = datetime.now(UTC) - timedelta(days=1)
    seen: list[str] = []
    for _ in range(12):
        await control(url, "write?times=70")
        feed = kantata.subscribed_events.follow(since=cursor, every=None)
        async for event in feed:
            seen.append(event.id)
            cursor = feed.cursor
        cursor = feed.cursor
    await control(url, "stop")
    feed = kantata.subscribed_events.follow(since=cursor, every=None)
    seen += [event.id async for event in feed]
    there = await control(url, "truth?of=subscribed_events")
    assert len(there) > 840
    assert sorted(seen) == sorted(there)


async def test_a_stop_in_the_middle_loses_nothing(url: str, kantata: KantataSession) -> None:
    """A reader that stops after any event, and goes on from the cursor it had then, misses none."""
    await control(url, "write?times=500")
    await control(url, "stop")
    cursor: datetime | str = datetime.now(UTC) - timedelta(days=1)
    seen: list[str] = []
    while True:
        feed = kantata.subscribed_events.follow(since=cursor, every=None)
        some = 0
        async for event in feed:
            seen.append(event.id)
            some += 1
            if some == 77:
                break
        cursor = feed.cursor
        if some < 77:
            break
    assert sorted(seen) == sorted(await control(url, "truth?of=subscribed_events"))


async def test_more_events_in_one_second_than_a_page_has(url: str, kantata: KantataSession) -> None:
    """What cannot be asked for from a later second on is asked for page by page."""
    await control(url, "write?times=1500")
    await control(url, "stop")
    feed = kantata.subscribed_events.follow(since=datetime.now(UTC) - timedelta(days=1), every=None)
    seen = [event.id async for event in feed]
    assert len(seen) == len(set(seen)) == len(await control(url, "truth?of=subscribed_events"))


async def test_the_horizon_is_known(kantata: KantataSession) -> None:
    """Asked for more than 9 days, it says since when it has events, instead of leaving some out."""
    feed = kantata.subscribed_events.follow(since=datetime.now(UTC) - timedelta(days=10))
    with pytest.raises(EventsLostError) as caught:
        await anext(aiter(feed))
    assert timedelta(days=8.9) < datetime.now(UTC) - caught.value.horizon < timedelta(days=9.1)


@pytest.mark.parametrize("since", [datetime.min.replace(tzinfo=timezone(timedelta(hours=9))), "0001-01-01T00:00:00Z"])
async def test_the_horizon_is_known_however_long_ago(kantata: KantataSession, since: Any) -> None:
    """Also of moments before which there are none."""
    with pytest.raises(EventsLostError):
        await anext(aiter(kantata.subscribed_events.follow(since=since)))


@pytest.mark.parametrize("created", [None, 5, "soon", ["2026-01-01T00:00:00Z"]])
async def test_an_event_that_does_not_say_when_it_happened(created: Any) -> None:
    """The feed is ordered by that, so that going on from there could lose others."""
    answer = {
        "count": 1,
        "results": [{"key": "subscribed_events", "id": "1"}],
        "subscribed_events": {"1": {"id": "1", "event_type": "user:updated", "created_at": created}},
    }
    now = datetime.now(UTC)
    answered = json_answer(answer, date=format_datetime(now, usegmt=True))
    async with Server([answered]) as server, KantataSession(token="x", base_url=server.url) as session:
        with pytest.raises(InvalidResponseError, match="does not say when it happened"):
            await anext(aiter(session.subscribed_events.follow(since=now, every=None)))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"since": "yesterday"}, "since takes"),
        ({"since": '{"no": "cursor"}'}, "as it was given"),
        ({"since": '{"through": "2026-01-01T00:00:00", "given": {}}'}, "as it was given"),
        ({"since": '{"through": "\ud800"}'}, "as it was given"),
        ({"since": datetime(2026, 1, 1)}, "since takes"),
        ({"since": datetime(2026, 1, 1, tzinfo=UTC), "order": "created_at"}, "order"),
        ({"since": datetime(2026, 1, 1, tzinfo=UTC), "every": 0}, "every"),
    ],
)
async def test_what_cannot_be_followed(kantata: KantataSession, arguments: dict[str, Any], complaint: str) -> None:
    """A wrong argument is refused before anything is sent."""
    with pytest.raises(UsageError, match=complaint):
        kantata.subscribed_events.follow(**arguments)
