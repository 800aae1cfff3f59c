"""The limits in a real redis-server on loopback: one meter for all, away and back again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest
from redis.asyncio import Redis
from wire import OK, Server, json_answer

from benchmarks._redis_server import RedisServer
from kantata_async import KantataSession, RateLimit, RateLimits, RedisRateLimit
from kantata_async.errors import ConnectionFailedError, UsageError
from kantata_async.limits import AdaptiveRateLimit
from kantata_async.limits.redis_account import RedisAccountLimits
from kantata_async.limits.registry import account_digest
from kantata_async.turns import Limiter

GENERAL = ("general",)


def account(
    redis: RedisServer, limit: RateLimit | RateLimits | AdaptiveRateLimit, **options: object
) -> RedisAccountLimits:
    """One process' view of the limits: each has connections, a cache and a clock of its own."""
    setting = RedisRateLimit(redis.url, limit, **options)  # type: ignore[arg-type]
    made = RedisAccountLimits(setting, account_digest("t", "https://api.example"))
    made.sessions.add(made)
    return made


async def wait_for(account: RedisAccountLimits, names: tuple[str, ...] = GENERAL) -> float:
    """Seconds to wait, as Redis says; none when a request was taken."""
    asked = asyncio.Event()
    while (wait := account.take(names, again=False, waiting=1, then=asked.set)) > 0:
        try:
            await asyncio.wait_for(asked.wait(), 0.1)
        except TimeoutError:
            break
        asked.clear()
    return wait


async def take(account: RedisAccountLimits, names: tuple[str, ...] = GENERAL) -> float:
    """Wait as long as it takes; when it was."""
    stirred = asyncio.Event()
    while (wait := account.take(names, again=False, waiting=1, then=stirred.set)) > 0:
        stirred.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(stirred.wait(), wait)
    return account.clock()


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
        await one.close(one)


async def test_what_one_learns_all_know(redis: RedisServer) -> None:
    """A 429 of one pauses the others, and the rate falls for all."""
    first, second = (account(redis, AdaptiveRateLimit(start=100)) for _ in range(2))
    left = await take(first)
    await take(second)
    first.answered(GENERAL, left, refused=True, retry_after=0.5)
    async with asyncio.timeout(5):
        while not second.states(lambda _name: 0)[0].paused_for > 0.05:
            await asyncio.wait([asyncio.ensure_future(take(second))], timeout=0.01)
    assert 0.3 < second.states(lambda _name: 0)[0].paused_for <= 1.2
    state = second.states(lambda _name: 0)[0]
    assert state.learnt is not None
    assert state.learnt < 100
    assert state.last_refused is not None
    await first.close(first)
    await second.close(second)


async def test_nothing_is_taken_from_one_limit_while_another_makes_wait(redis: RedisServer) -> None:
    """In Redis as in the process."""
    one = account(redis, RateLimits(RateLimit(2), own={"POST /workspaces": RateLimit(0.5)}))
    names = ("general", "POST /workspaces")
    await take(one, names)
    for _ in range(3):
        assert await wait_for(one, names) > 1
    assert await wait_for(one) <= 0.5
    await one.close(one)


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
            assert len(keys) == 2
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
        assert len([key for key in await look.keys("*") if key.endswith(b"general+own")]) == 2


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
    async with asyncio.timeout(30):
        while not caplog.messages[-1].endswith("can be reached again"):
            await take(accounts[0])
    messages = caplog.messages
    assert len([message for message in messages if "cannot be reached" in message]) == 1
    assert "1/2" in messages[0]
    async with Redis.from_url(redis.url) as look:
        assert await look.keys("*general+own")
    for one in accounts:
        await one.close(one)


async def test_redis_is_asked_again_though_nothing_makes_wait(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A process that sends too little to wait for its part finds Redis again as well."""
    caplog.set_level(logging.INFO, "kantata_async.limits")
    one = account(redis, RateLimit(1000))
    limiter = Limiter(10, one)
    await redis.stop()
    async with limiter.slot("GET", "/users"):
        assert "cannot be reached" in caplog.messages[-1]
    await redis.start()
    async with asyncio.timeout(30):
        while not caplog.messages[-1].endswith("can be reached again"):
            async with limiter.slot("GET", "/users"):
                await asyncio.sleep(0.01)
    await one.close(one)


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
    script = [json_answer({}, 429), OK, OK]
    async with (
        Server(script) as server,
        KantataSession(token="t", base_url=server.url, rate_limit=RedisRateLimit(redis.url)) as kantata,
    ):
        await kantata.request("GET", "/users")
        assert kantata.limits["general"].learnt is not None
        await kantata.request("GET", "/users")
    assert len(server.received) == 3


@asynccontextmanager
async def far(redis: RedisServer, seconds: float) -> AsyncIterator[str]:
    """The URL of a Redis to which every command takes its time."""
    host, _, port = redis.address.partition(":")
    pipes: set[asyncio.Task[None]] = set()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wait: float) -> None:
        with closing(writer):
            while data := await reader.read(1 << 16):
                await asyncio.sleep(wait)
                writer.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(host, int(port))
        pipes.update(
            {asyncio.create_task(pipe(reader, there[1], seconds)), asyncio.create_task(pipe(there[0], writer, 0))}
        )

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
        for task in pipes:
            task.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)


async def test_a_redis_that_is_far_away_still_gives_the_rate(redis: RedisServer) -> None:
    """Times are granted ahead, so that no request waits for the way to it."""
    async with (
        far(redis, 0.4) as url,
        Server([OK] * 120) as server,
        KantataSession(
            token="t", base_url=server.url, rate_limit=RedisRateLimit(url, RateLimit(40)), concurrency=40
        ) as kantata,
    ):
        began = time.monotonic()
        await asyncio.gather(*(kantata.request("GET", "/users") for _ in range(120)))
        seconds = time.monotonic() - began
    assert 119 / 40 * 0.9 < seconds < 119 / 40 + 3


async def test_an_answer_never_waits_for_redis(redis: RedisServer) -> None:
    """What it teaches is told in the background; the caller has it as soon as it came."""
    one = account(redis, AdaptiveRateLimit(start=100))
    left = await take(one)
    await redis.stop()
    one.answered(GENERAL, left, refused=True, retry_after=None)
    one.give_back(GENERAL)
    assert one.states(lambda _name: 0)[0].paused_for > 0
    await one.close(one)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:6379", "http://:secret@h/0", "", "redis://:secret@h:port/0", "redis://:secret@h/0?no=1"]
)
async def test_a_url_of_no_redis_is_refused(url: str) -> None:
    """When the session is opened, and the error does not repeat it: it may hold a password."""
    kantata = KantataSession(token="t", base_url="http://127.0.0.1:1", rate_limit=RedisRateLimit(url))
    with pytest.raises(UsageError, match="url") as caught:
        await kantata.open()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("user", "message"), [("", "authenticated"), (":wrong@", "invalid"), ("reader:pass@", "can't run")]
)
async def test_a_redis_that_refuses_is_told_at_once(tmp_path: Path, user: str, message: str) -> None:
    """No password, a wrong one, or a user's who may not write: otherwise every process would take the whole limit."""
    reader = ("--user", "reader", "on", ">pass", "~*", "+@read", "+@connection", "+@scripting")
    async with RedisServer(str(tmp_path), "--requirepass", "right", *reader) as redis:
        setting = RedisRateLimit(f"redis://{user}{redis.address}/0")
        kantata = KantataSession(token="t", base_url="http://127.0.0.1:1", rate_limit=setting)
        with pytest.raises(UsageError, match=message) as caught:
            await kantata.open()
    assert "wrong" not in str(caught.value)


async def test_two_settings_for_one_account_are_refused(redis: RedisServer) -> None:
    """As long as somebody is at work with the other one; then the new one holds."""
    five, fifty = (
        KantataSession(token="t", base_url="http://127.0.0.1:1", rate_limit=RedisRateLimit(redis.url, RateLimit(rate)))
        for rate in (5, 50)
    )
    async with five:
        with pytest.raises(UsageError, match="'requests': 5"):
            await fifty.open()
    async with fifty:
        assert fifty.limits == {}


@pytest.mark.parametrize("kept", [b"text", b"[]", b'{"format": 99}', b'{"format":1,"limits":{"general":{"rate":1}}}'])
async def test_what_another_version_keeps_is_told(redis: RedisServer, kept: bytes) -> None:
    """As long as somebody is at work with it; what nobody uses any more is begun anew."""
    setting = RedisRateLimit(redis.url, RateLimit(50))
    async with KantataSession(token="t", base_url="http://127.0.0.1:1", rate_limit=setting) as first:
        async with Redis.from_url(redis.url) as other:
            (key,) = await other.keys("*general+own")
            await other.set(key, kept)
        failing = RedisRateLimit(redis.url, RateLimit(50), when_away="fail")
        second = KantataSession(token="t", base_url="http://127.0.0.1:1", rate_limit=failing)
        with pytest.raises(UsageError, match="another version"):
            await second.open()
        assert first.limits == {}
    async with (
        Server([OK]) as server,
        KantataSession(token="t", base_url=server.url, rate_limit=setting) as kantata,
    ):
        await kantata.request("GET", "/users")


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
