"""Renders the views into the source of `kantata_async/api/` and `kantata_async/entities.py`."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kantata_async.catalogue import Catalogue

from .docs import docstring, docstring_by_ids, docstring_of_entity, docstring_of_following
from .types import Member, literal, mapping, quoted
from .views import CallView, ModuleView, Views, orders_of, takes


def render(catalogue: Catalogue) -> dict[str, str]:
    """The source of every generated module by its path under `kantata_async/`, not yet formatted."""
    views = Views(catalogue)
    modules = views.modules()
    homes = views.home_of_class()
    environment = _environment()
    shared_names = sorted(name for one in views.shared.values() for name in (one.constant, one.structure.name))
    template = environment.get_template("resource.py.jinja")
    sources = {
        f"api/{module.name}.py": template.render(module=module, links=_imports(module, homes), shared=shared_names)
        for module in modules
    }
    sources["api/_parts.py"] = environment.get_template("parts.py.jinja").render(shared=views.shared.values())
    sources["api/__init__.py"] = environment.get_template("index.py.jinja").render(
        modules=modules,
        homes=sorted(homes.items()),
        collections=sorted((key, d.class_name) for key, d in catalogue.collections.items()),
        listed=sorted(_listed(modules)),
    )
    sources["entities.py"] = environment.get_template("entities.py.jinja").render(
        names=sorted([*homes, "Entity", "UnknownEntity"]), by_home=_grouped(homes)
    )
    return sources


def format_sources(folder: Path) -> None:
    """Drop unused imports, sort the others and lay out the source, as for hand-written code."""
    for command in (
        [
            "check",
            "--quiet",
            "--fix",
            "--select",
            "F401,I,PIE790,TC005",
            "--config",
            "lint.isort.split-on-trailing-comma=false",
        ],
        ["format", "--quiet", "--config", "format.skip-magic-trailing-comma=true"],
    ):
        targets = [str(folder / "api"), str(folder / "entities.py")]
        subprocess.run([sys.executable, "-m", "ruff", *command, *targets], check=True)  # noqa: S603 - our own interpreter, our own arguments


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Python source, not HTML
    )
    environment.filters.update(
        body_of=_body_of,
        by_ids=lambda call: [member for member in call.parameters if member.name not in _NOT_BY_ID],
        docstring=docstring,
        docstring_by_ids=docstring_by_ids,
        docstring_of_entity=docstring_of_entity,
        docstring_of_following=docstring_of_following,
        field=_field,
        literal=literal,
        mapping_of=lambda names: mapping([(name, quoted(field)) for name, field in names.items()]),
        orders=lambda operation: orders_of(operation)[0],
        parameters=_parameters,
        quoted=lambda key: "None" if key is None else quoted(key),
        takes=takes,
        title_line=lambda text: text.rstrip("."),
        tuple_of=lambda names: "(" + "".join(f"{quoted(name)}, " for name in names) + ")",
        undirected_orders=lambda operation: orders_of(operation)[1],
    )
    return environment


_NOT_BY_ID: Final = frozenset({"ids", "order", "only", "search", "per_page"})
"""What a list takes and `get_many` does not: it is given the ids, and gives the entities in their order."""


def _field(member: Member) -> str:
    """One line of a TypedDict."""
    return f"{member.name}: {f'Required[{member.annotation}]' if member.required else member.annotation}"


def _parameters(members: Sequence[Member]) -> str:
    """The keyword-only parameters of a method, after those before them."""
    if not members:
        return ""
    shown = (f"{one.name}: {one.annotation}{'' if one.required else f' = {one.default}'}" for one in members)
    return ", *, " + ", ".join(shown)


def _body_of(call: CallView) -> str:
    """The only statement of a method: its parameters, which are its local variables, go to the operation."""
    start = "" if call.answer == "list" else "await "
    return f"{start}self._{call.answer}({call.constant}, {'locals()' if call.has_parameters else '{}'})"


def _imports(module: ModuleView, homes: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    return _grouped({name: homes[name] for name in module.linked})


def _grouped(homes: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    by_home: dict[str, list[str]] = defaultdict(list)
    for name, home in sorted(homes.items()):
        by_home[home].append(name)
    return sorted(by_home.items())


def _listed(modules: Iterable[ModuleView]) -> list[tuple[str, ModuleView]]:
    """The module whose list or get answers each collection."""
    found: dict[str, ModuleView] = {}
    for module in modules:
        for call in module.calls:
            if call.operation.collection is not None and call.name in {"list", "get"}:
                found[call.operation.collection] = module
    return list(found.items())
