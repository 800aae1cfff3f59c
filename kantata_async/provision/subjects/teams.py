"""Teams: who is on which project."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from ...bulk import Outcome
from ...calls import together
from ...model import text_of
from ..comparing import AccountState, Action, Change, Entry, Existing, Shape, items_of
from ..finding import (
    Missing,
    Person,
    find_people,
    find_projects,
    find_roles,
    joined,
    pending_invitations,
    why_missing,
)
from ..sheets import PERMISSIONS, RATES, Line, Name, Problem
from ..texts import folded
from ..wanting import Project, Terms, Value, Wanted, gather, in_subunits
from .inviting import invitation_note, invite, is_invitable
from .subject import Creator, Wish, Write, in_fields, names_of, stated_values, values_of

if TYPE_CHECKING:
    from ...api.participations import (
        Participation,
        ParticipationsInclude,
        ParticipationsOptionalField,
        ParticipationsRow,
    )
    from ...session import KantataSession

INCLUDE: Final[tuple[ParticipationsInclude, ...]] = ("user", "workspace_role")
OPTIONAL_FIELDS: Final[tuple[ParticipationsOptionalField, ...]] = (
    "access_level",
    "permissions_label",
    "can_schedule_their_hours",
    "can_schedule_team_hours",
)

_FIELDS: Final = {
    "role": "role",
    "access_level": "access_level",
    "permissions": "permissions",
    "team_lead": "team_lead",
    "bill_rate": "rate_in_cents",
    "cost_rate": "cost_in_cents",
    "project_role": "workspace_role_id",
}
"""The columns that a participation is written with, and what the API calls them."""

_CREATED_WITH: Final = ("role", "access_level", "permissions")

_ATTRIBUTES: Final = {
    "role": "role",
    "access_level": "access_level",
    "team_lead": "is_team_lead",
    "bill_rate": "rate_in_cents",
    "cost_rate": "cost_in_cents",
    "project_role": "workspace_role_id",
}
"""The columns that a participation is read by."""

_CAPABILITIES: Final = tuple(name for name in PERMISSIONS if name.startswith("can_"))
_GIVEN: Final = "permissions given"
"""Beside the columns of a participation: the permissions that it is known to have."""

_READ_ONLY: Final = "view_only"
_LABELS: Final = ("edit", _READ_ONLY)
"""The permissions that are shown as a label; `view_and_post` is shown nowhere, and assumed."""


@attrs.frozen
class Directory:
    """What was found of what the lines of a roster name.

    Attributes:
        projects: the projects.
        people: the people.
        roles: the ids of roles.
        staying: the ids of projects and people who are on them though they are disabled.
    """

    projects: Mapping[Name, Project | Missing]
    people: Mapping[Name, Person | Missing]
    roles: Mapping[str, str | Missing] = attrs.field(factory=dict)
    staying: frozenset[tuple[str, str]] = frozenset()

    def person(self, name: Name, project: str | None) -> Person | Missing:
        """Whom a name means on a project: somebody who is disabled only where they are on it."""
        found = self.people[name]
        if isinstance(found, Missing) and found.disabled and (project, found.disabled[0]) in self.staying:
            return Person(*found.disabled)
        return found


def _add(kantata: KantataSession, entries: Sequence[Entry]) -> AsyncGenerator[Outcome[Any], None]:
    """Put people on projects, 100 a request, after a look whether they are there."""
    return kantata.participations.create_stream(
        [cast("ParticipationsRow", _row(entry)) for entry in entries],
        include=INCLUDE,
        optional_fields=OPTIONAL_FIELDS,
        if_exists="skip",
    )


def _row(entry: Entry) -> dict[str, Any]:
    changes = [change for change in entry.changes if change.field in _CREATED_WITH]
    return {"workspace_id": entry.project, "user_id": entry.subject, **_fields(changes)}


_CREATORS: Final[Mapping[Action, Creator]] = {"add": _add, "invite": partial(invite, for_account=False)}


class Teams:
    """The teams of the projects of a roster; see `Subject`."""

    kind: str = "roster"
    shape: Shape = Shape(
        settable=("access_level", "permissions", "team_lead", "bill_rate", "cost_rate", "project_role"),
        fixed={"role": "maven"},
        absent="is disabled, and not on the project any more",
    )
    rates: frozenset[str] = frozenset(RATES)
    created_with: tuple[str, ...] = _CREATED_WITH
    creators: Mapping[Action, Creator] = _CREATORS

    async def want(self, kantata: KantataSession, lines: Sequence[Line], *, invite: bool) -> Wish:
        """See `Subject.want`."""
        roles = await find_roles(kantata, (line.project_role for line in lines if line.project_role), "project role")
        directory = Directory(
            projects=await find_projects(kantata, (line.project for line in lines)),
            people=await find_people(kantata, (line.person for line in lines)),
            roles=roles.by_name,
        )
        directory = attrs.evolve(directory, staying=await _staying(kantata, lines, directory))
        wanted, problems = gather(resolve(line, directory, invite=invite) for line in lines)
        return Wish(
            wanted=wanted,
            problems=problems,
            projects={one.id: one for one in directory.projects.values() if isinstance(one, Project)},
            labels={"project_role": roles.names},
        )

    async def read(self, kantata: KantataSession, wanted: Sequence[Wanted]) -> AccountState:
        """See `Subject.read`: one request for each 200 people of a project."""
        ids = list(dict.fromkeys(one.project for one in wanted if one.project is not None))
        invited = [one.subject for one in wanted if one.if_absent == "invite"]
        teams = await together(read_participations(kantata, id) for id in ids)
        return AccountState(
            places={id: _members(team) for id, team in zip(ids, teams, strict=True)},
            invited=await pending_invitations(kantata) if invited else frozenset(),
            joined=await joined(kantata, invited),
            labels={"project_role": names_of((one for team in teams for one in team), "workspace_role", "name")},
        )

    def writes(self, entry: Entry, held: Existing, changes: Sequence[Change]) -> list[Write]:
        """See `Subject.writes`."""
        fields = _fields(changes)
        if "permissions" in fields and _READ_ONLY not in fields["permissions"]:
            # Whether an update gives permissions or replaces them is not documented: those that are given go along.
            given = held.values[_GIVEN]
            fields["permissions"] = sorted({*fields["permissions"], *(given if isinstance(given, frozenset) else ())})
        return [Write(entry, "participations", {"id": held.id, **fields}, tuple(changes))]

    def answers(self, resource: str) -> Mapping[str, Sequence[str]]:
        """See `Subject.answers`."""
        return {"include": INCLUDE, "optional_fields": OPTIONAL_FIELDS}

    def read_held(self, entity: Any) -> Existing | None:
        """See `Subject.read_held`."""
        return read_member(entity)


def _fields(changes: Sequence[Change]) -> dict[str, Any]:
    fields: dict[str, Any] = in_fields(changes, _FIELDS)
    if "permissions" in fields:
        fields["permissions"] = items_of(fields["permissions"])
    return fields


def resolve(line: Line, directory: Directory, *, invite: bool = False) -> Wanted | Problem:
    """Whom a line wants on which project, or why that cannot be done."""
    project = directory.projects[line.project]
    known = project.id if isinstance(project, Project) else None
    person = directory.person(line.person, known)
    role: str | Missing | None = None if line.project_role is None else directory.roles[line.project_role]
    inviting = invite and is_invitable(line.person, person)
    named = [project, role] if inviting else [project, person, role]
    if inviting and not line.full_name:
        return Problem(line.number, f"an invitation for {line.person.text} needs their full_name", known)
    missing = why_missing(named)
    if missing or isinstance(project, Missing):
        return Problem(line.number, "; ".join(missing), known)
    try:
        terms = _terms(line, project, role)
    except ValueError as error:
        return Problem(line.number, str(error), known)
    if isinstance(person, Person):
        return Wanted(
            project=project.id,
            subject=person.id,
            name=person.name,
            lines=(line.number,),
            terms=terms,
            if_absent="block" if (project.id, person.id) in directory.staying else "add",
        )
    return Wanted(
        project=project.id,
        subject=folded(line.person.text),
        name=line.full_name or line.person.text,
        lines=(line.number,),
        terms=terms,
        if_absent="invite",
        note=invitation_note(person),
    )


async def _staying(kantata: KantataSession, lines: Sequence[Line], directory: Directory) -> frozenset[tuple[str, str]]:
    """The projects and people of lines about somebody who is disabled and on the project: a request for each project.

    Nobody is added who is disabled, but whoever is on a project can stay there.
    """
    disabled = {
        name: one.disabled[0] for name, one in directory.people.items() if isinstance(one, Missing) and one.disabled
    }
    named = ((directory.projects[line.project], disabled.get(line.person)) for line in lines)
    pairs = {(project.id, person) for project, person in named if isinstance(project, Project) and person}
    ids = sorted({project for project, _ in pairs})
    teams = await together(read_participations(kantata, id) for id in ids)
    members = ((id, one) for id, team in zip(ids, teams, strict=True) for one in _members(team))
    return frozenset((id, one.subject) for id, one in members) & pairs


def _terms(line: Line, project: Project, role: Any) -> Terms:
    given: dict[str, Value] = {
        "role": line.role,
        "access_level": line.access_level,
        "team_lead": line.team_lead,
        "project_role": role,
        **{name: _rate(line, name, project) for name in RATES},
    }
    return Terms(
        values=stated_values(given, line.cleared),
        includes={} if line.permissions is None else {"permissions": tuple(sorted(line.permissions))},
    )


def _rate(line: Line, name: str, project: Project) -> int | None:
    rate = getattr(line, name)
    if rate is None:
        return None
    if project.subunits is None:
        raise ValueError(f"the currency of {project.title!r} is not shown to the token's user, so no rate can be set")
    return in_subunits(rate, project.subunits)


def _members(participations: Iterable[Participation]) -> list[Existing]:
    return [member for member in map(read_member, participations) if member is not None]


async def read_participations(kantata: KantataSession, project: str) -> list[Participation]:
    """The participations of a project: one request for each 200.

    Raises:
        KantataError: the API cannot be asked.
    """
    # By name, which no update changes: pages of the default order, by the time of the last update, would shift.
    return await kantata.participations.list(
        workspace_id=project, include=INCLUDE, optional_fields=OPTIONAL_FIELDS, order="user_name"
    )


def read_member(participation: Participation) -> Existing | None:
    """Somebody on a project, as far as the API shows it; None for a person whom the caller may not see."""
    person = text_of(participation, "user_id")
    if not person:
        return None
    user: Any = getattr(participation, "user", None)
    return Existing(
        id=participation.id,
        subject=person,
        name=text_of(user, "full_name") or person,
        values={
            **values_of(participation, _ATTRIBUTES),
            "permissions": frozenset(PERMISSIONS) - frozenset(_lacking(participation)),
            _GIVEN: frozenset(name for name in _CAPABILITIES if getattr(participation, name, None) is True),
        },
    )


def _lacking(participation: Participation) -> Iterable[str]:
    yield from (name for name in _CAPABILITIES if getattr(participation, name, None) is False)
    label = getattr(participation, "permissions_label", None)
    if label is not None:
        yield from (name for name in _LABELS if name != label)
