"""What filters are made of: rules that turn a filter's value into a predicate over records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from .inflection import collection_of_class
from .query_string import moment
from .store import Record, Store, entries

Predicate = Callable[[Record], bool]
FilterRule = Callable[[Store, Any], Predicate]
Condition = Callable[[Store, Record], Any]


def everything(_: Record) -> bool:
    """Keep every record."""
    return True


def all_of(predicates: Iterable[Predicate]) -> Predicate:
    """The predicate that all of several are satisfied."""
    found = tuple(predicates)
    return lambda record: all(keep(record) for keep in found)


def flag(condition: Condition) -> FilterRule:
    """A boolean that narrows when true and does nothing when false."""
    return lambda store, value: (lambda record: bool(condition(store, record))) if value else everything


def matching(condition: Condition) -> FilterRule:
    """A boolean that keeps the records that satisfy a condition when true, and the others when false."""
    return lambda store, value: lambda record: bool(condition(store, record)) is value


def where(attribute: str, *wanted: Any) -> Condition:
    """Whether an attribute is one of some values."""
    return lambda _, record: record.get(attribute) in wanted


def present(attribute: str) -> Condition:
    """Whether an attribute holds anything."""
    return lambda _, record: bool(record.get(attribute))


def absent(attribute: str) -> Condition:
    """Whether an attribute holds nothing."""
    return lambda _, record: not record.get(attribute)


def equal(attribute: str) -> FilterRule:
    """Records whose attribute is the value, or whose list attribute holds it."""

    def rule(_: Store, value: Any) -> Predicate:
        wanted = value if isinstance(value, bool) else comparable(value)
        return lambda record: any(comparable(held) == wanted for held in entries(record.get(attribute)))

    return rule


def among(attribute: str) -> FilterRule:
    """Records whose attribute is one of the values, or whose list attribute holds one."""

    def rule(_: Store, value: Any) -> Predicate:
        wanted = set(texts(value))
        return lambda record: any(comparable(held) in wanted for held in entries(record.get(attribute)))

    return rule


def outside(attribute: str) -> FilterRule:
    """Records whose attribute is none of the values."""

    def rule(_: Store, value: Any) -> Predicate:
        unwanted = set(texts(value))
        return lambda record: record.get(attribute) not in unwanted

    return rule


def containing(*attributes: str) -> FilterRule:
    """Records with the text in one of the attributes, without regard to case."""

    def rule(_: Store, value: Any) -> Predicate:
        wanted = str(value).casefold()
        return lambda record: any(wanted in str(record.get(name) or "").casefold() for name in attributes)

    return rule


def compared(attribute: str, after: bool) -> FilterRule:
    """Records whose date or time is the value or later; or the value or earlier."""

    def rule(_: Store, value: Any) -> Predicate:
        def keep(record: Record) -> bool:
            held = _when(record.get(attribute), value)
            return held is not None and (held >= value if after else held <= value)

        return keep

    return rule


def between(attribute: str) -> FilterRule:
    """Records whose day lies within ``from:to``; either end may be left out."""

    def rule(_: Store, value: Any) -> Predicate:
        first, _colon, last = str(value).partition(":")
        return lambda record: first <= str(record.get(attribute) or "")[:10] <= (last or "9")

    return rule


def overlapping(start: str, end: str) -> FilterRule:
    """Records whose span of days overlaps ``from:to``."""

    def rule(_: Store, value: Any) -> Predicate:
        first, _colon, last = str(value).partition(":")
        return lambda record: str(record.get(start) or "") <= (last or "9") and str(record.get(end) or "9") >= first

    return rule


def in_force(start: str, end: str = "") -> FilterRule:
    """Records that have begun by a day, and have not ended before it."""

    def rule(_: Store, value: date) -> Predicate:
        day = value.isoformat()
        return lambda record: (
            str(record.get(start) or "")[:10] <= day and (not record.get(end) or str(record[end])[:10] >= day)
        )

    return rule


def joined(collection: str, near: str, far: str, *, own: str = "id", negated: bool = False) -> FilterRule:
    """Records whose `own` is on the far side of a joining record that names the value on its near side."""

    def rule(store: Store, value: Any) -> Predicate:
        joining = store.records(collection)
        found = {
            joining[link].get(far) for wanted in texts(value) for link in store.referring(collection, near, wanted)
        }
        return lambda record: (record.get(own) in found) is not negated

    return rule


def beyond(collection: str, ref: str, rule: FilterRule) -> FilterRule:
    """A rule about the object that the record refers to."""

    def over(store: Store, value: Any) -> Predicate:
        keep, others = rule(store, value), store.records(collection)
        return lambda record: (other := others.get(record.get(ref) or "")) is not None and keep(other)

    return over


def about(part: str) -> FilterRule:
    """Records about a subject, by its id or by its class."""

    def rule(_: Store, value: Any) -> Predicate:
        wanted = collection_of_class(value) if part == "key" else str(value)
        return lambda record: (record.get("subject_ref") or {}).get(part) == wanted

    return rule


def chosen(attribute: str) -> FilterRule:
    """Records by an attribute that marks them: `only`, `exclude` or `include`."""

    def rule(_: Store, value: Any) -> Predicate:
        if value == "include":
            return everything
        return lambda record: bool(record.get(attribute)) is (value == "only")

    return rule


def texts(value: Any) -> list[str]:
    """The values of a filter that takes several, as texts."""
    if isinstance(value, list):
        return [str(entry) for entry in value]
    return str(value).split(",")


def comparable(value: Any) -> Any:
    """A value as filters compare it: text, but for booleans."""
    if isinstance(value, bool):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _when(held: Any, like: date) -> Any:
    if not held:
        return None
    return moment(held) if isinstance(like, datetime) else date.fromisoformat(held[:10])
