"""People: how the account's members should be."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

import attrs

from ...custom_fields import SubjectType
from .cells import Name, read_percent, read_permission, read_person, read_reference, read_text
from .columns import Columns, SheetColumn
from .roster import ANY_RATE, BILL_RATE, COST_RATE, FULL_NAME, PERSON
from .sheet import Sheet


@attrs.frozen(kw_only=True)
class PersonLine:
    """One line of `People`. What is None is left as it is.

    Attributes:
        number: its number in the file, from 1, the header included; for objects their position, from 1.
        person: who.
        full_name: what they should be called.
        headline: the line below their name.
        role: the id or the name of their default role.
        permission: what they may do in the account.
        bill_rate: hourly, in units of the account's currency.
        cost_rate: hourly, in the same units.
        manager: their manager.
        billability: which share of their time should be billable, in percent.
        reference: an external reference that they should have, ``service:model:ref``.
        custom_fields: the values of custom fields by their names, as text.
        cleared: the columns whose values should go, custom fields too, by their names.
    """

    number: int
    person: Name
    full_name: str | None = None
    headline: str | None = None
    role: str | None = None
    permission: str | None = None
    bill_rate: Decimal | None = None
    cost_rate: Decimal | None = None
    manager: Name | None = None
    billability: int | None = None
    reference: str | None = None
    custom_fields: Mapping[str, str] = attrs.field(factory=dict)
    cleared: frozenset[str] = frozenset()


@attrs.frozen
class People(Sheet[PersonLine]):
    """How the members of the account should be.

    Every line needs the column person; what is empty is left as it is, and ``(clear)`` clears a headline, a role, a
    manager or a custom field.

    - person: an id or an e-mail address; somebody who is not in the account is invited where the plan is asked to.
    - full_name, headline: texts.
    - role: the id or the name of their default role. Their roles on projects stay.
    - permission: as the API names them: administrator, project_lead, collaborator, …
    - bill_rate, cost_rate: hourly, in units of the account's currency: 120 or 120.50.
    - manager: an id or an e-mail address.
    - billability: percent.
    - reference: ``service:model:ref``, an external reference that they should have.

    A column may also name a custom field, where the sheet is read with `custom_fields`.

    Attributes:
        lines: the lines that could be read.
        problems: the others, each with its number and the reason.
        source: where they came from, for messages.
        notes: remarks on how they were read.
    """

    kind: ClassVar[str] = "people"
    subject_type: ClassVar[SubjectType | None] = "User"
    line: ClassVar[type[PersonLine]] = PersonLine
    columns: ClassVar[Columns] = Columns(
        (
            PERSON,
            attrs.evolve(FULL_NAME, aliases=(*FULL_NAME.aliases, "name")),
            SheetColumn("headline", read_text, ("job_title", "title", "position"), clearable=True),
            SheetColumn(
                "role",
                read_text,
                ("default_role", "account_role", "role_name", "default_role_id", "role_id"),
                clearable=True,
            ),
            SheetColumn("permission", read_permission, ("account_permission", "permissions")),
            BILL_RATE,
            COST_RATE,
            SheetColumn(
                "manager", read_person, ("manager_id", "manager_email", "line_manager", "reports_to"), clearable=True
            ),
            SheetColumn("billability", read_percent, ("billability_target", "utilization_target", "target")),
            SheetColumn("reference", read_reference, ("external_reference", "external_id", "ref")),
        ),
        {**ANY_RATE, "id": ("person", "reference"), "level": ("permission", "role")},
        may_have_fields=True,
    )
