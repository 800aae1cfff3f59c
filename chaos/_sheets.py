"""What the provisioning scenario writes, and how it reads back what came of it: teams, people and groups.

Nothing here knows how provisioning reads or writes: rows go into a file, and come back by the session's plain calls.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Final, Protocol

from kantata_async import KantataSession
from kantata_async.custom_fields import SubjectType

Row = tuple[str, ...]

STAFFED: Final = ("1", "5", "9")
EMPTY: Final = ("2", "3", "4")
TEAM: Final = 25
PEOPLE: Final = 40
NEW_GROUPS: Final = 20
OLD_GROUPS: Final = ("1", "2", "3")
PROJECTS: Final = tuple(str(number) for number in range(1, 9))
FIELDS_OF_PEOPLE: Final = ("T-shirt size", "Languages", "Hired on", "Training budget")
FIELDS_OF_GROUPS: Final = ("Industry", "Annual revenue", "Account manager")
CLEAR: Final = "(clear)"
"""The cell of a value that is to go, and of one that is not there."""


class Sheet(Protocol):
    """One kind of sheet."""

    columns: Row
    options: Sequence[str]
    """What the command takes for it."""

    async def rows(self, chance: random.Random, people: Sequence[str], kantata: KantataSession) -> list[Row]:
        """The lines of a sheet, drawn by chance."""
        ...

    async def read(self, rows: Sequence[Row], kantata: KantataSession) -> Counter[Row]:
        """What is there, as lines of the sheet; what is there twice comes twice."""
        ...


class Teams:
    """Who is on six projects, and nobody else."""

    columns = ("project", "person", "team_lead", "bill_rate")
    options = ("--remove-others",)

    async def rows(self, chance: random.Random, people: Sequence[str], kantata: KantataSession) -> list[Row]:
        """See `Sheet.rows`."""
        return [
            (project, person, "yes" if number == 0 else "no", chance.choice(("90", "120.5", "150")))
            for project in (*STAFFED, *EMPTY)
            for number, person in enumerate(self._team(chance, people))
        ]

    def _team(self, chance: random.Random, people: Sequence[str]) -> list[str]:
        """The token's own user, who would not be removed, and others."""
        return ["1", *chance.sample([person for person in people if person != "1"], TEAM - 1)]

    async def read(self, rows: Sequence[Row], kantata: KantataSession) -> Counter[Row]:
        """See `Sheet.read`."""
        found = [
            (project, str(one.user_id), "yes" if one.is_team_lead else "no", _amount(one.rate_in_cents))
            for project in (*STAFFED, *EMPTY)
            for one in await kantata.participations.list(workspace_id=project, include=["user"])
        ]
        return Counter(found)


class People:
    """How some people of the account are."""

    columns = ("person", "headline", "bill_rate", "billability", "manager", "reference", *FIELDS_OF_PEOPLE)
    options = ("--custom-fields",)

    async def rows(self, chance: random.Random, people: Sequence[str], kantata: KantataSession) -> list[Row]:
        """See `Sheet.rows`."""
        return [
            (
                person,
                f"No. {chance.randrange(1000)}",
                chance.choice(("90", "120.5", "150")),
                str(chance.randrange(50, 100)),
                chance.choice([one for one in people[:20] if one != person]),
                f"hr:Employee:{person}-{chance.randrange(1000)}",
                chance.choice(("S", "M", "L", CLEAR)),
                "; ".join(sorted(chance.sample(("English", "French", "German", "Spanish"), chance.randrange(1, 4)))),
                (date(2020, 1, 1) + timedelta(days=chance.randrange(2000))).isoformat(),
                chance.choice((_drawn_money(chance), CLEAR)),
            )
            for person in chance.sample(list(people), PEOPLE)
        ]

    async def read(self, rows: Sequence[Row], kantata: KantataSession) -> Counter[Row]:
        """See `Sheet.read`."""
        ids = [row[0] for row in rows]
        users = await kantata.users.get_many(ids, include=["external_references"])
        memberships = await kantata.account_memberships.list(with_user_ids=ids, include=["user", "manager"])
        users_by_id: dict[str, Any] = {one.id: one for one in users}
        fields = await _read_fields(kantata, "User", ids)
        found = [
            (
                one.user_id,
                users_by_id[one.user_id].headline,
                _amount(one.bill_rate_in_cents),
                str(one.billability_target),
                str(one.manager_id),
                _references(users_by_id[one.user_id].external_references),
                *(fields[one.user_id, name] for name in FIELDS_OF_PEOPLE),
            )
            for one in memberships
        ]
        return Counter(found)


class Groups:
    """Which groups there are, and which projects are in them."""

    columns = ("group", "notes", "company", "projects", "projects_out", "reference", *FIELDS_OF_GROUPS)
    options = ("--custom-fields",)

    async def rows(self, chance: random.Random, people: Sequence[str], kantata: KantataSession) -> list[Row]:
        """See `Sheet.rows`: new groups and old ones, whose projects change."""
        old = [one.name for one in await kantata.workspace_groups.get_many(OLD_GROUPS)]
        names = [*old, *(f"Group {number}" for number in range(NEW_GROUPS))]
        return [self._row(chance, name) for name in names]

    def _row(self, chance: random.Random, name: str) -> Row:
        projects = sorted(chance.sample(PROJECTS, chance.randrange(1, 4)))
        others = [project for project in PROJECTS if project not in projects]
        note = f"No. {chance.randrange(1000)}"
        reference = f"crm:Account:{name}-{chance.randrange(1000)}"
        company, industry = chance.choice(("yes", "no")), chance.choice(("Energy", "Health", CLEAR))
        fields = (industry, _drawn_money(chance), f"Manager {chance.randrange(1000)}")
        return name, note, company, "; ".join(projects), "; ".join(others), reference, *fields

    async def read(self, rows: Sequence[Row], kantata: KantataSession) -> Counter[Row]:
        """See `Sheet.read`."""
        names = {row[0] for row in rows}
        groups = await kantata.workspace_groups.list(include=["workspaces", "external_references"])
        ours = [one for one in groups if one.name in names]
        fields = await _read_fields(kantata, "WorkspaceGroup", [one.id for one in ours])
        return Counter((*self._found(one), *(fields[one.id, name] for name in FIELDS_OF_GROUPS)) for one in ours)

    def _found(self, group: Any) -> Row:
        inside = [project for project in PROJECTS if project in group.workspace_ids]
        outside = [project for project in PROJECTS if project not in group.workspace_ids]
        company = "yes" if group.company else "no"
        references = _references(group.external_references)
        return group.name, group.notes, company, "; ".join(inside), "; ".join(outside), references


SHEETS: Final[dict[str, Sheet]] = {"teams": Teams(), "people": People(), "groups": Groups()}


def _amount(cents: int | None) -> str:
    return f"{(cents or 0) / 100:g}"


def _drawn_money(chance: random.Random) -> str:
    return f"{chance.randrange(100, 100_000)}.{chance.randrange(100):02} {chance.choice(('EUR', 'USD'))}"


async def _read_fields(kantata: KantataSession, subject_type: SubjectType, ids: Sequence[str]) -> defaultdict[Any, str]:
    """The cells of custom fields by object and name; a value that is there twice makes another cell."""
    values: Any = kantata.custom_field_values.list(
        subject_type=subject_type, with_subject_id=list(ids), include=["custom_field", "selected_choices"]
    )
    texts: defaultdict[Any, list[str]] = defaultdict(list)
    async for one in values:
        texts[one.subject_id, one.custom_field.name].append(_field_text(one))
    return defaultdict(lambda: CLEAR, {place: " and ".join(found) for place, found in texts.items()})


def _field_text(value: Any) -> str:
    match value.custom_field.value_type:
        case "currency":
            cents, currency = value.value
            return f"{int(cents) // 100}.{int(cents) % 100:02} {currency}"
        case "single" | "multi":
            return "; ".join(sorted(one.label for one in value.selected_choices))
        case _:
            return str(value.value)


def _references(references: Iterable[Any]) -> str:
    """The references of an object that chaos gives: one that is there twice makes another row."""
    named = sorted(f"{one.service_name}:{one.service_model}:{one.service_model_ref}" for one in references)
    return " ".join(one for one in named if one.startswith(("hr:", "crm:")))
