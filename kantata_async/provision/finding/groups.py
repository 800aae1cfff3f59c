"""The groups that lines name, found as projects are: by ids, by names and by external references."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...model import text_of
from ..sheets import Name
from .missing import Missing, by_name, texts_of
from .named import FoundByName, SearchableList, find_named
from .referred import find_referred

if TYPE_CHECKING:
    from ...api.workspace_groups import WorkspaceGroup, WorkspaceGroupsInclude
    from ...session import KantataSession


async def find_groups(
    kantata: KantataSession, names: Iterable[Name], include: Sequence[WorkspaceGroupsInclude] = ()
) -> dict[Name, WorkspaceGroup | Missing]:
    """Which group each name means.

    Raises:
        KantataError: the API cannot be asked.
    """
    asked = list(dict.fromkeys(names))
    query = partial(kantata.workspace_groups.list, include=include)
    ids, titles, references = (texts_of(asked, kind) for kind in ("id", "title", "reference"))
    by_id = {one.id: [one] for one in await kantata.workspace_groups.get_many(ids, include=include)}
    by_title: FoundByName[WorkspaceGroup] = await find_named(SearchableList(query, "name"), titles)
    referred = await find_referred(
        partial(kantata.workspace_groups.list, include=[*dict.fromkeys([*include, "external_references"])]), references
    )
    found = {
        "id": {id: _one(by_id.get(id, []), _none(f"group {id}")) for id in ids},
        "title": {one: _one(by_title.of(one), by_title.missing(one, "group")) for one in titles},
        "reference": {
            one: _one(referred.get(one, []), _none(f"group with the reference {one!r}")) for one in references
        },
    }
    return by_name(asked, found)


def _none(called: str) -> Missing:
    return Missing(f"there is no {called}, or the token's user may not see it")


def _one(found: Sequence[WorkspaceGroup], none: Missing) -> WorkspaceGroup | Missing:
    if len(found) > 1:
        ids = ", ".join(sorted(one.id for one in found))
        return Missing(f"the group {text_of(found[0], 'name')!r} is ambiguous: {ids} have this name; give an id")
    return found[0] if found else none
