"""Whatever a program gives to be called is refused beforehand where it cannot be, and says so as a `UsageError`."""

from __future__ import annotations

import functools
import io
import ssl
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

import aiohttp
import pytest

from kantata_async import ConnectionFailedError, KantataSession, RetryPolicy, UsageError
from kantata_async.callables import fault_in_calling
from kantata_async.sandbox import Sandbox
from kantata_async.sync import JSONLinesTarget, Sync


class Vault:
    """A thing with methods, as token stores are."""

    async def token(self, account: str) -> str:
        return account

    def __call__(self, one: int, *, other: int) -> int:
        return one + other


class Secretive:
    """Looking for its signature fails."""

    @property
    def __signature__(self) -> str:
        raise LookupError("nobody's business")

    async def __call__(self) -> str:
        return "token"


def takes_two(_first: object, _second: object) -> None:
    """Another number of arguments than anything here is called with."""


class Bound:
    """It belongs to nobody, and takes nothing."""

    def nothing(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("function", "given", "fault"),
    [
        (print, 3, None),
        (time.sleep, 1, None),
        (Secretive(), 0, None),
        (functools.partial(takes_two, 1), 1, None),
        (functools.partial(takes_two, 1), 0, "is called without arguments: missing a required argument: '_second'"),
        (Vault().token, 0, "is called without arguments: missing a required argument: 'account'"),
        (Vault(), 1, "is called with thing 0: missing a required"),
        (Vault, 0, None),
        (Bound().nothing, 1, "is called with thing 0: too many positional arguments"),
        (takes_two, 3, "is called with thing 0 and thing 1 and thing 2: too many positional arguments"),
        ("print", 0, "must be a function, not str"),
        (None, 1, "must be a function, not NoneType"),
    ],
)
def test_what_can_be_called_is_known_beforehand(function: object, given: int, fault: str | None) -> None:
    """What does not say is believed."""
    found = fault_in_calling(function, *(f"thing {number}" for number in range(given)))
    assert found is None if fault is None else found is not None and found.startswith(fault)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token", Vault().token),
        ("token", functools.partial(takes_two, 1)),
        ("on_event", takes_two),
        ("on_event", [print, Bound().nothing]),
        ("connector", takes_two),
        ("sleep", takes_two),
        ("sleep", 5),
        ("ssl", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)),
    ],
)
def test_a_setting_that_cannot_be_called_as_it_will_be_is_refused(name: str, value: Any) -> None:
    """When the session is made."""
    with pytest.raises(UsageError, match=name):
        KantataSession(**{"token": "t", name: value})


async def test_a_connector_that_is_closed_is_refused() -> None:
    """When the session is opened, whoever made it."""
    closed = aiohttp.TCPConnector()
    await closed.close()
    for connector in (closed, lambda: closed):
        with pytest.raises(UsageError, match="closed already"):
            await KantataSession(token="t", connector=connector).open()


async def test_a_connector_that_is_closed_under_way_is_told() -> None:
    """A request that finds it closed was surely not sent."""
    connector = aiohttp.TCPConnector()
    policy = RetryPolicy(attempts=2, first_wait=0.001)
    async with KantataSession(token="t", connector=connector, retry=policy, rate_limit=None) as kantata:
        await connector.close()
        with pytest.raises(ConnectionFailedError, match="its connector was closed"):
            await kantata.workspaces.create(title="Mayfly")
        (outcome,) = await kantata.participations.create_many(ROWS)  # type: ignore[arg-type]
        assert outcome.status == "not_sent"


async def test_a_sleep_that_cannot_be_awaited_is_told() -> None:
    """It has slept by then, as `time.sleep` does, and every other task with it."""
    kantata = KantataSession(token="t", sleep=lambda _seconds: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(UsageError, match="sleep must be an async function; it gave a NoneType"):
        await kantata._transport.sleep(1)


Call = Callable[[KantataSession, Any], Coroutine[Any, Any, Any]]
ROWS: Final = [{"workspace_id": 1, "user_id": 2, "role": "maven"}]
CALLS: Final[dict[str, Call]] = {
    "key=": lambda kantata, wrong: kantata.participations.create_many(ROWS, key=wrong, find=_nothing),
    "find=": lambda kantata, wrong: kantata.participations.create_many(ROWS, find=wrong, if_exists="skip"),
    "on_progress": lambda kantata, wrong: kantata.download("/users", io.BytesIO(), on_progress=wrong),
    "upload": lambda kantata, wrong: kantata.attachments.upload(
        b"x", filename="x.txt", type="receipt", on_progress=wrong
    ),
    "on_state": lambda kantata, wrong: kantata.exports.wait(3, on_state=wrong),
}


async def _nothing(_rows: object) -> list[Any]:
    return []


def _too_much(_1: object, _2: object, _3: object) -> None:
    """More than anything gives."""


@pytest.mark.parametrize("what", CALLS)
async def test_a_call_refuses_it_before_anything_is_sent(
    what: str, kantata: KantataSession, kantata_sandbox: Sandbox
) -> None:
    """A row that is unknown, or a file half sent, would be told of it too late."""
    for wrong in (5, "print", _too_much, Bound().nothing):
        with pytest.raises(UsageError, match=what):
            await CALLS[what](kantata, wrong)
    assert not kantata_sandbox.requests


async def test_a_copy_refuses_it_before_anything_is_read(
    kantata: KantataSession, kantata_sandbox: Sandbox, tmp_path: Any
) -> None:
    """Its progress is told only when something was stored."""
    sync = Sync(kantata, JSONLinesTarget(tmp_path))
    sync.add(kantata.users)
    with pytest.raises(UsageError, match="progress is called with the report of a job"):
        await sync.run(progress=takes_two)  # type: ignore[arg-type]
    assert not kantata_sandbox.requests


async def test_a_search_that_is_not_async_is_no_sign_that_nothing_is_there(kantata: KantataSession) -> None:
    """What it gave is not taken for what it found."""
    result = await kantata.participations.create_many(ROWS, find=lambda _rows: [], if_exists="skip")  # type: ignore[arg-type, return-value]
    assert [outcome.status for outcome in result] == ["unknown"]
    assert "find= must be an async function; it gave a list" in str(result[0].reason)
