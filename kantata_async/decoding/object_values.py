"""The values of the objects of an answer, read as the catalogue says; of objects as JSON has them, or as msgspec does.

Objects that are alike are read by msgspec all at once, and only what it takes no part in is read value by value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import attrs
import msgspec

from ..model import Note
from .compiled import ValuesOf
from .object_layout import ObjectLayout

_LIST: Any = list
"""Of a type that is known only at run time."""


@attrs.define
class Objects:
    """Objects of one class that an answer carries.

    Attributes:
        layout: which attributes they have.
        by_id: their values, or msgspec's objects that hold these.
        beside: what they carry beside those attributes, by id; little ever does.
        notes: of values that could not be read as the catalogue says.
    """

    layout: ObjectLayout
    by_id: Mapping[str, Any]
    beside: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    notes: Sequence[Note] = ()

    @property
    def values_of(self) -> ValuesOf:
        """What gives the values of one of them."""
        packed = isinstance(next(iter(self.by_id.values()), None), msgspec.Struct)
        return msgspec.structs.astuple if packed else tuple

    def columns(self, ids: Iterable[str]) -> dict[str, Sequence[Any]]:
        """The values of these of the objects by attribute, in the order of the ids; UNSET where an object lacks it."""
        chosen = list(ids)
        values_of, layout = self.values_of, self.layout
        values = zip(*[values_of(self.by_id[id]) for id in chosen], strict=True)
        columns: dict[str, Sequence[Any]] = dict(zip(layout.names, values, strict=True)) if chosen else {}
        for name in dict.fromkeys(chain.from_iterable(self.beside.get(id, ()) for id in chosen)):
            columns[name] = [self.beside.get(id, {}).get(name, msgspec.UNSET) for id in chosen]
        return columns


def read_plain(key: str, objects: Mapping[str, Mapping[str, Any]], known: ObjectLayout) -> Objects:
    """Read objects of a collection as JSON has them, whose layout may go beyond what is known of it."""
    if not objects:
        return Objects(known, {})
    by_size = sorted(objects.values(), key=len)
    likely = known.with_names([tuple(by_size[-1]), tuple(by_size[0])])
    try:
        decoded = msgspec.convert(objects, likely.type)
    except msgspec.ValidationError:
        return _read_one_by_one(key, objects, known.with_names(list(dict.fromkeys(map(tuple, objects.values())))))
    return read_decoded(key, decoded, likely)


def read_decoded(key: str, objects: Mapping[str, Any], layout: ObjectLayout) -> Objects:
    """Read what msgspec left unread of objects that it decoded by their layout."""
    if not layout.unread or not objects:
        return Objects(layout, objects)
    columns: list[Sequence[Any]] = list(zip(*map(msgspec.structs.astuple, objects.values()), strict=True))
    reading = _ColumnsRead(key, list(objects), layout, columns)
    for name in layout.unread:
        reading.read_each(layout.names.index(name))
    return Objects(layout, reading.by_id(), notes=reading.notes)


def _read_one_by_one(key: str, objects: Mapping[str, Mapping[str, Any]], layout: ObjectLayout) -> Objects:
    """Read objects that are not alike, or that msgspec does not take."""
    columns: list[Sequence[Any]] = [[one.get(name, msgspec.UNSET) for one in objects.values()] for name in layout.names]
    reading = _ColumnsRead(key, list(objects), layout, columns)
    for place in range(len(columns)):
        reading.read(place)
    known = frozenset(layout.names)
    beside = {id: {name: one[name] for name in one if name not in known} for id, one in objects.items()}
    unknown = {id: values for id, values in beside.items() if values}
    return Objects(layout.with_loose(reading.loose), reading.by_id(), unknown, reading.notes)


@attrs.define
class _ColumnsRead:
    """The values of objects while they are read, by attribute.

    Attributes:
        key: of the collection.
        ids: of the objects.
        layout: of the objects, which says which attribute is at which place.
        columns: the values of each attribute, in the order of the ids.
        loose: the attributes of which msgspec does not take every value.
        notes: of values that could not be read as the catalogue says.
    """

    key: str
    ids: Sequence[str]
    layout: ObjectLayout
    columns: list[Sequence[Any]]
    loose: set[str] = attrs.field(factory=set)
    notes: list[Note] = attrs.field(factory=list)

    def by_id(self) -> dict[str, tuple[Any, ...]]:
        """The values of each object."""
        return dict(zip(self.ids, zip(*self.columns, strict=True), strict=True))

    def read(self, place: int) -> None:
        """Read the values of one attribute: as msgspec does if it takes them all, else each for itself."""
        name = self.layout.names[place]
        decoded = self.layout.decoded(name)
        if decoded is not Any:
            column = self.columns[place]
            try:
                read = iter(msgspec.convert([value for value in column if value is not msgspec.UNSET], _LIST[decoded]))
            except msgspec.ValidationError:
                self.loose.add(name)
            else:
                self.columns[place] = [value if value is msgspec.UNSET else next(read) for value in column]
                return
        self.read_each(place)

    def read_each(self, place: int) -> None:
        """Read the values of one attribute each for itself, whatever they are."""
        name = self.layout.names[place]
        rule = self.layout.rule(name)
        if rule is None:
            return
        read: list[Any] = []
        for id, sent in zip(self.ids, self.columns[place], strict=True):
            value, fault = (sent, None) if sent is msgspec.UNSET else rule.reading(sent)
            if fault is not None:
                self.notes.append(Note(self.key, id, name, value, fault))
            read.append(value)
        self.columns[place] = read
