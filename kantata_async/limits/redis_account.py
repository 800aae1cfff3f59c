"""The limits of one account in Redis, for every process and machine that uses it.

One key holds what is known of all of them. It is read, changed here (`limit`, `pace`), and stored if it is still what
was read; else it is changed anew. So a request takes from all its limits or from none, whoever asks at the same time.
What is taken are times at which requests may go: the next one where Redis is near, as many as it takes to bridge the
way where it is far. No answer waits until the others know what it teaches. The key expires when nobody has used it for
a day; its name holds a digest of the token and the base URL, never the token.

While Redis is away, each process goes on with its part of the rate known last, or fails, as the setting says; it asks
again every second. A Redis that comes back empty is told what was learnt before.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal

import attrs
import msgspec
from cattrs import Converter

from ..errors import ConnectionFailedError, UsageError
from .account import Account, new_limit
from .endpoints import GENERAL
from .limit import LATE, Limit, learn, take_all, uncount
from .pace import Steady
from .rate import AnyRateLimit, RedisRateLimit, limits_in

_LOGGER: Final = logging.getLogger("kantata_async.limits")
_KEPT_SECONDS: Final = 24 * 3600
_ACTIVE_SECONDS: Final = 5
_LATELY_SECONDS: Final = 30
_ASK_AGAIN_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 1.0
_NEAR_SECONDS: Final = 0.01
_FRESH_SECONDS: Final = 0.005
_PAUSED_SECONDS: Final = 0.1
_MOST_TRIES: Final = 50
_TIMES: Final = ("taken", "since", "refused", "paused", "sure", "blocked")

# KEYS: the limits, who takes part. ARGV: what was read, what it becomes ('' to read alone), who asks, seconds.
_EXCHANGE: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
redis.call('ZADD', KEYS[2], now, ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
local kept, stored = redis.call('GET', KEYS[1]) or '', 0
if ARGV[2] ~= '' and kept == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[4])
  kept, stored = ARGV[2], 1
end
return {stored, kept, tostring(now), redis.call('ZCOUNT', KEYS[2], now - ARGV[5], '+inf'), redis.call('ZCARD', KEYS[2])}
"""


class _OtherStateError(Exception):
    """What the key holds was written by another version, or by something else."""


@attrs.define
class _Kept:
    """One limit in Redis: what is known of it, how it was given, and its meter."""

    limit: Limit
    given: dict[str, float | None]
    ahead: int
    due: float = 0.0

    @classmethod
    def new(cls, setting: AnyRateLimit) -> _Kept:
        return cls(new_limit(setting), attrs.asdict(setting), getattr(setting, "burst", 1) - 1)  # type: ignore[arg-type]

    def ready(self, *, again: bool) -> float:
        """When the next request may go."""
        return max(self.due - self.ahead / self.limit.rate, self.limit.wait(0.0, again=again))

    def space(self, at: float) -> None:
        """Keep the next request away from one that goes then."""
        self.due = (self.due if at - self.due <= LATE else at) + 1 / self.limit.rate

    def moved(self, seconds: float) -> _Kept:
        """The same on a clock that is so many seconds ahead."""
        times = {name: getattr(self.limit, name) for name in _TIMES}
        times = {name: None if moment is None else moment + seconds for name, moment in times.items()}
        return attrs.evolve(self, limit=attrs.evolve(self.limit, **times), due=self.due + seconds)


@attrs.define
class _State:
    limits: dict[str, _Kept] = attrs.Factory(dict)
    format: Literal[1] = 1


_Change = Callable[[list[_Kept], float], bool | None]
_Lane = tuple[tuple[str, ...], bool]
_CONVERTER: Final = Converter(detailed_validation=False, forbid_extra_keys=True)


class RedisAccount(Account):
    """The limits kept in Redis; in one event loop, from its first session's opening to its last one's closing.

    Args:
        setting: where Redis is, and what it keeps.
        identity: digest of the token.
        base_url: of the API.
        clock: seconds on a clock of this process.

    Raises:
        UsageError: the client for Redis is not installed, or the URL is none of a Redis.
    """

    def __init__(
        self, setting: RedisRateLimit, identity: bytes, base_url: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(limits_in(setting), clock)
        self._redis, self._errors, self._refusals = _client(setting.url)
        self._script: Final = self._redis.register_script(_EXCHANGE)
        self._own: Final = dict(limits_in(setting).own)
        self._fails: Final = setting.when_away == "fail"
        digest = hashlib.blake2b(base_url.encode(), key=identity[:64], digest_size=16).hexdigest()
        self._keys: Final = [f"kantata:{{{digest}}}:{name}" for name in ("general+own", "members")]
        self._member: Final = secrets.token_hex(8)
        self._known: Final[dict[str, _Kept]] = {}
        self._raw = b""
        self._read_at = 0.0
        self._clock_ahead = 0.0
        self._trip = 0.0
        self._active = self._lately = 1
        self._away_until: float | None = None
        self._changing: Final = asyncio.Lock()
        self._under_way: Final[set[asyncio.Task[None]]] = set()
        self._asking: Final[dict[_Lane, asyncio.Task[None]]] = {}
        self._ask_at: Final[dict[_Lane, float]] = {}
        self._granted: Final[defaultdict[_Lane, deque[float]]] = defaultdict(deque)
        self._refusals_seen = 0

    async def open(self, session: object) -> None:  # noqa: D102 - Account's
        if not self.sessions:
            try:
                await self._begin()
            except UsageError:
                await self._leave()
                raise
            except self._refusals as error:
                await self._redis.aclose()
                raise UsageError(f"RedisRateLimit: Redis refuses what the limits need: {error}") from None
            except self._errors as error:
                self._lost(error)
        await super().open(session)

    async def close(self, session: object) -> None:  # noqa: D102 - Account's
        await super().close(session)
        if self.sessions:
            return
        if tasks := {*self._under_way, *self._asking.values()}:
            await asyncio.wait(tasks, timeout=_ANSWER_SECONDS)
        for task in tasks:
            task.cancel()
        await self._leave()

    async def _leave(self) -> None:
        try:
            if self._away_until is None:
                await self._redis.zrem(self._keys[1], self._member)
        except self._errors as error:
            self._lost(error)
        finally:
            await self._redis.aclose()

    async def take_now(self, names: tuple[str, ...], *, again: bool) -> float | None:  # noqa: D102 - Account's
        return None if self._away_until is None or self._fails else await super().take_now(names, again=again)

    async def take(  # noqa: D102 - Account's
        self, names: tuple[str, ...], *, again: bool, waiting: int = 1
    ) -> tuple[float, float]:
        lane = self._limited(names), again
        granted = self._granted[lane]
        while True:
            now = self.clock()
            while granted and now - granted[0] > LATE + self._trip:
                granted.popleft()
            self._ask_in_time(lane, waiting - len(granted), now)
            asking = self._asking.get(lane)
            if self._away_until is not None and not (asking and self._fails):
                if self._fails:
                    raise ConnectionFailedError("the rate limit in Redis cannot be reached, and when_away is 'fail'")
                return await super().take(names, again=again)
            if granted and granted[0] <= now:
                granted.popleft()
                return 0.0, now
            if granted or asking is None:
                return (granted[0] if granted else self._ask_at[lane]) - now, 0.0
            await asyncio.wait({asking})

    def give_back(self, names: tuple[str, ...]) -> None:  # noqa: D102 - Account's
        if self._away_until is not None:
            super().give_back(names)
            return

        def give(kept: list[_Kept], _now: float) -> None:
            uncount(one.limit for one in kept)
            for one in kept:
                one.due -= 1 / one.limit.rate

        self._change_soon(names, give)

    def answered(  # noqa: D102 - Account's
        self, names: tuple[str, ...], left: float, *, refused: bool, retry_after: float | None
    ) -> None:
        blocked = self.refused_since(names) is not None
        # Here at once, and for the others as soon as Redis is told.
        super().answered(names, left, refused=refused, retry_after=retry_after)
        if refused:
            self._refusals_seen += 1
            self._granted.clear()
        if refused or blocked:
            learnt = partial(learn, left=left, refused=refused, retry_after=retry_after)
            self._change_soon(names, lambda kept, now: learnt([one.limit for one in kept], now=now))

    def _ask_in_time(self, lane: _Lane, count: int, now: float) -> None:
        """Ask when the next requests may go, before they are to."""
        due = self._ask_at.get(lane, now) if self._away_until is None else self._away_until
        if count > 0 and now >= due and lane not in self._asking:
            self._asking[lane] = asyncio.ensure_future(self._ask(lane, count))

    async def _ask(self, lane: _Lane, count: int) -> None:
        granted: list[float] = []
        seen = self._refusals_seen

        def reserve(kept: list[_Kept], now: float) -> bool:
            granted.clear()
            reach = 3 * self._trip if self._trip > _NEAR_SECONDS else 0.0
            while (at := max(now + reach / 3, *(one.ready(again=lane[1]) for one in kept))) <= now + reach:
                if len(granted) == count:
                    break
                granted.append(at)
                take_all([one.limit for one in kept], at)
                for one in kept:
                    one.space(at)
            refused = any(one.limit.blocked is not None for one in kept)
            self._ask_at[lane] = min(at - reach, now + _PAUSED_SECONDS) if refused else at - reach
            return bool(granted)

        try:
            await self._change(lane[0], reserve)
            self._found()
            if seen == self._refusals_seen:
                self._granted[lane].extend(granted)
        except self._errors as error:
            self._lost(error)
        finally:
            del self._asking[lane]

    def _change_soon(self, names: tuple[str, ...], change: _Change) -> None:
        async def run() -> None:
            try:
                await self._change(names, change)
            except self._errors as error:
                self._lost(error)

        if self._away_until is None:
            task = asyncio.ensure_future(run())
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _change(self, names: tuple[str, ...], change: _Change) -> None:
        """Change what Redis keeps of these limits as if nobody else did at the same time.

        Nothing is stored where `change` says False of what was just read: that there is nothing to change.
        """
        async with self._changing:
            for _ in range(_MOST_TRIES):
                state = self._state()
                kept = [state.setdefault(name, self._new(name)) for name in self._limited(names)]
                changed = change(kept, self.clock()) is not False
                fresh = self.clock() - self._read_at < _FRESH_SECONDS
                if (fresh and not changed) or await self._exchange(state if changed else None):
                    self._known.update(state)
                    self._limits.update({name: one.limit for name, one in state.items()})
                    return
        raise ConnectionFailedError("the rate limit in Redis changes too fast to be read")

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
        except _OtherStateError:
            state, others = {}, {"another version of kantata-async": {}}
        if others and self._lately > 1:
            raise UsageError(f"RedisRateLimit: somebody is at work with {others}: give all the same, or a pepper each")
        await self._exchange(given if others else state)

    def _new(self, name: str) -> _Kept:
        """A limit that Redis does not have: as this process knows it, or new."""
        if name not in self._known:
            return _Kept.new(self.settings[name])
        kept = attrs.evolve(self._known[name], limit=attrs.evolve(self._known[name].limit))
        kept.limit.begin_anew()
        return kept

    def _state(self) -> dict[str, _Kept]:
        """What was read last, on the clock of this process."""
        if not self._raw:
            return {}
        try:
            limits = _CONVERTER.structure(msgspec.json.decode(self._raw), _State).limits
        except Exception:  # noqa: BLE001 - of whatever kind, by whatever it met
            raise _OtherStateError("what it keeps is of another version") from None
        return {name: one.moved(-self._clock_ahead) for name, one in limits.items()}

    async def _exchange(self, state: dict[str, _Kept] | None) -> bool:
        """Store this if what was read last is still there, and read; whether it was stored."""
        written = b""
        if state is not None:
            moved = {name: one.moved(self._clock_ahead) for name, one in state.items()}
            written = msgspec.json.encode(_CONVERTER.unstructure(_State(moved)))
        sent = self.clock()
        args = [self._raw, written, self._member, _KEPT_SECONDS, _ACTIVE_SECONDS, _LATELY_SECONDS]
        stored, self._raw, now, self._active, self._lately = await self._script(keys=self._keys, args=args)
        self._read_at = self.clock()
        trip = self._read_at - sent
        self._trip = min(trip, 0.8 * self._trip + 0.2 * trip)
        self._clock_ahead = float(now) - (sent + self._read_at) / 2
        return bool(stored)

    def _lost(self, error: Exception) -> None:
        if self._away_until is None:
            doing = "every request fails" if self._fails else f"going on at 1/{self._active} of it"
            _LOGGER.warning("the rate limit in Redis cannot be reached (%s): %s", type(error).__name__, doing)
            self._share = 1 / max(1, self._active)
            for name, one in self._known.items():
                # What this process meets alone says nothing of the limit that all share.
                pace = Steady(one.limit.pace.rate(min(one.limit.climb, 1.0)))
                self._limits[name] = attrs.evolve(one.limit, pace=pace)
            self._meters.clear()
            self._granted.clear()
            self._ask_at.clear()
        self._away_until = self.clock() + _ASK_AGAIN_SECONDS

    def _found(self) -> None:
        if self._away_until is not None:
            self._away_until = None
            _LOGGER.info("the rate limit in Redis can be reached again")


def _client(url: str) -> tuple[Any, tuple[type[Exception], ...], tuple[type[Exception], ...]]:
    """A client for Redis; the errors that say that it is away, and those that say that it refuses.

    Raises:
        UsageError: there is no such client installed, or the URL is none of a Redis.
    """
    try:
        from redis import exceptions  # noqa: PLC0415 - an extra
        from redis.asyncio import Redis  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
    except ImportError:
        raise UsageError("RedisRateLimit needs the client for Redis: pip install kantata-async[redis]") from None
    client: Any
    try:
        client = Redis.from_url(
            url,
            socket_timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_ANSWER_SECONDS,
            # Once more at once, for a connection that was kept and has died; by default it would wait for seconds.
            retry=Retry(NoBackoff(), 1),
        )
        client.connection_pool.make_connection()
    except (ValueError, TypeError):
        raise UsageError("RedisRateLimit: url is none of a Redis, as redis://127.0.0.1:6379/0 is") from None
    refusals = (exceptions.AuthenticationError, exceptions.AuthorizationError, exceptions.ResponseError)
    return client, (exceptions.RedisError, OSError, TimeoutError, _OtherStateError), refusals
