"""``kantata-async provision``: teams, people and groups as a sheet says, planned first and applied on demand."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from .awaiting import Terminated, awaited
from .connecting import connection_options, session_for
from .exit_codes import EXIT_CODES, FAILED, TO_DO
from .wrong_usage import wrong_usage

if TYPE_CHECKING:
    from rich.console import Console

    from ..custom_fields import DefinedFields
    from ..provision import AnySheet, Applied, Plan, Progress, Report, Tally, Watch
    from ..session import KantataSession

_FILE: Final = click.Path(dir_okay=False, allow_dash=True)


class _ProvisionOptions(NamedTuple):
    """The options of the command."""

    sheet_file: str | None
    applying: bool
    remove_others: bool
    invite: bool
    plan_file: str | None
    replan: bool
    yes: bool
    check: bool
    as_json: bool
    kind: str | None
    sheet: str | None
    ignore_columns: tuple[str, ...]
    custom_fields: bool
    profile: str | None
    base_url: str | None

    def refuse_contradictions(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            click.UsageError: some do.
        """
        if self.sheet_file is None and self.plan_file is None:
            raise click.UsageError("give a FILE, or a plan saved with --plan")
        if self.sheet_file is None and (self.remove_others or self.invite):
            name = "--remove-others" if self.remove_others else "--invite"
            raise click.UsageError(f"{name} is fixed in a saved plan; give the FILE to make a new one")
        if self.check and self.applying:
            raise click.UsageError("--check only looks and --apply writes: give one of them")
        if self.applying and not self.yes and (self.sheet_file == "-" or not sys.stdin.isatty()):
            raise click.UsageError("nobody can answer here whether to apply the plan: --apply needs --yes")

    @property
    def ignored(self) -> list[str]:
        """The columns to leave out."""
        return [name.strip() for names in self.ignore_columns for name in names.split(",") if name.strip()]


@click.command(epilog=EXIT_CODES)
@click.argument("sheet_file", metavar="[FILE]", required=False, type=_FILE)
@click.option("--apply", "applying", is_flag=True, help="Do what the plan says; without it, it is only shown.")
@click.option("--check", is_flag=True, help="Exit with 3 when there is something to do.")
@click.option("--remove-others", is_flag=True, help="Also remove whoever is on these projects and not in the roster.")
@click.option("--invite", is_flag=True, help="Also invite people who are not in the account, by their full_name.")
@click.option(
    "--plan", "plan_file", type=_FILE, help="Save the plan of FILE to this file; without FILE, take it from there."
)
@click.option("--replan", is_flag=True, help="Apply a plan although what is there changed since it was made.")
@click.option("--yes", is_flag=True, help="Do not ask before applying; needed where nobody can answer.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan, or what became of it, as JSON.")
@click.option(
    "--kind", type=click.Choice(["roster", "people", "groups"]), help="What FILE is; without it, its columns decide."
)
@click.option("--sheet", help="Which sheet of a workbook; without it, the first that is not empty.")
@click.option("--ignore-columns", multiple=True, metavar="NAMES", help="Columns to leave out, separated by commas.")
@click.option(
    "--custom-fields", is_flag=True, help="Columns of people and groups may be custom fields, by their names."
)
@connection_options
def provision(**given: Any) -> int:
    """Make teams, people or groups as FILE says.

    FILE is a .csv file (also with semicolons or tabs), an .xlsx workbook, or a .jsonl file with an object a line;
    - is standard input. The first line names the columns.

    A roster needs in each line a project (an id, a title, or ref:service:model:ref) and a person (an id or an e-mail
    address), and may have a full_name (for invitations), role, access_level, permissions, team_lead, bill_rate,
    cost_rate and project_role.

    People need a person, and may have a full_name, headline, role, permission, bill_rate, cost_rate, manager,
    billability and reference. Groups need a group (a name or an id), and may have a name, company, contact_name,
    email, phone_number, address, website, notes, reference, projects and projects_out. With --custom-fields, other
    columns of these two are custom fields by their names.

    What is empty is left as it is, and a cell that says (clear) clears its value: a project_role, headline, role,
    manager, a text of a group, or a custom field. Lines that cannot be done are listed with their numbers, and the
    others are done.

    The token is that of --profile, of the environment variable KANTATA_TOKEN, or of `kantata-async login`. An apply
    that was interrupted can be started again: it does only what is still to do.
    """
    options = _ProvisionOptions(**given)
    options.refuse_contradictions()
    with wrong_usage():
        return _provision(options)


def _provision(options: _ProvisionOptions) -> int:
    planned = _saved(str(options.plan_file)) if options.sheet_file is None else _planned(options)
    if options.sheet_file is not None and options.plan_file is not None:
        planned.save(options.plan_file)
    if not options.as_json:
        click.echo(str(planned))
    elif not options.applying:
        click.echo(planned.to_json(), nl=False)
    if not options.applying:
        return FAILED if not planned.ok else TO_DO if options.check and planned.to_do else 0
    if planned.to_do and not options.yes and not click.confirm("Apply?"):
        click.echo("Nothing was written.")
        return FAILED
    report = _apply(planned, options)
    click.echo(report.to_json() if options.as_json else str(report), nl=not options.as_json)
    return 0 if report.ok else FAILED


def _saved(plan_file: str) -> Plan:
    from ..provision import Plan  # noqa: PLC0415 - --help needs none of it

    return Plan.load(plan_file)


def _planned(options: _ProvisionOptions) -> Plan:
    if options.custom_fields:
        return awaited(_read_with_fields(session_for(options.profile, options.base_url), options))
    sheet = _sheet(options)
    return awaited(_read(session_for(options.profile, options.base_url), sheet, options))


def _sheet(options: _ProvisionOptions, custom_fields: Mapping[str, DefinedFields] | None = None) -> AnySheet:
    from ..provision import read_sheet  # noqa: PLC0415 - as above

    return read_sheet(
        str(options.sheet_file),
        kind=options.kind,
        ignore_columns=options.ignored,
        sheet=options.sheet,
        custom_fields=custom_fields,
    )


async def _read_with_fields(session: KantataSession, options: _ProvisionOptions) -> Plan:
    async with session as kantata:
        fields = {
            "people": await kantata.custom_fields.defined("User"),
            "groups": await kantata.custom_fields.defined("WorkspaceGroup"),
        }
        return await _plan(kantata, _sheet(options, fields), options)


async def _read(session: KantataSession, sheet: AnySheet, options: _ProvisionOptions) -> Plan:
    async with session as kantata:
        return await _plan(kantata, sheet, options)


async def _plan(kantata: KantataSession, sheet: AnySheet, options: _ProvisionOptions) -> Plan:
    from ..provision import plan  # noqa: PLC0415 - as above

    return await plan(kantata, sheet, remove_others=options.remove_others, invite=options.invite)


def _apply(planned: Plan, options: _ProvisionOptions) -> Report:
    from ..provision import report_of  # noqa: PLC0415 - as above
    from . import terminal  # noqa: PLC0415 - as above

    session = session_for(options.profile, options.base_url)
    console = terminal.console()
    progress = _silent if options.as_json or console.is_interactive else _print_done
    try:
        with _bars(console) as watch:
            return awaited(_applied(session, planned, options.replan, progress, watch))
    except BaseException as error:
        report = report_of(error)
        if report is not None and report.tally.is_begun:
            click.echo(f"{report.tally}. Run it again: it does only what is still to do.", err=options.as_json)
        elif isinstance(error, KeyboardInterrupt | Terminated):
            click.echo("Nothing was written.", err=options.as_json)
        raise


def _print_done(one: Applied) -> None:
    """Print a line for somebody for whom something was done."""
    from ..provision import show_applied  # noqa: PLC0415 - as above

    if one.done and one.status not in {"kept", "waiting"}:
        click.echo(show_applied(one))


def _silent(_: Applied) -> None:
    """Print nothing: the bars, or JSON at the end, show it."""


@contextmanager
def _bars(console: Console) -> Iterator[Watch]:
    """Show how much was written: a bar for each kind of write, on a terminal."""
    from . import terminal  # noqa: PLC0415 - as above

    with terminal.bars(console) as bars:
        tasks = {name: bars.add_task(name, total=None, visible=False) for name in ("Added", "Updated", "Removed")}

        def watch(tally: Tally) -> None:
            amounts = {
                "Added": (tally.added, tally.to_add),
                "Updated": (tally.updated, tally.to_update),
                "Removed": (tally.removed, tally.to_remove),
            }
            for name, (done, total) in amounts.items():
                bars.update(tasks[name], completed=done, total=total, visible=total > 0)

        yield watch


async def _applied(session: KantataSession, planned: Plan, replan: bool, progress: Progress, watch: Watch) -> Report:
    async with session as kantata:
        return await planned.apply(kantata, replan=replan, progress=progress, watch=watch)
