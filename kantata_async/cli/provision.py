"""``kantata-async provision``: teams as a roster says, planned first and applied when told so."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from ..errors import KantataError, UsageError
from ..session import KantataSession
from ..transport import BASE_URL
from .exit_codes import EXIT_CODES, FAILED

if TYPE_CHECKING:
    from rich.console import Console

    from ..provision import Applied, Plan, Progress, Report

_FILE: Final = click.Path(dir_okay=False)


@click.command(epilog=EXIT_CODES)
@click.argument("roster", required=False, type=_FILE)
@click.option("--apply", "applying", is_flag=True, help="Do what the plan says; without it, it is only shown.")
@click.option("--remove-others", is_flag=True, help="Also remove whoever is on these projects and not in the roster.")
@click.option(
    "--plan", "plan_file", type=_FILE, help="Save the plan of ROSTER to this file; without ROSTER, take it from there."
)
@click.option("--replan", is_flag=True, help="Apply a plan although the teams changed since it was made.")
@click.option("--yes", is_flag=True, help="Do not ask before applying; needed for removals where nobody can be asked.")
@click.option(
    "--base-url", envvar="KANTATA_BASE_URL", default=BASE_URL, help="Where the API is: https, or http on this machine."
)
def provision(
    roster: str | None,
    applying: bool,
    remove_others: bool,
    plan_file: str | None,
    replan: bool,
    yes: bool,
    base_url: str,
) -> int:
    """Put people on projects as ROSTER says.

    ROSTER is a .csv file with a header, or a .jsonl file with an object a line. Each line needs a project (an id, a
    title, or ref:service:model:ref) and a person (an id or an e-mail address), and may have a role, access_level,
    permissions, team_lead, bill_rate, cost_rate and project_role; what is empty is left as it is. Lines that cannot be
    done are listed with their numbers, and the others go.

    The token is taken from the environment variable KANTATA_TOKEN. An apply that was interrupted can be started again:
    only the rest happens.
    """
    if roster is None and plan_file is None:
        raise click.UsageError("give a ROSTER, or a plan that was saved with --plan")
    if roster is None and remove_others:
        raise click.UsageError("--remove-others is settled when a plan is made; give the ROSTER to make another")
    from . import terminal  # noqa: PLC0415 - --help needs no terminal

    console = terminal.console()
    try:
        planned = _saved(plan_file) if roster is None else asyncio.run(_planned(roster, base_url, remove_others))
        if roster is not None and plan_file is not None:
            planned.save(plan_file)
        click.echo(str(planned))
        if not applying:
            return 0 if planned.ok else FAILED
        if planned.to_do and not (yes or _agreed(planned)):
            click.echo("Nothing was written.")
            return FAILED
        report = _apply(planned, base_url, console, replan=replan)
    except UsageError as error:
        raise click.UsageError(str(error)) from error
    click.echo(str(report))
    return 0 if report.ok else FAILED


def _saved(plan_file: str | None) -> Plan:
    from ..provision import Plan  # noqa: PLC0415 - --help needs none of it

    return Plan.load(str(plan_file))


async def _planned(path: str, base_url: str, remove_others: bool) -> Plan:
    from ..provision import Roster, plan  # noqa: PLC0415 - as above

    roster = Roster.read(path)
    async with KantataSession(base_url=base_url) as kantata:
        return await plan(kantata, roster, remove_others=remove_others)


def _agreed(planned: Plan) -> bool:
    """Whether whoever sits there agrees. Where nobody does, ``--apply`` says enough, but for what cannot be undone."""
    if sys.stdin.isatty():
        return click.confirm("Apply?")
    if planned.of("remove"):
        raise click.UsageError("removals cannot be undone: where nobody can be asked, they need --yes")
    return True


def _apply(planned: Plan, base_url: str, console: Console, *, replan: bool) -> Report:
    with _watching(planned.to_do, console) as progress:
        return asyncio.run(_applied(planned, base_url, replan, progress))


@contextmanager
def _watching(to_do: int, console: Console) -> Iterator[Progress]:
    """Show how far it is: a bar on a terminal, elsewhere a line for each person."""
    from ..provision import show_applied  # noqa: PLC0415 - as above
    from . import terminal  # noqa: PLC0415 - as above

    with terminal.bars(console) as bars:
        task = bars.add_task("Applying", total=to_do)

        def tell(one: Applied) -> None:
            if not one.done or one.status == "kept":
                return
            bars.advance(task)
            if not console.is_interactive:
                click.echo(show_applied(one))

        try:
            yield tell
        except (KeyboardInterrupt, KantataError):
            click.echo(
                f"{bars.tasks[task].completed:,.0f} of {to_do:,} done. Start it again, and only the rest happens."
            )
            raise


async def _applied(planned: Plan, base_url: str, replan: bool, progress: Progress) -> Report:
    async with KantataSession(base_url=base_url) as kantata:
        return await planned.apply(kantata, replan=replan, progress=progress)
