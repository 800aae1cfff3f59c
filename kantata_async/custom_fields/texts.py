"""Values of custom fields as the text of a spreadsheet's cell, and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from ..errors import UsageError
from .amounts import is_ambiguous, read_amount
from .definitions import FieldDefinition
from .money import Money, decimal_places
from .values import FieldValue, wire_value

_BETWEEN: Final = (re.compile(r"[;|\n]+"), re.compile(r",+"))
"""What separates several choices: commas only where nothing else does, as labels may contain some."""

_AMOUNT: Final = re.compile(
    r"(?P<before>[A-Za-z]{3}\s*)?(?P<sign>-?)(?P<amount>[0-9](?:[0-9.,'\s]*[0-9])?)(?P<after>\s*[A-Za-z]{3})?"
)
_THOUSANDTHS: Final = 3
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def value_from_text(field: FieldDefinition, text: str) -> FieldValue:
    """The value that a text means for a field: money is ``1250.00 EUR``, several choices are separated by semicolons.

    Amounts may have decimal commas and thousands; one that could be either, such as ``1.250 EUR``, is refused.

    Choices are found whatever their case. What `text_of_value` gives is read as the same value.

    Raises:
        UsageError: the field takes no such value; the message names the field.
    """
    value: Any = text
    match field.kind:
        case "number" if _WHOLE.fullmatch(text):
            value = int(text)
        case "currency":
            value = _money(field, text)
        case "single":
            value = _label(field, text)
        case "multi":
            value = _labels(field, text)
    wire_value(field, value)
    return date.fromisoformat(value) if field.kind == "date" else value


def _money(field: FieldDefinition, text: str) -> Money:
    found = _AMOUNT.fullmatch(text.strip())
    amount = None if found is None else read_amount(found["amount"])
    if found is None or amount is None or bool(found["before"]) == bool(found["after"]):
        raise UsageError(f"{field.name} takes an amount with its currency such as '1250.00 EUR', not {text!r}")
    currency = (found["before"] or found["after"]).strip().upper()
    has_thousandths = decimal_places(currency) == _THOUSANDTHS and "." in found["amount"]
    if is_ambiguous(found["amount"]) and not has_thousandths:
        raise UsageError(
            f"{field.name} takes an amount such as '1250.00 EUR', and {text!r} could be thousands or decimals"
        )
    return Money.of(-amount if found["sign"] else amount, currency)


def _labels(field: FieldDefinition, text: str) -> list[str]:
    for between in _BETWEEN:
        parts = [part.strip() for part in between.split(text)]
        if len(parts) > 1 and not _is_label(field, text):
            return [_label(field, part) for part in parts if part]
    return [_label(field, text)]


def _is_label(field: FieldDefinition, text: str) -> bool:
    return _label(field, text) in field.choices.values()


def _label(field: FieldDefinition, text: str) -> str:
    """The label as it is spelt, where one alone is the same but for its case."""
    labels = set(field.choices.values())
    alike = [label for label in labels if label.casefold() == text.casefold()]
    return alike[0] if text not in labels and len(alike) == 1 else text


def text_of_value(value: FieldValue | None) -> str | None:
    """The text of a value; the same for the same choices in any order."""
    match value:
        case Money():
            return f"{value.amount} {value.currency}"
        case date():
            return value.isoformat()
        case Sequence() if not isinstance(value, str):
            return "; ".join(sorted(map(str, value)))
        case None:
            return None
        case _:
            return str(value).strip()
