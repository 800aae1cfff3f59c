"""Which operation a method and a path name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from kantata_async.catalogue import CatalogueOperation


@attrs.frozen
class MatchedPath:
    """The operation, and the values in its path where the catalogue has names in braces."""

    operation: CatalogueOperation
    params: Mapping[str, str]


@attrs.define
class _Node:
    static: dict[str, _Node] = attrs.field(factory=dict)
    variable: _Node | None = None
    operations: dict[str, CatalogueOperation] = attrs.field(factory=dict)


class Paths:
    """The paths of the API; a segment that is spelled out wins over one that is variable."""

    def __init__(self, operations: Iterable[CatalogueOperation]) -> None:
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    def _add(self, operation: CatalogueOperation) -> None:
        node = self._root
        for segment in _segments(operation.path):
            if segment.startswith("{"):
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.static.setdefault(segment, _Node())
        node.operations[operation.method] = operation

    def match(self, method: str, path: str) -> MatchedPath | None:
        """The operation that a method and a path name; for None, `allowed` says why."""
        for node, values in self._leaves(self._root, _segments(path), ()):
            if operation := node.operations.get(method):
                return MatchedPath(operation, dict(zip(_variables(operation.path), values, strict=True)))
        return None

    def allowed(self, path: str) -> tuple[str, ...]:
        """The methods that a path takes; none where nothing is at that path."""
        found = {method for node, _ in self._leaves(self._root, _segments(path), ()) for method in node.operations}
        return tuple(sorted(found))

    def _leaves(
        self, node: _Node, segments: tuple[str, ...], values: tuple[str, ...]
    ) -> Iterable[tuple[_Node, tuple[str, ...]]]:
        if not segments:
            yield node, values
            return
        first, rest = segments[0], segments[1:]
        if first in node.static:
            yield from self._leaves(node.static[first], rest, values)
        if node.variable is not None and first:
            yield from self._leaves(node.variable, rest, (*values, first))


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.removesuffix(".json").removeprefix("/").split("/"))


def _variables(path: str) -> tuple[str, ...]:
    return tuple(segment[1:-1] for segment in _segments(path) if segment.startswith("{"))
