"""From a method, a path and a body to an answer: the API without the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import attrs

from kantata_async.catalogue import Catalogue, load

from .answer import Answer
from .clock import Clock
from .company import Company, ParsedRequest
from .files import StoredFile
from .filters import FilterRules
from .paths import Paths
from .query_string import read
from .references import References
from .refusals import Refusal, missing
from .routes import handler_of
from .subjects.invoices import as_pdf
from .switches import Switches

_INVOICE: Final = re.compile(r"/invoices/(\d+)\.pdf")


@attrs.frozen
class ServedAnswer:
    """An answer, and whether a write was carried out for it."""

    answer: Answer
    committed: bool


@attrs.frozen
class _Specification:
    """Everything derived from the catalogue, which never changes."""

    catalogue: Catalogue
    references: References
    filters: FilterRules
    paths: Paths


@cache
def _specification() -> _Specification:
    catalogue = load()
    return _Specification(
        catalogue, References(catalogue), FilterRules(catalogue), Paths(catalogue.operations.values())
    )


class Service:
    """A company that answers every operation of the catalogue."""

    def __init__(self, switches: Switches, clock: Clock) -> None:
        known = _specification()
        self._paths = known.paths
        self.company = Company(known.catalogue, known.references, known.filters, switches, clock)

    @property
    def filters_without_effect(self) -> tuple[tuple[str, str], ...]:
        """The (path, filter) pairs that are accepted and change nothing."""
        return self.company.filters.without_effect

    def carry_out(
        self, method: str, path: str, query: Iterable[tuple[str, str]], body: Any, *, form: bool
    ) -> ServedAnswer:
        """The answer to one request, whose changes are all made, or none of them."""
        version = self.company.store.version
        try:
            answer = self._answer(method, path, query, body, form=form)
        except Refusal as refusal:
            answer = refusal.answer()
        written = method != "GET" and (answer.status < 400 or self.company.store.version != version)
        return ServedAnswer(answer, written)

    def document(self, path: str) -> StoredFile | None:
        """The PDF of an invoice, at ``/invoices/7.pdf``; None for another path.

        Raises:
            Refusal: 404 where there is no such invoice.
        """
        found = _INVOICE.fullmatch(path)
        return None if found is None else as_pdf(self.company.store, found[1])

    def _answer(self, method: str, path: str, query: Iterable[tuple[str, str]], body: Any, *, form: bool) -> Answer:
        matched = self._paths.match(method, path)
        if matched is None:
            raise self._unrouted(path)
        if method == "DELETE" and isinstance(body, dict) and "ids" in body:
            query, body = [*query, ("ids", _spelled(body["ids"]))], None
        asked = read(matched.operation, query, refuse_unknown=self.company.switches.refuse_unknown)
        call = ParsedRequest(operation=matched.operation, params=matched.params, asked=asked, body=body, form=form)
        return handler_of(matched.operation)(self.company, call)

    def _unrouted(self, path: str) -> Refusal:
        allowed = self._paths.allowed(path)
        if not allowed:
            return missing("path")
        error = {"type": "system", "message": f"Only {', '.join(allowed)} can be sent to this path"}
        return Refusal(405, [error], {"Allow": ", ".join(allowed)})


def _spelled(ids: Any) -> str:
    """The ids of a bulk delete as a query spells them; the API's documentation allows them in the body too."""
    return ",".join(map(str, ids)) if isinstance(ids, list) else str(ids)
