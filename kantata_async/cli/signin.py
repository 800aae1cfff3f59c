"""``kantata-async login``, ``logout``, ``whoami`` and ``profiles``: access tokens, kept and given back."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from .awaiting import awaited
from .connecting import connection, connection_options, note_connection, profile_option, session_for
from .exit_codes import EXIT_CODES, FAILED

if TYPE_CHECKING:
    from ..session import KantataSession
    from ..signin import AccessToken, AuthorizationEndpoints, Profile

_SECONDS_TO_COME_BACK: Final = 300.0
_PORT: Final = 8912

_PROFILE = profile_option('The profile; by default KANTATA_PROFILE, else "default".')


@click.command(epilog=EXIT_CODES)
@_PROFILE
@click.option("--client-id", envvar="KANTATA_CLIENT_ID", help="The application's id, as Kantata gave it.")
@click.option("--with-token", is_flag=True, help="Take an access token from standard input instead of a browser.")
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, help="The port to which the browser returns.")
@click.option("--no-browser", is_flag=True, help="Only print the address; open it in a browser on this machine.")
@click.option("--keyring", is_flag=True, help="Keep the token in the system's keyring instead of a file.")
@click.option("--base-url", envvar="KANTATA_BASE_URL", help="Where the API is; Kantata's own by default.")
def login(
    profile: str | None,
    client_id: str | None,
    with_token: bool,
    port: int,
    no_browser: bool,
    keyring: bool,
    base_url: str | None,
) -> None:
    """Sign in with a browser, and keep the access token for later.

    The application must be registered with the address http://127.0.0.1:8912/callback, or another --port. Its secret,
    if it has one, is taken from the environment variable KANTATA_CLIENT_SECRET. The token is kept in a file that you
    alone can read; a session that is given no token finds it there.
    """
    from ..signin import Profile, chosen_profile, save_profile  # noqa: PLC0415 - --help needs none of it
    from ..transport import BASE_URL, require_keyring  # noqa: PLC0415 - as above

    name, at = chosen_profile(profile), (base_url or BASE_URL).rstrip("/")
    if keyring:
        require_keyring()
    if with_token:
        kept = Profile(name, at, _given_token(), client_id, in_keyring=keyring)
    else:
        if client_id is None:
            raise click.UsageError("signing in needs --client-id, the application's id; or give a token: --with-token")
        given, server = awaited(_signed_in(client_id, port, at, browser=not no_browser))
        kept = Profile(
            name,
            at,
            given.value,
            client_id,
            server.revoke_url,
            refresh_token=given.refresh_token,
            token_url=server.token_url,
            in_keyring=keyring,
        )
    who = awaited(_who(_session_of(kept)))
    where = save_profile(kept)
    click.echo(f"Signed in as {who}.\nThe token is kept in {'the keyring' if keyring else where}.")
    if os.environ.get("KANTATA_TOKEN"):
        click.echo("KANTATA_TOKEN is set, and is used instead: unset it, or name the profile.", err=True)


def _given_token() -> str:
    """The token from standard input; typed at a terminal, it is not shown."""
    if sys.stdin.isatty():
        token: str = click.prompt("Access token", hide_input=True, err=True)
    else:
        token = sys.stdin.readline()
    if not token.strip():
        raise click.UsageError("--with-token reads an access token from standard input, and none came")
    return token.strip()


@click.command(epilog=EXIT_CODES)
@_PROFILE
def logout(profile: str | None) -> int:
    """Revoke the tokens of a profile, and forget it."""
    from ..signin import Application, SignInError, delete_profile, revoke  # noqa: PLC0415 - as above
    from ..transport import SECRET_VARIABLE  # noqa: PLC0415 - as above

    kept = _kept(profile)
    refused = None
    if kept.revoke_url is not None and kept.client_id is not None:
        application = Application(kept.client_id, "http://127.0.0.1/callback", os.environ.get(SECRET_VARIABLE))
        try:
            # Not every server revokes the access token along with its refresh token (RFC 7009, 2.1).
            for token in filter(None, (kept.refresh_token, kept.access_token)):
                awaited(revoke(application, kept.revoke_url, token))
        except SignInError as error:
            refused = error
    delete_profile(kept)
    click.echo(f"Signed out: the profile {kept.name!r} is forgotten.")
    if refused is not None:
        click.echo(f"Its token was not revoked and may still work: {refused}", err=True)
        return FAILED
    return 0


@click.command(epilog=EXIT_CODES)
@connection_options
def whoami(profile: str | None, base_url: str | None) -> None:
    """Show which user the commands act as, and where."""
    session = session_for(profile, base_url)
    who = awaited(_who(session))
    click.echo(f"{who}, at {session.base_url} ({connection().token})")


@click.command(epilog=EXIT_CODES)
def profiles() -> None:
    """List the profiles that are kept."""
    from ..errors import UsageError  # noqa: PLC0415 - as above
    from ..signin import load_profile, profile_names  # noqa: PLC0415 - as above

    for name in profile_names():
        try:
            kept = load_profile(name)
        except UsageError as error:
            click.echo(f"{name}  cannot be used: {error}", err=True)
        else:
            if kept is not None:
                click.echo(f"{name}  {kept.base_url}")


def _kept(profile: str | None) -> Profile:
    from ..errors import UsageError  # noqa: PLC0415 - as above
    from ..signin import chosen_profile, load_profile  # noqa: PLC0415 - as above

    name = chosen_profile(profile)
    kept = load_profile(name)
    if kept is None:
        raise UsageError(f"there is no profile {name!r}: sign in with `kantata-async login`")
    return kept


async def _signed_in(
    client_id: str, port: int, base_url: str, *, browser: bool
) -> tuple[AccessToken, AuthorizationEndpoints]:
    import webbrowser  # noqa: PLC0415 - as above
    from threading import Thread  # noqa: PLC0415 - as above

    from ..signin import KANTATA, Application, discover, exchange, receive_redirect  # noqa: PLC0415 - as above
    from ..transport import BASE_URL, SECRET_VARIABLE  # noqa: PLC0415 - as above

    server = KANTATA if base_url == BASE_URL else await discover(base_url)
    async with receive_redirect(port) as (redirect_uri, redirect):
        application = Application(client_id, redirect_uri, os.environ.get(SECRET_VARIABLE))
        authorization = application.begin(server)
        click.echo(f"Open this address to sign in:\n{authorization.url}")
        if browser:
            # Some browsers are waited for until they are closed, which may be long after the person came back.
            Thread(target=webbrowser.open, args=(authorization.url,), daemon=True).start()
        return await exchange(application, server, authorization, await redirect(_SECONDS_TO_COME_BACK)), server


def _session_of(kept: Profile) -> KantataSession:
    from ..session import KantataSession  # noqa: PLC0415 - --help needs none of it

    note_connection("the token", kept.base_url)
    return KantataSession(token=kept, base_url=kept.base_url)


async def _who(session: KantataSession) -> str:
    """The name and the address of the person to whom a token belongs, as far as the API shows them."""
    from ..printable import printable  # noqa: PLC0415 - --help needs none of it

    async with session as kantata:
        me = await kantata.users.me()
    name, address = getattr(me, "full_name", None), getattr(me, "email_address", None)
    return printable(f"{name or f'user {me.id}'}{f' <{address}>' if address else ''}", " ")
