"""Renders the views into the source of `kantata_async/api/` and `kantata_async/entities.py`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kantata_async.catalogue import Catalogue, Operation

from .types import Member
from .views import AttributeView, CallView, EntityView, ModuleView, Views, listed, orders_of, wrap


def render(catalogue: Catalogue) -> dict[str, str]:
    """The source of every generated module by its path under `kantata_async/`, not yet formatted."""
    views = Views(catalogue)
    modules = views.modules()
    homes = views.home_of_class()
    environment = _environment()
    shared_names = sorted(name for one in views.shared.values() for name in (one.constant, one.structure.name))
    sources = {
        f"api/{module.name}.py": environment.get_template("resource.py.jinja").render(
            module=module,
            links=_imports(module, homes),
            shared=shared_names,
            lists=next((c for c in module.calls if c.answer == "list" and _takes(c.operation, "only")), None),
            updates=next((c for c in module.calls if c.name == "update" and c.answer == "one" and c.body), None),
            deletes=next(
                (c for name in ("bulk_delete", "delete") for c in module.calls if c.name == name and len(c.ids) < 2),
                None,
            ),
            creates=next((c for c in module.calls if c.row is not None and c.answer == "one"), None),
        )
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
    ruff = [sys.executable, "-m", "ruff"]
    targets = [str(folder / "api"), str(folder / "entities.py")]
    # The imports are sorted once the unused ones are gone: a list that was long stays one name a line.
    for rules in ("F401,PIE790,TC005", "I"):
        subprocess.run([*ruff, "check", "--quiet", "--fix", "--select", rules, *targets], check=True)  # noqa: S603 - our own interpreter, our own arguments
    subprocess.run([*ruff, "format", "--quiet", *targets], check=True)  # noqa: S603


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Python source, not HTML
    )
    environment.filters.update(
        bare=lambda operation: orders_of(operation)[1],
        body_of=_body_of,
        bulk_options=lambda call: _bulk_options(call, "key", "find", "if_exists"),
        update_options=_bulk_options,
        update_parameters=_update_parameters,
        bulk_parameters=_bulk_parameters,
        directed=lambda operation: orders_of(operation)[0],
        documented=lambda one: any(attribute.doc for attribute in one.attributes),
        documented_attributes=_documented_attributes,
        documented_members=lambda members: listed(members, 16),
        entity_line=_entity_line,
        mapping_of=lambda names: "{" + "".join(f'"{name}": "{field}", ' for name, field in names.items()) + "}",
        phantom=_phantom,
        quoted=lambda key: "None" if key is None else f'"{key}"',
        return_annotation=_return_annotation,
        takes=_takes,
        told=_told,
        told_of_rows=_told_of_rows,
        title_line=lambda text: text.rstrip("."),
        tuple_of=lambda names: "(" + "".join(f'"{name}", ' for name in names) + ")",
        words=lambda name: name.replace("_", " "),
        wrapped=wrap,
    )
    return environment


def _takes(operation: Operation, name: str) -> bool:
    return name in operation.standard_params


def _told(call: CallView) -> str:
    """The paragraph under the title of a call: its route, and what the catalogue notes of it."""
    note = f" {call.operation.note.rstrip('.')}." if call.operation.note else ""
    return f"``{call.operation.method} {call.operation.path}``.{note}"


def _told_of_rows(call: CallView) -> str:
    """The paragraph under the title of a bulk create."""
    return (
        f"Each row is a mapping like `{call.row}`; `create` tells the fields. The outcomes come in the order of the "
        "rows; no row is sent twice without a look whether it is there: see `kantata_async.bulk.create_many`."
    )


def _bulk_parameters(call: CallView) -> str:
    """The parameters of a bulk create."""
    options = ["key: Key | None = None", "find: Find | None = None", "if_exists: IfExists | None = None"]
    return ", ".join(["self", "rows: Rows", "*", *_asked_parameters(call), *options])


def _update_parameters(call: CallView) -> str:
    """The parameters of a bulk update."""
    asked = _asked_parameters(call)
    return ", ".join(["self", "rows: Rows", *(["*", *asked] if asked else [])])


def _asked_parameters(call: CallView) -> list[str]:
    parameters = []
    if call.includes:
        parameters.append(f"include: Sequence[{call.includes.alias} | Path] = ()")
    if call.optional_fields:
        parameters.append(f"optional_fields: Sequence[{call.optional_fields.alias}] = ()")
    return parameters


def _bulk_options(call: CallView, *others: str) -> str:
    """The options of a bulk write, as they are passed on."""
    names = ["include"] * bool(call.includes) + ["optional_fields"] * bool(call.optional_fields)
    return "{" + ", ".join(f'"{name}": {name}' for name in [*names, *others]) + "}"


def _phantom(call: CallView) -> str:
    """What the operation answers, for the type checkers: an entity class, or anything."""
    if call.answer == "nothing":
        return "Any"
    if call.answer == "data":
        return call.returns
    return call.returns.removesuffix(" | str").removeprefix("Page[").removesuffix("]")


def _return_annotation(call: CallView) -> str:
    if call.answer == "list":
        return f"ListQuery[{call.returns}]"
    return re.sub(r"\blist\[", "builtins.list[", call.returns)


def _body_of(call: CallView) -> str:
    arguments = "parameters" if call.parameters else "{}"
    ids = "(" + "".join(f"{id}, " for id in call.ids) + ")"
    if call.answer == "list":
        return f"self._list({call.constant}, {arguments})"
    return f"await self._{call.answer}({call.constant}, {ids}, {arguments})"


def _entity_line(one: EntityView) -> str:
    if one.base != "Entity":
        return f"`{one.definition}`: a {one.base} under another name."
    return f"An object of the collection `{one.collection}`."


def _documented_attributes(attributes: Iterable[AttributeView]) -> str:
    return listed([Member(a.name, "", a.doc) for a in attributes if a.doc], 8)


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
