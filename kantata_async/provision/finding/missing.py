"""What could not be found, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import attrs

from ..sheets import Name, NameKind

F = TypeVar("F")

MOST_HINTED: Final = 20
"""The most names for which similar ones are looked for: with more, something else is wrong, and it takes long."""


@attrs.frozen
class Missing:
    """Why something that a line names was not found.

    Attributes:
        reason: why, for people.
        absent: whether there is nothing of that name, or nothing that the token's user may see.
        near: names like it.
        disabled: the id and the name of somebody who was found, and is disabled.
    """

    reason: str
    absent: bool = False
    near: tuple[str, ...] = ()
    disabled: tuple[str, str] | None = None


def why_missing(found: Iterable[object]) -> list[str]:
    """The reasons why anything was not found."""
    return [one.reason for one in found if isinstance(one, Missing)]


def texts_of(names: Iterable[Name], kind: NameKind) -> list[str]:
    """The texts of the names of one kind."""
    return [name.text for name in names if name.kind == kind]


def by_name(names: Iterable[Name], found: Mapping[str, Mapping[str, F]]) -> dict[Name, F]:
    """What each name means, from what was found for each kind of name."""
    return {name: found[name.kind][name.text] for name in names}
