"""How fast: limits that are found, kept and shared.

rate           the limits a session may be given, as data
endpoints      which operations have a separate limit
curve          pure: what a 429 teaches, and the rate between two of them
limit          pure: what is known of one limit, its pause after a 429 and the scout after that
meter          the spacing of requests under a limit, by aiolimiter
kept           what was learnt, kept for later processes
account        the limits of one account in this process
redis_account  the same in Redis, for many processes
registry       which sessions share which of these
"""

from __future__ import annotations

from .account import AccountLimits, LimitState
from .rate import AdaptiveRateLimit, RateLimit, RateLimits, RateLimitSetting, RedisRateLimit
from .registry import account_for

__all__ = [
    "AccountLimits",
    "AdaptiveRateLimit",
    "LimitState",
    "RateLimit",
    "RateLimitSetting",
    "RateLimits",
    "RedisRateLimit",
    "account_for",
]
