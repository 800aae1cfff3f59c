"""The projects that lines name.

One request for 200 ids; one for 100 external references of a service and model; one for each title, or the pages of the
whole list where these are fewer, plus the one that shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...model import text_of, value_of
from ..sheets import Name
from ..wanting import Project
from .missing import Missing, by_name, texts_of
from .named import FoundByName, SearchableList, find_named
from .referred import find_referred

if TYPE_CHECKING:
    from ...api.workspaces import Workspace
    from ...session import KantataSession


async def find_projects(kantata: KantataSession, names: Iterable[Name]) -> dict[Name, Project | Missing]:
    """What each name means.

    Raises:
        KantataError: the API cannot be asked.
    """
    asked = list(dict.fromkeys(names))
    found = {
        "id": await read_projects(kantata, texts_of(asked, "id")),
        "title": await _by_title(kantata, texts_of(asked, "title")),
        "reference": await _by_reference(kantata, texts_of(asked, "reference")),
    }
    return by_name(asked, found)


async def read_projects(kantata: KantataSession, ids: Sequence[str]) -> dict[str, Project | Missing]:
    """Projects by id; archived ones are missing."""
    found = await kantata.workspaces.get_many(ids, include_archived=True)
    held = {one.id: [one] for one in found}
    return {id: _one(held.get(id, []), f"project {id}", _none(f"project {id}")) for id in ids}


async def _by_title(kantata: KantataSession, titles: Sequence[str]) -> dict[str, Project | Missing]:
    listing = SearchableList(partial(kantata.workspaces.list, include_archived=True), "title")
    found: FoundByName[Workspace] = await find_named(listing, titles)
    return {title: _one(found.of(title), f"project {title!r}", found.missing(title, "project")) for title in titles}


async def _by_reference(kantata: KantataSession, references: Sequence[str]) -> dict[str, Project | Missing]:
    query = partial(kantata.workspaces.list, include_archived=True, include=["external_references"])
    held = await find_referred(query, references)
    called = {one: f"project with the reference {one!r}" for one in references}
    return {one: _one(held.get(one, []), called[one], _none(called[one])) for one in references}


def _none(called: str) -> Missing:
    return Missing(f"there is no {called}, or the token's user may not see it", absent=True)


def _one(found: Sequence[Workspace], called: str, none: Missing) -> Project | Missing:
    """The one project that is meant: of several with the same title the one that is not archived."""
    live = [one for one in found if not value_of(one, "archived", otherwise=False)]
    if len(live) == 1:
        return Project(live[0].id, text_of(live[0], "title"), _subunits_of(live[0]))
    if live:
        return Missing(f"{called} is ambiguous: {', '.join(sorted(one.id for one in live))} have this name; give an id")
    if found:
        return Missing(f"{called} is archived")
    return none


def _subunits_of(project: Workspace) -> int | None:
    """How many subunits its currency has; None where that is not shown."""
    subunits = value_of(project, "currency_base_unit")
    return subunits if isinstance(subunits, int) and subunits > 0 else None
