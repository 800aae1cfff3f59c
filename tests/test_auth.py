"""Where tokens come from, and that they stay out of sight."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import traceback
import weakref
from collections.abc import Awaitable, Callable, Iterable

import pytest
from wire import OK, Server

from kantata_async import KantataSession
from kantata_async.errors import UsageError
from kantata_async.transport.auth import AccessToken, TokenSource, owner_of

API = "https://api.mavenlink.com/api/v1"


def fetching(*tokens: object) -> tuple[TokenSource, list[object]]:
    """A source over an async function that gives these one after the other, and the list of what it gave."""
    given: list[object] = []

    async def function() -> str:
        await asyncio.sleep(0)
        token = tokens[len(given)]
        given.append(token)
        if isinstance(token, Exception):
            raise token
        return token  # type: ignore[return-value]

    return TokenSource(function), given


async def together(tokens: Iterable[Awaitable[AccessToken]]) -> set[str]:
    """What comes of asking for tokens at the same time."""
    return {token.value for token in await asyncio.gather(*tokens)}


async def test_a_fixed_token_is_given_and_cannot_be_renewed() -> None:
    """There is nothing to fetch another one with."""
    source = TokenSource("s3cret")
    source.open(API)
    assert (await source.current()).value == "s3cret"
    assert not source.renewable
    with pytest.raises(UsageError, match="async function"):
        await source.renew(AccessToken("s3cret"))


async def test_the_environment_is_read_when_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when made: a program may set it in between."""
    monkeypatch.delenv("KANTATA_TOKEN", raising=False)
    source = TokenSource()
    with pytest.raises(UsageError, match=r"token='…'.*async function.*KANTATA_TOKEN"):
        source.open(API)
    with pytest.raises(UsageError, match="KANTATA_TOKEN"):
        await source.current()
    monkeypatch.setenv("KANTATA_TOKEN", "from-environment")
    source.open(API)
    assert (await source.current()).value == "from-environment"


async def test_a_given_token_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearer word counts."""
    monkeypatch.setenv("KANTATA_TOKEN", "from-environment")
    source = TokenSource("given")
    source.open(API)
    assert (await source.current()).value == "given"


BAD = ["", " ", "sec ret", "secret\r\nX: y", "secret\n", "secr\x00et", "sécret", "secret\u200b", b"secret", 7]


@pytest.mark.parametrize("token", BAD)
def test_a_token_that_cannot_be_sent_is_refused_unseen(token: object) -> None:
    """A fixed one at once, and the error does not quote it."""
    source = TokenSource(token)  # type: ignore[arg-type]
    with pytest.raises(UsageError) as caught:
        source.check()
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("token", [*BAD, None])
async def test_a_fetched_token_that_cannot_be_sent_is_refused_unseen(token: object) -> None:
    """One from a function when it comes."""
    source, _ = fetching(token)
    with pytest.raises(UsageError) as caught:
        await source.current()
    assert "cret" not in str(caught.value)


async def test_a_function_that_is_not_async_is_named() -> None:
    """The commonest slip, and its result is not shown."""
    source = TokenSource(lambda: "s3cret")  # type: ignore[arg-type, return-value]
    with pytest.raises(UsageError, match="async function; calling it gave a str") as caught:
        await source.current()
    assert "s3cret" not in str(caught.value)


async def test_the_functions_own_exception_passes_through() -> None:
    """And the next request asks again."""
    source, given = fetching(LookupError("vault is sealed"), "second")
    with pytest.raises(LookupError, match="vault"):
        await source.current()
    assert (await source.current()).value == "second"
    assert len(given) == 2


async def test_requests_that_need_a_token_together_fetch_one() -> None:
    """At the start, and after a refusal."""
    source, given = fetching("first", "second", "third")
    assert await together(source.current() for _ in range(20)) == {"first"}
    first = await source.current()
    assert await together(source.renew(first) for _ in range(20)) == {"second"}
    assert (await source.renew(first)).value == "second"
    assert given == ["first", "second"]


async def test_a_function_that_gives_the_same_token_again_is_called_once_for_all() -> None:
    """Requests refused together do not each insist."""
    source, given = fetching("same", "same", "other")
    first = await source.current()
    assert await together(source.renew(first) for _ in range(20)) == {"same"}
    assert len(given) == 2


async def test_a_failed_renewal_fails_for_all_that_share_it() -> None:
    """One call, one exception."""
    source, given = fetching("first", LookupError("vault is sealed"))
    first = await source.current()
    results = await asyncio.gather(*(source.renew(first) for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [LookupError] * 5
    assert len(given) == 2


async def test_one_that_is_cancelled_does_not_take_the_token_from_the_others() -> None:
    """The call goes on for whoever still waits."""
    source, given = fetching("first")
    starter, other = asyncio.create_task(source.current()), asyncio.create_task(source.current())
    await asyncio.sleep(0)
    starter.cancel()
    assert (await other).value == "first"
    assert len(given) == 1
    with pytest.raises(asyncio.CancelledError):
        await starter


async def test_closing_stops_a_call_under_way() -> None:
    """No task is left."""

    async def function() -> str:
        await asyncio.sleep(60)
        return "never"

    source = TokenSource(function)
    waiting = asyncio.create_task(source.current())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await source.close()
    await asyncio.gather(waiting, return_exceptions=True)
    assert len(asyncio.all_tasks()) == 1


async def test_every_token_seen_is_redacted() -> None:
    """The old ones too, and the longer of two that begin alike as a whole."""
    source, _ = fetching("abc", "abcdef")
    await source.renew(await source.current())
    assert source.redact("Bearer abcdef, Bearer abc") == "Bearer ***, Bearer ***"


def test_a_source_does_not_show_its_token() -> None:
    """Nor in its repr."""
    assert "s3cret" not in repr(TokenSource("s3cret"))


async def test_a_function_that_is_cancelled_is_an_error_of_its_own() -> None:
    """Whoever waits for the token was not cancelled, and is not told so; the next one asks anew."""
    calls = 0

    async def function() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise asyncio.CancelledError
        return "second"

    source = TokenSource(function)
    with pytest.raises(UsageError, match="token function was cancelled"):
        await source.current()
    assert (await source.current()).value == "second"


@dataclasses.dataclass
class Vault:
    """Compared by what it holds, and so not hashable."""

    secret: str = "s3cret"

    async def token(self) -> str:
        return self.secret

    async def __call__(self) -> str:
        return self.secret


@dataclasses.dataclass(slots=True)
class SlottedVault(Vault):
    """No weak reference can be made to it either."""


class VaultMeta(type):
    async def token(cls) -> str:
        return "s3cret"


class VaultClass(metaclass=VaultMeta):
    @classmethod
    async def other_token(cls) -> str:
        return "s3cret"


async def token_of(vault: Vault) -> str:
    return vault.secret


FUNCTIONS: dict[str, Callable[[], Awaitable[str]]] = {
    "a method of an unhashable object": Vault().token,
    "an unhashable object": Vault(),
    "a method of an object with slots": SlottedVault().token,
    "an object with slots": SlottedVault(),
    "a partial function": functools.partial(token_of, Vault()),
    "a partial function of a partial function": functools.partial(functools.partial(token_of), Vault()),
    "a lambda": lambda: token_of(Vault()),
    "a class method": VaultClass.other_token,
    "a method of a metaclass": VaultClass.token,
    "a function that gives a task": lambda: asyncio.ensure_future(token_of(Vault())),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
async def test_whatever_can_be_called_and_awaited_is_a_token_function(function: Callable[[], Awaitable[str]]) -> None:
    """A session opens with it, and sends what it gives."""
    async with Server([OK]) as server, KantataSession(token=function, base_url=server.url) as kantata:
        await kantata.request("GET", "/users/me")
    assert server.received[0].headers["authorization"] == "Bearer s3cret"


def test_the_owner_of_a_token_function_is_one_for_all_its_methods() -> None:
    """Sessions share their limits by it: two objects that are equal are two all the same."""
    for kind in (Vault, SlottedVault):
        vault, twin = kind(), kind()
        assert owner_of(vault.token) is owner_of(vault.token) is owner_of(vault)
        assert owner_of(vault.token) is not owner_of(twin.token)


def test_an_owner_ends_with_what_it_stands_for() -> None:
    """No object is kept alive, and none that comes to lie in its place is taken for it."""
    owners = set()
    for _ in range(100):
        vault = Vault()
        owners.add(owner_of(vault))
        forgotten = weakref.ref(vault)
        del vault
        assert forgotten() is None
    assert len(owners) == 100


def test_no_frame_holds_a_token_when_a_setting_is_refused() -> None:
    """The token's own fault, or another setting's: what tracks errors sees the variables of every frame."""
    wrong: list[dict[str, object]] = [
        {"token": "with a s3cret"},
        {"timeout": -1},
        {"base_url": "ftp://x"},
        {"retry": 5},
    ]
    for settings in wrong:
        with pytest.raises(UsageError) as caught:
            KantataSession(**{"token": "s3cret", **settings})  # type: ignore[arg-type]
        assert caught.tb.tb_next is not None
        frames = traceback.TracebackException(UsageError, caught.value, caught.tb.tb_next, capture_locals=True)
        assert "s3cret" not in "".join(frames.format())


async def test_no_frame_holds_a_token_when_a_function_gives_a_wrong_one() -> None:
    """It is not sent, and not shown."""
    for token in ("with a s3cret", b"s3cret", ["s3cret"]):
        source, _ = fetching(token)
        with pytest.raises(UsageError) as caught:
            await source.current()
        shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        ours = [frame for frame in shown if "kantata_async" in frame.filename]
        assert ours
        assert "s3cret" not in repr([frame.locals for frame in ours])
