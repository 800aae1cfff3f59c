"""``kantata-async list``, ``get``, ``create``, ``update`` and ``delete``: the operations of the API as commands."""

from __future__ import annotations

import sys
from codecs import BOM_UTF8
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from .awaiting import awaited
from .connecting import connection_options, session_for
from .exit_codes import EXIT_CODES, FAILED
from .resources import collection_argument, operation_of

if TYPE_CHECKING:
    from ..calls import Operation
    from ..model import Entity
    from ..session import KantataSession

F = TypeVar("F", bound=Callable[..., Any])

_MOST_A_PAGE: Final = 200

_ASSIGNMENTS = click.argument("assignments", nargs=-1, metavar="[NAME=VALUE | NAME:=JSON]...")


def _output_options(command: F) -> F:
    json = click.option("--json", "form", flag_value="json", help="Write one JSON object a line.")
    csv = click.option("--csv", "form", flag_value="csv", help="Write CSV.")
    columns = click.option(
        "--columns",
        default="",
        show_default=False,
        metavar="A,B.C",
        help="The columns, with commas; creator.full_name follows a link.",
    )
    include = click.option("--include", multiple=True, metavar="NAME", help="An association to include; also a.b.c.")
    optional = click.option(
        "--optional-field", multiple=True, metavar="NAME", help="A field that comes only when asked for."
    )
    return json(csv(columns(include(optional(command)))))


@click.command("list", epilog=EXIT_CODES)
@collection_argument()
@_ASSIGNMENTS
@click.option("--order", help="A field to sort by, as updated_at:desc.")
@click.option("--search", help="A text to look for.")
@click.option("--only", default="", show_default=False, metavar="ID,ID", help="Only the objects with these ids.")
@click.option("--limit", type=click.IntRange(min=1), help="How many objects to list at most.")
@_output_options
@connection_options
def list_(
    collection: str,
    assignments: tuple[str, ...],
    order: str | None,
    search: str | None,
    only: str,
    limit: int | None,
    profile: str | None,
    base_url: str | None,
    **output: Any,
) -> None:
    """List the objects of COLLECTION.

    Filters are given as NAME=VALUE: `kantata-async list participations workspace_id=7 --columns user.full_name,role`.
    `kantata-async resources COLLECTION` lists them.
    """
    from .assignments import read_assignments  # noqa: PLC0415 - --help needs none of it

    operation = operation_of(collection, "list")
    chosen: dict[str, Any] = {"order": order, "search": search, "only": only.split(",") if only else None}
    arguments = read_assignments(operation, assignments) | {name: one for name, one in chosen.items() if one}
    if limit is not None and limit < _MOST_A_PAGE and operation.paging:
        arguments["per_page"] = limit
    arguments |= _asked(operation, output)

    async def listed(resource: Any) -> AsyncGenerator[Entity, None]:
        async with aclosing(aiter(resource.list(**arguments))) as entities:
            written = 0
            async for one in entities:
                yield one
                written += 1
                if written == limit:
                    return

    _write(session_for(profile, base_url), collection, output, listed)


@click.command(epilog=EXIT_CODES)
@collection_argument()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@_output_options
@connection_options
def get(collection: str, ids: tuple[str, ...], profile: str | None, base_url: str | None, **output: Any) -> None:
    """Get objects of COLLECTION by their ids: `kantata-async get users 5 --include manager`."""
    asked = _asked(operation_of(collection, "get"), output)

    async def got(resource: Any) -> AsyncGenerator[Entity, None]:
        for id in ids:
            yield await resource.get(id, **asked)

    _write(session_for(profile, base_url), collection, output, got)


@click.command(epilog=EXIT_CODES)
@collection_argument()
@_ASSIGNMENTS
@click.option("--from", "source", type=click.File("rb"), help="A file with a JSON object a line; - for standard input.")
@_output_options
@connection_options
def create(
    collection: str,
    assignments: tuple[str, ...],
    source: Any,
    profile: str | None,
    base_url: str | None,
    **output: Any,
) -> int:
    """Create an object of COLLECTION, or with --from one for each line: `kantata-async create skills name=Rust …`.

    With --from, one JSON object is written for each line: its index, what became of it, the id and the errors.
    """
    from .assignments import read_assignments, read_json  # noqa: PLC0415 - --help needs none of it

    operation = operation_of(collection, "create")
    if source is None:
        arguments = read_assignments(operation, assignments) | _asked(operation, output)

        async def created(resource: Any) -> AsyncGenerator[Entity, None]:
            yield await resource.create(**arguments)

        _write(session_for(profile, base_url), collection, output, created)
        return 0
    if assignments:
        raise click.UsageError("give the fields of one object, or with --from a file of many")
    lines = enumerate(source.read().removeprefix(BOM_UTF8).splitlines(), 1)
    rows = [read_json(f"line {number}", line) for number, line in lines if line.strip()]
    if not rows:
        click.echo("Nothing was created: there are no lines.", err=True)
    return awaited(_created_many(session_for(profile, base_url), collection, rows))


async def _created_many(session: KantataSession, collection: str, rows: list[Any]) -> int:
    from ..errors import UsageError  # noqa: PLC0415 - --help needs none of it
    from .printable import printable_json  # noqa: PLC0415 - as above

    failed = False
    async with session as kantata:
        resource = getattr(kantata, collection)
        if not hasattr(resource, "create_stream"):
            raise UsageError(f"{collection} are not created in bulk by the API: create them one by one")
        async with aclosing(resource.create_stream(rows)) as outcomes:
            async for outcome in outcomes:
                failed = failed or not outcome.done
                became = {
                    "index": outcome.index,
                    "status": outcome.status,
                    "id": None if outcome.entity is None else outcome.entity.id,
                    "errors": [str(one) for one in outcome.errors],
                    "reason": outcome.reason,
                }
                click.echo(printable_json(became))
    return FAILED if failed else 0


@click.command(epilog=EXIT_CODES)
@collection_argument()
@click.argument("id")
@_ASSIGNMENTS
@_output_options
@connection_options
def update(
    collection: str, id: str, assignments: tuple[str, ...], profile: str | None, base_url: str | None, **output: Any
) -> None:
    """Change an object of COLLECTION: `kantata-async update participations 42 team_lead=true`."""
    from .assignments import read_assignments  # noqa: PLC0415 - --help needs none of it

    operation = operation_of(collection, "update")
    arguments = read_assignments(operation, assignments)
    if not arguments:
        raise click.UsageError("give what to change as NAME=VALUE")
    arguments |= _asked(operation, output)

    async def updated(resource: Any) -> AsyncGenerator[Entity, None]:
        yield await resource.update(id, **arguments)

    _write(session_for(profile, base_url), collection, output, updated)


@click.command(epilog=EXIT_CODES)
@collection_argument()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can answer.")
@connection_options
def delete(collection: str, ids: tuple[str, ...], yes: bool, profile: str | None, base_url: str | None) -> None:
    """Delete objects of COLLECTION by their ids, which cannot be undone."""
    operation_of(collection, "delete")
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("deletes cannot be undone: where nobody can answer, they need --yes")
    if yes or click.confirm(f"Delete {len(ids):,} of {collection}? It cannot be undone."):
        awaited(_deleted(session_for(profile, base_url), collection, ids))
    else:
        click.echo("Nothing was deleted.")


async def _deleted(session: KantataSession, collection: str, ids: tuple[str, ...]) -> None:
    async with session as kantata:
        for id in ids:
            await getattr(kantata, collection).delete(id)
            click.echo(f"deleted {id}")


def _write(
    session: KantataSession,
    collection: str,
    output: Mapping[str, Any],
    found: Callable[[Any], AsyncGenerator[Entity, None]],
) -> None:
    """Write the entities of a resource as they come."""
    from .output import Writer  # noqa: PLC0415 - --help needs none of it

    writer = Writer(output["form"] or "table", _columns(output))

    async def written() -> None:
        async with session as kantata, aclosing(found(getattr(kantata, collection))) as entities:
            async for one in entities:
                writer.write(one)

    awaited(written())
    writer.finish()


def _columns(output: Mapping[str, Any]) -> list[str]:
    return [column.strip() for column in output["columns"].split(",") if column.strip()]


def _asked(operation: Operation[Any], output: Mapping[str, Any]) -> dict[str, Any]:
    """The includes and optional fields of a call: those asked for, and those that the columns need."""
    from ..api import entity_class  # noqa: PLC0415 - as above
    from ..calls import path  # noqa: PLC0415 - as above
    from .columns import includes_of  # noqa: PLC0415 - as above

    cls = entity_class(operation.collection or "")
    columns = _columns(output)
    includes = [*map(path, output["include"]), *(includes_of(cls, columns) if cls is not None else [])]
    fields = [*output["optional_field"], *(name for name in columns if name in operation.optional_fields)]
    asked = {"include": list(dict.fromkeys(includes)), "optional_fields": list(dict.fromkeys(fields))}
    return {name: values for name, values in asked.items() if values}
