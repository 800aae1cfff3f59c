"""The limits of one account in Redis, for every process and machine that uses it.

The atomic step is Redis' own: a script takes from all limits of a request or from none, by Redis' clock. What a 429
teaches is decided here (`bucket`, `pace`), on the state as it was read, and stored if nothing has changed it meanwhile;
else it is read and decided anew. Keys expire when nobody has used them for a day. A key holds a digest of the token and
the base URL, never the token.

While Redis is away, each process goes on with its part of the rate known last, or fails, as the setting says; it asks
again every second. A Redis that comes back empty is told what was learnt before.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

import orjson

from ..errors import ConnectionFailedError, UsageError
from .account import LimitState, log_learning, new_bucket, state_of, token_digest
from .bucket import LATE, SCOUT_SECONDS, Bucket, bucket_from_data, bucket_to_data
from .pace import Steady
from .rate import RateLimits, RedisRateLimit, limits_in

_LOGGER: Final = logging.getLogger("kantata_async.limits")
_KEPT_SECONDS: Final = 24 * 3600
_SEEN_SECONDS: Final = 5.0
_ASK_AGAIN_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 1.0
_MOST_TRIES: Final = 50

# The meter of bucket.Bucket, step for step: `wait`, then `take`.
# KEYS: the limits, then who takes part. ARGV: what is asked, as JSON.
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local ask = cjson.decode(ARGV[1])
local states, wait, stale = {}, 0, false
for i = 1, #KEYS - 1 do
  local raw = redis.call('GET', KEYS[i])
  if not raw then return {'absent', tostring(now)} end
  local b = cjson.decode(raw)
  states[i] = b
  if b.version ~= ask.versions[i] then stale = true end
  local ready = math.max(b.due - b.ahead / ask.rates[i], b.paused)
  if ask.again and b.blocked ~= cjson.null then ready = math.max(ready, b.sure) end
  wait = math.max(wait, ready - now)
end
if not stale and wait <= 0 then
  for i, b in ipairs(states) do
    if b.since == cjson.null then b.since = now end
    local in_time = now - b.due <= ask.late
    if in_time and b.blocked == cjson.null then b.climb = b.climb + math.min(now - b.taken, 1) end
    b.due = (in_time and b.due or now) + 1 / ask.rates[i]
    b.taken = now
    b.sent = b.sent + 1
    b.stamp = b.stamp + 1
    if b.blocked ~= cjson.null then b.paused = now + ask.scout end
    redis.call('SET', KEYS[i], cjson.encode(b), 'EX', ask.kept)
  end
end
local members = KEYS[#KEYS]
redis.call('ZADD', members, now, ask.member)
redis.call('ZREMRANGEBYSCORE', members, '-inf', now - ask.seen)
redis.call('EXPIRE', members, 60)
local told = {stale and 'stale' or (wait <= 0 and 'taken' or 'wait'), tostring(now), redis.call('ZCARD', members)}
for i, b in ipairs(states) do told[i + 3] = cjson.encode(b) end
return told
"""

# KEYS: one limit. ARGV: the stamp it must have ('' for none at all), what it becomes, how long it is kept.
_STORE: Final = """
local raw = redis.call('GET', KEYS[1])
local stamp = raw and string.format('%d', cjson.decode(raw).stamp) or ''
if stamp ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""

_READ: Final = """
local time = redis.call('TIME')
return {tostring(time[1] + time[2] / 1000000), redis.call('GET', KEYS[1])}
"""


class _Kept:
    """A limit as it was last seen in Redis, with its version (of what was learnt) and its stamp (of every change)."""

    __slots__ = ("bucket", "stamp", "version")

    def __init__(self, bucket: Bucket, version: int = 0, stamp: int = 0) -> None:
        self.bucket = bucket
        self.version = version
        self.stamp = stamp

    @classmethod
    def read(cls, raw: bytes) -> _Kept:
        data = orjson.loads(raw)
        version, stamp = int(data.pop("version")), int(data.pop("stamp"))
        bucket = bucket_from_data(data)
        bucket.sent = int(bucket.sent)
        return cls(bucket, version, stamp)

    def written(self) -> bytes:
        return orjson.dumps({**bucket_to_data(self.bucket), "version": self.version, "stamp": self.stamp})


class RedisAccount:
    """The limits kept in Redis; in one event loop, from its first session's opening to its last one's closing.

    Args:
        setting: where Redis is, and what it keeps.
        identity: digest of the token.
        base_url: of the API.
        clock: seconds on a clock of this process.
    """

    def __init__(
        self, setting: RedisRateLimit, identity: bytes, base_url: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis, self._errors = _client(setting.url)
        self._take_script: Final = self._redis.register_script(_TAKE)
        self._store_script: Final = self._redis.register_script(_STORE)
        self._read_script: Final = self._redis.register_script(_READ)
        self._setting: Final = setting
        self._limits: Final[RateLimits] = limits_in(setting)
        url = base_url.rstrip("/").encode()
        digest = hashlib.blake2b(url, key=identity[:64], digest_size=16).hexdigest()
        self._prefix: Final = f"kantata:{{{digest}}}:"
        self._member: Final = secrets.token_hex(8)
        self._members = 1
        self._clock: Final = clock
        self._kept: Final[dict[str, _Kept]] = {}
        self._ahead = 0.0
        self._ready: Final[dict[tuple[tuple[str, ...], bool], float]] = {}
        self._away_until: float | None = None
        self._alone: Final[dict[str, Bucket]] = {}
        self._unreturned: Final[list[asyncio.Task[None]]] = []
        self.users = 0

    def take_now(self, names: tuple[str, ...], *, again: bool) -> float | None:  # noqa: D102 - Account's
        return 0.0 if not self._limited(names) else None

    async def take(self, names: tuple[str, ...], *, again: bool) -> tuple[float, float]:  # noqa: D102 - Account's
        limited = self._limited(names)
        now = self._clock()
        if self._away_until is not None and now < self._away_until:
            return self._take_alone(limited, again=again)
        ready = self._ready.get((limited, again), 0.0)
        if ready > now:
            return ready - now, 0.0
        try:
            wait, left = await self._take(limited, again=again)
        except self._errors as error:
            self._lost(error)
            return self._take_alone(limited, again=again)
        self._found()
        if wait > 0:
            self._ready[limited, again] = self._clock() + wait
        return wait, left

    def give_back(self, names: tuple[str, ...]) -> None:  # noqa: D102 - Account's
        def give(bucket: Bucket, _now: float) -> None:
            bucket.give_back()

        for name in self._limited(names):
            self._later(self._change(name, give))

    async def answered(  # noqa: D102 - Account's
        self, names: tuple[str, ...], left: float, *, refused: bool, retry_after: float | None
    ) -> None:
        limited = self._limited(names)
        if left < 0:
            self._answered_alone(limited, -left, refused=refused, retry_after=retry_after)
        elif refused:
            await self._refused(limited, left, retry_after)
        else:
            for name in limited:
                if self._kept[name].bucket.blocked is not None:
                    await self._change(name, lambda bucket, now: bucket.let_through(left, now))
        self._ready.clear()

    def states(self, waiting: Callable[[str], int]) -> list[LimitState]:  # noqa: D102 - Account's
        now = self._clock() + self._ahead
        return [state_of(name, kept.bucket, now, waiting(name)) for name, kept in self._kept.items()]

    async def close(self) -> None:  # noqa: D102 - Account's
        self.users -= 1
        if self.users:
            return
        await asyncio.gather(*self._unreturned)
        await self._redis.aclose()

    def _limited(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if self._limits.limit_of(name) is not None)

    def _key(self, name: str) -> str:
        return self._prefix + name

    async def _take(self, names: tuple[str, ...], *, again: bool) -> tuple[float, float]:
        keys = [*map(self._key, names), self._prefix + "members"]
        for _ in range(_MOST_TRIES):
            kept = [self._kept.get(name) for name in names]
            ask = {
                "versions": [-1 if one is None else one.version for one in kept],
                "rates": [1.0 if one is None else one.bucket.rate for one in kept],
                "again": again,
                "late": LATE,
                "scout": SCOUT_SECONDS,
                "kept": _KEPT_SECONDS,
                "seen": _SEEN_SECONDS,
                "member": self._member,
            }
            told = await self._take_script(keys=keys, args=[orjson.dumps(ask)])
            now = float(told[1])
            self._ahead = now - self._clock()
            if told[0] == b"absent":
                for name in names:
                    await self._begin(name)
                continue
            self._members = int(told[2])
            self._kept.update(zip(names, map(_Kept.read, told[3:]), strict=True))
            if told[0] == b"taken":
                return 0.0, now
            if told[0] == b"wait":
                return max(kept.bucket.wait(now, again=again) for kept in map(self._kept.__getitem__, names)), now
        raise ConnectionFailedError("the rate limit in Redis changes too fast to be read")

    async def _begin(self, name: str) -> None:
        """Store a limit that Redis does not have: what this process knows of it, or a new one."""
        kept = self._kept.get(name)
        limit = self._limits.limit_of(name)
        if kept is None and limit is not None:
            kept = _Kept(new_bucket(limit))
        if kept is not None:
            kept.bucket.begin_anew()
            await self._store_script(keys=[self._key(name)], args=["", kept.written(), _KEPT_SECONDS])

    async def _refused(self, names: tuple[str, ...], left: float, retry_after: float | None) -> None:
        def uncount(bucket: Bucket, _now: float) -> None:
            bucket.sent -= 1

        for name in names[:-1]:
            await self._change(name, uncount)
        before = self._kept[names[-1]].bucket.pace
        await self._change(names[-1], lambda bucket, now: bucket.turn_down(left, now, retry_after))
        log_learning(names[-1], before, self._kept[names[-1]].bucket.pace)

    async def _change(self, name: str, change: Callable[[Bucket, float], None]) -> None:
        """Change a limit in Redis as if nobody else did at the same time."""
        try:
            for _ in range(_MOST_TRIES):
                told, raw = await self._read_script(keys=[self._key(name)])
                if raw is None:
                    return
                kept = _Kept.read(raw)
                stamp = kept.stamp
                change(kept.bucket, float(told))
                kept.version += 1
                kept.stamp += 1
                if await self._store_script(keys=[self._key(name)], args=[stamp, kept.written(), _KEPT_SECONDS]):
                    self._kept[name] = kept
                    return
        except self._errors as error:
            self._lost(error)

    def _later(self, change: Awaitable[None]) -> None:
        task = asyncio.ensure_future(change)
        self._unreturned.append(task)
        task.add_done_callback(self._unreturned.remove)

    def _lost(self, error: Exception) -> None:
        if self._away_until is None:
            doing = (
                "every request fails" if self._setting.when_away == "fail" else f"going on at 1/{self._members} of it"
            )
            _LOGGER.warning("the rate limit in Redis cannot be reached (%s): %s", type(error).__name__, doing)
        self._away_until = self._clock() + _ASK_AGAIN_SECONDS

    def _found(self) -> None:
        if self._away_until is not None:
            self._away_until = None
            self._alone.clear()
            _LOGGER.info("the rate limit in Redis can be reached again")

    def _take_alone(self, names: tuple[str, ...], *, again: bool) -> tuple[float, float]:
        if self._setting.when_away == "fail":
            raise ConnectionFailedError("the rate limit in Redis cannot be reached, and when_away is 'fail'")
        now = self._clock()
        group = [self._alone_bucket(name) for name in names]
        wait = max(bucket.wait(now, again=again) for bucket in group)
        if wait > 0:
            return wait, 0.0
        for bucket in group:
            bucket.take(now)
        # Below zero: a time of this process' own clock, not of Redis'.
        return 0.0, -now

    def _answered_alone(self, names: tuple[str, ...], left: float, *, refused: bool, retry_after: float | None) -> None:
        now = self._clock()
        for name in names:
            if refused and name == names[-1]:
                self._alone_bucket(name).turn_down(left, now, retry_after)
            else:
                self._alone_bucket(name).let_through(left, now)

    def _alone_bucket(self, name: str) -> Bucket:
        """This process' part of a limit, while Redis is away."""
        if name not in self._alone:
            limit = self._limits.limit_of(name)
            kept = self._kept.get(name)
            if kept is None and limit is not None:
                kept = _Kept(new_bucket(limit))
            rate = 1.0 if kept is None else kept.bucket.pace.rate(min(kept.bucket.climb, 1.0))
            self._alone[name] = Bucket(Steady(rate / max(1, self._members)))
        return self._alone[name]


def _client(url: str) -> tuple[Any, tuple[type[Exception], ...]]:
    try:
        from redis.asyncio import Redis  # noqa: PLC0415 - an extra
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.exceptions import RedisError  # noqa: PLC0415
    except ImportError:
        raise UsageError("RedisRateLimit needs the client for Redis: pip install kantata-async[redis]") from None
    client = Redis.from_url(
        url,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_ANSWER_SECONDS,
        # Once more at once, for a connection that was kept and has died; by default it would wait for seconds.
        retry=Retry(NoBackoff(), 1),
    )
    return client, (RedisError, OSError, TimeoutError)


_Accounts = dict[tuple[RedisRateLimit, bytes, str], RedisAccount]
_accounts: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, _Accounts]] = WeakKeyDictionary()


def redis_account(setting: RedisRateLimit, token: str | object, base_url: str) -> RedisAccount:
    """The account of a token and a base URL in the running event loop, opened once more.

    Raises:
        UsageError: the client for Redis is not installed, or the token is fetched and the setting does not name it.
    """
    if isinstance(token, str):
        identity = token_digest(token, setting.pepper)
    elif setting.account:
        identity = token_digest(setting.account, setting.pepper)
    else:
        raise UsageError(
            "RedisRateLimit: where a function fetches the token, account= must name it, the same everywhere"
        )
    accounts = _accounts.setdefault(asyncio.get_running_loop(), {})
    key = (setting, identity, base_url)
    if key not in accounts or not accounts[key].users:
        accounts[key] = RedisAccount(setting, identity, base_url)
    accounts[key].users += 1
    return accounts[key]
