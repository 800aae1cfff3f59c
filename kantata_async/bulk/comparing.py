"""Values that were sent beside values that came back: when they are the same. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

import attrs

from ..calls import EMPTY, plain
from ..model import ABSENT, Entity, plain_column, plain_data

RowFields: TypeAlias = Mapping[str, Any]
"""The fields of a row as they were sent."""

ComparableFields: TypeAlias = Mapping[str, Hashable]
"""The fields of a row or an object, each in the form in which it can be compared."""

_SHORTEST_INSTANT: Final = len("2026-01-05T00:00Z")
_DAY: Final = len("2026-01-05")


def comparable(value: Any) -> Hashable:  # noqa: PLR0911 - one for each kind of value
    """A value in the one form in which sent and answered ones can be compared: ids are numbers here and text there."""
    match value:
        case str():
            return _text(value.strip())
        case bool() | None:
            return value
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else f"{value:.12g}"
        case list() | tuple():
            return tuple(map(comparable, value))
        case Decimal():
            return comparable(float(value))
        case date():
            return _text(value.isoformat())
        case dict() | Mapping():
            return tuple(sorted(((str(key), comparable(part)) for key, part in value.items()), key=_name))
        case Iterable():
            return comparable(tuple(value))
        case _:
            return repr(value)


def comparable_field(name: str, value: Any) -> Hashable:
    """The value of a field in that form; requests say WorkspaceGroup where real answers say workspace_group."""
    if name.endswith("_type") and isinstance(value, str):
        return value.replace("_", "").casefold()
    return comparable(value)


def comparable_fields(fields: Mapping[str, Any]) -> ComparableFields:
    """The fields of a row or an object, each value in that form."""
    return {name: comparable_field(name, value) for name, value in fields.items()}


def comparable_column(name: str, values: Sequence[Any]) -> list[Hashable]:
    """The values that many rows or objects have in a field, each in that form."""
    types = set(map(type, values))
    if types == {int}:
        return list(map(str, values))
    if types != {str} or name.endswith("_type"):
        return [comparable_field(name, value) for value in values]
    texts = list(map(str.strip, values))
    has_instants = max(map(len, texts)) >= _SHORTEST_INSTANT
    return list(map(_text, texts)) if has_instants else list(texts)


def _name(pair: tuple[str, Hashable]) -> str:
    return pair[0]


def _text(text: str) -> str:
    """A text; of a point in time, which may come with any offset, always the same text."""
    if len(text) < _SHORTEST_INSTANT or text[_DAY] not in "Tt ":
        return text
    try:
        instant = datetime.fromisoformat(text.upper())
    except ValueError:
        return text
    return text if instant.tzinfo is None else instant.astimezone(UTC).isoformat()


def is_empty(value: Hashable) -> bool:
    """Whether a value in that form is that of a field that holds nothing."""
    return value is None or value in ("", ())


def says_nothing(key: Any) -> bool:
    """Whether a key identifies nothing: it is empty, or all of its parts are."""
    if isinstance(key, tuple | list | set | frozenset):
        return all(map(says_nothing, key))
    return key is None or plain(key) is EMPTY or (isinstance(key, str) and not key.strip())


def _are_alike(sent: Hashable, shown: Hashable) -> bool:
    """Whether a value came back as it was sent, but for what servers make of texts: capitals, spaces, accents."""
    return sent == shown or _loosely(sent) == _loosely(shown)


def _loosely(value: Hashable) -> Hashable:
    if isinstance(value, tuple):
        return tuple(map(_loosely, value))
    if not isinstance(value, str):
        return value
    text = " ".join(unicodedata.normalize("NFC", value).casefold().split())
    try:
        return f"{float(text):.12g}" if "." in text else text
    except ValueError:
        return text


@attrs.frozen
class Agreement:
    """Which of the fields that were sent an object shows as they were sent, and which otherwise.

    Those that it does not show at all are in neither.
    """

    agree: frozenset[str]
    differ: frozenset[str]


def agreement(fields: Mapping[str, Any], entity: Entity) -> Agreement:
    """Compare the fields that were sent with an object."""
    return agreement_of(comparable_fields(fields), comparable_fields(shown_of(entity, fields)))


def agreement_of(sent: ComparableFields, shown: ComparableFields) -> Agreement:
    """Compare the fields that were sent with those that an object shows, and maybe others."""
    common = sent.keys() & shown.keys()
    agree = frozenset(name for name in common if _are_alike(sent[name], shown[name]))
    return Agreement(agree, frozenset(common - agree))


def shown_column(entities: Sequence[Entity], name: str) -> list[Any]:
    """What each of many objects shows of a field, as `shown_of` gives it; `ABSENT` for one that shows nothing."""
    shown = plain_column(entities, name)
    if ABSENT in shown:
        flags = plain_column(entities, f"is_{name}")
        return [flag if value is ABSENT else value for value, flag in zip(shown, flags, strict=True)]
    return shown


def shown_of(entity: Entity, names: Iterable[str]) -> dict[str, Any]:
    """Those of some fields that an object shows; a flag may be shown as is_…."""
    wanted = list(names)
    sent = plain_data(entity, wanted)
    for name in wanted:
        if name not in sent:
            sent.update((name, value) for value in plain_data(entity, [f"is_{name}"]).values())
    return sent
