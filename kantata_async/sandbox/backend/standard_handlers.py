"""The operations that most collections have: list, show, create (one or many), update, and delete (one or many)."""

from __future__ import annotations

from typing import Any, Final

from .answer import Answer
from .company import Company, ParsedRequest
from .inflection import plural, singular
from .presenting import PageSlice
from .query_string import DEFAULT_PAGE
from .refusals import Refusal, invalid, malformed, missing
from .rules import rules_of
from .validation import Checked
from .writing import create, destroy, destroy_all, update

MAX_BULK_DELETE: Final = 100


def list_all(company: Company, call: ParsedRequest) -> Answer:
    """One page of the objects that match."""
    ids, page = company.lists.page(call.operation, call.asked)
    return company.present(call, ids, page)


def show(company: Company, call: ParsedRequest) -> Answer:
    """One object; 404 when there is none, or a default filter hides it."""
    if not company.lists.shows(call.operation, call.id, call.asked):
        raise missing(singular(str(call.operation.collection)))
    return company.present(call, [call.id])


def create_any(company: Company, call: ParsedRequest) -> Answer:
    """Create one object under the body key, or many under its plural.

    The results of many come in the order that `Switches.bulk_order` says, by default the endpoint's own.
    """
    operation, collection = call.operation, str(call.operation.collection)
    many = (collection, plural(str(operation.body_key))) if operation.bulk_max else ()
    body = company.body(call, *many)
    key = next((name for name in many if isinstance(body.get(name), list)), None)
    if key is not None:
        return _create_many(company, call, body[key])
    checked = _checked(company, call, body.get(str(operation.body_key)), [])
    if checked.errors:
        raise Refusal(422, checked.errors)
    return company.present(call, [create(company.store, collection, checked.values)])


def _create_many(company: Company, call: ParsedRequest, raw: list[Any]) -> Answer:
    operation, collection = call.operation, str(call.operation.collection)
    if not raw:
        raise malformed("The array is empty")
    if len(raw) > (operation.bulk_max or 0):
        raise invalid(f"At most {operation.bulk_max} objects can be created at once")
    errors: list[dict[str, Any]] = []
    accepted: list[dict[str, Any]] = []
    for index, entry in enumerate(raw):
        checked = _checked(company, call, entry, accepted)
        errors += [company.located(error, index) for error in checked.errors]
        if not checked.errors:
            accepted.append(checked.values)
    if errors and company.switches.bulk_atomic:
        raise Refusal(422, errors)
    created = [create(company.store, collection, values) for values in accepted]
    if errors:
        raise Refusal(422, errors)
    page = PageSlice(len(created), size=max(len(created), DEFAULT_PAGE))
    return company.present(call, _ordered(company, collection, created), page)


def _checked(company: Company, call: ParsedRequest, raw: Any, earlier: list[dict[str, Any]]) -> Checked:
    collection = str(call.operation.collection)
    checked = company.check(call, collection, raw)
    check = rules_of(collection).check_new
    if check is None or checked.errors:
        return checked
    return Checked(checked.values, check(company.store, company.switches, checked.values, earlier))


def _ordered(company: Company, collection: str, created: list[str]) -> list[str]:
    match company.switches.bulk_order:
        case "sent":
            return created
        case "shuffled":
            return company.chance.sample(created, len(created))
        case "endpoint":
            return company.lists.sorted(company.listing(collection), collection, created)


def change(company: Company, call: ParsedRequest) -> Answer:
    """Update one object, hidden by a default filter or not, so that it can be unarchived."""
    collection = str(call.operation.collection)
    existing(company, collection, call.id)
    update(company.store, collection, call.id, company.checked(call, collection))
    return company.changed(call, call.id)


def existing(company: Company, collection: str, identity: str) -> dict[str, Any]:
    """The record with this id.

    Raises:
        Refusal: 404 where there is none.
    """
    record = company.store.records(collection).get(identity)
    if record is None:
        raise missing(singular(collection))
    return record


def remove(company: Company, call: ParsedRequest) -> Answer:
    """Delete one object."""
    destroy(company.store, resource(call), call.id)
    return Answer(call.operation.status)


def remove_many(company: Company, call: ParsedRequest) -> Answer:
    """Delete all of the objects named, at most 100, or none."""
    destroy_all(company.store, resource(call), named_ids(call))
    return Answer(call.operation.status)


def named_ids(call: ParsedRequest) -> list[str]:
    """The ids of a bulk delete.

    Raises:
        Refusal: there are none, or too many.
    """
    ids = list(dict.fromkeys(str(identity) for identity in call.asked.filters.get("ids", ())))
    if not ids:
        raise malformed("ids is required", "ids")
    if len(ids) > MAX_BULK_DELETE:
        raise invalid(f"At most {MAX_BULK_DELETE} objects can be deleted at once", "ids")
    return ids


def resource(call: ParsedRequest) -> str:
    """The collection of a path: its first segment."""
    return call.operation.path.split("/")[1]
