"""What a sync is going to do, what it did, and where the copy differs from the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import attrs

_NUMBERS: Final = ("read", "new", "changed", "deleted", "requests")
_MOST_NAMES: Final = 5


@attrs.frozen
class JobReport:
    """What came of one job.

    Attributes:
        name: the name of the resource.
        read: objects that came, some of them perhaps twice.
        new: those that the copy did not have.
        changed: those that it had with other values.
        deleted: those that it had and are gone.
        requests: calls to the API; one that was sent again counts once.
        seconds: from its start to its end.
        behind: how far the copy stays behind the server; None where the job did not come to its end.
        not_sent: the columns that are null throughout, as no answer carried them: optional fields that were not asked
            for, and what the token's user may not see.
        error: what stopped it; None where nothing did.
    """

    name: str
    read: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    requests: int = 0
    seconds: float = 0.0
    behind: timedelta | None = None
    not_sent: tuple[str, ...] = ()
    error: Exception | None = None

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "name": self.name,
            **{name: getattr(self, name) for name in _NUMBERS},
            "seconds": round(self.seconds, 3),
            "behind": None if self.behind is None else self.behind.total_seconds(),
            "not_sent": list(self.not_sent),
            "error": None if self.error is None else str(self.error),
        }


@attrs.frozen
class Report:
    """What came of a run, job by job; its text is a table."""

    jobs: Sequence[JobReport]

    def __iter__(self) -> Iterator[JobReport]:
        return iter(self.jobs)

    def __getitem__(self, name: str) -> JobReport:
        for job in self.jobs:
            if job.name == name:
                return job
        raise KeyError(name)

    @property
    def ok(self) -> bool:
        """Whether every job came to its end."""
        return all(job.error is None for job in self.jobs)

    def __str__(self) -> str:
        rows = [
            [job.name, *(f"{getattr(job, name):,}" for name in _NUMBERS), f"{job.seconds:,.1f}", _shown(job.behind)]
            for job in self.jobs
        ]
        lines = [table(["", *_NUMBERS, "seconds", "behind"], rows)]
        lines += [
            f"{job.name} failed: {' '.join(str(job.error).split())}" for job in self.jobs if job.error is not None
        ]
        lines += [f"{job.name} came without {_listed(job.not_sent)}" for job in self.jobs if job.not_sent]
        return "\n".join(lines)


@attrs.frozen
class JobPlan:
    """How one job is going to be read.

    Attributes:
        name: the name of the resource.
        way: how, in words.
        rows: how many objects there are to read, as the server counts them; where it counts none, the number of
            parents through which they are read.
        requests: about how many calls to the API that takes.
    """

    name: str
    way: str
    rows: int
    requests: int


@attrs.frozen
class SyncPlan:
    """What a sync is going to do, job by job; its text is a table."""

    jobs: Sequence[JobPlan]

    def __iter__(self) -> Iterator[JobPlan]:
        return iter(self.jobs)

    def __str__(self) -> str:
        rows = [[job.name, f"{job.rows:,}", f"{job.requests:,}", job.way] for job in self.jobs]
        return table(["", "to read", "requests", "way"], rows, left=3)


@attrs.frozen
class JobDifference:
    """Where one collection of the copy differs from the server, by ids.

    Attributes:
        missing: on the server, and not in the copy.
        extra: in the copy, and not on the server.
        stale: in both, updated at another time, or with other values where these were compared.
    """

    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.stale)

    def __str__(self) -> str:
        numbers = (f"{len(ids):,} {name}" for name, ids in attrs.asdict(self).items() if ids)
        return ", ".join(numbers) or "equal"


@attrs.frozen
class Difference:
    """Where the copy differs from the server, by job; false where it does not."""

    jobs: Mapping[str, JobDifference]

    def __bool__(self) -> bool:
        return any(self.jobs.values())

    def __iter__(self) -> Iterator[str]:
        return iter(self.jobs)

    def __getitem__(self, name: str) -> JobDifference:
        return self.jobs[name]

    def __str__(self) -> str:
        return "\n".join(f"{name}: {job}" for name, job in self.jobs.items())


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 0) -> str:
    """Lines in columns: the first column, and the one numbered `left`, are aligned to the left."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            f"{cell:<{width}}" if place in {0, left} else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (heads, *rows)
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"


def _shown(behind: timedelta | None) -> str:
    return "" if behind is None else f"{behind.total_seconds():,.0f} s"
