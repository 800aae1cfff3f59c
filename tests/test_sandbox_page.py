"""The sandbox's page without a browser: who may control it, the company as tables, and what is told as it happens."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import aiohttp
import attrs
import pytest
from sandbox_calls import Caller
from yarl import URL

from kantata_async.sandbox import Fault, Sandbox, ServerRateLimit, Switches
from kantata_async.sandbox.backend import Refusal
from kantata_async.sandbox.server import control
from kantata_async.sandbox.server.faults import FaultKind
from kantata_async.sandbox.server.limits import LimitKind
from kantata_async.sandbox.server.log import LoggedRequest
from kantata_async.sandbox.server.origins import refuse_foreign
from kantata_async.sandbox.server.watching import RequestNews

PAGE = Path(control.__file__).parent / "page"


class Controls:
    """Calls of the page: their status and decoded body."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self._sandbox, self._session = sandbox, session

    async def __call__(self, method: str, path: str, json: Any = None, **params: str) -> tuple[int, Any]:
        url = f"{self._sandbox.page_url}{path}"
        async with self._session.request(method, url, json=json, params=params) as response:
            return response.status, await response.json() if await response.read() else None


@pytest.fixture
def control_call(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> Controls:
    return Controls(sandbox, anonymous)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example", None),
        ("127.0.0.1.evil.example:8080", None),
        ("localhost.evil.example", None),
        ("127.0.0.1@evil.example", None),
        ("192.168.1.7:8080", None),
        ("[::1", None),
        ("", None),
        ("127.0.0.1:8080", "http://evil.example"),
        ("127.0.0.1:8080", "null"),
        ("127.0.0.1:8080", ""),
        ("127.0.0.1:8080", "http://127.0.0.1:8081"),
        ("127.0.0.1:8080", "https://127.0.0.1:8080"),
        ("127.0.0.1:8080", "http://localhost:8080"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080.evil.example"),
    ],
)
def test_a_foreign_name_or_origin_is_refused(host: str, origin: str | None) -> None:
    """A name that leads here by DNS, and a page of another origin, another port included."""
    with pytest.raises(Refusal):
        refuse_foreign({"Host": host} | ({} if origin is None else {"Origin": origin}))


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "LOCALHOST", "127.0.0.1"])
def test_programs_and_its_own_page_are_heard(host: str) -> None:
    """A program sends no origin; the page its own, also through a forwarded port."""
    refuse_foreign({"Host": host})
    refuse_foreign({"Host": host, "Origin": f"http://{host.lower()}"})


async def test_no_other_page_controls_it(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """Nothing changes, and nothing is told: faults, switches, the log, the company and the events."""
    reads = [("GET", path) for path in ("", "rows", "events", "log")]
    calls = [("POST", "faults"), ("PUT", "switches"), ("POST", "reset"), *reads]
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        for method, path in calls:
            # Text is what a form of any page may send without asking first.
            body = None if method == "GET" else b'{"kind": "hang"}'
            sent = {**headers, "Content-Type": "text/plain"}
            async with anonymous.request(method, f"{sandbox.page_url}{path}", headers=sent, data=body) as response:
                assert response.status == 403, path
                assert "Access-Control-Allow-Origin" not in response.headers
    assert list(sandbox.faults) == []
    assert sandbox.switches == Switches()


async def test_the_page_loads_nothing_from_elsewhere(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """Every file of it is served with its type and a policy, and what they name is among them or inline."""
    names = {file.name for file in PAGE.iterdir()}
    for name in {"", *names}:
        async with anonymous.get(f"{sandbox.page_url}{name}") as response:
            text = await response.text()
            assert response.status == 200
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            loaded = re.findall(r'(?:src|href)="([^"#][^"]*)"|from "([^"]+)"|url\(([^)]+)\)', text)
            found = {one.removeprefix("./") for group in loaded for one in group if one and not one.startswith("data:")}
            assert found <= names, name
    for name in ("nothing.js", "page", "..%2fcontrol.py", "%2e%2e%2f..%2f__init__.py"):
        async with anonymous.get(URL(f"{sandbox.page_url}{name}", encoded=True)) as response:
            assert response.status == 404, name
    assert sandbox.requests == []


def test_no_script_makes_markup_of_text() -> None:
    """What comes from data is set as text; none of the ways to set markup is used."""
    for file in PAGE.glob("*.js"):
        source = file.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|eval\(|srcdoc", source)


async def test_a_browser_at_the_root_finds_the_page(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """Whoever asks for HTML is led there; a program gets the API's answer, and is logged."""
    root = sandbox.page_url.removesuffix("/_sandbox/")
    for path, headers in ((f"{root}/", {"Accept": "text/html,*/*"}), (f"{root}/_sandbox", {})):
        async with anonymous.get(path, headers=headers) as response:
            assert str(response.url) == sandbox.page_url
            assert response.content_type == "text/html"
    assert sandbox.requests == []
    async with anonymous.get(f"{root}/") as response:
        assert response.status == 401
    assert sandbox.count() == 1


def test_the_forms_offer_all_there_is() -> None:
    """Each kind of fault and of limit can be chosen on the page."""
    html = (PAGE / "page.html").read_text(encoding="utf-8")
    offered = set(re.findall(r'<option value="(\w+)"', html))
    assert set(get_args(FaultKind)) <= offered
    assert set(get_args(LimitKind)) <= offered


async def test_every_switch_is_described(control_call: Controls) -> None:
    """With its text, its default, and the choices where it has some."""
    status, answer = await control_call("GET", "switches")
    described = {one["name"]: one for one in answer["switches"]}
    assert status == 200
    assert described.keys() == {field.name for field in attrs.fields(Switches)}
    assert all(one["about"].endswith(".") for one in described.values())
    assert described["retry_after"]["choices"] == ["seconds", "date", None]
    assert [described[name]["kind"] for name in ("ranges", "consent", "export_seconds", "ignored_fields")] == [
        "flag",
        "choice",
        "number",
        "names",
    ]
    assert described["bulk_order"]["default"] == "endpoint"


async def test_what_is_set_is_of_its_type(sandbox: Sandbox, control_call: Controls) -> None:
    """A value of another type is refused with its name, before it fails in the midst of a request."""
    for method, path, body, named in (
        ("POST", "faults", {"kind": "status", "times": "3"}, "times"),
        ("POST", "faults", {"kind": "lightning"}, "kind"),
        ("POST", "faults", {"kind": "hang", "hours": 1}, "hours"),
        ("PUT", "switches", {"bulk_order": "alphabetical"}, "bulk_order"),
        ("PUT", "switches", {"ranges": "yes"}, "ranges"),
        ("PUT", "limits", {"limits": [{"requests": 0, "per": 1}]}, "requests"),
        ("PUT", "limits", {"limits": [{"requests": 1, "per": 0}]}, "per"),
        ("PUT", "limits", {"limits": [{"requests": 1, "per": 1, "kind": "leaky"}]}, "kind"),
    ):
        status, answer = await control_call(method, path, body)
        assert status == 400, body
        assert named in answer["errors"][0]["message"]
    assert (list(sandbox.faults), sandbox.switches, sandbox.rate_limits) == ([], Switches(), ())


async def test_limits_are_set(sandbox: Sandbox, control_call: Controls) -> None:
    """All of them at once, as the page has them."""
    limits = [{"requests": 5, "per": 1, "kind": "token_bucket"}, {"requests": 9, "per": 60, "path": "/users*"}]
    assert (await control_call("PUT", "limits", {"limits": limits}))[0] == 204
    assert sandbox.rate_limits == (
        ServerRateLimit(5, 1, "token_bucket"),
        ServerRateLimit(9, 60, path="/users*"),
    )


async def test_rows_are_paged_searched_ordered_and_chosen(sandbox: Sandbox, control_call: Controls) -> None:
    """As the page asks for them; a page beyond the last is the last one, and no number is refused."""
    _, first = await control_call("GET", "rows", collection="users")
    assert (first["count"], first["page"], first["pages"], len(first["rows"])) == (60, 1, 3, 25)
    assert first["columns"][:2] == ["id", "full_name"]
    _, last = await control_call("GET", "rows", collection="users", page="99", order="-id")
    assert (last["page"], last["rows"][-1]["values"]["id"]) == (3, "1")
    name = str(sandbox.store.all("users")[30]["full_name"])
    _, found = await control_call("GET", "rows", collection="users", search=name.upper())
    assert name in {row["values"]["full_name"] for row in found["rows"]}
    _, own = await control_call("GET", "rows", collection="participations", attribute="workspace_id", value="1")
    assert own["count"] == len(sandbox.store.referring("participations", "workspace_id", "1")) > 0
    assert (await control_call("GET", "rows", collection="nothing"))[1]["rows"] == []
    for page in ("x", "-1", "²", "9" * 5_000):
        assert (await control_call("GET", "rows", collection="users", page=page))[0] == 400


async def test_records_link_both_ways(sandbox: Sandbox, control_call: Controls) -> None:
    """A participation to its user by name; the user back to how many refer to them. What is not there is no link."""
    member = sandbox.store.all("participations")[0]
    _, record = await control_call("GET", "record", collection="participations", id=member["id"])
    user = sandbox.store.get("users", member["user_id"])
    assert user is not None
    assert record["links"]["user_id"] == [{"collection": "users", "id": user["id"], "label": user["full_name"]}]
    _, back = await control_call("GET", "record", collection="users", id=user["id"])
    count = len(sandbox.store.referring("participations", "user_id", user["id"]))
    assert {"collection": "participations", "attribute": "user_id", "count": count} in back["referring"]
    sandbox.store.update("participations", member["id"], {"user_id": "99999"})
    _, record = await control_call("GET", "record", collection="participations", id=member["id"])
    assert "user_id" not in record["links"]
    assert (await control_call("GET", "record", collection="users", id="99999"))[0] == 404


async def test_polymorphic_references_are_links(sandbox: Sandbox, control_call: Controls) -> None:
    """A type and an id beside each other lead to the object that they name."""
    value = next(one for one in sandbox.store.all("custom_field_values") if one["subject_type"] == "Workspace")
    _, record = await control_call("GET", "record", collection="custom_field_values", id=value["id"])
    assert record["links"]["subject_id"][0]["collection"] == "workspaces"


def logged(number: int, seconds: float | None = None) -> LoggedRequest:
    return LoggedRequest(method="GET", path="/users", query={}, request_id=f"{number:012x}", at=0.0, seconds=seconds)


def test_news_are_told_once_and_again_when_answered() -> None:
    """A request is told when it comes and when it is over; after that no more."""
    news, log = RequestNews(), [logged(1, 0.1), logged(2)]
    assert news.read(log) == (False, log)
    assert news.read(log) == (False, [])
    log[1].seconds = 0.2
    log.append(logged(3, 0.1))
    assert news.read(log) == (False, log[1:])
    assert news.read(log) == (False, [])


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_cleared_log_begins_anew(after: int) -> None:
    """However many requests have come since it was cleared, none is missed; one of before is not told any more."""
    news, log = RequestNews(), [logged(1, 0.1), logged(2)]
    news.read(log)
    old = log[1]
    log.clear()
    log.extend(logged(number, 0.1) for number in range(10, 10 + after))
    old.seconds = 0.5
    assert news.read(log) == (True, log)
    assert news.read(log) == (False, [])


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    while True:
        name, data = (await response.content.readuntil(b"\n\n")).decode().splitlines()[:2]
        yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def test_the_page_is_told_as_it_happens(sandbox: Sandbox, anonymous: aiohttp.ClientSession, call: Caller) -> None:
    """How everything is set at first and after each change; requests with their answers, but not what was sent."""
    async with asyncio.timeout(10), anonymous.get(f"{sandbox.page_url}events") as response:
        told = events(response)
        name, state = await anext(told)
        assert (name, state["url"], state["faults"]) == ("state", sandbox.url, [])
        assert {"name": "users", "count": 60} in state["tables"]
        sandbox.faults.add(Fault("status", status=503, path="/users"))
        name, state = await anext(told)
        assert (name, state["faults"][0]["status"]) == ("state", 503)
        await call("POST", "/roles", {"role": {"name": "Glazier"}})
        seen = [await anext(told), await anext(told)]
        assert [name for name, _ in seen] == ["state", "requests"]
        [request] = seen[1][1]["requests"]
        assert (request["path"], request["status"], request["committed"]) == ("/roles", 200, True)
        assert "Glazier" not in json.dumps(seen[1])
        sandbox.clear_log()
        name, last = await anext(told)
        assert (name, last["cleared"], last["requests"]) == ("requests", True, [])


async def test_what_was_sent_is_told_when_asked(call: Caller, sandbox: Sandbox, control_call: Controls) -> None:
    """One request of the log, whole."""
    await call("POST", "/roles", {"role": {"name": "Glazier"}})
    status, request = await control_call("GET", "request", id=sandbox.requests[0].request_id)
    assert (status, request["body"]) == (200, {"role": {"name": "Glazier"}})
    assert (await control_call("GET", "request", id="nothing"))[0] == 404


async def test_a_page_that_watches_does_not_hold_up_the_end(anonymous: aiohttp.ClientSession) -> None:
    """The events end with the sandbox."""
    sandbox = Sandbox(people=3, projects=1)
    await sandbox.start()
    async with asyncio.timeout(5), anonymous.get(f"{sandbox.page_url}events") as response:
        await response.content.readuntil(b"\n\n")
        await sandbox.stop()
        await response.content.read()
        assert response.content.at_eof()
