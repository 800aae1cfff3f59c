"""``kantata-async download`` and ``export``: files, and the exports that are made on request."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

import click

from .awaiting import awaited
from .connecting import connection_options, session_for
from .exit_codes import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..files import DownloadedFile
    from ..session import KantataSession


class _DownloadOptions(NamedTuple):
    """Where files go, and how large they may be."""

    to: str
    max_bytes: int | None
    overwrite: bool

    def refuse_existing(self) -> None:
        """Refuse a file that is there already.

        Raises:
            click.UsageError: it is, and is not to be replaced.
        """
        from pathlib import Path  # noqa: PLC0415 - --help needs none of it

        if not self.overwrite and os.path.lexists(self.to) and not Path(self.to).is_dir():
            raise click.UsageError(f"there is a file {self.to} already: give --overwrite to replace it")

    @property
    def destination(self) -> str | BinaryIO:
        """What takes the bytes."""
        return sys.stdout.buffer if self.to == "-" else self.to


def _file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    said = "A file, a directory that takes files under their own names, or - for standard output."
    to = click.option("--to", default=".", help=said)
    most = click.option("--max-bytes", type=click.IntRange(min=1), help="At most so many bytes.")
    overwrite = click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
    return to(most(overwrite(command)))


@click.command(epilog=EXIT_CODES)
@click.argument("kind", type=click.Choice(["attachments", "export", "invoice", "photo", "receipt", "report"]))
@click.argument("id")
@_file_options
@connection_options
def download(kind: str, id: str, profile: str | None, base_url: str | None, **options: Any) -> None:
    """Download the files of an object.

    KIND is what ID names: attachments of a post, a data export, an invoice as PDF, the photo of a user, the receipt of
    an expense, or the newest file of a scheduled report. A file that is there already keeps its name, and the other one
    gets a number.
    """
    chosen = _DownloadOptions(**options)
    chosen.refuse_existing()
    awaited(_downloaded(session_for(profile, base_url), kind, id, chosen))


@click.command(epilog=EXIT_CODES)
@click.argument("datasets", nargs=-1, required=True, metavar="DATASET=COLUMN,COLUMN...")
@click.option("--deadline", type=click.FloatRange(min=0, min_open=True), default=3600, help="Seconds to wait.")
@_file_options
@connection_options
def export(
    datasets: tuple[str, ...], deadline: float, profile: str | None, base_url: str | None, **options: Any
) -> None:
    """Export data sets as CSV, created, waited for and downloaded.

    `kantata-async export users=id,full_name --to users.csv`
    """
    chosen = _DownloadOptions(**options)
    chosen.refuse_existing()
    definition: dict[str, Any] = {}
    for one in datasets:
        name, _, columns = one.partition("=")
        if not columns:
            raise click.UsageError(f"{one!r} is not DATASET=COLUMN,COLUMN")
        definition[name] = {"columns": columns.split(",")}
    awaited(_exported(session_for(profile, base_url), definition, deadline, chosen))


async def _exported(
    session: KantataSession, definition: Mapping[str, Any], deadline: float, options: _DownloadOptions
) -> None:
    async with session as kantata:
        with _progress("export") as (states, bytes_done):
            saved = await kantata.exports.run(
                options.destination,
                export_definition=definition,
                deadline=deadline,
                on_state=states,
                on_progress=bytes_done,
                max_bytes=options.max_bytes,
                overwrite=options.overwrite,
            )
    _tell(saved)


async def _downloaded(session: KantataSession, kind: str, id: str, options: _DownloadOptions) -> None:
    async with session as kantata:
        with _progress(f"{kind} {id}") as (_, bytes_done):
            arguments = {"max_bytes": options.max_bytes, "overwrite": options.overwrite, "on_progress": bytes_done}
            async for saved in _KINDS[kind](kantata, id, options.destination, arguments):
                _tell(saved)


def _tell(saved: DownloadedFile) -> None:
    if saved.path is not None:
        click.echo(saved.path)


async def _attachments(
    kantata: KantataSession, id: str, to: str | BinaryIO, arguments: Mapping[str, Any]
) -> AsyncIterator[DownloadedFile]:
    post = await kantata.posts.get(id, include=["attachments"])
    if not post.attachments:
        raise click.ClickException(f"post {id} has no attachments")
    for attachment in post.attachments:
        yield await kantata.attachments.download(attachment, to, **arguments)


async def _receipt(
    kantata: KantataSession, id: str, to: str | BinaryIO, arguments: Mapping[str, Any]
) -> AsyncIterator[DownloadedFile]:
    expense = await kantata.expenses.get(id, include=["receipt"])
    if expense.receipt is None:
        raise click.ClickException(f"expense {id} has no receipt")
    yield await kantata.attachments.download(expense.receipt, to, **arguments)


def _one(method: Callable[[KantataSession], Any]) -> Callable[..., AsyncIterator[DownloadedFile]]:
    """A kind of which each id names one file."""

    async def found(
        kantata: KantataSession, id: str, to: str | BinaryIO, arguments: Mapping[str, Any]
    ) -> AsyncIterator[DownloadedFile]:
        yield await method(kantata)(id, to, **arguments)

    return found


_KINDS: Final[Mapping[str, Callable[..., AsyncIterator[DownloadedFile]]]] = {
    "attachments": _attachments,
    "export": _one(lambda kantata: kantata.exports.download),
    "invoice": _one(lambda kantata: kantata.invoices.download),
    "photo": _one(lambda kantata: kantata.users.download_photo),
    "receipt": _receipt,
    "report": _one(lambda kantata: kantata.insights_report_exports.download),
}


@contextmanager
def _progress(what: str) -> Iterator[tuple[Callable[[str, float], None], Callable[[int, int | None], None]]]:
    """A bar on standard error while the block runs; gives what tells it states, and what tells it bytes."""
    from rich.console import Console  # noqa: PLC0415 - --help needs none of it

    from .terminal import bars  # noqa: PLC0415 - as above

    with bars(Console(stderr=True)) as shown:
        task = shown.add_task(what, total=None)
        yield (
            lambda state, _: shown.update(task, description=f"{what}: {state}"),
            lambda done, total: shown.update(task, completed=done, total=total),
        )
