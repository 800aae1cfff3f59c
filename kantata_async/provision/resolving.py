"""The projects, people and roles that the lines of a roster name, found in few requests.

- Projects: one request for 200 ids; one for 100 external references of a service and model; one for each title, or the
  pages of the whole list where these are fewer, and one more to know that.
- People: one for 200 ids, one for 100 e-mail addresses; and as much again for those who are not found that way.
- Project roles: one for 200 roles of the account, when a line names any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from ..calls import in_batches, together
from .cells import Kind, Name
from .roster import Line
from .wanting import Directory, Missing, Person, Project

if TYPE_CHECKING:
    from ..api.roles import Role
    from ..api.users import User, UsersList
    from ..api.workspaces import Workspace
    from ..session import KantataSession

_MANY: Final = 100
"""E-mail addresses or references in one request: 200 would be taken, but make an address longer than servers like."""


async def look_up(kantata: KantataSession, lines: Iterable[Line]) -> Directory:
    """Find what the lines name. Raises KantataError when the API cannot be asked."""
    known = list(lines)
    return Directory(
        projects=await _projects(kantata, list(dict.fromkeys(line.project for line in known))),
        people=await _people(kantata, list(dict.fromkeys(line.person for line in known))),
        roles=await _roles(kantata, {line.project_role for line in known if line.project_role is not None}),
    )


def _texts(names: Iterable[Name], kind: Kind) -> list[str]:
    return [name.text for name in names if name.kind == kind]


# --- projects ---


async def read_projects(kantata: KantataSession, ids: Sequence[str]) -> dict[str, Project | Missing]:
    """Projects by id, archived ones told as missing."""
    found = await kantata.workspaces.get_many(ids, include_archived=True)
    held = {one.id: [one] for one in found}
    return {id: _one_project(held.get(id, []), f"project {id}") for id in ids}


async def _projects(kantata: KantataSession, names: Sequence[Name]) -> dict[Name, Project | Missing]:
    found = {
        "id": await read_projects(kantata, _texts(names, "id")),
        "title": await _by_title(kantata, _texts(names, "title")),
        "reference": await _by_reference(kantata, _texts(names, "reference")),
    }
    return {name: found[name.kind][name.text] for name in names}


def _one_project(found: Sequence[Workspace], called: str) -> Project | Missing:
    """The one project that is meant: of several with the same title the one that is not in the archive."""
    live = [one for one in found if not one.archived]
    if len(live) == 1:
        return Project(live[0].id, live[0].title or "", getattr(live[0], "currency_base_unit", None) or 100)
    if live:
        return Missing(f"{called} is ambiguous: {', '.join(sorted(one.id for one in live))} are called so; give an id")
    if found:
        return Missing(f"{called} is archived")
    return Missing(f"there is no {called}, or the token's user may not see it")


async def _by_title(kantata: KantataSession, titles: Sequence[str]) -> dict[str, Project | Missing]:
    held: dict[str, list[Workspace]] = defaultdict(list)
    for one in await _titled(kantata, titles):
        held[_folded(one.title or "")].append(one)
    return {title: _one_project(held[_folded(title)], f"project {title!r}") for title in titles}


async def _titled(kantata: KantataSession, titles: Sequence[str]) -> list[Workspace]:
    """The projects among which those with the titles are, each once."""
    if len(titles) > 1:
        everything = kantata.workspaces.list(include_archived=True, order="created_at:asc")
        first = await everything.page(1)
        pages = first.meta.page_count or -(-(first.count or 0) // max(1, len(first.items)))
        if pages - 1 <= len(titles):
            rest = await together(everything.page(number) for number in range(2, pages + 1))
            return _once(one for page in (first, *rest) for one in page.items)
    matching = (kantata.workspaces.list(matching=title, include_archived=True).collect() for title in titles)
    return _once(one for found in await together(matching) for one in found)


def _once(projects: Iterable[Workspace]) -> list[Workspace]:
    return list({one.id: one for one in projects}.values())


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


async def _by_reference(kantata: KantataSession, references: Sequence[str]) -> dict[str, Project | Missing]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for reference in references:
        service, model, ref = reference.split(":", 2)
        groups[service, model].append(ref)
    held: dict[str, list[Workspace]] = defaultdict(list)
    for (service, model), refs in groups.items():
        for batch in in_batches(refs, _MANY):
            query = kantata.workspaces.list(
                external_reference_service_name=service,
                external_reference_service_model=model,
                external_reference_service_model_refs=list(batch),
                include_archived=True,
                include=["external_references"],
            )
            for one in await query:
                for key in set(_references(one)):
                    held[key].append(one)
    return {one: _one_project(held[one], f"project with the reference {one!r}") for one in references}


def _references(project: Workspace) -> Iterable[str]:
    for one in project.external_references:
        yield f"{one.service_name}:{one.service_model}:{one.service_model_ref}"


# --- people ---


async def _people(kantata: KantataSession, names: Sequence[Name]) -> dict[Name, Person | Missing]:
    found = {
        "id": await _by_id(kantata, _texts(names, "id")),
        "email": await _by_email(kantata, _texts(names, "email")),
    }
    return {name: found[name.kind][name.text] for name in names}


async def _by_id(kantata: KantataSession, ids: Sequence[str]) -> dict[str, Person | Missing]:
    found = await kantata.users.get_many(ids, show_disabled=True, include=["account_membership"])
    # Without a filter the list may be of those who share a project with the caller; the account has more.
    more = await kantata.users.get_many(
        found.missing, show_disabled=True, on_my_account=True, include=["account_membership"]
    )
    held = {one.id: [one] for one in (*found, *more)}
    return {id: _one_person(held.get(id, []), f"nobody has the id {id}") for id in ids}


async def _by_email(kantata: KantataSession, addresses: Sequence[str]) -> dict[str, Person | Missing]:
    held = await _addressed(kantata, addresses, on_my_account=False)
    missing = [address for address in addresses if address.casefold() not in held]
    held |= await _addressed(kantata, missing, on_my_account=True)
    return {
        address: _one_person(held.get(address.casefold(), []), f"nobody has the e-mail address {address}")
        for address in addresses
    }


async def _addressed(
    kantata: KantataSession, addresses: Sequence[str], *, on_my_account: bool
) -> dict[str, list[User]]:
    """The users with these addresses. Whether the filter minds the case is not documented: both cases are asked for."""
    asked = list(dict.fromkeys(case for address in addresses for case in (address, address.lower())))
    queries = (kantata.users.list(**_asked(batch, on_my_account)).collect() for batch in in_batches(asked, _MANY))
    held: dict[str, list[User]] = defaultdict(list)
    for found in await together(queries):
        for one in found:
            held[(one.email_address or "").casefold()].append(one)
    return dict(held)


def _asked(addresses: Sequence[str], on_my_account: bool) -> UsersList:
    asked: UsersList = {
        "by_email_addresses": addresses,
        "show_disabled": True,
        "include": ["account_membership"],
    }
    return {**asked, "on_my_account": True} if on_my_account else asked


def _one_person(found: Sequence[User], nobody: str) -> Person | Missing:
    active = [one for one in found if not _disabled(one)]
    if len(active) == 1:
        return Person(active[0].id, active[0].full_name or active[0].id)
    if active:
        return Missing(f"{', '.join(sorted(one.id for one in active))} have the same e-mail address; give an id")
    if found:
        return Missing(f"{found[0].full_name} is disabled")
    return Missing(f"{nobody}, or the token's user may not see them")


def _disabled(user: User) -> bool:
    """Whether the account has disabled somebody; those of other accounts have no membership to say so."""
    membership = getattr(user, "account_membership", None)
    return getattr(membership, "disabled_at", None) is not None


# --- project roles ---


async def _roles(kantata: KantataSession, names: set[str]) -> dict[str, str | Missing]:
    roles: list[Role] = await kantata.roles.list() if names else []
    return {name: _one_role(name, roles) for name in names}


def _one_role(name: str, roles: Iterable[Role]) -> str | Missing:
    found = [role.id for role in roles if role.id == name or _folded(role.name or "") == _folded(name)]
    match found:
        case [id]:
            return id
        case []:
            return Missing(f"there is no project role {name!r}")
        case _:
            return Missing(f"the project role {name!r} is ambiguous: {', '.join(found)} are called so; give an id")
