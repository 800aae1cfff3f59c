"""The people that lines name.

One request for 200 ids, one for 100 e-mail addresses, and as much again for those who are not found that way; the list
of the account, once, when an address is nobody's: to offer similar ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from ...calls import OMITTED, in_batches, together
from ...model import text_of, value_of
from ..sheets import Name
from ..texts import Spellings, folded
from .missing import MOST_HINTED, Missing, by_name, texts_of

if TYPE_CHECKING:
    from ...api.users import User
    from ...calls import ListQuery
    from ...session import KantataSession

_MANY: Final = 100
"""E-mail addresses in one request: 200 would be taken, but make the URL longer than servers like."""

_NOT_SEEN: Final = "or the token's user may not see them"


@attrs.frozen
class Person:
    """Somebody whom a line names."""

    id: str
    name: str


async def find_people(kantata: KantataSession, names: Iterable[Name]) -> dict[Name, Person | Missing]:
    """Whom each name means.

    Raises:
        KantataError: the API cannot be asked.
    """
    asked = list(dict.fromkeys(names))
    found = {
        "id": await _by_id(kantata, texts_of(asked, "id")),
        "email": await _by_address(kantata, texts_of(asked, "email")),
    }
    return by_name(asked, found)


async def joined(kantata: KantataSession, addresses: Iterable[str]) -> frozenset[str]:
    """The addresses that belong to people in the account."""
    asked = list(addresses)
    if not asked:
        return frozenset()
    found = await _addressed(kantata, asked, on_my_account=True)
    return frozenset(address for address in asked if folded(address) in found.by_address)


async def _by_id(kantata: KantataSession, ids: Sequence[str]) -> dict[str, Person | Missing]:
    found = await kantata.users.get_many(ids, show_disabled=True, include=["account_membership"])
    # Without a filter the list may be of those who share a project with the caller; the account has more.
    more = await kantata.users.get_many(
        found.missing, show_disabled=True, on_my_account=True, include=["account_membership"]
    )
    held = {one.id: [one] for one in (*found, *more)}
    return {id: _one(held.get(id, []), Missing(f"nobody has the id {id}, {_NOT_SEEN}", absent=True)) for id in ids}


async def _by_address(kantata: KantataSession, addresses: Sequence[str]) -> dict[str, Person | Missing]:
    first = await _addressed(kantata, addresses, on_my_account=False)
    missing = [address for address in addresses if folded(address) not in first.by_address]
    more = await _addressed(kantata, missing, on_my_account=True)
    held = {**first.by_address, **more.by_address}
    nobody = [address for address in missing if folded(address) not in held]
    near = await _near_addresses(kantata, nobody[:MOST_HINTED]) if nobody else {}
    withheld = first.withheld or more.withheld
    return {
        address: _one(held.get(folded(address), []), _nobody(address, near.get(address, ()), withheld))
        for address in addresses
    }


def _nobody(address: str, near: Sequence[str], withheld: bool) -> Missing:
    if withheld:
        return Missing(f"e-mail addresses are not shown to the token's user, so {address} cannot be found; give an id")
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    return Missing(f"nobody has the e-mail address {address}, {_NOT_SEEN}{meant}", absent=True, near=tuple(near))


async def _near_addresses(kantata: KantataSession, addresses: Sequence[str]) -> dict[str, Sequence[str]]:
    """The addresses in the account that are similar to unknown ones."""
    everybody = await kantata.users.list(on_my_account=True)
    spellings = Spellings(address for one in everybody if (address := text_of(one, "email_address")))
    return {address: spellings.near(address) for address in addresses}


@attrs.frozen
class _Addressed:
    """The users with some addresses, and whether any came without one."""

    by_address: Mapping[str, Sequence[User]]
    withheld: bool


async def _addressed(kantata: KantataSession, addresses: Sequence[str], *, on_my_account: bool) -> _Addressed:
    """The users with these addresses. Whether case matters to the filter is not documented: both are asked for."""
    asked = list(dict.fromkeys(case for address in addresses for case in (address, address.lower())))
    queries = (_listed(kantata, batch, on_my_account).collect() for batch in in_batches(asked, _MANY))
    held: dict[str, list[User]] = defaultdict(list)
    withheld = False
    for found in await together(queries):
        for one in found:
            withheld = withheld or not isinstance(value_of(one, "email_address"), str)
            held[folded(text_of(one, "email_address"))].append(one)
    return _Addressed(held, withheld)


def _listed(kantata: KantataSession, addresses: Sequence[str], on_my_account: bool) -> ListQuery[User]:
    return kantata.users.list(
        by_email_addresses=addresses,
        show_disabled=True,
        on_my_account=on_my_account or OMITTED,
        include=["account_membership"],
    )


def _one(found: Sequence[User], nobody: Missing) -> Person | Missing:
    active = [one for one in found if not _disabled(one)]
    if len(active) == 1:
        return Person(active[0].id, text_of(active[0], "full_name") or active[0].id)
    if active:
        return Missing(f"{', '.join(sorted(one.id for one in active))} have the same e-mail address; give an id")
    if found:
        name = text_of(found[0], "full_name") or found[0].id
        return Missing(f"{name} is disabled", disabled=(found[0].id, name) if len(found) == 1 else None)
    return nobody


def _disabled(user: User) -> bool:
    """Whether the account has disabled somebody; people of other accounts have no membership that would show it."""
    return value_of(value_of(user, "account_membership"), "disabled_at") is not None
