"""The pending invitations to the account: one request for each 200."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..texts import folded
from .missing import shown

if TYPE_CHECKING:
    from ...session import KantataSession


async def pending_invitations(kantata: KantataSession) -> frozenset[str]:
    """The addresses of pending invitations, as `folded` gives them."""
    found = await kantata.account_invitations.list(only_pending=True, order="created_at:asc")
    return frozenset(folded(shown(one, "email_address", "")) for one in found)
