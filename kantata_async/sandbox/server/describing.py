"""The switches, so that the page can offer them: each with its kind, its choices and its text."""

from __future__ import annotations

import inspect
import re
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import attrs

from ..backend import Switches

_ENTRY: Final = re.compile(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


def described_switches() -> list[dict[str, Any]]:
    """Each switch: its `name`, its `default`, its `kind`, its `choices` where it has some, and what it is `about`.

    The kind is "flag", "choice", "number", or "names" for a set of texts.
    """
    about = {name: " ".join(text.split()) for name, text in _ENTRY.findall(inspect.getdoc(Switches) or "")}
    defaults = attrs.asdict(Switches())
    return [
        {"name": name, "default": defaults[name], "about": about.get(name, ""), **_kind(hint)}
        for name, hint in get_type_hints(Switches).items()
    ]


def _kind(hint: Any) -> dict[str, Any]:
    if hint is bool:
        return {"kind": "flag"}
    if hint is float:
        return {"kind": "number"}
    choices = [choice for part in (hint, *get_args(hint)) for choice in _choices(part)]
    return {"kind": "choice", "choices": choices} if choices else {"kind": "names"}


def _choices(hint: Any) -> tuple[str | None, ...]:
    if hint is NoneType:
        return (None,)
    return get_args(hint) if get_origin(hint) is Literal else ()
