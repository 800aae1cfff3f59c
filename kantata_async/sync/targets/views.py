"""Views of collections with the custom fields of their objects as columns: their names, and their SQL. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

import attrs

from ...bulk import order_of_making
from ...custom_fields import FieldDefinition
from ...printable import printable
from ...tables import Table
from .names import literal, quoted
from .ours import DELETED_AT

SUFFIX: Final = "_with_custom_fields"
"""What follows a collection's name in the name of its view."""

_MOST_BYTES: Final = 63
"""The bytes of a name in PostgreSQL, which cuts longer ones off."""

_CURRENCY: Final = " currency"
_LABELS: Final = "labels"


@attrs.frozen
class FieldsView:
    """What a view shows.

    Attributes:
        table: the collection's table.
        fields: the custom fields of its objects.
        values: the table of their values.
        choices: the table of the choices that values may be.
    """

    table: Table
    fields: Sequence[FieldDefinition]
    values: Table
    choices: Table

    @property
    def name(self) -> str:
        """The name of the view."""
        return f"{self.table.collection}{SUFFIX}"


@runtime_checkable
class ShowsFields(Protocol):
    """A target that has views."""

    def renew(self, view: FieldsView) -> None:
        """Make a view, anew where it is not as it should be.

        Raises:
            TargetError: it could not be made; the message says why.
        """
        ...


@attrs.frozen(kw_only=True)
class Dialect:
    """How a database says what a value ``v`` holds, and which choices ``c`` it is of.

    Attributes:
        text: the value as text.
        whole: as a number.
        day: as a date.
        cents: of money, a number.
        currency: of money, its code.
        spread: what is joined to a value so that `chosen` can be asked; empty where nothing is needed.
        chosen: whether a value is of a choice.
        labels: an aggregate of the labels of choices ``s``.
        first: the first of such labels ``l.labels``.
    """

    text: str
    whole: str
    day: str
    cents: str
    currency: str
    spread: str
    chosen: str
    labels: str
    first: str


@attrs.frozen
class FieldColumn:
    """A column of a view: its name, the id of its field, and what of the field's value it shows."""

    name: str
    field_id: str
    shows: str


def field_columns(own: Iterable[str], fields: Sequence[FieldDefinition]) -> list[FieldColumn]:
    """The columns of custom fields, beside a collection's own.

    A currency field has two: the cents under its name, and the code under that with `` currency`` after it. Databases
    do not tell names apart by capitals alone, and PostgreSQL cuts long ones off: a name that is taken already, or too
    long, has the id of its field after it, as in ``title (#42)``. Of two fields the older one keeps its name.
    """
    taken = {name.casefold() for name in own}
    columns: dict[str, list[FieldColumn]] = {}
    for field in sorted(fields, key=order_of_making):
        columns[field.id] = []
        for shows, ending in _SHOWN.get(field.kind, _AS_TEXT):
            name = _free_name(field, ending, taken)
            taken.add(name.casefold())
            columns[field.id].append(FieldColumn(name, field.id, shows))
    return [column for field in fields for column in columns[field.id]]


_AS_TEXT: Final = (("text", ""),)
_SHOWN: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "number": (("whole", ""),),
    "date": (("day", ""),),
    "currency": (("cents", ""), ("currency", _CURRENCY)),
    "single": (("first", ""),),
    "multi": ((_LABELS, ""),),
}


def _free_name(field: FieldDefinition, ending: str, taken: set[str]) -> str:
    title = " ".join(printable(field.name, " ").split())
    name = f"{title}{ending}"
    if title and len(name.encode()) <= _MOST_BYTES and name.casefold() not in taken:
        return name
    ending = f" (#{field.id}){ending}"
    return f"{_cut(title, _MOST_BYTES - len(ending.encode()))}{ending}".strip()


def _cut(text: str, size: int) -> str:
    """The beginning of a text that has at most so many bytes."""
    return text.encode()[:size].decode(errors="ignore").rstrip()


def view_query(view: FieldsView, own: Sequence[str], dialect: Dialect, named: Callable[[str], str]) -> str:
    """The query of a view.

    A value that was replaced has a new id, and for a while a copy may hold both: the newest is shown.

    Args:
        view: what it shows.
        own: the columns of the collection's table.
        dialect: the database's.
        named: gives a table as statements name it.
    """
    columns = field_columns(own, view.fields)
    shown = [*(f"o.{quoted(name)}" for name in own), *(f"h.{quoted(one.name)}" for one in columns)]
    objects = f"SELECT {', '.join(shown)} FROM {named(view.table.collection)} AS o"  # noqa: S608 - quoted
    if not columns:
        return objects
    return f"WITH {_held(view, columns, dialect, named)} {objects} LEFT JOIN held AS h ON h.subject_id = o.id"


def _held(view: FieldsView, columns: Sequence[FieldColumn], dialect: Dialect, named: Callable[[str], str]) -> str:
    """The subqueries that end in `held`: a row for each object, with its values in the columns of their fields."""
    values, choices = named(view.values.collection), named(view.choices.collection)
    ids = ", ".join(literal(id) for id in dict.fromkeys(one.field_id for one in columns))
    held = ", ".join(
        f"max(CASE WHEN v.custom_field_id = {literal(one.field_id)} THEN {_expression(one, dialect)} END) "
        f"AS {quoted(one.name)}"
        for one in columns
    )
    return (
        "ranked AS (SELECT v.id, v.subject_id, v.custom_field_id, v.value, v.selected_choice_ids, "  # noqa: S608 - quoted
        "row_number() OVER (PARTITION BY v.subject_id, v.custom_field_id "
        "ORDER BY v.updated_at DESC, length(v.id) DESC, v.id DESC) AS place "
        f"FROM {values} AS v WHERE v.{DELETED_AT} IS NULL AND v.custom_field_id IN ({ids})), "
        "newest AS (SELECT * FROM ranked WHERE place = 1), "
        f"chosen AS (SELECT s.id, {dialect.labels} AS labels FROM (SELECT v.id, c.label, c.position "
        f"FROM newest AS v {dialect.spread} JOIN {choices} AS c ON {dialect.chosen} ORDER BY v.id, c.position) AS s "
        "GROUP BY s.id), "
        f"held AS (SELECT v.subject_id, {held} FROM newest AS v LEFT JOIN chosen AS l ON l.id = v.id "
        "GROUP BY v.subject_id)"
    )


def _expression(column: FieldColumn, dialect: Dialect) -> str:
    return "l.labels" if column.shows == _LABELS else str(getattr(dialect, column.shows))
