"""Invitations of people who are not in the account yet.

The API sends an e-mail for each, may bill a seat, and limits their rate separately, which the session allows for.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

import attrs

from ...bulk import Outcome
from ..comparing import Entry
from ..finding import Missing
from ..sheets import Name
from .subject import in_fields, reference_fields

if TYPE_CHECKING:
    from ...api.account_invitations import AccountInvitationsRow
    from ...session import KantataSession

FIELDS = {
    "headline": "headline",
    "role": "default_role_id",
    "permission": "permission",
    "bill_rate": "bill_rate_in_cents",
    "cost_rate": "cost_rate_in_cents",
    "billability": "billability_target",
}
"""The columns of people that an invitation carries, and what the API calls them."""


def is_invitable(name: Name, found: object) -> bool:
    """Whether a name is the address of somebody who is not in the account."""
    return name.kind == "email" and isinstance(found, Missing) and found.absent


def invitation_note(missing: object) -> str | None:
    """The remark on an invitation to an address that is similar to another."""
    near = missing.near if isinstance(missing, Missing) else ()
    return f"{' and '.join(near)} is in the account" if near else None


async def invite(
    kantata: KantataSession, entries: Sequence[Entry], *, for_account: bool
) -> AsyncGenerator[Outcome[Any], None]:
    """The outcomes of inviting the people of entries, one an entry, by its position; each address is invited once.

    With `for_account` the changes of an entry are about somebody in the account, and the invitation carries them.
    """
    positions: dict[str, list[int]] = {}
    for position, entry in enumerate(entries):
        positions.setdefault(entry.subject, []).append(position)
    firsts = [entries[found[0]] for found in positions.values()]
    rows = [cast("AccountInvitationsRow", invitation_row(entry, for_account=for_account)) for entry in firsts]
    async with aclosing(kantata.account_invitations.create_stream(rows, if_exists="skip")) as outcomes:
        async for outcome in outcomes:
            for position in positions[firsts[outcome.index].subject]:
                yield attrs.evolve(outcome, index=position)


def invitation_row(entry: Entry, *, for_account: bool) -> Mapping[str, Any]:
    """The invitation of somebody, as the API takes it."""
    row: dict[str, Any] = {"email_address": entry.subject, "full_name": entry.name}
    if for_account:
        row |= in_fields(entry.changes, FIELDS)
        for change in entry.changes:
            if change.field == "reference":
                row["external_reference"] = reference_fields(change.after)
    return row
