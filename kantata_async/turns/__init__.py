"""In which order: what every attempt passes, a place and its turn, before the limits say how fast.

Jobs share in turn whatever a session has too little of: its places, which it has without any limit too, and the limits.

job      whose turn a request counts for, and how urgent it is
order    pure: who goes next
line     where requests wait
limiter  what each attempt of a session passes
"""

from __future__ import annotations

from .job import Priority, context_of_job, current_job, job, priority
from .limiter import Limiter, Slot

__all__ = [
    "Limiter",
    "Priority",
    "Slot",
    "context_of_job",
    "current_job",
    "job",
    "priority",
]
