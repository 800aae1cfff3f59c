"""What leads to the answer that it came in, and what is shown of it."""

from __future__ import annotations

import asyncio
import gc
import pickle
from copy import deepcopy
from typing import Any

import pytest
from wire import Server, hang, json_answer

from kantata_async import (
    AmbiguousWriteError,
    KantataSession,
    NotFoundError,
    Outcome,
    Response,
    RetryPolicy,
    ServerError,
    entities,
    normalize,
)
from kantata_async.entities import AccountMembership, User
from kantata_async.model import Entity
from kantata_async.sandbox import Fault, Sandbox


def users(*ids: str, **beside: Any) -> dict[str, Any]:
    """An answer with users."""
    return {
        "count": len(ids),
        "results": [{"key": "users", "id": id} for id in ids],
        "users": {id: {"id": id, "full_name": f"User {id}"} for id in ids},
        **beside,
    }


def ids_of(*responses: Response | None) -> list[str | None]:
    return [response and response.request_id for response in responses]


async def test_a_page_leads_to_its_response() -> None:
    """Its status, the request id, how often it was sent, and its headers under names that ignore case."""
    script = [json_answer({}, 503), json_answer(users("1"), x_request_id="r1", x_runtime="0.25")]
    async with (
        Server(script) as server,
        KantataSession(token="t", base_url=server.url, retry=RetryPolicy(first_wait=0.001)) as kantata,
    ):
        page = await kantata.users.list().page(1)
    response = page.response
    assert response is not None
    assert (response.status, response.request_id, response.attempts) == (200, "r1", 2)
    assert (response.headers["X-Runtime"], response.headers["x-runtime"]) == ("0.25", "0.25")
    assert repr(response) == "<Response 200, request id r1, 2 attempts>"
    assert page[0].response is response


async def test_no_secret_is_among_the_headers() -> None:
    """Neither those that are secret by their name, nor a token that another one echoes."""
    headers = {"set_cookie": "session=1", "x_csrf_token": "abc", "x_echo": "Bearer a-secret-token", "etag": "e"}
    async with (
        Server([json_answer(users("1"), **headers)]) as server,
        KantataSession(token="a-secret-token", base_url=server.url) as kantata,
    ):
        user = await kantata.users.get(1)
    response = user.response
    assert response is not None
    assert {"set-cookie", "x-csrf-token"}.isdisjoint(name.lower() for name in response.headers)
    assert response.headers["x-echo"] == "Bearer ***"
    assert response.headers["ETag"] == "e"
    with pytest.raises(TypeError):
        response.headers["etag"] = "other"  # type: ignore[index]


async def test_what_comes_twice_is_secret_twice() -> None:
    """A header that repeats, in whatever spelling: none of its values is shown or pickled; others keep all theirs."""
    lines = [
        *("set-cookie: first=1", "Set-Cookie: second=a-secret-token", "SET-COOKIE: third=3"),
        *("warning: 199 one", "Warning: 199 two a-secret-token"),
    ]
    refusal = json_answer({"errors": [{"type": "system", "message": "no"}]}, 404)
    head, body = refusal.split(b"\r\n\r\n")
    async with (
        Server([b"\r\n".join([head, *(line.encode() for line in lines)]) + b"\r\n\r\n" + body]) as server,
        KantataSession(token="a-secret-token", base_url=server.url) as kantata,
    ):
        with pytest.raises(NotFoundError) as caught:
            await kantata.users.get(1)
    response = pickle.loads(pickle.dumps(caught.value)).response
    for one in (caught.value.response, response):
        assert [value for name, value in one.headers.items() if name.lower() == "warning"] == ["199 one", "199 two ***"]
        assert "set-cookie" not in one.headers
    pickled = pickle.dumps(caught.value)
    assert not [part for part in (b"first", b"second", b"third", b"a-secret-token") if part in pickled]


async def test_each_entity_of_a_list_leads_to_the_answer_it_came_in() -> None:
    """A match to that of its page, an included object to the last that brought it."""
    member = {"account_memberships": {"5": {"id": "5", "user_id": "1"}}}
    pages = [
        json_answer({**users("1", "2", **member), "count": 3}, x_request_id="r1"),
        json_answer({**users("3"), "count": 3}, x_request_id="r2"),
    ]
    async with (
        Server(pages) as server,
        KantataSession(token="t", base_url=server.url, concurrency=1) as kantata,
    ):
        found = await kantata.users.list(per_page=2, include=["account_membership"])
    assert ids_of(*(one.response for one in found)) == ["r1", "r1", "r2"]


async def test_an_included_object_leads_to_the_answer_it_came_in(kantata: KantataSession) -> None:
    """Also one that was fetched for a deeper include, or loaded after the fact."""
    page = await kantata.users.list(include=["account_membership"]).page(1)
    memberships = page.graph.all(AccountMembership)
    assert {one.response for one in memberships} == {page.response}
    await kantata.load(page, "account_membership.default_role")
    role = memberships[0].default_role
    assert role is not None
    # The memberships were asked for again, to bring the roles.
    assert role.response is memberships[0].response is not page.response


async def test_it_stays_when_the_page_is_gone(kantata: KantataSession) -> None:
    """For matches, for what was included, and for what another graph has taken in since."""
    page = await kantata.users.list(include=["account_membership"]).page(1)
    user, response = page[0], page.response
    membership = user.account_membership
    assert membership is not None
    del page
    gc.collect()
    assert user.response is membership.response is response
    await kantata.load([user], "skills")
    assert membership.response is response


async def test_it_is_carried_with_a_page_and_an_entity(kantata: KantataSession) -> None:
    """Copied and pickled without anything of the session."""
    page = await kantata.users.list(per_page=3).page(1)
    for carried in (pickle.loads(pickle.dumps(page)), deepcopy(page)):
        response = carried.response
        assert carried[0].response is response
        assert (response.status, response.request_id) == (200, page.response and page.response.request_id)
        assert response.headers["x-request-id"] == response.headers["X-Request-ID"] == response.request_id


def test_what_was_fetched_elsewhere_has_none() -> None:
    """Nor has what was made of plain data."""
    page = normalize(users("1"))
    assert page.response is page[0].response is User.from_dict({"id": "1"}).response is None


async def test_every_outcome_leads_to_the_last_answer_about_its_row(kantata: KantataSession, sandbox: Sandbox) -> None:
    """Created, found, refused, changed, deleted; none where none came."""
    rows = [{"workspace_id": 1, "user_id": id, "role": "maven"} for id in (40, 41, 999_999)]
    created = await kantata.participations.create_many(rows)
    assert [outcome.status for outcome in created] == ["created", "created", "rejected"]
    assert [outcome.response and outcome.response.status for outcome in created] == [200, 200, 422]
    again = await kantata.participations.create_many(rows[:1], if_exists="skip")
    assert again[0].status == "existing"
    assert again[0].response is not None
    assert again[0].response is not created[0].response
    ids = [entity.id for entity in created.entities]
    updated = await kantata.participations.update_many([{"id": id, "team_lead": False} for id in (*ids, "999999")])
    assert [outcome.response and outcome.response.status for outcome in updated] == [200, 200, 404]
    deleted = await kantata.participations.delete_many(ids)
    assert all(outcome.response is not None and outcome.response.status < 300 for outcome in deleted)
    assert Outcome(0, {}, "not_sent").response is None


async def test_what_was_found_after_a_lost_answer_leads_to_the_look(kantata: KantataSession, sandbox: Sandbox) -> None:
    """As its entity does."""
    sandbox.faults.add(Fault("disconnect", when="after", method="POST"))
    result = await kantata.participations.create_many([{"workspace_id": 1, "user_id": 42, "role": "maven"}])
    assert result[0].status == "created"
    assert result[0].response is result.entities[0].response is not None


async def test_an_error_of_an_earlier_attempt_leads_to_its_answer() -> None:
    """The time was up while the next one stood in line for the place that another request had taken."""
    retry = RetryPolicy(deadline=0.3, first_wait=0.05)
    async with (
        Server([json_answer({}, 500, x_request_id="r1"), hang]) as server,
        KantataSession(token="t", base_url=server.url, retry=retry, concurrency=1, rate_limit=None) as kantata,
    ):
        patient = kantata.with_options(retry=RetryPolicy(deadline=60))
        first, second = (asyncio.create_task(one.users.get(1)) for one in (kantata, patient))
        with pytest.raises(ServerError) as failed:
            await first
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
    assert ids_of(failed.value.response) == ["r1"]


async def test_an_error_leads_to_the_answer_it_is_about() -> None:
    """A refusal, and a write whose answer cannot be read; none where none came."""
    script = [json_answer({}, 404, x_request_id="r1"), json_answer({"results": 5}, x_request_id="r2")]
    async with Server(script) as server, KantataSession(token="t", base_url=server.url) as kantata:
        with pytest.raises(NotFoundError) as missing:
            await kantata.users.get(1)
        with pytest.raises(AmbiguousWriteError) as unreadable:
            await kantata.users.update(1, headline="x")
    assert ids_of(missing.value.response, unreadable.value.response) == ["r1", "r2"]
    assert ids_of(pickle.loads(pickle.dumps(missing.value)).response) == ["r1"]
    assert unreadable.value.request_id == "r2"


def test_no_entity_of_the_api_has_an_attribute_of_the_names_of_entity() -> None:
    """What every entity has is in the way of no attribute and no association."""
    ours = {name for name in vars(Entity) if not name.startswith("_")} - {"id"}
    classes = [getattr(entities, name) for name in entities.__all__]
    theirs = {name for cls in classes for name in (*cls.attributes, *cls.associations)}
    assert len(theirs) > 500
    assert ours & theirs == set()
