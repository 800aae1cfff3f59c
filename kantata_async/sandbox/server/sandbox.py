"""The sandbox: the service behind a socket, with a log, faults, limits and a latency."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Iterable
from datetime import datetime
from email.utils import formatdate
from itertools import count
from types import TracebackType
from typing import Any, Final, Self, TypedDict, Unpack

import msgspec
from aiohttp import web

from ..backend import Answer, Clock, Refusal, Store, Switches, malformed
from .assets import asset
from .authorization import AuthorizationServer, OAuthApplication
from .browsing import browse, tables
from .control import PREFIX, respond, settings
from .fault_answers import befall, status_of
from .faults import Fault, Faults
from .gateway import BASE, Gateway, below_base, is_secret
from .http_dates import HttpDates
from .limits import MeteredLimits, ServerRateLimit
from .log import LoggedRequest
from .origins import refuse_foreign
from .path_patterns import matches
from .storage import serve
from .thread import ThreadedSandbox
from .watching import tell
from .wire import read_body

HOST: Final = "127.0.0.1"
MAX_BODY: Final = 64 * 1024 * 1024
_UNREAD: Final = Answer(200, msgspec.json.encode({"count": 0, "results": [], "meta": {"count": 0, "page_count": 0}}))


class SandboxOptions(TypedDict, total=False):
    """What a `Sandbox` takes."""

    seed: int
    people: int
    projects: int
    port: int
    token: str | None
    latency: float
    now: datetime | None
    switches: Switches | None
    rate_limits: Iterable[ServerRateLimit]
    application: OAuthApplication | None


class Sandbox:
    """An in-memory Kantata on a loopback port, as an async context manager or between `start` and `stop`.

    Args:
        seed: Which company it is; the same seed, people and projects give the same company.
        people: How many users the company has.
        projects: How many workspaces it has.
        port: The port to listen on; 0 takes a free one.
        token: The bearer token that it takes; random unless given.
        latency: Seconds added to every answer. A write is carried out before the wait.
        now: The time of its clock when it starts, from which it goes on; the present unless given.
        switches: Its behaviour where that of the real server is not documented.
        rate_limits: The limits beyond which it answers 429.
        application: The application that is registered with its authorization server.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        people: int = 60,
        projects: int = 12,
        port: int = 0,
        token: str | None = None,
        latency: float = 0.0,
        now: datetime | None = None,
        switches: Switches | None = None,
        rate_limits: Iterable[ServerRateLimit] = (),
        application: OAuthApplication | None = None,
    ) -> None:
        self.token = token or secrets.token_urlsafe(24)
        self.latency = latency
        self.faults = Faults(seed)
        self._founding = {"seed": seed, "people": people, "projects": projects}
        self._switches = switches or Switches()
        self._limits = MeteredLimits(rate_limits)
        self._dates = HttpDates()
        self._port = port
        self._storage_port = 0
        self._log: list[LoggedRequest] = []
        self._numbers = count(1)
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self._application = application or OAuthApplication()
        self._gateway = self._founded(now)

    @classmethod
    def in_thread(cls, **options: Unpack[SandboxOptions]) -> ThreadedSandbox:
        """A sandbox in a separate thread, as a context manager, for programs and tests without an event loop.

        It takes what the class takes, and has the same properties and methods.
        """
        return ThreadedSandbox(cls(**options))

    def __repr__(self) -> str:
        return f"<Sandbox {self.url} {len(self.store)} records>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """The base URL for a client."""
        return f"{self._origin}{BASE}"

    @property
    def page_url(self) -> str:
        """The address of its page for the browser: the company, the requests, limits, faults and switches."""
        return f"{self._origin}{PREFIX}/"

    @property
    def _origin(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def storage_url(self) -> str:
        """Where files are served and direct uploads are taken: at another origin, to which no token may go."""
        return f"http://{HOST}:{self._storage_port}"

    @property
    def store(self) -> Store:
        """The records behind the API."""
        return self._gateway.service.company.store

    @property
    def authorization(self) -> AuthorizationServer:
        """The authorization server: the tokens that it issued and revoked, and how to get one."""
        return self._gateway.authorization

    @property
    def clock(self) -> Clock:
        """The server's clock, which dates its records and its answers; it can be set and moved on."""
        return self.store.clock

    @property
    def switches(self) -> Switches:
        """The switches of the server's behaviour; they may be changed at any time."""
        return self._switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._switches = self._gateway.service.company.switches = switches

    @property
    def rate_limits(self) -> tuple[ServerRateLimit, ...]:
        """The limits in force; setting them forgets what was used of the old ones."""
        return self._limits.limits

    @rate_limits.setter
    def rate_limits(self, limits: Iterable[ServerRateLimit]) -> None:
        self._limits = MeteredLimits(limits)

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request below the base URL since the log was last cleared, in the order in which they came."""
        return self._log

    @property
    def committed(self) -> int:
        """How many writes in the log were carried out."""
        return sum(request.committed for request in self._log)

    @property
    def filters_without_effect(self) -> tuple[tuple[str, str], ...]:
        """The (path, filter) pairs that are taken and change nothing, as the data that they ask about is missing."""
        return self._gateway.service.filters_without_effect

    def count(self, method: str | None = None, path: str | None = None) -> int:
        """How many requests the log has of a method and a path, the latter as `path_patterns.matches` describes."""
        return sum(matches(method, path, request_method=r.method, request_path=r.path) for r in self._log)

    def clear_log(self) -> None:
        """Forget every request so far."""
        self._log.clear()

    def reset(self, *, seed: int | None = None, people: int | None = None, projects: int | None = None) -> None:
        """Set up the company again, or another one; faults and log are cleared too."""
        changes = {"seed": seed, "people": people, "projects": projects}
        self._founding |= {name: value for name, value in changes.items() if value is not None}
        self._gateway = self._founded(self.clock.now())
        self.faults.clear()
        self.clear_log()

    def make_file(self, attachment: str, size: int) -> None:
        """Give an attachment a file of so many bytes, which are made as they are read: for files larger than memory.

        Raises:
            LookupError: there is no such attachment.
        """
        self._gateway.make_file(attachment, size)

    def _founded(self, now: datetime | None) -> Gateway:
        gateway = Gateway(self._switches, Clock(now), self._application, **self._founding)
        self._place(gateway)
        return gateway

    def _place(self, gateway: Gateway) -> None:
        """Tell the server where it can be reached."""
        gateway.origin = self._origin
        gateway.store_at(self.storage_url)

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
            RuntimeError: it listens already.
        """
        if self._runner is not None:
            raise RuntimeError("the sandbox has been started already")
        self._stopping.clear()
        application = web.Application(client_max_size=MAX_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        application.on_response_prepare.append(self._date)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._port).start()
            await web.TCPSite(runner, HOST, self._storage_port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port, self._storage_port = (address[1] for address in runner.addresses)
        self._place(self._gateway)

    async def stop(self) -> None:
        """Stop listening, and end what still hangs; a second call does nothing."""
        self._stopping.set()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = self._dates.of(self.clock.timestamp())

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith(f"{PREFIX}/"):
            return await self._control(request)
        if request.path == PREFIX or (request.path == "/" and "text/html" in request.headers.get("Accept", "")):
            raise web.HTTPFound(f"{PREFIX}/")
        logged = LoggedRequest(
            method=request.method,
            path=below_base(request.path),
            query={} if is_secret(request.path) else dict(request.query),
            request_id=f"{next(self._numbers):012x}",
            at=time.monotonic(),
        )
        self._log.append(logged)
        try:
            return await self._answered(request, logged)
        finally:
            logged.seconds = time.monotonic() - logged.at

    async def _answered(self, request: web.Request, logged: LoggedRequest) -> web.StreamResponse:
        answer, fault = await self._exchange(request, logged)
        if self.latency:
            await asyncio.sleep(self.latency)
        if fault is not None:
            logged.status = answer.status if fault.kind == "cut" else status_of(fault)
            return await befall(fault, request, answer, logged.request_id, self._stopping)
        logged.status = answer.status
        return await _response(request, answer, logged.request_id)

    async def _exchange(self, request: web.Request, logged: LoggedRequest) -> tuple[Answer, Fault | None]:
        """The answer to a request, and the fault that takes its place."""
        is_for_storage = self._is_for_storage(request)
        began = self.clock.now()
        try:
            body = await read_body(request)
        except Refusal as refusal:
            return refusal.answer(), None
        except ConnectionError:
            # The client went away while it sent the body: nobody reads an answer.
            return malformed("The body is not complete").answer(), None
        if not is_secret(request.path):
            logged.body, logged.form = body.json, body.form
        wait = 0.0 if is_for_storage else self._limits.admit(request.method, logged.path, time.monotonic())
        if wait:
            return self._throttled(wait).answer(), None
        fault = self.faults.strike(request.method, logged.path)
        if fault is not None and fault.when == "before":
            return _UNREAD, fault
        outcome = (
            serve(self._gateway.service.company, request, body, began)
            if is_for_storage
            else self._gateway.carry_out(request, body, self.token)
        )
        logged.committed = outcome.committed
        return outcome.answer, fault

    def _is_for_storage(self, request: web.Request) -> bool:
        address = None if request.transport is None else request.transport.get_extra_info("sockname")
        return address is not None and address[1] == self._storage_port

    def _throttled(self, wait: float) -> Refusal:
        headers = {}
        if self.switches.retry_after == "seconds":
            headers["Retry-After"] = str(-int(-wait // 1))
        elif self.switches.retry_after == "date":
            headers["Retry-After"] = formatdate(self.clock.timestamp() + wait + 1, usegmt=True)
        return Refusal(429, [{"type": "system", "message": "Too many requests"}], headers)

    async def _control(self, request: web.Request) -> web.StreamResponse:
        """The answer to the sandbox's page, or to another process that controls it."""
        path = request.path.removeprefix(PREFIX)
        try:
            refuse_foreign(request.headers)
            if request.method == "GET" and path == "/events":
                return await tell(request, lambda: self._log, self._state, self._stopping)
            answer = await self._controlled(request, path)
        except Refusal as refusal:
            answer = refusal.answer()
        return await _response(request, answer, f"{next(self._numbers):012x}")

    async def _controlled(self, request: web.Request, path: str) -> Answer:
        if request.method == "GET":
            read = asset(path) or browse(self._gateway.service.company, path, request.query)
            return read or respond(self, "GET", path, request.query)
        body = (await read_body(request)).json
        return respond(self, request.method, path, body if isinstance(body, dict) else {})

    def _state(self) -> dict[str, Any]:
        company = self._gateway.service.company
        return {"url": self.url, "version": company.store.version, "tables": tables(company), **settings(self)}


async def _response(request: web.Request, answer: Answer, request_id: str) -> web.StreamResponse:
    headers = {"x-request-id": request_id, **answer.headers}
    if answer.body or answer.extent is not None:
        headers["Content-Type"] = answer.content_type
    if answer.extent is None:
        return web.Response(status=answer.status, body=answer.body or None, headers=headers)
    headers["Content-Length"] = str(len(answer.extent))
    if request.method == "HEAD":
        return web.Response(status=answer.status, headers=headers)
    response = web.StreamResponse(status=answer.status, headers=headers)
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        for piece in answer.extent.pieces():
            await response.write(piece)
    return response
