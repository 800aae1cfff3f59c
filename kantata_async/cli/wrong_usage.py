"""Errors of the SDK about what was given, shown as errors of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def wrong_usage() -> Iterator[None]:
    """A block whose `UsageError` is shown under the usage of the command.

    Raises:
        click.UsageError: it is.
    """
    try:
        yield
    except Exception as error:
        from ..errors import UsageError  # noqa: PLC0415 - --help needs none of it

        if not isinstance(error, UsageError):
            raise
        raise click.UsageError(str(error)) from error
