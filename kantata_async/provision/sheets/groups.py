"""Groups: which groups of projects, such as companies, there should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ...custom_fields import SubjectType
from .cells import Name, read_boolean, read_email, read_group, read_projects, read_reference, read_text
from .columns import Columns, SheetColumn
from .sheet import Sheet


@attrs.frozen(kw_only=True)
class GroupLine:
    """One line of `Groups`. What is None is left as it is.

    Attributes:
        number: its number in the file, from 1, the header included; for objects their position, from 1.
        group: which group; one that is named and not there is made.
        name: its new name, where it should have another one.
        company: whether it is a company.
        contact_name: the person to ask for.
        email: the address to write to.
        phone_number: the number to call.
        address: where it is.
        website: its web address.
        notes: remarks on it.
        reference: an external reference that it should have, ``service:model:ref``.
        projects: projects that should be in it.
        projects_out: projects that should not be in it.
        custom_fields: the values of custom fields by their names, as text.
        cleared: the columns whose values should go, custom fields too, by their names.
    """

    number: int
    group: Name
    name: str | None = None
    company: bool | None = None
    contact_name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    address: str | None = None
    website: str | None = None
    notes: str | None = None
    reference: str | None = None
    projects: tuple[Name, ...] = ()
    projects_out: tuple[Name, ...] = ()
    custom_fields: Mapping[str, str] = attrs.field(factory=dict)
    cleared: frozenset[str] = frozenset()


@attrs.frozen
class Groups(Sheet[GroupLine]):
    """Which groups of projects there should be, and how.

    Every line needs the column group; what is empty is left as it is, and ``(clear)`` clears a text other than the
    name, or a custom field.

    - group: a name, an id, or ``ref:service:model:ref``. A group that is not there is made, by its name.
    - name: another name for a group that is there; in a sheet without the column group, that column.
    - company: yes or no.
    - contact_name, email, phone_number, address, website, notes: texts.
    - reference: ``service:model:ref``, an external reference that it should have.
    - projects, projects_out: projects that should be in it, and those that should not, separated by semicolons.

    A column may also name a custom field, where the sheet is read with `custom_fields`.

    Attributes:
        lines: the lines that could be read.
        problems: the others, each with its number and the reason.
        source: where they came from, for messages.
        notes: remarks on how they were read.
    """

    kind: ClassVar[str] = "groups"
    subject_type: ClassVar[SubjectType | None] = "WorkspaceGroup"
    line: ClassVar[type[GroupLine]] = GroupLine
    columns: ClassVar[Columns] = Columns(
        (
            SheetColumn(
                "group", read_group, ("group_name", "group_id", "workspace_group", "client", "client_name"), True
            ),
            SheetColumn("name", read_text, ("new_name", "rename_to")),
            SheetColumn("company", read_boolean, ("is_company",)),
            SheetColumn("contact_name", read_text, ("contact", "contact_person"), clearable=True),
            SheetColumn("email", read_email, ("email_address", "contact_email"), clearable=True),
            SheetColumn("phone_number", read_text, ("phone", "telephone", "contact_phone"), clearable=True),
            SheetColumn("address", read_text, ("postal_address",), clearable=True),
            SheetColumn("website", read_text, ("web_site", "url", "homepage"), clearable=True),
            SheetColumn("notes", read_text, ("note", "remarks"), clearable=True),
            SheetColumn("reference", read_reference, ("external_reference", "external_id", "ref")),
            SheetColumn("projects", read_projects, ("projects_in", "add_projects", "workspaces", "project")),
            SheetColumn("projects_out", read_projects, ("remove_projects", "without_projects", "workspaces_out")),
        ),
        {"title": ("group", "name"), "id": ("group", "reference")},
        {"group": "name"},
        may_have_fields=True,
    )
