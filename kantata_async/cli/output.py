"""Entities written out: a table for people, JSON lines and CSV for programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from typing import Literal

import click

from ..model import Entity
from ..plurals import counted
from ..printable import printable
from .columns import cells_of, chosen_columns, spreadsheet_cell
from .printable import printable_json

OutputForm = Literal["table", "json", "csv"]


class Writer:
    """Writes entities as they come.

    Args:
        form: how they are written.
        columns: which columns; empty for those that show most, and in JSON for everything that was sent.
    """

    def __init__(self, form: OutputForm, columns: Sequence[str]) -> None:
        self._form = form
        self._columns = list(columns)
        self._waiting: list[Entity] = []
        self._csv = csv.writer(_Echo(), lineterminator="\n")
        self._headed = False

    def write(self, entity: Entity) -> None:
        """Write an entity, or keep it for the table."""
        match self._form:
            case "json":
                click.echo(_json_of(entity, self._columns))
            case "csv" if self._columns:
                self._write_csv([entity])
            case _:
                # Which columns show anything, and how wide they are, is known only when all have come.
                self._waiting.append(entity)

    def finish(self) -> None:
        """Write what was kept."""
        if self._form == "json":
            return
        self._columns = self._columns or chosen_columns(self._waiting)
        if self._form == "csv":
            self._write_csv(self._waiting)
        else:
            self._write_table()

    def _write_csv(self, entities: Sequence[Entity]) -> None:
        if not self._headed:
            self._csv.writerow(self._columns)
            self._headed = True
        shown = printable if sys.stdout.isatty() else str
        for one in entities:
            self._csv.writerow(spreadsheet_cell(shown(text)) for text in cells_of(one, self._columns))

    def _write_table(self) -> None:
        from rich import box  # noqa: PLC0415 - JSON and CSV need none of it
        from rich.table import Table  # noqa: PLC0415 - as above
        from rich.text import Text  # noqa: PLC0415 - as above

        from . import terminal  # noqa: PLC0415 - as above

        table = Table(*self._columns, box=box.SIMPLE_HEAD, pad_edge=False)
        for one in self._waiting:
            table.add_row(*(Text(printable(text, " ")) for text in cells_of(one, self._columns)))
        console = terminal.console()
        console.print(table)
        console.print(counted(len(self._waiting), "object"), style="dim")


class _Echo:
    """Standard output, to which `click.echo` writes a text in UTF-8 where its own encoding lacks a character."""

    def write(self, text: str) -> None:
        """Write a text."""
        click.echo(text, nl=False)


def _json_of(entity: Entity, columns: Sequence[str]) -> str:
    if not columns:
        return printable_json(entity.to_dict())
    return printable_json(dict(zip(columns, cells_of(entity, columns), strict=True)))
