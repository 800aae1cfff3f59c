"""``kantata-async sync``: a copy of collections brought up to date, once or again and again."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import click

from ..calls import did_you_mean
from ..errors import SyncError, UsageError
from ..session import KantataSession
from ..transport import BASE_URL
from .exit_codes import EXIT_CODES, FAILED

if TYPE_CHECKING:
    from rich.console import Console

    from ..sync import JobReport, Progress, Report, Sync, Target

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _seconds(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """The seconds of a duration: 90s, 15m, 2h, 1d."""
    if value is None:
        return None
    told = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", value)
    if told is None or float(told[1]) == 0:
        raise click.BadParameter(f"{value!r} is no duration; write 90s, 15m, 2h or 1d")
    return float(told[1]) * _UNITS[told[2]]


def _moment(context: click.Context, option: click.Parameter, value: str | None) -> datetime | None:
    """A date or a point in time, in UTC where it has no time zone of its own."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no date; write 2026-01-31 or 2026-01-31T08:00:00+01:00") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@attrs.frozen
class _Asked:
    """What the command line asks for."""

    to: str
    collections: Sequence[str]
    since: datetime | None
    follow: float | None
    remove: bool
    format: str
    as_json: bool
    base_url: str


@click.command(epilog=EXIT_CODES)
@click.argument("collections", nargs=-1, required=True)
@click.option("--to", required=True, help="A file, a directory, or a postgresql:// address.")
@click.option(
    "--since", callback=_moment, metavar="MOMENT", help="Copy what was updated since then alone, where a list can tell."
)
@click.option("--follow", callback=_seconds, metavar="DURATION", help="Go on, with a run so often: 90s, 15m, 2h.")
@click.option("--verify", is_flag=True, help="Compare the copy with the server afterwards.")
@click.option("--plan", "planning", is_flag=True, help="Say how each collection would be read, and copy nothing.")
@click.option("--remove", is_flag=True, help="Remove objects that are gone, instead of marking them in _deleted_at.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["parquet", "jsonl"]),
    default="parquet",
    help="Of a directory's files.",
)
@click.option("--json", "as_json", is_flag=True, help="Print an object a line for each run, for programs to read.")
@click.option("--base-url", default=BASE_URL, help="Where the API is: https, or http on this machine.")
def sync(
    collections: tuple[str, ...],
    to: str,
    since: datetime | None,
    follow: float | None,
    verify: bool,
    planning: bool,
    remove: bool,
    file_format: str,
    as_json: bool,
    base_url: str,
) -> int:
    """Keep a copy of COLLECTIONS current.

    COLLECTIONS are names such as users, time_entries or stories. A file that ends in .duckdb is a DuckDB database, any
    other file a SQLite one; a directory takes Parquet files, or JSON lines with --format jsonl. What was copied before
    is brought up to date; a copy that was interrupted goes on where it stopped. Two runs do not write to one copy at
    once.

    The token is taken from the environment variable KANTATA_TOKEN. Exit code 1 says that a collection could not be
    copied, or with --verify that the copy differs from the server.
    """
    asked = _Asked(to, collections, since, follow, remove, file_format, as_json, base_url)
    from . import terminal  # noqa: PLC0415 - --help needs no terminal

    console = terminal.console()
    try:
        return asyncio.run(_done(asked, console, planning=planning, verify=verify))
    except UsageError as error:
        raise click.UsageError(str(error)) from error


async def _done(asked: _Asked, console: Console, *, planning: bool, verify: bool) -> int:
    async with KantataSession(base_url=asked.base_url) as kantata:
        copy = _copy(kantata, asked)
        if planning:
            planned = await copy.plan()
            _say(asked, planned, [attrs.asdict(job) for job in planned])
            return 0
        ok = True
        if asked.follow is None:
            ok = await _run(copy, asked, console)
        else:
            async with aclosing(copy.follow(every=asked.follow, progress=None)) as reports:
                async for report in reports:
                    _say(asked, report, [job.to_dict() for job in report])
        if verify:
            difference = await copy.verify()
            _say(asked, difference, {name: attrs.asdict(difference[name]) for name in difference})
            ok = ok and not difference
        return 0 if ok else FAILED


async def _run(copy: Sync, asked: _Asked, console: Console) -> bool:
    with _watching(asked, console) as progress:
        try:
            report: Report = await copy.run(progress=progress)
        except SyncError as error:
            report = error.report
    _say(asked, report, [job.to_dict() for job in report])
    return report.ok


def _say(asked: _Asked, text: object, data: object) -> None:
    click.echo(json.dumps(data, default=str) if asked.as_json else str(text))


def _copy(kantata: KantataSession, asked: _Asked) -> Sync:
    from ..sync import Sync  # noqa: PLC0415 - --help needs none of it

    copy = Sync(kantata, _target(asked))
    names = {name for name, one in vars(type(kantata).__base__).items() if isinstance(one, cached_property)}
    for name in dict.fromkeys(asked.collections):
        if name not in names:
            raise UsageError(f"there is no collection {name!r}{did_you_mean(name, names)}")
        resource = getattr(kantata, name)
        listing = resource.operations.get("list")
        dated = asked.since is not None and listing is not None and "updated_after" in listing.filters
        arguments: dict[str, Any] = {"updated_after": asked.since} if dated else {}
        copy.add(resource, **arguments)
    return copy


def _target(asked: _Asked) -> Target:
    from .. import sync  # noqa: PLC0415 - as above

    on_deletion: Any = "remove" if asked.remove else "mark"
    if re.match(r"postgres(ql)?://", asked.to):
        return sync.PostgresTarget(asked.to, on_deletion=on_deletion)
    path = Path(asked.to)
    if path.is_dir() or asked.to.endswith("/") or not path.suffix:
        kind = sync.JSONLinesTarget if asked.format == "jsonl" else sync.ParquetTarget
        return kind(path, on_deletion=on_deletion)
    kind_of_file = sync.DuckDBTarget if path.suffix in {".duckdb", ".ddb"} else sync.SQLiteTarget
    return kind_of_file(path, on_deletion=on_deletion)


@contextmanager
def _watching(asked: _Asked, console: Console) -> Iterator[Progress | None]:
    """Show how far it is: a bar for each job on a terminal, with its rows and their rate; elsewhere nothing."""
    if asked.as_json or not console.is_interactive:
        yield None
        return
    from . import terminal  # noqa: PLC0415 - as above

    with terminal.bars(console) as bars:
        tasks = {name: bars.add_task(name, total=None) for name in asked.collections}
        began = time.monotonic()

        def tell(job: JobReport) -> None:
            rate = job.read / max(time.monotonic() - began, 0.001)
            told = f"{job.name}: {job.read:,} rows, {rate:,.0f} a second"
            bars.update(tasks[job.name], description=told, completed=job.read)

        yield tell
