"""``kantata-async call``: any request, and its answer as JSON."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from .awaiting import awaited
from .connecting import connection_options, session_for
from .exit_codes import EXIT_CODES

if TYPE_CHECKING:
    from ..session import KantataSession


@click.command(epilog=EXIT_CODES)
@click.argument("method", type=click.Choice(["GET", "POST", "PUT", "DELETE"], case_sensitive=False))
@click.argument("path")
@click.argument("query", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--data", help="The body, as JSON; - reads it from standard input.")
@connection_options
def call(
    method: str, path: str, query: tuple[str, ...], data: str | None, profile: str | None, base_url: str | None
) -> None:
    """Send any request, and write its answer as JSON: `kantata-async call GET /users/me`."""
    import msgspec  # noqa: PLC0415 - --help needs none of it

    from .assignments import read_json  # noqa: PLC0415 - as above
    from .printable import printable_json  # noqa: PLC0415 - as above

    wrong = [one for one in query if "=" not in one]
    if wrong:
        raise click.UsageError(f"{wrong[0]!r} is not NAME=VALUE")
    params = dict(one.split("=", 1) for one in query)
    body = {} if data is None else {"json": read_json("--data", sys.stdin.buffer.read() if data == "-" else data)}
    answer = awaited(_called(session_for(profile, base_url), method.upper(), path, params, body))
    click.echo(msgspec.json.format(printable_json(answer)))


async def _called(
    session: KantataSession, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any]
) -> Any:
    async with session as kantata:
        return await kantata.request(method, path, params=params, **body)
