"""The calls that the docstrings of the generated methods show."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module

from kantata_async import file_resources
from kantata_async.api import Resources
from kantata_async.resource import Resource

HEADER = """
from datetime import UTC, date, datetime

from kantata_async import KantataSession
from kantata_async.entities import Post


async def examples(kantata: KantataSession, cursor: str, post: Post, last_night: datetime) -> None:
"""


def resources() -> dict[str, type[Resource]]:
    """The class of each attribute of the session that is a resource."""
    found = {}
    for name, member in vars(Resources).items():
        if isinstance(member, cached_property):
            module = import_module(f"kantata_async.api.{name}")
            found[name] = getattr(module, str(inspect.get_annotations(member.func)["return"]))
    return found


def examples() -> Iterator[tuple[str, str]]:
    """The name of each generated method, and the call that its docstring shows."""
    for resource, cls in resources().items():
        yield from _shown(resource, vars(cls))


def examples_with_files() -> Iterator[tuple[str, str]]:
    """The same of the methods for files, whose calls read and write files that are not there."""
    for resource, cls in resources().items():
        for base in cls.__mro__:
            if base.__module__ == file_resources.__name__:
                yield from _shown(resource, vars(base))


def _shown(resource: str, members: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, member in members.items():
        if inspect.isfunction(member) and not name.startswith("_"):
            shown = re.search(r"Example:\n(.*?)(?=\n\n|\Z)", inspect.getdoc(member) or "", re.DOTALL)
            yield f"{resource}.{name}", textwrap.dedent(shown[1]) if shown else ""


def as_program() -> str:
    """All of them as one module, for the type checkers."""
    return HEADER + "\n".join(textwrap.indent(call, "    ") for _, call in (*examples(), *examples_with_files())) + "\n"
