"""The session's way to the server: each call sent, limited, timed, sent again where that is safe, and answered.

A request passes, for each attempt: the limits (`limits`), the token (`auth`), the wire (`exchange`), the decision what
becomes of it (`retry`), and in the end the reading of its answer (`answer`).
"""

from __future__ import annotations

import asyncio
import enum
import logging
import random as chance
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import orjson
from yarl import URL

from .address import checked_base_url, target
from .answer import data_of, refusal_of, request_id_of
from .attempt import Attempt
from .auth import Token, TokenSource
from .bounds import positive_count, positive_number
from .errors import (
    AmbiguousWriteError,
    ConnectionFailedError,
    InvalidResponseError,
    KantataError,
    RequestTimeoutError,
    UsageError,
)
from .events import Hook, OnEvent, Story
from .exchange import Wire, form_of
from .limits import Leave, Limiter, LimitState, RateLimitSetting, Slot, account_for, context_of_job
from .message import NO_BODY, Answer, Part, Request
from .retry import READS, Phase, RetryPolicy, Verdict, decide, retry_after_seconds, wait_before
from .time_limits import TimeLimits

__all__ = ["NO_BODY", "Answer", "Part", "Request", "Transport"]

BASE_URL: Final = "https://api.mavenlink.com/api/v1"

_LOGGER: Final = logging.getLogger("kantata_async.transport")
_METHODS: Final = READS | {"POST", "PUT", "PATCH", "DELETE"}
_MOST_SECONDS_TO_CONNECT: Final = 30.0
_HOW_TO_OPEN: Final = "open the session with `async with KantataSession(...) as kantata:` and use it inside"

_T = TypeVar("_T")


class _State(enum.Enum):
    UNOPENED = enum.auto()
    OPEN = enum.auto()
    CLOSED = enum.auto()


class Transport:
    """Sends requests; one for each session, in one event loop, opened once and closed once.

    Args:
        token: a token, an async function that fetches one, or None for the environment variable KANTATA_TOKEN.
        base_url: https, or http to this very machine.
        timeout: seconds for one attempt, of which at most 30 to connect. Kantata cuts a request off after 180.
        concurrency: how many attempts may be under way at once.
        rate_limit: how fast attempts may start; None for as fast as they come. With one, a request that was answered
            429 goes again when the limit lets it, else after the wait of the retry policy.
        retry: how often and how long a request is tried.
        on_event: told what happens to each request.
        max_answer_bytes: the size an answer may have, decompressed.
        sleep: waits between attempts; a test's may return at once.
        random: gives a number from 0 to 1, the place of a wait in its range.
        now: the time in seconds since 1970, against which a Retry-After date is read.

    Raises:
        UsageError: one of them cannot be used.
    """

    def __init__(
        self,
        *,
        token: Token | None = None,
        base_url: str = BASE_URL,
        timeout: float = 180.0,
        concurrency: int = 10,
        rate_limit: RateLimitSetting | None = None,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        on_event: OnEvent | None = None,
        max_answer_bytes: int = 64 * 1024 * 1024,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = chance.random,
        now: Callable[[], float] = time.time,
    ) -> None:
        positive_number("KantataSession", "timeout", timeout)
        positive_count("KantataSession", "concurrency", concurrency)
        positive_count("KantataSession", "max_answer_bytes", max_answer_bytes)
        for name, value, kind in (("rate_limit", rate_limit, RateLimitSetting | None), ("retry", retry, RetryPolicy)):
            if not isinstance(value, kind):
                raise UsageError(f"KantataSession: {name} cannot be {value!r}")
        if on_event is not None and not callable(on_event):
            raise UsageError(f"KantataSession: on_event must be a function, not {on_event!r}")
        self.concurrency: Final = concurrency
        self._tokens: Final = TokenSource(token)
        self._base_url: Final = URL(checked_base_url(base_url))
        self._timeout: Final = timeout
        self._rate_limit: Final = rate_limit
        self._retry: Final = retry
        self._hook: Final = None if on_event is None else Hook(on_event)
        self._max_answer_bytes: Final = max_answer_bytes
        self._sleep: Final = sleep
        self._random: Final = random
        self._now: Final = now
        self._state = _State.UNOPENED
        self._loop: asyncio.AbstractEventLoop
        self._limiter: Limiter
        self._wire: Wire
        self._time_limits: TimeLimits
        self._closing: asyncio.Lock
        self._tasks: Final[set[asyncio.Task[Any]]] = set()

    def __repr__(self) -> str:
        return f"<Transport to {self._base_url}: {self._state.name.lower()}>"

    async def open(self) -> None:
        """Make ready to send, in the running event loop; nothing is sent yet.

        Raises:
            UsageError: it was opened before, or there is no token.
        """
        if self._state is _State.OPEN:
            raise UsageError("the session is open already")
        if self._state is _State.CLOSED:
            raise UsageError("the session was closed and cannot be opened again: make a new KantataSession")
        self._tokens.open()
        self._loop = asyncio.get_running_loop()
        self._limiter = Limiter(
            self.concurrency,
            None
            if self._rate_limit is None
            else account_for(self._rate_limit, self._tokens.origin, str(self._base_url)),
            patience=self._retry.deadline,
        )
        await self._limiter.open()
        self._wire = Wire(
            connect_timeout=min(self._timeout, _MOST_SECONDS_TO_CONNECT), max_answer_bytes=self._max_answer_bytes
        )
        self._time_limits = TimeLimits()
        self._closing = asyncio.Lock()
        self._state = _State.OPEN

    async def close(self) -> None:
        """End what is under way with an error, cancel the tasks left, and close every connection.

        Closing again, or closing what was never opened, does nothing.

        Raises:
            UsageError: the running event loop is not the one that opened it.
        """
        if self._state is _State.UNOPENED:
            return
        self._check_loop()
        self._state = _State.CLOSED
        async with self._closing:
            self._time_limits.close()
            tasks = [task for task in self._tasks if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._tokens.close()
            await self._wire.close()
            await self._limiter.close()

    @property
    def limits(self) -> dict[str, LimitState]:
        """How every limit stands that was asked for so far, by name; empty before the session is opened."""
        return {} if self._state is _State.UNOPENED else self._limiter.states

    def server_time(self, moment: float) -> datetime | None:
        """What the server's clock said at a moment of the event loop's, to a second or so; None before any answer."""
        if self._wire.last_date is None:
            return None
        told, heard = self._wire.last_date
        try:
            return parsedate_to_datetime(told) + timedelta(seconds=moment - heard)
        except (TypeError, ValueError):
            return None

    def spawn(self, coroutine: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Run a coroutine as a task that ends with the session at the latest, and counts as part of the running job.

        Raises:
            UsageError: the session is not open, or not in this event loop.
        """
        try:
            self._check_usable()
        except UsageError:
            coroutine.close()
            raise
        task = self._loop.create_task(coroutine, context=context_of_job())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def send(self, request: Request) -> Answer:
        """Send a request, again where that is safe, and return its answer.

        Raises:
            UsageError: the session is not open, or the request cannot be sent as it is.
            ConnectionFailedError: no connection, or it broke, and the last attempt allowed was made.
            RequestTimeoutError: no answer in time, and the last attempt allowed was made.
            InvalidResponseError: the answer is not the API's.
            AmbiguousWriteError: a write may have been carried out.
            APIError: the API refused.
        """
        self._check_usable()
        url, body = self._prepared(request)
        if self._hook is None:
            return await self._sent(request, url, body, None)
        story = Story(self._hook, request.method, request.path)
        story.started()
        try:
            answer = await self._sent(request, url, body, story)
        except BaseException as error:
            story.finished(error)
            raise
        story.finished(None)
        return answer

    async def _sent(self, request: Request, url: URL, body: bytes | None, story: Story | None) -> Answer:
        made = 0
        deadline: float | None = None
        renewed = False
        refused: Leave | None = None
        error: KantataError | None = None
        while True:
            made += 1
            attempt = await self._attempt(request, url, body, deadline, refused)
            self._log(request, attempt, made, story)
            if error is not None and not attempt.began and self._state is _State.OPEN:
                # The time was up while it stood in line: what stopped it is why it stood there.
                raise error
            if deadline is None:
                # Counted from the first attempt's start: to stand in line for it is the program's own doing.
                deadline = attempt.began + self._retry.deadline
            verdict = decide(request.method, attempt.phase, attempt.status, attempt.headers)
            if verdict is Verdict.DELIVER:
                return self._delivered(request, attempt)
            if attempt.status == 401 and self._tokens.renewable and not renewed:
                renewed = True
                # It was not carried out, and says nothing of the server's health: not counted as an attempt.
                made -= 1
                if await self._renew(attempt.token, deadline):
                    continue
            error = self._error(request, attempt)
            if verdict is Verdict.AMBIGUOUS:
                raise self._ambiguous(request, attempt, error) from error
            if verdict is Verdict.FAIL or not await self._waited(made, deadline, attempt, story):
                raise error
            refused = attempt.leave if attempt.status == 429 else None

    def _check_usable(self) -> None:
        if self._state is _State.OPEN:
            self._check_loop()
        elif self._state is _State.UNOPENED:
            raise UsageError(f"the session is not open: {_HOW_TO_OPEN}")
        else:
            raise UsageError(f"the session is closed: {_HOW_TO_OPEN}")

    def _check_loop(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise UsageError(
                "the session belongs to the event loop that opened it"
                + (", which is closed" if self._loop.is_closed() else "")
                + ": open, use and close a session in one event loop, inside one asyncio.run()"
            )

    def _prepared(self, request: Request) -> tuple[URL, bytes | None]:
        if request.method not in _METHODS:
            raise UsageError(f"no method of the API: {request.method!r}; there are {', '.join(sorted(_METHODS))}")
        url = target(self._base_url, request.path, request.query)
        if request.form is not None:
            if request.json is not NO_BODY:
                raise UsageError(f"{request}: a request has a JSON body or a form, not both")
            form_of(request.form)
        if request.json is NO_BODY:
            return url, None
        try:
            return url, orjson.dumps(request.json)
        except orjson.JSONEncodeError as error:
            raise UsageError(f"{request}: the body cannot be written as JSON: {error}") from None

    async def _attempt(
        self,
        request: Request,
        url: URL,
        body: bytes | None,
        deadline: float | None,
        refused: Leave | None,
    ) -> Attempt:
        attempt = Attempt()
        allowed = self._time_limits.limit(deadline)
        slot = self._limiter.slot(request.method, request.path, refused)
        try:
            with allowed:
                async with slot:
                    attempt.began = self._loop.time()
                    attempt.leave = slot.leave
                    allowed.bring_forward(attempt.began + self._timeout)
                    await self._exchange(request, url, body, attempt, slot)
        except TimeoutError:
            # Any other one is the token function's own.
            if not allowed.expired:
                raise
            attempt.error = RequestTimeoutError(f"{request}: no complete answer within {self._timeout:g} s")
        return attempt

    async def _exchange(self, request: Request, url: URL, body: bytes | None, attempt: Attempt, slot: Slot) -> None:
        """Send once and tell the limits what came of it; what may have arrived is counted, nothing else is."""
        try:
            # Asked for only now: while this attempt stood in line, another one may have brought a new token.
            attempt.token = await self._tokens.current()
            headers = self._headers(request, body, attempt.token)
            await self._wire.exchange(request, url, body, headers, attempt)
        finally:
            if attempt.phase is Phase.NOT_SENT:
                slot.unused()
        if attempt.status:
            refused = attempt.status == 429
            slot.answered(refused=refused, retry_after=self._asked(attempt) if refused else None)

    def _asked(self, attempt: Attempt) -> float | None:
        """Seconds to wait that the server asked for."""
        return retry_after_seconds(attempt.headers.get("retry-after"), self._now())

    def _tell(self, story: Story, attempt: Attempt, made: int) -> None:
        request_id = request_id_of(attempt.headers, self._tokens.redact)
        story.sent(made, attempt.status, request_id, self._loop.time() - attempt.began if attempt.began else 0.0)
        if attempt.status == 429:
            story.throttled(self._asked(attempt))

    def _headers(self, request: Request, body: bytes | None, token: str) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {token}"}
        if request.csv:
            headers["Accept"] = "text/csv, application/json"
        if body is not None:
            headers["Content-Type"] = "application/json"
        return headers

    async def _renew(self, stale: str, deadline: float) -> bool:
        """Whether there is a new token in time."""
        allowed = self._time_limits.limit(deadline)
        try:
            with allowed:
                await self._tokens.renew(stale)
        except TimeoutError:
            if not allowed.expired:
                raise
            return False
        return True

    async def _waited(self, made: int, deadline: float, attempt: Attempt, story: Story | None) -> bool:
        """Wait for the next attempt's time; whether there is to be one."""
        if made >= self._retry.attempts or self._state is _State.CLOSED:
            return False
        asked = self._asked(attempt)
        # The limit itself knows when a refused request may go again, and lets it keep its place.
        in_line = attempt.status == 429 and self._limiter.limited
        wait = (asked or 0.0) if in_line else wait_before(made, self._retry, asked, self._random())
        if self._loop.time() + wait >= deadline:
            return False
        if story is not None:
            story.retried()
        if in_line:
            return True
        allowed = self._time_limits.limit(None)
        try:
            with allowed:
                await self._sleep(wait)
        except TimeoutError:
            if not allowed.expired:
                raise
            return False
        return True

    def _delivered(self, request: Request, attempt: Attempt) -> Answer:
        try:
            if attempt.error is not None:
                raise attempt.error
            data = data_of(request, attempt, self._tokens.redact)
        except InvalidResponseError as error:
            if request.method in READS:
                raise
            raise self._ambiguous(request, attempt, error) from error
        return Answer(attempt.status, data, request_id_of(attempt.headers, self._tokens.redact))

    def _error(self, request: Request, attempt: Attempt) -> KantataError:
        if attempt.phase is Phase.ANSWERED:
            return refusal_of(request, attempt, self._tokens.redact)
        if self._state is _State.CLOSED or attempt.error is None:
            return ConnectionFailedError(f"{request}: the session was closed before an answer came")
        return attempt.error

    def _ambiguous(self, request: Request, attempt: Attempt, error: KantataError) -> AmbiguousWriteError:
        return AmbiguousWriteError(
            f"{request} may or may not have been carried out; look before sending it again. {error}",
            method=request.method,
            path=request.path,
            request_id=request_id_of(attempt.headers, self._tokens.redact),
        )

    def _log(self, request: Request, attempt: Attempt, number: int, story: Story | None) -> None:
        if story is not None:
            self._tell(story, attempt, number)
        if _LOGGER.isEnabledFor(logging.DEBUG):
            _LOGGER.debug(
                "%s %s %s %.0f ms request-id %s attempt %d",
                request.method,
                request.path,
                attempt.status or attempt.phase.value,
                (self._loop.time() - attempt.began) * 1000,
                request_id_of(attempt.headers, self._tokens.redact) or "-",
                number,
            )
