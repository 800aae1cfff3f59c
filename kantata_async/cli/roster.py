"""``kantata-async roster``: the teams as they are, as a roster to edit and apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .awaiting import awaited
from .connecting import connection_options, session_for
from .exit_codes import EXIT_CODES
from .wrong_usage import wrong_usage

if TYPE_CHECKING:
    from ..provision import TeamsFile
    from ..session import KantataSession


@click.command(epilog=EXIT_CODES)
@click.option("--project", "projects", multiple=True, required=True, help="An id, a title, or ref:service:model:ref.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write to this file, which only its owner can read.")
@connection_options
def roster(projects: tuple[str, ...], output: str | None, profile: str | None, base_url: str | None) -> None:
    """Write the teams of projects as a roster.

    It is comma-separated, in UTF-8 with a byte order mark, as spreadsheet programs expect it. Edit it, and
    `kantata-async provision` takes it; as it is, it changes nothing. A name that two have is written as an id.

    In the edited file, an emptied cell leaves its value as it is, and (clear) clears a project_role. A line that is
    gone removes nobody, unless `provision` is given --remove-others.
    """
    from ..provision import write_private  # noqa: PLC0415 - --help needs none of it

    with wrong_usage():
        teams = awaited(_read(session_for(profile, base_url), projects))
        if output is not None:
            write_private(output, teams.text)
    if output is None:
        click.echo(teams.text.encode(), nl=False)
    for note in teams.notes:
        click.echo(note, err=True)


async def _read(session: KantataSession, projects: tuple[str, ...]) -> TeamsFile:
    from ..provision import export_teams  # noqa: PLC0415 - as above

    async with session as kantata:
        return await export_teams(kantata, projects)
