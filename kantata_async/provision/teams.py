"""The teams of projects as they are: one request for 200 people of a project."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from ..calls import together
from .cells import PERMISSIONS
from .comparing import Member

if TYPE_CHECKING:
    from ..api.participations import Participation, ParticipationsInclude, ParticipationsOptionalField
    from ..session import KantataSession

INCLUDE: Final[tuple[ParticipationsInclude, ...]] = ("user", "workspace_role")
OPTIONAL_FIELDS: Final[tuple[ParticipationsOptionalField, ...]] = (
    "access_level",
    "permissions_label",
    "can_schedule_their_hours",
    "can_schedule_team_hours",
)

_ATTRIBUTES: Final = {
    "role": "role",
    "access_level": "access_level",
    "team_lead": "is_team_lead",
    "bill_rate": "rate_in_cents",
    "cost_rate": "cost_in_cents",
    "project_role": "workspace_role_id",
}
_CAPABILITIES: Final = tuple(name for name in PERMISSIONS if name.startswith("can_"))
_LABELS: Final = ("edit", "view_only")
"""The permissions that are shown as a label; `view_and_post` is shown by nothing, and taken as given."""


async def read_teams(kantata: KantataSession, projects: Iterable[str]) -> dict[str, list[Member]]:
    """The teams of projects, by id. Raises KantataError when one cannot be read."""
    ids = list(projects)
    return dict(zip(ids, await together(_team(kantata, id) for id in ids), strict=True))


async def _team(kantata: KantataSession, project: str) -> list[Member]:
    # By name, which no update changes: pages of the default order, by the time of the last update, would shift.
    found = await kantata.participations.list(
        workspace_id=project, include=INCLUDE, optional_fields=OPTIONAL_FIELDS, order="user_name"
    )
    return [member for member in map(read_member, found) if member is not None]


def read_member(participation: Participation) -> Member | None:
    """A participation, as far as it is shown; None for one whose person the caller may not see."""
    person = getattr(participation, "user_id", None)
    if person is None:
        return None
    values = {
        field: getattr(participation, attribute)
        for field, attribute in _ATTRIBUTES.items()
        if hasattr(participation, attribute)
    }
    return Member(
        participation=participation.id,
        person=person,
        name=_name(participation) or person,
        values=values,
        lacks=frozenset(_lacks(participation)),
    )


def _name(participation: Participation) -> str | None:
    user: Any = getattr(participation, "user", None)
    return getattr(user, "full_name", None)


def _lacks(participation: Participation) -> Iterable[str]:
    yield from (name for name in _CAPABILITIES if getattr(participation, name, None) is False)
    label = getattr(participation, "permissions_label", None)
    if label is not None:
        yield from (name for name in _LABELS if name != label)
