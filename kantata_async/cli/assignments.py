"""The values that a call takes, from what is typed as NAME=VALUE or NAME:=JSON: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ..calls import (
    BOOLEAN,
    ID_TEXTS,
    INSTANT,
    INTEGER,
    NUMBER,
    TEXTS,
    Array,
    Choice,
    Needed,
    Object,
    Operation,
    ParameterKind,
    did_you_mean,
)
from ..errors import UsageError

_YES_AND_NO: Final = {"true": True, "yes": True, "false": False, "no": False}


def read_assignments(operation: Operation[Any], typed: Iterable[str]) -> dict[str, Any]:
    """The arguments of a call, by name; a list is typed with commas, anything nested as JSON.

    Raises:
        UsageError: an argument has neither form, has a name that the operation does not take, or is given twice.
    """
    kinds = {**operation.filters, **(operation.body if isinstance(operation.body, Mapping) else {})}
    if operation.reveal:
        kinds["everything"] = BOOLEAN
    arguments: dict[str, Any] = {}
    for one in typed:
        name, is_json, text = _taken_apart(one)
        if name in arguments:
            raise UsageError(f"{name} is given twice")
        if name not in kinds:
            raise UsageError(f"{operation} takes no {name!r}{did_you_mean(name, kinds)}")
        arguments[name] = read_json(name, text) if is_json else read_value(kinds[name], name, text)
    return arguments


def _taken_apart(typed: str) -> tuple[str, bool, str]:
    name, equals, text = typed.partition("=")
    if not equals or not name.removesuffix(":").isidentifier():
        raise UsageError(f"{typed!r} is neither NAME=VALUE nor NAME:=JSON")
    return name.removesuffix(":"), name.endswith(":"), text


def read_json(name: str, text: str | bytes) -> Any:
    """A value typed as JSON.

    Raises:
        UsageError: it is not JSON.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        shown = text if isinstance(text, str) else text.decode(errors="replace")
        raise UsageError(f"{name} is not JSON: {shown!r}") from None


def read_value(kind: ParameterKind, name: str, text: str) -> Any:
    """A value typed as text, in the form that this kind of parameter takes; the call itself checks whether it is right.

    Raises:
        UsageError: the kind does not take the text.
    """
    match kind:
        case Needed():
            return read_value(kind.of, name, text)
        case Array():
            return [read_value(kind.of, name, part.strip()) for part in text.split(",")]
        case Object():
            raise UsageError(f"{name} takes an object: write {name}:={{…}}")
        case Choice(values=values) if text not in values:
            return next((value for value in values if str(value) == text), text)
    if kind in (TEXTS, ID_TEXTS):
        return text.split(",") if "," in text else text
    return _scalar(kind, name, text)


def _scalar(kind: ParameterKind, name: str, text: str) -> Any:
    if kind is BOOLEAN:
        if text.lower() not in _YES_AND_NO:
            raise UsageError(f"{name} takes true or false, not {text!r}")
        return _YES_AND_NO[text.lower()]
    if kind is INSTANT:
        return _instant(text)
    return _number(name, text) if kind in (INTEGER, NUMBER) else text


def _instant(text: str) -> str | datetime:
    """A point in time, in UTC where it has no time zone of its own; any other text as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _number(name: str, text: str) -> int | float:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    raise UsageError(f"{name} takes a number, not {text!r}")
