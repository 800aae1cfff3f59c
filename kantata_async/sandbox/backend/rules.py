"""How the objects of a collection behave, beyond holding their attributes.

The modules of `subjects` declare the rules of their collections here; filters, lists, writing and presenting read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs

from .predicates import FilterRule, Predicate
from .store import Record, Store
from .switches import Switches

Values = dict[str, Any]
FoundIds = list[str] | str | None
Finder = Callable[[Store, Record], FoundIds]
SortKey = Callable[[Store, Record], Any]
CarryOut = Callable[[Store, str, str, Any], None]
NestedFieldCheck = Callable[[Store, str, Any], list[Values]]


@attrs.frozen
class Hidden:
    """What a list leaves out unless one of its filters asks for it.

    `visible` gives the predicate for the filters given, their defaults included; `filters` names those it reads.
    """

    visible: Callable[[Store, Values], Predicate]
    filters: tuple[str, ...]


@attrs.frozen
class Guard:
    """Objects that cannot be deleted, and why."""

    refuses: Callable[[Store, Record], Any]
    reason: str


@attrs.frozen
class NestedField:
    """A field of a body that makes or changes other objects: how it is carried out, and how it is checked first."""

    carry_out: CarryOut
    check: NestedFieldCheck | None = None


@attrs.frozen(kw_only=True)
class CollectionRules:
    """The rules of one collection.

    Attributes:
        filters: The filters that mean more than their names say.
        without_effect: The filters that ask about something that no object of the collection holds, and why.
        hidden: What its list leaves out by default.
        sort_keys: What the sort fields compare where it is not the attribute of that name.
        searched: What a search looks through besides a record's own texts, given the filters.
        associations: How the ids of an association are found, by the attribute that carries them.
        names: The reference whose name an attribute repeats, where the attribute's own name does not show it.
        shown: How an attribute's value is turned into what answers show.
        files: The attributes that hold the paths of files, which show as URLs.
        has_owner: A new object belongs to a user: the caller, unless `user_id` says otherwise.
        renamed: The attribute that a field of a body sets, where their names differ.
        defaults: The attributes of a new object that its body does not give.
        meaning: The attributes that a body's values set besides those of their names.
        check: What else is wrong with the values of a body, for a new object or one that is changed.
        check_new: What else is wrong with the values of a new object, given the earlier ones of the same request.
        created: What else happens when an object is created.
        belongings: What is deleted with an object: collections and the attributes that refer to it.
        guard: What cannot be deleted.
        marked: The changes that mark an object as deleted, where it is kept; None where it is removed.
    """

    filters: Mapping[str, FilterRule] = attrs.field(factory=dict)
    without_effect: Mapping[str, str] = attrs.field(factory=dict)
    hidden: Hidden | None = None
    sort_keys: Mapping[str, SortKey] = attrs.field(factory=dict)
    searched: Callable[[Store, Record, Values], str] | None = None
    associations: Mapping[str, Finder] = attrs.field(factory=dict)
    names: Mapping[str, str] = attrs.field(factory=dict)
    shown: Mapping[str, Callable[[Any], Any]] = attrs.field(factory=dict)
    files: tuple[str, ...] = ()
    has_owner: bool = False
    renamed: Mapping[str, str] = attrs.field(factory=dict)
    defaults: Callable[[Store, Values], Values] | None = None
    meaning: Callable[[Store, Values], Values] | None = None
    check: Callable[[Store, Values], list[Values]] | None = None
    check_new: Callable[[Store, Switches, Values, list[Values]], list[Values]] | None = None
    created: Callable[[Store, str, Values], None] | None = None
    belongings: tuple[tuple[str, str], ...] = ()
    guard: Guard | None = None
    marked: Callable[[Store, Record], Values | None] | None = None


_NONE: Final = CollectionRules()
_DECLARED: Final[dict[str, CollectionRules]] = {}
_NESTED_FIELDS: Final[dict[str, NestedField]] = {}


def declare(collection: str, rules: CollectionRules) -> None:
    """Declare the rules of a collection."""
    _DECLARED[collection] = rules


def rules_of(collection: str) -> CollectionRules:
    """The rules of a collection; none where nothing was declared."""
    return _DECLARED.get(collection, _NONE)


def nested_field(name: str, *, check: NestedFieldCheck | None = None) -> Callable[[CarryOut], CarryOut]:
    """Register the function for a field of a body that is no attribute, but makes or changes other objects.

    `check` finds what is wrong with the field's value for an object of a collection.
    """

    def register(carry_out: CarryOut) -> CarryOut:
        _NESTED_FIELDS[name] = NestedField(carry_out, check)
        return carry_out

    return register


def nested_fields_of(names: Iterable[str]) -> list[tuple[str, NestedField]]:
    """The nested fields of a body with their functions, in the order of the body."""
    return [(name, _NESTED_FIELDS[name]) for name in names if name in _NESTED_FIELDS]
