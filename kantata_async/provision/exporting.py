"""Teams as they are, as a roster that can be edited and applied."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from ..calls import together
from ..errors import UsageError
from ..model import text_of
from .finding import find_people, find_projects, find_roles, why_missing
from .sheets import (
    ACCESS_LEVELS,
    PERMISSIONS,
    Name,
    Roster,
    checked_text,
    is_clear,
    read_person,
    read_project,
    read_text,
)
from .subjects import Directory, read_participations
from .texts import tidy
from .wanting import Project

if TYPE_CHECKING:
    from ..api.participations import Participation
    from ..session import KantataSession

N = TypeVar("N")

_BYTE_ORDER_MARK: Final = "\ufeff"
"""The mark by which spreadsheet programs recognize UTF-8."""

_AS_THOUSANDS: Final = 3
"""A number with so many decimals could be read as thousands; one with more could not."""

_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""The characters at which a spreadsheet program takes a text for a formula."""


@attrs.frozen
class TeamsFile:
    """The teams of projects as they are.

    Attributes:
        text: a roster in comma-separated values; applied as it is, it changes nothing.
        notes: what is missing from it.
    """

    text: str
    notes: tuple[str, ...] = ()


async def export_teams(kantata: KantataSession, projects: Sequence[str]) -> TeamsFile:
    """The teams of projects as a roster: one request for each 200 people of a project, and those that find names.

    Each name is looked up as a plan would look it up. One that means something else, or several things, or that a
    spreadsheet program would take for a formula, is replaced by the id.

    Args:
        kantata: the session.
        projects: as a roster names them: ids, titles, or ``ref:service:model:ref``.

    Raises:
        UsageError: a project is not there, or none is given.
        KantataError: the API cannot be asked.
    """
    names = [_project_name(text) for text in ([projects] if isinstance(projects, str) else projects)]
    if not names:
        raise UsageError("no project is given: name the projects whose teams to write")
    found = await find_projects(kantata, names)
    if missing := why_missing(found.values()):
        raise UsageError("; ".join(missing))
    known = list({one.id: one for one in found.values() if isinstance(one, Project)}.values())
    teams = await together(read_participations(kantata, one.id) for one in known)
    directory = await _look_up(kantata, known, [one for team in teams for one in team])
    text = io.StringIO(_BYTE_ORDER_MARK, newline="")
    text.seek(0, io.SEEK_END)
    table = csv.DictWriter(text, [column.name for column in Roster.columns.columns], lineterminator="\r\n")
    table.writeheader()
    notes = []
    for project, team in zip(known, teams, strict=True):
        rows = [_row(project, one, directory) for one in team if text_of(one, "user_id")]
        table.writerows(rows)
        if not team:
            notes.append(f"{project.title}: nobody is on the team, or you may not see them")
        if unseen := len(team) - len(rows):
            notes.append(f"{project.title}: {unseen} on the team are not shown to the token's user, and left out")
    return TeamsFile(text.getvalue(), tuple(notes))


def _project_name(text: str) -> Name:
    try:
        return read_project(tidy(text))
    except ValueError as error:
        raise UsageError(f"project: {error}") from error


async def _look_up(kantata: KantataSession, projects: Iterable[Project], members: Sequence[Participation]) -> Directory:
    """What the names of projects, people and roles mean in a roster."""
    titles = (_read(project.title, read_project) for project in projects)
    people = (_read(_email(one), read_person) for one in members)
    roles = (_read(_role_name(one), read_text) for one in members)
    return Directory(
        projects=await find_projects(kantata, filter(None, titles)),
        people=await find_people(kantata, filter(None, people)),
        roles=(await find_roles(kantata, filter(None, roles), "project role")).by_name,
    )


def _row(project: Project, one: Participation, directory: Directory) -> dict[str, Any]:
    level = text_of(one, "access_level")
    role_id = text_of(one, "workspace_role_id") or None
    return {
        "project": _named(project.title, read_project, directory.projects, project.id),
        "person": _named(_email(one), read_person, directory.people, one.user_id),
        "full_name": _escaped(text_of(getattr(one, "user", None), "full_name")),
        "role": text_of(one, "role") or None,
        "access_level": level if level in ACCESS_LEVELS else None,
        "permissions": " ".join(_given(one)),
        "team_lead": _yes_or_no(getattr(one, "is_team_lead", None)),
        "bill_rate": _rate(getattr(one, "rate_in_cents", None), project),
        "cost_rate": _rate(getattr(one, "cost_in_cents", None), project),
        "project_role": _named(_role_name(one), read_text, directory.roles, role_id),
    }


def _email(one: Participation) -> str:
    return text_of(getattr(one, "user", None), "email_address")


def _role_name(one: Participation) -> str:
    return text_of(getattr(one, "workspace_role", None), "name")


def _named(name: str, read: Callable[[str], N], found: Mapping[N, Any], id: str | None) -> str | None:
    """A name where a plan finds by it what is meant; else the id."""
    meant = _read(name, read)
    known = None if meant is None else found.get(meant)
    return name if known is not None and getattr(known, "id", known) == id else id


def _read(name: str, read: Callable[[str], N]) -> N | None:
    """What a roster takes a name for; None where it cannot stand in one."""
    if not _harmless(name):
        return None
    try:
        text = checked_text(name)
        return None if is_clear(text) else read(text)
    except ValueError:
        return None


def _yes_or_no(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def _given(one: Participation) -> Iterator[str]:
    """The permissions that an answer shows somebody to have."""
    label = getattr(one, "permissions_label", None)
    yield from (name for name in PERMISSIONS if name == label or getattr(one, name, None) is True)


def _rate(cents: object, project: Project) -> str | None:
    if not isinstance(cents, int) or project.subunits is None:
        return None
    decimals = len(str(project.subunits)) - 1
    text = f"{Decimal(cents) / project.subunits:.{decimals}f}"
    return f"{text}0" if decimals == _AS_THOUSANDS else text


def _harmless(text: str) -> str | None:
    return None if not text or text.lstrip().startswith(_FORMULAS) else text


def _escaped(text: str) -> str:
    return text if _harmless(text) else f"'{text}" if text else ""
