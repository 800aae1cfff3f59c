"""Sessions in several processes: a pool of the standard library, and a worker of Celery's with forked processes."""

from __future__ import annotations

import asyncio
import pickle
import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from redis import Redis
from serving import running

from benchmarks._redis_server import RedisServer
from examples.workers import celery_app, processes
from kantata_async import KantataSession, UsageError
from kantata_async.sandbox import Sandbox, ServerRateLimit, ThreadedSandbox

IDS = [str(number) for number in range(1, 21)]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedSandbox]:
    with Sandbox.in_thread(people=60, projects=4) as sandbox:
        monkeypatch.setenv("KANTATA_TOKEN", sandbox.token)
        monkeypatch.setenv("KANTATA_BASE_URL", sandbox.url)
        yield sandbox


@pytest.fixture
async def redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RedisServer]:
    async with RedisServer(str(tmp_path)) as server:
        monkeypatch.setenv("REDIS_URL", server.url)
        yield server


def names_in(sandbox: ThreadedSandbox) -> set[str]:
    return {str(user["full_name"]) for user in sandbox.store.all("users") if user["id"] in IDS}


async def test_processes_share_one_limit(sandbox: ThreadedSandbox, redis: RedisServer) -> None:
    """Each with its own session; what they read together is what was asked for."""
    read = await asyncio.to_thread(processes.names_by_processes, IDS)
    assert set(read) == names_in(sandbox)
    assert sandbox.count("GET", "/users") == 2
    with Redis.from_url(redis.url) as client:
        assert client.keys() != []


async def test_a_pool_is_told_what_to_do_with_a_session(sandbox: ThreadedSandbox) -> None:
    """A session passed to another process is refused before that process gets it, in words that help."""
    async with KantataSession() as kantata:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            passed = pool.submit(pickle.dumps, kantata.users)
            with pytest.raises(UsageError, match="open one in each process"):
                await asyncio.wrap_future(passed)


async def test_celery_tasks_run(sandbox: ThreadedSandbox, redis: RedisServer, tmp_path: Path) -> None:
    """A worker with two forked processes: a session each, no more than the server's limit, and an end in good order."""
    sandbox.rate_limits = [ServerRateLimit(30, 1.0)]
    celery_app.app.conf.update(broker_url=redis.url, result_backend=redis.url)
    command = ["celery", "--app", "examples.workers.celery_app", "worker", "--pool", "prefork", "--concurrency", "2"]
    with running([*command, "--loglevel", "INFO"], sandbox, tmp_path / "log", re.compile(r" ready\.")):
        results = [celery_app.name_of.delay(id) for id in IDS]
        names = await asyncio.to_thread(lambda: [result.get(timeout=30) for result in results])
    assert set(names) == names_in(sandbox)
    assert {request.status for request in sandbox.requests} == {200}
