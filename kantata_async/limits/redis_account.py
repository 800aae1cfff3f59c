"""The limits of one account in Redis, for every process and machine that uses it.

One key holds what is known of all of them. It is read, changed here (`limit`, `curve`), and stored if it is still what
was read; else it is changed anew. So a request takes from all its limits or from none, whoever asks at the same time.
What is taken are times at which requests may go: the next one where Redis is near, as many as bridge the way where it
is far. No answer waits until the others know what it teaches. The key expires when nobody has used it for a day; its
name holds a digest of the token and the base URL, never the token.

While Redis is away, each process goes on with its part of the rate known last, or fails, as the setting says; it asks
again every second. A Redis that comes back empty is given what was learnt before.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from functools import partial
from importlib.resources import files
from typing import Any, Final, Literal

import attrs
import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError, ResponseError

from ..errors import ConnectionFailedError, UsageError
from .account import AccountLimits
from .curve import RateCurve
from .endpoints import GENERAL
from .limit import LATE, Limit, learn, take_all
from .rate import RedisRateLimit, limits_in

_LOGGER: Final = logging.getLogger("kantata_async.limits")
_EXCHANGE: Final = files("kantata_async.limits").joinpath("redis_account.lua").read_text()
_KEPT_SECONDS: Final = 24 * 3600
_ACTIVE_SECONDS: Final = 5
_LATELY_SECONDS: Final = 30
_ASK_AGAIN_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 1.0
_NEAR_SECONDS: Final = 0.01
_FRESH_SECONDS: Final = 0.005
_PAUSED_SECONDS: Final = 0.1
_MOST_TRIES: Final = 50
_TIMES: Final = ("taken", "since", "refused", "paused", "sure", "blocked", "due")
_REFUSALS: Final = (AuthenticationError, AuthorizationError, ResponseError)
# What another version keeps there, or anything else, is no better than nothing.
_AWAY: Final = (RedisError, OSError, msgspec.MsgspecError)


@attrs.define(eq=False, kw_only=True)
class _SharedLimit(Limit):
    """One limit in Redis: what is known of it, how it was given, and when its next request is due."""

    given: dict[str, float | None]
    due: float = 0.0

    def ready(self, *, again: bool) -> float:
        """When the next request may go."""
        ahead = (self.given.get("burst") or 1) - 1
        return max(self.due - ahead / self.rate, self.wait(0.0, again=again))

    def space(self, at: float) -> None:
        """Keep the next request away from one that goes then."""
        self.due = (self.due if at - self.due <= LATE else at) + 1 / self.rate

    def moved(self, seconds: float) -> _SharedLimit:
        """The same on a clock that is so many seconds ahead."""
        moments = ((name, getattr(self, name)) for name in _TIMES)
        return attrs.evolve(self, **{name: moment + seconds for name, moment in moments if moment is not None})


@attrs.define
class _State:
    limits: dict[str, _SharedLimit]
    format: Literal[2] = 2


_Change = Callable[[list[_SharedLimit], float], bool | None]


@attrs.define(eq=False)
class _Grants:
    """What Redis granted to requests that count against the same limits; begun anew when one is refused."""

    times: deque[float] = attrs.Factory(deque)
    ask_at: float = -math.inf
    asking: asyncio.Task[None] | None = None


class RedisAccountLimits(AccountLimits):
    """The limits kept in Redis under an account's digest.

    They belong to one event loop, from its first session's opening to its last one's closing.

    Raises:
        UsageError: the URL is not a Redis URL.
    """

    def __init__(self, setting: RedisRateLimit, account: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(limits_in(setting), clock)
        self._redis: Final = _client(setting.url)
        self._script: Final = self._redis.register_script(_EXCHANGE)
        self._own: Final = dict(limits_in(setting).own)
        self._fails: Final = setting.when_away == "fail"
        self._keys: Final = [f"kantata:{{{account}}}:{name}" for name in ("general+own", "members")]
        self._member: Final = secrets.token_hex(8)
        self._known: Final[dict[str, _SharedLimit]] = {}
        self._raw = b""
        self._read_at = self._clock_ahead = self._trip = 0.0
        self._active = self._lately = 1
        self._away_until: float | None = None
        self._changing: Final = asyncio.Lock()
        self._under_way: Final[set[asyncio.Task[Any]]] = set()
        self._grants: Final[defaultdict[tuple[tuple[str, ...], bool], _Grants]] = defaultdict(_Grants)

    async def open(self, session: object) -> None:  # noqa: D102 - AccountLimits'
        if not self.sessions:
            try:
                await self._begin()
            except UsageError:
                await self._leave()
                raise
            except _REFUSALS as error:
                await self._redis.aclose()
                raise UsageError(f"RedisRateLimit: Redis refuses what the limits need: {error}") from None
            except _AWAY as error:
                self._lost(error)
        await super().open(session)

    async def close(self, session: object) -> None:  # noqa: D102 - AccountLimits'
        await super().close(session)
        if self.sessions:
            return
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_ANSWER_SECONDS)
        for task in self._under_way:
            task.cancel()
        await self._leave()

    async def _leave(self) -> None:
        async with aclosing(self._redis):
            if self._away_until is None:
                with suppress(*_AWAY):
                    await self._redis.zrem(self._keys[1], self._member)

    def take(  # noqa: D102 - AccountLimits'
        self, names: tuple[str, ...], *, again: bool, waiting: int, then: Callable[[], None]
    ) -> float:
        grants, now = self._grants[names, again], self.clock()
        while grants.times and now - grants.times[0] > LATE + self._trip:
            grants.times.popleft()
        due = grants.ask_at if self._away_until is None else self._away_until
        if waiting > len(grants.times) and now >= due and grants.asking is None:
            grants.asking = self._start(self._ask(grants, names, again, waiting - len(grants.times)))
            grants.asking.add_done_callback(lambda _: then())
        if self._away_until is not None and not self._fails:
            return super().take(names, again=again, waiting=waiting, then=then)
        if grants.times:
            wait = grants.times[0] - now
            if wait <= 0:
                grants.times.popleft()
            return wait
        if grants.asking is not None:
            return _PAUSED_SECONDS
        if self._away_until is not None:
            raise ConnectionFailedError("the rate limit in Redis cannot be reached, and when_away is 'fail'")
        return grants.ask_at - now

    def give_back(self, names: tuple[str, ...]) -> None:  # noqa: D102 - AccountLimits'
        def give(limits: list[_SharedLimit], _now: float) -> None:
            for limit in limits:
                limit.sent -= 1
                limit.due -= 1 / limit.rate

        if self._away_until is None:
            self._start(self._change(names, give))
        else:
            super().give_back(names)

    def answered(  # noqa: D102 - AccountLimits'
        self, names: tuple[str, ...], left: float, *, refused: bool, retry_after: float | None
    ) -> bool:
        # Here at once, and for the others as soon as Redis has it.
        taught = super().answered(names, left, refused=refused, retry_after=retry_after)
        if refused:
            self._grants.clear()
        if taught and self._away_until is None:
            learnt = partial(learn, left=left, refused=refused, retry_after=retry_after)
            self._start(self._change(names, lambda limits, now: learnt(limits, now=now)))
        return taught

    async def _ask(self, grants: _Grants, names: tuple[str, ...], again: bool, count: int) -> None:
        """Ask when the next requests may go, before they are to."""
        granted: list[float] = []

        def reserve(limits: list[_SharedLimit], now: float) -> bool:
            granted.clear()
            reach = 3 * self._trip if self._trip > _NEAR_SECONDS else 0.0
            while (at := max(now + reach / 3, *(one.ready(again=again) for one in limits))) <= now + reach:
                if len(granted) == count:
                    break
                granted.append(at)
                take_all(limits, at)
                for limit in limits:
                    limit.space(at)
            refused = any(limit.blocked is not None for limit in limits)
            grants.ask_at = min(at - reach, now + _PAUSED_SECONDS) if refused else at - reach
            return bool(granted)

        try:
            if await self._change(names, reserve):
                grants.times.extend(granted)
        finally:
            grants.asking = None

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _change(self, names: tuple[str, ...], change: _Change) -> bool:
        """Whether what Redis keeps of these limits was changed as if nobody else did at the same time; else it is away.

        Nothing is stored where `change` says False of what was just read: that there is nothing to change.
        """
        try:
            async with self._changing:
                for _ in range(_MOST_TRIES):
                    state = self._state()
                    limits = [state.setdefault(name, self._new(name)) for name in names]
                    changed = change(limits, self.clock()) is not False
                    fresh = self.clock() - self._read_at < _FRESH_SECONDS
                    if (fresh and not changed) or await self._exchange(state if changed else None):
                        self._known.update(state)
                        self._limits.update(state)
                        if self._away_until is not None:
                            self._away_until = None
                            _LOGGER.info("the rate limit in Redis can be reached again")
                        return True
            raise TimeoutError("it changes too fast to be read")
        except _AWAY as error:
            self._lost(error)
        return False

    async def _begin(self) -> None:
        """Begin with what Redis keeps; anew where that is not what was given, and nobody is at work with it.

        Raises:
            UsageError: somebody is at work with it.
        """
        await self._exchange(None)
        given = {name: self._new(name) for name in (GENERAL, *self._own)}
        try:
            state = given | self._state()
            others = {name: state[name].given for name, one in given.items() if state[name].given != one.given}
        except msgspec.MsgspecError:
            state, others = {}, {"another version of kantata-async": {}}
        if others and self._lately > 1:
            raise UsageError(f"RedisRateLimit: somebody is at work with {others}: give all the same, or a pepper each")
        await self._exchange(given if others else state)

    def _new(self, name: str) -> _SharedLimit:
        """A limit that Redis does not have: as this process knows it, or new."""
        if name not in self._known:
            setting = self.settings[name]
            given = attrs.asdict(setting, filter=lambda attribute, _: bool(attribute.eq))  # type: ignore[arg-type]
            return _SharedLimit(curve=super()._first(name).curve, given=given)
        # What was learnt stays; what was counted goes, after a time in which not everything was.
        return attrs.evolve(self._known[name], climb=0.0, sent=0, since=None, refused=None, blocked=None)

    def _state(self) -> dict[str, _SharedLimit]:
        """What was read last, on the clock of this process."""
        limits = msgspec.json.decode(self._raw, type=_State).limits if self._raw else {}
        return {name: limit.moved(-self._clock_ahead) for name, limit in limits.items()}

    async def _exchange(self, state: dict[str, _SharedLimit] | None) -> bool:
        """Store this if what was read last is still there, and read; whether it was stored."""
        written = b""
        if state is not None:
            written = msgspec.json.encode(_State({name: one.moved(self._clock_ahead) for name, one in state.items()}))
        sent = self.clock()
        seconds = _KEPT_SECONDS, _ACTIVE_SECONDS, _LATELY_SECONDS
        told = await self._script(keys=self._keys, args=[self._raw, written, self._member, *seconds])
        stored, self._raw, now, self._active, self._lately = told
        self._read_at = self.clock()
        trip = self._read_at - sent
        self._trip = min(trip, 0.8 * self._trip + 0.2 * trip)
        self._clock_ahead = float(now) - (sent + self._read_at) / 2
        return bool(stored)

    def _lost(self, error: Exception) -> None:
        if self._away_until is None:
            doing = "every request fails" if self._fails else f"going on at 1/{self._active} of it"
            _LOGGER.warning("the rate limit in Redis cannot be reached (%s): %s", type(error).__name__, doing)
            self._limits.update({name: self._first(name) for name in self._known})
            self._meters.clear()
            self._grants.clear()
        self._away_until = self.clock() + _ASK_AGAIN_SECONDS

    def _first(self, name: str) -> Limit:
        """What this process keeps to while Redis is away: its part of a limit, of which alone it learns nothing."""
        limit = self._known.get(name) or self._new(name)
        rate = limit.curve.rate(min(limit.climb, 1.0)) / max(1, self._active)
        return attrs.evolve(limit, curve=RateCurve.given(rate))


def _client(url: str) -> Redis:
    """A client for Redis.

    Raises:
        UsageError: the URL is not a Redis URL.
    """
    try:
        client = Redis.from_url(
            url,
            socket_timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_ANSWER_SECONDS,
            # Once more at once, for a connection that was kept and has died; by default it would wait for seconds.
            retry=Retry(NoBackoff(), 1),
        )
        client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    except (ValueError, TypeError):
        raise UsageError("RedisRateLimit: url is not a Redis URL such as redis://127.0.0.1:6379/0") from None
    return client
