"""One request from its first attempt to its answer or its error.

An attempt passes the limits (`limits`), the token (`auth`), the wire (`wire`), and the decision what becomes of it
(`verdict`, `retry`); the last one's answer is read (`success`) or becomes an error (`refusal`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import attrs
from yarl import URL

from ..errors import (
    AmbiguousWriteError,
    ConnectionFailedError,
    InvalidResponseError,
    KantataError,
    RequestTimeoutError,
    note_attempts,
    note_interruption,
)
from ..turns import Limiter, Slot
from .attempt import Attempt, Phase
from .attempt_log import log_attempt, log_resending
from .auth import TokenSource
from .options import Options
from .refusal import is_by_the_api, refusal_of, request_id_of, response_of
from .request import Request
from .retry import Sleep, retry_after_of, wait_before
from .stories import RequestStory
from .success import Success, data_of
from .time_limits import TimeLimits
from .verdict import READS, Verdict, decide
from .wire import Wire


@attrs.frozen
class Services:
    """What all requests of a session share.

    Attributes:
        tokens: gives the token.
        limiter: lets attempts go.
        wire: sends them.
        time_limits: end them in time, and when the session closes.
        clock: the event loop's, in seconds.
        is_open: whether the session is still open.
        sleep: waits between attempts.
        random: gives a number from 0 to 1, the place of a wait in its range.
        now: the time in seconds since 1970.
        longest_pause: the most seconds that a call of the session waits: a server that asks for more pauses nobody.
    """

    tokens: TokenSource
    limiter: Limiter
    wire: Wire
    time_limits: TimeLimits
    clock: Callable[[], float]
    is_open: Callable[[], bool]
    sleep: Sleep
    random: Callable[[], float]
    now: Callable[[], float]
    longest_pause: float

    def tell_limits(self, slot: Slot, attempt: Attempt) -> None:
        """Tell the limits whether an attempt was refused, and for how long the server asked to pause."""
        refused = attempt.status == 429
        asked = retry_after_of(attempt.headers, self.now()) if refused else None
        believed = asked if asked is not None and asked <= self.longest_pause else None
        slot.answered(refused=refused, retry_after=believed)


class Sending:
    """The life of one request.

    Args:
        services: of its session.
        request: what is sent.
        options: how it is sent.
        url: where to.
        body: its JSON; None for none.
        story: records what happens; None where nobody listens.
    """

    def __init__(
        self,
        services: Services,
        request: Request,
        options: Options,
        *,
        url: URL,
        body: bytes | None,
        story: RequestStory | None,
    ) -> None:
        self._services: Final = services
        self._request: Final = request
        self._url: Final = url
        self._body: Final = body
        self._carried: Final = _headers_of(request, body, options)
        self._timeout: Final = options.timeout
        self._retry: Final = options.retry
        self._story: Final = story
        self._redact: Final = services.tokens.redact
        self._attempt: Attempt
        self._sent = 0
        self._renewals = 0
        self._deadline: float | None = None
        self._refused: Slot | None = None

    async def success(self) -> Success:
        """The answer to the request, which is sent again where that is safe.

        Raises:
            ConnectionFailedError: the connection could not be made, or broke, in the last attempt allowed.
            RequestTimeoutError: no answer came in time in the last attempt allowed.
            InvalidResponseError: the answer is not the API's.
            AmbiguousWriteError: a write may have been carried out.
            APIError: the API refused.
        """
        if self._story is not None:
            self._story.started()
        try:
            success = await self._until_answered()
        except BaseException as error:
            self._ended_by(error)
            if self._story is not None:
                self._story.finished(error)
            raise
        if self._story is not None:
            self._story.finished(None)
        return success

    def _lead_to_answer(self, error: KantataError) -> None:
        """Give an error the answer that it is about, if there is one."""
        if self._attempt.status and error.response is None:
            error.response = response_of(self._attempt, self._sent, self._redact)

    def _ended_by(self, error: BaseException) -> None:
        """Add to an error what is known beyond it: its answer, the attempts made, whether a write may have happened."""
        if not isinstance(error, KantataError):
            self._note(error)
            return
        self._lead_to_answer(error)
        note_attempts(error, self._sent)

    async def _until_answered(self) -> Success:
        error: KantataError | None = None
        while True:
            await self._send_once(error)
            verdict = self._verdict()
            if verdict is Verdict.DELIVER:
                if self._story is not None:
                    self._tell_story(self._story, self._attempt.error)
                return self._delivered()
            error = self._error()
            self._lead_to_answer(error)
            if self._story is not None:
                self._tell_story(self._story, error)
            if self._attempt.status == 401 and await self._renewed():
                self._tell_resending(error, "with a new token")
                continue
            if verdict is Verdict.AMBIGUOUS:
                raise self._ambiguous(error) from error
            if verdict is Verdict.FAIL or not await self._waited(error):
                raise error

    # --- one attempt ---

    async def _send_once(self, last_error: KantataError | None) -> None:
        """Make the next attempt.

        Raises:
            KantataError: that of the last attempt, where the time was up while this one stood in line.
        """
        services = self._services
        attempt = self._attempt = Attempt(carried=self._carried)
        allowed = services.time_limits.limit(self._deadline)
        slot = services.limiter.slot(
            self._request.method, self._request.path, self._refused, patience=self._retry.deadline
        )
        if self._story is not None:
            self._story.queued()
        try:
            with allowed:
                async with slot:
                    attempt.began = services.clock()
                    attempt.slot = slot
                    self._sent += 1
                    if self._story is not None:
                        self._story.attempt_started(self._sent)
                    allowed.bring_forward(attempt.began + min(self._timeout, self._retry.deadline))
                    await self._exchange(slot)
                    if attempt.status:
                        services.tell_limits(slot, attempt)
        except TimeoutError:
            # Any other exception is from the token function.
            if not allowed.expired:
                raise
            if attempt.phase is not Phase.ANSWERED and attempt.error is None:
                seconds = min(self._timeout, allowed.end - attempt.began)
                attempt.error = RequestTimeoutError(f"{self._request}: no complete answer within {seconds:.3g} s")
        log_attempt(self._request, attempt, self._sent, services.clock, self._redact)
        if last_error is not None and not attempt.began and services.is_open():
            raise last_error
        if self._deadline is None:
            # Counted from the start of the first attempt: the program itself causes the wait in line before it.
            self._deadline = attempt.began + self._retry.deadline

    async def _exchange(self, slot: Slot) -> None:
        """Send once; only what may have arrived is counted."""
        attempt = self._attempt
        try:
            # The token is asked for only now: while this attempt waited, another may have brought a new one.
            attempt.token = await self._services.tokens.current()
            await self._services.wire.exchange(self._request, self._url, self._body, attempt)
        finally:
            if attempt.phase is Phase.NOT_SENT:
                slot.unused()

    # --- what became of it ---

    def _verdict(self) -> Verdict:
        attempt = self._attempt
        verdict = decide(
            self._request.method,
            attempt.phase,
            attempt.status,
            by_the_api=attempt.status == 503 and is_by_the_api(attempt),
            hopeless=attempt.hopeless,
            looked_after=self._request.looked_after,
        )
        # A caller that checks before sending again gets the error at once.
        is_looked_at = self._request.looked_after and attempt.status == 503 and verdict is Verdict.RESEND
        return Verdict.FAIL if is_looked_at else verdict

    def _delivered(self) -> Success:
        attempt, request = self._attempt, self._request
        try:
            if attempt.error is not None:
                raise attempt.error
            data = data_of(request, attempt, self._redact)
        except InvalidResponseError as error:
            if request.method in READS:
                raise
            raise self._ambiguous(error) from error
        return Success(data, response_of(attempt, self._sent, self._redact))

    def _error(self) -> KantataError:
        attempt, request = self._attempt, self._request
        if attempt.phase is Phase.ANSWERED:
            return refusal_of(request, attempt, self._redact)
        if not self._services.is_open():
            when = "was sent" if attempt.phase is Phase.NOT_SENT else "was answered"
            return ConnectionFailedError(f"{request}: the session was closed before it {when}")
        if attempt.error is None:
            return ConnectionFailedError(f"{request}: it was ended before an answer came")
        return attempt.error

    def _ambiguous(self, error: KantataError) -> AmbiguousWriteError:
        return AmbiguousWriteError(
            f"{self._request} may or may not have been carried out: check before sending it again. {error}",
            method=self._request.method,
            path=self._request.path,
            request_id=request_id_of(self._attempt.headers, self._redact),
        )

    def _note(self, error: BaseException) -> None:
        """Note on an interruption, or an error of the token function, whether the request may have been carried out."""
        verdict = self._verdict()
        sent = verdict in (Verdict.AMBIGUOUS, Verdict.DELIVER) and self._request.method not in READS
        note_interruption(error, str(self._request), may_be_carried_out=sent)

    # --- on the way to the next one ---

    async def _renewed(self) -> bool:
        """Whether a refused token has been replaced in time, which is done once."""
        services, stale = self._services, self._attempt.token
        if self._renewals or stale is None or not services.tokens.renewable:
            return False
        allowed = services.time_limits.limit(self._deadline)
        try:
            with allowed:
                await services.tokens.renew(stale)
        except TimeoutError:
            if not allowed.expired:
                raise
            return False
        self._renewals += 1
        return True

    async def _waited(self, error: KantataError) -> bool:
        """Whether there is to be another attempt, once it is due."""
        services, attempt = self._services, self._attempt
        # What a refused token cost says nothing about the server's health.
        counted = self._sent - self._renewals
        if counted >= self._retry.attempts or not services.is_open():
            return False
        asked = self._asked()
        # The limit itself knows when a refused request may go again, and lets it keep its place.
        in_line = attempt.status == 429 and services.limiter.limited
        wait = (asked or 0.0) if in_line else wait_before(counted, self._retry, asked, services.random())
        if self._deadline is None or services.clock() + wait >= self._deadline:
            return False
        self._tell_resending(error, "when the limit lets it" if in_line else f"in {wait:.3g} s")
        self._refused = attempt.slot if attempt.status == 429 else None
        return in_line or await self._slept(wait)

    async def _slept(self, seconds: float) -> bool:
        """Whether the session stayed open while this slept."""
        allowed = self._services.time_limits.limit(None)
        try:
            with allowed:
                await self._services.sleep(seconds)
        except TimeoutError:
            if not allowed.expired:
                raise
            return False
        return True

    def _asked(self) -> float | None:
        """Seconds to wait that the server asked for."""
        return retry_after_of(self._attempt.headers, self._services.now())

    # --- logs and events ---

    def _tell_story(self, story: RequestStory, error: KantataError | None) -> None:
        attempt = self._attempt
        if attempt.status:
            story.attempt_answered(attempt, self._services.now())
        story.attempt_finished(error)

    def _tell_resending(self, error: KantataError, when: str) -> None:
        if self._story is not None:
            self._story.retried(error)
        log_resending(self._request, self._sent, error, when)


def _headers_of(request: Request, body: bytes | None, options: Options) -> Mapping[str, str]:
    """What a request carries beside the token."""
    if body is None and not request.csv:
        return options.headers
    headers = dict(options.headers)
    if request.csv:
        headers["Accept"] = "text/csv, application/json"
    if body is not None:
        headers["Content-Type"] = "application/json"
    return headers
