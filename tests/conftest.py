"""What many files of tests ask for: companies of the size that a test says, and ways to talk to them.

`kantata_sandbox` and `kantata` are the plugin's, but where a marker says otherwise:

    @pytest.mark.company(people=420, projects=6)
    @pytest.mark.session(retry=RetryPolicy(attempts=8))
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Generator
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, settings
from sandbox_calls import Caller

from kantata_async import KantataSession
from kantata_async.sandbox import Sandbox

# Where the environment keeps Python from writing bytecode, each of the many processes that tests start would compile
# the package and what it stands on anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell has what it starts in the background ignore Ctrl-C: so would whatever a test starts, and then interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Three workers for two cores: a third of the time a worker waits for a process, a socket or a timer."""
    cores = yield
    return cores + cores // 2


def pytest_collection_finish() -> None:
    """The collector goes through what the tests make, and not each time through all that was imported and collected."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test leaves anything in the cache of who runs it."""
    os.environ["KANTATA_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def kantata_sandbox(request: pytest.FixtureRequest) -> Any:
    """The plugin's sandbox, or the one that the marker `company` describes."""
    marked = request.node.get_closest_marker("company") is not None
    return request.getfixturevalue("company" if marked else "kantata_sandbox")


@pytest.fixture
async def company(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """A sandbox as the marker `company` describes it."""
    async with Sandbox(**request.node.get_closest_marker("company").kwargs) as sandbox:
        yield sandbox


@pytest.fixture
def kantata(request: pytest.FixtureRequest) -> Any:
    """The plugin's session, or one with the settings of the marker `session`."""
    marked = request.node.get_closest_marker("session") is not None
    return request.getfixturevalue("marked_session" if marked else "kantata")


@pytest.fixture
async def marked_session(request: pytest.FixtureRequest, kantata_sandbox: Sandbox) -> AsyncIterator[KantataSession]:
    """A session on the sandbox with the settings of the marker `session`."""
    given: dict[str, Any] = {"token": kantata_sandbox.token, "base_url": kantata_sandbox.url, "rate_limit": None}
    async with KantataSession(**given | request.node.get_closest_marker("session").kwargs) as opened:
        yield opened


@pytest.fixture
def sandbox(kantata_sandbox: Sandbox) -> Sandbox:
    """The sandbox under the name that its own tests give it."""
    return kantata_sandbox


@pytest.fixture
async def session(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    """Requests with the sandbox's token, and with nothing of the client between."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {sandbox.token}"}) as opened:
        yield opened


@pytest.fixture
async def anonymous() -> AsyncIterator[aiohttp.ClientSession]:
    """Requests without a token."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def call(sandbox: Sandbox, session: aiohttp.ClientSession) -> Caller:
    """An operation of the sandbox: its status and its decoded body."""
    return Caller(sandbox, session)
