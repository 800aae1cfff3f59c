"""One operation of the API as data, and the check of a call's arguments against it: pure, nothing is sent here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache, cached_property
from typing import Any, Final, Generic, TypeVar

import attrs

from ..errors import UsageError
from ..model import NaturalKey, brief_repr
from .include import NOTHING_INCLUDED, Inclusion, read_inclusion
from .parameters import (
    BOOLEAN,
    TEXT,
    Array,
    ParameterKind,
    check_fields,
    check_id,
    did_you_mean,
    member_value,
    needed_of,
    query_text,
)

R_co = TypeVar("R_co", covariant=True)

MAX_PER_PAGE: Final = 200
"""The server cuts a larger page to this (API facts, "Asking")."""

MAX_ONLY: Final = 200
"""Ids in one `only`: no more than one page can carry."""

NOTHING: Final = ()
"""The default of `include` and `optional_fields`: Python has one empty tuple."""

_DEFAULTED: Final = frozenset({"include", "optional_fields"})
_PARAMETER: Final = re.compile(r"{(\w+)}")
_BY_CUSTOM_FIELD: Final = "custom_field:<custom_field_id>"
_CUSTOM_FIELD_ORDER: Final = re.compile(r"custom_field:[0-9]+(?::asc|:desc)?")


class CustomFieldOrder(str):
    """A sort by the value of a custom field; made by `by_custom_field`."""

    __slots__ = ()


def by_custom_field(id: int | str, *, descending: bool = False) -> CustomFieldOrder:
    """The order by a custom field, where a list takes it: ``order=by_custom_field(42)``."""
    return CustomFieldOrder(f"custom_field:{check_id(id)}:{'desc' if descending else 'asc'}")


@attrs.frozen(slots=False)
class Operation(Generic[R_co]):
    """An operation of the API: its route, and everything that it takes.

    `filters` are its query parameters, `body` the fields under `body_key` (or an array kind where that key holds a
    list). `orders` are the sort fields that take a direction, `undirected_orders` those that do not. `paging`, `only`,
    `search`: whether it takes these. `collection` is where the objects of its answer are; None outside the envelope.
    `natural_key`, of a create, is what makes an object the same object. `reveal`, of a list, holds the filters that
    bring in what it leaves out by default: what `everything=True` stands for.
    """

    method: str
    path: str
    filters: Mapping[str, ParameterKind] = attrs.field(factory=dict)
    includes: tuple[str, ...] = ()
    optional_fields: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    undirected_orders: tuple[str, ...] = ()
    paging: bool = False
    only: bool = False
    search: bool = False
    body_key: str | None = None
    body: Mapping[str, ParameterKind] | Array | None = None
    bulk_max: int | None = None
    multipart: bool = False
    csv: bool = False
    collection: str | None = None
    natural_key: NaturalKey | None = None
    reveal: Mapping[str, bool | str] = attrs.field(factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @cached_property
    def in_path(self) -> Sequence[str]:
        """The names of the ids that its path holds, in order."""
        return _steps(self.path)[1::2]

    @cached_property
    def names_one_object(self) -> bool:
        """Whether its path ends with the id of the object that is meant."""
        return self.path.endswith("/{id}")

    @cached_property
    def needs_arguments(self) -> bool:
        """Whether a call must give anything but the ids."""
        return self.body is not None or any(kind.needed for kind in self.filters.values())

    @cached_property
    def fields(self) -> Mapping[str, ParameterKind]:
        """The fields of its body; none where that is a list, or where it has none."""
        return self.body if isinstance(self.body, Mapping) else {}

    @cached_property
    def needed_fields(self) -> Sequence[str]:
        """Those of them that must be given."""
        return needed_of(self.fields)

    @cached_property
    def argument_names(self) -> AbstractSet[str]:
        """The names of everything that a call may give."""
        names = {_argument(name) for name in self.filters}
        if isinstance(self.body, Mapping):
            names |= self.body.keys()
        elif self.body is not None and self.body_key is not None:
            names.add(self.body_key)
        standard = {
            "include": self.includes,
            "optional_fields": self.optional_fields,
            "order": self.orders or self.undirected_orders,
            "only": self.only,
            "search": self.search,
            "per_page": self.paging,
            "everything": self.reveal,
        }
        return names | {name for name, taken in standard.items() if taken}


@attrs.define
class Call:
    """A checked call: what goes into the path, the query and the body, and what the answer is to include."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any = None
    inclusion: Inclusion = NOTHING_INCLUDED
    multipart: bool = False
    csv: bool = False


def check_call(operation: Operation[Any], ids: Sequence[object], arguments: Mapping[str, Any]) -> Call:
    """Check the arguments of a call and lay them out for the request.

    Raises:
        UsageError: the operation does not take a name or a value, or a required one is missing.
    """
    if not operation.needs_arguments and _ask_for_nothing(arguments):
        path = fill_path(operation.path, ids)
        return Call(operation.method, path, {}, None, NOTHING_INCLUDED, operation.multipart, operation.csv)
    _refuse_unknown(operation, arguments)
    arguments = _revealing(operation, arguments)
    inclusion = read_inclusion(arguments["include"], operation.includes) if "include" in arguments else NOTHING_INCLUDED
    return Call(
        operation.method,
        fill_path(operation.path, ids),
        _query(operation, arguments, inclusion),
        _body(operation, arguments),
        inclusion,
        operation.multipart,
        operation.csv,
    )


def fill_path(template: str, ids: Sequence[object]) -> str:
    """Put ids into a path.

    Raises:
        UsageError: an id could lead to another path.
    """
    filled = list(_steps(template))
    filled[1::2] = list(map(check_id, ids, filled[1::2]))
    return "".join(filled)


@cache
def _steps(template: str) -> Sequence[str]:
    """The fixed parts of a path, and the names of the ids between them."""
    return _PARAMETER.split(template)


def _ask_for_nothing(arguments: Mapping[str, Any]) -> bool:
    """Whether these are but the defaults of a method, which most calls leave as they are."""
    return (
        arguments.keys() <= _DEFAULTED
        and arguments.get("include", NOTHING) is NOTHING
        and arguments.get("optional_fields", NOTHING) is NOTHING
    )


def _refuse_unknown(operation: Operation[Any], arguments: Mapping[str, Any]) -> None:
    known = operation.argument_names
    for name in arguments:
        if name not in known:
            raise UsageError(f"{operation} takes no {name!r}{did_you_mean(name, known)}")


def _revealing(operation: Operation[Any], arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments, with the filters that `everything` stands for; one that is given beside it is kept."""
    everything = BOOLEAN.wire(arguments.get("everything", False), "everything")
    return {**operation.reveal, **arguments} if everything else arguments


def _argument(filter: str) -> str:
    """The Python name of a filter; `except` is a keyword."""
    return f"{filter}_" if filter == "except" else filter


def _query(operation: Operation[Any], arguments: Mapping[str, Any], inclusion: Inclusion) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, kind in operation.filters.items():
        argument = _argument(name)
        if argument in arguments:
            wired = kind.wire(arguments[argument], argument)
            if _is_empty_list(arguments[argument]):
                raise UsageError(f"{argument} takes at least one value: an empty list would leave the filter out")
            query[name] = query_text(wired)
        elif kind.needed:
            raise UsageError(f"{operation} needs {argument}")
    if arguments:
        query |= _standard(operation, arguments, inclusion)
    return query


def _is_empty_list(value: Any) -> bool:
    return isinstance(value, Sequence | set | frozenset) and not isinstance(value, str) and not value


def _standard(operation: Operation[Any], arguments: Mapping[str, Any], inclusion: Inclusion) -> dict[str, str]:
    query: dict[str, str] = {}
    if inclusion.names:
        query["include"] = ",".join(inclusion.names)
    optional = arguments.get("optional_fields", NOTHING)
    if optional is not NOTHING and (names := _optional_fields(operation, optional)):
        query["optional_fields"] = ",".join(names)
    if "order" in arguments:
        query["order"] = _order(operation, arguments["order"])
    if "only" in arguments:
        query["only"] = ",".join(_only(operation, arguments["only"]))
    if "search" in arguments:
        query["search"] = _search(arguments["search"])
    if "per_page" in arguments:
        query["per_page"] = str(_per_page(arguments["per_page"]))
    return query


def _optional_fields(operation: Operation[Any], wanted: Any) -> list[str]:
    if isinstance(wanted, str) or not isinstance(wanted, Sequence):
        raise UsageError(f"optional_fields takes a list, not {brief_repr(wanted)}")
    for name in wanted:
        if not isinstance(name, str) or name not in operation.optional_fields:
            raise UsageError(
                f"{brief_repr(name)} is not an optional field here{did_you_mean(name, operation.optional_fields)}"
            )
    return list(dict.fromkeys(wanted))


def _order(operation: Operation[Any], order: Any) -> str:
    fields = [field for field in operation.orders if field != _BY_CUSTOM_FIELD]
    known = [*operation.undirected_orders, *(f"{field}{way}" for field in fields for way in ("", ":asc", ":desc"))]
    if isinstance(order, str) and (order in known or _is_custom_field_order(operation, order)):
        return str(member_value(order))
    raise UsageError(f"order does not take {brief_repr(order)}{did_you_mean(order, known)}")


def _is_custom_field_order(operation: Operation[Any], order: str) -> bool:
    return _BY_CUSTOM_FIELD in operation.orders and bool(_CUSTOM_FIELD_ORDER.fullmatch(order))


def _only(operation: Operation[Any], ids: Any) -> list[str]:
    if isinstance(ids, str | bytes) or not isinstance(ids, Sequence | set | frozenset):
        raise UsageError(f"only takes a list of ids, not {brief_repr(ids)}")
    checked = [check_id(id, "only") for id in ids]
    if not 0 < len(checked) <= MAX_ONLY:
        # Entities have a `get_many`; what comes outside the envelope does not.
        otherwise = "" if operation.collection is None else "; get_many takes any number"
        raise UsageError(f"only takes 1 to {MAX_ONLY} ids, not {len(checked)}{otherwise}")
    return checked


def _search(text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"search takes some text, not {brief_repr(text)}")
    return str(TEXT.wire(text, "search"))


def _per_page(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= MAX_PER_PAGE:
        raise UsageError(f"per_page takes 1 to {MAX_PER_PAGE}, not {brief_repr(number)}")
    return number


def _body(operation: Operation[Any], arguments: Mapping[str, Any]) -> Any:
    match operation.body:
        case None:
            return None
        case Array() as kind:
            key = operation.body_key or ""
            if key not in arguments:
                raise UsageError(f"{operation} needs {key}")
            return {key: kind.wire(arguments[key], key)}
        case known:
            wired = check_fields({name: value for name, value in arguments.items() if name in known}, known)
            return {operation.body_key: wired} if operation.body_key is not None else wired


def check_row(operation: Operation[Any], row: Any, position: int) -> dict[str, Any]:
    """The JSON object of one row of a bulk create.

    Raises:
        UsageError: the row is wrong; the message names its position.
    """
    if not operation.fields:
        raise UsageError(f"{operation} creates nothing")
    if type(row) is not dict and not isinstance(row, Mapping):
        raise UsageError(f"row {position} must be a mapping, not {brief_repr(row)}")
    return check_fields(row, operation.fields, f"row {position}", needed=operation.needed_fields)
