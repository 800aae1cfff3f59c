"""What sessions share: an account's limits within a process, its line and its connections to Redis in an event loop."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary, WeakValueDictionary

from ..errors import UsageError
from .account import Account
from .line import Line
from .rate import AdaptiveRateLimit, RateLimits, RateLimitSetting, RedisRateLimit, limits_in

if TYPE_CHECKING:
    from .redis_account import RedisAccount

_MOST_ACCOUNTS: Final = 256

_lock: Final = threading.Lock()
_accounts: Final[OrderedDict[tuple[bytes, str, RateLimits], Account]] = OrderedDict()
_owners: Final[WeakKeyDictionary[object, bytes]] = WeakKeyDictionary()
_lines: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[Account, Line]]] = WeakKeyDictionary()
_redis: Final[
    WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[tuple[RedisRateLimit, bytes, str], RedisAccount]]
] = WeakKeyDictionary()


def account_for(setting: RateLimitSetting, token: object, base_url: str) -> Account:
    """The account whose limits a session shares: the one of its token, base URL and setting.

    Where tokens are fetched, whatever stands for who fetches them stands for the account.

    Raises:
        UsageError: an open session of the account has other fixed limits; or the setting asks for Redis, and the client
            for it is not installed, or the setting does not name the account of a token that is fetched.
    """
    base_url = base_url.rstrip("/")
    if isinstance(setting, RedisRateLimit):
        return _redis_account(setting, token, base_url)
    with _lock:
        identity = token_digest(token) if isinstance(token, str) else _owners.setdefault(token, os.urandom(32))
    return local_account(identity, base_url, setting)


def local_account(identity: bytes, base_url: str, setting: RateLimitSetting) -> Account:
    """The limits of this process for a token's digest, a base URL and a setting: the same whenever all three are.

    Raises:
        UsageError: an open session of the account has other fixed limits.
    """
    key = (identity, base_url, limits_in(setting))
    with _lock:
        for (*of, _), other in _accounts.items():
            if of == [identity, base_url] and other.sessions:
                _check_same(key[2], other)
        account = _accounts.pop(key, None) or Account(key[2])
        _accounts[key] = account
        while len(_accounts) > _MOST_ACCOUNTS:
            _accounts.popitem(last=False)
    return account


def line_to(account: Account) -> Line:
    """The line for an account in the running event loop, as long-lived as the sessions that use it."""
    lines = _lines.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    line = lines.get(account)
    if line is None:
        line = lines[account] = Line(account)
    return line


def token_digest(token: str, pepper: str = "") -> bytes:
    """What stands for a token where limits are kept: it does not lead back to it."""
    return hashlib.blake2b(token.encode(), key=pepper.encode()[:64], person=b"kantata-limits").digest()


def _check_same(limits: RateLimits, other: Account) -> None:
    for name, setting in limits.by_name().items():
        held = other.settings.get(name, setting)
        if held != setting and not isinstance(held, AdaptiveRateLimit) and not isinstance(setting, AdaptiveRateLimit):
            raise UsageError(
                f"rate_limit: {name} is {setting} here and {held} in another open session of this account: "
                "together they would pass both; give all of them the same"
            )


def _redis_account(setting: RedisRateLimit, token: object, base_url: str) -> RedisAccount:
    from .redis_account import RedisAccount  # noqa: PLC0415 - an extra

    if not isinstance(token, str) and not setting.account:
        raise UsageError(
            "RedisRateLimit: where a function fetches the token, account= must name it, the same everywhere"
        )
    identity = token_digest(token if isinstance(token, str) else setting.account, setting.pepper)
    accounts = _redis.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    account = accounts.get((setting, identity, base_url))
    if account is None:
        account = accounts[setting, identity, base_url] = RedisAccount(setting, identity, base_url)
    return account
