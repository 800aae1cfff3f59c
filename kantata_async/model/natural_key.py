"""What makes an object of a resource the same object: the fields that identify it, and how to look for them."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen
class NaturalKey:
    """The natural key of a resource.

    `fields` are the fields of a row that identify an object; the entity carries them under the same names when
    `include` is asked for. A list is asked once for each combination of the fields in `one`, and for many values of the
    field in `many` at once; where few rows are looked for, `each` narrows it to a single row. All three map a filter of
    the list to a field of the row. With neither `one` nor `many`, the whole list is read.
    """

    fields: tuple[str, ...]
    one: Mapping[str, str] = attrs.field(factory=dict)
    many: Mapping[str, str] = attrs.field(factory=dict)
    each: Mapping[str, str] = attrs.field(factory=dict)
    include: tuple[str, ...] = ()
