"""The house: imports run downwards only, and into a package only through its face."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs
import pytest

PACKAGE = Path(__file__).parents[1] / "kantata_async"

FLOORS = (
    {"_version", "ended_tasks", "plurals", "printable", "response"},
    {"errors"},
    {"bounds", "callables", "extras", "private_files"},
    {"model"},
    {"decoding", "limits"},
    {"tables", "turns"},
    {"transport"},
    {"calls"},
    {"bulk", "files"},
    {"resource"},
    {"file_resources", "custom_fields"},
    {"api"},
    {"entities", "session", "normalizer"},
    {"provision", "signin", "sync", "telemetry"},
    {"catalogue"},
    {"sandbox"},
    {"pytest_plugin", "recording", "cli"},
    {"__init__", "__main__"},
)
"""The rooms of the package, floor by floor, from the ground up."""

LEVELS = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}


@attrs.frozen
class Import:
    """An import of one room by a module of another."""

    module: str
    line: int
    room: str
    inner: str
    """What of the room: empty for its face."""

    def __str__(self) -> str:
        target = f"{self.room}.{self.inner}" if self.inner else self.room
        return f"{self.module}:{self.line} imports {target}"


def room_of(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def is_module(dotted: str) -> bool:
    path = PACKAGE.joinpath(*dotted.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


@cache
def names_on_face(package: str) -> set[str]:
    """What a package's `__init__` imports from its modules: a name may be spelt as the module it is from."""
    face = PACKAGE.joinpath(*package.split("."), "__init__.py")
    if not package or not face.exists():
        return set()
    nodes = ast.walk(ast.parse(face.read_text()))
    return {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}


def imports_of(path: Path) -> Iterator[Import]:
    """Every import, at the top of a file or inside a function, of a room other than the file's own."""
    inside = path.relative_to(PACKAGE).with_suffix("").parts
    module = ".".join(inside)
    for node in ast.walk(ast.parse(path.read_text())):
        for target in targets_of(node, inside):
            room, _, inner = target.partition(".")
            if room != room_of(module):
                yield Import(module, node.lineno, room, inner)  # type: ignore[attr-defined]


def targets_of(node: ast.AST, inside: tuple[str, ...]) -> Iterator[str]:
    """The modules of the package that a statement imports, as paths below it."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[2] for alias in node.names if alias.name.startswith("kantata_async."))
    if not isinstance(node, ast.ImportFrom):
        return
    if node.level:
        base = inside[: len(inside) - node.level]
        stem = ".".join([*base, *([node.module] if node.module else [])])
    elif (node.module or "").partition(".")[0] == "kantata_async":
        stem = (node.module or "").partition(".")[2]
    else:
        return
    for alias in node.names:
        below = f"{stem}.{alias.name}" if stem else alias.name
        target = below if is_module(below) and alias.name not in names_on_face(stem) else stem
        if target:
            yield target


MODULES = sorted(PACKAGE.rglob("*.py"))


@cache
def imports() -> list[Import]:
    """Every import of a room by another one; read when a test first asks, and not by each process that collects."""
    return [one for path in MODULES for one in imports_of(path)]


def test_every_room_has_a_floor() -> None:
    """Whoever adds a room says on which floor it lies."""
    rooms = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in MODULES}
    assert rooms == set(LEVELS)


@pytest.mark.parametrize("room", sorted(LEVELS))
def test_imports_run_downwards_only(room: str) -> None:
    """No room knows of one above it, nor of its neighbour on the same floor."""
    found = [one for one in imports() if room_of(one.module) == room]
    assert [str(one) for one in found if LEVELS[one.room] >= LEVELS[room]] == []


@pytest.mark.parametrize("room", sorted(LEVELS))
def test_a_room_is_entered_through_its_face(room: str) -> None:
    """What is inside a package is its own business: the generated modules alone are each a face."""
    found = [one for one in imports() if one.room == room and room != "api"]
    assert [str(one) for one in found if one.inner] == []


def test_an_import_that_runs_up_or_passes_a_face_is_seen() -> None:
    """The test itself can fail: it reads relative and absolute imports, at the top and inside functions."""
    source = (
        "from ..session import A\nimport kantata_async.cli\n\ndef f():\n    from kantata_async.limits.rate import B\n"
    )
    nodes = list(ast.walk(ast.parse(source)))
    targets = [target for node in nodes for target in targets_of(node, ("model", "entity"))]
    assert targets == ["session", "cli", "limits.rate"]


FACES = sorted(path for path in PACKAGE.rglob("__init__.py") if path.parent not in {PACKAGE, PACKAGE / "api"})


@pytest.mark.parametrize("face", FACES, ids=lambda path: path.parent.relative_to(PACKAGE).as_posix())
def test_a_face_lists_what_is_inside(face: Path) -> None:
    """A line for each module; where the names of few modules say it all, for none."""
    inside = [path.stem for path in sorted(face.parent.iterdir()) if path.stem != "__init__" and is_room(path)]
    listed = [line.partition(" ")[0] for line in (ast.get_docstring(ast.parse(face.read_text())) or "").splitlines()]
    missing = [name for name in inside if name not in listed]
    assert missing == [] or face.parent.relative_to(PACKAGE).as_posix() in SELF_EVIDENT


SELF_EVIDENT = {"catalogue", "sandbox/backend/subjects"}
"""Packages whose modules are named after what the API has."""


def is_room(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").exists()


SHARED_NAMES = {
    "Progress": "what `Sync.run` and `Plan.apply` take to show how far they are: each is a public name of its package",
    "Report": "what `Sync.run` and `Plan.apply` come to: each is a public name of its package",
    "Rows": "of a bulk write, and of a target of copies, where it is a public name",
}
"""Names of classes and types that two modules share, and why they do."""


def test_no_two_types_share_a_name() -> None:
    """One noun is one thing; the generated resources in `api` are many of a kind and stand aside."""
    names = Counter(
        name
        for path in MODULES
        if path.relative_to(PACKAGE).parts[0] != "api"
        for node in ast.parse(path.read_text()).body
        for name in types_in(node)
    )
    assert {name for name, number in names.items() if number > 1} == set(SHARED_NAMES)


def types_in(node: ast.stmt) -> Iterator[str]:
    """The names of classes and of types that a statement defines; variables of types may be many."""
    if isinstance(node, ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign) and not is_type_variable(node.value):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name) and target.id[0].isupper() and not target.id.isupper():
                yield target.id


def is_type_variable(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "TypeVar"
