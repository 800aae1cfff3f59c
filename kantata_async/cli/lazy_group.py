"""A group of commands that imports only the one that is run, so that `--help` comes at once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar

import click

from .connecting import CONNECTION, TokenRoute

Elsewhere = Mapping[str, tuple[str, str, str]]
"""By the name of a command: the module beside this one, the name there, and a line that says what it is for."""


class LazyGroup(click.Group):
    """A group whose commands may be in modules that are not imported before they are run."""

    elsewhere: ClassVar[Elsewhere] = {}

    @classmethod
    def of(cls, elsewhere: Elsewhere) -> type[LazyGroup]:
        """The class of a group with these commands."""
        return type(cls.__name__, (cls,), {"elsewhere": elsewhere})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, sorted."""
        return sorted({*super().list_commands(ctx), *self.elsewhere})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported if need be; None where there is none."""
        if cmd_name not in self.elsewhere:
            return super().get_command(ctx, cmd_name)
        module, name, _ = self.elsewhere[cmd_name]
        command: click.Command = getattr(import_module(f".{module}", __package__), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was typed, or an error that offers the nearest name."""
        typed = args[0]
        if not typed.startswith("-") and not ctx.resilient_parsing and self.get_command(ctx, typed) is None:
            from difflib import get_close_matches  # noqa: PLC0415 - most commands exist

            nearest = get_close_matches(typed.casefold(), self.list_commands(ctx), 1)
            ctx.fail(f"There is no command {typed!r}{f'; did you mean {nearest[0]!r}?' if nearest else '.'}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line for each command."""
        lines = {name: command.get_short_help_str(limit=100) for name, command in self.commands.items()}
        lines |= {name: line for name, (_, _, line) in self.elsewhere.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(lines.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; errors become sentences for a person."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            connection: TokenRoute | None = ctx.meta.get(CONNECTION)
            if connection is None:
                raise
            from ..errors import KantataError, UsageError  # noqa: PLC0415 - most commands go well
            from .sentences import sentence  # noqa: PLC0415 - as above

            if isinstance(error, UsageError) or not isinstance(error, KantataError):
                raise
            raise click.ClickException(sentence(error, token=connection.token, host=connection.host)) from error
