"""Rosters: who should be on which project, and on which terms."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from .cells import (
    Name,
    read_access_level,
    read_boolean,
    read_permissions,
    read_person,
    read_project,
    read_rate,
    read_role,
    read_text,
)
from .columns import Columns, SheetColumn
from .sheet import Sheet


@attrs.frozen(kw_only=True)
class Line:
    """One line of a roster. What is None is left as it is on the project.

    Attributes:
        number: its number in the file, from 1, the header included; for objects their position, from 1.
        project: which project.
        person: who.
        full_name: what they are called, for the invitation of somebody who is not in the account yet.
        role: ``maven`` or ``buyer``; somebody new is a maven unless it is given.
        access_level: as a create takes it.
        permissions: those the person should have at least.
        team_lead: whether the person leads the team.
        bill_rate: hourly, in units of the project's currency.
        cost_rate: hourly, in the same units.
        project_role: the id or the name of a role.
        cleared: the columns whose values should go, by their names.
    """

    number: int
    project: Name
    person: Name
    full_name: str | None = None
    role: str | None = None
    access_level: str | None = None
    permissions: tuple[str, ...] | None = None
    team_lead: bool | None = None
    bill_rate: Decimal | None = None
    cost_rate: Decimal | None = None
    project_role: str | None = None
    cleared: frozenset[str] = frozenset()


RATES = ("bill_rate", "cost_rate")
BILL_RATE = SheetColumn("bill_rate", read_rate, ("billing_rate", "billable_rate", "bill_rate_per_hour", "sell_rate"))
COST_RATE = SheetColumn("cost_rate", read_rate, ("cost", "cost_rate_per_hour", "cost_per_hour", "internal_rate"))
FULL_NAME = SheetColumn("full_name", read_text, ("person_name", "user_name", "display_name"))
PERSON = SheetColumn(
    "person",
    read_person,
    (
        *("email", "email_address", "mail", "person_email", "user_email", "member_email"),
        *("person_id", "user", "user_id", "member", "team_member", "participant", "who"),
    ),
    required=True,
)
ANY_RATE = dict.fromkeys(("rate", "rates", "hourly_rate", "rate_per_hour", "price", "day_rate"), RATES)


@attrs.frozen
class Roster(Sheet[Line]):
    """Who should be on which project.

    The columns are project and person, which every line needs, and full_name, role, access_level, permissions,
    team_lead, bill_rate, cost_rate and project_role, which may be absent or empty: what is empty is left as it is, and
    ``(clear)`` clears a project_role.
    Headers with the same meaning are taken too: workspace, project name, e-mail, team leader.

    - project: an id, a title, or ``ref:service:model:ref`` for an external reference. ``title:2027`` is a title that
      looks like an id.
    - person: an id or an e-mail address.
    - full_name: for the invitation of somebody who is not in the account yet; it renames nobody.
    - role: maven or buyer; whoever is added without one is a maven.
    - permissions: several are separated by spaces, semicolons or bars (or commas, in quotes).
    - team_lead: yes or no, true or false, 1 or 0, also Ja, WAHR, oui.
    - bill_rate, cost_rate: hourly, in units of the project's currency: 120 or 120.50.
    - project_role: the id or the name of a role.

    Attributes:
        lines: the lines that could be read.
        problems: the others, each with its number and the reason.
        source: where they came from, for messages.
        notes: remarks on how they were read.
    """

    kind: ClassVar[str] = "roster"
    line: ClassVar[type[Line]] = Line
    columns: ClassVar[Columns] = Columns(
        (
            SheetColumn(
                "project",
                read_project,
                (
                    *("project_name", "project_title", "project_id"),
                    *("workspace", "workspace_name", "workspace_title", "workspace_id"),
                ),
                required=True,
            ),
            PERSON,
            FULL_NAME,
            SheetColumn("role", read_role, ("participation_role",)),
            SheetColumn("access_level", read_access_level, ("access",)),
            SheetColumn("permissions", read_permissions, ("permission", "project_permissions")),
            SheetColumn("team_lead", read_boolean, ("is_team_lead", "team_leader", "teamlead", "lead", "project_lead")),
            BILL_RATE,
            COST_RATE,
            SheetColumn(
                "project_role",
                read_text,
                ("workspace_role", "team_role", "role_on_project", "project_role_name"),
                clearable=True,
            ),
        ),
        {
            **ANY_RATE,
            "name": ("project", "full_name"),
            "title": ("project", "project_role"),
            "id": ("project", "person"),
        },
    )
