"""The roles that lines name: one request for each 200 roles of the account, where a line names any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from ...model import text_of, value_of
from ..texts import folded, nearest
from .missing import Missing

if TYPE_CHECKING:
    from ...api.roles import Role
    from ...session import KantataSession


@attrs.frozen
class Roles:
    """The id of each role that lines name, by its name or its id; and the names of all roles, by id."""

    by_name: Mapping[str, str | Missing]
    names: Mapping[str, str]


async def find_roles(kantata: KantataSession, names: Iterable[str], called: str) -> Roles:
    """What each name means.

    Raises:
        KantataError: the API cannot be asked.
    """
    asked = set(names)
    roles = await kantata.roles.list(only_active=False) if asked else []
    by_name = {name: _one(name, roles, called) for name in asked}
    return Roles(by_name, {role.id: text_of(role, "name") or role.id for role in roles})


def _one(name: str, roles: Sequence[Role], called: str) -> str | Missing:
    named = [role for role in roles if role.id == name or folded(text_of(role, "name")) == folded(name)]
    found = [role.id for role in named if role.id == name or value_of(role, "deleted_at") is None]
    match found:
        case [id]:
            return id
        case [] if named:
            return Missing(f"the {called} {name!r} was deleted")
        case []:
            return Missing(_none(name, roles, called))
        case _:
            return Missing(f"the {called} {name!r} is ambiguous: {', '.join(found)} have this name; give an id")


def _none(name: str, roles: Sequence[Role], called: str) -> str:
    names = [text_of(role, "name") for role in roles]
    if "" in names:
        return f"the names of roles are not shown to the token's user, so {name!r} cannot be found; give an id"
    near = nearest(name, names)
    return f"there is no {called} {name!r}" + (f"; did you mean {' or '.join(map(repr, near))}?" if near else "")
