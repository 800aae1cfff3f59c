"""The columns of a sheet, and the headers by which people call them: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, Final

import attrs

from ...calls import is_iterable
from ...custom_fields import DefinedFields, FieldDefinition, text_of_value, value_from_text
from ...errors import UsageError
from ...model import brief_repr
from ..texts import coded, hint, nearest

_ALPHABET: Final = 26


@attrs.frozen
class SheetColumn:
    """A column of a sheet.

    Attributes:
        name: what it is called.
        read: reads the text of its cells.
        aliases: other headers for it.
        required: whether every line needs it.
        clearable: whether a cell can clear the value.
    """

    name: str
    read: Callable[[str], Any]
    aliases: tuple[str, ...] = ()
    required: bool = False
    clearable: bool = False


@attrs.frozen
class Columns:
    """The columns that a sheet may have.

    Attributes:
        columns: the columns.
        ambiguous: headers that could be one of several columns, which the error asks the user to choose from.
        stand_ins: by required columns that are not there, those that mean the same without them.
        may_have_fields: whether custom fields could be columns besides, and are not.
    """

    columns: tuple[SheetColumn, ...]
    ambiguous: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    stand_ins: Mapping[str, str] = attrs.field(factory=dict)
    may_have_fields: bool = False
    by_name: Mapping[str, SheetColumn] = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: {column.name: column for column in self.columns}, takes_self=True),
    )
    """The columns by their own names."""

    def with_fields(self, fields: DefinedFields) -> Columns:
        """These columns, and one for each custom field whose name means none of them."""
        by_code: dict[str, list[FieldDefinition]] = defaultdict(list)
        for field in fields.fields:
            if self.find(field.name) is None:
                by_code[coded(field.name)].append(field)
        own = [
            SheetColumn(one.name, partial(_read_field, one), (code,), clearable=True)
            for code, (one, *more) in by_code.items()
            if not more
        ]
        several = {code: tuple(one.name for one in ones) for code, ones in by_code.items() if len(ones) > 1}
        return attrs.evolve(
            self, columns=(*self.columns, *own), ambiguous={**self.ambiguous, **several}, may_have_fields=False
        )

    @property
    def required(self) -> list[str]:
        """The names of the columns that every line needs."""
        return [column.name for column in self.columns if column.required]

    def find(self, header: str) -> str | None:
        """The name of the column that a header means."""
        codes = {coded(header), coded(header).replace("e_mail", "email")}
        return next((one.name for one in self.columns if not codes.isdisjoint((one.name, *one.aliases))), None)

    def meant(self, names: Collection[str | None]) -> Mapping[str | None, str]:
        """The required columns that are not there, by those that stand in for them."""
        pairs = self.stand_ins.items()
        return {stand_in: name for name, stand_in in pairs if name not in names and stand_in in names}

    def wrong(self, header: str) -> str:
        """Why a header names none of the columns."""
        choice = self.ambiguous.get(coded(header))
        if choice is not None:
            return f"the column {header!r} could be {' or '.join(choice)}: rename it to the one that is meant"
        names = {alias: column.name for column in self.columns for alias in (column.name, *column.aliases)}
        near = list(dict.fromkeys(names[alias] for alias in nearest(coded(header), names)))
        offer = f"; did you mean {' or '.join(map(repr, near))}?" if near else hint(coded(header), self.by_name)
        return f"there is no column {header!r}{offer}"


def _read_field(field: FieldDefinition, text: str) -> str:
    """The text of a custom field's value, as `text_of_value` spells it."""
    try:
        value = value_from_text(field, text)
    except UsageError as error:
        raise ValueError(str(error).removeprefix(field.name).lstrip(": ")) from error
    return text_of_value(value) or ""


class Keys:
    """The columns that the keys of objects name; each key is looked up once, however many objects there are."""

    def __init__(self, columns: Columns, ignored: Collection[str]) -> None:
        ignoring = _ignoring(ignored)
        self.columns = columns
        self.is_ignored = cache(lambda key: coded(key) in ignoring)
        self.find = cache(columns.find)
        self.wrong = cache(columns.wrong)


@attrs.frozen
class Layout:
    """Which column each place of a row belongs to, None for one that is left out; and the places without a header."""

    columns: Columns
    places: tuple[str | None, ...]
    unnamed: frozenset[int]

    def beyond(self, cells: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """The cells that stand under no header, with their places."""
        for number in (*sorted(self.unnamed), *range(len(self.places), len(cells))):
            if number < len(cells):
                yield number, cells[number]


def lay_out(columns: Columns, header: Sequence[str], ignored: Collection[str], source: str) -> Layout:
    """Which columns a header names.

    Raises:
        UsageError: the header is wrong; the message names every fault at once.
    """
    ignoring = _ignoring(ignored)
    codes = [coded(text) if text else letters(number).lower() for number, text in enumerate(header)]
    places = [None if code in ignoring else columns.find(text) for code, text in zip(codes, header, strict=True)]
    unknown = [
        text
        for place, code, text in zip(places, codes, header, strict=True)
        if text and place is None and code not in ignoring
    ]
    wrong = [columns.wrong(text) for text in unknown]
    if unknown and columns.may_have_fields:
        wrong.append("a custom field is a column where the sheet is read with custom fields (--custom-fields)")
    wrong += _doubled(places, header)
    meant = columns.meant(places)
    places = [meant.get(place, place) for place in places]
    wrong += [f"the column {name!r} is missing" for name in columns.required if name not in places]
    wrong += [f"there is no column {name!r} to ignore" for code, name in ignoring.items() if code not in codes]
    if wrong:
        raise UsageError(f"{source}: {'; '.join(dict.fromkeys(wrong))}")
    unnamed = (number for number, text in enumerate(header) if not text and codes[number] not in ignoring)
    return Layout(columns, tuple(places), frozenset(unnamed))


def _ignoring(names: object) -> dict[str, str]:
    """The names of columns to leave out, in the form in which they are compared.

    Raises:
        UsageError: they are no texts.
    """
    given: list[Any] = [names] if isinstance(names, str) or not is_iterable(names) else list(names)
    if not all(isinstance(name, str) for name in given):
        raise UsageError(f"ignore_columns takes the names of columns, not {brief_repr(names)}")
    return {coded(name): name for name in given}


def letters(number: int) -> str:
    """The name of a column in a spreadsheet, by its place from 0: A, B, …, Z, AA."""
    before, last = divmod(number, _ALPHABET)
    return (letters(before - 1) if before else "") + chr(ord("A") + last)


def _doubled(places: Sequence[str | None], header: Sequence[str]) -> list[str]:
    texts: dict[str, list[str]] = defaultdict(list)
    for place, text in zip(places, header, strict=True):
        if place is not None:
            texts[place].append(text)
    return [_doubled_column(name, found) for name, found in texts.items() if len(found) > 1]


def _doubled_column(name: str, headers: Sequence[str]) -> str:
    if len({coded(text) for text in headers}) == 1:
        return f"there are two columns {name!r}"
    return f"the columns {' and '.join(map(repr, headers))} are both the {name!r}: leave one out, or ignore it"
