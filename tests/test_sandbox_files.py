"""Files in the sandbox: uploads in one step and in three, downloads whole and in part, exports that take their time."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import aiohttp
import pytest
from sandbox_calls import Caller, ids

from kantata_async.sandbox import Fault, Sandbox

pytestmark = pytest.mark.company(people=12, projects=5)

PDF = b"%PDF-1.4 " + bytes(range(256)) * 40


async def upload(sandbox: Sandbox, content: bytes = PDF, name: str = "taxi.pdf") -> dict[str, Any]:
    form = aiohttp.FormData()
    form.add_field("attachment[type]", "receipt")
    form.add_field("attachment[data]", content, filename=name, content_type="application/pdf")
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{sandbox.url}/attachments", data=form) as response,
    ):
        payload = await response.json()
        assert response.status == 200, payload
        return dict(payload["attachments"][ids(payload)[0]])


async def fetch(session: aiohttp.ClientSession, url: str, **headers: str) -> tuple[int, bytes, Any]:
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    async with session.get(url, headers=spelled) as response:
        return response.status, await response.read(), response.headers


async def test_a_receipt_comes_down_as_it_went_up(
    sandbox: Sandbox, call: Caller, anonymous: aiohttp.ClientSession
) -> None:
    """It hangs on its expense, and is read without the token; deleted, it is gone from both."""
    made = await upload(sandbox)
    assert (made["filename"], made["filesize"]) == ("taxi.pdf", len(PDF))
    spent = {
        "workspace_id": 1,
        "date": "2026-09-01",
        "category": "Travel",
        "amount_in_cents": 4200,
        "expense_category_id": 1,
    }
    body = {"expense": {**spent, "receipt_id": int(made["id"])}}
    _, expense = await call("POST", "/expenses", body, include="receipt")
    assert expense["expenses"][ids(expense)[0]]["receipt_id"] == made["id"]
    url = expense["attachments"][made["id"]]["url"]
    status, content, headers = await fetch(anonymous, url)
    assert (status, content, headers["Content-Type"]) == (200, PDF, "application/pdf")
    assert "taxi.pdf" in headers["Content-Disposition"]
    assert (await call("DELETE", f"/attachments/{made['id']}"))[0] == 204
    assert (await fetch(anonymous, url))[0] == 404
    assert sandbox.store.records("expenses")[ids(expense)[0]]["receipt_id"] is None


async def test_a_renamed_attachment_has_another_address(
    sandbox: Sandbox, call: Caller, anonymous: aiohttp.ClientSession
) -> None:
    """The file is the same; the old address leads nowhere."""
    made = await upload(sandbox)
    _, renamed = await call("PUT", f"/attachments/{made['id']}", {"attachment": {"filename": "Größe & co.pdf"}})
    shown = renamed["attachments"][made["id"]]
    assert shown["filename"] == "Größe & co.pdf"
    assert (await fetch(anonymous, shown["url"]))[:2] == (200, PDF)
    assert (await fetch(anonymous, made["url"]))[0] == 404


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-99", 206, 0, 99),
        ("bytes=100-", 206, 100, len(PDF) - 1),
        ("bytes=-50", 206, len(PDF) - 50, len(PDF) - 1),
        (f"bytes=10-{len(PDF) * 2}", 206, 10, len(PDF) - 1),
        (f"bytes={len(PDF)}-", 416, 0, -1),
        ("bytes=-0", 416, 0, -1),
        ("bytes=9-3", 200, 0, len(PDF) - 1),
        ("bytes=0-1,5-6", 200, 0, len(PDF) - 1),
        ("lines=1-2", 200, 0, len(PDF) - 1),
        ("bytes=-", 200, 0, len(PDF) - 1),
    ],
)
async def test_parts_of_a_file(
    sandbox: Sandbox, anonymous: aiohttp.ClientSession, asked: str, status: int, first: int, last: int
) -> None:
    """A single range that there is, is answered with 206; none of it there, 416; what is no single range is ignored."""
    made = await upload(sandbox)
    found, content, headers = await fetch(anonymous, made["url"], Range=asked)
    assert (found, content) == (status, PDF[first : last + 1])
    expected = {206: f"bytes {first}-{last}/{len(PDF)}", 416: f"bytes */{len(PDF)}", 200: None}[status]
    assert headers.get("Content-Range") == expected


async def test_a_download_goes_on_where_it_was_cut(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """Half of it came; the rest comes by a range while the file is the same, and all of it when it is another."""
    made = await upload(sandbox)
    sandbox.faults.add(Fault("cut", when="after", path="/files*"))
    async with anonymous.get(made["url"]) as response:
        etag = response.headers["ETag"]
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.readexactly(len(PDF))
    got = PDF[: len(PDF) // 2]
    status, rest, _ = await fetch(anonymous, made["url"], Range=f"bytes={len(got)}-", If_Range=etag)
    assert (status, got + rest) == (206, PDF)
    status, whole, _ = await fetch(anonymous, made["url"], Range=f"bytes={len(got)}-", If_Range='"another"')
    assert (status, whole) == (200, PDF)
    sandbox.switches.ranges = False
    status, whole, headers = await fetch(anonymous, made["url"], Range="bytes=5-")
    assert (status, whole, headers["Accept-Ranges"]) == (200, PDF, "none")


async def test_a_direct_upload_in_three_steps(sandbox: Sandbox, call: Caller, anonymous: aiohttp.ClientSession) -> None:
    """The API says where to, the file goes there without the token, and is taken over."""
    asked = {"attachment": {"type": "post_attachment", "direct": True, "filename": "plan.txt"}}
    _, made = await call("POST", "/attachments", asked)
    shown = made["attachments"][ids(made)[0]]
    assert (await call("PUT", f"/attachments/{shown['id']}/sync"))[0] == 422
    form = aiohttp.FormData(shown["fields"])
    form.add_field("file", b"the plan", filename="plan.txt", content_type="text/plain")
    async with anonymous.post(shown["action"], data=form) as response:
        assert response.status == 204
    status, synced = await call("PUT", f"/attachments/{shown['id']}/sync")
    assert status == 200
    kept = synced["attachments"][shown["id"]]
    assert kept["filesize"] == 8
    assert (await fetch(anonymous, kept["url"]))[:2] == (200, b"the plan")


async def test_a_direct_upload_that_is_late_wrong_or_unasked(
    sandbox: Sandbox, call: Caller, anonymous: aiohttp.ClientSession
) -> None:
    """Five seconds by the server's clock, with the fields that were given, to an address that was given."""

    async def send(action: str, fields: dict[str, str]) -> int:
        form = aiohttp.FormData(fields)
        form.add_field("file", b"x", filename="a.txt")
        async with anonymous.post(action, data=form) as response:
            return response.status

    asked = {"attachment": {"type": "receipt", "direct": True, "filename": "a.txt"}}
    made = (await call("POST", "/attachments", asked))[1]
    shown = made["attachments"][ids(made)[0]]
    assert await send(shown["action"], {}) == 422
    assert await send(shown["action"] + "9", shown["fields"]) == 404
    sandbox.clock.advance(6)
    assert await send(shown["action"], shown["fields"]) == 403
    for name in ("a b.txt", "", "../a"):
        refused = {"attachment": {"type": "receipt", "direct": True, "filename": name}}
        assert (await call("POST", "/attachments", refused))[0] == 422


async def test_an_export_is_ready_after_a_while(
    sandbox: Sandbox, call: Caller, anonymous: aiohttp.ClientSession
) -> None:
    """Queued, then ready by the server's clock; its address lasts a minute, and leads to CSV."""
    sandbox.switches.export_seconds = 30
    columns = {"columns": ["id", "full_name"], "filters": {}}
    _, made = await call("POST", "/exports", {"export": {"export_definition": {"users": columns}}}, include="user")
    identity = ids(made)[0]
    assert made["exports"][identity]["status"] == "pending"
    assert made["exports"][identity]["user_id"] == "1"
    assert (await call("GET", f"/exports/{identity}/download_url"))[0] == 422
    assert (await call("GET", f"/exports/{identity}"))[1]["exports"][identity]["status"] == "pending"
    sandbox.clock.advance(31)
    assert (await call("GET", f"/exports/{identity}"))[1]["exports"][identity]["status"] == "success"
    _, download = await call("GET", f"/exports/{identity}/download_url")
    status, content, headers = await fetch(anonymous, download["download_url"])
    assert (status, headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    rows = list(csv.reader(io.StringIO(content.decode())))
    assert rows[0] == ["Id", "Full name"]
    assert rows[1:] == [[user["id"], user["full_name"]] for user in sandbox.store.all("users")]
    sandbox.clock.advance(61)
    assert (await fetch(anonymous, download["download_url"]))[0] == 403


async def test_exports_that_are_cancelled_or_cannot_be(sandbox: Sandbox, call: Caller) -> None:
    """Only what is queued can be cancelled, and stays so; what names no set or column is a 422."""
    sandbox.switches.export_seconds = 5
    asked = {"export": {"export_definition": {"users": {"columns": ["id"]}}}}
    made = ids((await call("POST", "/exports", asked))[1])[0]
    _, cancelled = await call("PUT", f"/exports/{made}", {"export": {"canceled": True}})
    assert cancelled["exports"][made]["status"] == "canceled"
    sandbox.clock.advance(10)
    assert (await call("GET", f"/exports/{made}"))[1]["exports"][made]["status"] == "canceled"
    ready = ids((await call("POST", "/exports", asked))[1])[0]
    sandbox.clock.advance(10)
    assert (await call("PUT", f"/exports/{ready}", {"export": {"canceled": True}}))[0] == 422
    for definition in ({}, {"hats": {"columns": ["id"]}}, {"users": {"columns": []}}, {"users": {"columns": ["hat"]}}):
        assert (await call("POST", "/exports", {"export": {"export_definition": definition}}))[0] == 422


async def test_a_scheduled_report_has_a_file_after_its_first_run(
    sandbox: Sandbox, call: Caller, anonymous: aiohttp.ClientSession
) -> None:
    """None yet, then one, compressed."""
    sandbox.switches.export_seconds = 20
    cadence = {"cadence": "daily", "start_time": "2026-09-01T08:00:00-07:00"}
    job = {"external_report_object_identifier": "/gdc/md/margin", "recurrence": cadence}
    body = {"insights_report_export": job}
    status, made = await call("POST", "/scheduled_jobs/insights_report_exports", body)
    assert status == 200, made
    latest = f"/scheduled_jobs/insights_report_exports/{made['id']}/results/latest"
    assert (await call("GET", latest))[1] == {"latest_success": None}
    sandbox.clock.advance(21)
    _, export = await call("GET", latest)
    status, content, _ = await fetch(anonymous, export["latest_success"]["url"])
    assert status == 200
    assert b"/gdc/md/margin" in gzip.decompress(content)


async def test_an_invoice_as_pdf(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """With the token, in part too; and none of an invoice that there is not."""
    token = {"Authorization": f"Bearer {sandbox.token}"}
    status, content, headers = await fetch(anonymous, f"{sandbox.url}/invoices/1.pdf", **token)
    assert (status, headers["Content-Type"]) == (200, "application/pdf")
    assert content.startswith(b"%PDF-")
    assert content.endswith(b"%%EOF\n")
    part = await fetch(anonymous, f"{sandbox.url}/invoices/1.pdf", **token, Range="bytes=0-4")
    assert part[:2] == (206, b"%PDF-")
    assert (await fetch(anonymous, f"{sandbox.url}/invoices/1.pdf"))[0] == 401
    assert (await fetch(anonymous, f"{sandbox.url}/invoices/9999.pdf", **token))[0] == 404


async def test_photos(sandbox: Sandbox, call: Caller, anonymous: aiohttp.ClientSession) -> None:
    """A photo that was uploaded can be had, until it is reset."""
    form = aiohttp.FormData()
    form.add_field("user[profile_photo_attachment_file]", b"png", filename="me.png", content_type="image/png")
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    async with anonymous.post(f"{sandbox.url}/users/1/profile_photo", data=form, headers=headers) as response:
        url = (await response.json())["users"]["1"]["photo_path"]
    assert (await fetch(anonymous, url))[:2] == (200, b"png")
    assert (await call("DELETE", "/users/1/profile_photo"))[0] == 204
    assert (await fetch(anonymous, url))[0] == 404


async def test_files_are_only_read(sandbox: Sandbox, anonymous: aiohttp.ClientSession) -> None:
    """Its size can be asked for; nothing can be put in its place."""
    made = await upload(sandbox)
    async with anonymous.head(made["url"]) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, str(len(PDF)))
    async with anonymous.put(made["url"]) as response:
        assert response.status == 405
