"""A sandbox in a separate thread, used by code that has no event loop."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kantata_async import KantataSession
from kantata_async.sandbox import Fault, Sandbox, ServerRateLimit, Switches, ThreadedSandbox

ROLE = {"role": {"name": "Glazier"}}


def send(sandbox: ThreadedSandbox, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    request = urllib.request.Request(sandbox.url + path, method=method, data=body and json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {sandbox.token}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_a_synchronous_program_uses_it() -> None:
    """Requests, the store, the log and a new company, without a loop in sight."""
    with Sandbox.in_thread(people=5, projects=2, token="known") as sandbox:
        assert send(sandbox, "GET", "/users/me")[1]["results"] == [{"key": "users", "id": "1"}]
        assert sandbox.token == "known"
        status, made = send(sandbox, "POST", "/roles", ROLE)
        assert status == 200
        stored = sandbox.store.get("roles", made["results"][0]["id"])
        assert stored is not None
        assert stored["name"] == "Glazier"
        assert sandbox.store.count("users") == 5
        assert "users" in list(sandbox.store)
        assert len(sandbox.store) > 100
        assert sandbox.count("POST", "/roles") == sandbox.committed == 1
        assert [request.method for request in sandbox.requests] == ["GET", "POST"]
        sandbox.clear_log()
        assert sandbox.requests == []
        sandbox.reset(people=7)
        assert sandbox.store.count("users") == 7
        assert sandbox.store.get("roles", made["results"][0]["id"]) is None


def test_faults_limits_switches_and_the_clock_from_outside() -> None:
    """What a test orders happens to the next request."""
    with Sandbox.in_thread(people=5, projects=2) as sandbox:
        sandbox.faults.add(Fault("status", status=503), Fault("status", status=500))
        assert len(sandbox.faults) == 2
        assert send(sandbox, "GET", "/users")[0] == 503
        assert [fault.status for fault in sandbox.faults] == [500]
        sandbox.faults.clear()
        sandbox.switches = Switches(refuse_unknown=False)
        assert send(sandbox, "GET", "/users?shoe_size=3")[0] == 200
        sandbox.switches.refuse_unknown = True
        assert send(sandbox, "GET", "/users?shoe_size=3")[0] == 400
        before = sandbox.clock.now()
        sandbox.clock.advance(86_400)
        assert (sandbox.clock.now() - before).days == 1
        sandbox.rate_limits = [ServerRateLimit(1, 60)]
        assert [send(sandbox, "GET", "/users")[0] for _ in range(2)] == [200, 429]
        assert sandbox.rate_limits[0].requests == 1
        sandbox.latency = 0.01
        assert sandbox.latency == 0.01


def test_a_session_in_a_loop_of_its_own_uses_it() -> None:
    """The client's loop and the sandbox's are two."""

    async def names(sandbox: ThreadedSandbox) -> int:
        async with KantataSession(token=sandbox.token, base_url=sandbox.url) as kantata:
            return len(await kantata.users.list())

    with Sandbox.in_thread(people=5, projects=2) as sandbox:
        assert asyncio.run(names(sandbox)) == 5


def test_the_store_can_be_read_while_it_is_written() -> None:
    """Many threads write over HTTP and read the store at once; what they read is whole."""
    with Sandbox.in_thread(people=5, projects=2) as sandbox, ThreadPoolExecutor(8) as pool:
        writing = [pool.submit(send, sandbox, "POST", "/roles", {"role": {"name": f"Role {n}"}}) for n in range(60)]
        while not all(future.done() for future in writing):
            records = sandbox.store.records("roles")
            assert all(record["id"] == identity for identity, record in records.items())
            assert len(sandbox.store.all("roles")) >= len(records)
        assert {future.result()[0] for future in writing} == {200}
        assert sandbox.committed == 60


def test_its_life() -> None:
    """A port that is taken is told, nothing keeps running, and what happened can still be looked at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address already in use"):
            Sandbox.in_thread(port=taken.getsockname()[1], people=2, projects=1).start()
    running = threading.active_count()
    sandbox = Sandbox.in_thread(people=2, projects=1)
    with sandbox:
        with pytest.raises(RuntimeError, match="already"):
            sandbox.start()
        sandbox.faults.add(Fault("hang", seconds=60))
        with ThreadPoolExecutor() as pool:
            hanging = pool.submit(send, sandbox, "GET", "/users")
            while sandbox.count("GET", "/users") == 0:
                pass
            sandbox.stop()
            assert isinstance(hanging.exception(), OSError)
    assert threading.active_count() == running
    assert sandbox.count() == 1
    assert sandbox.store.count("users") == 2
    sandbox.stop()
