"""The session's way to the server, from its opening to its closing."""

from __future__ import annotations

import asyncio
import enum
import inspect
import os
import random as chance
import time
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import msgspec
from yarl import URL

from ..bounds import positive_count
from ..callables import check_function
from ..errors import ConnectionFailedError, UsageError
from ..limits import AccountLimits, LimitState, RateLimitSetting, account_for
from ..model import brief_repr
from ..turns import Limiter, context_of_job, priority
from .auth import TokenSource
from .environment import BASE_URL, log_as_the_environment_says
from .fetching import FileExchange
from .hooks import EventSetting, Hooks
from .multipart import form_of
from .network import Network
from .options import Options
from .request import NO_BODY, Request
from .retry import Sleep
from .sending import Sending, Services
from .stories import CallStory
from .success import Success
from .time_limits import TimeLimits
from .url import checked_base_url, is_loopback, target
from .verdict import READS
from .wire import Wire

_METHODS: Final = READS | {"POST", "PUT", "PATCH", "DELETE"}
_MOST_SECONDS_TO_CONNECT: Final = 30.0
_SECONDS_TO_END: Final = 1.0
"""Seconds that a task gets to end with the error of its request when the session closes."""
_HOW_TO_OPEN: Final = "open the session with `async with KantataSession(...) as kantata:` and use it inside"

_T = TypeVar("_T")


class _Lifetime(enum.Enum):
    UNOPENED = enum.auto()
    OPEN = enum.auto()
    CLOSED = enum.auto()


class Transport:
    """Sends requests; one for each session, in one event loop, opened once and closed once.

    Args:
        tokens: where the token comes from.
        base_url: https, or http to this very machine.
        options: how requests are sent that do not say otherwise; connecting takes at most 30 seconds of an attempt.
        concurrency: how many attempts may be under way at once.
        rate_limit: how fast attempts may start; None for as fast as they come. With one, a request that was answered
            429 goes again when the limit allows it, otherwise after the wait of the retry policy.
        on_event: called for everything that happens to a call.
        network: how the server is reached.
        max_answer_bytes: the most bytes that an answer may have, decompressed.
        sleep: waits between attempts, and wherever else the session waits; a test's may return at once.
        random: gives a number from 0 to 1, the place of a wait in its range.
        now: the time in seconds since 1970, against which a Retry-After date is read where an answer has no date.

    Raises:
        UsageError: a setting cannot be used.
    """

    # A transport is shown even if its __init__ failed.
    base_url: URL = URL()
    _state: _Lifetime = _Lifetime.UNOPENED

    def __init__(
        self,
        tokens: TokenSource,
        *,
        base_url: str = BASE_URL,
        options: Options = Options(),  # noqa: B008 - frozen
        concurrency: int = 10,
        rate_limit: RateLimitSetting | None = None,
        on_event: EventSetting = None,
        network: Network = Network(),  # noqa: B008 - frozen
        max_answer_bytes: int = 64 * 1024 * 1024,
        sleep: Sleep = asyncio.sleep,
        random: Callable[[], float] = chance.random,
        now: Callable[[], float] = time.time,
    ) -> None:
        tokens.check()
        positive_count("KantataSession", "concurrency", concurrency)
        positive_count("KantataSession", "max_answer_bytes", max_answer_bytes)
        if not isinstance(rate_limit, RateLimitSetting | None):
            raise UsageError(f"KantataSession: rate_limit must be a rate limit or None, not {brief_repr(rate_limit)}")
        check_function("KantataSession", "sleep", sleep, "a number of seconds")
        self.concurrency: Final = concurrency
        self._tokens: Final = tokens
        self.base_url = URL(checked_base_url(base_url))
        self.options: Final = options
        self.keep_secret(options)
        self._rate_limit: Final = rate_limit
        self._hooks: Final = Hooks(on_event)
        self.watched: Final = bool(self._hooks)
        """Whether anyone listens to its events."""
        self._network: Final = network
        self._max_answer_bytes: Final = max_answer_bytes
        self._sleep: Final = sleep
        self._random: Final = random
        self._now: Final = now
        self._loop: asyncio.AbstractEventLoop
        self._process: int
        self._services: Services
        self._closing: asyncio.Lock
        self._tasks: Final[set[asyncio.Task[Any]]] = set()
        self._ended_by_closing: Final[set[asyncio.Task[Any]]] = set()

    def __repr__(self) -> str:
        return f"<Transport to {self.base_url}: {self._state.name.lower()}>"

    async def open(self) -> None:
        """Make ready to send, in the running event loop; nothing is sent yet.

        Raises:
            UsageError: it was opened before, there is no token, or a setting in the environment cannot be used.
        """
        if self._state is _Lifetime.OPEN:
            raise UsageError("the session is open already")
        if self._state is _Lifetime.CLOSED:
            raise UsageError("the session was closed and cannot be opened again: make a new KantataSession")
        log_as_the_environment_says()
        self._tokens.open(str(self.base_url), self._network)
        proxy = self._network.proxy_to(self.base_url)
        if proxy is not None and proxy.password is not None:
            self._tokens.redact.add(proxy.password)
        self._loop, self._process = asyncio.get_running_loop(), os.getpid()
        limiter = Limiter(self.concurrency, self._account())
        await limiter.open()
        self._services = Services(
            tokens=self._tokens,
            limiter=limiter,
            wire=Wire(
                connect_timeout=min(self.options.timeout, _MOST_SECONDS_TO_CONNECT),
                max_answer_bytes=self._max_answer_bytes,
                network=self._network,
                proxy=proxy,
            ),
            time_limits=TimeLimits(),
            clock=self._loop.time,
            is_open=lambda: self._state is _Lifetime.OPEN,
            longest_pause=self.options.retry.deadline,
            sleep=self.sleep,
            random=self._random,
            now=self._now,
        )
        self._closing = asyncio.Lock()
        self._state = _Lifetime.OPEN

    async def close(self) -> None:
        """End what is under way with an error, and close every connection.

        Closing again, or closing what was never opened, does nothing.

        Raises:
            UsageError: the running event loop is not the one that opened it.
        """
        if self._state is _Lifetime.UNOPENED:
            return
        self._check_loop()
        self._state = _Lifetime.CLOSED
        async with self._closing:
            self._services.time_limits.close()
            await self._end_tasks()
            await self._tokens.close()
            await self._services.wire.close()
            await self._services.limiter.close()
            await self._hooks.close()

    async def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            UsageError: what is to wait is no async function.
        """
        waiting = self._sleep(seconds)
        if not inspect.isawaitable(waiting):
            raise UsageError(f"KantataSession: sleep must be an async function; it gave a {type(waiting).__name__}")
        await waiting

    @property
    def limits(self) -> dict[str, LimitState]:
        """The state of every limit used so far, by name; empty before the session is opened."""
        return {} if self._state is _Lifetime.UNOPENED else self._services.limiter.states

    def server_time(self, moment: float) -> datetime | None:
        """The server's time at a moment on the event loop's clock, to a second or so; None before any answer."""
        if self._state is _Lifetime.UNOPENED or self._services.wire.last_date is None:
            return None
        date, heard = self._services.wire.last_date
        try:
            return parsedate_to_datetime(date) + timedelta(seconds=moment - heard)
        except (TypeError, ValueError, OverflowError):
            return None

    def redact(self, text: str) -> str:
        """A text without any secret of the session."""
        return self._tokens.redact(text)

    def keep_secret(self, options: Options) -> None:
        """Redact the secret headers of these options, should the server send them back."""
        for secret in options.secrets:
            self._tokens.redact.add(secret)

    def spawn(self, coroutine: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """The task that runs a coroutine; it is part of the running job, and ends with the session at the latest.

        When the session is closed under way, the task ends with a ConnectionFailedError.

        Raises:
            UsageError: the session is not open, or not in this event loop.
        """
        try:
            self._check_usable()
        except UsageError:
            coroutine.close()
            raise
        task = self._loop.create_task(self._until_closed(coroutine), context=context_of_job())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before it begins never awaits its coroutine.
        task.add_done_callback(lambda _: coroutine.close())
        return task

    def story_of(self, name: str) -> CallStory:
        """The story of a new call of this name."""
        return CallStory(self._hooks, name, self._tokens.redact)

    async def send(self, request: Request, options: Options | None = None, call: CallStory | None = None) -> Success:
        """The answer to a request, which is sent again where that is safe.

        Args:
            request: what to send.
            options: for this request; the session's own where there are none.
            call: the call that it belongs to; None where nobody listens.

        Raises:
            UsageError: the session is not open, or the request cannot be sent as it is.
            ConnectionFailedError: the connection could not be made, or broke, in the last attempt allowed.
            RequestTimeoutError: no answer came in time in the last attempt allowed.
            InvalidResponseError: the answer is not the API's.
            AmbiguousWriteError: a write may have been carried out.
            APIError: the API refused.
        """
        self._check_usable()
        options = self.options if options is None else options
        url, body = self._prepared(request)
        story = None if call is None else call.request(request.method, request.path, url)
        sending = Sending(self._services, request, options, url=url, body=body, story=story)
        if options.priority is None:
            return await sending.success()
        with priority(options.priority):
            return await sending.success()

    def _account(self) -> AccountLimits | None:
        if self._rate_limit is None:
            return None
        # A sandbox's limit says nothing about that of the next one at the same address.
        keep = not is_loopback(self.base_url.host or "")
        return account_for(self._rate_limit, self._tokens.origin, str(self.base_url), keep=keep)

    def exchange_of_file(self, options: Options, call: CallStory | None) -> FileExchange:
        """What asks for one file, in this call; None where nobody listens.

        Raises:
            UsageError: the session is not open.
        """
        self._check_usable()
        return FileExchange(self._services, self._network, self.base_url, options, call)

    def _prepared(self, request: Request) -> tuple[URL, bytes | None]:
        if request.method not in _METHODS:
            raise UsageError(f"the API has no method {request.method!r}; there are {', '.join(sorted(_METHODS))}")
        url = target(self.base_url, request.path, request.query)
        if request.form is not None:
            if request.json is not NO_BODY:
                raise UsageError(f"{request}: a request has a JSON body or a form, not both")
            form_of(request.form)
        if request.json is NO_BODY:
            return url, None
        try:
            return url, msgspec.json.encode(request.json)
        except (msgspec.EncodeError, TypeError, ValueError, RecursionError) as error:
            raise UsageError(f"{request}: the body cannot be written as JSON: {error}") from None

    async def _until_closed(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        try:
            return await coroutine
        except asyncio.CancelledError:
            task = asyncio.current_task()
            # A cancellation that came from elsewhere at the same time takes precedence.
            if task is None or task not in self._ended_by_closing or task.uncancel() > 0:
                raise
        raise ConnectionFailedError("the session was closed before this was done")

    async def _end_tasks(self) -> None:
        """End every task: with the error of its request where that has ended, otherwise by cancelling it."""
        tasks = self._tasks - {asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks, timeout=_SECONDS_TO_END)
        for task in tasks:
            if not task.done():
                self._ended_by_closing.add(task)
                task.cancel()
        # asyncio would report the errors of tasks that nobody waits for.
        await asyncio.gather(*tasks, return_exceptions=True)

    def _check_usable(self) -> None:
        if self._state is _Lifetime.OPEN:
            self._check_loop()
        elif self._state is _Lifetime.UNOPENED:
            raise UsageError(f"the session is not open: {_HOW_TO_OPEN}")
        else:
            raise UsageError(f"the session is closed: {_HOW_TO_OPEN}")

    def _check_loop(self) -> None:
        if os.getpid() != self._process:
            raise UsageError(
                "the session was opened in another process, and a fork does not inherit it: open one in each process; "
                "RedisRateLimit keeps one limit for all of them"
            )
        if asyncio.get_running_loop() is not self._loop:
            raise UsageError(
                "the session belongs to the event loop that opened it"
                + (", which is closed" if self._loop.is_closed() else "")
                + ": open, use and close a session in one event loop, inside one asyncio.run()"
            )
