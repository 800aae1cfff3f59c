"""Files on the wire: answers whose bodies are read piece by piece, from the API's host and from others.

What goes to a host other than the API's does not count against its limits, and carries neither the token nor the
session's own headers. Time is limited by silence: a file may take hours, as long as its bytes come.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from ..errors import (
    APIError,
    ConnectionFailedError,
    InvalidResponseError,
    KantataError,
    RequestTimeoutError,
    UsageError,
    note_attempts,
)
from ..response import Response
from .attempt import Attempt, Phase
from .attempt_log import log_attempt, log_resending
from .content import DamagedContentError, Inflation, is_compressed
from .failures import failure
from .link import is_of_the_api, read_link, shown
from .options import Options
from .refusal import refusal_of, response_of
from .request import Request
from .retry import retry_after_of, wait_before
from .verdict import Verdict, decide

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from ..turns import Slot
    from .network import Network
    from .redaction import Redaction
    from .sending import Services
    from .stories import CallStory, RequestStory
    from .time_limits import TimeLimit

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5
_SLOWEST_UPLOAD: Final = 50_000
"""Bytes a second."""

# What so many bytes decompress to, at most 1,032 times as much, is in memory at once.
_INFLATED_AT_ONCE: Final = 4096


class FileAnswer:
    """An answer whose body is still on its way: ``with answer:`` lets go of it, and an error in the block is about it.

    Attributes:
        status: the HTTP status.
        headers: the headers, under names that ignore case.
        url: where it came from.
        token: the token it was asked for with; None for a host other than the API's.
        response: what is known of it beside its body.
    """

    def __init__(
        self, exchange: FileExchange, request: Request, attempt: Attempt, response: aiohttp.ClientResponse, url: URL
    ) -> None:
        self._exchange = exchange
        self._request = request
        self._attempt = attempt
        self._response = response
        self.url = url
        self.status = attempt.status
        self.headers: Mapping[str, str] = attempt.headers
        self.token = attempt.token
        self.response = exchange.response_of(attempt)
        self._refusal: KantataError | None = None

    def __str__(self) -> str:
        return str(self._request)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._response.close()
        if isinstance(error, KantataError) and error.response is None:
            error.response = self.response
        self._exchange.attempt_over(self._request, self._attempt, error or self._refusal)

    @property
    def is_compressed(self) -> bool:
        """Whether the body is compressed on its way, so that sizes and ranges in the headers are not those of the file.

        Raises:
            InvalidResponseError: it is compressed in a way that was not asked for.
        """
        compressed = is_compressed(self.headers)
        if compressed is None:
            raise InvalidResponseError(f"{self}: the file is compressed in a way that was not asked for")
        return compressed

    async def pieces(self, most: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of the file, decompressed, in pieces; where it has more than `most`, at least one byte more.

        Raises:
            ConnectionFailedError: the connection broke before the end.
            RequestTimeoutError: nothing came for as long as an attempt may take.
            InvalidResponseError: the file is not compressed as its headers say.
        """
        inflation = Inflation() if self.is_compressed else None
        room = most
        async for piece in self._raw():
            parts = [piece] if inflation is None else self._inflated(inflation, piece, room)
            for part in parts:
                if room is not None:
                    room = max(0, room - len(part))
                yield part
        if inflation is not None:
            try:
                inflation.finish()
            except DamagedContentError as error:
                raise ConnectionFailedError(f"{self}: the file {error}") from None

    def _inflated(self, inflation: Inflation, piece: bytes, room: int | None) -> Iterator[bytes]:
        for start in range(0, len(piece), _INFLATED_AT_ONCE):
            few = piece[start : start + _INFLATED_AT_ONCE]
            try:
                part = inflation.feed(few, len(few) * 1100 if room is None else room)
            except DamagedContentError as error:
                raise InvalidResponseError(f"{self}: the file {error}") from None
            room = None if room is None else room - len(part)
            if part:
                yield part
            if room is not None and room < 0:
                return

    async def _raw(self) -> AsyncIterator[bytes]:
        while True:
            with self._exchange.limited(self._request):
                try:
                    piece = await self._response.content.readany()
                except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
                    raise failure(self._request, error) from None
            if not piece:
                return
            yield piece

    async def refusal(self) -> KantataError:
        """The error for an answer that is not a success; a host other than the API's is not quoted."""
        if self._exchange.is_of_the_api(self.url):
            with self._exchange.limited(self._request):
                await self._exchange.read_refusal(self._response, self._attempt)
        self._refusal = refusal_of(self._request, self._attempt, self._exchange.redact)
        self._refusal.response = self.response
        return self._refusal


class FileExchange:
    """Asks for one file, again where that makes sense: attempts and time are counted anew whenever bytes come.

    Args:
        services: what the session's requests share.
        network: how servers are reached.
        base: the API's base URL.
        options: how long, and how often.
        call: the call that it is asked for in; None where nobody listens.
    """

    def __init__(
        self, services: Services, network: Network, base: URL, options: Options, call: CallStory | None
    ) -> None:
        self._services: Final = services
        self._network: Final = network
        self._base: Final = base
        self._options: Final = options
        self._call: Final = call
        self._story: RequestStory | None = None
        self._sent = 0
        self._request: Request
        self._asked = 0
        self._failures = 0
        self._since: float | None = None
        self._hopeless = False
        self._renewed = False
        self._refused: Slot | None = None
        self.redact: Final[Redaction] = services.tokens.redact

    def is_of_the_api(self, url: URL) -> bool:
        """Whether a URL leads to the API's own host."""
        return is_of_the_api(self._base, url)

    async def ask(self, link: str, headers: Mapping[str, str]) -> FileAnswer:
        """The answer to one request for a file, with redirects followed. The caller closes it.

        Raises:
            UsageError: the link cannot be used.
            ConnectionFailedError: the connection could not be made, or broke.
            RequestTimeoutError: no answer came in time.
            InvalidResponseError: the answer redirects too often, or to where no file may be fetched from.
        """
        url = read_link(self._base, link)
        self._asked += 1
        trusted = self.is_of_the_api(url)
        for redirects in range(_MOST_REDIRECTS):
            if redirects:
                self._tell_resending(None)
            answer = await self._answer("GET", url, headers, None, trusted=trusted)
            if answer.status == 401 and trusted and await self._has_new_token(answer):
                answer = await self._answer("GET", url, headers, None, trusted=trusted)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None:
                return answer
            with answer:
                url = self._redirected(answer, location)
            # A redirect away from the API may not lead back to it with the token.
            trusted = trusted and self.is_of_the_api(url)
        raise InvalidResponseError(f"GET {shown(url)}: the answer redirects more than {_MOST_REDIRECTS} times")

    async def give(self, link: str, form: aiohttp.MultipartWriter) -> FileAnswer:
        """The answer to a form, sent once and without the token. The caller closes it.

        It may take as long as an attempt, and a second more for every 50,000 bytes.

        Raises:
            UsageError: the link cannot be used.
            ConnectionFailedError: the connection could not be made, or broke.
            RequestTimeoutError: no answer came in time.
        """
        return await self._answer("POST", read_link(self._base, link), {}, form, trusted=False)

    def progressed(self) -> None:
        """Note that bytes came that had not come before."""
        self._failures, self._since = 0, None

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """A block in which the file is asked for, and with which that is over."""
        ending: BaseException | None = None
        try:
            yield
        except BaseException as error:
            ending = error
            raise
        finally:
            if self._story is not None:
                self._story.finished(ending)

    def attempt_over(self, request: Request, attempt: Attempt, error: BaseException | None) -> None:
        """Note that an attempt is over, and the error that ended it."""
        log_attempt(request, attempt, self._sent, self._services.clock, self.redact)
        if self._story is not None:
            self._story.attempt_finished(error)

    def response_of(self, attempt: Attempt) -> Response:
        """What is known of the answer to the last attempt beside its body."""
        return response_of(attempt, self._sent, self.redact)

    async def go_on(self, error: KantataError) -> None:
        """Wait until it may be asked for once more, after an attempt that ended with this error.

        Raises:
            KantataError: this error, as there is to be no other attempt.
        """
        if not await self._waited(error):
            note_attempts(error, self._asked)
            raise error

    async def _waited(self, error: KantataError) -> bool:
        services, retry = self._services, self._options.retry
        now = services.clock()
        self._failures += 1
        self._since = now if self._since is None else self._since
        if isinstance(error, APIError) and not _may_pass(error.status):
            return False
        refusal = error.response if isinstance(error, APIError) else None
        asked = None if refusal is None else retry_after_of(refusal.headers, services.now())
        wait = wait_before(self._failures, retry, asked, services.random())
        is_over = self._failures >= retry.attempts or now + wait >= self._since + retry.deadline
        if is_over or self._hopeless or not services.is_open():
            return False
        self._tell_resending(error, f"in {wait:.3g} s")
        with self.limited(None, wait + 1.0):
            await services.sleep(wait)
        return True

    @contextmanager
    def limited(self, request: Request | None, seconds: float | None = None) -> Iterator[TimeLimit]:
        """A block that is ended when its time is over, or the session closes."""
        services = self._services
        allowed = services.time_limits.limit(None)
        longest = self._options.timeout if seconds is None else seconds
        allowed.bring_forward(services.clock() + longest)
        try:
            with allowed:
                yield allowed
        except TimeoutError:
            if not allowed.expired:
                raise
            what = request or "the download"
            if not services.is_open():
                raise ConnectionFailedError(f"{what}: the session was closed before it was complete") from None
            raise RequestTimeoutError(f"{what}: nothing came for {longest:.3g} s") from None

    async def read_refusal(self, response: aiohttp.ClientResponse, attempt: Attempt) -> None:
        """Read the reasons of a refusal."""
        await self._services.wire.read_refusal(response, attempt)

    async def _answer(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        form: aiohttp.MultipartWriter | None,
        *,
        trusted: bool,
    ) -> FileAnswer:
        request = Request(method, url.raw_path.removeprefix(self._base.raw_path) if trusted else shown(url))
        carried = {
            **(self._options.headers if trusted else {}),
            "accept": "*/*",
            "accept-encoding": "identity",
            **headers,
        }
        attempt = Attempt(carried=carried)
        self._request = request
        self._tell_address(method, url)
        try:
            response = await (self._in_turn if trusted else self._at_once)(request, url, form, attempt)
        except BaseException as error:
            self.attempt_over(request, attempt, error)
            raise
        return FileAnswer(self, request, attempt, response, url)

    async def _in_turn(
        self, request: Request, url: URL, form: aiohttp.MultipartWriter | None, attempt: Attempt
    ) -> aiohttp.ClientResponse:
        """The answer of the API's host, asked with the token and under its limits."""
        services = self._services
        slot = services.limiter.slot(request.method, request.path, self._refused, patience=self._options.retry.deadline)
        async with slot:
            self._tell_start(attempt)
            try:
                with self.limited(request):
                    attempt.token = await services.tokens.current()
                    response = await self._begun(request, url, form, attempt)
            finally:
                if attempt.phase is Phase.NOT_SENT:
                    slot.unused()
            self._refused = slot if attempt.status == 429 else None
            services.tell_limits(slot, attempt)
        return response

    async def _at_once(
        self, request: Request, url: URL, form: aiohttp.MultipartWriter | None, attempt: Attempt
    ) -> aiohttp.ClientResponse:
        """The answer of another host."""
        sending = 0.0 if form is None or form.size is None else form.size / _SLOWEST_UPLOAD
        self._tell_start(attempt)
        with self.limited(request, self._options.timeout + sending):
            return await self._begun(request, url, form, attempt)

    async def _begun(
        self, request: Request, url: URL, form: aiohttp.MultipartWriter | None, attempt: Attempt
    ) -> aiohttp.ClientResponse:
        try:
            response = await self._services.wire.begin(request, url, form, attempt, self._network.proxy_to(url))
        finally:
            self._hopeless = attempt.hopeless
        if self._story is not None:
            self._story.attempt_answered(attempt, self._services.now())
        return response

    async def _has_new_token(self, answer: FileAnswer) -> bool:
        """Whether a refused token has been replaced, which is done once."""
        tokens, stale = self._services.tokens, answer.token
        if self._renewed or stale is None or not tokens.renewable:
            return False
        with answer:
            error = await answer.refusal()
        with self.limited(None):
            await tokens.renew(stale)
        self._renewed = True
        self._tell_resending(error, "with a new token")
        return True

    def _redirected(self, answer: FileAnswer, location: str) -> URL:
        try:
            return read_link(self._base, str(answer.url.join(URL(location, encoded=True))))
        except (UsageError, ValueError) as error:
            raise InvalidResponseError(f"{answer}: it redirects to where no file is fetched from: {error}") from None

    # --- logs and events ---

    def _tell_address(self, method: str, url: URL) -> None:
        """Record that it is asked for at this address from now on."""
        if self._call is None:
            return
        below = f"{self._base.raw_path.rstrip('/')}/"
        is_below = self.is_of_the_api(url) and url.raw_path.startswith(below)
        path = url.raw_path[len(below) - 1 :] if is_below else ""
        plain = url.with_query(None)
        if self._story is None:
            self._story = self._call.request(method, path, plain)
            self._story.started()
        else:
            self._story.goes_to(path, plain)
        self._story.queued()

    def _tell_start(self, attempt: Attempt) -> None:
        """Record that an attempt is sent."""
        attempt.began = self._services.clock()
        self._sent += 1
        if self._story is not None:
            self._story.attempt_started(self._sent)

    def _tell_resending(self, error: KantataError | None, when: str = "") -> None:
        """Record that it is asked for once more: after an error, or where an answer redirects to."""
        if self._story is not None:
            self._story.retried(error)
        if error is not None:
            log_resending(self._request, self._sent, error, when)


def _may_pass(status: int) -> bool:
    """Whether a refusal is only temporary."""
    return decide("GET", Phase.ANSWERED, status, by_the_api=True) is Verdict.RESEND
