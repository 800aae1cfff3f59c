"""The limits in a real redis-server on loopback: one meter for all, away and back again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from wire import OK, Server, told

from benchmarks._redis_server import RedisServer
from kantata_async import KantataSession, RateLimit, RateLimits, RedisRateLimit
from kantata_async.errors import ConnectionFailedError, UsageError
from kantata_async.limits import AdaptiveRateLimit
from kantata_async.limits.account import token_digest
from kantata_async.limits.bucket import Bucket
from kantata_async.limits.redis_account import RedisAccount

GENERAL = ("general",)


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with RedisServer(str(tmp_path)) as server:
        yield server


def account(redis: RedisServer, limit: RateLimit | RateLimits | AdaptiveRateLimit, **options: object) -> RedisAccount:
    """One process' view of the limits: each has connections, a cache and a clock of its own."""
    made = RedisAccount(RedisRateLimit(redis.url, limit, **options), token_digest("t"), "https://api.example")  # type: ignore[arg-type]
    made.users = 1
    return made


async def take(account: RedisAccount, names: tuple[str, ...] = GENERAL) -> float:
    """Wait as long as it takes; when it was, on Redis' clock."""
    while True:
        wait, left = await account.take(names, again=False)
        if wait <= 0:
            return left
        await asyncio.sleep(wait)


async def test_processes_share_one_meter(redis: RedisServer) -> None:
    """Three of them together get what the limit allows, and none gets all of it."""
    accounts = [account(redis, RateLimit(50)) for _ in range(3)]
    taken: list[tuple[float, int]] = []

    async def run(number: int) -> None:
        while len(taken) < 30:
            taken.append((await take(accounts[number]), number))

    await asyncio.gather(*map(run, range(3)))
    moments = sorted(left for left, _ in taken)
    assert 0.95 * (len(taken) - 1) / 50 <= moments[-1] - moments[0] <= 1.6 * len(taken) / 50
    assert {number for _, number in taken} == {0, 1, 2}
    for one in accounts:
        await one.close()


async def test_what_one_learns_all_know(redis: RedisServer) -> None:
    """A 429 of one pauses the others, and the rate falls for all."""
    first, second = (account(redis, AdaptiveRateLimit(start=100)) for _ in range(2))
    left = await take(first)
    await take(second)
    await first.answered(GENERAL, left, refused=True, retry_after=0.5)
    wait, _ = await second.take(GENERAL, again=False)
    assert 0.45 < wait <= 1.2
    state = second.states(lambda _name: 0)[0]
    assert state.learnt is not None
    assert state.learnt < 100
    assert state.last_refused is not None
    await first.close()
    await second.close()


async def test_the_meter_in_redis_is_the_bucket(redis: RedisServer) -> None:
    """Step for step: the script decides as `Bucket` does, on the state that it stores."""
    chance = random.Random(5)
    one = account(redis, AdaptiveRateLimit(start=200))
    bucket: Bucket | None = None
    for step in range(60):
        before = one._kept.get("general")
        rate = None if before is None else before.bucket.rate
        wait, left = await one.take(GENERAL, again=False)
        after = one._kept["general"].bucket
        if bucket is not None and wait <= 0:
            assert bucket.wait(left, again=False) <= 1e-3
            bucket.take(left)
            assert after.due == pytest.approx(bucket.due, abs=2e-3)
            assert after.climb == pytest.approx(bucket.climb, abs=1e-3)
            assert (after.sent, after.taken) == (bucket.sent, pytest.approx(bucket.taken, abs=1e-3))
            assert after.paused == pytest.approx(bucket.paused, abs=1e-3)
        elif bucket is not None:
            assert wait == pytest.approx(bucket.wait(left, again=False), abs=2e-3) or left == 0.0
        if wait <= 0 and step % 20 == 10:
            await one.answered(GENERAL, left, refused=True, retry_after=None)
        elif wait <= 0:
            await one.answered(GENERAL, left, refused=False, retry_after=None)
        bucket = one._kept["general"].bucket
        assert rate is None or rate > 0
        await asyncio.sleep(chance.random() * 0.02 + max(0.0, min(wait, 0.2)))
    await one.close()


async def test_nothing_is_taken_from_one_limit_while_another_makes_wait(redis: RedisServer) -> None:
    """In Redis as in the process."""
    one = account(redis, RateLimits(RateLimit(1000), own={"POST /workspaces": RateLimit(0.5)}))
    names = ("general", "POST /workspaces")
    await take(one, names)
    for _ in range(3):
        one._ready.clear()
        wait, _ = await one.take(names, again=False)
        assert wait > 1
    assert one._kept["general"].bucket.sent == 1
    await one.close()


async def test_a_key_says_nothing_of_the_token_and_expires(redis: RedisServer) -> None:
    """Whoever reads Redis learns neither token nor address, and nothing stays for ever."""
    token = "very-secret-token"
    async with (
        Server([OK] * 3) as server,
        KantataSession(token=token, base_url=server.url, rate_limit=RedisRateLimit(redis.url)) as kantata,
    ):
        await kantata.request("GET", "/workspaces")
        async with Redis.from_url(redis.url) as look:
            keys = await look.keys("*")
            kept = b"".join([key + await look.dump(key) for key in keys])
            assert len(keys) == 3
            left = [await look.ttl(key) for key in keys]
            assert all(0 < seconds <= 24 * 3600 for seconds in left)
    assert token.encode() not in kept
    assert b"127.0.0.1" not in kept
    assert token not in repr(kantata)


@pytest.mark.parametrize("other", [{"pepper": "salt"}, {"account": "another"}])
async def test_a_pepper_changes_the_key(redis: RedisServer, other: dict[str, str]) -> None:
    """And an account's name stands for a token that is fetched."""

    async def fetch() -> str:
        return "fetched"

    async with Server([OK] * 3) as server:
        for options in ({"account": "mine"}, {"account": "mine"} | other):
            setting = RedisRateLimit(redis.url, **options)  # type: ignore[arg-type]
            async with KantataSession(token=fetch, base_url=server.url, rate_limit=setting) as kantata:
                await kantata.request("GET", "/users")
    async with Redis.from_url(redis.url) as look:
        assert len([key for key in await look.keys("*") if key.endswith(b"general")]) == 2


async def test_a_fetched_token_needs_a_name(redis: RedisServer) -> None:
    """Else two processes could not know that they share."""

    async def fetch() -> str:
        return "fetched"

    kantata = KantataSession(token=fetch, base_url="http://127.0.0.1:1", rate_limit=RedisRateLimit(redis.url))
    with pytest.raises(UsageError, match="account"):
        await kantata.open()


async def test_while_redis_is_away_each_has_its_part(redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Logged once, and over by itself; what was learnt is told to a Redis that comes back empty."""
    caplog.set_level(logging.INFO, "kantata_async.limits")
    accounts = [account(redis, RateLimit(40)) for _ in range(2)]
    for one in accounts * 2:
        await take(one)
    await redis.stop()
    began, count = time.monotonic(), 0
    while time.monotonic() - began < 0.6:
        await take(accounts[0])
        count += 1
    assert count <= 0.6 * 40 / 2 + 2
    await redis.start()
    while accounts[0]._away_until is not None:
        await take(accounts[0])
    messages = [record.getMessage() for record in caplog.records]
    assert len([message for message in messages if "cannot be reached" in message]) == 1
    assert "1/2" in messages[0]
    assert messages[-1].endswith("can be reached again")
    async with Redis.from_url(redis.url) as look:
        assert await look.keys("*general")
    for one in accounts:
        await one.close()


async def test_while_redis_is_away_each_fails_if_told_so(redis: RedisServer) -> None:
    """Before anything is sent; and goes on when it is back."""
    setting = RedisRateLimit(redis.url, when_away="fail")
    async with (
        Server([OK] * 3) as server,
        KantataSession(token="t", base_url=server.url, rate_limit=setting) as kantata,
    ):
        await kantata.request("GET", "/users")
        await redis.stop()
        with pytest.raises(ConnectionFailedError, match="Redis"):
            await kantata.request("GET", "/users")
        assert len(server.received) == 1
        await redis.start()
        await asyncio.sleep(1.05)
        await kantata.request("GET", "/users")


async def test_a_refused_request_goes_through_redis_once_more(redis: RedisServer) -> None:
    """With the pause that all share; every attempt counted once."""
    script = [told({}, 429), OK, OK]
    async with (
        Server(script) as server,
        KantataSession(token="t", base_url=server.url, rate_limit=RedisRateLimit(redis.url)) as kantata,
    ):
        await kantata.request("GET", "/users")
        assert kantata.limits["general"].learnt is not None
        await kantata.request("GET", "/users")
    assert len(server.received) == 3


async def test_sessions_of_one_loop_use_one_connection_pool(redis: RedisServer) -> None:
    """Closed with the last of them, and never before."""
    async with Server([OK] * 3) as server, Redis.from_url(redis.url) as observer:
        setting = RedisRateLimit(redis.url)
        first = KantataSession(token="t", base_url=server.url, rate_limit=setting)
        async with KantataSession(token="t", base_url=server.url, rate_limit=setting) as second:
            async with first:
                await first.request("GET", "/users")
            await second.request("GET", "/users")
            assert len(await observer.client_list()) == 2
        async with asyncio.timeout(30):
            while len(await observer.client_list()) > 1:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
