"""Whose turn it is: jobs share in turn whatever a session has too little of, its places as well as the limits.

job    whose turn a request counts for, and how urgent it is
order  pure: who goes next
"""

from __future__ import annotations

from .job import Priority, context_of_job, current_job, current_rank, job, priority
from .order import Turn, Turns

__all__ = [
    "Priority",
    "Turn",
    "Turns",
    "context_of_job",
    "current_job",
    "current_rank",
    "job",
    "priority",
]
