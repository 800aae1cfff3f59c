"""How fast and in which order: limits that are found, kept and shared.

rate           the limits a session may be given, as data
endpoints      which operations have a separate limit
curve          pure: what a 429 teaches, and the rate between two of them
limit          pure: what is known of one limit, its pause after a 429 and the scout after that
meter          the spacing of requests under a limit, by aiolimiter
kept           what was learnt, kept for later processes
account        the limits of one account in this process
redis_account  the same in Redis, for many processes
job            whose turn a request counts for, and how urgent it is
turns          pure: who goes next
line           where requests wait
registry       which sessions share which of these
limiter        what each attempt of a session passes
"""

from __future__ import annotations

from .account import AccountLimits, LimitState
from .job import Priority, context_of_job, current_job, job, priority
from .limiter import Limiter, Slot
from .rate import AdaptiveRateLimit, RateLimit, RateLimits, RateLimitSetting, RedisRateLimit
from .registry import account_for

__all__ = [
    "AccountLimits",
    "AdaptiveRateLimit",
    "LimitState",
    "Limiter",
    "Priority",
    "RateLimit",
    "RateLimitSetting",
    "RateLimits",
    "RedisRateLimit",
    "Slot",
    "account_for",
    "context_of_job",
    "current_job",
    "job",
    "priority",
]
