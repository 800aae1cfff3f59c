"""What sessions share: an account's limits within a process, and its connections to Redis in an event loop."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import threading
from collections import OrderedDict
from typing import Final
from weakref import WeakKeyDictionary, WeakValueDictionary

from ..errors import UsageError
from .account import AccountLimits
from .rate import AdaptiveRateLimit, RateLimits, RateLimitSetting, RedisRateLimit, limits_in

_MOST_ACCOUNTS: Final = 256

_lock: Final = threading.Lock()
_accounts: Final[OrderedDict[tuple[str, RateLimits], AccountLimits]] = OrderedDict()
_owners: Final[WeakKeyDictionary[object, str]] = WeakKeyDictionary()
_in_redis: Final[WeakValueDictionary[tuple[asyncio.AbstractEventLoop, RedisRateLimit, str], AccountLimits]] = (
    WeakValueDictionary()
)


def account_for(setting: RateLimitSetting, token: object, base_url: str, *, keep: bool = False) -> AccountLimits:
    """The limits that a session shares: those of its token, base URL and setting.

    Args:
        setting: of the session.
        token: the token; where tokens are fetched, whatever stands for who fetches them.
        base_url: of the API.
        keep: whether what is learnt may be kept for later processes; it is only where the token is known beforehand.

    Raises:
        UsageError: an open session of the account has other fixed limits; or the setting asks for Redis, and the client
            for it is not installed, or the setting does not name the account of a token that is fetched.
    """
    base_url = base_url.rstrip("/")
    if isinstance(setting, RedisRateLimit):
        return _redis_account(setting, token if isinstance(token, str) else setting.account, base_url)
    if not isinstance(token, str):
        with _lock:
            token, keep = _owners.setdefault(token, secrets.token_hex()), False
    return local_account(account_digest(token, base_url), setting, keep=keep)


def local_account(account: str, setting: RateLimitSetting, *, keep: bool = False) -> AccountLimits:
    """The limits of this process for an account's digest and a setting: the same whenever both are.

    Raises:
        UsageError: an open session of the account has other fixed limits.
    """
    key = account, limits_in(setting)
    with _lock:
        for (other, _), limits in _accounts.items():
            if other == account and limits.sessions:
                _check_same(key[1], limits)
        limits = _accounts.pop(key) if key in _accounts else AccountLimits(key[1], keep_as=account if keep else None)
        _accounts[key] = limits
        if len(_accounts) > _MOST_ACCOUNTS:
            _accounts.popitem(last=False)
    return limits


def account_digest(token: str, base_url: str, pepper: str = "") -> str:
    """What stands for a token at a base URL where limits are kept; it does not lead back to either."""
    identity = hashlib.blake2b(token.encode(), key=pepper.encode()[:64], person=b"kantata-limits").digest()
    return hashlib.blake2b(base_url.encode(), key=identity, digest_size=16).hexdigest()


def _check_same(limits: RateLimits, other: AccountLimits) -> None:
    for name, setting in limits.by_name().items():
        held = other.settings.get(name, setting)
        if held != setting and not isinstance(held, AdaptiveRateLimit) and not isinstance(setting, AdaptiveRateLimit):
            raise UsageError(
                f"rate_limit: {name} is {setting} here and {held} in another open session of this account: "
                "together they would exceed both; give all of them the same"
            )


def _redis_account(setting: RedisRateLimit, token: str, base_url: str) -> AccountLimits:
    if not token:
        raise UsageError(
            "RedisRateLimit: where a function fetches the token, account= must name it, the same everywhere"
        )
    try:
        from .redis_account import RedisAccountLimits  # noqa: PLC0415 - an extra
    except ImportError:
        raise UsageError("RedisRateLimit needs the client for Redis: pip install 'kantata-async[redis]'") from None
    account = account_digest(token, base_url, setting.pepper)
    here = asyncio.get_running_loop(), setting, account
    limits = _in_redis.get(here) or RedisAccountLimits(setting, account)
    _in_redis[here] = limits
    return limits
