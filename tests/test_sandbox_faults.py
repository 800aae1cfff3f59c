"""What goes wrong on purpose: faults before and after the commit, rate limits, latency; and the life cycle."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import aiohttp
import pytest
from waiting import until

from kantata_async.sandbox import Fault, Sandbox, ServerRateLimit
from kantata_async.sandbox.server.limits import MeteredLimits

pytestmark = pytest.mark.company(people=20, projects=6)

BODY = {"participation": {"workspace_id": 2, "user_id": 9, "role": "maven"}}


def created(sandbox: Sandbox) -> int:
    return len(list(sandbox.store.referring("participations", "workspace_id", "2")))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["disconnect", "reset", "hang"])
async def test_lost_answers(sandbox: Sandbox, session: aiohttp.ClientSession, kind: Any, when: Any) -> None:
    """The connection ends without an answer; the write happened only when the fault came after it."""
    sandbox.faults.add(Fault(kind, when=when, method="POST", seconds=0.05))
    with pytest.raises(aiohttp.ClientError):
        await session.post(f"{sandbox.url}/participations", json=BODY)
    assert created(sandbox) == sandbox.committed == (when == "after")
    assert sandbox.requests[-1].status is None
    assert sandbox.requests[-1].committed is (when == "after")
    async with session.post(f"{sandbox.url}/participations", json=BODY) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "identified"),
    [
        (Fault("status", status=503, headers={"Retry-After": "1"}), 503, "application/json", True),
        (Fault("proxy", status=504), 504, "text/html", False),
        (Fault("empty", status=502), 502, "application/octet-stream", True),
        (Fault("empty"), 204, "application/octet-stream", True),
        (Fault("html"), 200, "text/html", True),
        (Fault("redirect", headers={"Location": "https://login.example/"}), 302, "application/octet-stream", True),
    ],
)
async def test_other_answers(
    sandbox: Sandbox,
    session: aiohttp.ClientSession,
    fault: Fault,
    status: int,
    content_type: str,
    identified: bool,
) -> None:
    """A status, a proxy's page, nothing at all, a page instead of JSON, or a redirect takes the answer's place."""
    sandbox.faults.add(fault)
    async with session.get(f"{sandbox.url}/users", allow_redirects=False) as response:
        assert response.status == status
        assert response.content_type == content_type
        assert ("x-request-id" in response.headers) is identified
        assert fault.headers.items() <= dict(response.headers).items()
        await response.read()
    assert sandbox.requests[-1].status == status


async def test_broken_bodies(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    """Half the JSON as if it were all, half of it and then the end, and one that does not end."""
    sandbox.faults.add(Fault("truncated", when="after"), Fault("cut", when="after"), Fault("endless"))
    async with session.get(f"{sandbox.url}/users") as response:
        raw = await response.read()
        assert int(response.headers["Content-Length"]) == len(raw)
        with pytest.raises(json.JSONDecodeError):
            json.loads(raw)
    with pytest.raises(aiohttp.ClientPayloadError):
        async with session.get(f"{sandbox.url}/users") as response:
            await response.read()
    async with session.get(f"{sandbox.url}/users") as response:
        assert len(await response.content.readexactly(1_000_000)) == 1_000_000
        response.close()
    async with session.get(f"{sandbox.url}/users") as response:
        assert (await response.json())["results"]


async def test_which_requests_a_fault_is_about(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    """By method and path, after some are let pass, so many times, or always."""

    async def status(method: str, path: str) -> int:
        async with session.request(method, sandbox.url + path) as response:
            return response.status

    sandbox.faults.add(Fault("status", status=500, method="GET", path="/users/{id}", skip=1, times=2))
    assert [await status("GET", p) for p in ("/users", "/users/1", "/users/2", "/users/1.json", "/users/1")] == [
        200,
        200,
        500,
        500,
        200,
    ]
    assert len(sandbox.faults) == 0
    sandbox.faults.add(Fault("status", status=502, path="/wor*", times=None))
    assert [await status("GET", "/workspaces/1") for _ in range(3)] == [502] * 3
    sandbox.faults.clear()
    assert await status("GET", "/workspaces/1") == 200
    sandbox.faults.add(Fault("status", status=500, probability=0.5, times=None))
    seen = {await status("GET", "/users/me") for _ in range(30)}
    assert seen == {200, 500}
    with pytest.raises(ValueError, match="kind"):
        Fault("explode")  # type: ignore[arg-type]


async def test_a_refused_request_commits_nothing(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    """A fault after a request that was refused leaves it uncommitted."""
    sandbox.faults.add(Fault("disconnect", when="after"))
    with pytest.raises(aiohttp.ClientError):
        await session.post(f"{sandbox.url}/participations", json={"participation": {}})
    assert sandbox.committed == 0


async def test_rate_limit_answers_429_and_carries_nothing_out(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    """Beyond the limit 429 without a header that says how long; by switch with one; the log knows."""
    sandbox.rate_limits = [ServerRateLimit(2, 60, method="POST", path="/participations")]
    answers = []
    for retry_after in (None, None, None, "seconds", "date"):
        sandbox.switches.retry_after = retry_after
        async with session.post(f"{sandbox.url}/participations", json=BODY) as response:
            answers.append((response.status, response.headers.get("Retry-After")))
    assert answers[:4] == [(200, None), (200, None), (429, None), (429, "60")]
    assert answers[4][0] == 429
    assert str(answers[4][1]).endswith("GMT")
    assert created(sandbox) == sandbox.committed == 2
    assert [request.status for request in sandbox.requests] == [200, 200, 429, 429, 429]
    async with session.get(f"{sandbox.url}/users") as response:
        assert response.status == 200
    sandbox.rate_limits = ()
    async with session.post(f"{sandbox.url}/participations", json=BODY) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("kind", "admitted"),
    [
        ("fixed_window", [0.0, 0.9, 1.0, 1.0]),
        ("sliding_window", [0.0, 0.9, 1.0, 1.9]),
        ("token_bucket", [0.0, 0.0, 0.5, 1.0, 1.5]),
    ],
)
def test_kinds_of_limits(kind: Any, admitted: list[float]) -> None:
    """Two requests in a second: by window, by sliding window, and by a bucket that refills evenly."""
    limits = MeteredLimits([ServerRateLimit(2, 1.0, kind)])
    tries = [0.0, 0.0, 0.0, 0.5, 0.5, 1.0, 1.0, 1.5] if kind == "token_bucket" else [0.0, 0.9, 0.95, 1.0, 1.0, 1.5, 1.9]
    assert [at for at in tries if limits.admit("GET", "/users", at) == 0][: len(admitted)] == admitted


async def test_latency_delays_without_blocking(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    """Ten requests at once take as long as one."""
    sandbox.latency = 0.1
    started = time.perf_counter()

    async def one() -> int:
        async with session.get(f"{sandbox.url}/users/me") as response:
            return response.status

    assert await asyncio.gather(*(one() for _ in range(10))) == [200] * 10
    assert 0.1 <= time.perf_counter() - started < 0.9


async def test_control_calls(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    """Another process orders faults, reads the log, sets switches, and founds the company anew, without the token."""
    base = sandbox.url.removesuffix("/api/v1") + "/_sandbox"
    async with aiohttp.ClientSession() as outside:
        async with outside.post(f"{base}/faults", json={"kind": "status", "status": 500}) as response:
            assert response.status == 204
        async with outside.get(f"{base}/faults") as response:
            assert (await response.json())["faults"][0]["kind"] == "status"
        async with session.post(f"{sandbox.url}/participations", json=BODY) as response:
            assert response.status == 500
        async with outside.get(f"{base}/log") as response:
            logged = (await response.json())["requests"]
            assert [(entry["method"], entry["status"], entry["body"]) for entry in logged] == [("POST", 500, BODY)]
        async with outside.put(f"{base}/switches", json={"bulk_order": "sent", "latency": 0}) as response:
            assert response.status == 204
        assert sandbox.switches.bulk_order == "sent"
        async with outside.post(f"{base}/seed", json={"seed": 7, "people": 5, "projects": 2}) as response:
            assert response.status == 204
        assert sandbox.store.count("users") == 5
        assert sandbox.requests == []
        for method, path, body in (("POST", "/faults", {"kind": "x"}), ("PUT", "/switches", {"hat": 1})):
            async with outside.request(method, base + path, json=body) as response:
                assert response.status == 400
        async with outside.get(f"{base}/nothing") as response:
            assert response.status == 404


async def test_the_same_seed_founds_the_same_company() -> None:
    """Records and their times depend on seed and sizes alone."""

    def company(seed: int) -> dict[str, Any]:
        store = Sandbox(seed=seed, people=30, projects=8).store
        return {name: store.all(name) for name in store}

    assert company(1) == company(1)
    assert company(1) != company(2)


async def test_a_large_company_is_founded_quickly_and_mostly_unstaffed() -> None:
    """260 people and 6 projects in well under a second of the processor's time, most people on no project yet."""
    started = time.process_time()
    async with Sandbox(people=260, projects=6) as sandbox:
        assert time.process_time() - started < 2
        users = sandbox.store.all("users")
        assert len({user["full_name"] for user in users}) == len({user["email_address"] for user in users}) == 260
        busy = {participation["user_id"] for participation in sandbox.store.all("participations")}
        assert len(busy) < 60
    assert Sandbox(people=1, projects=0).store.count("users") == 1


async def test_start_and_stop() -> None:
    """A port can be asked for; starting twice is an error, stopping twice is not; a hanging answer holds nothing up."""
    sandbox = Sandbox(people=2, projects=1, token="known")
    await sandbox.start()
    with pytest.raises(RuntimeError):
        await sandbox.start()
    port = int(sandbox.url.split(":")[2].split("/")[0])
    sandbox.faults.add(Fault("hang", seconds=60))
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer known"}) as session:
        waiting = asyncio.create_task(session.get(f"{sandbox.url}/users"))
        await until(lambda: sandbox.count("GET", "/users") == 1)
        started = time.perf_counter()
        await sandbox.stop()
        assert time.perf_counter() - started < 3
        with pytest.raises(aiohttp.ClientError):
            await waiting
    await sandbox.stop()
    async with Sandbox(people=2, projects=1, port=port) as again:
        assert f":{port}/" in again.url


def test_leaves_nothing_open() -> None:
    """Under the development mode of Python, with warnings as errors, nothing is left open."""
    program = """
import asyncio, aiohttp
from kantata_async.sandbox import Fault, Sandbox
async def main():
    async with Sandbox(people=5, projects=2) as sandbox:
        sandbox.faults.add(Fault("disconnect"), Fault("reset"), Fault("cut"))
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {sandbox.token}"}) as session:
            for _ in range(4):
                try:
                    async with session.get(f"{sandbox.url}/users") as response:
                        await response.read()
                except aiohttp.ClientError:
                    pass
asyncio.run(main())
"""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "Traceback" not in done.stderr
