"""Where tokens come from, and that they stay out of sight."""

from __future__ import annotations

import asyncio

import pytest

from kantata_async.errors import UsageError
from kantata_async.transport.auth import TokenSource


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


async def test_a_fixed_token_is_given_and_cannot_be_renewed() -> None:
    """There is nothing to fetch another one with."""
    source = TokenSource("s3cret")
    source.open()
    assert await source.current() == "s3cret"
    assert not source.renewable
    with pytest.raises(UsageError, match="async function"):
        await source.renew("s3cret")


async def test_the_environment_is_read_when_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when made: a program may set it in between."""
    monkeypatch.delenv("KANTATA_TOKEN", raising=False)
    source = TokenSource()
    with pytest.raises(UsageError, match=r"token='…'.*async function.*KANTATA_TOKEN"):
        source.open()
    with pytest.raises(UsageError, match="KANTATA_TOKEN"):
        await source.current()
    monkeypatch.setenv("KANTATA_TOKEN", "from-environment")
    source.open()
    assert await source.current() == "from-environment"


async def test_a_given_token_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearer word counts."""
    monkeypatch.setenv("KANTATA_TOKEN", "from-environment")
    source = TokenSource("given")
    source.open()
    assert await source.current() == "given"


BAD = ["", " ", "sec ret", "secret\r\nX: y", "secret\n", "secr\x00et", "sécret", "secret\u200b", b"secret", 7]


@pytest.mark.parametrize("token", BAD)
def test_a_token_that_cannot_be_sent_is_refused_unseen(token: object) -> None:
    """A fixed one at once, and the error does not quote it."""
    with pytest.raises(UsageError) as caught:
        TokenSource(token)  # type: ignore[arg-type]
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
    assert await source.current() == "second"
    assert len(given) == 2


async def test_requests_that_need_a_token_together_fetch_one() -> None:
    """At the start, and after a refusal."""
    source, given = fetching("first", "second", "third")
    assert set(await asyncio.gather(*(source.current() for _ in range(20)))) == {"first"}
    assert set(await asyncio.gather(*(source.renew("first") for _ in range(20)))) == {"second"}
    assert await source.renew("first") == "second"
    assert given == ["first", "second"]


async def test_a_function_that_gives_the_same_token_again_is_called_once_for_all() -> None:
    """Requests refused together do not each insist."""
    source, given = fetching("same", "same", "other")
    await source.current()
    assert set(await asyncio.gather(*(source.renew("same") for _ in range(20)))) == {"same"}
    assert len(given) == 2


async def test_a_failed_renewal_fails_for_all_that_share_it() -> None:
    """One call, one exception."""
    source, given = fetching("first", LookupError("vault is sealed"))
    await source.current()
    results = await asyncio.gather(*(source.renew("first") for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [LookupError] * 5
    assert len(given) == 2


async def test_one_that_is_cancelled_does_not_take_the_token_from_the_others() -> None:
    """The call goes on for whoever still waits."""
    source, given = fetching("first")
    starter, other = asyncio.create_task(source.current()), asyncio.create_task(source.current())
    await asyncio.sleep(0)
    starter.cancel()
    assert await other == "first"
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
    await source.current()
    await source.renew("abc")
    assert source.redact("Bearer abcdef, Bearer abc") == "Bearer ***, Bearer ***"


def test_a_source_does_not_show_its_token() -> None:
    """Nor in its repr."""
    assert "s3cret" not in repr(TokenSource("s3cret"))
