"""The public face as text: every public name with its signature, written to public_face.txt and held by a test.

``python tests/public_face.py`` renews the file after a change that is meant. Names stand without the module they live
in, so that moving one changes nothing here; parameters that are given by name alone stand in the order of their names;
``…`` is the default of one that a call leaves out.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any, Final, Generic, Literal, TypeVar, Union, get_args, get_origin, is_typeddict

SNAPSHOT: Final = Path(__file__).with_name("public_face.txt")

MODULES: Final = (
    "kantata_async",
    "kantata_async.entities",
    "kantata_async.provision",
    "kantata_async.sandbox",
    "kantata_async.sync",
)
FIXTURES: Final = "kantata_async.pytest_plugin"
PROTOCOLS: Final = frozenset(
    {"__aenter__", "__aexit__", "__aiter__", "__await__", "__call__", "__contains__", "__enter__", "__exit__"}
    | {"__getitem__", "__init__", "__iter__", "__len__"}
)
"""The special methods that are part of what a caller sees."""

_STARS: Final[Mapping[Any, str]] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
_DESCRIBED: Final = (staticmethod, classmethod, property, cached_property, FunctionType)


def public_face() -> str:
    """The text of the public face."""
    return "\n".join(_sections()) + "\n"


def _sections() -> Iterator[str]:
    listed: dict[int, str] = {}
    for module_name in MODULES:
        module = import_module(module_name)
        yield f"\n=== {module_name}"
        for name in sorted(module.__all__):
            one = getattr(module, name)
            if id(one) in listed:
                yield f"\n{name}: see {listed[id(one)]}"
                continue
            if isinstance(one, type | FunctionType):
                listed[id(one)] = f"{module_name}.{name}"
            yield from _described(name, one)
    yield "\n=== resources"
    for name, resource in _resources():
        yield from _class(f"kantata.{name}: {resource.__name__}", resource)
    plugin = import_module(FIXTURES)
    yield f"\n=== {FIXTURES}"
    yield from sorted(name for name in vars(plugin) if name.startswith("kantata"))


def _resources() -> list[tuple[str, type]]:
    """The resource class of each attribute of a session."""
    api = import_module("kantata_async.api")
    found = []
    for name, member in vars(api.Resources).items():
        if isinstance(member, cached_property):
            module = import_module(f"kantata_async.api.{name}")
            found.append((name, getattr(module, inspect.get_annotations(member.func)["return"])))
    return sorted(found)


def _described(name: str, one: Any) -> Iterator[str]:
    if isinstance(one, type):
        yield from _class(f"class {name}", one)
    elif isinstance(one, FunctionType):
        yield ""
        yield from _callable(name, one, {})
    elif get_origin(one) is not None or isinstance(one, TypeVar):
        yield f"\n{name} = {_plain(str(one))}"
    else:
        yield f"\n{name}: {type(one).__name__}"


def _class(title: str, cls: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in cls.__bases__ if base not in {object, Generic})
    yield f"\n{title}({bases})" if bases else f"\n{title}"
    members = dict(_members(cls))
    for name in sorted(members):
        owner, member = members[name]
        yield from _member(name, member, _arguments_of(cls, owner))


def _members(cls: type) -> Iterator[tuple[str, tuple[type, Any]]]:
    """Own and inherited members, of our own classes; what `Entity` gives to every entity is said of `Entity` alone."""
    for owner in reversed(cls.__mro__):
        shared = owner.__name__ == "Entity" and owner is not cls
        if not owner.__module__.startswith("kantata_async") or shared:
            continue
        for name, annotation in inspect.get_annotations(owner).items():
            if not name.startswith("_"):
                yield name, (owner, str(annotation))
        for name, member in vars(owner).items():
            if (not name.startswith("_") or name in PROTOCOLS) and isinstance(member, _DESCRIBED):
                yield name, (owner, member)


def _member(name: str, member: Any, types: Mapping[str, str]) -> Iterator[str]:
    match member:
        case staticmethod() | classmethod():
            yield from _callable(f"    {type(member).__name__} {name}", member.__func__, types)
        case property(fget=FunctionType() as getter):
            yield f"    {name}: {_annotation(getter, 'return', types)}"
        case cached_property():
            yield f"    {name}: {_annotation(member.func, 'return', types)}"
        case FunctionType():
            yield from _callable(f"    {name}", member, types)
        case _:
            yield f"    {name}: {_substituted(_expanded(_plain(member), {}), types)}"


def _callable(title: str, function: Callable[..., Any], types: Mapping[str, str]) -> Iterator[str]:
    indent = " " * (len(title) - len(title.lstrip()) + 4)
    wrapped = inspect.unwrap(function)
    kind = "async " if inspect.iscoroutinefunction(wrapped) else ""
    yield f"{title[: len(indent) - 4]}{kind}{title.strip()} -> {_annotation(wrapped, 'return', types)}"
    parameters = [one for one in inspect.signature(wrapped).parameters.values() if one.name not in {"self", "cls"}]
    by_name = [one for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]
    for parameter in parameters:
        if parameter not in by_name:
            yield from (f"{indent}{line}" for line in _parameter(parameter, wrapped, types))
    if by_name:
        yield f"{indent}*"
    for parameter in sorted(by_name, key=lambda one: one.name):
        yield from (f"{indent}{line}" for line in _parameter(parameter, wrapped, types))


def _parameter(parameter: inspect.Parameter, function: Any, types: Mapping[str, str]) -> Iterator[str]:
    named = re.fullmatch(r"Unpack\[(\w+)\]", str(parameter.annotation))
    structure = function.__globals__.get(named[1]) if named else None
    if is_typeddict(structure):
        yield "*"
        for name, annotation in sorted(inspect.get_annotations(structure).items()):
            text = getattr(annotation, "__forward_arg__", None) or str(annotation)
            needed = re.fullmatch(r"Required\[(.*)\]", text)
            shown = _expanded(_plain(needed[1] if needed else text), function.__globals__)
            yield f"{name}: {shown}" + ("" if needed else " = …")
        return
    stars = _STARS.get(parameter.kind, "")
    only = ", positional only" if parameter.kind is inspect.Parameter.POSITIONAL_ONLY else ""
    default = "" if parameter.default is inspect.Parameter.empty else f" = {_default(parameter.default)}"
    yield f"{stars}{parameter.name}: {_annotation(function, parameter.name, types)}{default}{only}"


def _default(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    return "…" if value == () or repr(value) == "OMITTED" or repr(value).startswith("<") else _plain(repr(value))


def _annotation(function: Any, name: str, types: Mapping[str, str]) -> str:
    annotation = inspect.get_annotations(function).get(name, "Any")
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return _substituted(_expanded(_plain(text), function.__globals__), types)


def _plain(text: str) -> str:
    """A type without the modules of its names."""
    return re.sub(r"\b(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])", "", text)


def _expanded(text: str, names: Mapping[str, Any]) -> str:
    """A type with the values of each named list of values."""

    def values(matched: re.Match[str]) -> str:
        one = names.get(matched[0])
        if get_origin(one) is Literal:
            return "Literal[" + ", ".join(map(repr, get_args(one))) + "]"
        return matched[0]

    return re.sub(r"\b\w+\b", values, text) if '"' not in text else text.replace('"', "'")


def _substituted(text: str, types: Mapping[str, str]) -> str:
    return re.sub(r"\b\w+\b", lambda matched: types.get(matched[0], matched[0]), text)


def _arguments_of(cls: type, owner: type) -> dict[str, str]:
    """What the type variables of a base stand for in a class."""
    for base in getattr(cls, "__orig_bases__", ()):
        if get_origin(base) is owner:
            parameters = getattr(owner, "__parameters__", ())
            arguments = (_argument(one, cls) for one in get_args(base))
            return {parameter.__name__: one for parameter, one in zip(parameters, arguments, strict=True)}
    return {}


def _argument(one: Any, cls: type) -> str:
    if get_origin(one) is Union:
        return " | ".join(_argument(part, cls) for part in get_args(one))
    text = getattr(one, "__forward_arg__", None) or (one.__name__ if isinstance(one, type) else str(one))
    return _expanded(_plain(text), sys.modules[cls.__module__].__dict__)


if __name__ == "__main__":
    SNAPSHOT.write_text(public_face(), encoding="utf-8")
