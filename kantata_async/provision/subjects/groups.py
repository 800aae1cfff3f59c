"""Groups: the groups of projects of the account, such as companies."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from ...bulk import Outcome
from ...calls import together
from ...model import Entity, text_of
from ..comparing import AccountState, Action, Change, Entry, Existing, Shape, items_of
from ..finding import Missing, find_groups, find_projects, references_of, why_missing
from ..sheets import GroupLine, Name, Problem
from ..texts import folded
from ..wanting import Project, Terms, Value, Wanted, gather
from .subject import (
    Creator,
    Wish,
    Write,
    field_writes,
    held_fields,
    in_fields,
    reference_fields,
    reference_write,
    stated_values,
    values_of,
)

if TYPE_CHECKING:
    from ...api.workspace_groups import WorkspaceGroup, WorkspaceGroupsInclude, WorkspaceGroupsRow
    from ...session import KantataSession

_FIELDS: Final = {
    name: name for name in ("name", "company", "contact_name", "email", "phone_number", "address", "website", "notes")
}
_PROJECTS: Final = {"projects": "add_workspace_ids", "projects_out": "remove_workspace_ids"}
_COLUMNS: Final = (*_FIELDS, "reference", *_PROJECTS)
_INCLUDED: Final[Mapping[str, WorkspaceGroupsInclude]] = {
    "reference": "external_references",
    "projects": "workspaces",
    "projects_out": "workspaces",
}
"""The columns that come only with an include."""

_NO_FIELDS: Final[Mapping[str, str | None]] = MappingProxyType({})

_NEW: Final = "name:"
"""Before the name, as `folded` gives it, of a group that has no id yet: what it is known by."""


def _add(kantata: KantataSession, entries: Sequence[Entry]) -> AsyncGenerator[Outcome[Any], None]:
    """Make groups one by one, each after a look for it."""

    async def find(rows: Sequence[Mapping[str, Any]]) -> Iterable[Entity]:
        searches = (kantata.workspace_groups.list(matching=row["name"]).collect() for row in rows)
        return [group for found in await together(searches) for group in found]

    rows = [cast("WorkspaceGroupsRow", _row(entry)) for entry in entries]
    return kantata.workspace_groups.create_stream(rows, find=find, key=_key, if_exists="skip")


_CREATORS: Final[Mapping[Action, Creator]] = {"add": _add}


class GroupsOfAccount:
    """The groups of projects of the account; see `Subject`."""

    kind: str = "groups"
    shape: Shape = Shape(settable=_COLUMNS)
    rates: frozenset[str] = frozenset()
    created_with: tuple[str, ...] = _COLUMNS
    creators: Mapping[Action, Creator] = _CREATORS

    async def want(self, kantata: KantataSession, lines: Sequence[GroupLine], *, invite: bool) -> Wish:
        """See `Subject.want`; nobody is invited."""
        names = [name for line in lines for name in _names(line)]
        groups = await find_groups(kantata, names)
        projects = await find_projects(kantata, (one for line in lines for one in (*line.projects, *line.projects_out)))
        wanted, problems = gather(resolve(line, groups, projects) for line in lines)
        titles = {one.id: one.title for one in projects.values() if isinstance(one, Project)}
        return Wish(wanted=wanted, problems=problems, labels=dict.fromkeys(_PROJECTS, titles))

    async def read(self, kantata: KantataSession, wanted: Sequence[Wanted]) -> AccountState:
        """See `Subject.read`: one request for each 200 groups."""
        fields = {field for one in wanted for field in (*one.terms.includes, *one.terms.excludes)}
        include: list[WorkspaceGroupsInclude] = [*dict.fromkeys(_INCLUDED[field] for field in sorted(fields))]
        names = {one.subject: _name_of(one) for one in wanted}
        found = await find_groups(kantata, names.values(), include)
        there = {subject: group for subject, name in names.items() if isinstance(group := found[name], Entity)}
        named = any(not one.terms.values.keys() <= set(_COLUMNS) for one in wanted)
        custom = await held_fields(kantata, "WorkspaceGroup", [group.id for group in there.values()], named=named)
        held = (_held(group, subject, custom.get(group.id, {})) for subject, group in there.items())
        return AccountState(places={None: list(held)})

    def writes(self, entry: Entry, held: Existing, changes: Sequence[Change]) -> list[Write]:
        """See `Subject.writes`; the API accepts no update of a group without its name."""
        own = tuple(change for change in changes if change.field in {*_FIELDS, *_PROJECTS})
        row = {"id": held.id, "name": held.name or entry.name, **_fields(own)}
        writes = [Write(entry, "workspace_groups", row, own)] if own else []
        return [
            *writes,
            *reference_write(entry, "WorkspaceGroup", held.id, changes),
            *field_writes(entry, "WorkspaceGroup", held.id, changes, _COLUMNS),
        ]

    def answers(self, resource: str) -> Mapping[str, Sequence[str]]:
        """See `Subject.answers`."""
        return {"include": ("workspaces",)}

    def read_held(self, entity: Any) -> Existing | None:
        """See `Subject.read_held`."""
        return _held(entity, entity.id)


def _key(data: Mapping[str, Any]) -> str:
    return folded(str(data.get("name") or ""))


def _row(entry: Entry) -> dict[str, Any]:
    changes = [change for change in entry.changes if change.field not in {"reference", "projects_out"}]
    row = _fields(changes)
    for change in entry.changes:
        if change.field == "reference":
            row["external_reference"] = reference_fields(change.after)
    return row


def _fields(changes: Sequence[Change]) -> dict[str, Any]:
    fields: dict[str, Any] = in_fields(changes, _FIELDS)
    return {**fields, **{_PROJECTS[one.field]: items_of(one.after) for one in changes if one.field in _PROJECTS}}


def _names(line: GroupLine) -> list[Name]:
    """The names by which to find a line's group: its own, and the one that an earlier apply may have given it."""
    return [line.group] if line.name is None else [line.group, Name("title", line.name)]


def _name_of(wanted: Wanted) -> Name:
    if wanted.subject.startswith(_NEW):
        return Name("title", str(wanted.terms.values["name"]))
    return Name("id", wanted.subject)


def resolve(
    line: GroupLine, groups: Mapping[Name, WorkspaceGroup | Missing], projects: Mapping[Name, Project | Missing]
) -> Wanted | Problem:
    """The group as a line wants it, or why that cannot be done."""
    found = [groups[name] for name in _names(line)]
    group = next((one for one in found if not isinstance(one, Missing)), found[0])
    into, out_of = ([projects[name] for name in names] for names in (line.projects, line.projects_out))
    is_new = isinstance(group, Missing) and group.absent and line.group.kind == "title"
    if missing := why_missing([*([] if is_new else [group]), *into, *out_of]):
        return Problem(line.number, "; ".join(missing))
    ids, ids_out = (tuple(one.id for one in ones if isinstance(one, Project)) for ones in (into, out_of))
    if both := set(ids) & set(ids_out):
        return Problem(line.number, f"project {', '.join(sorted(both))} should be both in and out of the group")
    terms = _terms(line, ids, ids_out)
    if not isinstance(group, Missing):
        name = text_of(group, "name") or line.group.text
        return Wanted(subject=group.id, name=name, lines=(line.number,), terms=terms, if_absent="block")
    name = line.name or line.group.text
    return Wanted(
        subject=f"{_NEW}{folded(name)}",
        name=name,
        lines=(line.number,),
        terms=attrs.evolve(terms, values={"name": name, **terms.values}),
        note=f"new, beside {' and '.join(map(repr, group.near))}" if group.near else None,
    )


def _terms(line: GroupLine, projects: tuple[str, ...], projects_out: tuple[str, ...]) -> Terms:
    given: dict[str, Value] = {**{name: getattr(line, name) for name in _FIELDS}, **line.custom_fields}
    includes = {"reference": (line.reference,) if line.reference else (), "projects": tuple(sorted(projects))}
    return Terms(
        values=stated_values(given, line.cleared),
        includes={name: items for name, items in includes.items() if items},
        excludes={"projects_out": tuple(sorted(projects_out))} if projects_out else {},
    )


def _held(group: WorkspaceGroup, subject: str, custom: Mapping[str, str | None] = _NO_FIELDS) -> Existing:
    values = {**custom, **values_of(group, _FIELDS)}
    projects = getattr(group, "workspace_ids", None)
    if projects is not None:
        values |= dict.fromkeys(_PROJECTS, frozenset(projects))
    references = references_of(group)
    if references is not None:
        values["reference"] = references
    return Existing(id=group.id, subject=subject, name=values.get("name") or "", values=values)
