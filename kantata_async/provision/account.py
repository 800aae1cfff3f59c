"""The account that a plan was made for: on another account, an id means another object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from ..model import text_of

if TYPE_CHECKING:
    from ..session import KantataSession


@attrs.frozen(kw_only=True)
class Account:
    """An account of Kantata, as far as the API shows it.

    Attributes:
        base_url: where the API is.
        user: the id of the user to whom the token belongs.
        user_name: what they are called.
        id: the id of the account; None where the answer does not carry it (the reference does not promise it).
    """

    base_url: str
    user: str
    user_name: str = ""
    id: str | None = None

    def __str__(self) -> str:
        account = f" of account {self.id}" if self.id else ""
        return f"{self.user_name or self.user}{account} at {self.base_url}"


async def read_account(kantata: KantataSession) -> Account:
    """The account of a session: one request.

    Raises:
        KantataError: the API cannot be asked.
    """
    me = await kantata.users.me()
    id = getattr(me, "account_id", None) or me.extra.get("account_id")
    return Account(
        base_url=kantata.base_url, user=me.id, user_name=text_of(me, "full_name"), id=None if id is None else str(id)
    )


async def is_same(kantata: KantataSession, planned: Account, now: Account) -> bool:
    """Whether a plan was made for the account of a session.

    Where no answer carries the id of the account, the user that planned has to be in it.

    Raises:
        KantataError: the API cannot be asked.
    """
    if planned.base_url.rstrip("/") != now.base_url.rstrip("/"):
        return False
    if planned.user == now.user:
        return True
    if planned.id is not None and now.id is not None:
        return planned.id == now.id
    return bool(await kantata.users.list(only=[planned.user], on_my_account=True, show_disabled=True))
