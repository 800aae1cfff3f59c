"""What a value of each kind of custom field is in Python, and what it is on the wire. Pure.

The API sends a choice as a list of its id, and money as ``[cents, "EUR"]``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeAlias

from ..calls import DAY, EMPTY, INTEGER, TEXT, did_you_mean, plain
from ..errors import UsageError
from ..model import brief_repr
from .definitions import FieldDefinition
from .money import Money

FieldValue: TypeAlias = str | int | date | Money | list[str]
"""A value of a custom field: text, a whole number, a day, money, the label of a choice, or labels of several."""

OF_CHOICES: Final = frozenset({"single", "multi"})

_MONEY_PARTS: Final = 2
_FEW: Final = 12
"""Choices that a message lists."""


# --- from the wire ---


def read_value(kind: str, sent: Any, labels: Mapping[str, str]) -> Any:
    """The Python value of what the API sent, None for nothing; what does not fit its kind stays as it came.

    Args:
        kind: of the field.
        sent: by the API.
        labels: of choices, by their ids.
    """
    if sent in (None, "", []):
        return None
    try:
        match kind:
            case "number" if float(sent).is_integer():
                return int(sent)
            case "date":
                return date.fromisoformat(sent)
            case "currency":
                cents, currency = sent
                return Money(int(cents), currency)
            case "single" | "multi":
                chosen = [labels[str(one)] for one in sent]
                return chosen[0] if kind == "single" and len(chosen) == 1 else chosen
    except (TypeError, ValueError, LookupError, UsageError):
        pass
    return sent


def identity_of_value(kind: str, sent: Any) -> Hashable:
    """What values on the wire that mean the same have in common, however their choices are ordered and spelt."""
    if kind in OF_CHOICES and isinstance(sent, Sequence) and not isinstance(sent, str):
        return frozenset(map(str, sent))
    value = read_value(kind, sent, {})
    return value.strip() if isinstance(value, str) else _hashable(value)


def _hashable(value: Any) -> Hashable:
    return value if isinstance(value, Hashable) else repr(value)


# --- to the wire ---


def wire_value(field: FieldDefinition, value: Any) -> Any:
    """What a Python value is on the wire; None for one that clears the field, EMPTY for an empty cell of a data frame.

    Raises:
        UsageError: the field does not take it; the message names the field.
    """
    value = plain(value)
    if value is None or value is EMPTY:
        return value
    spell = _SPELLINGS.get(field.kind)
    if spell is None:
        raise UsageError(f"{field.name} is of the kind {field.kind}, whose values cannot be set by name")
    return spell(field, value)


def _spell_text(field: FieldDefinition, value: Any) -> str:
    text: str = TEXT.wire(value, field.name)
    if not text.strip():
        raise UsageError(f"{field.name} takes text that says something; None clears it")
    return text


def _spell_number(field: FieldDefinition, value: Any) -> Any:
    return INTEGER.wire(value, field.name)


def _spell_day(field: FieldDefinition, value: Any) -> Any:
    return DAY.wire(value, field.name)


def _spell_money(field: FieldDefinition, value: Any) -> list[Any]:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == _MONEY_PARTS:
        try:
            value = Money(*map(plain, value))
        except UsageError as error:
            raise UsageError(f"{field.name}: {error}") from None
    if not isinstance(value, Money):
        raise UsageError(f'{field.name} takes money such as Money.of("1250.00", "EUR"), not {brief_repr(value)}')
    return [value.cents, value.currency]


def _spell_choice(field: FieldDefinition, value: Any) -> list[Any]:
    if not isinstance(value, str):
        raise UsageError(f"{field.name} takes the label of one of its choices, not {brief_repr(value)}")
    return [_choice(field, value)]


def _spell_choices(field: FieldDefinition, value: Any) -> list[Any] | None:
    if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
        raise UsageError(f"{field.name} takes a list of labels of its choices, not {brief_repr(value)}")
    chosen = [_choice(field, label) for label in dict.fromkeys(value)]
    return chosen or None


def _choice(field: FieldDefinition, label: Any) -> int | str:
    """The id of a choice as it goes on the wire."""
    ids = [id for id, one in field.choices.items() if one == label]
    if not ids:
        raise UsageError(f"{field.name} has no choice {brief_repr(label)}{_choices_instead_of(label, field)}")
    if len(ids) > 1:
        raise UsageError(f"{field.name} has {len(ids)} choices {brief_repr(label)}: which is meant cannot be told")
    return int(ids[0]) if ids[0].isdecimal() else ids[0]


def _choices_instead_of(label: Any, field: FieldDefinition) -> str:
    """The end of an error message: all choices where they are few, since the nearest may mean something else."""
    labels = list(dict.fromkeys(field.choices.values()))
    return f"; there are {', '.join(labels)}" if 0 < len(labels) <= _FEW else did_you_mean(label, labels)


_SPELLINGS: Final[Mapping[str, Callable[[FieldDefinition, Any], Any]]] = {
    "string": _spell_text,
    "number": _spell_number,
    "date": _spell_day,
    "currency": _spell_money,
    "single": _spell_choice,
    "multi": _spell_choices,
}
