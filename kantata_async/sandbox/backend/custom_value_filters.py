"""Filters by the values of custom fields: ``7:Berlin``, ``(7:10):(8:20)``, ``7:1,2;8:blank`` and their like.

Each term names a field and what its value must be; a field alone asks for any value. Several terms of one field are
alternatives, terms of several fields must all hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from .predicates import FilterRule, Predicate
from .store import Store

Test = Callable[[Any], bool]

_PARENTHESISED: Final = re.compile(r"\(([^()]*)\)")
_LAST: Final = "9999-12-31"
_BLANK: Final = frozenset({"blank", "none"})


def custom_value_rule(collection: str, name: str) -> FilterRule | None:
    """The rule of a filter by custom field values; None for a filter of another name."""
    test_of = _TESTS.get(name)
    return None if test_of is None else _rule(collection, test_of)


def _rule(collection: str, test_of: Callable[[str], Test]) -> FilterRule:
    def rule(store: Store, value: Any) -> Predicate:
        wanted: dict[str, list[str]] = {}
        for field, asked in _terms(str(value)):
            wanted.setdefault(field, []).append(asked)
        predicates = [_any_of(store, collection, field, asked, test_of) for field, asked in wanted.items()]
        return lambda record: all(keep(record["id"]) for keep in predicates)

    return rule


def _terms(text: str) -> list[tuple[str, str]]:
    terms = _PARENTHESISED.findall(text) if text.startswith("(") else text.split(";")
    split = (term.partition(":") for term in terms if term)
    return [(field, asked) for field, _, asked in split]


def _any_of(
    store: Store, collection: str, field: str, asked: list[str], test_of: Callable[[str], Test]
) -> Callable[[str], bool]:
    held = _held(store, collection, field)
    tests = [test_of(one) if one else _anything for one in asked if one not in _BLANK]
    blank = any(one in _BLANK for one in asked)

    def keep(identity: str) -> bool:
        return any(test(held[identity]) for test in tests) if identity in held else blank

    return keep


def _held(store: Store, collection: str, field: str) -> dict[str, Any]:
    """The values of a field by the ids of the objects that have one."""
    values = store.records("custom_field_values")
    found = (values[identity] for identity in store.referring("custom_field_values", "custom_field_id", field))
    return {
        record["subject_ref"]["id"]: record["value"] for record in found if record["subject_ref"]["key"] == collection
    }


def _anything(_: Any) -> bool:
    return True


def _text(asked: str) -> Test:
    return lambda value: str(value).casefold() == asked.casefold()


def _number(asked: str) -> Test:
    return lambda value: isinstance(value, (int, float)) and str(value) == asked


def _number_between(asked: str) -> Test:
    least, most = (float(end or edge) for end, edge in zip(asked.partition(":")[::2], ("-inf", "inf"), strict=True))
    return lambda value: isinstance(value, (int, float)) and least <= value <= most


def _money(asked: str) -> Test:
    amount, _, code = asked.partition(":")
    cents = round(float(amount) * 100)
    return lambda value: isinstance(value, list) and value[0] == cents and code.upper() in {"", value[-1]}


def _date_between(asked: str) -> Test:
    first, _, last = asked.partition(":")
    return lambda value: isinstance(value, str) and first <= value <= (last or _LAST)


def _choices(asked: str) -> Test:
    wanted = set(asked.split(","))
    return lambda value: isinstance(value, list) and any(str(one) in wanted for one in value)


_TESTS: Final[dict[str, Callable[[str], Test]]] = {
    "by_custom_choice_value": _choices,
    "by_custom_currency_value": _money,
    "by_custom_date_field": _date_between,
    "by_custom_date_value": _date_between,
    "by_custom_number_value": _number,
    "by_custom_text_value": _text,
    "custom_date_range": _date_between,
    "custom_integer_ranges": _number_between,
    "selected_choices": _choices,
}
