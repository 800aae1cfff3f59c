"""Includes: which associations an answer is to carry, one level by the server and deeper ones by follow-up requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs

from ..errors import UsageError
from ..model import brief_repr
from .parameters import did_you_mean

_SEPARATOR: Final = "."


class Path(str):
    """A path of associations, such as ``user.account_membership``; made by `path`."""

    __slots__ = ()


def path(steps: object) -> Path:
    """A path of associations for `include` and `load`: ``path("user.account_membership.default_role")``.

    The server includes one level; the others are fetched by follow-up requests, each id once, in batches of 200.
    Its steps are checked when it is used.

    Raises:
        UsageError: the text is no path.
    """
    if not isinstance(steps, str) or not all(step.isidentifier() for step in steps.split(_SEPARATOR)):
        raise UsageError(f"a path must be association names joined by dots, not {brief_repr(steps)}")
    return Path(steps)


@attrs.frozen
class Inclusion:
    """What to include: the associations for the server, and the whole paths that go deeper."""

    names: tuple[str, ...] = ()
    deeper: tuple[tuple[str, ...], ...] = ()


NOTHING_INCLUDED: Final = Inclusion()


def read_inclusion(include: Any, known: Sequence[str]) -> Inclusion:
    """The `include` argument of a call, split into what the server includes and what follow-up requests fetch.

    Raises:
        UsageError: the operation does not include an association; the message offers the nearest name.
    """
    if isinstance(include, str):
        raise UsageError(f"include takes a list: include=[{include!r}]")
    if not isinstance(include, Sequence):
        raise UsageError(f"include takes a list of associations, not {brief_repr(include)}")
    names: dict[str, None] = {}
    deeper: list[tuple[str, ...]] = []
    for one in include:
        steps = tuple(path(one).split(_SEPARATOR))
        if steps[0] not in known:
            raise UsageError(f"{steps[0]!r} cannot be included here{did_you_mean(steps[0], known)}")
        names[steps[0]] = None
        if len(steps) > 1:
            deeper.append(steps)
    return Inclusion(tuple(names), tuple(deeper)) if names else NOTHING_INCLUDED
