"""People: the members of the account, each an account membership and a user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ...calls import in_batches, together
from ...model import text_of
from ..comparing import AccountState, Action, Change, Entry, Existing, Shape
from ..finding import Missing, Person, find_people, find_roles, joined, pending_invitations, references_of, why_missing
from ..sheets import RATES, Name, PersonLine, Problem
from ..texts import folded
from ..wanting import Terms, Value, Wanted, gather, in_subunits
from .inviting import invitation_note, invite, is_invitable
from .subject import (
    HUNDREDTHS,
    Creator,
    Wish,
    Write,
    field_writes,
    held_fields,
    in_fields,
    names_of,
    reference_write,
    stated_values,
    values_of,
)

if TYPE_CHECKING:
    from ...api.account_memberships import AccountMembership, AccountMembershipsInclude
    from ...api.users import User
    from ...session import KantataSession

_OF_USER: Final = {"full_name": "full_name", "headline": "headline"}
_OF_MEMBERSHIP: Final = {
    "role": "default_role_id",
    "permission": "permission",
    "bill_rate": "bill_rate_in_cents",
    "cost_rate": "cost_rate_in_cents",
    "manager": "manager_id",
    "billability": "billability_target",
}
_COLUMNS: Final = (*_OF_USER, *_OF_MEMBERSHIP, "reference")
_ROLES_ON_PROJECTS_STAY: Final = {"change_role_option": "keep_existing_role"}
"""Sent with a default role: without it the API gives the person a further role on their projects."""

_INCLUDED: Final[Mapping[str, AccountMembershipsInclude]] = {"role": "default_role", "manager": "manager"}
"""The columns whose ids come only with an include."""

_MANY: Final = 100
"""How many ids one request filters by."""


_CREATORS: Final[Mapping[Action, Creator]] = {"invite": partial(invite, for_account=True)}


class PeopleOfAccount:
    """The people of the account; see `Subject`."""

    kind: str = "people"
    shape: Shape = Shape(settable=_COLUMNS, absent="is not a member of the account")
    rates: frozenset[str] = frozenset(RATES)
    created_with: tuple[str, ...] = ()
    creators: Mapping[Action, Creator] = _CREATORS

    async def want(self, kantata: KantataSession, lines: Sequence[PersonLine], *, invite: bool) -> Wish:
        """See `Subject.want`."""
        named = [line.person for line in lines] + [line.manager for line in lines if line.manager is not None]
        people = await find_people(kantata, named)
        roles = await find_roles(kantata, (line.role for line in lines if line.role), "role")
        wanted, problems = gather(resolve(line, people, roles.by_name, invite=invite) for line in lines)
        return Wish(
            wanted=wanted,
            problems=problems,
            labels={
                "role": roles.names,
                "manager": {one.id: one.name for one in people.values() if isinstance(one, Person)},
            },
        )

    async def read(self, kantata: KantataSession, wanted: Sequence[Wanted]) -> AccountState:
        """See `Subject.read`: one request for each 100 memberships, and each 200 users."""
        invited = [one.subject for one in wanted if one.if_absent == "invite"]
        ids = [one.subject for one in wanted if one.if_absent != "invite"]
        fields = {field for one in wanted for field in (*one.terms.values, *one.terms.includes)}
        users = await kantata.users.get_many(
            ids,
            show_disabled=True,
            on_my_account=True,
            include=["external_references"] if "reference" in fields else [],
        )
        by_id = {user.id: user for user in users}
        memberships = await _memberships(kantata, ids, [_INCLUDED[one] for one in sorted(fields & _INCLUDED.keys())])
        custom = await held_fields(kantata, "User", ids, named=not fields <= set(_COLUMNS))
        held = [_held(one, by_id, custom) for one in memberships]
        return AccountState(
            places={None: [one for one in held if one is not None]},
            invited=await pending_invitations(kantata) if invited else frozenset(),
            joined=await joined(kantata, invited),
            labels={
                "role": names_of(memberships, "default_role", "name"),
                "manager": names_of(memberships, "manager", "full_name"),
            },
        )

    def writes(self, entry: Entry, held: Existing, changes: Sequence[Change]) -> list[Write]:
        """See `Subject.writes`."""
        of_user = tuple(change for change in changes if change.field in _OF_USER)
        of_membership = tuple(change for change in changes if change.field in _OF_MEMBERSHIP)
        writes = []
        if of_user:
            writes.append(Write(entry, "users", {"id": held.subject, **in_fields(of_user, _OF_USER)}, of_user))
        if of_membership:
            row: dict[str, Any] = {"id": held.id, **in_fields(of_membership, _OF_MEMBERSHIP)}
            if "default_role_id" in row:
                row |= _ROLES_ON_PROJECTS_STAY
            writes.append(Write(entry, "account_memberships", row, of_membership))
        return [
            *writes,
            *reference_write(entry, "User", held.subject, changes),
            *field_writes(entry, "User", held.subject, changes, _COLUMNS),
        ]

    def answers(self, resource: str) -> Mapping[str, Sequence[str]]:
        """See `Subject.answers`."""
        return {"include": tuple(_INCLUDED.values())} if resource == "account_memberships" else {}

    def read_held(self, entity: Any) -> Existing | None:
        """See `Subject.read_held`."""
        attributes = _OF_USER if entity.collection == "users" else _OF_MEMBERSHIP
        return Existing(id=entity.id, subject=entity.id, name="", values=values_of(entity, attributes))


def resolve(
    line: PersonLine,
    people: Mapping[Name, Person | Missing],
    roles: Mapping[str, str | Missing],
    *,
    invite: bool = False,
) -> Wanted | Problem:
    """The person as a line wants them, or why that cannot be done."""
    person = people[line.person]
    manager = None if line.manager is None else people[line.manager]
    role = None if line.role is None else roles[line.role]
    inviting = invite and is_invitable(line.person, person)
    if inviting and not line.full_name:
        return Problem(line.number, f"an invitation for {line.person.text} needs their full_name")
    named = {"manager": manager, "role": role} if inviting else {"person": person, "manager": manager, "role": role}
    if missing := why_missing(named.values()):
        return Problem(line.number, "; ".join(missing))
    try:
        terms = _terms(line, manager, role)
    except ValueError as error:
        return Problem(line.number, str(error))
    if isinstance(person, Person):
        return Wanted(subject=person.id, name=person.name, lines=(line.number,), terms=terms, if_absent="block")
    return Wanted(
        subject=folded(line.person.text),
        name=line.full_name or "",
        lines=(line.number,),
        terms=terms,
        if_absent="invite",
        note=invitation_note(person),
    )


def _terms(line: PersonLine, manager: Any, role: Any) -> Terms:
    rates = {name: rate for name in RATES if (rate := getattr(line, name)) is not None}
    given: dict[str, Value] = {
        "full_name": line.full_name,
        "headline": line.headline,
        "role": role,
        "permission": line.permission,
        "manager": manager.id if isinstance(manager, Person) else None,
        "billability": line.billability,
        **{name: in_subunits(rate, HUNDREDTHS, "account") for name, rate in rates.items()},
        **line.custom_fields,
    }
    return Terms(
        values=stated_values(given, line.cleared),
        includes={} if line.reference is None else {"reference": (line.reference,)},
    )


async def _memberships(
    kantata: KantataSession, users: Sequence[str], include: Sequence[AccountMembershipsInclude]
) -> list[AccountMembership]:
    # By creation, which no update changes: pages would shift otherwise.
    queries = (
        kantata.account_memberships.list(
            with_user_ids=list(batch), include=["user", *include], order="created_at:asc"
        ).collect()
        for batch in in_batches(users, _MANY)
    )
    return [one for found in await together(queries) for one in found]


def _held(
    membership: AccountMembership, users: Mapping[str, User], custom: Mapping[str, Mapping[str, str | None]]
) -> Existing | None:
    """Somebody as the answers show them; None for a membership that does not say whose it is."""
    person = text_of(membership, "user_id")
    if not person:
        return None
    user = users.get(person)
    values = {**custom.get(person, {}), **values_of(user, _OF_USER), **values_of(membership, _OF_MEMBERSHIP)}
    references = references_of(user)
    if references is not None:
        values["reference"] = references
    return Existing(id=membership.id, subject=person, name=text_of(user, "full_name") or person, values=values)
