"""The limits a session may be given, the limiter against the clock, and 429 on real sockets."""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time

import pytest
from aiolimiter import AsyncLimiter
from waiting import until
from wire import OK, Server, Step, cut, get, hang, json_answer, opened, reset, silent_port

from kantata_async import KantataSession
from kantata_async.errors import ConnectionFailedError, RateLimitError, UsageError
from kantata_async.limits import AdaptiveRateLimit, RateLimit, RateLimits, RedisRateLimit
from kantata_async.limits.account import AccountLimits
from kantata_async.limits.endpoints import OWN_LIMITS, limits_of
from kantata_async.limits.registry import account_digest, local_account
from kantata_async.transport import Request, RetryPolicy, Transport
from kantata_async.turns import Limiter

REFUSED = json_answer({}, 429)


def limiter(concurrency: int, limit: RateLimit | AdaptiveRateLimit | None = None) -> Limiter:
    """A limiter that shares its limits with nobody."""
    return Limiter(concurrency, None if limit is None else AccountLimits(RateLimits(limit)))


async def starts(limiter: Limiter, count: int) -> list[float]:
    """Seconds after the first at which each of `count` attempts got its slot."""
    moments: list[float] = []

    async def attempt() -> None:
        async with limiter.slot("GET", "/users"):
            moments.append(time.monotonic())

    await asyncio.gather(*(attempt() for _ in range(count)))
    return [moment - moments[0] for moment in moments]


async def test_requests_are_spaced() -> None:
    """Without a burst no two go closer together than the rate says, but for a timer that was late."""
    moments = await starts(limiter(10, RateLimit(10)), 5)
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert min(gaps) > 0.03
    assert moments[-1] > 0.39


async def test_a_burst_goes_at_once_and_the_rest_is_spaced() -> None:
    """As many as `burst` do not wait; the rate counts from there."""
    moments = await starts(limiter(10, RateLimit(2, burst=4)), 5)
    assert moments[3] < 0.4
    assert moments[4] > 0.49


async def test_without_a_rate_limit_nothing_waits() -> None:
    """None is no limit."""
    assert (await starts(limiter(100), 100))[-1] < 0.5


async def test_no_more_at_a_time_than_the_concurrency() -> None:
    """A slot is held while the attempt lasts."""
    three = limiter(3)
    now = most = 0

    async def attempt() -> None:
        nonlocal now, most
        async with three.slot("GET", "/users"):
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1

    await asyncio.gather(*(attempt() for _ in range(20)))
    assert most == 3


async def test_one_cancelled_in_line_gives_its_place_back() -> None:
    """Neither a place nor a turn leaks when a waiter goes away."""
    one = limiter(1, RateLimit(20))

    async def attempt() -> None:
        async with one.slot("GET", "/users"):
            pass

    await attempt()
    waiting = [asyncio.create_task(attempt()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.wait_for(attempt(), 1)
    assert one.states["general"].waiting == 0


async def test_one_cancelled_as_its_turn_comes_holds_nobody_up() -> None:
    """Whether the place or the limit was what it waited for."""
    two = limiter(2, RateLimit(20, burst=2))

    async def attempt() -> None:
        async with two.slot("GET", "/users"):
            pass

    async with two.slot("GET", "/users"):
        async with two.slot("GET", "/users"):
            leaving, following = asyncio.create_task(attempt()), asyncio.create_task(attempt())
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        # The limit's time comes while nothing else runs.
        time.sleep(0.1)  # noqa: ASYNC251
    leaving.cancel()
    await asyncio.wait_for(following, 1)
    assert leaving.cancelled()


async def test_one_cancelled_as_it_is_given_a_place_passes_it_on() -> None:
    """The next in line has it."""
    one = limiter(1)

    async def attempt() -> None:
        async with one.slot("GET", "/users"):
            pass

    async with one.slot("GET", "/users"):
        leaving, following = asyncio.create_task(attempt()), asyncio.create_task(attempt())
        await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait_for(following, 1)
    assert leaving.cancelled()


@pytest.mark.parametrize("name", ["requests", "per", "burst"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "5", None, True])
def test_a_rate_limit_refuses_what_it_cannot_keep(name: str, value: object) -> None:
    """The error names the option."""
    with pytest.raises(UsageError, match=name):
        RateLimit(**{"requests": 5, name: value})  # type: ignore[arg-type]


def test_a_burst_is_whole() -> None:
    """Half a request cannot go."""
    with pytest.raises(UsageError, match="burst"):
        RateLimit(5, burst=1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: AdaptiveRateLimit(start=0), "start"),
        (lambda: AdaptiveRateLimit(at_most=-1), "at_most"),
        (lambda: AdaptiveRateLimit(start=5, at_most=4), "above"),
        (lambda: RateLimits(5), "general"),
        (lambda: RateLimits(own={"POST /users": RateLimit(1)}), "POST /users"),
        (lambda: RateLimits(own={"POST /workspaces": 1}), "POST /workspaces"),
        (lambda: RedisRateLimit("redis://127.0.0.1", when_away="wait"), "when_away"),
        (lambda: RedisRateLimit("redis://127.0.0.1", limits=3), "limits"),
        (lambda: RedisRateLimit("redis://127.0.0.1", limits=AsyncLimiter(5)), "AsyncLimiter"),
        (lambda: RateLimits(AsyncLimiter(0.5)), "max_rate"),
    ],
)
def test_what_is_no_limit_is_refused(make: object, named: str) -> None:
    """When it is made, by name."""
    with pytest.raises(UsageError, match=named):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("method", "path", "own"),
    [
        ("GET", "/workspaces", "GET /workspaces"),
        ("POST", "/workspaces.json", "POST /workspaces"),
        ("GET", "/workspaces/7", None),
        ("PUT", "/workspaces", None),
        ("POST", "/workspaces/7/invite", "POST /workspaces/{id}/invite"),
        ("PUT", "/account_invitations/7/resend.json", "PUT /account_invitations/{id}/resend"),
        ("POST", "/account_invitations", "POST /account_invitations"),
        ("GET", "/custom_field_values", "GET /custom_field_values"),
        ("POST", "/custom_field_values", "POST /custom_field_values"),
        ("POST", "/project_snapshots", "POST /project_snapshots"),
        ("GET", "/users/me", None),
    ],
)
def test_which_limits_a_request_counts_against(method: str, path: str, own: str | None) -> None:
    """The general one always, an endpoint's own where the API facts name it."""
    assert limits_of(method, path) == (("general",) if own is None else ("general", own))
    assert own is None or own in OWN_LIMITS


def took(account: AccountLimits, method: str, path: str) -> bool:
    """Whether a request that nobody is before may go now."""
    names = account.limits_of(method, path)
    return account.take(names, again=False, waiting=1, then=lambda: None) <= 0


async def test_nothing_is_taken_from_one_limit_while_another_makes_wait() -> None:
    """A request takes from all its limits in one step."""
    both = AccountLimits(RateLimits(RateLimit(1000), own={"POST /workspaces": RateLimit(5)}))
    assert took(both, "POST", "/workspaces")
    await asyncio.sleep(0.01)
    for _ in range(3):
        assert not took(both, "POST", "/workspaces")
    assert took(both, "GET", "/users")


async def test_a_limit_that_nothing_was_taken_from_waits_for_the_general_one() -> None:
    """The first request to an endpoint comes while the general limit is used up."""
    both = AccountLimits(RateLimits(RateLimit(20), own={"POST /workspaces": RateLimit(5)}))
    freed = asyncio.Event()
    assert took(both, "GET", "/users")
    assert 0 < both.take(limits_of("POST", "/workspaces"), again=False, waiting=1, then=freed.set) <= 1 / 20
    await asyncio.wait_for(freed.wait(), 1)
    assert took(both, "POST", "/workspaces")


async def test_an_endpoint_that_waits_does_not_hold_up_the_others() -> None:
    """Its own limit is its own."""
    shared = Limiter(10, AccountLimits(RateLimits(RateLimit(1000), own={"POST /workspaces": RateLimit(0.1)})))
    async with shared.slot("POST", "/workspaces"):
        pass

    async def create() -> None:
        async with shared.slot("POST", "/workspaces"):
            pass

    creating = asyncio.create_task(create())
    await asyncio.sleep(0)
    began = time.monotonic()
    for _ in range(10):
        async with shared.slot("GET", "/users"):
            pass
    assert time.monotonic() - began < 0.5
    assert shared.states["POST /workspaces"].waiting == 1
    creating.cancel()


async def test_sessions_with_the_same_token_and_url_share() -> None:
    """And others do not."""
    async with Server([OK] * 12) as server:
        a, b = (KantataSession(token="one", base_url=server.url, rate_limit=RateLimit(4)) for _ in range(2))
        other = KantataSession(token="two", base_url=server.url, rate_limit=RateLimit(4))
        async with a, b, other:
            began = time.monotonic()
            await asyncio.gather(*(session.request("GET", "/users") for session in (a, b, a)))
            together = time.monotonic() - began
            assert together > 0.49
            await other.request("GET", "/users")
            assert time.monotonic() - began - together < 0.2


async def test_what_was_learnt_stays_for_the_next_session() -> None:
    """In the same process."""
    async with Server([REFUSED, OK]) as server:
        async with KantataSession(token="learnt", base_url=server.url) as kantata:
            assert kantata.limits == {}
            await kantata.request("GET", "/users")
            learnt = kantata.limits["general"].learnt
            assert learnt is not None
        async with KantataSession(token="learnt", base_url=server.url) as kantata:
            assert kantata.limits["general"].learnt == learnt
            assert kantata.limits["general"].last_refused is not None


def test_a_limit_holds_across_threads_and_loops() -> None:
    """Sessions in two threads take from one bucket."""
    account = local_account(account_digest("threads", "https://api.example"), RateLimit(50))
    moments: list[float] = []

    async def run() -> None:
        mine = Limiter(10, account)
        for _ in range(10):
            async with mine.slot("GET", "/users"):
                moments.append(time.monotonic())

    threads = [threading.Thread(target=lambda: asyncio.run(run())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(moments) - min(moments) > 18 / 50


async def test_a_429_pauses_those_that_already_waited() -> None:
    """And the request that was refused goes again once another got through, and not before."""
    script = [OK, REFUSED] + [OK] * 8
    async with Server(script) as server, opened(server, rate_limit=RateLimit(40), concurrency=1) as transport:
        await asyncio.gather(*(transport.send(get(f"/users/{number}")) for number in range(9)))
        paths = [request.target.rpartition("/")[2] for request in server.received]
    assert sorted(paths) == sorted([*map(str, range(9)), "1"])
    assert paths[:4] == ["0", "1", "2", "1"]


async def test_retry_after_is_believed() -> None:
    """By the limit, and so by every request that shares it, though it comes later."""
    script = [json_answer({}, 429, retry_after="1"), OK, OK]
    async with Server(script) as server, opened(server, rate_limit=AdaptiveRateLimit()) as transport:
        began = time.monotonic()
        refused = asyncio.create_task(transport.send(get("/users/1")))
        await until(lambda: bool(transport.limits) and transport.limits["general"].paused_for > 0)
        await transport.send(get("/users/2"))
        assert time.monotonic() - began > 1
        await refused
    assert sorted(request.target[-1] for request in server.received) == ["1", "1", "2"]


async def test_a_retry_after_beyond_the_deadline_gives_up_at_once() -> None:
    """Under a limit as without one."""
    async with (
        Server([json_answer({}, 429, retry_after="301")]) as server,
        opened(server, rate_limit=AdaptiveRateLimit()) as transport,
    ):
        began = time.monotonic()
        with pytest.raises(RateLimitError):
            await transport.send(get())
        assert time.monotonic() - began < 0.5


async def test_time_that_runs_out_in_line_tells_why_it_stood_there() -> None:
    """The 429, not a timeout of nothing."""
    policy = RetryPolicy(deadline=0.3)
    async with (
        Server([REFUSED]) as server,
        opened(server, rate_limit=AdaptiveRateLimit(), retry=policy) as transport,
    ):
        with pytest.raises(RateLimitError):
            await transport.send(get())


@pytest.mark.parametrize("script", [[OK, OK], [OK, cut, OK], [OK, reset, OK]], ids=["answered", "cut", "reset"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_every_request_on_the_wire_is_counted_once(method: str, script: list[Step]) -> None:
    """Those sent again after a lost connection too: aiohttp's own resends, unseen by a meter, do not happen.

    What a first run has on the wire is all that the limit of a second one lets through: that much, and no more.
    """
    request = Request(method, "/users/1")

    async def send_twice(transport: Transport) -> None:
        for _ in range(2):
            await asyncio.gather(transport.send(request), return_exceptions=True)

    async with Server(script) as server, opened(server) as transport:
        await send_twice(transport)
    limit = RateLimit(1, per=3600, burst=len(server.received))
    async with Server([*script, OK]) as limited, opened(limited, rate_limit=limit) as transport:
        async with asyncio.timeout(30):
            await send_twice(transport)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await transport.send(request)
    assert limited.methods == server.methods


async def test_what_never_left_is_not_counted() -> None:
    """No connection, nothing for the server to count: a limit of one an hour lets three attempts be made."""
    url = f"http://127.0.0.1:{silent_port()}"
    retry = RetryPolicy(attempts=3)
    async with opened(url, retry=retry, rate_limit=RateLimit(1, per=3600)) as transport, asyncio.timeout(30):
        with pytest.raises(ConnectionFailedError, match="after 3 attempts"):
            await transport.send(get())


@pytest.mark.parametrize("requests", [1, 3])
async def test_refused_more_than_once(requests: int) -> None:
    """A request keeps its place each time it is refused, also beside others that stand at the same one."""
    limit = RateLimit(50, per=1, burst=20)
    async with (
        Server([REFUSED] * 2 * requests + [OK] * requests) as server,
        opened(server, rate_limit=limit) as transport,
    ):
        answers = await asyncio.gather(*(transport.send(get()) for _ in range(requests)))
    assert [answer.response.status for answer in answers] == [200] * requests


async def test_closing_ends_those_in_line() -> None:
    """With an error, at once, and leaves no task."""
    async with Server([hang]) as server, opened(server, rate_limit=RateLimit(0.1)) as transport:
        waiting = [asyncio.create_task(transport.send(get())) for _ in range(3)]
        await until(lambda: len(server.received) == 1)
        await transport.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionFailedError] * 3
    await asyncio.sleep(0.01)
    assert [task for task in asyncio.all_tasks() if task.get_name() == "kantata-line"] == []


async def test_a_limit_that_is_learnt_is_logged_without_the_token(caplog: pytest.LogCaptureFixture) -> None:
    """Its name and its rate."""
    caplog.set_level(logging.INFO, "kantata_async.limits")
    async with Server([REFUSED, OK]) as server, KantataSession(token="hush-hush", base_url=server.url) as kantata:
        await kantata.request("GET", "/users")
    assert any("general learnt" in record.getMessage() for record in caplog.records)
    assert "hush-hush" not in caplog.text


async def test_a_token_function_stands_for_its_account() -> None:
    """Two sessions with the same function share."""

    async def fetch() -> str:
        return "fetched"

    async with Server([OK] * 4) as server:
        sessions = [KantataSession(token=fetch, base_url=server.url, rate_limit=RateLimit(20)) for _ in range(2)]
        async with sessions[0], sessions[1]:
            began = time.monotonic()
            await asyncio.gather(*(session.request("GET", "/users") for session in sessions * 2))
            assert time.monotonic() - began > 0.14


async def test_two_fixed_limits_for_one_account_are_refused() -> None:
    """Together they would pass both; once the first session is closed, the other may be opened."""
    five, fifty = (
        KantataSession(token="both", base_url="http://127.0.0.1:1", rate_limit=RateLimit(rate)) for rate in (5, 50)
    )
    async with five:
        with pytest.raises(UsageError, match="requests=5"):
            await fifty.open()
        async with KantataSession(token="both", base_url="http://127.0.0.1:1"):
            pass
    async with fifty:
        pass


async def test_a_programs_own_limiter_is_shared_with_what_else_it_limits() -> None:
    """What the program takes from it, the session does not have."""
    limiter = AsyncLimiter(10, 1)
    async with (
        Server([OK] * 4) as server,
        KantataSession(token="t", base_url=server.url, rate_limit=limiter) as kantata,
    ):
        await limiter.acquire(8)
        began = time.monotonic()
        await asyncio.gather(*(kantata.request("GET", "/users") for _ in range(4)))
        assert time.monotonic() - began > 0.19
        assert kantata.limits["general"].rate == 10
    assert not limiter.has_capacity(5)


async def test_a_programs_own_limiter_pauses_after_a_429_too() -> None:
    """Its rate stays what it is."""
    async with (
        Server([REFUSED, OK]) as server,
        KantataSession(token="t", base_url=server.url, rate_limit=AsyncLimiter(20, 1)) as kantata,
    ):
        began = time.monotonic()
        await kantata.request("GET", "/users")
        assert time.monotonic() - began > 0.1
        assert kantata.limits["general"].rate == 20


async def test_a_programs_own_limiter_belongs_to_one_event_loop() -> None:
    """aiolimiter's binds to the first that uses it."""
    limiter = AsyncLimiter(10, 1)

    async def elsewhere() -> None:
        async with KantataSession(token="one", base_url="http://127.0.0.1:1", rate_limit=limiter):
            pass

    async with KantataSession(token="one", base_url="http://127.0.0.1:1", rate_limit=limiter):
        with pytest.raises(UsageError, match="event loop"):
            await asyncio.to_thread(asyncio.run, elsewhere())


@pytest.mark.parametrize("asked", ["31536000", "1000000"])
async def test_a_pause_that_nobody_can_wait_for_does_not_stop_the_account(asked: str) -> None:
    """The refused call gives up at once; another session finds out how the server is."""
    async with (
        Server([json_answer({}, 429, retry_after=asked), OK]) as server,
        opened(server, rate_limit=AdaptiveRateLimit()) as transport,
        opened(server, rate_limit=AdaptiveRateLimit()) as other,
    ):
        with pytest.raises(RateLimitError):
            await transport.send(get())
        async with asyncio.timeout(5):
            assert (await other.send(get())).response.status == 200


async def test_all_who_wait_for_a_limit_that_lets_none_through_are_told_by_their_deadline() -> None:
    """Those too that were never sent: it is the 429 of others that they wait for."""
    policy = RetryPolicy(attempts=100, deadline=1.5)
    async with (
        Server([REFUSED] * 100) as server,
        opened(server, rate_limit=AdaptiveRateLimit(), retry=policy, concurrency=1) as transport,
    ):
        began = time.monotonic()
        results = await asyncio.gather(*(transport.send(get()) for _ in range(30)), return_exceptions=True)
        assert time.monotonic() - began < 4
    assert {type(result) for result in results} == {RateLimitError}
    assert len(server.received) < 10


async def test_who_cannot_wait_for_a_pause_is_told_at_once() -> None:
    """The pause that one session may wait for is too long for another on the same account."""
    async with (
        Server([json_answer({}, 429, retry_after="40")]) as server,
        opened(server, rate_limit=AdaptiveRateLimit()) as patient,
        opened(server, rate_limit=AdaptiveRateLimit(), retry=RetryPolicy(deadline=2)) as hurried,
    ):
        waiting = asyncio.create_task(patient.send(get()))
        await until(lambda: bool(hurried.limits) and hurried.limits["general"].paused_for > 10)
        began = time.monotonic()
        with pytest.raises(RateLimitError, match="not sent"):
            await hurried.send(get())
        assert time.monotonic() - began < 1
        waiting.cancel()
    assert len(server.received) == 1
