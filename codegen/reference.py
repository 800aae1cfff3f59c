"""The reference of the resources for the documentation: `python -m codegen.reference docs/reference/resources`.

One page for each resource of the API, and a table of all operations.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kantata_async import file_resources
from kantata_async.api import Resources, entity_class
from kantata_async.calls import Array, Choice, Choices, Needed, Object, Operation, ParameterKind, Scalar
from kantata_async.model import Entity
from kantata_async.resource import Resource


@attrs.frozen
class Parameter:
    """What an operation takes, as its page tells it."""

    name: str
    takes: str
    needed: bool


@attrs.frozen
class Call:
    """An operation as a method of a resource."""

    name: str
    operation: Operation[Any]
    summary: str
    example: str
    more: str

    @property
    def filters(self) -> list[Parameter]:
        """What goes into the query."""
        return _parameters(self.operation.filters)

    @property
    def fields(self) -> list[Parameter]:
        """What goes into the body."""
        body = self.operation.body
        if isinstance(body, Mapping):
            return _parameters(body)
        return [] if body is None else [Parameter(self.operation.body_key or "", _takes(body), needed=True)]

    @property
    def errors(self) -> list[str]:
        """The errors that mean something of their own for it; the others may come from any operation."""
        operation = self.operation
        found = ["PermissionDeniedError"]
        if "{" in operation.path:
            found.append("NotFoundError")
        if operation.body is not None:
            found.append("ValidationError")
        if operation.method != "GET":
            found.append("AmbiguousWriteError")
        return found


@attrs.frozen
class Page:
    """A resource, its entity and its calls."""

    name: str
    title: str
    calls: list[Call]
    bulk: list[str]
    files: list[str]
    entity: type[Entity] | None


def pages() -> Iterator[Page]:
    """Every resource, by name."""
    unconnected: Any = None
    resources = Resources(unconnected)
    for name in sorted(name for name, one in vars(Resources).items() if isinstance(one, cached_property)):
        resource: Resource = getattr(resources, name)
        calls = [_call(resource, method, operation) for method, operation in resource.operations.items()]
        bulk = [method for method in dir(resource) if method.endswith(("_many", "_stream")) and method[0] != "_"]
        files = [
            method for method in dir(resource) if method[0] != "_" and _is_of_files(getattr(type(resource), method))
        ]
        kinds = [entity_class(call.operation.collection) for call in calls if call.operation.collection]
        title = name.replace("_", " ").capitalize()
        yield Page(name, title, calls, bulk, files, next(filter(None, kinds), None))


def _is_of_files(member: object) -> bool:
    return getattr(member, "__module__", "") == file_resources.__name__


def _call(resource: Resource, method: str, operation: Operation[Any]) -> Call:
    summary, example, *more = (inspect.getdoc(getattr(resource, method)) or "").partition("Args:")[0].split("\n\n")
    shown = textwrap.dedent(example.partition("\n")[2])
    return Call(method, operation, summary, shown, " ".join(" ".join(more).split()))


def _parameters(kinds: Mapping[str, ParameterKind]) -> list[Parameter]:
    found = [Parameter(name, _takes(kind), kind.needed) for name, kind in kinds.items()]
    return sorted(found, key=lambda one: (not one.needed, one.name))


def _takes(kind: ParameterKind) -> str:
    match kind:
        case Needed():
            return _takes(kind.of)
        case Array():
            return f"a list: each {_takes(kind.of)}"
        case Choice() | Choices():
            start = "one of " if isinstance(kind, Choice) else "any of "
            return start + ", ".join(f"`{value}`" for value in kind.values)
        case Object():
            return "an object with " + ", ".join(f"`{name}`" for name in kind.fields)
        case Scalar():
            return kind.expects
        case _:
            return type(kind).__name__.lower()


def write(folder: Path) -> int:
    """Write the reference into a folder; gives the number of operations."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Markdown, of facts that are our own
    )
    environment.filters["code_list"] = lambda names: ", ".join(f"`{name}`" for name in names)
    found = list(pages())
    folder.mkdir(parents=True, exist_ok=True)
    for page in found:
        text = environment.get_template("resource.md.jinja").render(page=page)
        (folder / f"{page.name}.md").write_text(text, encoding="utf-8")
    (folder / "index.md").write_text(environment.get_template("operations.md.jinja").render(pages=found), "utf-8")
    return sum(len(page.calls) for page in found)


if __name__ == "__main__":
    print(f"{write(Path(sys.argv[1]))} operations")  # noqa: T201 - what it is run for
