"""The pending invitations to the account: one request for each 200."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model import text_of
from ..texts import folded

if TYPE_CHECKING:
    from ...session import KantataSession


async def pending_invitations(kantata: KantataSession) -> frozenset[str]:
    """The addresses of pending invitations, as `folded` gives them."""
    found = await kantata.account_invitations.list(only_pending=True, order="created_at:asc")
    return frozenset(folded(text_of(one, "email_address")) for one in found)
