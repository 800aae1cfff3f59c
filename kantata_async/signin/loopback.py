"""The redirect at the end of a sign-in, received on a port of this machine (RFC 8252)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from ..errors import SignInError

_PATH: Final = "/callback"
_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Kantata Async</title>
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">
<body style="font: 1.2rem/1.5 system-ui; margin: 4rem auto; max-width: 30rem; padding: 0 1rem">
<h1>Back to the terminal</h1><p>It says whether you are signed in. You can close this window.</p></body></html>"""
_ALONE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""The address of the page holds the code, which is to go no further."""


@asynccontextmanager
async def receive_redirect(port: int = 0) -> AsyncIterator[tuple[str, Callable[[float], Awaitable[str]]]]:
    """The redirect address on a loopback port, and a function that waits for the whole address of the redirect.

    Args:
        port: to listen on; 0 for any free one. An application is registered with its port.

    Raises:
        SignInError: the port cannot be listened on; or, from the wait, nothing came in time.
    """
    arrived: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answered(request: web.Request) -> web.Response:
        if not arrived.done() and request.query.keys() & {"code", "error"}:
            arrived.set_result(str(request.url))
        return web.Response(text=_PAGE, content_type="text/html", headers=_ALONE)

    application = web.Application()
    application.router.add_get(_PATH, answered)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise SignInError(f"cannot listen on port {port}: {reason}; choose another port") from None
        taken = runner.addresses[0][1]

        async def redirect(seconds: float) -> str:
            try:
                return await asyncio.wait_for(asyncio.shield(arrived), seconds)
            except TimeoutError:
                raise SignInError(f"nobody came back from the browser within {seconds:g} seconds") from None

        yield f"http://127.0.0.1:{taken}{_PATH}", redirect
    finally:
        arrived.cancel()
        await runner.cleanup()
