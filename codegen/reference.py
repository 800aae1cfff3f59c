"""The reference of the resources for the documentation: `python -m codegen.reference docs/reference/resources`.

One page for each resource of the API, one for the objects that only come with others, and a table of all operations.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import attrs
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kantata_async import file_resources
from kantata_async.api import Resources
from kantata_async.calls import Operation
from kantata_async.catalogue import Catalogue, CatalogueOperation, Definition
from kantata_async.model import NaturalKey
from kantata_async.resource import Resource

from .catalogue import read
from .reference_tables import (
    AssociationRow,
    AttributeRow,
    ParameterRow,
    answer_of,
    associations_of,
    attributes_of,
    noted,
    parameters_of,
)
from .views import ModuleView, Views

OTHERS: Final = "other_objects"
"""The page of the objects that no resource lists."""
_LINE: Final = 88
"""The longest line of code that is seen whole on a page."""
_BETWEEN: Final = "\n# and then\n"


@attrs.frozen
class Call:
    """An operation as a method of a resource; `included` names the class that each include brings, where it is one."""

    name: str
    operation: Operation[Any]
    published: CatalogueOperation
    summary: str
    example: str
    included: dict[str, str | None]

    @property
    def parameters(self) -> list[ParameterRow]:
        """What it takes, beside what has a line of its own."""
        return parameters_of(self.published, self.operation)

    @property
    def answer(self) -> list[AttributeRow]:
        """What an answer that is plain data holds."""
        return answer_of(self.published)

    @property
    def known_by(self) -> NaturalKey | None:
        """What makes two rows of a bulk create the same."""
        return self.operation.natural_key

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
class Kind:
    """A kind of object, with the kinds that the API tells apart from it by name only."""

    definition: Definition
    variants: list[Definition]
    associations: list[AssociationRow]

    @property
    def attributes(self) -> list[AttributeRow]:
        """Its attributes, by name."""
        return list(attributes_of(self.definition))


@attrs.frozen
class Page:
    """A resource, its calls and the kinds of its objects."""

    name: str
    title: str
    calls: list[Call]
    bulk: list[str]
    files: list[str]
    kinds: list[Kind]


@attrs.frozen
class Reference:
    """All pages, and where each kind of object is told of."""

    pages: list[Page]
    others: list[Kind]

    @cached_property
    def places(self) -> dict[str, str]:
        """The link to each class of entities, from a page beside it."""
        homes = [(page.name, kind) for page in self.pages for kind in page.kinds]
        homes += [(OTHERS, kind) for kind in self.others]
        return {
            definition.class_name: f"{home}.md#{kind.definition.class_name.lower()}"
            for home, kind in homes
            for definition in (kind.definition, *kind.variants)
        }


def reference() -> Reference:
    """Every resource by name, and the objects that no resource lists."""
    views = Views(read())
    kinds = {module.name: list(_kinds(views, module)) for module in views.modules()}
    unconnected: Any = None
    resources = Resources(unconnected)
    names = sorted(name for name, one in vars(Resources).items() if isinstance(one, cached_property))
    by_name: dict[str, Resource] = {name: getattr(resources, name) for name in names}
    examples = iter(_laid_out(_example(one, method) for one in by_name.values() for method in one.operations))
    calls = {
        name: [_call(resource, method, next(examples), views.catalogue) for method in resource.operations]
        for name, resource in by_name.items()
    }
    pages = [_page(name, resource, calls[name], kinds.get(name, [])) for name, resource in by_name.items()]
    others = [kind for name, found in kinds.items() if name not in by_name for kind in found]
    return Reference(pages, sorted(others, key=lambda kind: kind.definition.class_name))


def pages() -> Iterator[Page]:
    """Every resource, by name."""
    yield from reference().pages


def _page(name: str, resource: Resource, calls: list[Call], kinds: list[Kind]) -> Page:
    bulk = [method for method in dir(resource) if method.endswith(("_many", "_stream")) and method[0] != "_"]
    files = [method for method in dir(resource) if method[0] != "_" and _is_of_files(getattr(type(resource), method))]
    return Page(name, name.replace("_", " ").capitalize(), calls, bulk, files, kinds)


def _is_of_files(member: object) -> bool:
    return getattr(member, "__module__", "") == file_resources.__name__


def _kinds(views: Views, module: ModuleView) -> Iterator[Kind]:
    definitions = views.catalogue.definitions
    found = [definitions[entity.definition] for entity in module.entities]
    for definition in found:
        if definition.variant_of is None:
            variants = [one for one in found if one.variant_of == definition.name]
            yield Kind(definition, variants, associations_of(definition, _classes(views.catalogue)))


def _classes(catalogue: Catalogue) -> dict[str, str]:
    """The names of the classes of entities, by what the API calls them."""
    return {name: definition.class_name for name, definition in catalogue.definitions.items()}


def _call(resource: Resource, method: str, example: str, catalogue: Catalogue) -> Call:
    operation = resource.operations[method]
    published = catalogue.operations[operation.method, operation.path]
    classes = _classes(catalogue)
    brought = {one.name: classes[one.entity] if one.entity else None for one in published.includes}
    included = {name: brought[name] for name in operation.includes}
    return Call(method, operation, published, _paragraphs(resource, method)[0], example, included)


def _example(resource: Resource, method: str) -> str:
    return textwrap.dedent(_paragraphs(resource, method)[1].partition("\n")[2])


def _paragraphs(resource: Resource, method: str) -> list[str]:
    return (inspect.getdoc(getattr(resource, method)) or "").split("\n\n")


def _laid_out(examples: Iterable[str]) -> list[str]:
    """Examples in lines that are seen whole on a page."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--quiet", f"--line-length={_LINE}", "-"]
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own arguments
        command, input=_BETWEEN.join(examples), text=True, capture_output=True, check=True
    )
    return [one.strip() for one in done.stdout.split(_BETWEEN.strip())]


def write(folder: Path) -> int:
    """Write the reference into a folder; gives the number of operations."""
    found = reference()
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Markdown, of facts that are our own
    )
    environment.filters["code_list"] = lambda names: ", ".join(f"`{name}`" for name in names)
    environment.filters["noted"] = noted
    environment.globals["places"] = found.places
    folder.mkdir(parents=True, exist_ok=True)
    for page in found.pages:
        _fill(environment, "resource.md.jinja", folder / f"{page.name}.md", page=page)
    _fill(environment, "other_objects.md.jinja", folder / f"{OTHERS}.md", kinds=found.others)
    _fill(environment, "operations.md.jinja", folder / "index.md", pages=found.pages)
    return sum(len(page.calls) for page in found.pages)


def _fill(environment: Environment, template: str, path: Path, **given: Any) -> None:
    path.write_text(environment.get_template(template).render(given), encoding="utf-8")


if __name__ == "__main__":
    print(f"{write(Path(sys.argv[1]))} operations")  # noqa: T201 - what it is run for
