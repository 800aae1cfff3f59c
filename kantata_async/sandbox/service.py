"""From a method, a path and a body to an answer: the API without the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import attrs

from kantata_async.catalogue import Catalogue, Operation, load

from .actions import ACTIONS, Action
from .answers import Answer, Refusal, missing
from .bare import BARE
from .company import Call, Company
from .filters import Filters
from .parameters import read
from .references import References
from .routes import Routes
from .seed import found
from .switches import Switches
from .usual import change, create_any, list_all, remove, remove_many, show

_ONE: Final = re.compile(r"/[a-z_]+/\{id\}")


@attrs.frozen
class Outcome:
    """An answer, and whether a write was carried out for it."""

    answer: Answer
    committed: bool


@attrs.frozen
class _Reading:
    """What the catalogue says once and for all."""

    catalogue: Catalogue
    references: References
    filters: Filters
    routes: Routes


@cache
def _reading() -> _Reading:
    catalogue = load()
    return _Reading(catalogue, References(catalogue), Filters(catalogue), Routes(catalogue.operations.values()))


class Service:
    """A company that answers every operation of the catalogue."""

    def __init__(self, *, seed: int, people: int, projects: int, switches: Switches) -> None:
        reading = _reading()
        self._routes = reading.routes
        self.company = Company(reading.catalogue, reading.references, reading.filters, switches)
        found(self.company.store, reading.catalogue, reading.references, seed=seed, people=people, projects=projects)

    @property
    def filters_without_effect(self) -> tuple[tuple[str, str], ...]:
        """The (path, filter) pairs that are taken and change nothing."""
        return self.company.filters.without_effect

    def carry_out(self, method: str, path: str, query: Iterable[tuple[str, str]], body: Any, *, form: bool) -> Outcome:
        """Answer one request; whatever it changes is changed at once, or not at all."""
        version = self.company.store.version
        try:
            answer = self._answer(method, path, query, body, form=form)
        except Refusal as refusal:
            answer = refusal.answer()
        written = method != "GET" and (answer.status < 400 or self.company.store.version != version)
        return Outcome(answer, written)

    def _answer(self, method: str, path: str, query: Iterable[tuple[str, str]], body: Any, *, form: bool) -> Answer:
        route = self._routes.match(method, path)
        if route is None:
            raise self._unrouted(path)
        if method == "DELETE" and isinstance(body, dict) and "ids" in body:
            query, body = [*query, ("ids", _spelled(body["ids"]))], None
        asked = read(route.operation, query, refuse_unknown=self.company.switches.refuse_unknown)
        call = Call(operation=route.operation, params=route.params, asked=asked, body=body, form=form)
        return action_of(route.operation)(self.company, call)

    def _unrouted(self, path: str) -> Refusal:
        allowed = self._routes.allowed(path)
        if not allowed:
            return missing("path")
        error = {"type": "system", "message": f"Only {', '.join(allowed)} can be sent to this path"}
        return Refusal(405, [error], {"Allow": ", ".join(allowed)})


def _spelled(ids: Any) -> str:
    """The ids of a bulk delete as a query spells them: the prose allows a body to carry them instead."""
    return ",".join(map(str, ids)) if isinstance(ids, list) else str(ids)


def action_of(operation: Operation) -> Action:
    """The function that carries an operation out."""
    key = (operation.method, operation.path)
    return ACTIONS.get(key) or BARE.get(key) or _usual(operation)


def _usual(operation: Operation) -> Action:
    one = _ONE.fullmatch(operation.path) is not None
    match operation.method:
        case "GET":
            return show if one else list_all
        case "POST":
            return create_any
        case "PUT":
            return change
        case _:
            return remove if one else remove_many
