"""The company behind the API: its store, and the rules by which operations read and answer it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from kantata_async.catalogue import Catalogue, CatalogueOperation, Type

from .answer import Answer, json_answer
from .blanks import blanks
from .change_feed import ChangeFeed
from .clock import Clock
from .files import Files
from .filters import FilterRules
from .lists import Lists
from .presenting import PageSlice, Presenter
from .query_string import Asked
from .references import References
from .refusals import Refusal, malformed
from .rules import nested_fields_of, rules_of
from .store import Store
from .switches import Switches
from .validation import Checked, Checker


@attrs.frozen(kw_only=True)
class ParsedRequest:
    """A request as its handler gets it: the operation, the ids in the path, the query and the body."""

    operation: CatalogueOperation
    params: Mapping[str, str]
    asked: Asked
    body: Any = None
    form: bool = False

    @property
    def id(self) -> str:
        """The id in the path."""
        return self.params["id"]


class Company:
    """Everything that operations need to answer."""

    def __init__(
        self, catalogue: Catalogue, references: References, filters: FilterRules, switches: Switches, clock: Clock
    ) -> None:
        self.catalogue = catalogue
        self.references = references
        self.filters = filters
        self.switches = switches
        self.store = Store(blanks(catalogue), clock)
        self.files = Files(clock)
        self.presenter = Presenter(catalogue, references, self.store, self.files)
        self.feed = ChangeFeed(catalogue, self.store, self.presenter.plain)
        self.lists = Lists(self.store, filters)
        self.chance = random.Random(0)  # noqa: S311 - shuffles answers, guards nothing

    def listing(self, collection: str) -> CatalogueOperation | None:
        """The operation that lists a collection, if there is one."""
        return self.filters.lists.get(collection)

    def present(
        self,
        call: ParsedRequest,
        ids: Sequence[str],
        page: PageSlice | None = None,
        *,
        also: Mapping[str, Any] | None = None,
    ) -> Answer:
        """The envelope with these objects as its matches, which show `also` beside their own attributes."""
        payload = self.presenter.envelope(
            call.operation,
            ids,
            page or PageSlice(len(ids), size=max(len(ids), call.asked.size)),
            include=call.asked.include,
            optional=call.asked.optional_fields,
            switches=self.switches,
            also=also,
        )
        return json_answer(payload, call.operation.status)

    def changed(self, call: ParsedRequest, identity: str) -> Answer:
        """The answer to a change of one object."""
        return Answer(204) if self.switches.updates_without_body else self.present(call, [identity])

    def body(self, call: ParsedRequest, *also: str) -> dict[str, Any]:
        """The body as an object with the keys that the operation takes, and `also`; an absent one is empty.

        Raises:
            Refusal: 400 when it is no object, or is required and missing; 422 for keys that are not taken.
        """
        operation = call.operation
        body = {} if call.body is None else call.body
        if not isinstance(body, dict):
            raise malformed("The body must be a JSON object")
        fields = operation.body if isinstance(operation.body, tuple) else ()
        known = {operation.body_key, *also} if operation.body_key else {*(field.name for field in fields), *also}
        if self.switches.refuse_unknown and (unknown := sorted(body.keys() - known)):
            errors = [
                {"type": "validation", "message": f"{name} is not a known field", "field": name} for name in unknown
            ]
            raise Refusal(422, errors)
        if operation.body_required and not body.keys() & known:
            raise malformed(f"param is missing or the value is empty: {operation.body_key}", operation.body_key)
        return body

    def checked(self, call: ParsedRequest, collection: str) -> dict[str, Any]:
        """The one object of a body, checked.

        Raises:
            Refusal: the object breaks a rule.
        """
        body, operation = self.body(call), call.operation
        raw = body.get(operation.body_key, {}) if operation.body_key else body
        checked = self.check(call, collection, raw)
        if checked.errors:
            raise Refusal(422, checked.errors)
        return checked.values

    def check(self, call: ParsedRequest, collection: str, raw: Any) -> Checked:
        """One object of a body, checked by the catalogue, and its nested fields by their rules."""
        body = call.operation.body
        checked = self._without_ignored(
            collection, self.checker(call).check(collection, body if isinstance(body, tuple) else (), raw)
        )
        if checked.errors:
            return checked
        own = rules_of(collection).check
        errors = [] if own is None else own(self.store, checked.values)
        errors += [
            error
            for name, part in nested_fields_of(checked.values)
            if part.check is not None and checked.values[name] is not None
            for error in part.check(self.store, collection, checked.values[name])
        ]
        return Checked(checked.values, errors)

    def _without_ignored(self, collection: str, checked: Checked) -> Checked:
        ignored = self.switches.ignored_fields
        if not ignored:
            return checked
        values = {name: value for name, value in checked.values.items() if f"{collection}.{name}" not in ignored}
        return Checked(values, checked.errors)

    def rows(self, call: ParsedRequest, collection: str) -> list[dict[str, Any]]:
        """The objects of a body whose key holds a list, checked.

        Raises:
            Refusal: an object breaks a rule; its errors have the `index`.
        """
        operation = call.operation
        raw = self.body(call).get(str(operation.body_key))
        row = operation.body.of if isinstance(operation.body, Type) else None
        if not isinstance(raw, list) or row is None:
            raise malformed(f"{operation.body_key} must be an array", operation.body_key)
        checked = [self.checker(call).check(collection, row.fields, entry) for entry in raw]
        errors = [self.located(error, index) for index, one in enumerate(checked) for error in one.errors]
        if errors:
            raise Refusal(422, errors)
        return [one.values for one in checked]

    def located(self, error: dict[str, Any], index: int) -> dict[str, Any]:
        """An error of a batch, with its index unless the switch is off."""
        return {**error, "index": index} if self.switches.error_index else error

    def checker(self, call: ParsedRequest) -> Checker:
        """The checker of the objects of a body."""
        return Checker(
            store=self.store,
            references=self.references,
            refuse_unknown=self.switches.refuse_unknown,
            form=call.form,
            upload=call.operation.upload,
        )
