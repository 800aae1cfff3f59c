"""How the sandbox is built: its packages stand on each other in one order, and its routes are the catalogue's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kantata_async.catalogue import load
from kantata_async.sandbox.backend.routes import REGISTERED, route
from kantata_async.sandbox.backend.rules import rules_of

SANDBOX = Path(__file__).parents[1] / "kantata_async" / "sandbox"
FLOORS = ("backend", "seed", "server")


def imports(path: Path) -> Iterator[str]:
    """What a module imports, as dotted names below the package; of the package's own imports, those alone."""
    inside = path.relative_to(SANDBOX.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            above = inside[: len(inside) - node.level] if node.level else ()
            name = ".".join((*above, *(node.module or "").split("."))).removeprefix("kantata_async.")
            if node.level or (node.module or "").startswith("kantata_async"):
                yield name.rstrip(".")


def test_packages_import_downwards_and_through_their_faces() -> None:
    """backend below seed below server; and of the client nothing but what it may share."""
    wrong = []
    for path in SANDBOX.rglob("*.py"):
        room = path.relative_to(SANDBOX).parts[0].removesuffix(".py")
        for name in imports(path):
            first, _, rest = name.partition(".")
            if first != "sandbox":
                if name not in {"catalogue", "errors", "bounds"}:
                    wrong.append(f"{path.name} imports {name}")
                continue
            other, _, inner = rest.partition(".")
            if other in FLOORS and other != room:
                above = room in FLOORS and FLOORS.index(other) > FLOORS.index(room)
                if above or inner:
                    wrong.append(f"{room}/{path.name} imports {name}")
    assert wrong == []


def test_every_route_is_an_operation() -> None:
    """Nothing is answered that the catalogue does not know, and no operation has two handlers."""
    assert REGISTERED.keys() <= load().operations.keys()
    with pytest.raises(ValueError, match="has a handler already"):
        route("GET", "/users/me")(REGISTERED["GET", "/users/me"])


def test_rules_are_about_what_there_is() -> None:
    """A rule for a filter, sort field, association or attribute that the catalogue does not know would say nothing."""
    catalogue = load()
    reads = [operation for operation in catalogue.operations.values() if operation.method == "GET"]
    for collection, definition in catalogue.collections.items():
        rules = rules_of(collection)
        own = [operation for operation in reads if operation.collection == collection]
        filters = {field.name for operation in own for field in operation.filters}
        orders = {field for operation in own if operation.order for field in operation.order.fields}
        refs = {association.ref for association in definition.associations}
        hidden = set(rules.hidden.filters) if rules.hidden else set()
        assert rules.filters.keys() | rules.without_effect.keys() | hidden <= filters, collection
        assert rules.sort_keys.keys() <= orders, collection
        assert rules.associations.keys() <= refs | definition.attributes.keys(), collection
        assert {*rules.names, *rules.shown, *rules.files} <= definition.attributes.keys(), collection
