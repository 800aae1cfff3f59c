"""``kantata-async resources``: the collections of the API, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from .exit_codes import EXIT_CODES

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..calls import Operation

F = TypeVar("F", bound=Callable[..., Any])

_DONE: Final = {
    "list": "listed",
    "get": "read one by one",
    "create": "created",
    "update": "changed",
    "delete": "deleted",
}


def collection_argument(*, required: bool = True) -> Callable[[F], F]:
    """The argument COLLECTION, whose names a shell can complete."""
    return click.argument("collection", required=required, shell_complete=_completed)


def _completed(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - --help needs none of it

    return [CompletionItem(name) for name in collections() if name.startswith(begun)]


@click.command(epilog=EXIT_CODES)
@collection_argument(required=False)
def resources(collection: str | None) -> None:
    """List the collections of the API, or what can be done with COLLECTION and what that takes."""
    if collection is None:
        for name in collections():
            click.echo(name)
        return
    for name, operation in _operations(collection).items():
        click.echo(f"{name}  ({operation})")
        for what, names in _taken_by(operation).items():
            if names:
                click.echo(f"    {what}: {', '.join(names)}")


def _taken_by(operation: Operation[Any]) -> dict[str, list[str]]:
    body = operation.body if isinstance(operation.body, Mapping) else {}
    needed = [name for name, kind in {**operation.filters, **body}.items() if kind.needed]
    return {
        "needs": needed,
        "filters": [name for name in operation.filters if name not in needed],
        "fields": [name for name in body if name not in needed],
        "include": list(operation.includes),
        "optional fields": list(operation.optional_fields),
        "order": [*operation.orders, *operation.undirected_orders],
    }


def collections() -> list[str]:
    """The names of every resource of the API, sorted."""
    from functools import cached_property  # noqa: PLC0415 - --help needs none of it

    from ..api import Resources  # noqa: PLC0415 - as above

    return sorted(name for name, one in vars(Resources).items() if isinstance(one, cached_property))


def operation_of(collection: str, name: str) -> Operation[Any]:
    """An operation by the name of its method.

    Raises:
        UsageError: there is no such collection, or it has no such operation.
    """
    operations = _operations(collection)
    if name not in operations:
        from ..errors import UsageError  # noqa: PLC0415 - --help needs none of it

        raise UsageError(f"{collection} cannot be {_DONE[name]}; what there is for them: {', '.join(operations)}")
    return operations[name]


def _operations(collection: str) -> Mapping[str, Operation[Any]]:
    from ..api import Resources  # noqa: PLC0415 - --help needs none of it
    from ..calls import did_you_mean  # noqa: PLC0415 - as above
    from ..errors import UsageError  # noqa: PLC0415 - as above

    known = collections()
    if collection not in known:
        raise UsageError(f"there is no collection {collection!r}{did_you_mean(collection, known)}")
    unconnected: Any = None
    operations: Mapping[str, Operation[Any]] = getattr(Resources(unconnected), collection).operations
    return operations
