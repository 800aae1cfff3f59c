"""The session: what a program opens, and through which it reaches every resource."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from ssl import SSLContext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

import attrs

from .api import Resources, entity_class, resource_class
from .calls import Connection, Operation, QueryValue, check_path, follow, is_iterable, path, query_of, refuse_copying
from .decoding import Reader
from .errors import UsageError
from .limits import AdaptiveRateLimit, LimitState, RateLimitSetting
from .model import Entity, graphs_of
from .transport import (
    NO_BODY,
    Connector,
    EventSetting,
    Network,
    Options,
    Request,
    RetryPolicy,
    Sleep,
    Token,
    TokenSource,
    Transport,
    base_url_of_environment,
)
from .turns import Priority

if TYPE_CHECKING:
    from .files import DownloadedFile, DownloadTo, OnProgress

_READER: Final = Reader(entity_class)
"""Shared by all sessions: the layouts learnt from one session's answers serve the others."""


class KantataSession(Resources):
    """A session with Kantata OX: ``async with KantataSession() as kantata: …``.

    Args:
        token: an access token, or an async function that gives one (it is called again when the API answers 401), or a
            `signin.Profile`, renewed when the API answers 401 if it has a refresh token; without it, the environment
            variable KANTATA_TOKEN, else the profile that `kantata-async login` keeps.
        base_url: where the API is; https, or plain http on a loopback address. Without it, the environment variable
            KANTATA_BASE_URL, and without that Kantata's own.
        timeout: seconds one attempt may take; the API itself cuts a request off after 180.
        concurrency: requests in flight at once.
        rate_limit: how fast requests may start. By default the limit is found and kept (`AdaptiveRateLimit`), and
            shared by all sessions of the process with the same token and base URL; `RateLimit` gives a fixed one,
            an `aiolimiter.AsyncLimiter` is shared with whatever else it limits, `RateLimits` gives one for each
            endpoint that has a separate limit, and `RedisRateLimit` shares the limit with other processes. None sends
            requests as fast as they come; after a 429 only the retry policy decides how long to wait.
        retry: how often and how long a request is tried again.
        headers: sent along with every request.
        on_event: called with a `RequestEvent` for everything that happens to a call and its requests: a function, or
            several. An async function is awaited beside the requests, one event after the other; an error that it
            raises is logged and goes no further. `kantata_async.telemetry.OpenTelemetry()` is one.
        proxy: the URL of the proxy to go through, ``http://user:password@proxy.example:3128``.
        trust_env: whether HTTPS_PROXY, ALL_PROXY and NO_PROXY of the environment are honoured where no proxy is given.
        ssl: which certificates are trusted, as ``ssl.create_default_context(cafile=…)`` makes it; by default those that
            the system trusts.
        connector: an aiohttp connector to use instead of the session's own, which stays yours to close; or a function
            that makes one for the session.
        sleep: waits for a number of seconds, wherever the session waits: before another attempt, before a look at what
            a lost answer left, between two rounds of a `follow`. A test may give one that ends sooner.

    Every resource of the API is an attribute named after its collection. A session is used in the event loop that
    opened it, and closed there. With KANTATA_LOG=debug in the environment, it logs to stderr.

    Raises:
        UsageError: a setting is wrong.
    """

    def __init__(
        self,
        *,
        token: Token | None = None,
        base_url: str | None = None,
        timeout: float = 180.0,
        concurrency: int = 10,
        rate_limit: RateLimitSetting | None = AdaptiveRateLimit(),  # noqa: B008 - frozen
        retry: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        on_event: EventSetting = None,
        proxy: str | None = None,
        trust_env: bool = True,
        ssl: SSLContext | None = None,
        connector: Connector | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        tokens = TokenSource(token)
        # A traceback shows the variables of its frames, and a setting may be refused below.
        del token
        self._transport = Transport(
            tokens,
            base_url=base_url_of_environment() if base_url is None else base_url,
            options=Options(
                timeout=timeout,
                retry=RetryPolicy() if retry is None else retry,
                headers={} if headers is None else headers,
            ),
            network=Network(proxy=proxy, trust_env=trust_env, ssl=ssl, connector=connector),
            concurrency=concurrency,
            rate_limit=rate_limit,
            on_event=on_event,
            sleep=sleep,
        )
        super().__init__(Connection(self._transport, _READER, _operations_of, self._transport.options))

    def __repr__(self) -> str:
        # A session is shown even if its __init__ failed.
        transport = vars(self).get("_transport")
        return "<KantataSession>" if transport is None else f"<KantataSession at {transport.base_url}>"

    def __reduce__(self) -> NoReturn:
        refuse_copying()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Open the session; ``async with`` does it.

        Raises:
            UsageError: the session was opened before.
        """
        await self._transport.open()

    async def close(self) -> None:
        """Close every connection and end what is still running; may be called again."""
        await self._transport.close()

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        priority: Priority | None = None,
    ) -> Self:
        """A view of this session: the same connections, limits and state, with other options for each call.

        ``hurried = kantata.with_options(timeout=2, retry=RetryPolicy.never(), priority="high")``

        Args:
            timeout: seconds one attempt may take.
            retry: how often and how long a request is tried again.
            headers: sent along with every request, beside those of the session.
            priority: how urgent the requests are, whatever `kantata_async.priority` says around them.

        Raises:
            UsageError: an option is wrong.
        """
        options = self._connection.options.but(timeout=timeout, retry=retry, headers=headers, priority=priority)
        self._transport.keep_secret(options)
        view = object.__new__(type(self))
        view._transport = self._transport
        Resources.__init__(view, attrs.evolve(self._connection, options=options))
        return view

    @property
    def base_url(self) -> str:
        """The base URL of the API that this session talks to."""
        return str(self._transport.base_url)

    @property
    def limits(self) -> Mapping[str, LimitState]:
        """The state of every rate limit that a request counted against, by name: "general", and those of endpoints."""
        return self._transport.limits

    async def load(self, entities: Entity | Iterable[Entity], *paths: str) -> None:
        """Fetch associations that were not included, after the fact: ``await kantata.load(people, "manager.role")``.

        The entities themselves gain them: afterwards ``person.manager.role`` can be read. What is there already is not
        fetched again; each id is fetched once, 200 a request.

        Raises:
            UsageError: a step of a path is not an association, or an entity was made by `from_dict`.
        """
        if not paths:
            raise UsageError("load takes the associations to fetch: load(people, 'manager.role')")
        owners = _entities_of(entities)
        steps = [tuple(path(one).split(".")) for one in paths]
        for collection in {owner.collection for owner in owners}:
            for one in steps:
                check_path(self._connection, collection, one)
        for graph in graphs_of(owners):
            graph.keep()
        with self._connection.named("load").calling() as connection:
            await follow(connection, owners, steps)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, QueryValue | Sequence[QueryValue]] | None = None,
        json: object = NO_BODY,
    ) -> Any:
        """The decoded JSON of any path, with the same limits, retries and errors as every call.

        `path` is relative to the base URL (``/users/me``); `params` go into the query, lists with commas; `json` is the
        body. An answer without a body gives None.

        Raises:
            UsageError: the path leads out of the API, or a value cannot be sent.
        """
        for name, value in (("method", method), ("path", path)):
            if not isinstance(value, str):
                raise UsageError(f"the {name} of a request must be a str, not {type(value).__name__}")
        request = Request(method.upper(), path, query_of(params), json=json)
        with self._connection.named("request").calling() as connection:
            answer = await self._transport.send(request, connection.options, connection.call)
        return answer.data

    async def download(
        self,
        link: str,
        to: DownloadTo,
        *,
        max_bytes: int | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> DownloadedFile:
        """The file at a link, as attributes and answers hold them, or at a path below the base URL.

        The token goes to the API's own host alone. A download that breaks off goes on where it was; `timeout` says for
        how long nothing may come, and the retry policy counts anew whenever something comes.

        Args:
            link: a URL, https; or a path that begins with a slash.
            to: a path; a directory, where the file keeps the server's name, made safe; or anything with a `write`,
                which may be async.
            max_bytes: how many bytes the file may have, decompressed; None for any number.
            overwrite: whether a file that is there already is replaced.
            on_progress: called with how many bytes are done, and how many there are in all, or None; it may be async.

        Raises:
            UsageError: the link or the target cannot be used, or there is a file already.
            InvalidResponseError: the file is larger than `max_bytes`, or longer than its server says.
            TransportError: it broke off for good.
            APIError: it was refused.
            OSError: the file cannot be written.
        """
        from .files import WantedFile, download  # noqa: PLC0415 - most programs download nothing

        async def given() -> str:
            return link

        with self._connection.named("download").calling() as connection:
            return await download(
                connection.exchange_of_file(),
                WantedFile(given),
                to,
                max_bytes=max_bytes,
                overwrite=overwrite,
                on_progress=on_progress,
            )


def _entities_of(entities: object) -> list[Entity]:
    """One entity or several as a list.

    Raises:
        UsageError: they are something else.
    """
    if isinstance(entities, Entity):
        return [entities]
    listed: list[Entity] = []
    for one in entities if is_iterable(entities) else [entities]:
        if not isinstance(one, Entity):
            raise UsageError(f"load takes entities, not {type(one).__name__}")
        listed.append(one)
    return listed


def _operations_of(collection: str) -> Mapping[str, Operation[Any]]:
    resource = resource_class(collection)
    return {} if resource is None else resource.operations
