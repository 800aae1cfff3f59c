"""What the engine of plan and apply has to know about a kind of thing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Container, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import attrs

from ...bulk import Outcome
from ...custom_fields import SubjectType, text_of_value
from ..comparing import AccountState, Action, Change, Entry, Existing, Labels, Shape
from ..sheets import Problem
from ..wanting import Project, Value, Wanted

if TYPE_CHECKING:
    from ...session import KantataSession

ResourceName = Literal[
    "participations", "account_memberships", "users", "workspace_groups", "external_references", "custom_fields"
]

Creator = Callable[["KantataSession", Sequence[Entry]], AsyncGenerator[Outcome[Any], None]]
"""Creates what entries name; the index of an outcome is the position of its entry."""

HUNDREDTHS: Final = 100
"""Subunits of a currency, where none says otherwise."""


@attrs.frozen(kw_only=True)
class Wish:
    """What a sheet wants, for all lines whose names were found."""

    wanted: Sequence[Wanted]
    problems: Sequence[Problem]
    projects: Mapping[str, Project] = attrs.field(factory=dict)
    labels: Labels = attrs.field(factory=dict)


@attrs.frozen
class Write:
    """One write: its entry, its resource, the fields, and the changes that they make."""

    entry: Entry
    resource: ResourceName
    row: Mapping[str, Any]
    changes: tuple[Change, ...]


class Subject(Protocol):
    """What plans are made about: teams, people or groups."""

    kind: str
    shape: Shape
    rates: frozenset[str]
    """The columns that are amounts in subunits of a currency."""
    created_with: tuple[str, ...]
    """The columns that a create sets; other values of something new take an update afterwards."""
    creators: Mapping[Action, Creator]
    """What creates the missing objects, by the action of their entries."""

    async def want(self, kantata: KantataSession, lines: Sequence[Any], *, invite: bool) -> Wish:
        """What lines want, and those that cannot be done.

        Raises:
            KantataError: the API cannot be asked.
        """
        ...

    async def read(self, kantata: KantataSession, wanted: Sequence[Wanted]) -> AccountState:
        """What there is of what is wanted.

        Raises:
            KantataError: the API cannot be asked.
        """
        ...

    def writes(self, entry: Entry, held: Existing, changes: Sequence[Change]) -> list[Write]:
        """The writes that carry changes out."""
        ...

    def answers(self, resource: str) -> Mapping[str, Sequence[str]]:
        """What the answers to updates are to carry, so that what they show can be compared."""
        ...

    def read_held(self, entity: Any) -> Existing | None:
        """What an answer shows of an object; None where it does not say whose it is."""
        ...


def in_fields(changes: Sequence[Change], fields: Mapping[str, str]) -> dict[str, Value]:
    """The changes that are fields of an object, as the API calls them."""
    return {fields[change.field]: change.after for change in changes if change.field in fields}


def reference_fields(reference: Value) -> dict[str, str]:
    """The parts of an external reference, as the API calls them."""
    parts = str(reference).split(":", 2)
    return dict(zip(("service_name", "service_model", "service_model_ref"), parts, strict=True))


def reference_write(entry: Entry, subject_type: str, subject_id: str, changes: Sequence[Change]) -> list[Write]:
    """The write of an external reference, which the API makes or changes; none where it stays as it is."""
    return [
        Write(
            entry,
            "external_references",
            {"subject_type": subject_type, "subject_id": subject_id, **reference_fields(change.after)},
            (change,),
        )
        for change in changes
        if change.field == "reference"
    ]


def field_writes(
    entry: Entry, subject_type: SubjectType, subject_id: str, changes: Sequence[Change], columns: Container[str]
) -> list[Write]:
    """The writes of custom fields: of all changes that are none of a sheet's own columns."""
    return [
        Write(
            entry,
            "custom_fields",
            {"subject_type": subject_type, "subject_id": subject_id, "name": change.field, "text": change.after},
            (change,),
        )
        for change in changes
        if change.field not in columns
    ]


async def held_fields(
    kantata: KantataSession, subject_type: SubjectType, ids: Sequence[str], named: bool
) -> dict[str, dict[str, str | None]]:
    """The custom fields of objects as text, by their ids and the names of the fields; none where no line names one."""
    if not named or not ids:
        return {}
    values = await kantata.custom_fields.of(subject_type, ids)
    return {id: {name: text_of_value(value) for name, value in held.items()} for id, held in values.items()}


def stated_values(given: Mapping[str, Value], cleared: Iterable[str]) -> dict[str, Value]:
    """The values that a line states: those that it gives, and None for those that it clears."""
    return {**{name: value for name, value in given.items() if value is not None}, **dict.fromkeys(sorted(cleared))}


def names_of(entities: Iterable[Any], association: str, attribute: str) -> dict[str, str]:
    """What the objects are called that entities are linked to, by their ids."""
    linked = (getattr(one, association, None) for one in entities)
    return {one.id: getattr(one, attribute, None) or one.id for one in linked if one is not None}


def values_of(entity: object, attributes: Mapping[str, str]) -> dict[str, Any]:
    """What an entity shows, by columns; what is withheld from the token's user, or no single value, is left out."""
    values = {column: getattr(entity, name) for column, name in attributes.items() if hasattr(entity, name)}
    return {column: value for column, value in values.items() if isinstance(value, Hashable)}
