"""Lists that need a parent, or a kind: which there are, and where the parents' own list shows what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ..calls import Choice, Connection, Needed, Operation
from ..errors import UsageError

_ID: Final = "_id"


@attrs.frozen
class Kinds:
    """A list that is read for one kind after the other."""

    filter: str
    values: tuple[str, ...]

    @property
    def sample(self) -> str:
        """A value of the filter, with which the other arguments can be checked beforehand."""
        return self.values[0]

    def __str__(self) -> str:
        return f"for each of {len(self.values)} kinds of {self.filter.removesuffix('_type')}s"


@attrs.frozen
class Parents:
    """A list that is read for one parent after the other.

    Attributes:
        filter: the filter that names the parent.
        operation: the parents' own list.
        include: the association of the parents with the list's objects, which shows what there is and when it was
            updated, 200 parents a request; None where they have none, and each parent is asked for.
        ref: the attribute of the parents that holds the ids of that association.
    """

    filter: str
    operation: Operation[Any]
    include: str | None = None
    ref: str | None = None

    @property
    def sample(self) -> str:
        """A value of the filter, with which the other arguments can be checked beforehand."""
        return "1"

    def __str__(self) -> str:
        parents = self.operation.collection
        return f"through {parents}" + (f", those alone whose {self.include} changed" if self.include else "")


def parents_of(
    connection: Connection, operation: Operation[Any], arguments: Mapping[str, Any]
) -> Kinds | Parents | None:
    """What a list is to be read through; None for one that needs nothing, or was given it.

    Raises:
        UsageError: the list needs something of which there is no list.
    """
    needed = [name for name, kind in operation.filters.items() if kind.needed and name not in arguments]
    if not needed:
        return None
    (name, *others) = needed
    kind = operation.filters[name]
    if not others and isinstance(kind, Needed) and isinstance(kind.of, Choice):
        return Kinds(name, tuple(map(str, kind.of.values)))
    if not others and name.endswith(_ID):
        parents = connection.operations_of(f"{name.removesuffix(_ID)}s").get("list")
        if parents is not None:
            return _through(connection, name, parents, operation.collection or "")
    raise UsageError(f"{operation} needs {' and '.join(needed)}")


def _through(connection: Connection, filter: str, parents: Operation[Any], collection: str) -> Parents:
    cls = connection.reader.class_of(parents.collection or "")
    association = None if cls is None else cls.associations.get(collection)
    if association is None or collection not in parents.includes:
        return Parents(filter, parents)
    return Parents(filter, parents, collection, association.ref)
