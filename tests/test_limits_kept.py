"""What was learnt of the limits, kept in a file for the processes that come later."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import trustme
from proxying import ConnectProxy
from waiting import until
from wire import OK, Server, json_answer

from kantata_async import AdaptiveRateLimit, KantataSession, LimitState, RateLimits
from kantata_async.limits import AccountLimits, account_for
from kantata_async.limits.curve import RateCurve
from kantata_async.limits.kept import BELIEVED_SECONDS, THREAD, in_a_home, keep_rate, kept_rates
from kantata_async.limits.registry import account_digest
from kantata_async.turns import Limiter

API = "https://kantata.example/api/v1"
ACCOUNT = account_digest("a-token", API)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where limits are kept in this test; not made yet."""
    monkeypatch.setenv("KANTATA_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "limits"


def kept(name: str, rate: float) -> None:
    """Keep a rate, and wait until it is."""
    keep_rate(ACCOUNT, name, rate)
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join()


def one_limit(age: float = 0.0, rate: object = 50.0, name: str = "general") -> dict[str, object]:
    return {name: {"rate": rate, "at": time.time() - age}}


def test_what_is_kept_is_read_by_name(cache: Path) -> None:
    """The newest of each limit; another account knows nothing of it."""
    assert kept_rates(ACCOUNT) == {}
    for name, rate in (("general", 50.0), ("POST /workspaces", 2.0), ("general", 48.5)):
        kept(name, rate)
    assert kept_rates(ACCOUNT) == {"general": 48.5, "POST /workspaces": 2.0}
    assert kept_rates(account_digest("another", API)) == {}
    assert kept_rates(account_digest("a-token", "https://elsewhere.example")) == {}


def test_a_kept_file_is_its_owners_alone_and_says_nothing_of_the_account(cache: Path) -> None:
    """Neither its name nor its content leads to the token or the address; nothing half-written stays beside it."""
    kept("general", 50.0)
    (path,) = cache.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    everything = path.name + path.read_text()
    assert "a-token" not in everything
    assert "example" not in everything


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "\udcff",
        json.dumps({"version": 1}),
        json.dumps({"version": 2, "limits": one_limit()}),
        json.dumps({"version": 1, "limits": one_limit(), "more": 1}),
        json.dumps({"version": 1, "limits": one_limit(rate="50")}),
        json.dumps({"version": 1, "limits": one_limit(rate=0)}),
        json.dumps({"version": 1, "limits": one_limit(rate=-5)}),
        json.dumps({"version": 1, "limits": one_limit(rate=float("nan"))}),
        json.dumps({"version": 1, "limits": one_limit(rate=float("inf"))}),
        json.dumps({"version": 1, "limits": one_limit(age=BELIEVED_SECONDS + 60)}),
        json.dumps({"version": 1, "limits": one_limit(age=-3600)}),
        json.dumps({"version": 1, "limits": one_limit()}) + " " * 100_000,
    ],
    ids=[
        *("empty", "half", "list", "no text", "no limits", "another version", "more in it", "text", "zero", "negative"),
        *("no number", "infinite", "too old", "from the future", "too large"),
    ],
)
def test_what_is_not_believed_counts_as_nothing_and_is_replaced(cache: Path, content: str) -> None:
    """Broken, foreign, of another version, too old, from the future or too large: never an error."""
    cache.mkdir(parents=True)
    path = cache / f"{ACCOUNT}.json"
    path.write_text(content, errors="surrogateescape")
    assert kept_rates(ACCOUNT) == {}
    kept("general", 20.0)
    assert kept_rates(ACCOUNT) == {"general": 20.0}


def test_what_is_no_file_counts_as_nothing(cache: Path) -> None:
    """A directory or a pipe in its place, or a file in place of the directory."""
    cache.mkdir(parents=True)
    path = cache / f"{ACCOUNT}.json"
    os.mkfifo(path)
    assert kept_rates(ACCOUNT) == {}
    path.unlink()
    path.mkdir()
    kept("general", 20.0)
    assert kept_rates(ACCOUNT) == {}
    path.rmdir()
    cache.rmdir()
    cache.write_text("")
    kept("general", 20.0)
    assert kept_rates(ACCOUNT) == {}


def test_without_a_home_nothing_is_kept(tmp_path: Path) -> None:
    """No directory named ~ appears where the program runs."""
    assert in_a_home(tmp_path) == tmp_path
    with pytest.raises(RuntimeError, match="no home directory: ~"):
        in_a_home(Path("~/.cache/kantata-async"))


def test_the_cache_directory_of_the_user_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where KANTATA_CACHE_DIR names no other."""
    monkeypatch.delenv("KANTATA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept("general", 20.0)
    assert [path.name for path in (tmp_path / "kantata-async" / "limits").iterdir()] == [f"{ACCOUNT}.json"]


async def first_state(limits: AccountLimits, path: str = "/users") -> LimitState:
    """How a limit stands after one request."""
    limiter = Limiter(1, limits)
    await limiter.open()
    async with limiter.slot("GET", path):
        pass
    return limiter.states["general" if path == "/users" else f"GET {path}"]


@pytest.mark.parametrize(
    ("setting", "learnt", "rate"),
    [
        (AdaptiveRateLimit(), 50.0, 42.5),
        (AdaptiveRateLimit(start=3), 50.0, 42.5),
        (AdaptiveRateLimit(at_most=40), 40.0, 34.0),
        (AdaptiveRateLimit(remember=False), None, 10.0),
    ],
)
async def test_a_limit_begins_near_what_was_kept(
    cache: Path, setting: AdaptiveRateLimit, learnt: float | None, rate: float
) -> None:
    """A little below it, never above what the setting allows, and not at all where it says so."""
    kept("general", 50.0)
    state = await first_state(AccountLimits(RateLimits(setting), keep_as=ACCOUNT))
    assert (state.learnt, state.rate) == (learnt, pytest.approx(rate))


@pytest.mark.parametrize("remember", [True, False])
async def test_an_endpoints_own_limit_is_remembered_as_the_general_one_is(cache: Path, remember: bool) -> None:
    """By its name."""
    kept("GET /workspaces", 2.0)
    setting = RateLimits(AdaptiveRateLimit(remember=remember))
    state = await first_state(AccountLimits(setting, keep_as=ACCOUNT), "/workspaces")
    assert state.learnt == (2.0 if remember else None)


def refuse_one(limits: AccountLimits, left: float) -> None:
    limits.answered(("general",), left, refused=True, retry_after=None)


@pytest.mark.parametrize("remember", [True, False])
async def test_a_429_is_kept_as_it_is_learnt_from(cache: Path, remember: bool) -> None:
    """Also by a process that believed more: it is then the lower limit that the next one begins at."""
    kept("general", 50.0)
    setting = RateLimits(AdaptiveRateLimit(remember=remember))
    limits = AccountLimits(setting, keep_as=ACCOUNT)
    await first_state(limits)
    refuse_one(limits, limits.clock())
    learnt = limits.states(lambda _name: 0)[0].learnt
    assert learnt is not None
    if remember:
        await until(lambda: kept_rates(ACCOUNT) == {"general": learnt})
        assert learnt < 42
    else:
        assert kept_rates(ACCOUNT) == {"general": 50.0}


@pytest.mark.parametrize("now", [5, 20, 45, 60, 200])
def test_a_kept_rate_that_is_wrong_is_put_right_by_the_first_429s(now: int) -> None:
    """Whatever the limit has become: a rate believed from before is only a curve like another."""
    curve, refusals = RateCurve(50.0, met=True), 0
    for _ in range(12):
        climb = next((tenth / 10 for tenth in range(600) if curve.rate(tenth / 10) > now), 60.0)
        refusals += climb < 60
        curve = curve.refused(climb=climb, sent=int(now * max(climb, 1)), elapsed=max(climb, 1.0))
    assert curve.wall == pytest.approx(now, rel=0.1)
    assert refusals > 0


@pytest.mark.parametrize("token", ["a-token", None], ids=["given", "fetched"])
def test_sessions_with_one_account_share_whether_or_not_they_remember(token: str | None) -> None:
    """It is one limit; who fetches tokens has none that a later process would know."""

    class Owner:
        pass

    who = Owner() if token is None else token
    both = [account_for(AdaptiveRateLimit(remember=remember), who, API, keep=True) for remember in (True, False)]
    assert both[0] is both[1]


async def test_nothing_is_kept_of_a_loopback_address(cache: Path) -> None:
    """A sandbox's limit says nothing of the next one's."""
    threads = threading.active_count()
    async with Server([json_answer({}, 429), OK]) as server, KantataSession(token="t", base_url=server.url) as kantata:
        await kantata.request("GET", "/users")
        assert kantata.limits["general"].learnt is not None
    assert threading.active_count() <= threads
    assert kept_rates(account_digest("t", server.url)) == {}


PROGRAM = """
import asyncio, sys
from kantata_async import KantataSession

async def main():
    async with KantataSession(base_url=sys.argv[1], token="a-token") as kantata:
        rates = []
        for _ in range(3):
            await kantata.request("GET", "/users/me")
            rates.append(kantata.limits["general"].rate)
    print(rates[0], kantata.limits["general"].learnt)

asyncio.run(main())
"""


async def test_a_second_process_begins_where_the_first_one_ended(cache: Path, tmp_path: Path) -> None:
    """With a real server behind a proxy: the first meets the limit, the second never has to."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("kantata.example").configure_cert(context)
    script = [OK, json_answer({}, 429), *[OK] * 5]
    told = []
    async with Server(script, tls=context) as server, ConnectProxy(server.port) as proxy:
        environment = os.environ | {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        for _ in range(2):
            program = await asyncio.create_subprocess_exec(
                sys.executable, "-c", PROGRAM, API, env=environment, stdout=subprocess.PIPE
            )
            output, _ = await program.communicate()
            told.append([float(figure) for figure in output.split()])
    assert len(server.received) == 7
    (first_rate, learnt), (second_rate, still) = told
    assert first_rate == pytest.approx(10, rel=0.1)
    assert second_rate == pytest.approx(0.85 * learnt, rel=0.02)
    assert still == learnt
