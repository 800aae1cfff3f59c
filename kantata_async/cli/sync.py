"""``kantata-async sync``: a copy of collections brought up to date, once or again and again."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from .awaiting import awaited
from .connecting import connection, connection_options, session_for
from .exit_codes import EXIT_CODES, FAILED
from .resources import operation_of
from .wrong_usage import wrong_usage

if TYPE_CHECKING:
    from rich.console import Console

    from ..session import KantataSession
    from ..sync import JobReport, Progress, Report, Sync, Target

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _seconds(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """The seconds of a duration: 90s, 15m, 2h, 1d."""
    if value is None:
        return None
    duration = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", value)
    if duration is None or float(duration[1]) == 0:
        raise click.BadParameter(f"{value!r} is not a duration; write 90s, 15m, 2h or 1d")
    return float(duration[1]) * _UNITS[duration[2]]


def _moment(context: click.Context, option: click.Parameter, value: str | None) -> datetime | None:
    """A date or a point in time, in UTC where it names no time zone."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a date; write 2026-01-31 or 2026-01-31T08:00:00+01:00") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _not_empty(context: click.Context, option: click.Parameter, value: str) -> str:
    if not value:
        raise click.BadParameter("it is empty")
    return value


class _SyncOptions(NamedTuple):
    """The options of the command."""

    collections: tuple[str, ...]
    to: str
    since: datetime | None
    follow: float | None
    verify: bool
    planning: bool
    remove: bool
    custom_fields: bool
    file_format: str | None
    as_json: bool
    profile: str | None
    base_url: str | None

    def refuse_contradictions(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            click.UsageError: some do.
        """
        if self.follow is not None and (self.verify or self.planning):
            name = "--verify" if self.verify else "--plan"
            raise click.UsageError(f"{name} ends and --follow goes on: give one of them")

    def refuse_format(self) -> None:
        """Refuse a format of files where the copy is no directory.

        Raises:
            click.UsageError: one was given.
        """
        if self.file_format is not None:
            raise click.UsageError("--format is for the files of a directory, and --to names none")


@click.command(epilog=EXIT_CODES)
@click.argument("collections", nargs=-1, required=True)
@click.option("--to", required=True, callback=_not_empty, help="A file, a directory, or a postgresql:// address.")
@click.option(
    "--since", callback=_moment, metavar="MOMENT", help="Copy only what was updated since then, where a list can tell."
)
@click.option("--follow", callback=_seconds, metavar="DURATION", help="Go on, with a run every so often: 90s, 15m, 2h.")
@click.option("--verify", is_flag=True, help="Compare the copy with the server afterwards.")
@click.option("--plan", "planning", is_flag=True, help="Say how each collection would be read, and copy nothing.")
@click.option("--remove", is_flag=True, help="Remove objects that are gone, instead of marking them in _deleted_at.")
@click.option(
    "--custom-fields",
    is_flag=True,
    help="Give each collection a view with its custom fields as columns by their names (databases only).",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["parquet", "jsonl"]),
    help="The format of a directory's files; parquet unless given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each run, for programs to read.")
@connection_options
def sync(**given: Any) -> int:
    """Keep a copy of COLLECTIONS current.

    COLLECTIONS are names such as users, time_entries or stories. A file that ends in .duckdb is a DuckDB database, any
    other file a SQLite one; a directory takes Parquet files, or JSON lines with --format jsonl. What was copied before
    is brought up to date; a copy that was interrupted goes on where it stopped. Two runs do not write to one copy at
    once.

    Exit code 1 says that a collection could not be copied, or with --verify that the copy differs from the server.
    """
    options = _SyncOptions(**given)
    options.refuse_contradictions()
    with wrong_usage():
        listed = {name: operation_of(name, "list") for name in options.collections}
        dated = frozenset(name for name, operation in listed.items() if "updated_after" in operation.filters)
        return awaited(_synced(session_for(options.profile, options.base_url), options, dated))


async def _synced(session: KantataSession, options: _SyncOptions, dated: frozenset[str]) -> int:
    """The exit code, once all is done. `dated` are the collections whose lists tell what was updated when."""
    import attrs  # noqa: PLC0415 - --help needs none of it

    async with session as kantata:
        copy = _copy(kantata, options, dated)
        if options.planning:
            planned = await copy.plan()
            _say(options, planned, [attrs.asdict(job) for job in planned])
            return 0
        if options.follow is not None:
            await _follow(copy, options, options.follow)
            return 0
        ok = await _run(copy, options)
        if options.verify:
            difference = await copy.verify()
            _say(options, difference, {name: attrs.asdict(difference[name]) for name in difference})
            ok = ok and not difference
        return 0 if ok else FAILED


async def _follow(copy: Sync, options: _SyncOptions, every: float) -> None:
    """Run again and again, until it is interrupted."""
    async with aclosing(copy.follow(every=every)) as reports:
        async for report in reports:
            _say_report(options, report)


async def _run(copy: Sync, options: _SyncOptions) -> bool:
    from ..errors import SyncError  # noqa: PLC0415 - as above
    from . import terminal  # noqa: PLC0415 - as above

    with _bars(terminal.console(), options) as progress:
        try:
            report: Report = await copy.run(progress=progress)
        except SyncError as error:
            report = error.report
    _say_report(options, report)
    return report.ok


def _say_report(options: _SyncOptions, report: Report) -> None:
    """Say what came of a run, with what stopped a job in the words of a person."""
    import attrs  # noqa: PLC0415 - as above

    from ..errors import KantataError  # noqa: PLC0415 - as above
    from .sentences import sentence  # noqa: PLC0415 - as above

    token, host = connection()

    def explained(job: JobReport) -> JobReport:
        if not isinstance(job.error, KantataError):
            return job
        return attrs.evolve(job, error=KantataError(sentence(job.error, token=token, host=host)))

    jobs = [explained(job) for job in report]
    _say(options, attrs.evolve(report, jobs=jobs), [job.to_dict() for job in jobs])


def _say(options: _SyncOptions, text: object, data: object) -> None:
    import json  # noqa: PLC0415 - as above

    click.echo(json.dumps(data, default=str) if options.as_json else str(text))


def _copy(kantata: KantataSession, options: _SyncOptions, dated: frozenset[str]) -> Sync:
    from ..sync import Sync  # noqa: PLC0415 - as above

    copy = Sync(kantata, _target(options), custom_fields=options.custom_fields)
    for name in dict.fromkeys(options.collections):
        arguments: dict[str, Any] = (
            {"updated_after": options.since} if options.since is not None and name in dated else {}
        )
        copy.add(getattr(kantata, name), **arguments)
    return copy


def _target(options: _SyncOptions) -> Target:
    from pathlib import Path  # noqa: PLC0415 - as above

    from .. import sync  # noqa: PLC0415 - as above
    from ..errors import UsageError  # noqa: PLC0415 - as above

    on_deletion: Any = "remove" if options.remove else "mark"
    address = re.match(r"(?i)([a-z][a-z0-9+.-]*)://", options.to)
    if address is not None and address[1] not in {"postgres", "postgresql"}:
        raise UsageError(f"--to takes a file, a directory or a postgresql:// address, and no {address[1]}:// address")
    if address is not None:
        options.refuse_format()
        return sync.PostgresTarget(options.to, on_deletion=on_deletion)
    path = Path(options.to)
    if path.is_dir() or options.to.endswith("/") or not (path.suffix or path.is_file()):
        kind = sync.JSONLinesTarget if options.file_format == "jsonl" else sync.ParquetTarget
        return kind(path, on_deletion=on_deletion)
    options.refuse_format()
    kind_of_file = sync.DuckDBTarget if path.suffix in {".duckdb", ".ddb"} else sync.SQLiteTarget
    return kind_of_file(path, on_deletion=on_deletion)


@contextmanager
def _bars(console: Console, options: _SyncOptions) -> Iterator[Progress | None]:
    """Show how far each job has come, on a terminal: a bar with its rows and their rate."""
    if options.as_json or not console.is_interactive:
        yield None
        return
    from . import terminal  # noqa: PLC0415 - as above

    with terminal.bars(console) as bars:
        tasks = {name: bars.add_task(name, total=None) for name in options.collections}
        began = time.monotonic()

        def show(job: JobReport) -> None:
            rate = job.read / max(time.monotonic() - began, 0.001)
            line = f"{job.name}: {job.read:,} rows, {rate:,.0f} a second"
            if job.name not in tasks:
                tasks[job.name] = bars.add_task(job.name, total=None)
            bars.update(tasks[job.name], description=line, completed=job.read)

        yield show
