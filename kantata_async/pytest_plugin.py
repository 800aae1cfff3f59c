"""pytest fixtures: an embedded Kantata for a test, and a session opened on it.

pytest loads this module in every run in which the package is installed, so it imports next to nothing at first: the
client and the sandbox come when a fixture is used. The fixtures run in the event loop that pytest-asyncio gives a test;
where it is not installed, using one fails with a message and everything else goes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from .sandbox import Sandbox
    from .session import KantataSession

_MISSING: Final = "the fixtures kantata_sandbox and kantata need pytest-asyncio: pip install 'kantata-async[pytest]'"


async def _sandbox() -> AsyncIterator[Sandbox]:
    """A new embedded Kantata for each test: 60 people and 12 projects, the same ones in every run.

    For another size, or a latency, define a fixture of this name: `kantata` opens its session on that.
    """
    from .sandbox import Sandbox  # noqa: PLC0415 - only the tests that use it pay for it

    async with Sandbox() as sandbox:
        yield sandbox


async def _session(kantata_sandbox: Sandbox) -> AsyncIterator[KantataSession]:
    """A session opened on `kantata_sandbox`; it retries like any other, without waits that anyone would notice."""
    from .session import KantataSession  # noqa: PLC0415 - as above
    from .transport import RetryPolicy  # noqa: PLC0415 - as above

    retry = RetryPolicy(first_wait=0.01, max_wait=0.01)
    url, token = kantata_sandbox.url, kantata_sandbox.token
    async with KantataSession(token=token, base_url=url, rate_limit=None, retry=retry) as session:
        yield session


def _refused() -> None:
    """Not available: pip install 'kantata-async[pytest]'."""
    pytest.fail(_MISSING, pytrace=False)


if find_spec("pytest_asyncio") is not None:
    import pytest_asyncio

    kantata_sandbox: Any = pytest_asyncio.fixture(_sandbox, name="kantata_sandbox")
    kantata: Any = pytest_asyncio.fixture(_session, name="kantata")
else:
    kantata_sandbox = pytest.fixture(_refused, name="kantata_sandbox")
    kantata = pytest.fixture(_refused, name="kantata")
