"""Custom fields by their names: the values of any objects as Python values, read and set.

amounts      amounts as people write them
money        amounts of money
values       what values of each kind are in Python and on the wire
texts        values as the text of a spreadsheet's cell
definitions  the fields that a kind of object has, by name
subjects     the objects that hold values
reading      the values of objects
wishes       what was asked for, checked
result       what became of each value
setting      values made to match what was asked for
by_name      what the generated resource of custom fields inherits
"""

from __future__ import annotations

from .amounts import is_ambiguous, read_amount
from .by_name import FieldsByName
from .definitions import DefinedFields, FieldDefinition, read_fields
from .money import Money
from .result import FieldOutcome, FieldsResult, FieldStatus, fields_result
from .subjects import SUBJECT_TYPES, SubjectType
from .texts import text_of_value, value_from_text
from .values import FieldValue

__all__ = [
    "SUBJECT_TYPES",
    "DefinedFields",
    "FieldDefinition",
    "FieldOutcome",
    "FieldStatus",
    "FieldValue",
    "FieldsByName",
    "FieldsResult",
    "Money",
    "SubjectType",
    "fields_result",
    "is_ambiguous",
    "read_amount",
    "read_fields",
    "text_of_value",
    "value_from_text",
]
