"""What the demonstration finds out: how much it does, what each step cost, and what was read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from ..entities import Participation, Workspace


@attrs.frozen
class Scale:
    """How much to demonstrate, on which company, and how far away the server seems to be."""

    people: int = 250
    projects: int = 3
    latency: float = 0.2
    seed: int = 1


@attrs.define
class DemoStep:
    """What a step cost.

    `requests` are those that the sandbox logged; `one_by_one` is how many it would have taken with a request for each
    object that is written or linked, None where that makes no difference.
    """

    title: str
    requests: int = 0
    seconds: float = 0.0
    one_by_one: int | None = None

    @property
    def alone(self) -> int:
        """How many requests it would have taken one by one."""
        return self.requests if self.one_by_one is None else self.one_by_one


@attrs.frozen
class Team:
    """A project, and its participations as they were read back."""

    project: Workspace
    members: Sequence[Participation]


@attrs.frozen
class Pulled:
    """A collection that was read from its first page to its last."""

    collection: str
    objects: int
    pages: int
    seconds: float
