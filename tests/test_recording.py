"""Recording and replaying: what was recorded is answered again, and nothing secret or personal is in the file."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request
from wire import Server, json_answer

from kantata_async import KantataSession, RetryPolicy, ValidationError
from kantata_async.recording import recorder
from kantata_async.recording.scrubbing import KEPT_REQUEST_HEADERS, kept_headers, scrubbed_body, scrubbed_url
from kantata_async.recording.traffic import ScrubbedTraffic
from kantata_async.sandbox import Sandbox

NEVER = RetryPolicy.never()


def cassette(file: Path) -> str:
    """What a file holds, without the line breaks that YAML puts into long texts."""
    return " ".join(file.read_text(encoding="utf-8").split())


async def some_traffic(kantata: KantataSession) -> tuple[Any, ...]:
    """Reads, a filter by a person's name, a write and a refusal; gives what must be the same again."""
    me = await kantata.users.me()
    team = await kantata.participations.list(workspace_id=1, include=["user"])
    named = await kantata.users.list(by_full_name="Karim Jackson")
    role = await kantata.roles.create(name="Night watch for Karim")
    with pytest.raises(ValidationError) as refused:
        await kantata.participations.create(workspace_id=1, user_id=99999, role="maven")
    return (
        me.id,
        [(one.id, one.user.id, one.role, one.created_at) for one in team],
        [one.id for one in named],
        role.id,
        refused.value.status,
    )


async def test_what_was_recorded_is_replayed_without_a_server(tmp_path: Path) -> None:
    """The same ids, links, times, words and errors, with another token and nobody to answer."""
    cassettes = recorder(tmp_path)
    async with Sandbox() as sandbox:
        url = sandbox.url
        with cassettes.use_cassette("team"):
            async with KantataSession(token=sandbox.token, base_url=url, rate_limit=None, retry=NEVER) as kantata:
                recorded = await some_traffic(kantata)
    with recorder(tmp_path, record="none").use_cassette("team"):
        async with KantataSession(token="another", base_url=url, rate_limit=None, retry=NEVER) as kantata:
            assert await some_traffic(kantata) == recorded


async def test_nothing_leaks(tmp_path: Path) -> None:
    """No token, name, address, title or rate of the company is in what was recorded."""
    async with Sandbox() as sandbox:
        with recorder(tmp_path).use_cassette("all"):
            async with KantataSession(token=sandbox.token, base_url=sandbox.url, rate_limit=None) as kantata:
                await some_traffic(kantata)
                await kantata.workspaces.list(include=["participations", "creator"])
                await kantata.stories.list(include=["assignees"])
                await kantata.time_entries.list(include=["user"])
        text = cassette(tmp_path / "all.yaml")
        assert sandbox.token not in text
        assert "Authorization" not in text
        for collection, name in (("users", "full_name"), ("users", "email_address"), ("workspaces", "title")):
            secrets = [one[name] for one in sandbox.store.all(collection)]
            assert [one for one in secrets if one and one in text] == []


async def some_files(kantata: KantataSession, folder: Path) -> list[tuple[Any, ...]]:
    """A file of each kind downloaded: what must be the same again, and what each holds."""
    sent = ((b"earns 95,000", "Ada Moreau.txt"), (b'{"paid to": "Ada Moreau"}', "Ada.json"), (b"", "nothing.txt"))
    receipts = [await kantata.attachments.upload(io.BytesIO(one), type="receipt", filename=name) for one, name in sent]
    invoices = await kantata.invoices.list(per_page=1)
    definition: Any = {"users": {"columns": ["id", "full_name"]}}
    saved = [
        *[await kantata.attachments.download(one, folder / one.id) for one in receipts],
        await kantata.users.download_photo(2, folder / "photo"),
        await kantata.exports.run(folder / "users.csv", export_definition=definition),
        await kantata.invoices.download(next(iter(invoices)).id, folder / "invoice"),
    ]
    return [(one.size, one.content_type, one.path.read_bytes()) for one in saved if one.path is not None]


@pytest.mark.parametrize("kept", [False, True], ids=["replaced", "kept"])
async def test_files_are_replayed(tmp_path: Path, kept: bool) -> None:
    """As many bytes of the same type: others, and under other names, unless they may be kept."""

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    def traffic(token: str) -> KantataSession:
        return KantataSession(token=token, base_url=url, rate_limit=None, retry=NEVER, sleep=at_once)

    for name in ("recorded", "replayed"):
        (tmp_path / name).mkdir()
    async with Sandbox(people=5, projects=2) as sandbox:
        url = sandbox.url
        with recorder(tmp_path, keep_files=kept).use_cassette("files"):
            async with traffic(sandbox.token) as kantata:
                recorded = await some_files(kantata, tmp_path / "recorded")
        people = [one["full_name"] for one in sandbox.store.all("users")]
    with recorder(tmp_path, record="none", keep_files=kept).use_cassette("files"):
        async with traffic("another") as kantata:
            replayed = await some_files(kantata, tmp_path / "replayed")
    assert recorded[0][2] == b"earns 95,000"
    assert replayed == [(size, kind, data if kept else b"*" * size) for size, kind, data in recorded]
    if not kept:
        text = cassette(tmp_path / "files.yaml")
        assert [one for one in (*people, "Ada", "Moreau", "95,000") if one in text] == []


async def test_a_file_is_found_where_an_answer_redirects_to(tmp_path: Path) -> None:
    """And nothing of the address, whose path and signature say what it is, is kept."""
    signed = "/storage/Ada%20Moreau.png?signature=s3cret"
    script = [
        json_answer({"users": {"7": {"id": "7", "photo_path": "https://files.example/Ada@2x.png"}}}),
        json_answer({}, 302, location=signed),
        json_answer({"in": "Ada"}),
    ]

    async def asked(session: aiohttp.ClientSession) -> list[tuple[str, bytes]]:
        async with session.get(f"{url}/users/7", headers={"accept": "application/json"}) as answer:
            users = await answer.json()
        async with session.get(f"{url}/users/7/photo", allow_redirects=False) as answer:
            location = urljoin(f"{url}/", answer.headers["location"])
        async with session.get(location) as answer:
            return [(users["users"]["7"]["photo_path"], await answer.read())]

    async with Server(script) as server:
        url = server.url
        with recorder(tmp_path).use_cassette("redirected"):
            async with aiohttp.ClientSession() as session:
                assert await asked(session) == [("https://files.example/Ada@2x.png", b'{"in": "Ada"}')]
    with recorder(tmp_path, record="none").use_cassette("redirected"):
        async with aiohttp.ClientSession() as session:
            assert await asked(session) == [("https://example.com/photo_path/7", b"*" * 13)]
    text = cassette(tmp_path / "redirected.yaml")
    assert [one for one in ("Ada", "s3cret", "files.example") if one in text] == []


def test_a_link_to_an_object_leads_to_no_file() -> None:
    """The answer to it stays an object."""
    traffic = ScrubbedTraffic((), keep_files=False)
    address = "https://api.mavenlink.com/api/v1/users/7"
    body = {"users": {"7": {"id": "7", "url": address}}}
    answered = {"status": {"code": 200}, "headers": {}, "body": {"string": msgspec.json.encode(body)}}
    for _ in range(2):
        assert traffic.request(Request("GET", address, None, {})).uri == address
        scrubbed = traffic.answer(answered)["body"]["string"]
        assert msgspec.json.decode(scrubbed) == {"users": {"7": {"id": "7", "url": "https://example.com/url/7"}}}


async def test_what_may_be_kept_is_kept(tmp_path: Path) -> None:
    """An attribute that a program needs as it was can be named."""
    async with Sandbox() as sandbox:
        with recorder(tmp_path, keep=["title"]).use_cassette("titles"):
            async with KantataSession(token=sandbox.token, base_url=sandbox.url, rate_limit=None) as kantata:
                project = await kantata.workspaces.get(1)
    assert project.title in cassette(tmp_path / "titles.yaml")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("full_name", "Ada Moreau", "full_name 7"),
        ("email_address", "ada@corp.example", "person7@example.com"),
        ("headline", "write to ada@corp.example", "person7@example.com"),
        ("photo_path", "https://cdn.example/ada.png", "https://example.com/photo_path/7"),
        ("photo_path", "https://cdn.example/ada@2x.png", "https://example.com/photo_path/7"),
        ("filesize", 31, 31),
        ("phone", "004930123456", "phone 7"),
        ("title", "Secret merger", "title 7"),
        ("created_at", "2026-01-01T08:00:00-08:00", "2026-01-01T08:00:00-08:00"),
        ("due_date", "2026-01-01", "2026-01-01"),
        ("role", "maven", "maven"),
        ("user_id", "9", "9"),
        ("user_ids", ["9", "10"], ["9", "10"]),
        ("rate_in_cents", 24500, 100),
        ("value", 95000, 100),
        ("value", "95000", "value 7"),
        ("zip_code", "10115", "zip_code 7"),
        ("billability_target", 80.5, 100),
        ("count", 250, 250),
        ("page_number", 3, 3),
        ("story_id", 12, 12),
        ("bill_rate", "245.00", "bill_rate 7"),
        ("time_in_minutes", 90, 90),
        ("archived", False, False),
        ("manager_id", None, None),
        ("note", "", ""),
        ("external_reference", {"external_message": "failed for Ada"}, {"external_message": "external_message 7"}),
    ],
)
def test_a_value(name: str, value: Any, kept: Any) -> None:
    """What stays of an attribute of object 7."""
    body = msgspec.json.encode({"users": {"7": {"id": "7", name: value}}})
    assert msgspec.json.decode(scrubbed_body(body, ())) == {"users": {"7": {"id": "7", name: kept}}}


@given(
    name=st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=12).filter(
        lambda name: name not in {"id", "key", "field", "type", "role", "state", "order", "only", "page", "index"}
    ),
    secret=st.text(st.characters(categories=["Lu"]), min_size=8, max_size=30),
    depth=st.integers(0, 3),
)
def test_no_text_survives_that_is_not_on_a_list(name: str, secret: str, depth: int) -> None:
    """Wherever it stands in a body."""
    value: Any = secret
    for level in range(depth):
        value = [value] if level % 2 else {name: value}
    assert secret not in scrubbed_body(msgspec.json.encode({"skills": {"1": {name: value}}}), ()).decode()


@pytest.mark.parametrize(
    "body", [b"<html>Ada</html>", "name=Ada&code=secret", b"\x89PNG", b'{"a": ', b"--x\r\nAda", (b"Ada", b"Moreau")]
)
def test_a_body_that_is_no_json_is_not_kept(body: object) -> None:
    """A page of a proxy, a form, a file: nothing of it stays."""
    assert scrubbed_body(body, ()) == b"***"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (
            "https://api.mavenlink.com/api/v1/users?include=skills,role&per_page=200&only=1,2",
            "https://api.mavenlink.com/api/v1/users?include=skills,role&per_page=200&only=1,2",
        ),
        (
            "https://x.example/users?by_email_address=a%40b.example",
            "https://x.example/users?by_email_address=person%40example.com",
        ),
        ("https://x.example/users?search=Ada", "https://x.example/users?search=search"),
        ("https://me:secret@x.example/users#Ada", "https://x.example/users"),
        ("https://x.example/oauth?code=SECRET", "https://x.example/oauth?code=code"),
        ("https://x.example/users?participant_in=7&rate=7", "https://x.example/users?participant_in=7&rate=rate"),
        ("https://x.example/invoices/7.pdf", "https://x.example/invoices/7.pdf"),
        ("https://x.example/users/ada@corp.example", "https://x.example/users/***"),
        ("https://x.example/api/v1/files/4/Ada%20Moreau.pdf", "https://x.example/api/v1/files/4/***"),
    ],
)
def test_a_url(url: str, kept: str) -> None:
    """What a query says of people is replaced, what says how to ask stays."""
    assert scrubbed_url(url, ()) == kept


def test_headers_are_kept_by_a_list_of_what_is_allowed() -> None:
    """Whatever else a program or a proxy adds is not kept."""
    headers = {"Accept": "a", "authorization": "b", "Cookie": "c", "X-Api-Key": "d", "Proxy-Authorization": "e"}
    assert kept_headers(headers, KEPT_REQUEST_HEADERS) == {"Accept": "a"}
