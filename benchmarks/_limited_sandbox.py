"""A sandbox with a hidden limit in a process of its own, so that the client's work does not slow the server's.

Run as a module it is that process: commands come as lines of JSON, each answered by one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

from kantata_async.sandbox import Sandbox, ServerRateLimit

PATH = "/users/9{:08d}"
"""Nobody's: answered 404 at next to no cost, and the log tells the requests apart."""

OWN_PATH = "/workspaces"
"""A list that has a limit of its own beside the general one."""


class LimitedSandbox:
    """The parent's side: `async with LimitedSandbox(20, "token_bucket") as server`, then `url`, `token`."""

    def __init__(self, requests: int, kind: str, *, own: int | None = None) -> None:
        self._own = own
        self._first = {"limit": requests, "kind": kind, "own": own}

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 24
        )
        told = await self.tell(**self._first)
        self.url, self.token = told["url"], told["token"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]
        await self._process.wait()

    async def tell(self, **command: object) -> dict[str, Any]:
        """Send a command and give its answer."""
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()
        return dict(json.loads(await self._process.stdout.readline()))

    async def limit(self, requests: int, kind: str) -> None:
        """Change the limit."""
        await self.tell(limit=requests, kind=kind, own=self._own)

    async def figures(self, since: float, until: float, under: str = "/") -> dict[str, Any]:
        """What the server saw of requests under a path between two times of time.monotonic()."""
        return await self.tell(since=since, until=until, under=under)


def figures(sandbox: Sandbox, since: float, until: float, under: str) -> dict[str, Any]:
    """Let through and refused, by second, and how many were refused twice in a row over the whole log."""
    seen = [request for request in sandbox.requests if since <= request.at < until and request.path.startswith(under)]
    refused = Counter(int(request.at - since) for request in seen if request.status == 429)
    passed = Counter(int(request.at - since) for request in seen if request.status != 429)
    by_path: dict[str, list[int]] = {}
    for request in sandbox.requests:
        by_path.setdefault(request.path, []).append(request.status or 0)
    seconds = range(int(until - since) + 1)
    return {
        "passed": passed.total(),
        "refused": refused.total(),
        "twice": sum(one == two == 429 for statuses in by_path.values() for one, two in pairwise(statuses)),
        "passed_by_second": [passed[second] for second in seconds],
        "refused_by_second": [refused[second] for second in seconds],
    }


async def serve() -> None:
    """The child's side."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with Sandbox(people=2, projects=1) as sandbox:
        while line := await lines.readline():
            command = json.loads(line)
            if "limit" in command:
                sandbox.rate_limits = [ServerRateLimit(command["limit"], 1.0, command["kind"])]
                if command["own"] is not None:
                    own = ServerRateLimit(command["own"], 1.0, command["kind"], "GET", OWN_PATH)
                    sandbox.rate_limits = [*sandbox.rate_limits, own]
                answer = {"url": sandbox.url, "token": sandbox.token, "now": time.monotonic()}
            else:
                answer = figures(sandbox, command["since"], command["until"], command["under"])
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve())
