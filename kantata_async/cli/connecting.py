"""How a command reaches Kantata: with which token, and where."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..session import KantataSession

F = TypeVar("F", bound=Callable[..., Any])

CONNECTION: Final = "kantata_async.connection"
"""Where the context of a command keeps its `TokenRoute`."""

_NO_TOKEN: Final = "set KANTATA_TOKEN, or sign in with `kantata-async login`"  # noqa: S105 - a text


class TokenRoute(NamedTuple):
    """Which token goes to which host, for the message of an error.

    Attributes:
        token: where the token comes from.
        host: where the token is sent.
    """

    token: str
    host: str


def profile_option(text: str) -> Callable[[F], F]:
    """The option --profile, with its help."""
    return click.option("--profile", help=text, shell_complete=_profiles)


def _profiles(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - --help needs none of it

    from ..transport import profile_names  # noqa: PLC0415 - as above

    return [CompletionItem(name) for name in profile_names() if name.startswith(begun)]


def connection_options(command: F) -> F:
    """Give a command the options --profile and --base-url."""
    profile = profile_option('The profile to use; by default KANTATA_TOKEN, else KANTATA_PROFILE, else "default".')
    base_url = click.option("--base-url", envvar="KANTATA_BASE_URL", help="Where the API is; Kantata's own by default.")
    return profile(base_url(command))


def session_for(profile: str | None, base_url: str | None) -> KantataSession:
    """A session for a command, with the token of the profile that was named, of KANTATA_TOKEN, or of the profile kept.

    Raises:
        UsageError: there is no such profile, it is for another address, or there is no token at all.
    """
    from ..errors import UsageError  # noqa: PLC0415 - --help needs none of it
    from ..session import KantataSession  # noqa: PLC0415 - as above
    from ..transport import BASE_URL, chosen_profile, load_profile  # noqa: PLC0415 - as above

    if profile is None and os.environ.get("KANTATA_TOKEN"):
        note_connection("KANTATA_TOKEN", base_url or BASE_URL)
        return KantataSession(base_url=base_url or BASE_URL)
    kept = load_profile(chosen_profile(profile))
    if kept is None:
        missing = "no access token" if profile is None else f"there is no profile {profile!r}"
        raise UsageError(f"{missing}: {_NO_TOKEN}")
    if base_url is not None and base_url.rstrip("/") != kept.base_url.rstrip("/"):
        raise UsageError(f"the profile {kept.name!r} is for {kept.base_url}, and its token is sent nowhere else")
    note_connection(f"the token of the profile {kept.name!r}", kept.base_url)
    return KantataSession(token=kept, base_url=kept.base_url)


def connection() -> TokenRoute:
    """The token that the running command uses, and where it goes, as noted."""
    route: TokenRoute = click.get_current_context().meta[CONNECTION]
    return route


def note_connection(token: str, base_url: str) -> None:
    """Note which token goes where, for the message of an error."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - --help needs none of it

    host = urlsplit(base_url).netloc
    click.get_current_context().meta[CONNECTION] = TokenRoute(token, host)
