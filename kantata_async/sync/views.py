"""Views of the collections of a copy, with the custom fields of their objects as columns by their names."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from ..calls import together
from ..custom_fields import SUBJECT_TYPES, read_fields
from ..errors import KantataError, UsageError
from ..resource import Resource
from ..session import KantataSession
from ..tables import Table, table_of
from .report import JobReport
from .store import OpenTarget
from .targets import FieldsView, ShowsFields, Target

_VALUES: Final = "custom_field_values"
_CHOICES: Final = "custom_field_choices"
_JOB: Final = "custom field views"
_INCLUDED: Final = ("custom_field", "selected_choices")
"""What says which field a value belongs to, and which choices it stands for."""


class FieldViews:
    """The views of one copy, renewed with each run.

    Raises:
        UsageError: the target has no views.
    """

    def __init__(self, kantata: KantataSession, target: Target) -> None:
        if not isinstance(target, ShowsFields):
            raise UsageError(
                f"{type(target).__name__} has no views, so custom fields cannot be shown as columns; SQLiteTarget, "
                "PostgresTarget and DuckDBTarget have"
            )
        self._connection: Final = kantata._connection
        self.resources: Final[Mapping[str, Resource]] = {
            "custom_fields": kantata.custom_fields,
            _CHOICES: kantata.custom_field_choices,
            _VALUES: kantata.custom_field_values,
        }
        """What the views are made of, and so has to be copied."""

    def arguments(self, resource: Resource, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a list, with what its view needs."""
        if type(resource) is not type(self.resources[_VALUES]):
            return dict(arguments)
        return {**arguments, "include": list(dict.fromkeys([*arguments.get("include", ()), *_INCLUDED]))}

    async def run(self, store: OpenTarget, collections: Iterable[str]) -> JobReport:
        """The report of renewing the views of those collections whose objects can have custom fields.

        An error is in the report, even that of a target: what the jobs copied is stored by then.
        """
        began = time.monotonic()
        shown = [name for name in collections if name in SUBJECT_TYPES]
        try:
            fields = await together(read_fields(self._connection, SUBJECT_TYPES[name]) for name in shown)
            for name, defined in zip(shown, fields, strict=True):
                view = FieldsView(self._table(name), defined.fields, self._table(_VALUES), self._table(_CHOICES))
                await store.renew(view)
        except KantataError as error:
            return JobReport(_JOB, requests=len(shown), seconds=time.monotonic() - began, error=error)
        return JobReport(_JOB, requests=len(shown), seconds=time.monotonic() - began, behind=timedelta())

    def _table(self, collection: str) -> Table:
        return table_of(collection, self._connection.reader.class_of(collection))
