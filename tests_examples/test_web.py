"""The web service under real servers and under load, with a process that has just started and one that has learnt."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from serving import COMMANDS, served

from kantata_async.sandbox import Fault, Sandbox, ServerRateLimit, ThreadedSandbox

PATIENCE: Final = 2.0
GRACE: Final = 1.0
"""What two busy cores may add to the two seconds of a handler."""


@pytest.fixture
def sandbox() -> Iterator[ThreadedSandbox]:
    with Sandbox.in_thread(people=60, projects=4) as sandbox:
        yield sandbox


class Burst:
    """What became of requests that were sent together."""

    def __init__(self, answers: list[tuple[int, float]]) -> None:
        self.statuses = Counter(status for status, _ in answers)
        self.longest = max(seconds for _, seconds in answers)

    @property
    def served(self) -> int:
        """How many got what they asked for."""
        return self.statuses[200]


async def burst(session: aiohttp.ClientSession, url: str, number: int) -> Burst:
    """So many people who ask at once."""

    async def ask(id: int) -> tuple[int, float]:
        began = time.monotonic()
        async with session.get(f"{url}/people/{id % 20 + 1}") as answer:
            await answer.read()
        return answer.status, time.monotonic() - began

    return Burst(await asyncio.gather(*(ask(id) for id in range(number))))


@pytest.mark.parametrize("server", list(COMMANDS))
async def test_it_runs_under(server: str, sandbox: ThreadedSandbox, tmp_path: Path) -> None:
    """A session for each worker process, opened and closed with it."""
    with served(server, sandbox, tmp_path / "log") as url:
        async with aiohttp.ClientSession() as session:
            assert (await burst(session, url, 10)).statuses == {200: 10}
            async with session.get(f"{url}/people/99999") as answer:
                assert answer.status == 404


async def test_no_handler_hangs_when_the_server_refuses(sandbox: ThreadedSandbox, tmp_path: Path) -> None:
    """Cold or warm, whoever cannot be served in time is told so in time; what was learnt serves more of them."""
    sandbox.rate_limits = [ServerRateLimit(40, 1.0, "sliding_window")]
    with served("uvicorn", sandbox, tmp_path / "log") as url:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            cold = await burst(session, url, 100)
            for _ in range(4):
                await burst(session, url, 100)
            warm = await burst(session, url, 100)
    for one in (cold, warm):
        assert one.longest < PATIENCE + GRACE
        assert one.statuses.keys() <= {200, 503, 504}
        assert one.served > 0
    assert warm.served > cold.served
    assert sum(request.status == 429 for request in sandbox.requests) < len(sandbox.requests) / 4


async def test_no_handler_hangs_when_all_is_refused(sandbox: ThreadedSandbox, tmp_path: Path) -> None:
    """429 to everyone for good, or no answer at all: a typed error in time, and served again right after."""
    with served("uvicorn", sandbox, tmp_path / "log") as url:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            for fault in (Fault("status", status=429, times=None), Fault("hang", times=None)):
                sandbox.faults.add(fault)
                refused = await burst(session, url, 30)
                assert refused.longest < PATIENCE + GRACE
                assert refused.statuses.keys() <= {503, 504}
                sandbox.faults.clear()
            async with asyncio.timeout(20):
                while (await burst(session, url, 1)).served == 0:
                    pass
