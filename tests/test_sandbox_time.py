"""The sandbox's time: its clock, the times of its records, and the feed of what has changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest
from sandbox_calls import Caller, ids

from kantata_async.sandbox import Fault, Sandbox, Switches

START = datetime(2027, 3, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.company(people=12, projects=3, now=START)


async def date_of(sandbox: Sandbox) -> datetime:
    async with aiohttp.ClientSession() as anonymous, anonymous.get(f"{sandbox.url}/users") as response:
        return parsedate_to_datetime(response.headers["Date"])


async def test_answers_and_records_have_the_server_s_time(sandbox: Sandbox, call: Caller) -> None:
    """It starts where it was told, goes on by itself, and can be moved on; even a fault's answer has it."""
    assert START <= await date_of(sandbox) < START + timedelta(minutes=1)
    sandbox.clock.advance(timedelta(days=2))
    assert await date_of(sandbox) >= START + timedelta(days=2)
    _, made = await call("POST", "/roles", {"role": {"name": "Glazier"}})
    stored = sandbox.store.records("roles")[ids(made)[0]]
    assert datetime.fromisoformat(stored["created_at"]) >= START + timedelta(days=2)
    later = datetime(2028, 1, 1, tzinfo=UTC)
    sandbox.clock.set(later)
    sandbox.faults.add(Fault("proxy"))
    assert later <= await date_of(sandbox) < later + timedelta(minutes=1)


async def test_the_clock_does_not_go_back(sandbox: Sandbox) -> None:
    """What was written lies in the past; a company founded anew goes on by the same clock."""
    for wrong in (lambda: sandbox.clock.set(START - timedelta(days=400)), lambda: sandbox.clock.advance(-1)):
        with pytest.raises(ValueError, match="clock cannot"):
            wrong()
    sandbox.clock.advance(86_400)
    sandbox.reset()
    assert sandbox.clock.now() >= START + timedelta(days=1)
    assert all(datetime.fromisoformat(user["updated_at"]) < START for user in sandbox.store.all("users"))


async def test_the_clock_over_http(sandbox: Sandbox) -> None:
    """Another process reads it, sets it and moves it on; a time that is none is a 400."""
    base = sandbox.url.removesuffix("/api/v1") + "/_sandbox/clock"
    async with aiohttp.ClientSession() as outside:
        for given in ({"now": "2029-01-01T00:00:00+00:00"}, {"advance": 3600}):
            async with outside.put(base, json=given) as response:
                assert response.status == 204
        async with outside.get(base) as response:
            now = datetime.fromisoformat((await response.json())["now"])
        assert timedelta(hours=1) <= now - datetime(2029, 1, 1, tzinfo=UTC) < timedelta(hours=2)
        for wrong in ({"now": "noon"}, {"now": "2001-01-01"}, {"advance": "an hour"}):
            async with outside.put(base, json=wrong) as response:
                assert response.status == 400


async def test_times_show_whole_seconds_and_sort_by_their_fractions(sandbox: Sandbox, call: Caller) -> None:
    """Two changes within a second look alike, and are in order all the same; by switch they show what they are."""
    made = [sandbox.store.add("roles", {"name": name}) for name in ("Glazier", "Tiler")]
    _, payload = await call("GET", "/roles", only=",".join(made), order="updated_at:desc")
    assert {len(role["created_at"]) for role in payload["roles"].values()} == {25}
    sandbox.switches = Switches(whole_seconds=False)
    _, payload = await call("GET", "/roles", only=",".join(made))
    assert {role["created_at"] for role in payload["roles"].values()} == {
        sandbox.store.records("roles")[identity]["created_at"] for identity in made
    }


async def test_writes_keep_the_times_of_their_objects(sandbox: Sandbox, call: Caller) -> None:
    """A change moves `updated_at` on and leaves `created_at`; no object was updated before it was created."""
    before = sandbox.store.records("workspaces")["1"]
    sandbox.clock.advance(60)
    assert (await call("PUT", "/workspaces/1", {"workspace": {"title": "Renamed"}}))[0] == 200
    after = sandbox.store.records("workspaces")["1"]
    assert after["created_at"] == before["created_at"]
    assert datetime.fromisoformat(after["updated_at"]) >= START + timedelta(seconds=60)
    for collection in sandbox.store:
        for record in sandbox.store.records(collection).values():
            created, updated = (datetime.fromisoformat(record[name]) for name in ("created_at", "updated_at"))
            assert created.date() <= updated.date(), (collection, record["id"])


async def events(call: Caller, **asked: Any) -> list[dict[str, Any]]:
    status, payload = await call("GET", "/subscribed_events", per_page=200, **asked)
    assert status == 200, payload
    return [payload["subscribed_events"][identity] for identity in ids(payload)]


async def test_every_write_is_an_event(sandbox: Sandbox, call: Caller) -> None:
    """Created, updated and deleted, newest first, with what came along; and what was there before is no event."""
    assert await events(call) == []
    body = {"participation": {"workspace_id": 2, "user_id": 9, "role": "maven"}}
    _, made = await call("POST", "/participations", body)
    identity = ids(made)[0]
    await call("PUT", f"/participations/{identity}", {"participation": {"team_lead": True}})
    await call("DELETE", f"/participations/{identity}")
    found = await events(call, subject_type="Participation")
    assert [event["event_type"] for event in found] == [
        "participation:deleted",
        "participation:updated",
        "participation:created",
    ]
    assert {(event["subject_id"], event["context_workspace_id"]) for event in found} == {(int(identity), "2")}
    assert [event["event_type"] for event in await events(call, subject_type="WorkspaceResource")] == [
        "workspace_resource:deleted",
        "workspace_resource:created",
    ]


async def test_a_marked_object_was_deleted(call: Caller) -> None:
    """A task that stays in the store, marked, is a deletion all the same."""
    await call("DELETE", "/stories/1")
    newest, *_ = await events(call, subject_type="Story")
    assert newest["event_type"] == "story:deleted"


async def test_payloads_say_what_changed(call: Caller) -> None:
    """What the object was, what it is, and the difference, as JSON text, when asked for."""
    await call("PUT", "/workspaces/1", {"workspace": {"title": "Renamed"}})
    asked = "previous_payload,current_payload,payload_changes"
    (event,) = await events(call, event_types="workspace:updated", optional_fields=asked)
    was, now = json.loads(event["previous_payload"]), json.loads(event["current_payload"])
    assert json.loads(event["payload_changes"])["title"] == [was["title"], "Renamed"]
    assert now["title"] == "Renamed"
    assert "previous_payload" not in (await events(call))[0]


async def test_a_subject_is_there_until_it_is_deleted(call: Caller) -> None:
    """Included, its reference leads to it; once it is gone the reference is null."""
    _, made = await call("POST", "/roles", {"role": {"name": "Glazier"}})
    _, payload = await call("GET", "/subscribed_events", include="subject")
    (event,) = payload["subscribed_events"].values()
    assert event["subject_ref"] == {"key": "roles", "id": ids(made)[0]}
    assert payload["roles"][ids(made)[0]]["name"] == "Glazier"
    await call("DELETE", f"/roles/{ids(made)[0]}")
    _, payload = await call("GET", "/subscribed_events", include="subject")
    assert [event["subject_ref"] for event in payload["subscribed_events"].values()] == [None, None]


async def test_events_by_time_type_subject_and_person(sandbox: Sandbox, call: Caller) -> None:
    """The filters of the feed, and the pairs of them that contradict each other or need each other."""
    for title in ("One", "Two"):
        await call("PUT", "/workspaces/1", {"workspace": {"title": title}})
        sandbox.clock.advance(3600)
    await call("PUT", "/workspaces/2", {"workspace": {"title": "Three"}})
    await call("DELETE", "/time_entries/1")
    since = (START + timedelta(minutes=30)).isoformat()
    assert len(await events(call)) == 4
    assert len(await events(call, created_after=since)) == 3
    assert len(await events(call, created_before=since)) == 1
    assert len(await events(call, event_types="time_entry:deleted,workspace:updated")) == 4
    assert len(await events(call, event_types="time_entry:deleted")) == 1
    assert len(await events(call, subject_type="Workspace", subject_id="1,3")) == 2
    assert len(await events(call, most_recent=True)) == 3
    assert len(await events(call, most_recent_by_event_type=True)) == 3
    assert len(await events(call, user_ids="1")) == 4
    assert await events(call, user_ids="2") == []
    assert (await call("GET", "/subscribed_events", subject_id="1"))[0] == 422
    assert (await call("GET", "/subscribed_events", most_recent=True, most_recent_by_event_type=True))[0] == 422


async def test_events_are_kept_for_nine_days(sandbox: Sandbox, call: Caller) -> None:
    """By the server's clock, read or not."""
    await call("PUT", "/workspaces/1", {"workspace": {"title": "Early"}})
    assert len(await events(call)) == 1
    sandbox.clock.advance(timedelta(days=8))
    await call("PUT", "/workspaces/1", {"workspace": {"title": "Late"}})
    assert len(await events(call)) == 2
    sandbox.clock.advance(timedelta(days=2))
    (left,) = await events(call)
    assert "Late" in sandbox.store.records("subscribed_events")[left["id"]]["current_payload"]
    sandbox.clock.advance(timedelta(days=9))
    assert await events(call) == []


async def test_the_types_of_events_are_known(call: Caller) -> None:
    """Every type that the feed may hold is named, with the fields of its payload."""
    _, schemas = await call("GET", "/subscribed_events/event_types")
    assert {"time_entry:created", "story:deleted", "workspace_group:updated", "account_membership:created"} <= set(
        schemas["subscribed_event_types"]
    )
    assert schemas["subscribed_event_type_schemas"].keys() == set(schemas["subscribed_event_types"])
    assert "time_in_minutes" in schemas["subscribed_event_type_schemas"]["time_entry:created"]["fields"]
