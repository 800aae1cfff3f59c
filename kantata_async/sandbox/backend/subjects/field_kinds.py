"""The kinds of custom fields: which values each takes, and how it shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import attrs

from .currencies import SYMBOLS, subunits

MAX_TEXT: Final = 65_535


@attrs.frozen
class FieldKind:
    """A kind of value: what an error says that it must be, the test for it, and its text."""

    must_be: str
    takes: Callable[[Any, Mapping[str, str]], bool]
    shows: Callable[[Any, Mapping[str, str]], str]


def _is_text(value: Any, _: Mapping[str, str]) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _is_date(value: Any, _: Mapping[str, str]) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_whole(value: Any, _: Mapping[str, str]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_money(value: Any, labels: Mapping[str, str]) -> bool:
    return isinstance(value, list) and len(value) == 2 and _is_whole(value[0], labels) and value[1] in SYMBOLS


def _are_choices(value: Any, labels: Mapping[str, str]) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, (int, str)) and str(one) in labels for one in value)
        and len(set(map(str, value))) == len(value)
    )


def _is_choice(value: Any, labels: Mapping[str, str]) -> bool:
    return _are_choices(value, labels) and len(value) == 1


def _money(value: Any, _: Mapping[str, str]) -> str:
    amount, code = value
    unit = subunits(code)
    return f"{SYMBOLS[code]}{amount / unit:,.{len(str(unit)) - 1}f}"


def _labels(value: Any, labels: Mapping[str, str]) -> str:
    return ", ".join(labels[str(one)] for one in value)


def _as_text(value: Any, _: Mapping[str, str]) -> str:
    return str(value)


KINDS: Final[Mapping[str, FieldKind]] = {
    "string": FieldKind("a text", _is_text, _as_text),
    "date": FieldKind("a date such as 2026-08-25", _is_date, _as_text),
    "number": FieldKind("a whole number", _is_whole, _as_text),
    "currency": FieldKind("an amount in cents and a currency code", _is_money, _money),
    "single": FieldKind("one of the field's choices, in an array", _is_choice, _labels),
    "multi": FieldKind("some of the field's choices, in an array", _are_choices, _labels),
}
OF_CHOICES: Final = frozenset({"single", "multi"})
