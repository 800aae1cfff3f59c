"""One request outside any session."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
from yarl import URL

_SECONDS: Final = 30
_MOST_BYTES: Final = 1 << 16


async def answer_to(method: str, url: str | URL, **sent: Any) -> tuple[int, bytes]:
    """The status and the body of the answer to a request; no redirect is followed.

    Raises:
        aiohttp.ClientError: there is no answer.
        TimeoutError: it did not come in time.
    """
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as client,
        client.request(method, url, allow_redirects=False, **sent) as response,
    ):
        return response.status, await response.content.read(_MOST_BYTES)
