"""The docstrings of generated methods: what comes back, one call as a user writes it, and what is to know."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from kantata_async.catalogue import CatalogueOperation, Field, Type

from .naming import argument
from .types import Member, is_id, quoted, values_of
from .views import CallView, EntityView, FollowView, ModuleView, takes

_WIDTH: Final = 120
_INDENT: Final = 8

_TEXTS: Final = {
    "currency": "EUR",
    "email_address": "ada@example.com",
    "full_name": "Ada Lovelace",
    "name": "Design",
    "service_model": "deal",
    "service_name": "crm",
    "title": "Design",
}
"""What a text of this name holds in an example."""

_VALUES: Final = {
    "any": '"…"',
    "boolean": "True",
    "date": "date(2026, 3, 2)",
    "date-time": "datetime(2026, 3, 2, 9, tzinfo=UTC)",
    "integer": "1",
    "number": "7.5",
}
_IDS: Final = {"id": "42", "user_id": "9", "workspace_id": "7"}


def docstring(call: CallView, module: ModuleView) -> str:
    """The docstring of the method of an operation, indented, without its quotes."""
    route = f"``{call.operation.method} {call.operation.path}`` ({call.operation.title})."
    note = f" {call.operation.note.rstrip('.')}." if call.operation.note else ""
    paragraphs = [
        _summary(call, module),
        _example(f"kantata.{module.attribute}.{call.name}", _arguments(call)),
        _wrapped(route + note),
        _wrapped(_standard(call.operation)),
        _section("Args", [(member.name, _argument_doc(member)) for member in call.parameters]),
    ]
    return _joined(paragraphs)


def docstring_by_ids(call: CallView, module: ModuleView) -> str:
    """The docstring of the method that gets many entities by id through a list."""
    operation = call.operation
    needed = [f"{name}={value}" for name, value in _needed(operation)]
    defaults = (
        f"; `everything=True` lifts those that apply by default: {_revealing(operation)}" if operation.reveal else ""
    )
    return _joined(
        [
            f"The `{call.entity}` entities with these ids, in the order asked.",
            _example(f"kantata.{module.attribute}.get_many", ["[3, 1, 2]", *needed]),
            _wrapped(
                f"``{operation.method} {operation.path}``, 200 ids a request, each id fetched once. `missing` of the "
                "result holds the ids not answered: their objects are deleted, hidden from the token's user, or left "
                f"out by a filter{defaults}."
            ),
        ]
    )


def docstring_of_following(follow: FollowView, module: ModuleView) -> str:
    """The docstring of the method that follows a feed, indented, without its quotes."""
    operation = follow.list.operation
    indent = " " * (_INDENT + 4)
    loop = f"async for event in kantata.{module.attribute}.follow(since=cursor, every=None):"
    return _joined(
        [
            f"Every `{follow.list.entity}`, each once, as they come: a feed, to be iterated.",
            f"Example:\n{indent}{loop}\n{indent}    print(event.created_at)",
            _wrapped(
                f"``{operation.method} {operation.path}``, read on from `since` in the order of creation. `cursor` of "
                "the feed says how far it was followed: keep it, and go on from there. Iterating raises "
                "EventsLostError where the API, which keeps events for 9 days, has lost some since then."
            ),
            _section("Args", [(member.name, _argument_doc(member)) for member in follow.parameters]),
        ]
    )


def docstring_of_entity(entity: EntityView) -> str:
    """The docstring of an entity class, indented, without its quotes."""
    if entity.base != "Entity":
        return f"A {entity.base} that the API calls `{entity.definition}`."
    line = f"An object of the collection `{entity.collection}`."
    attributes = _section("Attributes", [(one.name, one.doc) for one in entity.attributes], indent=4)
    return f"{line}\n\n    {attributes}\n    " if attributes else line


_BY_METHOD: Final = {
    ("get", "one"): "The `{entity}` with this id.",
    ("create", "one"): "The `{entity}` created.",
    ("update", "one"): "The `{entity}` as changed.",
    ("delete", "nothing"): "Delete a `{entity}`; nothing comes back.",
    ("bulk_delete", "nothing"): "Delete `{entity}` objects by id, all or none; nothing comes back.",
}
_BY_ANSWER: Final = {
    "list": "The `{entity}` entities that match: a query, sent when it is awaited or iterated.",
    "one": "{title}: the `{entity}`.",
    "page": "{title}: a page of `{entity}` entities.",
    "csv": "{title}: the CSV, or a page of `{entity}` entities.",
    "data": "{title}: plain data.",
    "nothing": "{title}; nothing comes back.",
}


def _summary(call: CallView, module: ModuleView) -> str:
    """What comes back, in one line."""
    entity = call.entity or next((entity.name for entity in module.entities), None)
    own = _BY_METHOD.get((call.name, call.answer)) if entity is not None else None
    return (own or _BY_ANSWER[call.answer]).format(entity=entity, title=call.operation.title.capitalize())


def _standard(operation: CatalogueOperation) -> str:
    """A sentence or two on the parameters that many operations take."""
    brought = []
    if takes(operation, "include") and operation.includes:
        brought.append("`include` brings associations along")
    if takes(operation, "optional_fields") and operation.optional_fields:
        brought.append("`optional_fields` brings attributes that come only when asked for")
    read = []
    if takes(operation, "order") and operation.order is not None:
        read.append("`order` sorts")
    if takes(operation, "only"):
        read.append("`only` takes at most 200 ids")
    if takes(operation, "search"):
        read.append("`search` looks for a text")
    if takes(operation, "per_page"):
        read.append("`per_page` is the size of a page, 200 unless given")
    sentences = ["; ".join(brought), "; ".join(read)]
    if operation.reveal:
        sentences.append(f"`everything=True` lifts what is left out by default: {_revealing(operation)}")
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def _revealing(operation: CatalogueOperation) -> str:
    return ", ".join(
        f"{name}={value if isinstance(value, bool) else quoted(value)}" for name, value in operation.reveal.items()
    )


def _argument_doc(member: Member) -> str:
    return f"required; {member.doc}" if member.required and member.doc else member.doc


def _joined(paragraphs: Iterable[str]) -> str:
    """The paragraphs of a docstring, ready for the quotes on a line of their own."""
    lines = ("\n\n" + " " * _INDENT).join(paragraph for paragraph in paragraphs if paragraph)
    return f"{lines}\n{' ' * _INDENT}"


def _section(title: str, entries: Iterable[tuple[str, str]], indent: int = _INDENT) -> str:
    """A section of named values, for those that need a word."""
    lines = [f"{name}: {doc}." for name, doc in entries if doc]
    break_before = "\n" + " " * (indent + 4)
    return break_before.join([f"{title}:", *(_wrapped(line, indent + 8) for line in lines)]) if lines else ""


def _wrapped(text: str, indent: int = _INDENT) -> str:
    lines = textwrap.wrap(text, _WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    return ("\n" + " " * indent).join(lines)


# --- examples ---


def _example(function: str, arguments: list[str]) -> str:
    """One call, on one line where it fits, else an argument a line, as a formatter lays it out."""
    indent = " " * (_INDENT + 4)
    start = f"await {function}("
    line = f"{start}{', '.join(arguments)})"
    if len(indent) + len(line) <= _WIDTH:
        return f"Example:\n{indent}{line}"
    lines = [start, *(f"    {one}," for one in arguments), ")"]
    return "Example:\n" + "\n".join(f"{indent}{one}" for one in lines)


def _arguments(call: CallView) -> list[str]:
    """The arguments of an example: the ids, what is required, and what shows how the operation is used."""
    operation = call.operation
    named = list(_needed(operation))
    if not named and isinstance(operation.body, tuple) and operation.body:
        first = next((field for field in operation.body if field.type.kind in _SIMPLE), operation.body[0])
        named.append((argument(first.name), _value(operation, first)))
    if call.includes is not None and call.name in {"list", "get", "create"}:
        named.append(("include", f"[{quoted(_included(call.includes.values))}]"))
    if operation.order is not None and takes(operation, "order") and "updated_at" in operation.order.fields:
        named.append(("order", '"updated_at:desc"'))
    return [*(_IDS.get(name, "5") for name in call.ids), *(f"{name}={value}" for name, value in named)]


def _included(names: Sequence[str | int]) -> str | int:
    """The association that an example includes: the person or the project where there is one."""
    return next((name for name in ("user", "workspace") if name in names), names[0])


_SIMPLE: Final = frozenset({"string", "boolean", "integer", "date", "enum"})


def _needed(operation: CatalogueOperation) -> Iterator[tuple[str, str]]:
    """The required parameters of an operation by name, each with a value."""
    if isinstance(operation.body, Type):
        key = operation.body_key or "items"
        yield key, sample(Field(key, operation.body))
    for field in (*operation.filters, *(operation.body if isinstance(operation.body, tuple) else ())):
        if field.required:
            yield argument(field.name), _value(operation, field)


def _value(operation: CatalogueOperation, field: Field) -> str:
    return '("rows.csv", b"...")' if field.name == operation.upload else sample(field)


def sample(field: Field) -> str:
    """A value that a field takes, as Python source."""
    return _sample(field.type, field)


def _sample(type: Type, field: Field) -> str:
    match type.kind:
        case "array" if type.of is not None:
            return "[5, 6]" if is_id(f"_{field.name}") else f"[{_sample(type.of, field)}]"
        case "map" if type.of is not None:
            return "{" + f'"key": {_sample(type.of, field)}' + "}"
        case "fields":
            parts = [part for part in type.fields if part.required] or list(type.fields[:1])
            return "{" + ", ".join(f'"{part.name}": {sample(part)}' for part in parts) + "}"
        case kind:
            return _scalar(kind, field)


def _scalar(kind: str, field: Field) -> str:
    if values := values_of(field):
        return quoted(values[0])
    if is_id(field.name) or field.name == "target":
        return _IDS.get(field.name, "5")
    return quoted(_TEXTS.get(field.name, "…")) if kind == "string" else _VALUES[kind]
