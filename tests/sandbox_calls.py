"""How the tests of the sandbox call it: with nothing of the client between."""

from __future__ import annotations

from typing import Any

import aiohttp

from kantata_async.sandbox import Sandbox


class Caller:
    """Sends a request and gives its status and decoded body."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self._sandbox, self._session = sandbox, session

    async def __call__(self, method: str, path: str, json: Any = None, **params: Any) -> tuple[int, Any]:
        texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in params.items()}
        async with self._session.request(method, self._sandbox.url + path, json=json, params=texts) as response:
            return response.status, await response.json() if await response.read() else None


def ids(payload: Any) -> list[str]:
    """The ids of an answer's results, in its order."""
    return [result["id"] for result in payload["results"]]
